package mockprovider_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gavv/httpexpect/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/oauthcheck/oauthcheck/mockprovider"
)

func TestMetadata(t *testing.T) {
	for issuer, paths := range map[string][]string{
		"https://as.example":           {"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"},
		"https://as.example/tenant":    {"/.well-known/oauth-authorization-server/tenant", "/.well-known/openid-configuration/tenant", "/tenant/.well-known/openid-configuration"},
		"https://as.example/a/b":       {"/.well-known/oauth-authorization-server/a/b", "/a/b/.well-known/openid-configuration"},
		"http://127.0.0.1:9999/tenant": {"/.well-known/oauth-authorization-server/tenant"},
	} {
		p := start(t, mockprovider.Issuer(issuer))
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		origin := u.Scheme + "://" + u.Host
		for _, path := range paths {
			o := expect(t, p).GET(origin + path).Expect().Status(200).JSON().Object()
			o.HasValue("issuer", issuer).HasValue("token_endpoint", issuer+"/token").HasValue("authorization_endpoint", issuer+"/authorize")
			o.HasValue("response_types_supported", []string{"code"}).HasValue("code_challenge_methods_supported", []string{"S256"})
			o.HasValue("authorization_response_iss_parameter_supported", true)
			if strings.Contains(path, "openid") {
				o.ContainsKey("subject_types_supported").ContainsKey("id_token_signing_alg_values_supported")
			}
		}
		if issuer == "https://as.example/tenant" {
			expect(t, p).GET(origin + "/.well-known/oauth-authorization-server").Expect().Status(404)
			expect(t, p).GET(origin + "/tenant/.well-known/oauth-authorization-server").Expect().Status(404)
		}
	}
	p := start(t)
	expect(t, p).POST(p.Describe().Endpoints["metadata"]).Expect().Status(405).Header("Allow").IsEqual("GET")
	head := expect(t, p).HEAD(p.Describe().Endpoints["metadata"]).Expect().Status(200)
	head.Body().IsEmpty()
	changed := start(t, mockprovider.WithSettings(map[string]any{"implicit": true, "iss_parameter": false, "pkce": map[string]any{"methods": []any{}, "required": "none"},
		"grants": []any{"client_credentials"}, "openid": false, "endpoints": map[string]any{"introspection": nil}}))
	o := expect(t, changed).GET(changed.Describe().Endpoints["metadata"]).Expect().JSON().Object()
	o.HasValue("grant_types_supported", []string{"client_credentials", "implicit"}).HasValue("response_types_supported", []string{"token"})
	o.NotContainsKey("authorization_response_iss_parameter_supported").NotContainsKey("code_challenge_methods_supported").NotContainsKey("userinfo_endpoint").NotContainsKey("introspection_endpoint")
	expect(t, changed).GET(changed.Issuer() + "/.well-known/openid-configuration").Expect().Status(404)
}

func TestMetadataLocations(t *testing.T) {
	const origin = "https://as.example"
	for mode, want := range map[string]string{"appended": "/tenant/.well-known/oauth-authorization-server", "host-wide": "/.well-known/oauth-authorization-server",
		"trailing-slash": "/.well-known/oauth-authorization-server/tenant/", "unregistered-suffix": "/.well-known/oauth2-authorization-server/tenant", "nowhere": ""} {
		p := start(t, mockprovider.Issuer(origin+"/tenant"), mockprovider.WithDeviation(deviation(mode, op("metadata.location", "mode", mode)), nil))
		expect(t, p).GET(origin + "/.well-known/oauth-authorization-server/tenant").Expect().Status(404)
		if want != "" {
			expect(t, p).GET(origin+want).Expect().Status(200).JSON().Object().HasValue("issuer", origin+"/tenant")
		}
		expect(t, p).GET(origin + "/.well-known/openid-configuration/tenant").Expect().Status(200)
	}
	p := start(t, mockprovider.WithDeviation(deviation("any", op("metadata.location", "mode", "any-issuer")), nil))
	expect(t, p).GET(p.Issuer() + "/.well-known/oauth-authorization-server/nobody").Expect().Status(200)
	expect(t, p).GET(p.Issuer() + "/.well-known/oauth-authorization-server").Expect().Status(200)
}

