package mockprovider_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

// A wireTest shows on the wire what a fault does.
type wireTest struct {
	params string // of the fault, so that a test takes no longer than it must
	run    func(t *testing.T, p *mockprovider.Provider)
}

// TestFaults: every fault of the catalogue, and every deviation that is beside them for testers of clients, has the effect on the wire that it
// promises, and the request log names it.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := wireTests()
	for _, d := range profiles.Deviations() {
		if !d.Fault && d.Source != "faults_breaking.yaml" {
			continue
		}
		test, ok := tests[d.Name]
		delete(tests, d.Name)
		if !ok {
			t.Errorf("no test shows the effect of %s", d.Name)
			continue
		}
		if d.Stands == "" {
			t.Errorf("%s does not say which bug it stands for", d.Name)
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			p := library(t, mockprovider.WithSettings(d.Setup), mockprovider.Deviations(strings.TrimSuffix(d.Name+":"+test.params, ":")))
			test.run(t, p)
			logged(t, p, d.Name)
		})
	}
	for name := range tests {
		t.Errorf("no fault is called %s", name)
	}
}

// logged waits until the log says that a deviation acted: a request is logged when its answer was sent, which may be after the client has read it.
func logged(t *testing.T, p *mockprovider.Provider, deviation string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for n := 1; ; n++ {
		requests, err := p.WaitFor(ctx, n, mockprovider.Match{})
		if slices.ContainsFunc(requests, func(r mockprovider.Request) bool { return slices.Contains(r.Deviations, deviation) }) {
			return
		}
		if err != nil {
			t.Fatalf("the log does not say that %s acted: %v", deviation, err)
		}
	}
}

func wireTests() map[string]wireTest {
	tests := make(map[string]wireTest)
	for name, want := range idTokenDefects {
		tests[name] = wireTest{run: func(t *testing.T, p *mockprovider.Provider) { hasDefects(t, p, want) }}
	}
	for name, want := range accessTokenDefects {
		tests[name] = wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
			token := logIn(t, p)["access_token"].(string)
			if got := newJWTChecker(t, p).accessToken(token); !slices.Equal(got, want) {
				t.Errorf("the access token fails %v, want %v", got, want)
			}
		}}
	}
	for _, more := range []map[string]wireTest{tokenResponseTests, documentTests, transportTests} {
		maps.Copy(tests, more)
	}
	return tests
}

// idTokenDefects are the checks of OpenID Connect Core section 3.1.3.7 that the ID token of a fault fails: no others.
var idTokenDefects = map[string][]string{
	"id-token-wrong-key":                     {"signature"},
	"id-token-unpublished-key":               {"kid", "signature"},
	"id-token-unknown-kid":                   {"kid"},
	"id-token-without-kid":                   {"kid"},
	"id-token-mismatched-alg":                {"key type"},
	"id-token-signature-damaged":             {"signature"},
	"id-token-signature-empty":               {"signature"},
	"id-token-alg-none":                      {"alg", "signature"},
	"id-token-hs256-client-secret":           {"alg"},
	"id-token-hs256-public-key":              {"alg", "signed with the public key"},
	"id-token-crit":                          {"crit"},
	"id-token-wrong-issuer":                  {"iss"},
	"id-token-wrong-audience":                {"aud"},
	"id-token-audience-prefix":               {"aud"},
	"id-token-several-audiences-without-azp": {"azp"},
	"id-token-wrong-azp":                     {"azp"},
	"id-token-issued-to-another":             {"azp"},
	"id-token-azp-not-a-string":              {"azp"},
	"id-token-expired":                       {"exp"},
	"id-token-not-yet-valid":                 {"nbf"},
	"id-token-issued-in-the-future":          {"iat"},
	"id-token-exp-as-string":                 {"exp"},
	"id-token-without-nonce":                 {"nonce"},
	"id-token-wrong-nonce":                   {"nonce"},
	"id-token-without-iss":                   {"iss"},
	"id-token-without-sub":                   {"sub"},
	"id-token-without-aud":                   {"aud"},
	"id-token-without-exp":                   {"exp"},
	"id-token-without-iat":                   {"iat"},
	"id-token-wrong-at-hash":                 {"at_hash"},
	"id-token-missing":                       {"missing"},
	"id-token-malformed":                     {"syntax"},
}

// accessTokenDefects are the checks of RFC 9068 section 4 that the access token of a fault fails.
var accessTokenDefects = map[string][]string{
	"access-token-wrong-key":      {"signature"},
	"access-token-alg-none":       {"alg", "signature"},
	"access-token-wrong-issuer":   {"iss"},
	"access-token-wrong-audience": {"aud"},
	"access-token-expired":        {"exp"},
	"access-token-wrong-typ":      {"typ"},
}

// logIn is a code flow of the client app; the token response must be JSON.
func logIn(t *testing.T, p *mockprovider.Provider) map[string]any {
	t.Helper()
	return redeemCode(t, p, p.Approve(t, authorizeURL(p), "carol").Code)
}

