package mockprovider_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

// codeRequest is a good authorization request of web-app with changes: pairs of name and value, "-" leaves out.
func codeRequest(changes ...string) url.Values {
	params := url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {callback}, "scope": {"read"}, "state": {"xyz"}}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			params.Del(changes[i])
			continue
		}
		params.Set(changes[i], changes[i+1])
	}
	return params
}

func TestAuthorizationRequests(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"implicit": true}))
	for _, test := range []struct {
		name   string
		params url.Values
		page   bool   // an error page, no redirect
		to     string // where the browser is sent, "" for the callback
		code   string // error code, "" for a code or token
	}{
		{name: "good", params: codeRequest()},
		{name: "other redirect_uri", params: codeRequest("redirect_uri", "https://client.example/other"), to: "https://client.example/other"},
		{name: "redirect_uri with a query", params: codeRequest("redirect_uri", "https://client.example/callback?tenant=1&x=a%20b"), to: "https://client.example/callback?tenant=1&x=a%20b&"},
		{name: "no state", params: codeRequest("state", "-")},
		{name: "empty state", params: codeRequest("state", "")},
		{name: "no scope", params: codeRequest("scope", "-")},
		{name: "empty scope", params: codeRequest("scope", "")},
		{name: "unknown parameter", params: codeRequest("foo", "bar")},
		{name: "single redirect_uri left out", params: codeRequest("client_id", "web-app-2", "redirect_uri", "-"), to: "https://second.example/callback"},
		{name: "single redirect_uri empty", params: codeRequest("client_id", "web-app-2", "redirect_uri", ""), to: "https://second.example/callback"},
		{name: "PKCE", params: codeRequest("code_challenge", challenge, "code_challenge_method", "S256")},
		{name: "no client_id", params: codeRequest("client_id", "-"), page: true},
		{name: "unknown client_id", params: codeRequest("client_id", "nobody"), page: true},
		{name: "several redirect URIs, none given", params: codeRequest("redirect_uri", "-"), page: true},
		{name: "unregistered", params: codeRequest("redirect_uri", "https://attacker.example/"), page: true},
		{name: "prefix", params: codeRequest("redirect_uri", callback+"/more"), page: true},
		{name: "case", params: codeRequest("redirect_uri", "https://CLIENT.example/callback"), page: true},
		{name: "port", params: codeRequest("redirect_uri", "https://client.example:443/callback"), page: true},
		{name: "fragment", params: codeRequest("redirect_uri", callback+"#frag"), page: true},
		{name: "relative", params: codeRequest("redirect_uri", "/callback"), page: true},
		{name: "malformed", params: codeRequest("redirect_uri", "https://client.example/\"<script>"), page: true},
		{name: "no response_type", params: codeRequest("response_type", "-"), code: "invalid_request"},
		{name: "empty response_type", params: codeRequest("response_type", ""), code: "invalid_request"},
		{name: "unknown response_type", params: codeRequest("response_type", "nonsense"), code: "unsupported_response_type"},
		{name: "response_type in other case", params: codeRequest("response_type", "CODE"), code: "unsupported_response_type"},
		{name: "response type not allowed", params: codeRequest("response_type", "token"), code: "unauthorized_client"},
		{name: "client without the grant", params: codeRequest("client_id", "service", "redirect_uri", "https://service.example/callback"), to: "https://service.example/callback", code: "unauthorized_client"},
		{name: "unknown scope", params: codeRequest("scope", "nonsense"), code: "invalid_scope"},
		{name: "malformed scope", params: codeRequest("scope", `"`), code: "invalid_scope"},
		{name: "scope not allowed", params: codeRequest("client_id", "limited-app", "redirect_uri", "https://limited.example/callback", "scope", "write"), to: "https://limited.example/callback", code: "invalid_scope"},
		{name: "unknown response_mode", params: codeRequest("response_mode", "nonsense"), code: "invalid_request"},
		{name: "PKCE missing", params: codeRequest("client_id", "native-app", "redirect_uri", "https://native.example/callback"), to: "https://native.example/callback", code: "invalid_request"},
		{name: "PKCE plain", params: codeRequest("code_challenge", verifier, "code_challenge_method", "plain"), code: "invalid_request"},
		{name: "PKCE without method", params: codeRequest("code_challenge", verifier), code: "invalid_request"},
		{name: "PKCE malformed", params: codeRequest("code_challenge", "short", "code_challenge_method", "S256"), code: "invalid_request"},
		{name: "PKCE method alone", params: codeRequest("code_challenge_method", "S256"), code: "invalid_request"},
		{name: "prompt none", params: codeRequest("prompt", "none"), code: "login_required"},
		{name: "request object", params: codeRequest("request", "e30.e30."), code: "request_not_supported"},
		{name: "bad state", params: codeRequest("state", "a\nb"), code: "invalid_request"},
		{name: "repeated scope", params: url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {callback}, "scope": {"read", "read"}, "state": {"xyz"}}, code: "invalid_request"},
		{name: "repeated client_id", params: url.Values{"response_type": {"code"}, "client_id": {"web-app", "web-app"}, "redirect_uri": {callback}}, page: true},
		{name: "repeated redirect_uri", params: url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {callback, "https://attacker.example/"}}, page: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			location, page := newBrowser(t, p).authorize(test.params)
			if test.page {
				if location != nil || !strings.Contains(page, `role="alert"`) {
					t.Fatalf("no error page: %v %s", location, page)
				}
				return
			}
			if location == nil {
				t.Fatalf("no redirect: %s", page)
			}
			to := test.to
			if to == "" {
				to = callback
			}
			if !strings.HasPrefix(location.String(), strings.TrimSuffix(to, "&")) {
				t.Fatalf("sent to %s", location)
			}
			q := location.Query()
			if test.params.Get("response_type") == "token" {
				q, _ = url.ParseQuery(location.Fragment)
			}
			if q.Get("error") != test.code || (q.Get("code") == "") != (test.code != "") || q.Get("iss") != p.Issuer() {
				t.Fatalf("answer %s", location)
			}
			if got := q.Get("state"); got != test.params.Get("state") {
				t.Errorf("state %q, want %q", got, test.params.Get("state"))
			}
			for name, values := range q {
				if len(values) > 1 {
					t.Errorf("parameter %s occurs %d times", name, len(values))
				}
			}
		})
	}
}

