package mockprovider_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

const clientCredentials = "grant_type=client_credentials&client_id=service&client_secret=not-a-secret.service.0123456789abcdef"

// measure sends client_credentials requests over one kept-alive connection.
func measure(b *testing.B, url string) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		response, err := client.Post(url, "application/x-www-form-urlencoded", strings.NewReader(clientCredentials))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response.Status, err)
		}
		response.Body.Close()
	}
}

// BenchmarkBareHandler is the ceiling for opaque tokens: net/http with a body of the same size.
func BenchmarkBareHandler(b *testing.B) {
	body := []byte(`{"access_token":"TtqbK0vZm4hCjYb7dMXoT7XG1IGM9Zkq3dK1b6ZyYwE","token_type":"Bearer","expires_in":900,"scope":"read"}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		w.Write(body)
	}))
	defer server.Close()
	measure(b, server.URL)
}

func BenchmarkOpaque(b *testing.B) {
	p := mockprovider.New(b)
	measure(b, p.Endpoint("token"))
}

// BenchmarkOpaqueDeviated has a deviation in force, so that steps are looked up.
func BenchmarkOpaqueDeviated(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithDeviation(deviation("x", op("token.response", "header", map[string]any{"remove": "Pragma"})), nil))
	measure(b, p.Endpoint("token"))
}

// BenchmarkBareRS256 is the ceiling for RS256 tokens: net/http and one signature.
func BenchmarkBareRS256(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		sum := sha256.Sum256([]byte("eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwOi8vbW9jay50ZXN0In0"))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"access_token":"` + base64.RawURLEncoding.EncodeToString(signature) + `"}`))
	}))
	defer server.Close()
	measure(b, server.URL)
}

func BenchmarkRS256(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt"}}))
	measure(b, p.Endpoint("token"))
}

func BenchmarkES256(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt", "algorithm": "ES256"}}))
	measure(b, p.Endpoint("token"))
}

// BenchmarkStart is the time from nothing to the first answer.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		p, err := mockprovider.Start()
		if err != nil {
			b.Fatal(err)
		}
		response, err := http.Get(p.Describe().Endpoints["metadata"])
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandler is a request through the in-process transport.
func BenchmarkHandler(b *testing.B) {
	p := start(b)
	client := &http.Client{Transport: p.RoundTripper()}
	b.ReportAllocs()
	for range b.N {
		response, err := client.Post(p.Endpoint("token"), "application/x-www-form-urlencoded", strings.NewReader(clientCredentials))
		if err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	}
}
