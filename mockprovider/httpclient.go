package mockprovider

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// HTTPClient returns a client for requests to the provider: with TLS it trusts the provider's certificate, and for a provider
// without a socket (NewHandler) it calls the handler. It follows redirects as net/http does. Close ends its idle connections.
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
	if authority := p.top().authority; authority != nil {
		roots := x509.NewCertPool()
		roots.AddCert(authority.certificate)
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}