func TestImplicit(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"implicit": true}))
	params := url.Values{"response_type": {"token"}, "client_id": {"implicit-app"}, "redirect_uri": {"https://implicit.example/callback"}, "scope": {"read"}, "state": {"a b"}}
	location, page := newBrowser(t, p).authorize(params)
	if location == nil {
		t.Fatal(page)
	}
	fragment, err := url.ParseQuery(location.Fragment)
	if err != nil || location.RawQuery != "" {
		t.Fatal(location)
	}
	if fragment.Get("token_type") != "Bearer" || fragment.Get("expires_in") != "900" || fragment.Get("state") != "a b" || fragment.Get("iss") != p.Issuer() || fragment.Has("refresh_token") {
		t.Error(location)
	}
	resource(t, p, fragment.Get("access_token")).Status(200)

	params.Set("scope", "nonsense")
	location, _ = newBrowser(t, p).authorize(params)
	if fragment, _ := url.ParseQuery(location.Fragment); fragment.Get("error") != "invalid_scope" || fragment.Get("state") != "a b" {
		t.Error(location)
	}
	params.Set("response_mode", "query")
	location, _ = newBrowser(t, p).authorize(params)
	if fragment, _ := url.ParseQuery(location.Fragment); fragment.Get("error") != "invalid_request" {
		t.Error(location)
	}
}

func TestWithoutPKCE(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"pkce": map[string]any{"required": "none", "methods": []string{}}}))
	location, page := newBrowser(t, p).authorize(codeRequest("code_challenge", "short", "code_challenge_method", "S999"))
	if location == nil || location.Query().Get("code") == "" {
		t.Errorf("unknown parameters are not ignored: %v %s", location, page)
	}
}

