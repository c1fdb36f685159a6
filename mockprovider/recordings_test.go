package mockprovider

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// recorded is one exchange with the real server.
type recorded struct {
	Name    string `json:"name"`
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	} `json:"response"`
}

// recording is a file of exchanges with what it takes to repeat them on the mock: the profile, clients and users as they were
// registered, and for each exchange by its name how to get what an earlier request that is not in the file had yielded.
type recording struct {
	file     string
	profile  string
	settings map[string]any
	issuer   string                       // "" for the usual one
	subject  string                       // what the recorder sent as a subject token
	code     func(name string) url.Values // the authorization request of a code that says nothing about itself
	before   map[string]func(*replay)     // what happens before an exchange
	twin     string                       // a recording whose exchanges of the same names have JWTs where this one has what tells nothing
}

func asRegistered(clients map[string]any) map[string]any {
	all := map[string]any{}
	for id := range readyMadeClients() {
		all[id] = nil
	}
	maps.Copy(all, clients)
	return map[string]any{"clients": all, "users": map[string]any{"user-1": map[string]any{"password": "fake-password", "sub": "user-1"}},
		"auto_user": "user-1", "login": "auto", "consent": "auto"}
}

// openid are settings with what userinfo says of the user.
func openid(settings map[string]any) map[string]any {
	settings = maps.Clone(settings)
	settings["users"] = map[string]any{"user-1": map[string]any{"password": "fake-password", "sub": "user-1",
		"claims": map[string]any{"name": "Fake User", "email": "user@example.com", "email_verified": true}}}
	return settings
}

func client(secret string, redirectURIs, grants, scopes []any) map[string]any {
	return map[string]any{"secret": secret, "public": secret == "", "redirect_uris": redirectURIs, "grants": grants, "scopes": scopes}
}

func list(items ...any) []any { return items }