// hasDefects logs in and compares which checks the ID token fails. Claims that no check looks at are those of a good one.
func hasDefects(t *testing.T, p *mockprovider.Provider, want []string) {
	t.Helper()
	tokens := logIn(t, p)
	access, _ := tokens["access_token"].(string)
	raw, _ := tokens["id_token"].(string)
	v := newJWTChecker(t, p)
	if got := v.idToken(raw, access); !slices.Equal(got, want) {
		t.Errorf("the ID token fails %v, want %v: %s", got, want, raw)
	}
	r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.UserinfoEndpoint), nil, "Authorization", "Bearer "+access)
	if sub := v.claims["sub"]; r.status != 200 || sub != nil && r.json(t)["sub"] != sub {
		t.Errorf("userinfo: %+v", r)
	}
	if v.header == nil {
		return
	}
	p.Conform()
	good, _ := logIn(t, p)["id_token"].(string)
	for name := range segment(t, strings.Split(good, ".")[1]) {
		if _, there := v.claims[name]; !there && !slices.Contains(want, name) {
			t.Errorf("the claim %s is gone as well", name)
		}
	}
}

func TestStrictTokensHaveNoDefects(t *testing.T) {
	t.Parallel()
	hasDefects(t, library(t), nil)
	p := library(t, mockprovider.JWTAccessTokens())
	if got := newJWTChecker(t, p).accessToken(logIn(t, p)["access_token"].(string)); got != nil {
		t.Error(got)
	}
}

// jwtChecker makes each check of a JWT by itself, where a client stops at the first that fails.
type jwtChecker struct {
	t          *testing.T
	p          *mockprovider.Provider
	issuer     string
	algorithms []string
	keys       []jose.JSONWebKey

	header, claims map[string]any
	failed         []string
}