func TestLoopbackRedirect(t *testing.T) {
	p := start(t)
	pkce := []string{"client_id", "native-app", "code_challenge", challenge, "code_challenge_method", "S256"}
	for uri, want := range map[string]bool{
		"http://127.0.0.1:51004/callback": true, "http://127.0.0.1/callback": true, "http://[::1]:8000/callback": true, "com.example.native:/callback": true,
		"http://127.0.0.1:51004/other": false, "http://localhost:51004/callback": false, "https://127.0.0.1:51004/callback": false, "https://native.example:444/callback": false,
		"http://user@127.0.0.1:51004/callback": false, "http://127.0.0.1:51004/callback?x=1": false,
	} {
		location, _ := newBrowser(t, p).authorize(codeRequest(append(pkce, "redirect_uri", uri)...))
		if got := location != nil && strings.HasPrefix(location.String(), uri) && location.Query().Get("code") != ""; got != want {
			t.Errorf("%s: accepted %v, want %v (%v)", uri, got, want, location)
		}
	}
}

func TestPostAndFormPost(t *testing.T) {
	p := start(t)
	b := newBrowser(t, p)
	location, page := b.follow(b.post(p.Endpoint("authorize"), codeRequest()))
	if location == nil || location.Query().Get("code") == "" {
		t.Fatal(location, page)
	}
	_, page = newBrowser(t, p).authorize(codeRequest("response_mode", "form_post"))
	for _, want := range []string{`method="post" action="https://client.example/callback"`, `name="code"`, `name="state" value="xyz"`} {
		if !strings.Contains(page, want) {
			t.Errorf("form_post page lacks %s: %s", want, page)
		}
	}
}

