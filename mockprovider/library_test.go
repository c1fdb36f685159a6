package mockprovider_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

const appCallback = "https://app.example/callback"

// library starts a provider over a socket with a client "app" and a user "carol".
func library(t *testing.T, opts ...mockprovider.Option) *mockprovider.Provider {
	t.Helper()
	return mockprovider.New(t, append([]mockprovider.Option{
		mockprovider.Client("app", "app-secret", appCallback),
		mockprovider.User("carol", "sesame", mockprovider.Claims{"name": "Carol", "email": "carol@example.com", "role": "editor"}),
	}, opts...)...)
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return m
}

func send(t *testing.T, p *mockprovider.Provider, method, target string, form url.Values, header ...string) reply {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
	}
	client := p.HTTPClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Timeout = 20 * time.Second
	response, err := client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(read), err}
}

// credentials is a client_credentials request of the client app.
func credentials(more ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"app-secret"}, "scope": {"read"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func tokenRequest(t *testing.T, p *mockprovider.Provider, more ...string) reply {
	t.Helper()
	return send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), credentials(more...))
}

// authorizeURL is where the client app sends the browser.
func authorizeURL(p *mockprovider.Provider, more ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {appCallback}, "scope": {"openid profile email read"}, "state": {"xyz"}, "nonce": {"n-1"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return p.Endpoint(mockprovider.AuthorizationEndpoint) + "?" + q.Encode()
}

func redeemCode(t *testing.T, p *mockprovider.Provider, code string) map[string]any {
	t.Helper()
	r := send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {appCallback}, "client_id": {"app"}, "client_secret": {"app-secret"}})
	if r.status != 200 {
		t.Fatal(r)
	}
	return r.json(t)
}

// claims are the claims of a JWT, its signature unseen.
func claims(t *testing.T, token any) map[string]any {
	t.Helper()
	text, _ := token.(string)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %v", token)
	}
	return segment(t, parts[1])
}