func recordings() []recording {
	const exchange = tokenExchangeGrant
	all := list("authorization_code", "client_credentials", "refresh_token", "password", "implicit", exchange)
	scopes := list("read", "write", "openid", "profile", "email")
	ts := asRegistered(map[string]any{
		"web-app":   client("fake-secret-web", list("https://client.example.com/callback"), all, scopes),
		"other-app": client("fake-secret-other", list("https://other.example.com/callback"), list("authorization_code", "refresh_token", "client_credentials"), list("read")),
		"spa":       client("", list("http://localhost:8080/callback"), list("authorization_code", "refresh_token"), list("read", "write")),
		"multi":     client("fake-secret-multi", list("https://multi.example.com/one?x=1", "https://multi.example.com/two"), list("authorization_code"), list("read")),
		"cc-only":   client("fake-secret-cc", nil, list("client_credentials"), list("read")),
		"colon":     client("fake:secret", nil, list("client_credentials"), scopes),
		"plus":      client("fake secret+x", nil, list("client_credentials"), scopes),
	})
	tsBefore := map[string]func(*replay){
		"token.error.replayed_code": func(r *replay) { r.redeem(r.live(r.sent("code"))) },
		"token.error.expired_code":  func(r *replay) { r.live(r.sent("code")); r.p.Clock().Advance(16 * time.Minute) },
		"token.error.refresh_after_code_replay": func(r *replay) {
			r.tokens[r.claims(r.sent("refresh_token"))["access_token_id"].(string)] = r.replayed
		},
	}
	hex := list("authorization_code", "client_credentials", "refresh_token", "password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer")
	oauthsd := asRegistered(map[string]any{
		"web-app":    client("fake-secret-web", list("https://client.example.com/callback"), hex, list("basic", "openid", "profile", "email", "offline_access")),
		"other-app":  client("fake-secret-other", list("https://other.example.com/callback"), list("authorization_code", "refresh_token"), nil),
		"multi":      client("fake-secret-multi", list("https://multi.example.com/one", "https://multi.example.com/two?x=1"), hex, nil),
		"public-app": client("", list("https://public.example.com/callback"), hex, nil),
	})
	return []recording{
		{file: "ts-oauth2-server", profile: "ts-oauth2-server", settings: ts, subject: "fake-subject-token", before: tsBefore},
		{file: "ts-oauth2-server-extra", profile: "ts-oauth2-server", settings: ts},
		{file: "ts-oauth2-server-throwing", profile: "ts-oauth2-server+throwing-repository", settings: ts},
		{file: "ts-oauth2-server-opaque", profile: "ts-oauth2-server+opaque", settings: ts, before: tsBefore, twin: "ts-oauth2-server"},
		{file: "ts-oauth2-server-no-pkce", profile: "ts-oauth2-server+no-pkce", settings: ts},
		{file: "ts-oauth2-server-5", profile: "ts-oauth2-server+5", settings: ts, subject: "fake-subject-token", before: tsBefore},
		{file: "ts-oauth2-server-5-oidc", profile: "ts-oauth2-server+5+oidc", settings: openid(ts), issuer: "http://127.0.0.1:18530", subject: "fake-subject-token"},
		{file: "ts-oauth2-server-5-extra", profile: "ts-oauth2-server+5", settings: ts},
		{file: "ts-oauth2-server-5-throwing", profile: "ts-oauth2-server+throwing-repository+5", settings: ts},
		{file: "oauthsd-library", profile: "oauthsd+library", settings: oauthsd,
			code: func(name string) url.Values {
				q := url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "state": {"s"}, "nonce": {"fake-nonce"},
					"redirect_uri": {"https://client.example.com/callback"}, "scope": {"openid profile email offline_access"}}
				switch name {
				case "token.authorization_code.ok_basic_without_offline_access":
					q.Set("scope", "openid profile")
				case "token.authorization_code.ok_no_openid_scope", "token.error.scope_wider_than_code", "userinfo.no_openid_scope":
					q.Set("scope", "basic")
				case "token.authorization_code.ok_no_redirect_uri_in_authorize":
					q.Del("redirect_uri")
				}
				return q
			},
			before: map[string]func(*replay){
				"token.error.replayed_code": func(r *replay) { r.redeem(r.live(r.sent("code"))) },
				"token.error.expired_code":  func(r *replay) { r.live(r.sent("code")); r.p.Clock().Advance(31 * time.Second) },
			}},
	}
}

// replay repeats a recording on a provider. Values that the real server issued stand for those that the mock issues in their place.
type replay struct {
	t *testing.T
	recording
	p        *Provider
	exchange *recorded
	lives    map[string]string         // recorded code or token to the mock's
	tokens   map[string]map[string]any // recorded identifier of an access token to the mock's response
	replayed map[string]any            // tokens of the code that was redeemed twice
	twins    map[string]*recorded      // of the twin, by name
}

// TestRecordings repeats what was recorded from real servers on the mock in their manner, and compares status, headers and
// bodies, text by text. What differs is listed in testdata/recordings/differences.yaml, with the reason; nothing else may.
func TestRecordings(t *testing.T) {
	excuses := readDifferences(t)
	for _, rec := range recordings() {
		t.Run(rec.file, func(t *testing.T) {
			p, err := NewHandler(Issuer(cmp.Or(rec.issuer, "https://auth.example.com")), Profile(rec.profile), WithSettings(rec.settings),
				WithDeviation(askWhereDenied, nil))
			if err != nil {
				t.Fatal(err)
			}
			r := &replay{t: t, recording: rec, p: p, lives: map[string]string{}, tokens: map[string]map[string]any{}}
			if rec.twin != "" {
				r.twins = map[string]*recorded{}
				for _, e := range readRecording(t, rec.twin) {
					r.twins[e.Name] = &e
				}
			}
			for _, e := range readRecording(t, rec.file) {
				r.exchange = &e
				found := differences(&e, r.play())
				for _, what := range slices.Sorted(maps.Keys(found)) {
					if !excuses.excuse(rec.file, e.Name, what) {
						t.Errorf("%s: %s: %s", e.Name, what, found[what])
					}
				}
			}
		})
	}
	for _, d := range excuses {
		if !d.used {
			t.Errorf("differences.yaml: %s %s %s: there is no such difference any more", d.Recording, d.Exchange, d.What)
		}
	}
}