func TestPages(t *testing.T) {
	p := start(t)
	login := expect(t, p).GET(p.Endpoint("authorize")).WithQueryString(codeRequest("state", `"><oauthcheck>`).Encode()).Expect().Status(200)
	login.HasContentType("text/html", "utf-8")
	login.Header("X-Frame-Options").IsEqual("DENY")
	login.Header("Content-Security-Policy").Contains("frame-ancestors 'none'")
	login.Header("Cache-Control").IsEqual("no-store")
	login.Header("Set-Cookie").Contains("HttpOnly").Contains("SameSite=Lax")
	login.Body().NotContains("<oauthcheck>").Contains(`<label for="username">`).Contains(`<html lang="en">`)

	b := newBrowser(t, p)
	response := b.get(p.Endpoint("authorize") + "?" + codeRequest().Encode())
	body, _ := io.ReadAll(response.Body)
	form := url.Values{"username": {"alice"}, "password": {"wonderland"}}
	for _, m := range formField.FindAllStringSubmatch(string(body), -1) {
		form.Set(m[1], m[2])
	}
	t.Run("without the CSRF token", func(t *testing.T) {
		bad := url.Values{"username": {"alice"}, "password": {"wonderland"}, "transaction": {form.Get("transaction")}}
		if got := b.post(p.Endpoint("login"), bad); got.StatusCode != 403 {
			t.Error(got.Status)
		}
	})
	t.Run("from another browser", func(t *testing.T) {
		if got := newBrowser(t, p).post(p.Endpoint("login"), form); got.StatusCode != 400 {
			t.Error(got.Status)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		wrong := url.Values{"transaction": {form.Get("transaction")}, "csrf_token": {form.Get("csrf_token")}, "username": {"alice"}, "password": {"x"}}
		got := b.post(p.Endpoint("login"), wrong)
		page, _ := io.ReadAll(got.Body)
		if !strings.Contains(string(page), "is wrong") {
			t.Error(string(page))
		}
	})
	t.Run("no taken for yes", func(t *testing.T) {
		lax := start(t, mockprovider.WithDeviation(deviation("yes", op("consent.denied", "skip", true)), nil))
		b := newBrowser(t, lax)
		form := b.consentForm(codeRequest())
		form.Set("decision", "deny")
		if u, err := b.post(lax.Endpoint("consent"), form).Location(); err != nil || !u.Query().Has("code") {
			t.Error(u, err)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		cancel := url.Values{"transaction": {form.Get("transaction")}, "csrf_token": {form.Get("csrf_token")}, "decision": {"cancel"}}
		got := b.post(p.Endpoint("login"), cancel)
		if u, err := got.Location(); err != nil || u.Query().Get("error") != "access_denied" || got.StatusCode != 303 {
			t.Error(got.Status, u)
		}
	})
}

// consentForm signs in and returns the consent form that b is shown, filled in with yes.
func (b *browser) consentForm(params url.Values) url.Values {
	b.t.Helper()
	response := b.get(b.p.Endpoint("authorize") + "?" + params.Encode())
	for range 3 {
		body, _ := io.ReadAll(response.Body)
		form := url.Values{}
		for _, m := range formField.FindAllStringSubmatch(string(body), -1) {
			form.Set(m[1], m[2])
		}
		switch {
		case response.Header.Get("Location") != "":
			response = b.get(response.Header.Get("Location"))
		case strings.Contains(string(body), `name="password"`):
			form.Set("username", "alice")
			form.Set("password", "wonderland")
			response = b.post(b.p.Endpoint("login"), form)
		default:
			form.Set("decision", "approve")
			return form
		}
	}
	b.t.Fatal("no consent form")
	return nil
}

func TestConsentCSRF(t *testing.T) {
	attempt := func(p *mockprovider.Provider, forge func(victim, attacker url.Values) url.Values) string {
		victim, attacker := newBrowser(t, p), newBrowser(t, p)
		v, a := victim.consentForm(codeRequest()), attacker.consentForm(codeRequest())
		response := victim.post(p.Endpoint("consent"), forge(v, a))
		if u, err := response.Location(); err == nil {
			return u.Query().Get("code")
		}
		return ""
	}
	own := func(v, _ url.Values) url.Values { return v }
	bare := func(_, _ url.Values) url.Values { return url.Values{"decision": {"approve"}} }
	foreign := func(_, a url.Values) url.Values { return a }
	strict := start(t)
	if attempt(strict, own) == "" || attempt(strict, bare) != "" || attempt(strict, foreign) != "" {
		t.Error("strict: own form refused or forged form accepted")
	}
	lax := start(t, mockprovider.WithDeviation(deviation("csrf", op("consent.csrf", "skip", true)), nil))
	if attempt(lax, own) == "" || attempt(lax, bare) == "" || attempt(lax, foreign) == "" {
		t.Error("deviated: forged form refused")
	}
}

func TestSingleSignOnAndPrompt(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"consent": "once"}))
	b := newBrowser(t, p)
	b.authorize(codeRequest())
	location, page := b.authorize(codeRequest("prompt", "none")) // signed in and approved before
	if location == nil || location.Query().Get("code") == "" {
		t.Error(location, page)
	}
	location, _ = b.authorize(codeRequest("prompt", "none", "scope", "write"))
	if location == nil || location.Query().Get("error") != "consent_required" {
		t.Error(location)
	}
	response := b.get(p.Endpoint("authorize") + "?" + codeRequest("prompt", "login").Encode())
	body, _ := io.ReadAll(response.Body)
	if !strings.Contains(string(body), `name="password"`) {
		t.Error("prompt=login shows no login page")
	}
}

func TestAutomaticLogin(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"login": "auto", "consent": "auto", "auto_user": "bob"}))
	u, err := newBrowser(t, p).get(p.Endpoint("authorize") + "?" + codeRequest().Encode()).Location()
	if err != nil || u.Query().Get("code") == "" {
		t.Fatal(u, err)
	}
}

