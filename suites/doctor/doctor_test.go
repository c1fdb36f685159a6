package doctor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/doctor"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// server is a small authorization server whose faults are the ones that set-ups have.
type server struct {
	postOnly       bool   // client_secret_post is the only method
	idMissing      bool   // and credentials sent otherwise are a missing parameter
	noCC           bool   // client_credentials is not allowed
	ccIsClient     bool   // ... and refused by invalid_client
	scopeNeeded    bool   // client_credentials without scope is refused, as a wrong secret is: by 403, without a word
	denyScope      string // refused at the authorization endpoint
	loginAt        string // another origin to which the authorization endpoint sends every browser
	authError      string // with which the authorization endpoint answers every request
	noRefresh      bool
	laxSecret      bool
	closedResource bool
	inactive       bool // introspection says so
	codeFirst      bool // the code is looked at before the client
	sayAlike       bool // unknown client and wrong secret get the same answer
}

func (s *server) start(t *testing.T) string {
	mux := http.NewServeMux()
	var self string
	reply := func(w http.ResponseWriter, status int, members map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(members)
	}
	refuse := func(w http.ResponseWriter, status int, code, text string) {
		reply(w, status, map[string]any{"error": code, "error_description": text})
	}
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"issuer": self, "token_endpoint": self + "/token", "authorization_endpoint": self + "/authorize",
			"introspection_endpoint": self + "/introspect", "userinfo_endpoint": self + "/me",
			"grant_types_supported": []string{"authorization_code", "client_credentials", "refresh_token"}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		back := q.Get("redirect_uri")
		switch {
		case q.Get("client_id") != "app":
			http.Error(w, "unknown client", 400)
			return
		case back != "https://client.example/callback":
			http.Error(w, "the redirect_uri is not registered", 400)
			return
		case s.loginAt != "":
			http.Redirect(w, r, s.loginAt+"/login?challenge=x", http.StatusFound)
			return
		case s.authError != "":
			http.Redirect(w, r, back+"?error="+s.authError+"&state="+q.Get("state"), http.StatusFound)
			return
		case s.denyScope != "" && strings.Contains(q.Get("scope"), s.denyScope):
			http.Redirect(w, r, back+"?error=invalid_scope&state="+q.Get("state"), http.StatusFound)
			return
		}
		if r.PostFormValue("password") != "wonderland" {
			note := ""
			if r.Method == http.MethodPost {
				note = "<p class=error>Wrong password.</p>"
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, note+`<form method=post><input name=username><input type=password name=password><button>Sign in</button></form>`)
			return
		}
		http.Redirect(w, r, back+"?code=good&state="+q.Get("state"), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, basic := r.BasicAuth()
		if !basic || s.postOnly {
			id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		}
		grant := r.PostFormValue("grant_type")
		if s.codeFirst && grant == "authorization_code" && r.PostFormValue("code") != "good" {
			refuse(w, 400, "invalid_grant", "no such code")
			return
		}
		switch {
		case s.scopeNeeded && (r.PostFormValue("scope") == "" && grant == "client_credentials" || secret != "right-secret"):
			w.WriteHeader(403)
		case id == "" && s.idMissing:
			refuse(w, 400, "invalid_request", "client_id is missing")
		case id != "app" && !s.sayAlike:
			refuse(w, 401, "invalid_client", "no such client")
		case id != "app", secret != "right-secret" && !s.laxSecret:
			refuse(w, 401, "invalid_client", "client authentication failed")
		case grant == "client_credentials" && s.noCC && s.ccIsClient:
			refuse(w, 401, "invalid_client", "client authentication failed")
		case grant == "client_credentials" && s.noCC:
			refuse(w, 400, "unauthorized_client", "not this grant")
		case grant == "client_credentials":
			reply(w, 200, map[string]any{"access_token": "service-token", "token_type": "Bearer"})
		case grant == "authorization_code" && r.PostFormValue("code") == "good", grant == "refresh_token" && r.PostFormValue("refresh_token") == "again":
			members := map[string]any{"access_token": "user-token", "token_type": "Bearer"}
			if !s.noRefresh {
				members["refresh_token"] = "again"
			}
			reply(w, 200, members)
		default:
			refuse(w, 400, "invalid_grant", "no such code")
		}
	})
	mux.HandleFunc("/introspect", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, map[string]any{"active": !s.inactive}) })
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer user-token" || s.closedResource {
			refuse(w, 401, "invalid_token", "")
			return
		}
		reply(w, 200, map[string]any{"sub": "alice"})
	})
	started := httptest.NewServer(mux)
	t.Cleanup(started.Close)
	self = started.URL
	return self
}

