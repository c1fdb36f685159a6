package mockprovider_test

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gavv/httpexpect/v2"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

const (
	webSecret  = "not-a-secret.web-app.0123456789abcdef"
	web2Secret = "not-a-secret.web-app-2.0123456789abcdef"
	callback   = "https://client.example/callback"
	verifier   = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge  = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func expect(t testing.TB, p *mockprovider.Provider) *httpexpect.Expect {
	return httpexpect.WithConfig(httpexpect.Config{
		Client:   &http.Client{Transport: p.RoundTripper(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Reporter: httpexpect.NewRequireReporter(t),
	})
}

// codeFor plays a whole authorization and returns the code.
func codeFor(t testing.TB, p *mockprovider.Provider, client, redirectURI string, more url.Values) string {
	t.Helper()
	params := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "scope": {"openid read write"}, "state": {"xyz"}}
	maps.Copy(params, more)
	location, page := newBrowser(t, p).authorize(params)
	if location == nil || location.Query().Get("code") == "" {
		t.Fatalf("no code: %v %s", location, page)
	}
	return location.Query().Get("code")
}

// redeem exchanges a code of web-app.
func redeem(t testing.TB, p *mockprovider.Provider, code string, change func(url.Values)) *httpexpect.Response {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"web-app"}, "client_secret": {webSecret}}
	if change != nil {
		change(form)
	}
	return token(t, p, form)
}

func token(t testing.TB, p *mockprovider.Provider, form url.Values) *httpexpect.Response {
	return expect(t, p).POST(p.Endpoint("token")).WithHeader("Content-Type", "application/x-www-form-urlencoded").WithBytes([]byte(form.Encode())).Expect()
}

func refused(r *httpexpect.Response, status int, code string) {
	r.Status(status).HasContentType("application/json", "").JSON().Object().HasValue("error", code).NotContainsKey("access_token")
	r.Header("Cache-Control").Contains("no-store")
}

func granted(r *httpexpect.Response) *httpexpect.Object {
	r.Status(200).HasContentType("application/json", "")
	r.Header("Cache-Control").IsEqual("no-store")
	r.Header("Pragma").IsEqual("no-cache")
	o := r.JSON().Object()
	o.Value("access_token").String().NotEmpty()
	o.HasValue("token_type", "Bearer")
	o.Value("expires_in").Number().Gt(0)
	return o
}

