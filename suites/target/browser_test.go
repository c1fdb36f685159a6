package target

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAuthorizeThroughLoginAndConsent(t *testing.T) {
	s := newServer(t)
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) {
		a := as.Authorize()
		if a.Code() == "" || a.In() != "query" || a.Via != "location" || a.Param("state") != a.State || len(a.State) < 32 {
			t.Errorf("code %q in %q via %q, state %q", a.Code(), a.In(), a.Via, a.Param("state"))
		}
		if !a.SentTo("https://client.example/cb") || a.SentTo("https://client.example/cb/") || !a.LoginShown || !a.ConsentShown {
			t.Errorf("%+v", a)
		}
		if len(a.Steps) != 5 || a.Final != a.Steps[4] || len(a.Exchanges()) != 5 {
			t.Errorf("%d steps", len(a.Steps))
		}
	})
	for _, entry := range s.log {
		if strings.Contains(entry, "/cb") {
			t.Errorf("the redirection URI was requested: %s", entry)
		}
	}
}

func TestASessionSpansRequests(t *testing.T) {
	s := newServer(t)
	s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
		if _, err := r.Cookie("user"); err != nil {
			return false
		}
		http.SetCookie(w, &http.Cookie{Name: "request", Value: url.QueryEscape(r.URL.RawQuery), Path: "/"})
		http.Redirect(w, r, "/consent", http.StatusFound)
		return true
	}
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) {
		b := as.NewBrowser()
		first, second, fresh := b.Authorize(), b.Authorize(), as.Authorize()
		if !first.LoginShown || second.LoginShown || !fresh.LoginShown || second.Code() == "" {
			t.Errorf("login shown: %v %v %v", first.LoginShown, second.LoginShown, fresh.LoginShown)
		}
	})
}

func TestDeny(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		if a := as.Authorize(Deny()); a.Error() != "access_denied" || a.Code() != "" {
			t.Errorf("error %q, code %q", a.Error(), a.Code())
		}
	})
}

func TestStopAtPage(t *testing.T) {
	s := newServer(t)
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) {
		a := as.Authorize(StopAtPage())
		if a.Page == nil || a.Page.Status != 200 || a.Location != "" || !strings.Contains(string(a.Page.Body), "password") {
			t.Errorf("%+v", a)
		}
	})
}

func TestErrorPage(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		a := as.Authorize(Set("client_id", "unknown"))
		if a.Page == nil || a.Page.Status != 400 || a.Location != "" || a.Code() != "" {
			t.Errorf("%+v", a)
		}
	})
}

func TestErrorPageWithAServerErrorsStatus(t *testing.T) {
	for query, outage := range map[string]bool{"error=invalid_request": false, "error=server_error": true, "": true} {
		s := newServer(t)
		s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Has("oops") {
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
			http.Redirect(w, r, "/authorize?oops=1&"+query, http.StatusFound)
			return true
		}
		run := newRun(t, s.config())
		refused := func(as *AS) {
			if a := as.Authorize(NoControl()); a.Page == nil || a.Page.Status != 500 || a.Code() != "" {
				t.Errorf("%+v", a)
			}
		}
		if outage {
			mustEnd(t, run, "inconclusive", "failed with status 500", refused)
		} else {
			mustPass(t, run, refused)
		}
	}
}

func TestImplicitInTheFragment(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		a := as.Implicit()
		if a.In() != "fragment" || a.Param("access_token") == "" || a.Param("state") != a.State || a.Sent.Has("code_challenge") {
			t.Errorf("in %q: %v", a.In(), a.Params())
		}
	})
}

func TestAnotherScopeNeedsAControl(t *testing.T) {
	s := newServer(t)
	s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"#error=unsupported_response_type", http.StatusFound)
		return true
	}
	run := newRun(t, s.config())
	mustEnd(t, run, "inconclusive", "unsupported_response_type", func(as *AS) { as.Implicit(Scope("unknown")) })
	mustEnd(t, run, "inconclusive", "unsupported_response_type", func(as *AS) { as.Authorize(Deny()) })
	mustPass(t, run, func(as *AS) {
		if a := as.Implicit(); a.Error() != "unsupported_response_type" {
			t.Errorf("error %q", a.Error())
		}
	})
}