func newJWTChecker(t *testing.T, p *mockprovider.Provider) *jwtChecker {
	t.Helper()
	var configuration struct {
		Issuer     string   `json:"issuer"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	var set jose.JSONWebKeySet
	for endpoint, into := range map[string]any{configurationOf(p): &configuration, p.Endpoint(mockprovider.JWKSEndpoint): &set} {
		r := send(t, p, http.MethodGet, endpoint, nil)
		if err := json.Unmarshal([]byte(r.body), into); err != nil {
			t.Fatalf("%s: %v: %s", endpoint, err, r.body)
		}
	}
	return &jwtChecker{t: t, p: p, issuer: configuration.Issuer, algorithms: configuration.Algorithms, keys: set.Keys}
}

func (v *jwtChecker) check(name string, ok bool) {
	if !ok {
		v.failed = append(v.failed, name)
	}
}

func (v *jwtChecker) idToken(compact, access string) []string {
	if compact == "" {
		return []string{"missing"}
	}
	if !v.parse(compact) {
		return []string{"syntax"}
	}
	v.signed(compact)
	audience, several := v.claims["aud"].([]any)
	if !several {
		audience = []any{v.claims["aud"]}
	}
	azp, hasAZP := v.claims["azp"]
	now := float64(time.Now().Unix())
	number := func(name string) float64 { n, _ := v.claims[name].(float64); return n }
	hash := sha256.Sum256([]byte(access))
	v.check("iss", v.claims["iss"] == v.issuer && v.issuer == v.p.Issuer())
	v.check("aud", slices.Contains(audience, any("app")))
	v.check("azp", (hasAZP || len(audience) == 1) && (!hasAZP || azp == "app"))
	v.check("exp", number("exp") > now)
	v.check("nbf", number("nbf") <= now+5)
	v.check("iat", number("iat") > now-60 && number("iat") <= now+5)
	v.check("nonce", v.claims["nonce"] == "n-1")
	v.check("sub", v.claims["sub"] != nil && v.claims["sub"] != "")
	v.check("at_hash", v.claims["at_hash"] == base64.RawURLEncoding.EncodeToString(hash[:16]))
	return v.failed
}

func (v *jwtChecker) accessToken(compact string) []string {
	if !v.parse(compact) {
		return []string{"syntax"}
	}
	v.check("typ", v.header["typ"] == "at+jwt")
	v.signed(compact)
	exp, _ := v.claims["exp"].(float64)
	v.check("iss", v.claims["iss"] == v.issuer)
	v.check("aud", v.claims["aud"] == v.p.Endpoint(mockprovider.ResourceEndpoint))
	v.check("exp", exp > float64(time.Now().Unix()))
	return v.failed
}

func (v *jwtChecker) parse(compact string) bool {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return false
	}
	v.header, v.claims = segment(v.t, parts[0]), segment(v.t, parts[1])
	return true
}

// signed checks the header and the signature.
func (v *jwtChecker) signed(compact string) {
	algorithm, _ := v.header["alg"].(string)
	dot := strings.LastIndexByte(compact, '.')
	signature, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
	if err != nil {
		v.t.Fatal(err)
	}
	input := []byte(compact[:dot])
	_, crit := v.header["crit"]
	v.check("crit", !crit)
	v.check("alg", slices.Contains(v.algorithms, algorithm))
	switch algorithm {
	case "none":
		v.check("signature", len(signature) > 0)
		return
	case "HS256":
		mac := func(secret []byte) bool {
			h := hmac.New(sha256.New, secret)
			h.Write(input)
			return hmac.Equal(signature, h.Sum(nil))
		}
		if !mac([]byte("app-secret")) {
			for _, key := range v.keys {
				der, err := x509.MarshalPKIXPublicKey(key.Key)
				if err == nil && mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})) {
					v.check("signed with the public key", false)
					return
				}
			}
			v.check("signature", false)
		}
		return
	}
	candidates := slices.DeleteFunc(slices.Clone(v.keys), func(k jose.JSONWebKey) bool { return k.KeyID != v.header["kid"] })
	v.check("kid", len(candidates) == 1)
	if len(candidates) == 1 {
		fits := candidates[0].Algorithm == algorithm
		v.check("key type", fits)
		if fits {
			v.check("signature", verifies(candidates[0], algorithm, input, signature))
			return
		}
	}
	v.check("signature", slices.ContainsFunc(v.keys, func(k jose.JSONWebKey) bool { return verifies(k, algorithm, input, signature) }))
}

func verifies(key jose.JSONWebKey, algorithm string, input, signature []byte) bool {
	digest := sha256.Sum256(input)
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && len(signature) == 64 && ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

// response is the JSON of a client_credentials request, its members, and what went wrong.
func response(t *testing.T, p *mockprovider.Provider) map[string]any {
	t.Helper()
	r := tokenRequest(t, p)
	if r.err != nil || r.status != 200 || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%+v", r)
	}
	return r.json(t)
}

// works reports whether the protected resource takes an access token.
func works(t *testing.T, p *mockprovider.Provider, access any) bool {
	t.Helper()
	token, _ := access.(string)
	return send(t, p, http.MethodGet, p.Endpoint(mockprovider.ResourceEndpoint), nil, "Authorization", "Bearer "+token).status == 200
}

func refresh(t *testing.T, p *mockprovider.Provider, token any) reply {
	t.Helper()
	return send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.(string)}, "client_id": {"app"}, "client_secret": {"app-secret"}})
}

// with is a token response with these members, and a token that works.
func with(members map[string]any) wireTest {
	return wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
		got := response(t, p)
		for name, want := range members {
			if value, there := got[name]; value != want || there != (want != any(gone)) && want != any(gone) {
				t.Errorf("%s is %v, want %v", name, value, want)
			}
		}
		if !works(t, p, got["access_token"]) {
			t.Error("the token does not work")
		}
	}}
}

const gone = "\x00"

var tokenResponseTests = map[string]wireTest{
	"token-response-bad-gzip": {run: func(t *testing.T, p *mockprovider.Provider) {
		r := send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), credentials(), "Accept-Encoding", "identity")
		if r.header.Get("Content-Encoding") != "gzip" || r.json(t)["access_token"] == nil {
			t.Errorf("%+v", r)
		}
		if r := tokenRequest(t, p); r.err == nil || !strings.Contains(r.err.Error(), "gzip") {
			t.Errorf("unpacked: %+v", r)
		}
	}},
	"token-response-cut-gzip": {run: func(t *testing.T, p *mockprovider.Provider) {
		r := send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), credentials(), "Accept-Encoding", "gzip")
		if !errors.Is(r.err, io.ErrUnexpectedEOF) || !strings.HasPrefix(r.body, "\x1f\x8b") || len(r.body) != 30 {
			t.Errorf("%d bytes: %v", len(r.body), r.err)
		}
	}},
	"token-response-null-members": {run: func(t *testing.T, p *mockprovider.Provider) {
		got := response(t, p)
		for _, name := range []string{"refresh_token", "id_token", "error"} {
			if value, there := got[name]; !there || value != nil {
				t.Errorf("%s: %v", name, value)
			}
		}
		if got["scope"] != "read" || !works(t, p, got["access_token"]) {
			t.Error(got)
		}
	}},
	"token-response-unknown-members": {run: func(t *testing.T, p *mockprovider.Provider) {
		got := response(t, p)
		if session, ok := got["x_session"].(map[string]any); !ok || len(session) != 3 || !works(t, p, got["access_token"]) {
			t.Error(got)
		}
	}},
	"token-response-without-scope": {run: func(t *testing.T, p *mockprovider.Provider) {
		if got := response(t, p); got["scope"] != nil || !works(t, p, got["access_token"]) {
			t.Error(got)
		}
		if r := tokenRequest(t, p, "scope", ""); r.json(t)["scope"] == nil { // the default scope has to be told
			t.Error(r)
		}
	}},
	"token-response-narrower-scope":  {run: scopeIs("email")},
	"token-response-other-scope":     {run: scopeIs("other-scope")},
	"token-response-scope-reordered": {run: scopeIs("read email profile openid")},
	"token-type-lower-case":          with(map[string]any{"token_type": "bearer"}),
	"expires-in-very-short": {run: func(t *testing.T, p *mockprovider.Provider) {
		got := response(t, p)
		if got["expires_in"] != 1.0 || !works(t, p, got["access_token"]) {
			t.Error(got)
		}
		p.Clock().Advance(2 * time.Second)
		if works(t, p, got["access_token"]) {
			t.Error("the token lives on")
		}
	}},
	"expires-in-very-long": with(map[string]any{"expires_in": 3155760000.0}),
	"access-token-very-long": {run: func(t *testing.T, p *mockprovider.Provider) {
		if token := response(t, p)["access_token"]; len(token.(string)) != 16000 || !works(t, p, token) {
			t.Error(len(token.(string)))
		}
	}},
	"refresh-token-not-rotated": {run: func(t *testing.T, p *mockprovider.Provider) {
		old := logIn(t, p)["refresh_token"]
		for range 2 {
			if r := refresh(t, p, old); r.status != 200 || r.json(t)["refresh_token"] != nil || !works(t, p, r.json(t)["access_token"]) {
				t.Errorf("%+v", r)
			}
		}
	}},
	"refresh-unavailable": {run: func(t *testing.T, p *mockprovider.Provider) {
		old := logIn(t, p)["refresh_token"]
		if r := refresh(t, p, old); r.status != 503 {
			t.Errorf("%+v", r)
		}
		p.Conform()
		if r := refresh(t, p, old); r.status != 200 { // nothing was used up
			t.Errorf("%+v", r)
		}
	}},
	"refresh-refused": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := refresh(t, p, logIn(t, p)["refresh_token"]); r.status != 400 || r.json(t)["error"] != "invalid_grant" {
			t.Errorf("%+v", r)
		}
	}},
	"token-response-html-page": {run: answers(200, "text/html; charset=utf-8", "<!DOCTYPE html>")},
	"token-response-cut-json": {run: func(t *testing.T, p *mockprovider.Provider) {
		r := tokenRequest(t, p)
		if r.err != nil || !strings.HasPrefix(r.body, `{"access_token":"`) || json.Valid([]byte(r.body)) {
			t.Errorf("%+v", r)
		}
	}},
	"token-response-empty-body": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); r.status != 200 || r.body != "" || r.header.Get("Content-Length") != "0" {
			t.Errorf("%+v", r)
		}
	}},
	"token-response-bom": {run: answers(200, "application/json", "\ufeff{")},
}

