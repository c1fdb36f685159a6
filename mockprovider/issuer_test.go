package mockprovider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

func base64Raw(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

// verified are the claims of a JWT whose signature was checked with the provider's JWKS.
func verified(t *testing.T, p *mockprovider.Provider, token string) (map[string]any, jose.Header) {
	t.Helper()
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal([]byte(send(t, p, http.MethodGet, p.Endpoint(mockprovider.JWKSEndpoint), nil).body), &set))
	all := []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
	parsed, err := jose.ParseSignedCompact(token, all)
	must(t, err)
	header := parsed.Signatures[0].Header
	keys := set.Key(header.KeyID)
	if len(keys) != 1 {
		t.Fatalf("%d keys with the kid %q in %v", len(keys), header.KeyID, set)
	}
	if keys[0].Algorithm != header.Algorithm {
		t.Errorf("the key is for %s, the token signed by %s", keys[0].Algorithm, header.Algorithm)
	}
	payload, err := parsed.Verify(keys[0])
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(payload, &m))
	return m, header
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			p := library(t, mockprovider.JWTAccessTokens(), mockprovider.SignWith(algorithm))
			tokens := p.Mint(t, mockprovider.Claims{"client_id": "app"})
			for _, token := range []string{tokens.IDToken, tokens.AccessToken} {
				if _, header := verified(t, p, token); header.Algorithm != algorithm {
					t.Error(header)
				}
			}
		})
	}
	t.Run("HS256", func(t *testing.T) {
		t.Parallel()
		const secret = "not-a-secret.0123456789.0123456789"
		p := mockprovider.New(t, mockprovider.Client("app", secret, appCallback), mockprovider.SignWith("HS256"))
		parsed, err := jose.ParseSignedCompact(p.Mint(t, mockprovider.Claims{"client_id": "app"}).IDToken, []jose.SignatureAlgorithm{jose.HS256})
		must(t, err)
		if _, err := parsed.Verify([]byte(secret)); err != nil {
			t.Error(err)
		}
		if _, header := verified(t, p, p.Mint(t, mockprovider.Claims{"client_id": "native-app"}).IDToken); header.Algorithm != "RS256" {
			t.Error("a public client has no secret to sign with:", header)
		}
	})
	if _, err := mockprovider.NewHandler(mockprovider.SignWith("ES265")); err == nil || !strings.Contains(err.Error(), "ES256") {
		t.Error(err)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]mockprovider.Option{nil, {mockprovider.FreshKeys(), mockprovider.SignWith("EdDSA")}} {
		p := library(t, opts...)
		before := p.Mint(t, nil).IDToken
		_, first := verified(t, p, before)
		p.RotateKeys()
		_, second := verified(t, p, p.Mint(t, nil).IDToken)
		if first.KeyID == second.KeyID {
			t.Error("the kid stays", first.KeyID)
		}
		verified(t, p, before) // still published
		p.RetireKeys()
		if body := send(t, p, http.MethodGet, p.Endpoint("jwks"), nil).body; strings.Contains(body, `"`+first.KeyID+`"`) {
			t.Error(body)
		}
	}
	p := library(t, mockprovider.SignWith("ES256"))
	for range 20 {
		p.RotateKeys()
	}
	verified(t, p, p.Mint(t, nil).IDToken)
}