// askWhereDenied shows the consent page where the recorder's hook made the user refuse.
var askWhereDenied = profiles.Deviation{Name: "ask-where-denied", Do: profiles.Ops{{At: "authorize.consent", When: map[string]any{"param": map[string]any{"test_deny": "1"}}, Args: map[string]any{"always": true}}}}

func readRecording(t *testing.T, name string) []recorded {
	f, err := os.Open(filepath.Join("testdata", "recordings", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e recorded
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if len(all) == 0 || lines.Err() != nil {
		t.Fatalf("%s: %d exchanges, %v", name, len(all), lines.Err())
	}
	return all
}

// difference is an exchange, by glob, in which the mock differs in something, and why.
type difference struct {
	Recording string
	Exchange  string
	What      string // status, body, or the name of a header field
	Why       string
	used      bool
}

type differenceList []*difference

func readDifferences(t *testing.T) differenceList {
	text, err := os.ReadFile(filepath.Join("testdata", "recordings", "differences.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list differenceList
	if err := yaml.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.Why == "" {
			t.Errorf("differences.yaml: %s %s %s has no reason", d.Recording, d.Exchange, d.What)
		}
	}
	return list
}

func (l differenceList) excuse(recording, exchange, what string) bool {
	found := false
	for _, d := range l {
		if match(d.Recording, recording) && match(d.Exchange, exchange) && match(d.What, what) {
			d.used, found = true, true
		}
	}
	return found
}

func match(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return ok && err == nil
}

// play sends the recorded request, with live values in it, and learns from the answer which live values stand for the recorded ones.
func (r *replay) play() *httptest.ResponseRecorder {
	if before := r.before[r.exchange.Name]; before != nil {
		before(r)
	}
	q := r.exchange.Request
	w := r.send(q.Method, r.substitute(q.Path), r.substitute(q.Body), q.Headers)
	if strings.Contains(q.Path, "test_deny=1") && strings.Contains(w.Body.String(), `name="csrf_token"`) {
		w = r.deny(w)
	}
	r.learn(w)
	return w
}

func (r *replay) send(method, target, body string, headers map[string]string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	for name, value := range headers {
		if name == "Host" {
			req.Host = value
			continue
		}
		if token, ok := strings.CutPrefix(value, "Bearer "); ok && name == "Authorization" && token != "garbage" {
			value = "Bearer " + r.live(token)
		}
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.p.ServeHTTP(w, req)
	return w
}

var hidden = regexp.MustCompile(`name="(transaction|csrf_token)" value="([^"]+)"`)

// deny presses the button that refuses on the consent page.
func (r *replay) deny(page *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	form := url.Values{"decision": {"deny"}}
	for _, m := range hidden.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(m[1], m[2])
	}
	u, err := url.Parse(r.p.Endpoint("consent"))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.send("POST", u.Path, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded",
		"Cookie": strings.Split(page.Header().Get("Set-Cookie"), ";")[0]})
}

var (
	jwtForm    = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)
	hexToken   = regexp.MustCompile(`\b([0-9a-f]{40}|[0-9a-f]{80})\b`)
	issuedInTo = regexp.MustCompile(`(code|access_token|id_token)=([\w.-]+)`)
)

// substitute puts live values in place of recorded ones.
func (r *replay) substitute(text string) string {
	text = jwtForm.ReplaceAllStringFunc(text, r.live)
	text = hexToken.ReplaceAllStringFunc(text, r.live)
	if r.subject != "" && strings.Contains(text, r.subject) {
		text = strings.ReplaceAll(text, r.subject, url.QueryEscape(r.live(r.subject)))
	}
	return text
}

// sent is a parameter of the recorded request.
func (r *replay) sent(name string) string {
	form, _ := url.ParseQuery(r.exchange.Request.Body)
	return form.Get(name)
}

// live is the mock's value for a recorded one. What comes from a request that is not in the recording is fetched: what a JWT
// says of itself, or the exchange's name, tells how.
func (r *replay) live(value string) string {
	if known, ok := r.lives[value]; ok {
		return known
	}
	r.lives[value] = r.fetch(value)
	return r.lives[value]
}

func (r *replay) fetch(value string) string {
	if value == r.subject {
		return r.pair("web-app", "read write")["access_token"].(string)
	}
	claims := r.claims(value)
	if broken, ok := strings.CutSuffix(r.telling(value), "AAAAAA"); ok && claims != nil { // the recorder spoilt the signature
		for known, live := range r.lives {
			if strings.HasPrefix(known, broken) {
				return live[:len(live)-6] + "AAAAAA"
			}
		}
		live := r.newCode(r.codeRequest(claims))
		return live[:len(live)-6] + "AAAAAA"
	}
	switch {
	case claims == nil && strings.HasPrefix(r.exchange.Name, "userinfo"):
		return r.redeem(r.newCode(r.code(r.exchange.Name)))["access_token"].(string)
	case claims == nil:
		return r.newCode(r.code(r.exchange.Name))
	case claims["auth_code_id"] != nil:
		return r.newCode(r.codeRequest(claims))
	}
	id, member := claims["jti"], "access_token"
	if id == nil {
		id, member = claims["access_token_id"], "refresh_token"
	}
	if r.tokens[id.(string)] == nil {
		scope, _ := claims["scope"].(string)
		if claims["jti"] != nil && claims["sub"] == nil { // nobody's token
			r.tokens[id.(string)] = r.token(url.Values{"grant_type": {"client_credentials"}, "scope": {scope}})
		} else {
			r.tokens[id.(string)] = r.pair("web-app", scope)
		}
	}
	return r.tokens[id.(string)][member].(string)
}

func (r *replay) claims(token string) map[string]any {
	parts := strings.Split(r.telling(token), ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return claims
}

// telling is a code or token as the twin has it, whose JWTs tell more.
func (r *replay) telling(token string) string {
	if twin := r.twins[r.exchange.Name]; twin != nil {
		return cmp.Or(twin.valueAt(r.exchange, token), token)
	}
	return token
}

// valueAt is the parameter that has the value in another exchange.
func (e *recorded) valueAt(other *recorded, value string) string {
	ours := e.parameters()
	for name, v := range other.parameters() {
		if v[0] == value {
			return ours.Get(name)
		}
	}
	return ""
}

// parameters are those of a form or a JSON object.
func (e *recorded) parameters() url.Values {
	var object map[string]string
	if json.Unmarshal([]byte(e.Request.Body), &object) == nil {
		values := url.Values{}
		for name, v := range object {
			values.Set(name, v)
		}
		return values
	}
	values, _ := url.ParseQuery(e.Request.Body)
	return values
}

// codeRequest is the authorization request that a code in JWT form came from.
func (r *replay) codeRequest(claims map[string]any) url.Values {
	q := url.Values{"response_type": {"code"}}
	for _, name := range []string{"client_id", "redirect_uri", "code_challenge", "code_challenge_method", "nonce"} {
		if v, ok := claims[name].(string); ok {
			q.Set(name, v)
		}
	}
	for _, scope := range claims["scopes"].([]any) {
		q.Set("scope", strings.TrimSpace(q.Get("scope")+" "+scope.(string)))
	}
	return q
}

const recordedVerifier = "fake-verifier-0123456789-abcdefghijklmnopqrstuvwxyz"

// pair are fresh tokens of a user.
func (r *replay) pair(client, scope string) map[string]any {
	q := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {"https://client.example.com/callback"}, "scope": {scope},
		"code_challenge": {"UGabefOy04PGSwE8r2regzUpjOv3s3b-B6535dMR02k"}, "code_challenge_method": {"S256"}}
	return r.redeem(r.newCode(q))
}

func (r *replay) newCode(q url.Values) string {
	w := r.send("GET", "/authorize?"+q.Encode(), "", nil)
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || u.Query().Get("code") == "" {
		r.t.Fatalf("%s: no code: %d %s %s", r.exchange.Name, w.Code, w.Header().Get("Location"), w.Body)
	}
	return u.Query().Get("code")
}

func (r *replay) redeem(code string) map[string]any {
	r.replayed = r.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://client.example.com/callback"}, "code_verifier": {recordedVerifier}})
	return r.replayed
}

// token is the answer to a token request of web-app.
func (r *replay) token(form url.Values) map[string]any {
	form.Set("client_id", "web-app")
	form.Set("client_secret", "fake-secret-web")
	w := r.send("POST", "/token", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	var tokens map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &tokens); err != nil || tokens["access_token"] == nil {
		r.t.Fatalf("%s: no tokens: %d %s", r.exchange.Name, w.Code, w.Body)
	}
	return tokens
}

// learn notes which of the mock's values stand for those of the recorded answer.
func (r *replay) learn(w *httptest.ResponseRecorder) {
	var was, is map[string]any
	if json.Unmarshal([]byte(r.exchange.Response.Body), &was) != nil || json.Unmarshal(w.Body.Bytes(), &is) != nil {
		return
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		recordedValue, ok1 := was[name].(string)
		liveValue, ok2 := is[name].(string)
		if ok1 && ok2 {
			r.lives[recordedValue] = liveValue
		}
	}
}

// differences compares the answers: by status, header field and body.
func differences(e *recorded, w *httptest.ResponseRecorder) map[string]string {
	found := map[string]string{}
	report := func(what string, got, want any) {
		if got != want {
			found[what] = fmt.Sprintf("got\n  %v\nrecorded\n  %v", got, want)
		}
	}
	report("status", w.Code, e.Response.Status)
	want := map[string]string{}
	for name, value := range e.Response.Headers {
		want[http.CanonicalHeaderKey(name)] = value
	}
	for name, values := range w.Header() {
		if len(values) == 0 || name == "Content-Length" { // suppressed, or made by net/http
			continue
		}
		report(name, comparable(name, strings.Join(values, "\n")), comparable(name, want[name]))
	}
	for name, value := range want {
		if len(w.Header()[name]) == 0 {
			report(name, "", comparable(name, value))
		}
	}
	report("body", comparable("", w.Body.String()), comparable("", e.Response.Body))
	return found
}

var (
	changingText   = regexp.MustCompile(`"(access_token|refresh_token|id_token|at_hash|kid|jti|[a-z_]+_id)":"([^"]*)"`)
	changingNumber = regexp.MustCompile(`"(iat|exp|nbf|expire_time|auth_time|expires_in)":\d+`)
	expiresIn      = regexp.MustCompile(`expires_in=\d+`)
)

// comparable replaces what changes from run to run: codes and tokens, but not what is in them, identifiers, times.
func comparable(name, text string) string {
	if name == "X-Powered-By" { // the version does not matter
		return strings.Split(text, "/")[0]
	}
	text = issuedInTo.ReplaceAllStringFunc(text, func(s string) string {
		name, value, _ := strings.Cut(s, "=")
		return name + "=" + comparableToken(value)
	})
	text = changingText.ReplaceAllStringFunc(text, func(s string) string {
		m := changingText.FindStringSubmatch(s)
		if m[1] == "client_id" || m[1] == "user_id" {
			return s
		}
		return `"` + m[1] + `":` + comparableToken(m[2])
	})
	text = expiresIn.ReplaceAllString(text, "expires_in=N")
	return changingNumber.ReplaceAllString(text, `"$1":N`)
}

// comparableToken is what a JWT says, or the length of anything else.
func comparableToken(value string) string {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return fmt.Sprintf("(%d characters)", len(value))
	}
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return "(" + comparable("", string(header)) + comparable("", string(payload)) + ")"
}