func TestProgrammedAnswers(t *testing.T) {
	t.Parallel()
	p := library(t)
	ok := func(what string) {
		t.Helper()
		if r := tokenRequest(t, p); r.status != 200 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Error(400, "invalid_grant")))
	r := tokenRequest(t, p)
	if r.status != 400 || r.json(t)["error"] != "invalid_grant" || r.header.Get("Cache-Control") != "no-store" {
		t.Error(r)
	}
	ok("once, then well")

	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.RetryAfter(3*time.Second).Repeat(2), mockprovider.Error(0, "invalid_client")))
	for range 2 {
		if r := tokenRequest(t, p); r.status != 429 || r.header.Get("Retry-After") != "3" {
			t.Error(r)
		}
	}
	if r := tokenRequest(t, p); r.status != 401 || r.header.Get("WWW-Authenticate") == "" {
		t.Error(r)
	}
	ok("after the sequence")

	must(t, p.On(mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "app", Grant: "client_credentials", Nth: 2},
		mockprovider.Respond(503, "text/html", "<h1>down ${request:scope}</h1>").With("X-Reason", "test")))
	must(t, p.On(mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "other"}, mockprovider.Status(500)))
	ok("first of two")
	if r := tokenRequest(t, p); r.status != 503 || r.body != "<h1>down ${request:scope}</h1>" || r.header.Get("X-Reason") != "test" || r.header.Get("Content-Type") != "text/html" {
		t.Error(r)
	}
	ok("third")
	if pending := p.Pending(); len(pending) != 1 || !strings.Contains(pending[0], "client=other") {
		t.Error(pending)
	}
	p.ForgetAnswers()
	if len(p.Pending()) != 0 {
		t.Error(p.Pending())
	}

	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Members(mockprovider.Claims{"expires_in": "soon", "token_type": nil})))
	if o := tokenRequest(t, p).json(t); o["expires_in"] != "soon" || o["token_type"] != nil || o["access_token"] == nil {
		t.Error(o)
	}
	refusal := mockprovider.Error(400, "invalid_grant")
	refusal.Members = mockprovider.Claims{"error_codes": []any{50126}, "error_description": nil}
	must(t, p.Next(mockprovider.TokenEndpoint, refusal, mockprovider.Members(mockprovider.Claims{"trace": "x"})))
	if o := tokenRequest(t, p).json(t); fmt.Sprint(o) != "map[error:invalid_grant error_codes:[50126]]" {
		t.Error(o)
	}
	if o := tokenRequest(t, p, "client_secret", "wrong").json(t); o["error"] != "invalid_client" || o["trace"] != "x" {
		t.Error(o)
	}
	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Misbehave("token-response-cacheable")))
	if r := tokenRequest(t, p); r.status != 200 || r.header.Get("Cache-Control") == "no-store" {
		t.Error(r)
	}
	if last := p.Requests().Last(); !slices.Equal(last.Deviations, []string{"token-response-cacheable"}) {
		t.Error(last)
	}
	must(t, p.Next(mockprovider.TokenEndpoint, mockprovider.Reset(), mockprovider.Truncate(10), mockprovider.Answer{}, mockprovider.RespondJSON(200, map[string]any{"access_token": 7})))
	if r := tokenRequest(t, p); r.err == nil {
		t.Error("no error for a reset:", r)
	}
	if r := tokenRequest(t, p); !errors.Is(r.err, io.ErrUnexpectedEOF) || len(r.body) != 10 {
		t.Error(r)
	}
	ok("the zero answer")
	if r := tokenRequest(t, p); r.body != `{"access_token":7}` {
		t.Error(r)
	}
	must(t, p.Next(mockprovider.JWKSEndpoint, mockprovider.Status(503).Repeat(-1)))
	for range 3 {
		if r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.JWKSEndpoint), nil); r.status != 503 {
			t.Error(r)
		}
	}
	access := p.Mint(t, mockprovider.Claims{"client_id": "app"}).AccessToken
	must(t, p.Next(mockprovider.UserinfoEndpoint, mockprovider.Error(401, "invalid_token")))
	userinfo := func() reply {
		return send(t, p, http.MethodGet, p.Endpoint(mockprovider.UserinfoEndpoint), nil, "Authorization", "Bearer "+access)
	}
	if r := userinfo(); r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Error(r)
	}
	if r := userinfo(); r.status != 200 {
		t.Error(r)
	}
	must(t, p.Next(mockprovider.AuthorizationEndpoint, mockprovider.Error(0, "temporarily_unavailable"), mockprovider.ApproveAs("carol", "openid"), mockprovider.DenyAs("carol")))
	for _, want := range []string{"error=temporarily_unavailable", "code=", "error=access_denied"} {
		if r := send(t, p, http.MethodGet, authorizeURL(p), nil); !strings.HasPrefix(r.header.Get("Location"), appCallback+"?") || !strings.Contains(r.header.Get("Location"), want) {
			t.Errorf("%s: %+v", want, r)
		}
	}
}

func TestProgrammingMistakesFail(t *testing.T) {
	t.Parallel()
	p, err := mockprovider.NewHandler()
	must(t, err)
	five := 5
	text := ""
	for what, err := range map[string]error{
		"endpoint":       p.Next("tokn", mockprovider.Status(500)),
		"no answer":      p.Next("token"),
		"status":         p.Next("token", mockprovider.Status(99)),
		"deviation":      p.Next("token", mockprovider.Misbehave("token-response-cachable")),
		"user":           p.Next("authorize", mockprovider.ApproveAs("alicia")),
		"two bodies":     p.Next("token", mockprovider.Answer{Body: &text, JSON: five}),
		"error and body": p.Next("token", mockprovider.Answer{Body: &text, Error: "x"}),
		"user match":     p.On(mockprovider.Match{User: "alice"}, mockprovider.Status(500)),
		"deviate":        p.Deviate("token-response-cachable"),
		"claims":         p.NextToken(nil),
		"claims match":   p.SetClaims(mockprovider.Match{Nth: 1}, mockprovider.Claims{"a": 1}),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		} else {
			t.Log(err)
		}
	}
	// With a provider that New made, nobody has to look at the error.
	probe := &failingTB{TB: t}
	func() {
		p := mockprovider.New(probe)
		_ = p.Next("tokn", mockprovider.Status(500))
		_ = p.Deviate("no-such-deviation")
	}()
	if probe.errors != 2 {
		t.Errorf("%d errors, want 2", probe.errors)
	}
}

// failingTB counts errors instead of failing.
type failingTB struct {
	testing.TB
	errors   int
	messages []string
}

func (f *failingTB) Errorf(string, ...any) { f.errors++ }
func (f *failingTB) Failed() bool          { return f.errors > 0 }
func (f *failingTB) Log(args ...any)       { f.messages = append(f.messages, args[0].(string)) }