// TestEveryWayOfLeaving delivers the code in all the ways that a browser follows.
func TestEveryWayOfLeaving(t *testing.T) {
	page := func(format string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, r *http.Request, uri string) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, format, uri)
		}
	}
	status := func(code int) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, r *http.Request, uri string) {
			w.Header().Set("Location", uri)
			w.WriteHeader(code)
		}
	}
	formPost := func(w http.ResponseWriter, r *http.Request, uri string) {
		u, _ := url.Parse(uri)
		fields := ""
		for name, values := range u.Query() {
			fields += fmt.Sprintf("<input type=hidden name=%q value=%q>", name, html.EscapeString(values[0]))
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<body onload='document.forms[0].submit()'><form method=post action='https://client.example/cb'>%s</form></body>", fields)
	}
	for name, test := range map[string]struct {
		deliver func(http.ResponseWriter, *http.Request, string)
		via, in string
	}{
		"301": {status(301), "location", "query"}, "302": {status(302), "location", "query"}, "303": {status(303), "location", "query"},
		"307": {status(307), "location", "query"}, "308": {status(308), "location", "query"},
		"refresh": {func(w http.ResponseWriter, r *http.Request, uri string) { w.Header().Set("Refresh", "0;url="+uri) }, "refresh", "query"},
		"meta":    {page(`<meta http-equiv=refresh content="0; url=%s">`), "meta", "query"},
		"script":  {page(`<script>window.location.replace("%s")</script>`), "script", "query"},
		"link":    {page(`<p>Signed in.</p><a href="%s">Back to the application</a>`), "link", "query"},
		"form":    {formPost, "form", "form_post"},
		"own origin": {func(w http.ResponseWriter, r *http.Request, uri string) {
			http.Redirect(w, r, "/hop?to="+url.QueryEscape(uri), http.StatusSeeOther)
		}, "location", "query"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.deliver = test.deliver
			s.Config.Handler.(http.HandlerFunc)(discard{}, mustRequest(t, s.URL)) // the server is up
			inner := s.Config.Handler
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hop" {
					w.Header().Set("Location", r.URL.Query().Get("to"))
					w.WriteHeader(302)
					return
				}
				inner.ServeHTTP(w, r)
			})
			run := newRun(t, s.config())
			mustPass(t, run, func(as *AS) {
				a := as.Authorize()
				if a.Via != test.via || a.In() != test.in || a.Code() == "" || a.Param("state") != a.State || !a.SentTo("https://client.example/cb") {
					t.Fatalf("via %q in %q, code %q, location %q, page %v", a.Via, a.In(), a.Code(), a.Location, a.outcome())
				}
				if r := as.Redeem(as.CodeOf(a)); !r.IssuesToken() {
					t.Errorf("redeem: %s", r.outcome())
				}
			})
		})
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func mustRequest(t *testing.T, url string) *http.Request {
	r, err := http.NewRequest("GET", url+"/nothing", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWhereABrowserMayBeSent gives Location values, as a server that trusts any redirect_uri would.
func TestWhereABrowserMayBeSent(t *testing.T) {
	s := newServer(t)
	s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
		uri := r.URL.Query().Get("redirect_uri")
		if uri == "https://client.example/cb" {
			return false
		}
		w.Header()["Location"] = []string{uri}
		w.WriteHeader(302)
		return true
	}
	run := newRun(t, s.config())
	for _, uri := range []string{
		"https://evil.example/cb", "myapp://cb", "com.example.app:/cb", "javascript:alert(1)", "data:text/html,x", s.URL + "/callback",
		"https://client.example/%zz", "https://u:p@client.example/cb", "http://[::1", "https://client.example:8443/cb", "//evil.example/cb",
	} {
		mustPass(t, run, func(as *AS) {
			a := as.Authorize(RedirectURI(uri))
			want := uri
			if strings.HasPrefix(uri, "//") {
				want = "http:" + uri
			}
			if a.Location != want || a.Via != "location" || !a.SentTo(want) || a.SentTo("https://client.example/cb") {
				t.Errorf("%s: location %q via %q, sent to it %v", uri, a.Location, a.Via, a.SentTo(want))
			}
		})
	}
}

func TestSentTo(t *testing.T) {
	for _, test := range []struct {
		location, uri string
		want          bool
	}{
		{"https://client.example/cb?code=1", "https://client.example/cb", true},
		{"HTTPS://Client.Example:443/cb?code=1#_=_", "https://client.example/cb", true},
		{"https://client.example/cb?a=1&code=1", "https://client.example/cb?a=1", true},
		{"https://client.example/cb?code=1", "https://client.example/cb?a=1", false},
		{"https://client.example/CB?code=1", "https://client.example/cb", false},
		{"https://client.example/cb/?code=1", "https://client.example/cb", false},
		{"https://client.example/%63b", "https://client.example/cb", false},
		{"https://client.example:8443/cb", "https://client.example/cb", false},
		{"http://client.example/cb", "https://client.example/cb", false},
		{"https://u@client.example/cb", "https://client.example/cb", false},
		{"https://client.example?code=1", "https://client.example/", true},
		{"myapp://cb?code=1", "myapp://cb", true},
		{"com.example:/cb?code=1", "com.example:/cb", true},
		{"", "https://client.example/cb", false},
	} {
		if got := (&Authorization{Location: test.location}).SentTo(test.uri); got != test.want {
			t.Errorf("%q sent to %q: %v", test.location, test.uri, got)
		}
	}
}

func TestResponseParametersOfAnAuthorization(t *testing.T) {
	for _, test := range []struct{ location, in, code string }{
		{"https://c.example/cb?code=a%2Fb+c&state=s", "query", "a/b c"},
		{"https://c.example/cb#code=x", "fragment", "x"},
		{"https://c.example/cb?x=1#_=_", "", ""},
		{"https://c.example/cb?code=%zz", "query", "%zz"},
		{"https://c.example/cb?code=1;2", "query", "1;2"},
		{"https://c.example/cb?error=x", "query", ""},
	} {
		a := &Authorization{Location: test.location}
		if a.In() != test.in || a.Code() != test.code {
			t.Errorf("%s: code %q in %q", test.location, a.Code(), a.In())
		}
	}
	twice := &Authorization{Location: "https://c.example/cb?code=a&code=b"}
	if got := twice.Params()["code"]; len(got) != 2 {
		t.Errorf("repeated code: %v", got)
	}
}

func TestA307IsFollowedWithItsBodyOnlyWithinTheServer(t *testing.T) {
	s := newServer(t)
	inner := s.Config.Handler
	moved := ""
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login" && r.Method == "POST":
			w.Header().Set("Location", "/login2")
			w.WriteHeader(307)
			return
		case r.URL.Path == "/login2":
			moved = r.Method + " " + r.FormValue("password")
			r.URL.Path = "/login"
		}
		inner.ServeHTTP(w, r)
	})
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) { as.Code() })
	if moved != "POST wonderland" {
		t.Errorf("the redirected request was %q", moved)
	}
}

