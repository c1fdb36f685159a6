package mockprovider_test

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

func TestTLS(t *testing.T) {
	secure := mockprovider.WithSettings(map[string]any{"tls": true})
	get := func(p *mockprovider.Provider, scheme string, version uint16) error {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(p.CertificateAuthority()) {
			t.Fatal("no authority")
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: version}}}
		response, err := client.Get(scheme + strings.TrimPrefix(p.Endpoint("jwks"), "https"))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return http.ErrNotSupported
		}
		return nil
	}
	for _, test := range []struct {
		mode            string
		good, old, open bool // TLS 1.3, TLS 1.0, plain HTTP
	}{
		{"", true, false, false},
		{"tls-1.0", true, true, false},
		{"only-tls-1.1", true, true, false}, // a client that takes both is talked down
		{"plain-http", true, false, true},
		{"expired", false, false, false},
		{"self-signed", false, false, false},
		{"wrong-host", false, false, false},
	} {
		options := []mockprovider.Option{secure}
		if test.mode != "" {
			options = append(options, mockprovider.WithDeviation(deviation("tls", op("connection.tls", "mode", test.mode)), nil))
		}
		p := mockprovider.New(t, options...)
		for name, got := range map[string]struct {
			err  error
			want bool
		}{
			"TLS 1.3": {get(p, "https", tls.VersionTLS13), test.good}, "TLS 1.0": {get(p, "https", tls.VersionTLS10), test.old}, "plain HTTP": {get(p, "http", 0), test.open},
		} {
			if (got.err == nil) != got.want {
				t.Errorf("%q: %s: %v, want success %v", test.mode, name, got.err, got.want)
			}
		}
	}
	inProcess := start(t, secure)
	client := &http.Client{Transport: inProcess.RoundTripper()}
	if _, err := client.Get("http://mock.test/jwks"); err == nil {
		t.Error("in process: plain HTTP is answered")
	}
	if r, err := client.Get("https://mock.test/jwks"); err != nil || r.TLS == nil {
		t.Error(r, err)
	}
}

func TestPlainHTTPOfSomeEndpoints(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"tls": true}),
		mockprovider.WithDeviation(deviation("d", op("connection.tls", "mode", "plain-http", "names", []string{"token"})), nil))
	client := &http.Client{Transport: p.RoundTripper()}
	if r, err := client.Get("http://mock.test/token"); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Error(r, err)
	}
	if _, err := client.Get("http://mock.test/jwks"); err == nil {
		t.Error("an endpoint answers that is not named")
	}
}

func TestTLSOfSomeServerNames(t *testing.T) {
	p := mockprovider.New(t, mockprovider.WithSettings(map[string]any{"tls": true}),
		mockprovider.WithDeviation(deviation("d", op("connection.tls", "mode", "expired", "names", []string{"localhost"})), nil))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.CertificateAuthority())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if r, err := client.Get(p.Endpoint("jwks")); err != nil || r.StatusCode != http.StatusOK {
		t.Error(r, err)
	}
	if _, err := client.Get(strings.Replace(p.Endpoint("jwks"), "127.0.0.1", "localhost", 1)); err == nil {
		t.Error("the certificate for localhost has not expired")
	}
}

// A network of containers, or a hosts file, gives the provider names that it does not know.
func TestTLSHasTheNamesThatClientsUse(t *testing.T) {
	p := mockprovider.New(t, mockprovider.TLS(), mockprovider.Issuer("https://idp.internal:8443"))
	_, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.CertificateAuthority())
	for _, name := range []string{"", "localhost", "127.0.0.1", "::1", "idp", "idp.internal", "a.b.example"} {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: cmp.Or(name, "127.0.0.1")})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if expires := conn.ConnectionState().PeerCertificates[0].NotAfter; time.Until(expires) < 30*24*time.Hour {
			t.Errorf("%q: a provider that stays up has a certificate until %v only", name, expires)
		}
		conn.Close()
	}
	response, err := p.HTTPClient().Get(p.Endpoint(mockprovider.JWKSEndpoint)) // by the name in its issuer
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for i := range 200 { // what is kept stays bounded
		if conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: fmt.Sprintf("n%d.example", i)}); err != nil {
			t.Fatal(err)
		} else {
			conn.Close()
		}
	}
}

func TestCertificateAtHand(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"idp.corp.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	p := mockprovider.New(t, mockprovider.Certificate(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}))
	response, err := p.HTTPClient().Get(p.Endpoint(mockprovider.JWKSEndpoint))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.TLS.PeerCertificates[0]; !bytes.Equal(got.Raw, der) {
		t.Errorf("serves the certificate %v", got.Subject)
	}
	if block, _ := pem.Decode(p.CertificateAuthority()); block == nil || !bytes.Equal(block.Bytes, der) || p.Describe().CertificateAuthority != string(p.CertificateAuthority()) {
		t.Error("tells of another certificate")
	}
	if _, err := mockprovider.NewHandler(mockprovider.Certificate(tls.Certificate{})); err == nil || !strings.Contains(err.Error(), "LoadX509KeyPair") {
		t.Errorf("an empty certificate: %v", err)
	}
}