// keysOf fetches the JWKS.
func keysOf(t *testing.T, p *mockprovider.Provider) jose.JSONWebKeySet {
	t.Helper()
	body := expect(t, p).GET(p.Endpoint("jwks")).Expect().Status(200).Body().Raw()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// claimsOf verifies a JWT with the JWKS and returns its claims and header.
func claimsOf(t *testing.T, p *mockprovider.Provider, compact string) (map[string]any, jose.Header, error) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, jose.Header{}, err
	}
	header := parsed.Signatures[0].Header
	var payload []byte
	err = jose.ErrCryptoFailure
	keys := keysOf(t, p)
	for _, key := range keys.Key(header.KeyID) {
		payload, err = parsed.Verify(key)
	}
	if err != nil {
		return nil, header, err
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims, header, nil
}

func TestKeysAndTokens(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		for _, fresh := range []bool{false, true} {
			options := []mockprovider.Option{mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt", "algorithm": algorithm}, "id_token": map[string]any{"algorithm": algorithm}})}
			if fresh {
				options = append(options, mockprovider.FreshKeys())
			}
			p := start(t, options...)
			for _, key := range keysOf(t, p).Keys {
				if !key.IsPublic() || !key.Valid() || key.Use != "sig" {
					t.Errorf("key %s: public %v, valid %v, use %s", key.KeyID, key.IsPublic(), key.Valid(), key.Use)
				}
			}
			response := granted(redeem(t, p, codeFor(t, p, "web-app", callback, url.Values{"nonce": {"n-0S6"}}), nil))
			id, header, err := claimsOf(t, p, response.Value("id_token").String().Raw())
			if err != nil || header.Algorithm != algorithm {
				t.Fatal(algorithm, header, err)
			}
			if id["iss"] != p.Issuer() || id["aud"] != "web-app" || id["sub"] != "248289761001" || id["nonce"] != "n-0S6" || id["at_hash"] == nil {
				t.Error(id)
			}
			access := response.Value("access_token").String().Raw()
			at, header, err := claimsOf(t, p, access)
			if err != nil || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
				t.Fatal(header, err)
			}
			if at["client_id"] != "web-app" || at["scope"] != "openid read write" || at["aud"] != p.Endpoint("resource") || at["jti"] == "" || at["exp"].(float64) <= at["iat"].(float64) {
				t.Error(at)
			}
			resource(t, p, access).Status(200)
			resource(t, p, access[:len(access)-4]+"AAAA").Status(401)
		}
	}
}

func TestSignatureDeviations(t *testing.T) {
	jwt := mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt"}})
	for _, test := range []struct {
		args []any
		want string // in the header
		good bool
	}{
		{[]any{"key", "wrong"}, `"RS256"`, false},
		{[]any{"key", "unpublished"}, "unpublished", false},
		{[]any{"key", "none"}, `"none"`, false},
		{[]any{"key", "hs256-secret"}, `"HS256"`, false},
		{[]any{"key", "hs256-public-key"}, `"HS256"`, false},
		{[]any{"alg", "ES256"}, `"ES256"`, true},
		{[]any{"signature", "empty"}, `"RS256"`, false},
		{[]any{"signature", "truncated"}, `"RS256"`, false},
		{[]any{"signature", "flipped"}, `"RS256"`, false},
	} {
		p := start(t, jwt, mockprovider.WithDeviation(deviation("sign", op("access_token.sign", test.args...)), nil))
		access := granted(token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {"web-app"}, "client_secret": {webSecret}})).Value("access_token").String().Raw()
		header, err := jose.ParseSignedCompact(access, []jose.SignatureAlgorithm{"RS256", "ES256", "HS256", "none"})
		if err == nil {
			raw, _ := json.Marshal(header.Signatures[0].Header)
			if !bytes.Contains(raw, []byte(strings.Trim(test.want, `"`))) {
				t.Errorf("%v: header %s", test.args, raw)
			}
		}
		if _, _, err := claimsOf(t, p, access); (err == nil) != test.good {
			t.Errorf("%v: verification: %v", test.args, err)
		}
		resource(t, p, access).Status(200) // the server knows its own tokens
	}
	p := start(t, jwt, mockprovider.WithDeviation(deviation("claims", op("access_token.claims", "members", map[string]any{"set": map[string]any{"aud": "https://other.example"}, "remove": "jti"}),
		op("access_token.header", "members", map[string]any{"set": map[string]any{"typ": "JWT"}})), nil))
	access := granted(token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {"web-app"}, "client_secret": {webSecret}})).Value("access_token").String().Raw()
	claims, header, err := claimsOf(t, p, access)
	if err != nil || claims["aud"] != "https://other.example" || claims["jti"] != nil || header.ExtraHeaders[jose.HeaderType] != "JWT" {
		t.Error(claims, header, err)
	}
}