// scopeIs is for a login with the scope "openid profile email read".
func scopeIs(want string) func(*testing.T, *mockprovider.Provider) {
	return func(t *testing.T, p *mockprovider.Provider) {
		if got := logIn(t, p); got["scope"] != want || !works(t, p, got["access_token"]) {
			t.Error(got)
		}
	}
}

// answers is a token request that is answered so.
func answers(status int, contentType, prefix string) func(*testing.T, *mockprovider.Provider) {
	return func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); r.err != nil || r.status != status || r.header.Get("Content-Type") != contentType || !strings.HasPrefix(r.body, prefix) {
			t.Errorf("%+v", r)
		}
	}
}

func configurationOf(p *mockprovider.Provider) string {
	return p.Issuer() + "/.well-known/openid-configuration"
}

// documentWith is the OpenID configuration with one member changed: all others are those of a good one.
func documentWith(name string, want func(p *mockprovider.Provider) any) wireTest {
	return wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
		read := func() map[string]any {
			return send(t, p, http.MethodGet, configurationOf(p), nil).json(t)
		}
		got := read()
		if want(p) != got[name] {
			t.Errorf("%s is %v, want %v", name, got[name], want(p))
		}
		p.Conform()
		good := read()
		delete(good, name)
		delete(got, name)
		if !jsonEqual(good, got) {
			t.Errorf("something else is different as well:\n%v\n%v", got, good)
		}
	}}
}

func jsonEqual(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}

// keySet is the JWKS before the deviations and after.
func keySet(check func(t *testing.T, keys, good []map[string]any)) wireTest {
	return wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
		read := func() []map[string]any {
			var set struct {
				Keys []map[string]any `json:"keys"`
			}
			r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.JWKSEndpoint), nil)
			if err := json.Unmarshal([]byte(r.body), &set); err != nil || set.Keys == nil {
				t.Fatalf("%v: %s", err, r.body)
			}
			return set.Keys
		}
		keys := read()
		p.Conform()
		check(t, keys, read())
		for _, key := range keys {
			for _, private := range []string{"d", "p", "q", "k"} {
				if key[private] != nil {
					t.Errorf("%v has private members", key)
				}
			}
		}
	}}
}

