package target

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onsi/gomega"
)

// server is a small authorization server with knobs for misbehaviour.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	serial  int
	codes   map[string]url.Values // the authorization request behind a code
	refresh map[string]string     // refresh token to client
	access  map[string]bool
	log     []string // method and path of every request

	// token is called first for token requests; true means that it has answered.
	token func(w http.ResponseWriter, r *http.Request) bool
	// authorize likewise for authorization requests.
	authorize func(w http.ResponseWriter, r *http.Request) bool
	// deliver sends the browser to the redirection URI; nil means a 302.
	deliver         func(w http.ResponseWriter, r *http.Request, uri string)
	requirePKCE     bool
	rejectPKCE      bool
	decodesBasic    bool
	offlineRequired bool // refresh tokens only for offline_access with prompt=consent
	noScope         bool // refuses every scope
	wrap            string
	password        string
}

func newServer(t testing.TB) *server {
	s := &server{codes: map[string]url.Values{}, refresh: map[string]string{}, access: map[string]bool{}, decodesBasic: true, password: "wonderland"}
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", s.serveAuthorize)
	mux.HandleFunc("/login", s.serveLogin)
	mux.HandleFunc("/consent", s.serveConsent)
	mux.HandleFunc("/token", s.serveToken)
	mux.HandleFunc("/userinfo", s.serveUserinfo)
	mux.HandleFunc("/introspect", func(w http.ResponseWriter, r *http.Request) {
		s.json(w, 200, map[string]any{"active": s.live(r.FormValue("token"))})
	})
	mux.HandleFunc("/revoke", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.access, r.FormValue("token"))
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.log = append(s.log, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) count(entry string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.log {
		if e == entry {
			n++
		}
	}
	return n
}

func (s *server) next(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s-%04d-abcdefghijklmnop", prefix, s.serial)
}

func (s *server) live(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access[token]
}

func (s *server) json(w http.ResponseWriter, status int, members map[string]any) {
	if s.wrap != "" && members["error"] == nil {
		members = map[string]any{s.wrap: members}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}

func (s *server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if s.authorize != nil && s.authorize(w, r) {
		return
	}
	q := r.URL.Query()
	if !slices.Contains([]string{"web", "second", "native"}, q.Get("client_id")) || !strings.HasPrefix(q.Get("redirect_uri"), "https://client.example/") {
		w.WriteHeader(400)
		fmt.Fprint(w, "<html><title>Error</title><p>unknown client or redirect_uri</p></html>")
		return
	}
	fail := func(code string) {
		http.Redirect(w, r, q.Get("redirect_uri")+"?error="+code+"&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	}
	switch {
	case q.Get("response_type") != "code" && q.Get("response_type") != "token":
		fail("unsupported_response_type")
		return
	case s.requirePKCE && q.Get("code_challenge") == "", s.rejectPKCE && q.Get("code_challenge") != "":
		fail("invalid_request")
		return
	case s.noScope && q.Get("scope") != "":
		fail("invalid_scope")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "request", Value: url.QueryEscape(r.URL.RawQuery), Path: "/", Secure: true})
	http.Redirect(w, r, "/login", http.StatusFound)
}

func (s *server) serveLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.FormValue("username") == "alice" && r.FormValue("password") == s.password {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: "alice", Path: "/"})
		http.Redirect(w, r, "/consent", http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, `<form method=post action=/login><input name=username autocomplete=username><input type=password name=password><button>Sign in</button></form>`)
}

func (s *server) serveConsent(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("request")
	if _, signedIn := r.Cookie("user"); err != nil || signedIn != nil {
		w.WriteHeader(400)
		return
	}
	raw, _ := url.QueryUnescape(cookie.Value)
	q, _ := url.ParseQuery(raw)
	if r.Method != http.MethodPost {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<h1>Allow %s?</h1><form method=post><button name=decision value=allow>Allow</button><button name=decision value=deny>Deny</button></form>`, html.EscapeString(q.Get("client_id")))
		return
	}
	uri, sep := q.Get("redirect_uri"), "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	state := url.QueryEscape(q.Get("state"))
	switch {
	case r.FormValue("decision") != "allow":
		uri += sep + "error=access_denied&state=" + state
	case q.Get("response_type") == "token":
		uri += "#access_token=" + s.issueAccess() + "&token_type=Bearer&state=" + state
	default:
		s.mu.Lock()
		code := s.next("code")
		s.codes[code] = q
		s.mu.Unlock()
		uri += sep + "code=" + code + "&state=" + state
	}
	if s.deliver != nil {
		s.deliver(w, r, uri)
		return
	}
	http.Redirect(w, r, uri, http.StatusFound)
}

func (s *server) issueAccess() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.next("at")
	s.access[token] = true
	return token
}

func (s *server) clientOf(r *http.Request) (id string, ok bool) {
	id, secret, basic := r.BasicAuth()
	if basic && s.decodesBasic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	}
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	want, known := map[string]string{"web": webSecret, "second": secondSecret, "native": ""}[id]
	return id, known && secret == want
}

const (
	webSecret    = "a secret with/odd+chars% 0123456789"
	secondSecret = "second-secret-0123456789-0123456789"
)

func (s *server) serveToken(w http.ResponseWriter, r *http.Request) {
	if s.token != nil && s.token(w, r) {
		return
	}
	fail := func(status int, code string) {
		s.json(w, status, map[string]any{"error": code, "error_description": "described"})
	}
	client, ok := s.clientOf(r)
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(405)
		return
	case !ok:
		fail(401, "invalid_client")
		return
	}
	out := map[string]any{"token_type": "Bearer", "expires_in": 3600}
	withRefresh := !s.offlineRequired
	switch r.PostFormValue("grant_type") {
	case "client_credentials":
		if client == "native" {
			fail(400, "unauthorized_client")
			return
		}
		withRefresh = false
	case "password":
		if r.PostFormValue("username") != "alice" || r.PostFormValue("password") != s.password {
			fail(400, "invalid_grant")
			return
		}
	case "authorization_code":
		s.mu.Lock()
		q, known := s.codes[r.PostFormValue("code")]
		delete(s.codes, r.PostFormValue("code"))
		s.mu.Unlock()
		challenge := ""
		if v := r.PostFormValue("code_verifier"); v != "" {
			challenge = S256(v)
		}
		if !known || q.Get("client_id") != client || q.Get("redirect_uri") != r.PostFormValue("redirect_uri") || challenge != q.Get("code_challenge") {
			fail(400, "invalid_grant")
			return
		}
		withRefresh = withRefresh || strings.Contains(q.Get("scope"), "offline_access") && q.Get("prompt") == "consent"
	case "refresh_token":
		s.mu.Lock()
		owner := s.refresh[r.PostFormValue("refresh_token")]
		s.mu.Unlock()
		if owner != client {
			fail(400, "invalid_grant")
			return
		}
		withRefresh = true
	case "urn:ietf:params:oauth:grant-type:token-exchange":
		if r.PostFormValue("subject_token_type") != AccessTokenType || !s.live(r.PostFormValue("subject_token")) {
			fail(400, "invalid_request")
			return
		}
		out["issued_token_type"] = AccessTokenType
		withRefresh = false
	default:
		fail(400, "unsupported_grant_type")
		return
	}
	out["access_token"] = s.issueAccess()
	if withRefresh {
		s.mu.Lock()
		token := s.next("rt")
		s.refresh[token] = client
		s.mu.Unlock()
		out["refresh_token"] = token
	}
	s.json(w, 200, out)
}

func (s *server) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	if !s.live(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(401)
		return
	}
	s.json(w, 200, map[string]any{"sub": "alice"})
}

// config describes the server to the harness.
func (s *server) config() Config {
	uris := []string{"https://client.example/cb"}
	return Config{
		Target: s.URL,
		Endpoints: Endpoints{Authorization: s.URL + "/authorize", Token: s.URL + "/token", Userinfo: s.URL + "/userinfo",
			Introspection: s.URL + "/introspect", Revocation: s.URL + "/revoke"},
		Clients: Clients{
			Primary: &Client{ID: "web", Secret: webSecret, RedirectURIs: uris},
			Second:  &Client{ID: "second", Secret: secondSecret, RedirectURIs: uris},
			Public:  &Client{ID: "native", RedirectURIs: uris},
		},
		User:   User{Username: "alice", Password: "wonderland"},
		Scopes: []string{"read"},
	}
}

// newRun starts a run with a configuration.
func newRun(t testing.TB, config Config) *Run {
	t.Helper()
	info := &Info{Config: config, Issuer: config.Target, Endpoints: config.Endpoints}
	info.Config.Clients.name()
	info.Detect()
	run, err := NewRun(context.Background(), info, RunOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	return run
}

// verdict is how a body ended.
type verdict struct{ kind, text string }

// judge records how a body ends.
type judge struct{ notes []string }

func (j *judge) Note(text string)                         { j.notes = append(j.notes, text) }
func (*judge) Skip(enable, reason string)                 { panic(verdict{"skip", reason + " | " + enable}) }
func (*judge) Inconclusive(reason string)                 { panic(verdict{"inconclusive", reason}) }
func (*judge) Fail(message string)                        { panic(verdict{"fail", message}) }
func (*judge) Variant(_ string, body func(gomega.Gomega)) { body(nil) }

// check runs a body and tells how it ended.
func check(run *Run, body func(as *AS)) (v verdict, as *AS) {
	as = run.NewAS(context.Background(), "test", &judge{})
	defer func() {
		if p := recover(); p != nil {
			var ok bool
			if v, ok = p.(verdict); !ok {
				panic(p)
			}
		}
	}()
	body(as)
	return verdict{kind: "pass"}, as
}

// mustPass runs a body that has to reach its end.
func mustPass(t testing.TB, run *Run, body func(as *AS)) *AS {
	t.Helper()
	v, as := check(run, body)
	if v.kind != "pass" {
		t.Fatalf("the body ended %s: %s", v.kind, v.text)
	}
	return as
}

// mustEnd runs a body that has to end early, with a text.
func mustEnd(t testing.TB, run *Run, kind, text string, body func(as *AS)) {
	t.Helper()
	v, _ := check(run, body)
	if v.kind != kind || !strings.Contains(v.text, text) {
		t.Fatalf("the body ended %s: %s\nwant %s: …%s…", v.kind, cmp.Or(v.text, "(no text)"), kind, text)
	}
}