func TestTokenRequests(t *testing.T) {
	p := start(t)
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	}
	const cc = "grant_type=client_credentials"
	special := "https://client.example/app:1"
	specialSecret := "not a secret: 100% + more & /0123456789abcdef"
	for _, test := range []struct {
		name, method, auth, contentType, query, body string
		status                                       int
		code                                         string // "" for a token
		challenge                                    bool
	}{
		{name: "post", body: cc + "&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "basic", auth: basic("web-app", webSecret), body: cc, status: 200},
		{name: "basic form-encoded", auth: basic(special, specialSecret), body: cc, status: 200},
		{name: "basic not form-encoded", auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(special+":"+specialSecret)), body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "basic lower case", auth: "basic" + basic("web-app", webSecret)[5:], body: cc, status: 200},
		{name: "basic and equal client_id", auth: basic("web-app", webSecret), body: cc + "&client_id=web-app", status: 200},
		{name: "basic and other client_id", auth: basic("web-app", webSecret), body: cc + "&client_id=service", status: 400, code: "invalid_request"},
		{name: "basic and post", auth: basic("web-app", webSecret), body: cc + "&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "basic wrong secret", auth: basic("web-app", "wrong"), body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "basic empty secret", auth: basic("web-app", ""), body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "basic unknown client", auth: basic("nobody", "x"), body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "basic garbage", auth: "Basic %%%", body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "other scheme", auth: "Bearer abc", body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "post wrong secret", body: cc + "&client_id=web-app&client_secret=wrong", status: 401, code: "invalid_client", challenge: true},
		{name: "post empty secret", body: cc + "&client_id=web-app&client_secret=", status: 401, code: "invalid_client", challenge: true},
		{name: "no authentication", body: cc + "&client_id=web-app", status: 401, code: "invalid_client", challenge: true},
		{name: "no client", body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "public client with a secret", body: "grant_type=refresh_token&refresh_token=x&client_id=native-app&client_secret=guess", status: 401, code: "invalid_client", challenge: true},
		{name: "credentials in the URI", query: "client_id=web-app&client_secret=" + webSecret, body: cc, status: 401, code: "invalid_client", challenge: true},
		{name: "no grant_type", body: "client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "empty grant_type", body: "grant_type=&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "unknown grant_type", body: "grant_type=urn:x&client_id=web-app&client_secret=" + webSecret, status: 400, code: "unsupported_grant_type"},
		{name: "grant_type in other case", body: "grant_type=CLIENT_CREDENTIALS&client_id=web-app&client_secret=" + webSecret, status: 400, code: "unsupported_grant_type"},
		{name: "grant not allowed", body: cc + "&client_id=limited-app&client_secret=not-a-secret.limited-app.0123456789abcdef", status: 400, code: "unauthorized_client"},
		{name: "public client", body: cc + "&client_id=native-app", status: 400, code: "unauthorized_client"},
		{name: "repeated parameter", body: cc + "&scope=read&scope=read&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "repeated resource", body: cc + "&resource=https://a.example&resource=https://b.example&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "unknown parameter", body: cc + "&foo=bar&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "empty scope", body: cc + "&scope=&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "unknown scope", body: cc + "&scope=nonsense&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_scope"},
		{name: "malformed scope", body: cc + "&scope=%22&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_scope"},
		{name: "scope not allowed", body: cc + "&scope=email&client_id=service&client_secret=not-a-secret.service.0123456789abcdef", status: 400, code: "invalid_scope"},
		{name: "malformed form", body: cc + "&x=%zz&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "escaped names and values", body: "gr%61nt_type=%63lient_credentials&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "charset", contentType: "application/x-www-form-urlencoded; charset=UTF-8", body: cc + "&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "JSON", contentType: "application/json", body: `{"grant_type":"client_credentials"}`, status: 400, code: "invalid_request"},
		{name: "GET", method: "GET", query: cc + "&client_id=web-app&client_secret=" + webSecret, status: 405, code: "invalid_request"},
		{name: "HEAD", method: "HEAD", status: 405},
		{name: "PUT", method: "PUT", body: cc, status: 405, code: "invalid_request"},
		{name: "empty body", contentType: "none", status: 400, code: "invalid_request"},
		{name: "password", body: "grant_type=password&username=alice&password=wonderland&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "password not ASCII", body: "grant_type=password&username=zo%C3%AB&password=p%C3%A4ssw%C3%B6rd-%C3%B1and%C3%BA&client_id=web-app&client_secret=" + webSecret, status: 200},
		{name: "wrong password", body: "grant_type=password&username=alice&password=looking-glass&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_grant"},
		{name: "no username", body: "grant_type=password&password=wonderland&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "unknown code", body: "grant_type=authorization_code&code=nonsense&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_grant"},
		{name: "no code", body: "grant_type=authorization_code&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
		{name: "unknown refresh token", body: "grant_type=refresh_token&refresh_token=nonsense&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_grant"},
		{name: "no refresh token", body: "grant_type=refresh_token&client_id=web-app&client_secret=" + webSecret, status: 400, code: "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			method := test.method
			if method == "" {
				method = "POST"
			}
			request := expect(t, p).Request(method, p.Endpoint("token")).WithQueryString(test.query).WithBytes([]byte(test.body))
			switch test.contentType {
			case "none":
			case "":
				request.WithHeader("Content-Type", "application/x-www-form-urlencoded")
			default:
				request.WithHeader("Content-Type", test.contentType)
			}
			if test.auth != "" {
				request.WithHeader("Authorization", test.auth)
			}
			r := request.Expect()
			switch {
			case method == "HEAD":
				r.Status(test.status).Body().IsEmpty()
			case test.code == "":
				granted(r).NotContainsKey("id_token")
			default:
				refused(r, test.status, test.code)
			}
			if test.challenge {
				r.Header("WWW-Authenticate").IsEqual(`Basic realm="mock provider"`)
			}
			if test.status == 405 {
				r.Header("Allow").IsEqual("POST")
			}
		})
	}
}

func TestAuthorizationCode(t *testing.T) {
	fresh := func(t *testing.T) (*mockprovider.Provider, string) {
		p := start(t)
		return p, codeFor(t, p, "web-app", callback, nil)
	}
	t.Run("tokens", func(t *testing.T) {
		p, code := fresh(t)
		o := granted(redeem(t, p, code, nil))
		o.HasValue("scope", "openid read write")
		o.Value("refresh_token").String().NotEmpty()
		o.Value("id_token").String().NotEmpty()
	})
	for name, test := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"other client":          {func(f url.Values) { f.Set("client_id", "web-app-2"); f.Set("client_secret", web2Secret) }, "invalid_grant"},
		"without redirect_uri":  {func(f url.Values) { f.Del("redirect_uri") }, "invalid_grant"},
		"other redirect_uri":    {func(f url.Values) { f.Set("redirect_uri", "https://client.example/other") }, "invalid_grant"},
		"unexpected verifier":   {func(f url.Values) { f.Set("code_verifier", verifier) }, "invalid_grant"},
		"wrong secret":          {func(f url.Values) { f.Set("client_secret", "wrong") }, "invalid_client"},
		"without client secret": {func(f url.Values) { f.Del("client_secret") }, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			p, code := fresh(t)
			r := redeem(t, p, code, test.change)
			status := 400
			if test.code == "invalid_client" {
				status = 401
			}
			refused(r, status, test.code)
		})
	}
	t.Run("expired", func(t *testing.T) {
		p, code := fresh(t)
		p.Clock().Advance(time.Minute)
		refused(redeem(t, p, code, nil), 400, "invalid_grant")
	})
	t.Run("replay revokes", func(t *testing.T) {
		p, code := fresh(t)
		o := granted(redeem(t, p, code, nil))
		access, refresh := o.Value("access_token").String().Raw(), o.Value("refresh_token").String().Raw()
		resource(t, p, access).Status(200)
		refused(redeem(t, p, code, nil), 400, "invalid_grant")
		resource(t, p, access).Status(401)
		refused(refreshWith(t, p, refresh, ""), 400, "invalid_grant")
	})
}

func resource(t testing.TB, p *mockprovider.Provider, access string) *httpexpect.Response {
	return expect(t, p).GET(p.Endpoint("resource")).WithHeader("Authorization", "Bearer "+access).Expect()
}

func refreshWith(t testing.TB, p *mockprovider.Provider, refresh, scope string) *httpexpect.Response {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"web-app"}, "client_secret": {webSecret}}
	if scope != "" {
		form.Set("scope", scope)
	}
	return token(t, p, form)
}