// oneMore is a key set with a further key before the good ones.
func oneMore(is func(key, first map[string]any) bool) wireTest {
	return keySet(func(t *testing.T, keys, good []map[string]any) {
		if len(keys) != len(good)+1 || !jsonEqual(keys[1:], good) || !is(keys[0], good[0]) {
			t.Errorf("%v, want a key before %v", keys, good)
		}
	})
}

func userinfo(check func(t *testing.T, r reply)) wireTest {
	return wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
		access := logIn(t, p)["access_token"].(string)
		check(t, send(t, p, http.MethodGet, p.Endpoint(mockprovider.UserinfoEndpoint), nil, "Authorization", "Bearer "+access))
	}}
}

var documentTests = map[string]wireTest{
	"openid-configuration-other-issuer": documentWith("issuer", func(*mockprovider.Provider) any { return "https://other-issuer.example" }),
	"openid-configuration-other-origin": documentWith("token_endpoint", func(*mockprovider.Provider) any { return "https://other-origin.example/token" }),
	"openid-configuration-plain-http-token-endpoint": documentWith("token_endpoint", func(p *mockprovider.Provider) any {
		return strings.Replace(p.Endpoint(mockprovider.TokenEndpoint), "https:", "http:", 1)
	}),
	"openid-configuration-without-jwks-uri": documentWith("jwks_uri", func(*mockprovider.Provider) any { return nil }),
	"openid-configuration-not-json": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := send(t, p, http.MethodGet, configurationOf(p), nil); r.status != 200 || !strings.HasPrefix(r.body, "<!DOCTYPE html>") {
			t.Errorf("%+v", r)
		}
	}},
	"jwks-empty": keySet(func(t *testing.T, keys, good []map[string]any) {
		if len(keys) != 0 || len(good) == 0 {
			t.Error(keys)
		}
	}),
	"jwks-duplicate-kid": oneMore(func(key, first map[string]any) bool {
		return key["kid"] == first["kid"] && key["alg"] == first["alg"] && key["n"] != first["n"]
	}),
	"jwks-unknown-key-type": oneMore(func(key, _ map[string]any) bool { return key["kty"] == "X-LATTICE" }),
	"jwks-malformed-key": oneMore(func(key, _ map[string]any) bool {
		_, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
		return key["kty"] == "RSA" && err != nil
	}),
	"groups-as-string": groups(func(claims map[string]any) bool { return claims["groups"] == "administrators" }),
	"groups-elsewhere": groups(func(claims map[string]any) bool {
		names, _ := claims["_claim_names"].(map[string]any)
		sources, _ := claims["_claim_sources"].(map[string]any)
		return claims["groups"] == nil && names["groups"] == "src1" && sources["src1"] != nil
	}),
	"userinfo-other-subject": userinfo(func(t *testing.T, r reply) {
		if m := r.json(t); m["sub"] != "somebody-else" || m["email"] != "carol@example.com" {
			t.Error(m)
		}
	}),
	"userinfo-without-sub": userinfo(func(t *testing.T, r reply) {
		if m := r.json(t); m["sub"] != nil || m["email"] != "carol@example.com" {
			t.Error(m)
		}
	}),
	"userinfo-not-json": userinfo(func(t *testing.T, r reply) {
		if r.status != 200 || r.header.Get("Content-Type") != "text/html; charset=utf-8" || json.Valid([]byte(r.body)) {
			t.Errorf("%+v", r)
		}
	}),
	"userinfo-redirects": userinfo(func(t *testing.T, r reply) {
		if r.status != 302 || r.header.Get("Location") != "https://other-origin.example/userinfo" {
			t.Errorf("%+v", r)
		}
	}),
	"userinfo-unavailable": userinfo(func(t *testing.T, r reply) {
		if r.status != 503 {
			t.Errorf("%+v", r)
		}
	}),
}

// groups is a login of a user with two groups: the same claims in a good ID token and in userinfo.
func groups(check func(claims map[string]any) bool) wireTest {
	return wireTest{run: func(t *testing.T, p *mockprovider.Provider) {
		must(t, p.SetClaims(mockprovider.Match{User: "carol"}, mockprovider.Claims{"groups": []any{"a", "b"}}))
		tokens := logIn(t, p)
		access := tokens["access_token"].(string)
		v := newJWTChecker(t, p)
		if failed := v.idToken(tokens["id_token"].(string), access); failed != nil || !check(v.claims) {
			t.Errorf("%v: %v", failed, v.claims)
		}
		if info := send(t, p, http.MethodGet, p.Endpoint(mockprovider.UserinfoEndpoint), nil, "Authorization", "Bearer "+access).json(t); !check(info) {
			t.Error(info)
		}
	}}
}

const pause = 50 * time.Millisecond

