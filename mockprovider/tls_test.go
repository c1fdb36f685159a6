package mockprovider_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

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
