package target

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Protocol versions for Handshake.
const (
	TLS10 uint16 = tls.VersionTLS10
	TLS11 uint16 = tls.VersionTLS11
	TLS12 uint16 = tls.VersionTLS12
	TLS13 uint16 = tls.VersionTLS13
)

// Handshake tries a TLS handshake with the host of an endpoint, offering the versions from lowest to highest with every
// cipher suite that Go knows for them, the insecure ones included: a handshake that fails for want of a common suite
// proves nothing. It does not look at the certificate. Nil means that the handshake completed.
func (as *AS) Handshake(endpoint Endpoint, lowest, highest uint16) error {
	as.demandNetwork()
	u, err := url.Parse(as.Endpoint(endpoint))
	if err != nil {
		return err
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "443")
	}
	var suites []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, s.ID)
	}
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: as.Timing().Timeout},
		Config: &tls.Config{
			ServerName: u.Hostname(), MinVersion: lowest, MaxVersion: highest, CipherSuites: suites,
			InsecureSkipVerify: true, // the version is judged here, not the certificate
		},
	}
	conn, err := dialer.DialContext(as.ctx, "tcp", host)
	if err != nil {
		return err
	}
	return conn.Close()
}

// OverPlainHTTP sends a request to the same host and path with the scheme http: to its standard port or, where https has a
// port of its own, to that one. The caller makes sure that it carries nothing secret that anything else needs.
func (as *AS) OverPlainHTTP(req *Request) *Response {
	as.demandNetwork()
	return as.Send(req.Clone().Apply(AnyStatus(), Edit(func(r *Request) {
		if u, err := url.Parse(r.URL); err == nil {
			u.Scheme = "http"
			if u.Port() == "443" {
				u.Host = strings.TrimSuffix(u.Host, ":443")
			}
			r.URL = u.String()
		}
	})))
}

// VerifyCertificate makes a handshake with the host of an endpoint and verifies its certificate against the run's trust store. The error is
// the reason why it is not trusted; where there is no connection at all the check is inconclusive.
func (as *AS) VerifyCertificate(endpoint Endpoint) error {
	r := as.Send(as.NewRequest("HEAD", as.Endpoint(endpoint)).Apply(AnyStatus()))
	var invalid *tls.CertificateVerificationError
	if errors.As(r.Err, &invalid) {
		return invalid
	}
	if r.Err != nil {
		as.Inconclusive("no connection: %v", r.Err)
	}
	return nil
}

// demandNetwork skips the check where the target is reached by a transport of the config's owner: what is behind it is not at the address of
// the endpoint's URL.
func (as *AS) demandNetwork() {
	switch as.Config().Transport.(type) {
	case nil, *http.Transport:
	default:
		as.Skip("", "the target is reached in-process, without TLS and ports of its own")
	}
}