// TestAuthorizeDeviations shows for each kind of operation at the authorization endpoint that it does what the document says.
func TestAuthorizeDeviations(t *testing.T) {
	set := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	for _, test := range []struct {
		name   string
		ops    []profiles.Op
		params url.Values
		want   func(u *url.URL, page string) bool
	}{
		{"any redirect_uri", []profiles.Op{op("authorize.redirect_uri.match", "skip", true)}, codeRequest("redirect_uri", "https://attacker.example/"),
			func(u *url.URL, _ string) bool {
				return u != nil && u.Host == "attacker.example" && u.Query().Has("code")
			}},
		{"error to a wrong redirect_uri", []profiles.Op{op("authorize.redirect_uri.match", "refuse", set("redirect", true))}, codeRequest("redirect_uri", "https://attacker.example/"),
			func(u *url.URL, _ string) bool {
				return u != nil && u.Host == "attacker.example" && u.Query().Has("error")
			}},
		{"error for an unknown client", []profiles.Op{op("authorize.client_id.known", "refuse", set("redirect", true, "error", "unauthorized_client"))}, codeRequest("client_id", "nobody"),
			func(u *url.URL, _ string) bool {
				return u != nil && u.Query().Get("error") == "unauthorized_client" && u.Query().Get("state") == "xyz"
			}},
		{"any client", []profiles.Op{op("authorize.client_id.known", "skip", true)}, codeRequest("client_id", "nobody", "code_challenge", challenge, "code_challenge_method", "S256"),
			func(u *url.URL, _ string) bool { return u != nil && u.Query().Has("code") }},
		{"fragment in redirect_uri", []profiles.Op{op("authorize.redirect_uri.syntax", "mode", "fragment"), op("authorize.redirect_uri.match", "mode", "fragment")}, codeRequest("redirect_uri", callback+"#frag"),
			func(u *url.URL, _ string) bool { return u != nil && u.Fragment == "frag" && u.Query().Has("code") }},
		{"other registered URI", []profiles.Op{op("authorize.redirect_uri.target", "mode", "first-registered")}, codeRequest("redirect_uri", "https://client.example/other"),
			func(u *url.URL, _ string) bool { return u != nil && u.Path == "/callback" }},
		{"last of two redirect_uri", []profiles.Op{op("authorize.repeated_parameter", "skip", true), op("authorize.redirect_uri.target", "mode", "last-repeated")},
			url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {callback, "https://attacker.example/"}},
			func(u *url.URL, _ string) bool { return u != nil && u.Host == "attacker.example" }},
		{"no login", []profiles.Op{op("authorize.login", "skip", true), op("authorize.consent", "skip", true)}, codeRequest(), func(u *url.URL, _ string) bool { return u != nil && u.Query().Has("code") }},
		{"code in the fragment", []profiles.Op{op("authorize.response", "in", "fragment")}, codeRequest(), func(u *url.URL, _ string) bool {
			return u != nil && u.RawQuery == "" && strings.Contains(u.Fragment, "code=")
		}},
		{"only for a response type", []profiles.Op{op("authorize.response", "in", "fragment", "when", set("response_type", "token"))}, codeRequest(), func(u *url.URL, _ string) bool { return u != nil && u.Query().Has("code") }},
		{"state altered", []profiles.Op{op("authorize.response", "transform", set("state", []any{"upper", "truncate:2"}))}, codeRequest(), func(u *url.URL, _ string) bool { return u != nil && u.Query().Get("state") == "XY" }},
		{"state raw", []profiles.Op{op("authorize.response", "escape", set("state", "raw"))}, codeRequest("state", "a+b&c=d"), func(u *url.URL, _ string) bool { return u != nil && strings.Contains(u.RawQuery, "state=a+b&c=d") }},
		{"twice encoded", []profiles.Op{op("authorize.response", "escape", set("*", "double"))}, codeRequest("state", "a b"), func(u *url.URL, _ string) bool { return u != nil && u.Query().Get("state") == "a+b" }},
		{"parameter repeated", []profiles.Op{op("authorize.response", "params", set("repeat", "code"))}, codeRequest(), func(u *url.URL, _ string) bool { return u != nil && len(u.Query()["code"]) == 2 }},
		{"code and error", []profiles.Op{op("authorize.response", "params", set("set", set("error", "server_error")))}, codeRequest(), func(u *url.URL, _ string) bool { return u != nil && u.Query().Has("code") && u.Query().Has("error") }},
		{"query dropped", []profiles.Op{op("authorize.response", "drop_query", true)}, codeRequest("redirect_uri", "https://client.example/callback?tenant=1&x=a%20b"), func(u *url.URL, _ string) bool { return u != nil && !u.Query().Has("tenant") && u.Query().Has("code") }},
		{"second question mark", []profiles.Op{op("authorize.response", "joiner", "?")}, codeRequest("redirect_uri", "https://client.example/callback?tenant=1&x=a%20b"), func(u *url.URL, _ string) bool { return u != nil && strings.Count(u.String(), "?") == 2 }},
		{"no redirect", []profiles.Op{op("authorize.response", "via", "page")}, codeRequest(), func(u *url.URL, page string) bool { return u == nil && strings.Contains(page, "You are signed in") }},
		{"meta refresh", []profiles.Op{op("authorize.response", "via", "meta")}, codeRequest(), func(u *url.URL, page string) bool {
			return u == nil && strings.Contains(page, `http-equiv="refresh" content="0; url=https://client.example/callback?code=`)
		}},
		{"script", []profiles.Op{op("authorize.response", "via", "script")}, codeRequest(), func(u *url.URL, page string) bool { return u == nil && strings.Contains(page, "location.replace(") }},
		{"link", []profiles.Op{op("authorize.response", "via", "link")}, codeRequest(), func(u *url.URL, page string) bool {
			return u == nil && strings.Contains(page, `<a href="https://client.example/callback?code=`)
		}},
		{"form with GET", []profiles.Op{op("authorize.response", "via", "form")}, codeRequest(), func(u *url.URL, page string) bool {
			return u == nil && strings.Contains(page, `name="code"`) && strings.Contains(page, `method="get"`)
		}},
		{"error in the fragment", []profiles.Op{op("authorize.error", "in", "fragment")}, codeRequest("scope", "nonsense"), func(u *url.URL, _ string) bool {
			return u != nil && u.RawQuery == "" && strings.Contains(u.Fragment, "error=invalid_scope")
		}},
		{"error page in place of a redirect", []profiles.Op{op("authorize.scope.known", "refuse", set("page", true))}, codeRequest("scope", "nonsense"), func(u *url.URL, page string) bool { return u == nil && strings.Contains(page, "invalid_scope") }},
		{"empty error page", []profiles.Op{op("authorize.error_page", "body", "")}, codeRequest("client_id", "nobody"), func(u *url.URL, page string) bool { return u == nil && page == "" }},
		{"reflection", []profiles.Op{op("authorize.error_page", "append", "<p>${request:client_id}</p>")}, codeRequest("client_id", `"><oauthcheck>`), func(u *url.URL, page string) bool { return strings.Contains(page, "<oauthcheck></p></body>") }},
		{"state mandatory", []profiles.Op{op("authorize.state", "always", true, "when", set("absent", "state"))}, codeRequest("state", "-"), func(u *url.URL, _ string) bool { return u != nil && u.Query().Get("error") == "invalid_request" }},
		{"empty state refused", []profiles.Op{op("authorize.state", "always", true, "when", set("empty", "state"))}, codeRequest("state", ""), func(u *url.URL, _ string) bool { return u != nil && u.Query().Get("error") == "invalid_request" }},
		{"empty redirect_uri not ignored", []profiles.Op{op("authorize.parameters", "mode", "keep-empty", "names", "redirect_uri")}, codeRequest("client_id", "web-app-2", "redirect_uri", ""), func(u *url.URL, page string) bool { return u == nil }},
		{"empty response_type accepted", []profiles.Op{op("authorize.parameters", "mode", "keep-empty", "names", "response_type"), op("authorize.response_type.known", "skip", true, "when", set("empty", "response_type"))}, codeRequest("response_type", ""), func(u *url.URL, _ string) bool { return u != nil && u.Query().Has("code") }},
		{"challenge in the code", []profiles.Op{op("code.generate", "set", "${random:30}.${code_challenge}")}, codeRequest("code_challenge", challenge, "code_challenge_method", "S256"), func(u *url.URL, _ string) bool {
			return u != nil && strings.HasSuffix(u.Query().Get("code"), "."+challenge)
		}},
		{"header injected", []profiles.Op{op("authorize.response", "header", set("inject", "${request:state}"), "params", set("set", set("state", "seen")))}, codeRequest("state", "x"), func(u *url.URL, _ string) bool { return u != nil && u.Query().Get("state") == "seen" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, mockprovider.WithDeviation(deviation("under-test", test.ops...), nil))
			u, page := newBrowser(t, p).authorize(test.params)
			if !test.want(u, page) {
				t.Errorf("sent to %v, page %q", u, page)
			}
			found := false
			for _, r := range p.Requests() {
				found = found || len(r.Deviations) > 0
			}
			if !found && test.name != "only for a response type" {
				t.Error("the request log does not name the deviation")
			}
		})
	}
}