func TestIssuerFollowsTheRequest(t *testing.T) {
	t.Parallel()
	document := func(p *mockprovider.Provider, header ...string) map[string]any {
		return send(t, p, http.MethodGet, p.Describe().Endpoints["openid_configuration"], nil, header...).json(t)
	}
	forwarded := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "idp.example", "X-Forwarded-Prefix", "/auth"}
	fixed := library(t)
	if got := document(fixed, append(forwarded, "Host", "other:80")...)["issuer"]; got != fixed.Issuer() {
		t.Error(got)
	}
	host := library(t, mockprovider.IssuerFrom("host"))
	if got := document(host, append(forwarded, "Host", "idp:8080")...); got["issuer"] != "http://idp:8080" || got["token_endpoint"] != "http://idp:8080/token" {
		t.Error(got)
	}
	proxied := library(t, mockprovider.IssuerFrom("forwarded"))
	for want, header := range map[string][]string{
		"https://idp.example/auth": forwarded,
		"https://idp.example:8443": {"X-Forwarded-Proto", "https, http", "X-Forwarded-Host", "idp.example", "X-Forwarded-Port", "8443"},
		"http://idp.example":       {"Forwarded", `for=192.0.2.1;host="idp.example";proto=http, for=10.0.0.1`},
		"https://idp.test:8443":    {"X-Forwarded-Proto", "https", "Host", "idp.test", "X-Forwarded-Port", "8443"}, // a proxy that passes the Host field on
		"http://idp.test:9000":     {"Host", "idp.test:9000", "X-Forwarded-Port", "80"},                            // behind a mapped port
		"http://[::1]:8443":        {"X-Forwarded-Host", "[::1]", "X-Forwarded-Port", "8443"},
		proxied.Issuer():           {"X-Forwarded-Host", "evil example/?"},
	} {
		if got := document(proxied, header...); got["issuer"] != want || got["jwks_uri"] != want+"/jwks" {
			t.Errorf("%s: %v", want, got)
		}
	}
	r := send(t, proxied, http.MethodPost, proxied.Endpoint("token"), url.Values{"grant_type": {"password"}, "username": {"carol"}, "password": {"sesame"}, "scope": {"openid"},
		"client_id": {"app"}, "client_secret": {"app-secret"}}, forwarded...)
	if got := claims(t, r.json(t)["id_token"])["iss"]; got != "https://idp.example/auth" {
		t.Error(got)
	}
	slash := library(t, mockprovider.Issuer("https://idp.example/realm/"))
	if slash.Issuer() != "https://idp.example/realm/" || slash.Endpoint("token") != "https://idp.example/realm/token" {
		t.Error(slash.Issuer(), slash.Endpoint("token"))
	}
	if id := claims(t, slash.Mint(t, nil).IDToken); id["iss"] != "https://idp.example/realm/" {
		t.Error(id)
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	server := library(t, mockprovider.TLS())
	var mu sync.Mutex
	seen := map[string]string{}
	for i := range 16 {
		t.Run(fmt.Sprintf("space %d/x", i), func(t *testing.T) {
			t.Parallel()
			ns := server.Namespace(t, t.Name(), mockprovider.SignWith([]string{"RS256", "ES256", "EdDSA"}[i%3]))
			if !strings.HasPrefix(ns.Issuer(), server.Issuer()+"/TestNamespaces-space") {
				t.Error(ns.Issuer())
			}
			for _, place := range []string{"metadata", "openid_configuration"} {
				if got := send(t, ns, http.MethodGet, ns.Describe().Endpoints[place], nil).json(t); got["issuer"] != ns.Issuer() {
					t.Error(place, got)
				}
			}
			ns.Clock().Advance(time.Duration(i) * time.Hour)
			must(t, ns.Next(mockprovider.TokenEndpoint, mockprovider.Status(500+i)))
			if r := tokenRequest(t, ns); r.status != 500+i {
				t.Error(r)
			}
			if r := tokenRequest(t, ns); r.status != 200 {
				t.Error(r)
			}
			ns.Requests().To(mockprovider.TokenEndpoint).Exactly(t, 2)
			token := ns.Mint(t, nil)
			verified(t, ns, token.IDToken)
			jwks := send(t, ns, http.MethodGet, ns.Endpoint("jwks"), nil).body
			mu.Lock()
			defer mu.Unlock()
			if other, ok := seen[jwks]; ok {
				t.Errorf("the keys are those of %s", other)
			}
			seen[jwks] = ns.Issuer()
			if r := send(t, server, http.MethodGet, server.Endpoint("userinfo"), nil, "Authorization", "Bearer "+token.AccessToken); r.status != 401 {
				t.Error("a token of a namespace works at the server:", r)
			}
		})
	}
	t.Cleanup(func() {
		if left := server.Namespaces(); len(left) != 0 {
			t.Errorf("%d namespaces are left", len(left))
		}
	})
	for _, name := range []string{"token", "", "a/b", ".well-known"} {
		if _, err := server.AddNamespace(name); err == nil {
			t.Errorf("namespace %q was made", name)
		}
	}
	ns, err := server.AddNamespace("twice")
	must(t, err)
	if _, err := server.AddNamespace("twice"); err == nil {
		t.Error("twice")
	}
	must(t, ns.Close())
	if r := send(t, server, http.MethodGet, ns.Endpoint("jwks"), nil); r.status != 404 {
		t.Error(r)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	p := library(t, mockprovider.CORS("https://app.example", "http://localhost:*"))
	const origin = "http://localhost:5173"
	r := send(t, p, http.MethodOptions, p.Endpoint("token"), nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, x-a")
	if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != origin || r.header.Get("Access-Control-Allow-Credentials") != "true" ||
		r.header.Get("Access-Control-Allow-Methods") != "POST" || r.header.Get("Access-Control-Allow-Headers") != "authorization, x-a" {
		t.Error(r)
	}
	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Error(400, "invalid_grant"))) // not for the preflight request
	send(t, p, http.MethodOptions, p.Endpoint("token"), nil, "Origin", origin, "Access-Control-Request-Method", "POST")
	r = send(t, p, http.MethodPost, p.Endpoint("token"), credentials(), "Origin", origin)
	if r.status != 400 || r.header.Get("Access-Control-Allow-Origin") != origin || r.header.Get("Vary") != "Origin" {
		t.Error(r)
	}
	if r := send(t, p, http.MethodPost, p.Endpoint("token"), credentials(), "Origin", "https://evil.example"); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r)
	}
	if r := send(t, p, http.MethodGet, authorizeURL(p), nil, "Origin", origin); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r)
	}
	if r := send(t, library(t), http.MethodPost, p.Endpoint("token"), credentials(), "Origin", origin); r.header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Error(r)
	}
	strict := library(t)
	if r := send(t, strict, http.MethodPost, strict.Endpoint("token"), credentials(), "Origin", origin); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r)
	}
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	p := start(t, mockprovider.Client("app", "app-secret", appCallback))
	b := newBrowser(t, p)
	signIn := func() string {
		location, page := b.authorize(url.Values{"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {appCallback}, "scope": {"openid"}})
		if location == nil {
			t.Fatal(page)
		}
		return redeemCode(t, p, location.Query().Get("code"))["id_token"].(string)
	}
	signedIn := func() bool {
		location, _ := b.follow(b.get(authorizeURL(p, "prompt", "none")))
		return location.Query().Get("error") != "login_required"
	}
	logout := func(pairs ...string) *http.Response {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return b.get(p.Endpoint(mockprovider.EndSessionEndpoint) + "?" + q.Encode())
	}
	hint := signIn()
	if !signedIn() {
		t.Fatal("not signed in")
	}
	p.Clock().Advance(time.Hour) // an expired hint will do
	r := logout("id_token_hint", hint, "post_logout_redirect_uri", appCallback, "state", "s")
	if r.StatusCode != 302 || r.Header.Get("Location") != appCallback+"?state=s" || signedIn() {
		t.Error(r.Status, r.Header)
	}
	hint = signIn()
	for _, bad := range [][]string{
		{"post_logout_redirect_uri", appCallback},
		{"post_logout_redirect_uri", "https://evil.example/", "id_token_hint", hint},
		{"id_token_hint", hint + "x"},
		{"id_token_hint", hint, "client_id", "web-app"},
		{"client_id", "nobody"},
	} {
		if r := logout(bad...); r.StatusCode != 400 || r.Header.Get("Location") != "" || !signedIn() {
			t.Error(bad, r.Status)
		}
	}
	// Without a hint the user is asked.
	if r := logout("client_id", "app", "post_logout_redirect_uri", appCallback); r.StatusCode != 200 || !signedIn() {
		t.Error(r.Status)
	} else {
		form := url.Values{"decision": {"logout"}}
		for _, m := range formField.FindAllStringSubmatch(read(t, r), -1) {
			form.Set(m[1], m[2])
		}
		if r := b.post(p.Endpoint(mockprovider.EndSessionEndpoint), url.Values{"transaction": form["transaction"], "csrf_token": {"x"}, "decision": {"logout"}}); r.StatusCode != 403 || !signedIn() {
			t.Error(r.Status)
		}
		if r := b.post(p.Endpoint(mockprovider.EndSessionEndpoint), form); r.StatusCode != 303 || r.Header.Get("Location") != appCallback || signedIn() {
			t.Error(r.Status, r.Header)
		}
	}
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, r.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := library(t)
	if r := send(t, p, http.MethodGet, p.Issuer()+"/healthz", nil); r.status != 200 || len(p.Requests()) != 0 {
		t.Error(r, p.Requests())
	}
}

// Sixty-four providers and as many namespaces at once, each with everything that changes while requests come.
func TestParallelProviders(t *testing.T) {
	t.Parallel()
	server := library(t, mockprovider.SignWith("ES256"))
	var wait sync.WaitGroup
	for i := range 64 {
		p := library(t, mockprovider.SignWith("EdDSA"), mockprovider.JWTAccessTokens())
		ns := server.Namespace(t, fmt.Sprint("n", i))
		for _, idp := range []*mockprovider.Provider{p, ns, server} {
			wait.Go(func() {
				must := func(err error) {
					if err != nil {
						t.Error(err)
					}
				}
				for range 3 {
					must(idp.Next(mockprovider.TokenEndpoint, mockprovider.Delay(time.Millisecond)))
					must(idp.NextToken(mockprovider.Claims{"i": i}))
					idp.Clock().Advance(time.Second)
					if r := tokenRequest(t, idp); r.status != 200 {
						t.Errorf("%+v", r)
					}
					idp.RotateKeys()
					if r := send(t, idp, http.MethodGet, idp.Endpoint("jwks"), nil); r.status != 200 {
						t.Errorf("%+v", r)
					}
					must(idp.Deviate("token-response-cacheable"))
					idp.Conform()
					idp.Register(mockprovider.RegisteredClient{ID: "late", Secret: "late-secret"})
					idp.AddUsers(mockprovider.ResourceOwner{Username: "late", Password: "x"})
					_ = idp.Requests().String()
					_ = idp.Describe()
				}
			})
		}
	}
	wait.Wait()
}