func TestFailedTestShowsRequests(t *testing.T) {
	t.Parallel()
	var probe *failingTB
	t.Run("inner", func(t *testing.T) {
		probe = &failingTB{TB: t, errors: 1}
		p := mockprovider.New(probe, mockprovider.Client("app", "app-secret", appCallback), mockprovider.Seed(7))
		tokenRequest(t, p, "client_secret", "wrong")
		must(t, p.Next(mockprovider.JWKSEndpoint, mockprovider.Status(503)))
	})
	text := strings.Join(probe.messages, "\n")
	for _, want := range []string{"POST /token", "invalid_client", "token.client_authentication.secret", "client app", "endpoint=jwks: 503", "Seed(7)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func TestLatch(t *testing.T) {
	t.Parallel()
	p := library(t)
	latch := p.Latch("refresh")
	must(t, p.Next(mockprovider.TokenEndpoint, latch.Hold().Repeat(2)))
	done := make(chan reply)
	for range 2 {
		go func() { done <- tokenRequest(t, p) }()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	must(t, latch.Await(ctx, 2))
	if latch.Held() != 2 {
		t.Error(latch.Held())
	}
	if r := tokenRequest(t, p); r.status != 200 { // a third is not held
		t.Error(r)
	}
	latch.Open()
	for range 2 {
		if r := <-done; r.status != 200 {
			t.Error(r)
		}
	}
	latch.Shut()
	expired, cancelled := context.WithCancel(t.Context())
	cancelled()
	if err := latch.Await(expired, 1); err == nil {
		t.Error("nobody waits")
	}
	must(t, p.Next(mockprovider.TokenEndpoint, latch.Hold()))
	go func() { done <- tokenRequest(t, p) }()
	must(t, latch.Await(ctx, 1))
	must(t, p.Close()) // lets go what is held
	<-done
}

func TestClaims(t *testing.T) {
	t.Parallel()
	p := library(t, mockprovider.JWTAccessTokens(), mockprovider.SignWith("ES256"),
		mockprovider.WithSettings(map[string]any{"claims": []any{map[string]any{"when": map[string]any{"client": "app"}, "set": map[string]any{"tenant": "${request:tenant}"}}}}))
	at := time.Unix(1700000000, 0)
	must(t, p.SetClaims(mockprovider.Match{User: "carol"}, mockprovider.Claims{"groups": []any{"a", "b"}, "since": at}))
	must(t, p.SetClaims(mockprovider.Match{User: "alice"}, mockprovider.Claims{"role": "nobody"}))
	must(t, p.NextToken(mockprovider.Claims{"role": "admin", "auth_time": nil}))
	login := func() (id, access, userinfo, introspected map[string]any) {
		o := redeemCode(t, p, p.Approve(t, authorizeURL(p, "tenant", "blue"), "carol").Code)
		userinfo = send(t, p, http.MethodGet, p.Endpoint(mockprovider.UserinfoEndpoint), nil, "Authorization", "Bearer "+o["access_token"].(string)).json(t)
		introspected = send(t, p, http.MethodPost, p.Endpoint(mockprovider.IntrospectionEndpoint), url.Values{"token": {o["access_token"].(string)}, "client_id": {"app"}, "client_secret": {"app-secret"}}).json(t)
		return claims(t, o["id_token"]), claims(t, o["access_token"]), userinfo, introspected
	}
	for i, role := range []string{"admin", "editor"} {
		id, access, userinfo, introspected := login()
		for where, got := range map[string]map[string]any{"id token": id, "access token": access, "userinfo": userinfo, "introspection": introspected} {
			if got["role"] != role || got["tenant"] != "blue" || len(got["groups"].([]any)) != 2 || got["since"] != float64(1700000000) {
				t.Errorf("login %d, %s: %v", i, where, got)
			}
		}
		if _, ok := id["auth_time"]; ok != (i == 1) {
			t.Errorf("login %d: auth_time: %v", i, id)
		}
		if userinfo["email"] != "carol@example.com" || id["email"] != nil || id["nonce"] != "n-1" {
			t.Error(userinfo, id)
		}
	}
	p.ForgetClaims()
	if id, _, _, _ := login(); id["groups"] != nil || id["tenant"] != "blue" || id["role"] != "editor" {
		t.Error(id)
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	p := library(t)
	tokens := p.Mint(t, mockprovider.Claims{"sub": "carol", "scope": "openid read", "nonce": "n", "level": 3})
	id := claims(t, tokens.IDToken)
	if id["aud"] != "app" || id["sub"] != "user-carol" || id["nonce"] != "n" || id["level"] != float64(3) || id["role"] != "editor" {
		t.Error(id)
	}
	if r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.ResourceEndpoint), nil, "Authorization", "Bearer "+tokens.AccessToken); r.status != 200 {
		t.Error(r)
	}
	if r := send(t, p, http.MethodPost, p.Endpoint(mockprovider.TokenEndpoint), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}, "client_id": {"app"}, "client_secret": {"app-secret"}}); r.status != 200 {
		t.Error(r)
	}
	expired := p.Mint(t, mockprovider.Claims{"exp": p.Clock().Now().Add(-time.Hour), "sub": "somebody"})
	if r := send(t, p, http.MethodGet, p.Endpoint(mockprovider.ResourceEndpoint), nil, "Authorization", "Bearer "+expired.AccessToken); r.status != 401 {
		t.Error(r)
	}
	if id := claims(t, expired.IDToken); id["sub"] != "somebody" || id["exp"].(float64) > float64(time.Now().Unix()) {
		t.Error(id)
	}
	must(t, p.Deviate("token-response-cacheable"))
	if _, err := p.Issue(mockprovider.Issuance{Client: "ap"}); err == nil || !strings.Contains(err.Error(), `"app"`) {
		t.Error(err)
	}
	if _, err := p.Issue(mockprovider.Issuance{User: "carl"}); err == nil || !strings.Contains(err.Error(), `"carol"`) {
		t.Error(err)
	}
	own, err := p.Issue(mockprovider.Issuance{Client: "service", Scopes: []string{"read"}, Lifetime: time.Minute, Audience: []string{"https://api.example"}})
	if err != nil || own.ExpiresIn != 60 || own.IDToken != "" {
		t.Error(own, err)
	}
}