func TestThePasswordIsNotTriedOftenEnoughToLockTheAccount(t *testing.T) {
	s := newServer(t)
	config := s.config()
	config.User.Password = "wrong-password"
	run := newRun(t, config)
	for range 5 {
		mustEnd(t, run, "inconclusive", "login", func(as *AS) { as.Code() })
		mustEnd(t, run, "inconclusive", "login", func(as *AS) { as.Authorize(Set("scope", "x")) })
	}
	if n := s.count("POST /login"); n > 2 {
		t.Errorf("%d attempts with a wrong password", n)
	}
}

func TestAPasswordIsNotSentToAnotherOrigin(t *testing.T) {
	received := false
	thief := newServer(t)
	thief.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { received = true })
	s := newServer(t)
	s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method=post action=%q><input name=username><input type=password name=password><button>Sign in</button></form>`, thief.URL+"/login")
		return true
	}
	run := newRun(t, s.config())
	mustEnd(t, run, "inconclusive", "login.origins", func(as *AS) { as.Authorize() })
	if received {
		t.Error("the password left the server's origins")
	}
}

// An error page behind the login that offers the way back to a portal, and so out of the request, is where the walk ends.
func TestAWayOutOfTheRequestIsTheEnd(t *testing.T) {
	for name, link := range map[string]string{"by its words": "/authorize?again=1", "by its address": "/authorize?again=1&cancel=1"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.authorize = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Type", "text/html")
				switch {
				case r.Method == http.MethodPost:
					_, _ = fmt.Fprintf(w, `<h1>Sorry</h1><a href="%s">Go to portal</a>`, html.EscapeString(link))
				case r.URL.Query().Get("again") != "", r.URL.Query().Get("scope") == "x":
					_, _ = fmt.Fprint(w, `<form method="post"><input name="username"><input type="password" name="password"><button>Log in</button></form>`)
				default:
					return false
				}
				return true
			}
			run := newRun(t, s.config())
			mustPass(t, run, func(as *AS) {
				for range 15 {
					if a := as.Authorize(Set("scope", "x")); a.Code() != "" || a.Page == nil || !strings.Contains(string(a.Page.Body), "Sorry") {
						t.Errorf("it ended at %s", a.outcome())
						return
					}
				}
				as.Code()
			})
		})
	}
}

func TestCookiesForForeignDomainsAreTold(t *testing.T) {
	for _, c := range []struct {
		host, domain string
		takes        bool
	}{
		{"as.example", "", true}, {"as.example", "as.example", true}, {"as.example", ".as.example", true}, {"as.example", "example", true},
		{"as.example", "other.example", false}, {"as.example", "s.example", false}, {"127.0.0.1", "127.0.0.1", true}, {"127.0.0.1", ".127.0.0.1", false},
		{"localhost", "as.example", false},
	} {
		if got := takes(c.host, c.domain); got != c.takes {
			t.Errorf("%s from %s: %v", c.domain, c.host, got)
		}
	}
}
