package target

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestClientAssertions(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	issuerOnly := false
	seen := map[string]bool{}
	s.token = func(w http.ResponseWriter, r *http.Request) bool {
		jws, err := jose.ParseSignedCompact(r.FormValue("client_assertion"), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			s.json(w, 401, map[string]any{"error": "invalid_client"})
			return true
		}
		payload, err := jws.Verify(&key.PublicKey)
		var claims map[string]any
		_ = json.Unmarshal(payload, &claims)
		audience := s.URL + "/token"
		if issuerOnly {
			audience = s.URL
		}
		jti, _ := claims["jti"].(string)
		if err != nil || claims["iss"] != "web" || claims["sub"] != "web" || claims["aud"] != audience || seen[jti] ||
			r.FormValue("client_assertion_type") != jwtBearerAssertion || r.Header.Get("Authorization") != "" {
			s.json(w, 401, map[string]any{"error": "invalid_client"})
			return true
		}
		seen[jti] = true
		s.json(w, 200, map[string]any{"access_token": s.issueAccess()})
		return true
	}
	for range 2 {
		config := s.config()
		config.Clients = Clients{Primary: &Client{ID: "web", KeyFile: file}}
		run := newRun(t, config)
		mustPass(t, run, func(as *AS) {
			as.TokensBy(ClientCredentials)
			claims := as.ClientAssertionClaims(as.Primary())
			claims["sub"] = "other"
			if r := as.TokenBy(ClientCredentials, ClientAssertion(as.SignJWT(as.Primary(), nil, claims))); r.IssuesToken() {
				t.Error("a wrong subject was accepted")
			}
			if r := as.TokenBy(ClientCredentials, ClientAssertion(as.SignJWT(as.Primary(), map[string]any{"kid": "x"}, as.ClientAssertionClaims(as.Primary())))); !r.IssuesToken() {
				t.Errorf("a valid assertion: %s", r.outcome())
			}
		})
		issuerOnly = true
	}
}

func TestKeyFiles(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	sec1, _ := x509.MarshalECPrivateKey(ec)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(ed)
	jwk, _ := json.Marshal(jose.JSONWebKey{Key: rsaKey, KeyID: "1", Algorithm: "PS256"})
	set, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: ec, KeyID: "2"}}})
	public, _ := json.Marshal(jose.JSONWebKey{Key: ec.Public()})
	for name, test := range map[string]struct {
		data      []byte
		alg, text string
	}{
		"SEC 1":   {block("EC PRIVATE KEY", sec1), "ES384", ""},
		"PKCS #1": {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "RS256", ""},
		"PKCS #8": {block("PRIVATE KEY", pkcs8), "EdDSA", ""},
		"JWK":     {jwk, "PS256", ""}, "JWK set": {set, "ES384", ""},
		"public": {public, "", "public"}, "garbage": {[]byte("x"), "", "neither PEM nor a JWK"}, "wrong PEM": {block("X", []byte("x")), "", "no private key"},
	} {
		key, err := parseKey(test.data)
		switch {
		case test.text != "":
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || key.Algorithm != test.alg:
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}
