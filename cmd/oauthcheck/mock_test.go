package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mockConfig is a configuration file with everything in it.
const mockConfig = `
settings:
  access_token: {format: jwt, algorithm: EdDSA}
clients:
  shop: {secret: shop-secret, redirect_uris: [https://shop.example/callback]}
users:
  carol: {password: sesame, claims: {role: editor}}
claims:
  - {when: {client: shop}, set: {tenant: blue}}
define:
  - name: teapot
    summary: The JWKS is out.
    do: {at: jwks.transport, status: 418}
deviations: [teapot]
answers:
  - when: {endpoint: token, client: shop}
    then: {status: 400, error: invalid_scope}
namespaces:
  checkout:
    clients:
      basket: {secret: basket-secret}
`

func TestMockConfigAndAdmin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mock.yaml")
	if err := os.WriteFile(file, []byte(mockConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	_, d := startMock(t, "--config", file, "--admin", "127.0.0.1:0", "--cors", "https://app.example", "--auto-login", "carol", "--issuer-from", "host")
	if d.Admin == "" {
		t.Fatal("the description does not say where the administration is")
	}
	answer := func(response *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"shop"}, "client_secret": {"shop-secret"}}
	if status, body := answer(http.PostForm(d.Endpoints["token"], form)); status != 400 || !strings.Contains(body, "invalid_scope") {
		t.Error(status, body)
	}
	if status, body := answer(http.PostForm(d.Endpoints["token"], form)); status != 200 || strings.Count(body, ".") < 2 {
		t.Error(status, body)
	}
	if status, _ := answer(http.Get(d.Endpoints["jwks"])); status != 418 {
		t.Error(status)
	}
	if status, body := answer(http.Get(d.Admin + "/namespaces")); status != 200 || !strings.Contains(body, d.Issuer+"/checkout") {
		t.Error(status, body)
	}
	if status, body := answer(http.Post(d.Admin+"/namespaces/checkout/answers", "application/json", strings.NewReader(`{"then":[{"status":503}]}`))); status != 204 {
		t.Error(status, body)
	}
	if status, _ := answer(http.Get(d.Issuer + "/checkout/.well-known/openid-configuration")); status != 503 {
		t.Error(status)
	}
	if status, body := answer(http.Get(strings.Replace(d.Issuer, "127.0.0.1", "localhost", 1) + "/.well-known/openid-configuration")); status != 200 || !strings.Contains(body, `"issuer":"http://localhost:`) {
		t.Error(status, body)
	}
	var requests struct {
		Requests []struct{ Target string } `json:"requests"`
	}
	if status, body := answer(http.Get(d.Admin + "/requests?endpoint=token&wait=2")); status != 200 || json.Unmarshal([]byte(body), &requests) != nil || len(requests.Requests) != 2 {
		t.Error(status, body)
	}
	health := oauthcheck(t, "healthcheck", d.Issuer+"/healthz")
	health.mustExit(t, 0)
	health = oauthcheck(t, "healthcheck", d.Admin+"/healthz")
	health.mustExit(t, 0)
	_, secure := startMock(t, "--tls")
	health = oauthcheck(t, "healthcheck", secure.Issuer+"/healthz")
	health.mustExit(t, 1)
	health.mustSay(t, "certificate")
	health = oauthcheck(t, "healthcheck", "--insecure", secure.Issuer+"/healthz")
	health.mustExit(t, 0)
}