var transportTests = map[string]wireTest{
	"response-slow": {params: "delay=60ms", run: func(t *testing.T, p *mockprovider.Provider) {
		began := time.Now()
		if response(t, p); time.Since(began) < 60*time.Millisecond {
			t.Errorf("the answer came after %v", time.Since(began))
		}
	}},
	"response-held": {run: func(t *testing.T, p *mockprovider.Provider) {
		done := make(chan reply, 1)
		go func() { done <- tokenRequest(t, p) }()
		must(t, p.Latch("gate").Await(t.Context(), 1))
		select {
		case r := <-done:
			t.Errorf("answered already: %+v", r)
		default:
		}
		p.Latch("gate").Open()
		if r := <-done; r.status != 200 {
			t.Errorf("%+v", r)
		}
	}},
	"header-slow": {params: "pause=50ms", run: func(t *testing.T, p *mockprovider.Provider) {
		header, body, r := timed(t, p)
		if r.status != 200 || r.json(t)["access_token"] == nil || header < 3*pause {
			t.Errorf("header took %v, body %v: %+v", header, body, r)
		}
	}},
	"body-slow": {params: "pause=50ms", run: func(t *testing.T, p *mockprovider.Provider) {
		header, body, r := timed(t, p)
		if r.status != 200 || r.json(t)["access_token"] == nil || body < 3*pause {
			t.Errorf("header took %v, body %v: %+v", header, body, r)
		}
	}},
	"connection-reset": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); !errors.Is(r.err, syscall.ECONNRESET) {
			t.Errorf("%+v", r)
		}
	}},
	"body-truncated": {run: func(t *testing.T, p *mockprovider.Provider) {
		r := tokenRequest(t, p)
		if !errors.Is(r.err, io.ErrUnexpectedEOF) || r.status != 200 || len(r.body) != 20 || len(r.header.Get("Content-Length")) < 2 {
			t.Errorf("%+v", r)
		}
	}},
	"service-unavailable": {params: "times=2", run: func(t *testing.T, p *mockprovider.Provider) {
		for range 2 {
			answers(503, "text/plain; charset=utf-8", "The service is unavailable.")(t, p)
		}
		response(t, p) // and well afterwards
	}},
	"gateway-error-page": {run: answers(502, "text/html; charset=utf-8", "<html>")},
	"rate-limited": {params: "seconds=7", run: func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); r.status != 429 || r.header.Get("Retry-After") != "7" {
			t.Errorf("%+v", r)
		}
	}},
	"endpoint-redirects": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); r.status != 307 || r.header.Get("Location") != "https://other-origin.example/" {
			t.Errorf("%+v", r)
		}
	}},
	"wrong-media-type": userinfo(func(t *testing.T, r reply) {
		if r.status != 200 || r.header.Get("Content-Type") != "application/octet-stream" || r.json(t)["email"] != "carol@example.com" {
			t.Errorf("%+v", r)
		}
	}),
	"client-refused-once": {run: func(t *testing.T, p *mockprovider.Provider) {
		if r := tokenRequest(t, p); r.status != 401 || r.json(t)["error"] != "invalid_client" || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%+v", r)
		}
		response(t, p)
	}},
	"token-refused-once": {run: func(t *testing.T, p *mockprovider.Provider) {
		access := response(t, p)["access_token"].(string)
		r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.ResourceEndpoint), nil, "Authorization", "Bearer "+access)
		if r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%+v", r)
		}
		if !works(t, p, access) {
			t.Error("the second request is refused, too")
		}
	}},
}

// timed is a token request, with the time from the first byte of its header to the last and from there to the end of the body.
func timed(t *testing.T, p *mockprovider.Provider) (header, body time.Duration, r reply) {
	t.Helper()
	var first time.Time
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { first = time.Now() }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), strings.NewReader(credentials().Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := p.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	then := time.Now()
	read, err := io.ReadAll(answer.Body)
	return then.Sub(first), time.Since(then), reply{answer.StatusCode, answer.Header, string(read), err}
}

// TestFaultsCombine: a slow answer breaks off, too, and whatever arrives is the beginning of the good one.
func TestFaultsCombine(t *testing.T) {
	t.Parallel()
	for _, slow := range []string{"header-slow:pause=1ms", "body-slow:pause=1ms"} {
		p := library(t, mockprovider.Deviations("body-truncated:bytes=30", slow, "token-response-unknown-members"))
		if r := tokenRequest(t, p); !errors.Is(r.err, io.ErrUnexpectedEOF) || r.status != 200 || len(r.body) != 30 || !strings.HasPrefix(r.body, `{"access_token":"`) {
			t.Errorf("%s: %+v", slow, r)
		}
		if r := send(t, p, http.MethodHead, p.Endpoint(mockprovider.TokenEndpoint), nil); r.err != nil || r.body != "" {
			t.Errorf("%s, HEAD: %+v", slow, r)
		}
	}
}