func accessToken(t testing.TB, p *mockprovider.Provider, scope string) string {
	t.Helper()
	return granted(token(t, p, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"wonderland"}, "client_id": {"web-app"}, "client_secret": {webSecret}, "scope": {scope}})).
		Value("access_token").String().Raw()
}

func TestBearer(t *testing.T) {
	p := start(t)
	all, readless, openless := accessToken(t, p, "openid profile email read"), accessToken(t, p, "openid"), accessToken(t, p, "read")
	form := func(body string) *httpexpect.Request {
		return expect(t, p).POST(p.Endpoint("resource")).WithHeader("Content-Type", "application/x-www-form-urlencoded").WithBytes([]byte(body))
	}
	get := func(authorization string) *httpexpect.Request {
		r := expect(t, p).GET(p.Endpoint("resource"))
		if authorization != "" {
			r.WithHeader("Authorization", authorization)
		}
		return r
	}
	for _, test := range []struct {
		name      string
		request   *httpexpect.Request
		status    int
		challenge string
	}{
		{"header", get("Bearer " + all), 200, ""},
		{"scheme in lower case", get("bearer " + all), 200, ""},
		{"form", form("x=y&access_token=" + all), 200, ""},
		{"query", expect(t, p).GET(p.Endpoint("resource")).WithQuery("access_token", all), 401, `Bearer realm="mock provider"`},
		{"nothing", get(""), 401, `Bearer realm="mock provider"`},
		{"other scheme", get("Basic eDp5"), 401, `Bearer realm="mock provider"`},
		{"unknown", get("Bearer nonsense"), 401, `Bearer realm="mock provider", error="invalid_token", error_description="the access token is not known"`},
		{"malformed", get("Bearer a b"), 400, `Bearer realm="mock provider", error="invalid_request", error_description="the Authorization header is malformed"`},
		{"no token", get("Bearer"), 400, `error="invalid_request"`},
		{"two ways", form("access_token="+all).WithHeader("Authorization", "Bearer "+all), 400, `error="invalid_request"`},
		{"twice in the form", form("access_token=" + all + "&access_token=" + all), 400, `error="invalid_request"`},
		{"scope", get("Bearer " + readless), 403, `error="insufficient_scope", error_description="the access token lacks a scope", scope="read"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := test.request.Expect().Status(test.status)
			if test.challenge == "" {
				r.JSON().Object().HasValue("resource", "protected content")
				return
			}
			r.Header("WWW-Authenticate").HasPrefix("Bearer ").Contains(test.challenge)
			r.Body().NotContains("protected")
		})
	}
	userinfo := expect(t, p).GET(p.Endpoint("userinfo")).WithHeader("Authorization", "Bearer "+all).Expect().Status(200).JSON().Object()
	userinfo.HasValue("sub", "248289761001").HasValue("email", "alice@example.com").HasValue("name", "Alice Liddell")
	expect(t, p).GET(p.Endpoint("userinfo")).WithHeader("Authorization", "Bearer "+openless).Expect().Status(403)
	expect(t, p).HEAD(p.Endpoint("userinfo")).WithHeader("Authorization", "Bearer "+all).Expect().Status(200).Body().IsEmpty()
	p.Clock().Advance(15 * time.Minute)
	resource(t, p, all).Status(401).Header("WWW-Authenticate").Contains("has expired")

	query := start(t, mockprovider.WithSettings(map[string]any{"query_token": true}))
	r := expect(t, query).GET(query.Endpoint("resource")).WithQuery("access_token", accessToken(t, query, "read")).Expect().Status(200)
	r.Header("Cache-Control").IsEqual("private")
}

func TestBearerDeviations(t *testing.T) {
	for _, test := range []struct {
		name      string
		op        []any
		with      func(access string) string // the Authorization header
		status    int
		challenge string
	}{
		{"anything opens", []any{"resource.token.known", "skip", true}, func(string) string { return "Bearer nonsense" }, 200, ""},
		{"first characters", []any{"resource.token.known", "mode", "prefix"}, func(a string) string { return "Bearer " + a[:20] + "xxxx" }, 200, ""},
		{"case of the scheme", []any{"resource.token.header", "mode", "case-sensitive"}, func(a string) string { return "bearer " + a }, 401, "Bearer realm"},
		{"bare challenge", []any{"resource.challenge", "value", "Bearer"}, func(string) string { return "" }, 401, "Bearer"},
		{"other scheme", []any{"resource.challenge", "scheme", "Token"}, func(string) string { return "" }, 401, "Token realm"},
		{"error without credentials", []any{"resource.token.required", "refuse", map[string]any{"error": "invalid_token"}}, func(string) string { return "" }, 401, `error="invalid_token"`},
		{"realm twice", []any{"resource.challenge", "duplicate", "realm"}, func(string) string { return "" }, 401, `realm="mock provider", realm="mock provider"`},
		{"raw parameter", []any{"resource.challenge", "params", map[string]any{"raw": map[string]any{"error_description": "not quoted"}}}, func(string) string { return "" }, 401, "error_description=not quoted"},
		{"only for errors", []any{"resource.error", "status", 200, "when", map[string]any{"error": "invalid_token"}}, func(string) string { return "Bearer x" }, 200, ""},
		{"not for others", []any{"resource.error", "status", 200, "when", map[string]any{"error": "invalid_token"}}, func(string) string { return "" }, 401, ""},
		{"when no error code", []any{"resource.error", "status", 402, "when", map[string]any{"error": ""}}, func(string) string { return "" }, 402, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, mockprovider.WithDeviation(deviation("under-test", op(test.op[0].(string), test.op[1:]...)), nil))
			r := expect(t, p).GET(p.Endpoint("resource"))
			if authorization := test.with(accessToken(t, p, "read")); authorization != "" {
				r.WithHeader("Authorization", authorization)
			}
			got := r.Expect().Status(test.status)
			if test.challenge != "" {
				got.Header("WWW-Authenticate").Contains(test.challenge)
			}
		})
	}
}

func asClient(t testing.TB, p *mockprovider.Provider, endpoint, id, secret string, form url.Values) *httpexpect.Response {
	r := expect(t, p).POST(p.Endpoint(endpoint)).WithHeader("Content-Type", "application/x-www-form-urlencoded").WithBytes([]byte(form.Encode()))
	if id != "" {
		r.WithBasicAuth(id, secret)
	}
	return r.Expect()
}

func TestIntrospection(t *testing.T) {
	p := start(t)
	access := accessToken(t, p, "openid read")
	o := asClient(t, p, "introspection", "web-app", webSecret, url.Values{"token": {access}}).Status(200).JSON().Object()
	o.HasValue("active", true).HasValue("client_id", "web-app").HasValue("username", "alice").HasValue("scope", "openid read").HasValue("token_type", "Bearer").ContainsKey("exp").ContainsKey("sub")
	asClient(t, p, "introspection", "resource-server", "not-a-secret.resource-server.0123456789", url.Values{"token": {access}, "token_type_hint": {"nonsense"}}).Status(200).JSON().Object().HasValue("active", true)
	inactive := map[string]any{"active": false}
	asClient(t, p, "introspection", "web-app-2", web2Secret, url.Values{"token": {access}}).Status(200).JSON().Object().IsEqual(inactive)
	asClient(t, p, "introspection", "web-app", webSecret, url.Values{"token": {"nonsense"}}).Status(200).JSON().Object().IsEqual(inactive)
	refused(asClient(t, p, "introspection", "web-app", webSecret, nil), 400, "invalid_request")
	refused(asClient(t, p, "introspection", "web-app", "wrong", url.Values{"token": {access}}), 401, "invalid_client")
	refused(asClient(t, p, "introspection", "", "", url.Values{"token": {access}, "client_id": {"native-app"}}), 401, "invalid_client")
	p.Clock().Advance(time.Hour)
	asClient(t, p, "introspection", "web-app", webSecret, url.Values{"token": {access}}).Status(200).JSON().Object().IsEqual(inactive)
}

func TestRevocation(t *testing.T) {
	issue := func(t *testing.T, p *mockprovider.Provider) (access, refresh string) {
		o := granted(redeem(t, p, codeFor(t, p, "web-app", callback, nil), nil))
		return o.Value("access_token").String().Raw(), o.Value("refresh_token").String().Raw()
	}
	p := start(t)
	access, refresh := issue(t, p)
	asClient(t, p, "revocation", "web-app-2", web2Secret, url.Values{"token": {access}}).Status(400).JSON().Object().HasValue("error", "unauthorized_client")
	resource(t, p, access).Status(200)
	asClient(t, p, "revocation", "web-app", webSecret, url.Values{"token": {access}, "token_type_hint": {"refresh_token"}}).Status(200)
	resource(t, p, access).Status(401)
	asClient(t, p, "revocation", "web-app", webSecret, url.Values{"token": {access}}).Status(200)
	asClient(t, p, "revocation", "web-app", webSecret, url.Values{"token": {"nonsense"}}).Status(200)
	granted(refreshWith(t, p, refresh, "")) // revoking an access token leaves the refresh token alone
	access, refresh = issue(t, p)
	asClient(t, p, "revocation", "web-app", webSecret, url.Values{"token": {refresh}}).Status(200)
	refused(refreshWith(t, p, refresh, ""), 400, "invalid_grant")
	resource(t, p, access).Status(401) // the grant's access tokens too

	lax := start(t, mockprovider.WithDeviation(deviation("cascade", op("revocation.cascade", "set", false), op("revocation.client_binding", "skip", true)), nil))
	access, refresh = issue(t, lax)
	asClient(t, lax, "revocation", "web-app-2", web2Secret, url.Values{"token": {refresh}}).Status(200)
	refused(refreshWith(t, lax, refresh, ""), 400, "invalid_grant")
	resource(t, lax, access).Status(200)
}

// TestShuffleConforms plays the flows on shuffled providers: every variation has to be a conforming server.
func TestShuffleConforms(t *testing.T) {
	shapes := map[string]bool{}
	for seed := range int64(12) {
		p := start(t, mockprovider.Shuffle(seed))
		o := granted(redeem(t, p, codeFor(t, p, "web-app", callback, nil), nil))
		access := o.Value("access_token").String().Raw()
		resource(t, p, access).Status(200)
		second := granted(refreshWith(t, p, o.Value("refresh_token").String().Raw(), "read"))
		if scope, told := second.Raw()["scope"]; told && scope != "read" {
			t.Errorf("seed %d: scope %v", seed, scope)
		}
		r := token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {"web-app"}, "client_secret": {"wrong"}})
		if status := r.Raw().StatusCode; status != 400 && status != 401 {
			t.Errorf("seed %d: invalid_client with %d", seed, status)
		} else if status == 401 {
			r.Header("WWW-Authenticate").HasPrefix("Basic ")
		}
		asClient(t, p, "token", "web-app", "wrong", url.Values{"grant_type": {"client_credentials"}}).Status(401).Header("WWW-Authenticate").HasPrefix("Basic ")
		shapes[p.Endpoint("token")] = true
	}
	if len(shapes) < 3 {
		t.Errorf("shuffling yields only %v", shapes)
	}
}

func TestSeedRepeats(t *testing.T) {
	fixed := func() time.Time { return time.Unix(1_700_000_000, 0) }
	run := func() []string {
		p := start(t, mockprovider.Seed(7), mockprovider.Now(fixed))
		code := codeFor(t, p, "web-app", callback, nil)
		return []string{code, redeem(t, p, code, nil).Body().Raw()}
	}
	if a, b := run(), run(); !slices.Equal(a, b) {
		t.Errorf("two runs with one seed differ:\n%s\n%s", a, b)
	}
}

func TestDescribeAndRequests(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"clients": map[string]any{"service": nil, "mine": map[string]any{"secret": "not-a-secret.mine", "redirect_uris": "https://mine.example/cb"},
		"web-app": map[string]any{"scopes": []any{"read"}}}}))
	ids := []string{}
	for _, c := range p.Describe().Clients {
		ids = append(ids, c.ID)
		if c.ID == "web-app" && (c.Secret != webSecret || len(c.Scopes) != 1) {
			t.Errorf("merged client %+v", c)
		}
	}
	if slices.Contains(ids, "service") || !slices.Contains(ids, "mine") || ids[0] != "web-app" {
		t.Error(ids)
	}
	token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {"web-app"}, "client_secret": {"wrong"}})
	requests := p.Requests()
	last := requests[len(requests)-1]
	if last.Endpoint != "token" || last.ClientID != "web-app" || last.RefusedBy != "token.client_authentication.secret" || last.Error != "invalid_client" || last.Status != 401 || last.Params.Get("grant_type") != "client_credentials" {
		t.Errorf("%+v", last)
	}
	for range 600 {
		expect(t, p).GET(p.Endpoint("jwks")).Expect()
	}
	if n := len(p.Requests()); n != 512 {
		t.Errorf("%d requests kept", n)
	}
	if err := p.DeviateWith(deviation("later", op("jwks.response", "status", 500)), nil); err != nil {
		t.Fatal(err)
	}
	expect(t, p).GET(p.Endpoint("jwks")).Expect().Status(500)
	p.Conform()
	expect(t, p).GET(p.Endpoint("jwks")).Expect().Status(200)
}

// TestInProcessEqualsSockets compares the in-process transport with net/http for what a client can see.
func TestInProcessEqualsSockets(t *testing.T) {
	p := mockprovider.New(t)
	for _, test := range []struct{ method, path, body, contentType string }{
		{"GET", "/jwks", "", ""}, {"HEAD", "/jwks", "", ""}, {"POST", "/token", "grant_type=x&client_id=y", "application/x-www-form-urlencoded"}, {"HEAD", "/token", "", ""},
		{"GET", "/nowhere", "", ""}, {"OPTIONS", "/token", "", ""}, {"GET", "/resource?a=%20b", "", ""}, {"PUT", "/token", "x", "text/plain"}, {"GET", "/authorize", "", ""},
	} {
		answer := func(tr http.RoundTripper) (int, http.Header, int64, string) {
			r, err := http.NewRequest(test.method, p.Issuer()+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			response, err := tr.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body bytes.Buffer
			if _, err := body.ReadFrom(response.Body); err != nil {
				t.Fatal(err)
			}
			response.Header.Del("Date")
			response.Header.Del("Content-Security-Policy") // has a nonce
			if test.path == "/authorize" {
				body.Reset()
			}
			return response.StatusCode, response.Header, response.ContentLength, body.String()
		}
		s1, h1, l1, b1 := answer(p.RoundTripper())
		s2, h2, l2, b2 := answer(http.DefaultTransport)
		if s1 != s2 || b1 != b2 || len(h1) != len(h2) || l1 != l2 {
			t.Errorf("%s %s:\nin process %d %v %d %q\nsockets    %d %v %d %q", test.method, test.path, s1, h1, l1, b1, s2, h2, l2, b2)
		}
		for name := range h2 {
			if h1.Get(name) != h2.Get(name) {
				t.Errorf("%s %s: %s: in process %q, sockets %q", test.method, test.path, name, h1.Get(name), h2.Get(name))
			}
		}
	}
}

// Every name that the package has a constant for leads to the URL of Describe, the documents included.
func TestEndpointKnowsTheDocuments(t *testing.T) {
	for name, p := range map[string]*mockprovider.Provider{"plain": start(t), "path": start(t, mockprovider.Issuer("http://mock.test/tenant"))} {
		for endpoint, url := range p.Describe().Endpoints {
			if got := p.Endpoint(endpoint); got != url || url == "" {
				t.Errorf("%s: Endpoint(%q) is %q, Describe says %q", name, endpoint, got, url)
			}
		}
		expect(t, p).GET(p.Endpoint(mockprovider.MetadataEndpoint)).Expect().Status(200).JSON().Object().HasValue("issuer", p.Issuer())
		expect(t, p).GET(p.Endpoint(mockprovider.OpenIDConfigurationEndpoint)).Expect().Status(200).JSON().Object().HasValue("issuer", p.Issuer())
	}
}