func TestRefresh(t *testing.T) {
	p := start(t)
	first := granted(redeem(t, p, codeFor(t, p, "web-app", callback, nil), nil)).Value("refresh_token").String().Raw()

	second := granted(refreshWith(t, p, first, "read"))
	second.HasValue("scope", "read").NotContainsKey("id_token")
	third := granted(refreshWith(t, p, second.Value("refresh_token").String().Raw(), ""))
	third.HasValue("scope", "openid read write") // the narrowed refresh did not narrow the grant
	latest := third.Value("refresh_token").String().Raw()
	refused(refreshWith(t, p, latest, "read email"), 400, "invalid_scope")
	other := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {latest}, "client_id": {"web-app-2"}, "client_secret": {web2Secret}}
	refused(token(t, p, other), 400, "invalid_grant")

	access := third.Value("access_token").String().Raw()
	refused(refreshWith(t, p, first, ""), 400, "invalid_grant") // replay: the family is revoked
	refused(refreshWith(t, p, latest, ""), 400, "invalid_grant")
	resource(t, p, access).Status(401)
}

func TestRefreshExpires(t *testing.T) {
	p := start(t)
	first := granted(redeem(t, p, codeFor(t, p, "web-app", callback, nil), nil)).Value("refresh_token").String().Raw()
	p.Clock().Advance(31 * 24 * time.Hour)
	refused(refreshWith(t, p, first, ""), 400, "invalid_grant")
}

