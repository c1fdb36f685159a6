package mockprovider

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// tlsModes are the modes of the step connection.tls. They hold for whole connections, so conditions make no sense there; names are
// server names that the client asks for (or endpoints, see plain-http).
var tlsModes = []Mode{
	{"tls-1.0", "TLS 1.0 and 1.1 are taken, too"},
	{"tls-1.1", "TLS 1.1 is taken, too"},
	{"only-tls-1.1", "nothing newer than TLS 1.1 is taken"},
	{"plain-http", "requests without TLS are answered, too; `names` limits that to some endpoints, others break the connection off"},
	{"expired", "the certificate has expired"},
	{"self-signed", "the certificate is signed by itself"},
	{"wrong-host", "the certificate is for another host"},
}

// authority signs the certificates of a provider with the setting tls.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	server      *ecdsa.PrivateKey
	own         *tls.Certificate // of the option Certificate, in place of the good ones; nil: none

	mu     sync.Mutex
	issued map[string]*tls.Certificate // by kind and names
}

// certificateLifetime is what browsers take at most. Nobody outlives it: the authority is made anew at every start.
const certificateLifetime = 397 * 24 * time.Hour

func newAuthority(own *tls.Certificate) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot make a key for TLS: %w", err)
	}
	server, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot make a key for TLS: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "oauthcheck mock provider, for tests only"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLifetime), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot make a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot read its own certificate: %w", err)
	}
	return &authority{certificate: certificate, key: key, server: server, own: own, issued: make(map[string]*tls.Certificate)}, nil
}

// serverCertificate makes (once) the certificate of a kind: "", expired, self-signed, wrong-host. It is for this machine and for the
// further hosts, names or addresses.
func (a *authority) serverCertificate(kind string, hosts ...string) (*tls.Certificate, error) {
	if kind == "" && a.own != nil {
		return a.own, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := kind + " " + strings.Join(hosts, " ")
	if c, ok := a.issued[id]; ok {
		return c, nil
	}
	if len(a.issued) >= 64 { // a client that asks for ever new names
		clear(a.issued)
	}
	serial, err := crand.Int(crand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "mock provider"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLifetime), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost", "mock.test"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if isHostName(host) && !slices.Contains(template.DNSNames, host) {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	parent, signer := a.certificate, a.key
	switch kind {
	case "expired":
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	case "self-signed":
		parent, signer = template, a.server
	case "wrong-host":
		template.DNSNames, template.IPAddresses = []string{"other.example"}, nil
	}
	der, err := x509.CreateCertificate(crand.Reader, template, parent, a.server.Public(), signer)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.server}
	a.issued[id] = c
	return c, nil
}

// isHostName reports whether a certificate can have a name.
func isHostName(name string) bool {
	return name != "" && len(name) < 254 && keep(name, func(r rune) bool {
		return r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}) == name
}

// trusted are the certificates that clients have to trust.
func (a *authority) trusted() []*x509.Certificate {
	if a.own == nil {
		return []*x509.Certificate{a.certificate}
	}
	chain := make([]*x509.Certificate, 0, len(a.own.Certificate))
	for _, der := range a.own.Certificate {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

// CertificateAuthority is, as PEM, the certificate that a client of a provider with the setting tls has to trust (with the option Certificate
// that one, and those that came with it); nil without TLS.
func (p *Provider) CertificateAuthority() []byte {
	authority := p.top().authority
	if authority == nil {
		return nil
	}
	var out []byte
	for _, c := range authority.trusted() {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// hostsOf are the hosts that a client may think it is connected to: that of the issuer, the one that it asks for, and the address that it
// came to. So the provider has as many names as a network gives it.
func (p *Provider) hostsOf(hello *tls.ClientHelloInfo) []string {
	var hosts []string
	if u, err := url.Parse(p.base); err == nil {
		hosts = append(hosts, u.Hostname())
	}
	if hello.Conn != nil {
		if address, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok && !address.IP.IsLoopback() {
			hosts = append(hosts, address.IP.String())
		}
	}
	return append(hosts, hello.ServerName)
}

// connectionMode reports whether a deviation chose a mode of the step connection.tls, for a server name that the client asks for.
func (p *Provider) connectionMode(mode, serverName string) bool {
	for _, o := range (*p.program.Load())["connection.tls"] {
		if slices.Contains(o.Mode, mode) && (len(o.Names) == 0 || mode == "plain-http" || slices.Contains(o.Names, serverName)) {
			return true
		}
	}
	return false
}

// tlsConfig is TLS 1.2 and 1.3 with a good certificate, unless a deviation wants otherwise when the connection is made.
func (p *Provider) tlsConfig() *tls.Config {
	return &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		kind := ""
		for _, k := range []string{"expired", "self-signed", "wrong-host"} {
			if p.connectionMode(k, hello.ServerName) {
				kind = k
			}
		}
		certificate, err := p.authority.serverCertificate(kind, p.hostsOf(hello)...)
		if err != nil {
			return nil, err
		}
		c := &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		switch {
		case p.connectionMode("tls-1.0", hello.ServerName):
			c.MinVersion = tls.VersionTLS10
		case p.connectionMode("tls-1.1", hello.ServerName):
			c.MinVersion = tls.VersionTLS11
		case p.connectionMode("only-tls-1.1", hello.ServerName):
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}
		return c, nil
	}}
}

// secureListener puts TLS on connections, but not on those that begin without it where a deviation answers plain HTTP.
type secureListener struct {
	net.Listener
	p      *Provider
	config *tls.Config
}

// Accept waits for a connection.
func (l *secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.p.connectionMode("plain-http", "") {
		return tls.Server(conn, l.config), nil
	}
	peeked := &peekedConn{Conn: conn, reader: bufio.NewReaderSize(conn, 16)}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	first, err := peeked.reader.Peek(1)
	conn.SetReadDeadline(time.Time{})
	if err == nil && first[0] != 0x16 { // not a TLS handshake record
		return peeked, nil
	}
	return tls.Server(peeked, l.config), nil
}

// peekedConn is a connection whose beginning was looked at.
type peekedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *peekedConn) Read(b []byte) (int, error) { return c.reader.Read(b) }

// refusesPlainHTTP reports whether an endpoint breaks off requests without TLS although others answer them.
func (p *Provider) refusesPlainHTTP(endpoint string) bool {
	refuses := false
	for _, o := range (*p.program.Load())["connection.tls"] {
		if !slices.Contains(o.Mode, "plain-http") {
			continue
		}
		if len(o.Names) == 0 || slices.Contains(o.Names, endpoint) {
			return false
		}
		refuses = true
	}
	return refuses
}