// TestMatchers: every deviation can be narrowed to some requests, from the command line's form of it.
func TestMatchers(t *testing.T) {
	t.Parallel()
	statuses := func(p *mockprovider.Provider, n int, more ...string) (list []int) {
		for range n {
			list = append(list, tokenRequest(t, p, more...).status)
		}
		return list
	}
	for deviation, want := range map[string][]int{
		"service-unavailable:times=2":                                  {503, 503, 200, 200},
		"service-unavailable:nth=3":                                    {200, 200, 503, 200},
		"service-unavailable:nth=2,status=500":                         {200, 500, 200, 200},
		"service-unavailable:client=app,times=1":                       {503, 200, 200, 200},
		"service-unavailable:client=!app":                              {200, 200, 200, 200},
		"service-unavailable:grant=refresh_token":                      {200, 200, 200, 200},
		"service-unavailable:grant=client_*,method=POST,times=1":       {503, 200, 200, 200},
		"service-unavailable:method=GET":                               {200, 200, 200, 200},
		"service-unavailable:endpoint=jwks":                            {200, 200, 200, 200},
		"token-response-wrong-status:nth=2":                            {200, 201, 200, 200}, // a deviation that breaks a requirement
		"client-refused-once:times=2":                                  {401, 401, 200, 200}, // its own parameter of that name
		"service-unavailable:endpoint=token,client=app,times=1,nth=2":  {200, 200, 200, 200},
		"service-unavailable:endpoint=token,grant=client_credentials":  {503, 503, 503, 503},
		"service-unavailable:endpoint=introspection,method=POST,nth=1": {200, 200, 200, 200},
	} {
		if got := statuses(library(t, mockprovider.Deviations(deviation)), 4); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", deviation, got, want)
		}
	}
	outage := library(t, mockprovider.Deviations("service-unavailable:endpoint=*,times=3"))
	var everywhere []int
	for _, endpoint := range []string{mockprovider.JWKSEndpoint, mockprovider.UserinfoEndpoint, mockprovider.AuthorizationEndpoint, mockprovider.JWKSEndpoint} {
		everywhere = append(everywhere, send(t, outage, http.MethodGet, outage.Endpoint(endpoint), nil).status)
	}
	if !slices.Equal(everywhere, []int{503, 503, 503, 200}) { // counted together
		t.Error(everywhere)
	}
	p := library(t, mockprovider.Deviations("service-unavailable:times=2"))
	first := statuses(p, 1)
	must(t, p.Deviate("token-response-wrong-status")) // does not make the first count from the beginning
	if got := append(first, statuses(p, 2)...); !slices.Equal(got, []int{503, 503, 201}) {
		t.Error(got)
	}
	p.Conform()
	if got := statuses(p, 2); !slices.Equal(got, []int{200, 200}) {
		t.Error(got)
	}
	for deviation, want := range map[string]string{
		"service-unavailable:tims=2":               "did you mean times?",
		"service-unavailable:user=alice":           "client, grant, method, nth, times",
		"service-unavailable:endpoint=tokn":        `no step "tokn.transport"; did you mean "token.transport"`,
		"service-unavailable:times=many":           "whole number",
		"response-slow:delay=3h":                   "is not between 0 and 10m0s",
		"response-slow:delay=-1s":                  "is not between 0 and 10m0s",
		"service-unavailble":                       "did you mean service-unavailable?",
		"token-response-without-scope:present=x":   "unknown parameter",
		"token-endpoint-plain-http:client=app":     "takes no `when`",
		"token-refused-once:grant=x,endpoint=nope": "no step",
	} {
		_, err := mockprovider.NewHandler(mockprovider.Deviations(deviation))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", deviation, err, want)
		}
	}
	own := profiles.Deviation{Name: "own", Do: profiles.Ops{{At: "token.transport", When: map[string]any{"client": "app"}, Args: map[string]any{"status": 500}}}}
	if _, err := mockprovider.NewHandler(mockprovider.WithDeviation(own, map[string]string{"client": "other"})); err == nil || !strings.Contains(err.Error(), "client cannot be narrowed") {
		t.Error(err)
	}
}