func TestExamine(t *testing.T) {
	for _, test := range []struct {
		name   string
		server server
		edit   func(*target.Config)
		// want are fragments "state subject: says … fix" of findings; a run without problems has none of state problem.
		want     []string
		problems int
	}{
		{name: "all is well", want: []string{"ok clients.primary: its credentials are accepted, a wrong secret is refused",
			"ok clients.primary https://client.example/callback: login, code and tokens work", "ok clients.primary refresh token", "ok resource: takes", "ok introspection"}},
		{name: "wrong secret", edit: func(c *target.Config) { c.Clients.Primary.Secret = "another-secret" }, problems: 2,
			want: []string{"problem clients.primary: the server refuses its credentials", "it knows the client", "correct clients.primary.secret"}},
		{name: "wrong secret, told by the authorization endpoint", server: server{sayAlike: true}, edit: func(c *target.Config) { c.Clients.Primary.Secret = "another-secret" }, problems: 2,
			want: []string{"it knows the client"}},
		{name: "unknown client", edit: func(c *target.Config) { c.Clients.Primary.ID = "ap" }, problems: 2,
			want: []string{"as it does for a client that does not exist", "compare clients.primary.id"}},
		{name: "wrong method", server: server{postOnly: true}, problems: 2, want: []string{"but not by client_secret_post", "set clients.primary.auth: client_secret_post"}},
		{name: "wrong method, told as a missing parameter", server: server{postOnly: true, idMissing: true}, problems: 2, edit: func(c *target.Config) { c.Clients.Primary.Grants = []string{"authorization_code"} },
			want: []string{"it does where the client's credentials are sent by client_secret_post", "set clients.primary.auth: client_secret_post"}},
		{name: "grant not allowed", server: server{noCC: true}, problems: 1, edit: func(c *target.Config) {
			c.Clients.Primary.Grants = []string{"authorization_code", "client_credentials"}
		},
			want: []string{"problem clients.primary: client_credentials does not work: 400 Bad Request unauthorized_client", "take it out of clients.primary.grants"}},
		{name: "no grant without scope", server: server{scopeNeeded: true}, edit: func(c *target.Config) { c.Scopes = []string{"read"} },
			want: []string{"ok clients.primary: its credentials are accepted, a wrong secret is refused (403 Forbidden)"}},
		{name: "grant not allowed, nor listed", server: server{noCC: true}, want: []string{"note clients.primary: client_credentials does not work"}},
		{name: "grant not allowed, answered by invalid_client", server: server{noCC: true, ccIsClient: true},
			want: []string{"ok clients.primary: its credentials are not refused (400 Bad Request invalid_grant", "a wrong secret is refused"}},
		{name: "the code is looked at first", server: server{codeFirst: true, noCC: true}, edit: func(c *target.Config) { c.Clients.Primary.Grants = []string{"authorization_code"} },
			want: []string{"only a working grant can prove them"}},
		{name: "any secret will do", server: server{laxSecret: true}, want: []string{"note clients.primary: its credentials are accepted, and so is a wrong secret"}},
		{name: "redirection URI not registered", edit: func(c *target.Config) {
			c.Clients.Primary.RedirectURIs = append(c.Clients.Primary.RedirectURIs, "https://client.example/other")
		}, problems: 1,
			want: []string{"problem clients.primary https://client.example/other: no authorization code", `register exactly https://client.example/other for client "app"`, "ok clients.primary https://client.example/callback"}},
		{name: "wrong password", edit: func(c *target.Config) { c.User.Password = "forgotten-it" }, problems: 1,
			want: []string{"Wrong password.", "check user.username and user.password"}},
		{name: "scope refused", server: server{denyScope: "admin"}, edit: func(c *target.Config) {
			c.Scopes = []string{"admin"}
			c.Clients.Primary.Grants = []string{"authorization_code"}
		},
			want: []string{"note clients.primary https://client.example/callback: login, code and tokens work, but only without a scope: the server refuses admin"}},
		{name: "authorization says invalid_scope", server: server{authError: "invalid_scope"}, problems: 2, want: []string{"take out of scopes what the client may not ask for"}},
		{name: "authorization says unauthorized_client", server: server{authError: "unauthorized_client"}, problems: 2, want: []string{"allow the client the authorization_code grant"}},
		{name: "authorization says access_denied", server: server{authError: "access_denied"}, problems: 2, want: []string{"see that the user may use the client"}},
		{name: "login at another origin", server: server{loginAt: "https://login.example"}, problems: 2, want: []string{"list it: login.origins: [https://login.example]"}},
		{name: "authorization says login_required", server: server{authError: "login_required"}, problems: 2, want: []string{"take prompt: none out of authorize_params"}},
		{name: "public client that nobody knows", edit: func(c *target.Config) {
			c.Clients.Public = &target.Client{ID: "nobody", RedirectURIs: []string{"https://client.example/callback"}}
		}, problems: 1, want: []string{`compare clients.public.id ("nobody")`}},
		{name: "code grant without a redirection URI", edit: func(c *target.Config) {
			c.Clients.Others = map[string]*target.Client{"x": {ID: "app", Secret: "right-secret", Grants: []string{"authorization_code"}}}
		},
			problems: 1, want: []string{"add redirect_uris: […] to clients.others.x"}},
		{name: "token exchange that the server lacks", edit: func(c *target.Config) { c.TokenExchange.Client = "primary" }, problems: 1,
			want: []string{"problem token exchange", "correct the section token_exchange"}},
		{name: "no refresh token", server: server{noRefresh: true}, edit: func(c *target.Config) { c.Clients.Primary.Grants = []string{"authorization_code", "refresh_token"} }, problems: 1,
			want: []string{"problem clients.primary refresh token", "add offline_access to scopes, and authorize_params: {prompt: consent}"}},
		{name: "resource refuses", server: server{closedResource: true}, problems: 1, want: []string{"problem resource", "add openid to scopes"}},
		{name: "introspection says inactive", server: server{inactive: true}, problems: 1, want: []string{"problem introspection: a fresh access token is said not to be active", "introspection: {client: …}"}},
		{name: "no clients", edit: func(c *target.Config) { c.Clients = target.Clients{} }, problems: 2, want: []string{"problem clients: no client is configured"}},
		{name: "reserved section", edit: func(c *target.Config) { c.Reserved.Logout = map[string]any{} }, want: []string{"note target file: the section logout is set aside"}},
		{name: "second client absent", want: []string{"absent clients.second"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := target.Config{
				Target: test.server.start(t), User: target.User{Username: "alice", Password: "wonderland"}, Timing: target.Timing{Timeout: 5 * time.Second},
				Clients: target.Clients{Primary: &target.Client{ID: "app", Secret: "right-secret", RedirectURIs: []string{"https://client.example/callback"}}},
			}
			if test.edit != nil {
				test.edit(&config)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			findings, err := doctor.Examine(ctx, suites.Config{Target: config, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, f := range findings {
				lines = append(lines, fmt.Sprintf("%s %s: %s (%s)", f.State, f.Subject, f.Says, f.Fix))
				if f.State == doctor.Problem && f.Fix == "" {
					t.Errorf("a problem without a fix: %+v", f)
				}
			}
			all := strings.Join(lines, "\n")
			for _, want := range test.want {
				if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
					t.Errorf("no finding says %q:\n%s", want, all)
				}
			}
			if got := doctor.Problems(findings); got != test.problems {
				t.Errorf("%d problems, want %d:\n%s", got, test.problems, all)
			}
			for _, secret := range []string{"right-secret", "another-secret", "wonderland", "forgotten-it", "user-token"} {
				if strings.Contains(all, secret) {
					t.Errorf("the findings show %q:\n%s", secret, all)
				}
			}
		})
	}
}

func TestExamineUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	findings, err := doctor.Examine(t.Context(), suites.Config{Target: target.Config{Target: closed.URL}})
	if err != nil || len(findings) != 1 || findings[0].State != doctor.Problem || !strings.Contains(findings[0].Fix, "start the server") {
		t.Errorf("%+v, %v", findings, err)
	}
	findings, err = doctor.Examine(t.Context(), suites.Config{})
	if err != nil || doctor.Problems(findings) != 1 || !strings.Contains(findings[0].Says, "target: is missing") {
		t.Errorf("an empty configuration: %+v, %v", findings, err)
	}
}