func TestApproveAndDeny(t *testing.T) {
	t.Parallel()
	p := library(t)
	callback := p.Approve(t, authorizeURL(p), "carol", "openid", "read")
	if callback.State != "xyz" || callback.Code == "" || !strings.HasPrefix(callback.URL, appCallback+"?") || callback.Params.Get("iss") != p.Issuer() {
		t.Error(callback)
	}
	if o := redeemCode(t, p, callback.Code); o["scope"] != "openid read" {
		t.Error(o)
	}
	if denied := p.Deny(t, authorizeURL(p), "carol"); denied.Error != "access_denied" || denied.Code != "" || denied.State != "xyz" {
		t.Error(denied)
	}
	if posted := p.Approve(t, authorizeURL(p, "response_mode", "form_post"), "carol"); posted.Code == "" || posted.URL != appCallback {
		t.Error(posted)
	}
	if fragment := p.Approve(t, authorizeURL(p, "response_mode", "fragment"), "carol"); fragment.Code == "" || !strings.Contains(fragment.URL, "#") {
		t.Error(fragment)
	}
	for what, want := range map[string][]string{
		authorizeURL(p, "redirect_uri", "https://evil.example/"): {"redirect_uri is not registered"},
		p.Endpoint("token"): {"not the authorization endpoint"},
	} {
		if _, err := p.Authorize(t.Context(), what, mockprovider.Decision{}); err == nil || !strings.Contains(err.Error(), want[0]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := p.Authorize(t.Context(), authorizeURL(p), mockprovider.Decision{Scopes: []string{"write"}}); err == nil || !strings.Contains(err.Error(), "write") {
		t.Error(err)
	}
	if _, err := p.Authorize(t.Context(), authorizeURL(p), mockprovider.Decision{User: "carole"}); err == nil || !strings.Contains(err.Error(), "carol") {
		t.Error(err)
	}
	if log := p.Requests().To(mockprovider.AuthorizationEndpoint); len(log) != 6 || log[0].User != "carol" {
		t.Error(log)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	p := library(t)
	arrived := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		found, err := p.WaitFor(ctx, 2, mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "app"})
		if err == nil && len(found) < 2 {
			err = errors.New(found.String())
		}
		arrived <- err
	}()
	tokenRequest(t, p)
	tokenRequest(t, p, "scope", "write", "client_secret", "wrong")
	must(t, <-arrived)
	rs := p.Requests()
	rs.To(mockprovider.TokenEndpoint).By("app").Exactly(t, 2)
	one := rs.With("scope", "wri*").One(t)
	if one.Status != 401 || one.Error != "invalid_client" || one.Param("grant_type") != "client_credentials" || len(rs.Refused()) != 1 {
		t.Error(one)
	}
	if m := rs.Matching(mockprovider.Match{Grant: "client_*", Nth: 2}); len(m) != 1 || m[0].Status != 401 {
		t.Error(m)
	}
	if rs.Matching(mockprovider.Match{Nth: 9}) != nil || rs.To("jwks").Last().Endpoint != "" {
		t.Error("what did not happen")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.WaitFor(ctx, 1, mockprovider.Match{Endpoint: mockprovider.JWKSEndpoint}); err == nil || !strings.Contains(err.Error(), "POST /token") {
		t.Error(err)
	}
	p.ForgetRequests()
	if len(p.Requests()) != 0 {
		t.Error(p.Requests())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func segment(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64Raw(part)
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(raw, &m))
	return m
}

// What an option cannot mean is an error, never a panic or a provider that is not what was meant.
func TestOptionsThatMeanNothing(t *testing.T) {
	for says, option := range map[string]mockprovider.Option{
		"option 1 of 1 is nil":                   nil,
		"Configure needs a function":             mockprovider.Configure(nil),
		"WithProfile needs a profile":            mockprovider.WithProfile(nil),
		"not an absolute URI":                    mockprovider.Client("shop", "secret", "/callback"),
		`grants: "pasword"; did you mean`:        mockprovider.WithClient(mockprovider.RegisteredClient{ID: "shop", Grants: []string{"pasword"}}),
		`client_auth_methods: "basic"`:           mockprovider.Configure(func(s *mockprovider.Settings) { s.ClientAuthMethods = []string{"basic"} }),
		"not an http or https URL":               mockprovider.Issuer("ftp://idp.example"),
		"is not among the provider's scopes":     mockprovider.WithClient(mockprovider.RegisteredClient{ID: "shop", Scopes: []string{"orders"}}),
		"cors.origins: \"app\" is not an origin": mockprovider.CORS("app"),
	} {
		if _, err := mockprovider.NewHandler(option); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	own := mockprovider.WithSettings(map[string]any{"scopes": []string{"openid", "orders"}, "default_scope": []string{"orders"}}) // the ready-made clients stay
	if _, err := mockprovider.NewHandler(own, mockprovider.WithClient(mockprovider.RegisteredClient{ID: "shop", Scopes: []string{"orders"}})); err != nil {
		t.Error(err)
	}
}

// What is no endpoint's path can be a route of the test's own: an API, a page, a logout hook. Other answers do not go there.
func TestRoutesOfOnesOwn(t *testing.T) {
	t.Parallel()
	p := library(t, mockprovider.CORS("https://app.example"))
	must(t, p.Next(mockprovider.AnyEndpoint, mockprovider.Status(418)))
	must(t, p.On(mockprovider.Match{Path: "/api/*", Method: "GET"}, mockprovider.RespondJSON(200, map[string]any{"items": []int{}}).Repeat(-1)))
	must(t, p.On(mockprovider.Match{Endpoint: mockprovider.OtherPath, Path: "/hook"}, mockprovider.Error(400, "invalid_request"), mockprovider.Answer{}))
	get := func(method, path string, header ...string) reply {
		return send(t, p, method, p.Issuer()+path, nil, header...)
	}
	for range 2 {
		if r := get("GET", "/api/v1/orders", "Origin", "https://app.example"); r.status != 200 || string(r.body) != `{"items":[]}` || r.header.Get("Access-Control-Allow-Origin") == "" {
			t.Error(r.status, string(r.body), r.header)
		}
	}
	for _, want := range []struct {
		method, path string
		status       int
	}{{"POST", "/api/v1/orders", 404}, {"GET", "/favicon.ico", 404}, {"POST", "/hook", 400}, {"POST", "/hook", 404}, {"POST", "/hook", 404}, {"GET", "/jwks", 418}, {"GET", "/jwks", 200}} {
		if r := get(want.method, want.path); r.status != want.status {
			t.Errorf("%s %s: %d, want %d", want.method, want.path, r.status, want.status)
		}
	}
	p.Requests().To(mockprovider.OtherPath).Matching(mockprovider.Match{Path: "/api/*", Method: "GET"}).Exactly(t, 2)
}

// Claims that only code can say, by request and user; ForgetClaims leaves those of the configuration.
func TestClaimsOfAFunction(t *testing.T) {
	t.Parallel()
	p := library(t, mockprovider.WithSettings(map[string]any{"claims": []any{map[string]any{"set": map[string]any{"configured": true}}}}))
	must(t, p.SetClaimsFunc(mockprovider.Match{Client: "app"}, func(r mockprovider.Request) mockprovider.Claims {
		return mockprovider.Claims{"asked": r.Param("tenant"), "who": r.User, "at": r.Endpoint, "since": time.Unix(5, 0), "text": "${user}"}
	}))
	login := func() map[string]any {
		return claims(t, redeemCode(t, p, p.Approve(t, authorizeURL(p, "tenant", "blue"), "alice").Code)["id_token"])
	}
	for name, want := range map[string]any{"asked": "blue", "who": "alice", "at": "token", "since": 5.0, "text": "${user}", "configured": true} {
		if got := login()[name]; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	p.ForgetClaims()
	if id := login(); id["who"] != nil || id["configured"] != true {
		t.Error(id)
	}
	free, err := mockprovider.NewHandler()
	must(t, err)
	for says, err := range map[string]error{
		"nil":                    free.SetClaimsFunc(mockprovider.Match{}, nil),
		"claims.set.c: a token":  free.SetClaims(mockprovider.Match{}, mockprovider.Claims{"c": make(chan int)}),
		"nth":                    free.SetClaimsFunc(mockprovider.Match{Nth: 2}, func(mockprovider.Request) mockprovider.Claims { return nil }),
		"did you mean \"token\"": free.SetClaimsFunc(mockprovider.Match{Endpoint: "tokn"}, func(mockprovider.Request) mockprovider.Claims { return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}

// watched is a test that looks at who reports errors to it.
type watched struct {
	testing.TB
	helpers map[string]bool
	errors  []string // each with the functions of the package that would hide the line of the test
}

func (w *watched) Helper() {
	pc, _, _, _ := runtime.Caller(1)
	w.helpers[runtime.FuncForPC(pc).Name()] = true
}

func (w *watched) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	callers := make([]uintptr, 20)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for frame, more := frames.Next(); more && !strings.HasSuffix(frame.File, "_test.go"); frame, more = frames.Next() {
		if !w.helpers[frame.Function] {
			text += " (reported at " + frame.Function + ")"
		}
	}
	w.errors = append(w.errors, text)
}

func (w *watched) Cleanup(f func()) { w.TB.Cleanup(f) }

func (w *watched) Failed() bool { return false }

// A mistake is reported at the line of the test that made it.
func TestMistakesAreReportedAtTheirLine(t *testing.T) {
	w := &watched{TB: t, helpers: map[string]bool{}}
	p := mockprovider.New(w)
	nothing := func(mockprovider.Request) mockprovider.Claims { return nil }
	for name, call := range map[string]func(){
		"Deviate": func() { p.Deviate("nope") }, "DeviateWith": func() { p.DeviateWith(profiles.Deviation{Name: "x"}, nil) }, "Define": func() { p.Define(profiles.Deviation{}) },
		"Next": func() { p.Next("tokn") }, "On": func() { p.On(mockprovider.Match{Endpoint: "tokn"}) }, "Hold": func() { p.Hold("tokn") }, "HoldOn": func() { p.HoldOn(mockprovider.Match{Endpoint: "tokn"}) },
		"SetClaims": func() { p.SetClaims(mockprovider.Match{}, nil) }, "NextToken": func() { p.NextToken(nil) },
		"SetClaimsFunc": func() { p.SetClaimsFunc(mockprovider.Match{Endpoint: "tokn"}, nothing) },
		"Register":      func() { p.Register(mockprovider.RegisteredClient{ID: "x", Grants: []string{"magic"}}) },
	} {
		w.errors = nil
		if call(); len(w.errors) != 1 || strings.Contains(w.errors[0], "reported at") || strings.Count(w.errors[0], "mock provider") != 1 {
			t.Errorf("%s: %q", name, w.errors)
		}
	}
}