func TestMockConfigMistakes(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"cleints: {}":                                                                "mock.yaml:1: cleints: unknown key; did you mean",
		"settings: {login: formm}":                                                   "form",
		"settings:\n  pkce: {requird: all}":                                          "mock.yaml:2: settings.pkce.requird: unknown key; did you mean",
		"clients:\n  shop:\n    secrt: x":                                            "mock.yaml:3: clients.shop.secrt: unknown key; did you mean",
		"namespaces:\n  a:\n    clients:\n      shop: {secrt: x}":                    "mock.yaml:4: namespaces.a.clients.shop.secrt",
		"answers: [{then: {statsu: 400}}]":                                           "status",
		"answers: [{then: {deviations: [nope]}}]":                                    "nope",
		"define: [{summary: x, do: []}]":                                             "name",
		"define: [{name: a, do: {at: tokn.response, status: 201}}]\ndeviations: [a]": "token.response",
		"namespaces: {a: {namespaces: {b: {}}}}":                                     "has no namespaces",
		"namespaces: {token: {}}":                                                    "endpoint",
		"profile: edlnk":                                                             "profile",
		"deviations: [token-response-cachable]":                                      "token-response-cacheable",
		"claims: [{set: {}}]":                                                        "mock.yaml:1: claims[0]: no claims",
		"settings:\n  grants: [authorization_cod]":                                   "mock.yaml:2: settings.grants: \"authorization_cod\"; did you mean \"authorization_code\"?",
		"settings:\n  client_auth_methods: [client_secret_bsic]":                     "mock.yaml:2: settings.client_auth_methods: \"client_secret_bsic\"; did you mean",
		"settings:\n  response_modes: [qery]":                                        "mock.yaml:2: settings.response_modes: \"qery\"; did you mean",
		"settings:\n  response_types: [code tokn]":                                   "mock.yaml:2: settings.response_types: \"tokn\"; did you mean",
		"settings:\n  pkce: {methods: [S265]}":                                       "mock.yaml:2: settings.pkce.methods: \"S265\"; did you mean",
		"settings:\n  token_exchange:\n    subject_token_types: [acess_token]":       "mock.yaml:3: settings.token_exchange.subject_token_types: \"acess_token\"; did you mean",
		"settings: {invalid_client_status: 402}":                                     "mock.yaml:1: settings.invalid_client_status: \"402\"",
		"settings: {endpoints: {token: nox}}":                                        "mock.yaml:1: settings.endpoints.token: \"nox\" is not a path",
		"settings: {cors: {origins: [app.example]}}":                                 "mock.yaml:1: settings.cors.origins: \"app.example\" is not an origin",
		"settings: {issuer: \"ftp://idp\"}":                                          "not an http or https URL",
		"clients:\n  shop:\n    grants: [pasword]":                                   "mock.yaml:3: clients.shop.grants: \"pasword\"; did you mean",
		"clients:\n  shop:\n    auth_methods: [basic]":                               "mock.yaml:3: clients.shop.auth_methods: \"basic\"",
		"clients:\n  shop: {kind: wbe}":                                              "mock.yaml:2: clients.shop.kind: \"wbe\"; did you mean",
		"clients:\n  shop: {redirect_uris: [/callback]}":                             "mock.yaml:2: clients.shop.redirect_uris: \"/callback\" is not an absolute URI",
		"clients:\n  shop: {scopes: [orders]}":                                       "mock.yaml:2: clients.shop.scopes: \"orders\" is not among the provider's scopes",
		"clients:\n  shop: {jwks: 3}":                                                "mock.yaml:2: clients.shop: jwks",
		"answers:\n  - when: {endpont: token}\n    then: {status: 400}":              "mock.yaml:2: answers[0]: programmed answer when.endpont: unknown key; did you mean",
		"claims:\n  - {when: {clint: x}, set: {a: 1}}":                               "mock.yaml:2: claims[0] when.clint: unknown key; did you mean",
		"define:\n  - {name: a, do: {at: tokn.response, status: 201}}":               "mock.yaml:2: define[0]",
		"namespaces:\n  a:\n    settings:\n      login: atuo":                        "mock.yaml:4: namespaces.a.settings.login: \"atuo\"; did you mean",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "mock.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := oauthcheck(t, "mock", "--addr", "127.0.0.1:0", "--config", file)
		if got.code != 2 || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: exit %d, %s", text, got.code, got.stderr)
		}
	}
}

// With --tls-ca a client in any language can trust the mock, under the name that its network gives it.
func TestMockTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	_, d := startMock(t, "--tls", "--tls-ca", file("ca.pem"), "--issuer", "https://idp:8443")
	ca, err := os.ReadFile(file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("no certificate: %s", ca)
	}
	conn, err := tls.Dial("tcp", d.Address, &tls.Config{RootCAs: roots, ServerName: "idp"})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"idp.corp.example"}}
	own, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"own.pem": {Type: "CERTIFICATE", Bytes: own}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file(name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, d = startMock(t, "--tls-cert", file("own.pem"), "--tls-key", file("key.pem"))
	conn, err = tls.Dial("tcp", d.Address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0]; !bytes.Equal(got.Raw, own) || !strings.HasPrefix(d.Issuer, "https://") {
		t.Errorf("%s serves the certificate of %v", d.Issuer, got.DNSNames)
	}

	for _, test := range []struct {
		says string
		args []string
	}{
		{"go together", []string{"--tls-cert", file("own.pem")}},
		{"--tls-key " + file("none.pem"), []string{"--tls-cert", file("own.pem"), "--tls-key", file("none.pem")}},
		{"needs --tls", []string{"--tls-ca", file("ca.pem")}},
		{"--allow-remote", []string{"--admin", "0.0.0.0:0"}},
		{"--admin: ", []string{"--admin", "127.0.0.1"}},
	} {
		if got := oauthcheck(t, append([]string{"mock", "--addr", "127.0.0.1:0"}, test.args...)...); got.code != 2 || !strings.Contains(got.stderr, test.says) {
			t.Errorf("%v: exit %d, %s", test.args, got.code, got.stderr)
		}
	}
}