func TestRedirectModes(t *testing.T) {
	for mode, uri := range map[string]string{
		"prefix": callback + ".evil", "path-prefix": callback + "/../x", "suffix": "https://evil.example/?" + callback, "contains": "https://evil.example/?u=" + callback + "&x", "host": "https://client.example/elsewhere",
		"host-name": "http://client.example:8080/", "any-host": "https://evil.example/callback", "any-path": "https://client.example/x?y", "any-port": "https://client.example:8443/callback",
		"any-scheme": "http://client.example/callback", "any-query": callback + "?x=1", "userinfo": "https://evil@client.example/callback", "subdomain": "https://evil.client.example/callback",
		"host-suffix": "https://evilclient.example/callback", "host-prefix": "https://client.example.evil.example/callback", "scheme-case": "HTTPS://client.example/callback",
		"host-case": "https://Client.Example/callback", "path-case": "https://client.example/CALLBACK", "case-insensitive": "https://client.example/CallBack", "default-port": "https://client.example:443/callback",
		"trailing-slash": callback + "/", "dot-segments": "https://client.example/x/../callback", "double-slash": "https://client.example//callback",
		"decoded": "https://client.example/%63allback", "decoded-twice": "https://client.example/%2563allback", "normalised": "https://CLIENT.example:443/./%63allback",
	} {
		strict := start(t)
		if u, _ := newBrowser(t, strict).authorize(codeRequest("redirect_uri", uri)); u != nil {
			t.Errorf("strict: %s: sent to %s", uri, u)
		}
		p := start(t, mockprovider.WithDeviation(deviation(mode, op("authorize.redirect_uri.match", "mode", mode)), nil))
		u, page := newBrowser(t, p).authorize(codeRequest("redirect_uri", uri))
		if u == nil {
			t.Errorf("%s: %s refused: %s", mode, uri, page)
		}
		if u, _ := newBrowser(t, p).authorize(codeRequest("redirect_uri", "https://unrelated.example/nowhere")); u != nil {
			t.Errorf("%s: sent to %s", mode, u)
		}
	}
}