func TestPKCE(t *testing.T) {
	const native = "https://native.example/callback"
	redeemNative := func(t *testing.T, p *mockprovider.Provider, code string, change func(url.Values)) *httpexpect.Response {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {native}, "client_id": {"native-app"}, "code_verifier": {verifier}}
		if change != nil {
			change(form)
		}
		return token(t, p, form)
	}
	s256 := url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	p := start(t)
	granted(redeemNative(t, p, codeFor(t, p, "native-app", native, s256), nil))
	refused(redeemNative(t, p, codeFor(t, p, "native-app", native, s256), func(f url.Values) { f.Del("code_verifier") }), 400, "invalid_grant")
	refused(redeemNative(t, p, codeFor(t, p, "native-app", native, s256), func(f url.Values) { f.Set("code_verifier", challenge) }), 400, "invalid_grant")
	refused(redeemNative(t, p, codeFor(t, p, "native-app", native, s256), func(f url.Values) { f.Set("code_verifier", "short") }), 400, "invalid_grant")
	refused(redeemNative(t, p, codeFor(t, p, "native-app", native, s256), func(f url.Values) { f.Del("client_id") }), 401, "invalid_client")

	plain := start(t, mockprovider.WithSettings(map[string]any{"pkce": map[string]any{"methods": []any{"S256", "plain"}}}))
	granted(redeemNative(t, plain, codeFor(t, plain, "native-app", native, url.Values{"code_challenge": {verifier}}), nil))
}

