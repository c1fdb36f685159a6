package mockprovider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
)

// HTTPClient returns a client for requests to the provider: with TLS it trusts the provider's certificate, it finds the provider by the name
// that the option Issuer gave it, and for a provider without a socket (NewHandler) it calls the handler. It follows redirects as net/http
// does. Close ends its idle connections.
func (p *Provider) HTTPClient() *http.Client {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.transport == nil {
		p.transport = p.newTransport()
	}
	return &http.Client{Transport: p.transport}
}

func (p *Provider) newTransport() http.RoundTripper {
	if top := p.top(); top.listen == nil {
		return top.RoundTripper()
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil // the provider is on this machine
	dial, named, address := t.DialContext, hostPort(p.top().origin), p.Address()
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == named {
			addr = address
		}
		return dial(ctx, network, addr)
	}
	if authority := p.top().authority; authority != nil {
		roots := x509.NewCertPool()
		for _, c := range authority.trusted() {
			roots.AddCert(c)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

// hostPort is where a client dials for a URL, "" if that cannot be said.
func hostPort(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