// TestParallelLogins is for the race detector.
func TestParallelLogins(t *testing.T) {
	p := mockprovider.New(t)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			jarred := newBrowser(t, p)
			location, page := jarred.authorize(codeRequest("scope", "openid read"))
			if location == nil {
				t.Error(page)
				return
			}
			response, err := http.PostForm(p.Endpoint("token"), url.Values{"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")},
				"redirect_uri": {callback}, "client_id": {"web-app"}, "client_secret": {webSecret}})
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if response.StatusCode != 200 {
				t.Error(response.Status)
			}
			p.Requests()
			p.Describe()
			p.Clock().Advance(1)
		})
	}
	group.Wait()
}

func TestHybrid(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"hybrid": true}))
	expect(t, p).GET(p.Describe().Endpoints["metadata"]).Expect().JSON().Object().
		HasValue("response_types_supported", []string{"code", "code id_token", "code token", "code id_token token", "id_token"}).
		Value("grant_types_supported").Array().ContainsAll("implicit")
	request := func(p *mockprovider.Provider, client, responseType string, more url.Values) (url.Values, string) {
		params := url.Values{"response_type": {responseType}, "client_id": {client}, "scope": {"openid read"}, "state": {"xyz"}, "nonce": {"n-1"}}
		if client == "web-app" {
			params.Set("redirect_uri", "https://client.example/callback")
		}
		for name, values := range more {
			params[name] = values
		}
		location, page := newBrowser(t, p).authorize(params)
		if location == nil {
			t.Fatalf("%s: %s", responseType, page)
		}
		fragment, err := url.ParseQuery(location.EscapedFragment())
		if err != nil {
			t.Fatal(err)
		}
		return fragment, location.RawQuery
	}
	for responseType, members := range map[string]string{
		"code id_token": "code id_token", "id_token code": "code id_token", "code token": "access_token code", "token id_token code": "access_token code id_token", "id_token": "id_token",
	} {
		got, query := request(p, "hybrid-app", responseType, nil)
		for _, name := range []string{"code", "access_token", "id_token"} {
			if got.Has(name) != slices.Contains(strings.Fields(members), name) {
				t.Errorf("%s: %v, want %s", responseType, got, members)
			}
		}
		if query != "" || got.Get("state") != "xyz" {
			t.Errorf("%s: query %q, state %q", responseType, query, got.Get("state"))
		}
		if got.Has("id_token") {
			claims, _, err := claimsOf(t, p, got.Get("id_token"))
			if err != nil {
				t.Fatal(err)
			}
			if _, hashed := claims["c_hash"]; hashed != got.Has("code") || claims["nonce"] != "n-1" {
				t.Errorf("%s: %v", responseType, claims)
			}
			if _, hashed := claims["at_hash"]; hashed != got.Has("access_token") {
				t.Errorf("%s: %v", responseType, claims)
			}
		}
		if got.Has("code") {
			expect(t, p).POST(p.Endpoint("token")).WithBasicAuth("hybrid-app", "not-a-secret.hybrid-app.0123456789abcdef").
				WithFormField("grant_type", "authorization_code").WithFormField("code", got.Get("code")).Expect().Status(200)
		}
	}
	for _, refused := range []struct {
		client, responseType string
		more                 url.Values
		error                string
	}{
		{"hybrid-app", "code id_token", url.Values{"nonce": {""}}, "invalid_request"},
		{"hybrid-app", "id_token", url.Values{"scope": {"read"}}, "invalid_scope"},
		{"hybrid-app", "code  id_token", nil, "unsupported_response_type"},
		{"hybrid-app", "token", nil, "unsupported_response_type"},
		{"hybrid-app", "code token", url.Values{"response_mode": {"query"}}, "invalid_request"},
		{"web-app", "code id_token token", nil, "unauthorized_client"},
	} {
		if got, _ := request(p, refused.client, refused.responseType, refused.more); got.Get("error") != refused.error {
			t.Errorf("%v: %v", refused, got)
		}
	}
	ordered := start(t, mockprovider.WithSettings(map[string]any{"hybrid": true}), mockprovider.WithDeviation(deviation("o", op("authorize.response_type.known", "mode", "ordered")), nil))
	if got, _ := request(ordered, "hybrid-app", "code id_token", nil); !got.Has("code") {
		t.Error(got)
	}
	if got, _ := request(ordered, "hybrid-app", "id_token code", nil); got.Get("error") != "unsupported_response_type" {
		t.Error(got)
	}
	strict := start(t)
	if location, _ := newBrowser(t, strict).authorize(url.Values{"response_type": {"code id_token"}, "client_id": {"hybrid-app"}, "scope": {"openid"}, "nonce": {"n"}}); location == nil || !strings.Contains(location.Fragment, "unsupported_response_type") {
		t.Error(location)
	}
}