// TestTokenDeviations shows for each kind of operation at the token endpoint that it does what the document says.
func TestTokenDeviations(t *testing.T) {
	cc := url.Values{"grant_type": {"client_credentials"}, "client_id": {"web-app"}, "client_secret": {webSecret}}
	with := func(changes ...string) url.Values {
		form := url.Values{}
		maps.Copy(form, cc)
		for i := 0; i < len(changes); i += 2 {
			if changes[i+1] == "-" {
				form.Del(changes[i])
				continue
			}
			form.Set(changes[i], changes[i+1])
		}
		return form
	}
	object := func(f func(*httpexpect.Object)) func(*testing.T, *httpexpect.Response) {
		return func(_ *testing.T, r *httpexpect.Response) { f(r.JSON().Object()) }
	}
	for _, test := range []struct {
		name string
		op   profiles.Op
		form url.Values
		want func(*testing.T, *httpexpect.Response)
	}{
		{"skip a guard", op("token.client_authentication.secret", "skip", true), with("client_secret", "wrong"), func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"client_id alone", op("token.client_authentication.required", "skip", true), with("client_secret", "-"), func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"refuse differently", op("token.client_authentication.secret", "refuse", map[string]any{"error": "access_denied", "status": 403, "description": "no"}), with("client_secret", "wrong"),
			func(_ *testing.T, r *httpexpect.Response) {
				refused(r, 403, "access_denied")
				r.JSON().Object().HasValue("error_description", "no")
			}},
		{"always", op("token.unknown_parameter", "always", true, "when", map[string]any{"unknown_parameter": true}), with("foo", "bar"),
			func(_ *testing.T, r *httpexpect.Response) { refused(r, 400, "invalid_request") }},
		{"always, but not when", op("token.unknown_parameter", "always", true, "when", map[string]any{"unknown_parameter": true}), cc, func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"mode", op("token.grant_type.known", "mode", "case-insensitive"), with("grant_type", "Client_Credentials"), func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"parameter names", op("token.parameters", "mode", "case-insensitive"), with("grant_type", "-", "GRANT_TYPE", "client_credentials"), func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"empty secret", op("token.client_authentication.secret", "mode", "empty"), with("client_secret", ""), func(_ *testing.T, r *httpexpect.Response) { granted(r) }},
		{"status", op("token.response", "status", 201), cc, func(_ *testing.T, r *httpexpect.Response) { r.Status(201) }},
		{"remove a member", op("token.response", "members", map[string]any{"remove": "token_type"}), cc, object(func(o *httpexpect.Object) { o.NotContainsKey("token_type") })},
		{"convert members", op("token.response", "members", map[string]any{"to_string": []any{"expires_in"}, "to_array": []any{"scope"}}), cc,
			object(func(o *httpexpect.Object) { o.HasValue("expires_in", "900").HasValue("scope", []string{"read"}) })},
		{"wrap", op("token.response", "members", map[string]any{"wrap": "$data", "rename": map[string]any{"access_token": "accessToken"}}), cc,
			object(func(o *httpexpect.Object) { o.Value("$data").Object().ContainsKey("accessToken") })},
		{"beside what is wrapped", op("token.response", "members", map[string]any{"wrap": "$data", "beside": map[string]any{"$request": "of ${client_id}"}}), cc,
			func(t *testing.T, r *httpexpect.Response) {
				r.Body().Match(`^{"[$]request":"of web-app","[$]data":{`).NotEmpty()
			}},
		{"raw and duplicate", op("token.response", "members", map[string]any{"raw": map[string]any{"expires_in": "3.6e3"}}, "duplicate", "scope"), cc,
			func(t *testing.T, r *httpexpect.Response) {
				r.Body().Contains(`"expires_in":3.6e3`).Match(`"scope":"read".*"scope":"read"`).NotEmpty()
			}},
		{"body", op("token.response", "body", "callback($body)", "content_type", "text/javascript"), cc,
			func(_ *testing.T, r *httpexpect.Response) {
				r.HasContentType("text/javascript", "").Body().HasPrefix("callback({")
			}},
		{"form", op("token.response", "format", "form"), cc, func(_ *testing.T, r *httpexpect.Response) {
			r.HasContentType("application/x-www-form-urlencoded", "").Body().HasPrefix("access_token=")
		}},
		{"array", op("token.response", "format", "array"), cc, func(_ *testing.T, r *httpexpect.Response) { r.JSON().Array().Length().IsEqual(1) }},
		{"byte order mark", op("token.response", "encoding", "bom"), cc, func(_ *testing.T, r *httpexpect.Response) { r.Body().HasPrefix("\ufeff{") }},
		{"header template", op("token.response", "header", map[string]any{"set": map[string]any{"Set-Cookie": "at=${member:access_token}"}}), cc,
			func(_ *testing.T, r *httpexpect.Response) { r.Cookie("at").Value().NotEmpty() }},
		{"no content type", op("token.response", "content_type", ""), cc, func(_ *testing.T, r *httpexpect.Response) { r.Header("Content-Type").IsEmpty() }},
		{"when error", op("token.error", "members", map[string]any{"set": map[string]any{"error": "nope"}}, "when", map[string]any{"error": "invalid_scope"}), with("scope", "x"),
			func(_ *testing.T, r *httpexpect.Response) { refused(r, 400, "nope") }},
		{"when refused by", op("token.error", "status", 422, "when", map[string]any{"refused_by": "*.required"}), with("grant_type", "-"),
			func(_ *testing.T, r *httpexpect.Response) { refused(r, 422, "invalid_request") }},
		{"no challenge", op("token.challenge", "remove", true), with("client_secret", "wrong"), func(_ *testing.T, r *httpexpect.Response) { r.Header("WWW-Authenticate").IsEmpty() }},
		{"other challenge", op("token.challenge", "scheme", "Bearer", "params", map[string]any{"set": map[string]any{"error": "invalid_client"}}), with("client_secret", "wrong"),
			func(_ *testing.T, r *httpexpect.Response) {
				r.Header("WWW-Authenticate").IsEqual(`Bearer realm="mock provider", error="invalid_client"`)
			}},
		{"mint short", op("access_token.generate", "length", 4, "charset", "ab"), cc, object(func(o *httpexpect.Object) { o.Value("access_token").String().Match("^[ab]{4}$").NotEmpty() })},
		{"mint counter", op("access_token.generate", "mode", "counter"), cc, object(func(o *httpexpect.Object) { o.HasValue("access_token", "1000001") })},
		{"mint template", op("access_token.generate", "set", "${client_id}-${random:4}"), cc, object(func(o *httpexpect.Object) { o.Value("access_token").String().HasPrefix("web-app-") })},
		{"lifetime", op("access_token.lifetime", "set", "2h"), cc, object(func(o *httpexpect.Object) { o.HasValue("expires_in", 7200) })},
		{"lifetime never", op("access_token.lifetime", "set", "never"), cc, object(func(o *httpexpect.Object) { o.NotContainsKey("expires_in") })},
		{"wider scope", op("scope.granted", "mode", "wider"), with("scope", "read"), object(func(o *httpexpect.Object) { o.HasValue("scope", "read profile") })},
		{"refresh token", op("token.client_credentials.refresh_token", "set", true), cc, object(func(o *httpexpect.Object) { o.ContainsKey("refresh_token") })},
		{"transport status", op("token.transport", "status", 503, "body", "down"), cc, func(_ *testing.T, r *httpexpect.Response) { r.Status(503).Body().IsEqual("down") }},
		{"transport redirect", op("token.transport", "redirect", "https://elsewhere.example/", "status", 307), cc, func(_ *testing.T, r *httpexpect.Response) {
			r.Status(307).Header("Location").IsEqual("https://elsewhere.example/")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, mockprovider.WithDeviation(deviation("under-test", test.op), nil))
			test.want(t, token(t, p, test.form))
		})
	}
}