// TestFaultsAreOrderedInEveryWay: option, method, programmed answer, configuration file.
func TestFaultsAreOrderedInEveryWay(t *testing.T) {
	t.Parallel()
	expired := func(p *mockprovider.Provider) (list []bool) {
		for range 3 {
			exp := claims(t, logIn(t, p)["id_token"])["exp"].(float64)
			list = append(list, exp < float64(time.Now().Unix()))
		}
		return list
	}
	want := []bool{false, true, false}
	for name, make := range map[string]func() *mockprovider.Provider{
		"option": func() *mockprovider.Provider { return library(t, mockprovider.Deviations("id-token-expired:nth=2")) },
		"Deviate": func() *mockprovider.Provider {
			p := library(t)
			must(t, p.Deviate("id-token-expired:nth=2"))
			return p
		},
		"Next": func() *mockprovider.Provider {
			p := library(t)
			must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Answer{}, mockprovider.Misbehave("id-token-expired")))
			return p
		},
		"On": func() *mockprovider.Provider {
			p := library(t)
			must(t, p.On(mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "app", Grant: "authorization_code", Nth: 2}, mockprovider.Misbehave("id-token-expired:seconds=60")))
			return p
		},
		"configuration": func() *mockprovider.Provider {
			return library(t, mockprovider.ConfigData([]byte(`
deviations:
  - {deviation: id-token-expired, params: {nth: 2}}
`), "mock.yaml"))
		},
		"configuration, short": func() *mockprovider.Provider {
			return library(t, mockprovider.ConfigData([]byte("deviations: ['id-token-expired:nth=2']"), "mock.yaml"))
		},
		"answers of the configuration": func() *mockprovider.Provider {
			return library(t, mockprovider.ConfigData([]byte(`
answers:
  - {when: {endpoint: token, grant: authorization_code, nth: 2}, then: {deviations: id-token-expired}}
`), "mock.yaml"))
		},
	} {
		if got := expired(make()); !slices.Equal(got, want) {
			t.Errorf("%s: expired %v, want %v", name, got, want)
		}
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p := library(t)
	first, second := p.Hold(mockprovider.TokenEndpoint), p.HoldOn(mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "app"})
	one, two := make(chan reply, 1), make(chan reply, 1)
	go func() { one <- tokenRequest(t, p) }()
	must(t, first.Arrived(ctx))
	go func() { two <- tokenRequest(t, p) }()
	must(t, second.Arrived(ctx))
	if r := tokenRequest(t, p); r.status != 200 { // a third is not held
		t.Errorf("%+v", r)
	}
	second.Release()
	if r := <-two; r.status != 200 {
		t.Errorf("%+v", r)
	}
	select {
	case r := <-one:
		t.Errorf("the first was not held: %+v", r)
	default:
	}
	first.Release()
	first.Release()
	if r := <-one; r.status != 200 {
		t.Errorf("%+v", r)
	}
	if last := p.Requests().Last(); last.Programmed != "held" {
		t.Errorf("%+v", last)
	}

	unused := p.Hold(mockprovider.TokenEndpoint)
	unused.Release() // before it arrives
	if r := tokenRequest(t, p); r.status != 200 || len(p.Pending()) > 0 {
		t.Errorf("%+v, pending %v", r, p.Pending())
	}
	short, end := context.WithTimeout(ctx, time.Millisecond)
	defer end()
	if err := p.Hold(mockprovider.TokenEndpoint).Arrived(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	p.ForgetAnswers()

	started, err := mockprovider.Start()
	must(t, err)
	if err := started.Hold("tokn").Arrived(ctx); err == nil || !strings.Contains(err.Error(), `did you mean "token"`) {
		t.Error(err)
	}
	nobody := started.Hold(mockprovider.TokenEndpoint)
	must(t, started.Close())
	must(t, started.Close())
	if err := nobody.Arrived(ctx); !errors.Is(err, mockprovider.ErrClosed) {
		t.Error(err)
	}
}

// TestCloseEndsEveryWait: a provider that is closed lets go what it holds, over a socket and in the process, whatever it waits for.
func TestCloseEndsEveryWait(t *testing.T) {
	t.Parallel()
	wait := func(p *mockprovider.Provider, client *http.Client, fault string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), strings.NewReader(credentials().Encode()))
		must(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		done := make(chan error, 1)
		go func() {
			response, err := client.Do(request)
			if err == nil {
				_, err = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			done <- err
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		// The request is under way once the provider looks at it, which only a latch tells.
		arrived := p.Latch("arrived")
		must(t, arrived.Await(ctx, 1))
		arrived.Open()
		must(t, p.Close())
		select {
		case err := <-done:
			if err == nil && !strings.HasPrefix(fault, "response-held") { // Close opens latches, so that the answer may still arrive
				t.Errorf("%s: the request was answered", fault)
			}
		case <-ctx.Done():
			t.Errorf("%s: Close does not end the request", fault)
		}
	}
	for _, fault := range []string{"response-slow:delay=10m", "response-held", "header-slow:pause=10m", "body-slow:pause=10m"} {
		for _, sockets := range []bool{true, false} {
			options := []mockprovider.Option{mockprovider.Client("app", "app-secret", appCallback), mockprovider.Deviations("response-held:latch=arrived", fault)}
			make := mockprovider.NewHandler
			if sockets {
				make = mockprovider.Start
			}
			p, err := make(options...)
			must(t, err)
			client := p.HTTPClient()
			if !sockets {
				client = &http.Client{Transport: p.RoundTripper()}
			}
			wait(p, client, fault)
		}
	}
}