func TestTransportFaults(t *testing.T) {
	for name, tr := range map[string]func(p *mockprovider.Provider) http.RoundTripper{
		"in process": func(p *mockprovider.Provider) http.RoundTripper { return p.RoundTripper() },
		"sockets":    func(*mockprovider.Provider) http.RoundTripper { return &http.Transport{DisableKeepAlives: true} },
	} {
		t.Run(name, func(t *testing.T) {
			p := mockprovider.New(t, mockprovider.WithDeviation(deviation("reset", op("token.transport", "reset", true)), nil),
				mockprovider.WithDeviation(deviation("truncate", op("metadata.transport", "truncate", 10)), nil),
				mockprovider.WithDeviation(deviation("slow", op("jwks.transport", "delay", "1m")), nil))
			client := &http.Client{Transport: tr(p)}
			if _, err := client.PostForm(p.Endpoint("token"), nil); err == nil {
				t.Error("reset: no error")
			}
			response, err := client.Get(p.Describe().Endpoints["metadata"])
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err == nil || len(body) != 10 {
				t.Errorf("truncate: %d bytes, error %v", len(body), err)
			}
			client.Timeout = 20 * time.Millisecond
			if _, err := client.Get(p.Endpoint("jwks")); err == nil {
				t.Error("delay: no error")
			}
		})
	}
}

func TestNthAndTimes(t *testing.T) {
	p := start(t, mockprovider.WithDeviation(deviation("third", op("token.transport", "status", 503, "when", map[string]any{"nth": 3})), nil),
		mockprovider.WithDeviation(deviation("first two", op("jwks.transport", "status", 429, "when", map[string]any{"times": 2})), nil))
	for i, want := range []int{400, 400, 503, 400} {
		if got := token(t, p, nil).Raw().StatusCode; got != want {
			t.Errorf("token request %d: status %d, want %d", i+1, got, want)
		}
	}
	for i, want := range []int{429, 429, 200} {
		if got := expect(t, p).GET(p.Endpoint("jwks")).Expect().Raw().StatusCode; got != want {
			t.Errorf("jwks request %d: status %d, want %d", i+1, got, want)
		}
	}
}

// TestRace shows that the strict server redeems a code once however many try at once, and that the deviation does not.
func TestRace(t *testing.T) {
	redeemAll := func(p *mockprovider.Provider) int {
		code := codeFor(t, p, "web-app", callback, nil)
		client := &http.Client{Transport: p.RoundTripper()}
		results := make(chan int, 8)
		for range 8 {
			go func() {
				response, err := client.PostForm(p.Endpoint("token"), url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"web-app"}, "client_secret": {webSecret}})
				if err != nil {
					results <- 0
					return
				}
				response.Body.Close()
				results <- response.StatusCode
			}()
		}
		won := 0
		for range 8 {
			if <-results == 200 {
				won++
			}
		}
		return won
	}
	if won := redeemAll(start(t)); won != 1 {
		t.Errorf("strict: %d of 8 got tokens", won)
	}
	racy := start(t, mockprovider.WithDeviation(deviation("racy", op("token.authorization_code.used", "mode", "race", "window", "100ms")), nil))
	if won := redeemAll(racy); won < 2 {
		t.Errorf("racy: %d of 8 got tokens", won)
	}
}
