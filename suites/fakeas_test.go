package suites

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// fakeAS is an authorization server with one client and the client credentials grant, reached without sockets.
type fakeAS struct {
	cacheable bool         // its token responses may be cached
	dead      atomic.Bool  // it does not answer
	restarts  int64        // after that many failures it answers again; 0: never
	failures  atomic.Int64 // requests while it was dead
	tokens    atomic.Int64
}

const (
	fakeID     = "fake-client"
	fakeSecret = "fake-secret-0123456789abcdefghijklmnop"
)

func (as *fakeAS) RoundTrip(r *http.Request) (*http.Response, error) {
	if as.dead.Load() {
		if n := as.failures.Add(1); n != as.restarts {
			return nil, fmt.Errorf("by the fake: %w", syscall.ECONNREFUSED)
		}
		as.dead.Store(false)
	}
	if r.Method == http.MethodPost && r.PostFormValue("grant_type") == "die" {
		as.dead.Store(true)
		return nil, io.EOF
	}
	w := httptest.NewRecorder()
	as.serve(w, r)
	return w.Result(), nil
}

func (as *fakeAS) serve(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, members map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		if !as.cacheable {
			w.Header().Set("Cache-Control", "no-store")
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(members)
	}
	id, secret, _ := r.BasicAuth()
	switch {
	case r.URL.Path != "/token":
		http.NotFound(w, r)
	case id != fakeID || secret != fakeSecret:
		w.Header().Set("WWW-Authenticate", `Basic realm="fake"`)
		answer(401, map[string]any{"error": "invalid_client"})
	case r.PostFormValue("grant_type") == "fail":
		answer(500, map[string]any{"error": "server_error"})
	case r.PostFormValue("grant_type") != "client_credentials":
		answer(400, map[string]any{"error": "unsupported_grant_type"})
	default:
		answer(200, map[string]any{"access_token": fmt.Sprintf("token-%d-0123456789abcdefghijklmnop", as.tokens.Add(1)), "token_type": "Bearer", "expires_in": 3600})
	}
}

// against is a run of checks against a fake server.
func against(as *fakeAS, register func(*S)) Config {
	return Config{
		Registry:  registry(register),
		Transport: as,
		Target: target.Config{
			Target:    "http://as.test",
			Endpoints: target.Endpoints{Token: "http://as.test/token"},
			Clients:   target.Clients{Primary: &target.Client{ID: fakeID, Secret: fakeSecret, Grants: []string{"client_credentials"}}},
		},
	}
}

// noStore and wrongSecret are checks as specification packages have them.
func noStore(as *target.AS, g gomega.Gomega) { g.Expect(as.Token()).To(matchers.BeUncacheable()) }

func wrongSecret(as *target.AS, g gomega.Gomega) {
	client := as.Confidential()
	r := as.TokenBy(target.ClientCredentials, target.BasicCredentials(client.ID, as.Random(20)))
	g.Expect(r).To(matchers.RefuseWith("invalid_client"))
}

func TestAgainstAServer(t *testing.T) {
	register := func(s *S) {
		s.Check("no-store", Requires(must), Needs(target.AnyTokenGrant), noStore)
		s.Check("wrong-secret", Requires("RFC6749-3.2.1-01"), Needs(target.AnyTokenGrant, target.ConfidentialClient), Disturbs(Client), wrongSecret)
		s.Check("needs-a-code", Requires(otherMust), Needs(target.AuthorizationCode), noStore)
		s.Check("waits", Requires(otherMust), Slow, noStore)
	}
	report := execute(t, against(&fakeAS{}, register))
	if got := outcomes(report); got != "no-store pass, wrong-secret pass, needs-a-code skip, waits skip" {
		t.Errorf("a conforming server: %s", got)
	}
	if report.Run.ExitStatus != StatusConforms || report.Run.Requests == 0 || report.Target.Endpoints["token"] == "" {
		t.Errorf("%+v %+v", report.Run, report.Target)
	}
	if c := report.Checks[2]; !strings.HasPrefix(c.Message, "needs authorization_code: ") || !strings.HasPrefix(c.Enable, "clients.primary:") {
		t.Errorf("skip: %q, %q", c.Message, c.Enable)
	}
	if c := report.Checks[3]; c.Message != "the lane slow was not chosen" || c.Enable != "--lane slow" {
		t.Errorf("skip: %q, %q", c.Message, c.Enable)
	}

	cfg := against(&fakeAS{cacheable: true}, register)
	cfg.Lanes = []string{"all"}
	report = execute(t, cfg)
	if got := outcomes(report); got != "no-store fail, wrong-secret pass, needs-a-code skip, waits fail" {
		t.Errorf("a cacheable server: %s", got)
	}
	c := report.Checks[0]
	if strings.Join(c.Expected, "") != "Cache-Control with no-store" || c.Actual != "no Cache-Control" || report.Run.ExitStatus != StatusViolation {
		t.Errorf("expected %q, got %q, exit status %d", c.Expected, c.Actual, report.Run.ExitStatus)
	}
	if n := len(c.Exchanges); n == 0 || !c.Exchanges[n-1].Decisive || c.Exchanges[n-1].Curl == "" {
		t.Errorf("evidence: %+v", c.Exchanges)
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{fakeSecret, "0123456789abcdefghijklmnop"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the report shows %s", secret)
		}
	}
	if !strings.Contains(string(text), "«access_token 1»") || !strings.Contains(string(text), fakeID) {
		t.Error("the report does not label the token, or hides the client's name")
	}
}

// outcomes lists a report's verdicts without the specification.
func outcomes(r *reports.Report) string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, strings.TrimPrefix(c.ID, "rfc6749/")+" "+string(c.Verdict))
	}
	return strings.Join(out, ", ")
}

func TestADeadServer(t *testing.T) {
	as := &fakeAS{}
	as.dead.Store(true)
	cfg := against(as, func(s *S) {
		for i := range 50 {
			s.Check(fmt.Sprintf("check-%d", i), Requires(must), Needs(target.AnyTokenGrant), noStore)
		}
	})
	began := time.Now()
	report := execute(t, cfg)
	if report.Run.ExitStatus != StatusUntested || report.Summary.Pass+report.Summary.Fail > 0 || len(report.Checks) != 50 {
		t.Errorf("%+v %+v", report.Run, report.Summary)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
}

// A run ends where nothing answers any more, and says which requests were the last; what was judged before stands.
func TestAServerThatDies(t *testing.T) {
	refused := func(a *target.AS, g gomega.Gomega) {
		g.Expect(a.Token(target.Set("grant_type", "x"), target.AnyStatus())).To(matchers.IssueToken())
	}
	register := func(s *S) {
		s.Check("first", Requires(must), Needs(target.AnyTokenGrant), noStore)
		s.Check("not-repeated", Requires(must), Needs(target.AnyTokenGrant), refused)
		s.Check("killer", Requires(must), Needs(target.AnyTokenGrant), Disturbs(Client), func(a *target.AS, g gomega.Gomega) {
			a.Token(target.Set("grant_type", "die"))
		})
		for i := range 40 {
			s.Check(fmt.Sprintf("later-%d", i), Requires(must), Needs(target.AnyTokenGrant), Disturbs(Client), wrongSecret)
		}
	}
	as := &fakeAS{}
	cfg := against(as, register)
	cfg.Procs = 1
	cfg.Target.Timing.Timeout = 50 * time.Millisecond
	report := execute(t, cfg)
	if got := outcomes(report); !strings.HasPrefix(got, "first pass, not-repeated inconclusive, killer inconclusive, later-0 inconclusive, ") || report.Summary.Inconclusive != 42 {
		t.Errorf("%s", got)
	}
	if report.Run.ExitStatus != StatusUntested || !strings.Contains(report.Run.Aborted, "POST http://as.test/token (rfc6749/killer)") ||
		strings.Contains(report.Run.Aborted, "later") {
		t.Errorf("exit status %d, aborted: %s", report.Run.ExitStatus, report.Run.Aborted)
	}
	for i, says := range map[int]string{1: "the run ended before the check could be repeated", 42: "the target stopped answering before this check began"} {
		if text := report.Checks[i].Message; !strings.Contains(text, says) {
			t.Errorf("message: %q, want %q", text, says)
		}
	}
	if n := as.failures.Load(); n > 10 {
		t.Errorf("the dead server got %d requests", n)
	}
}

// Whoever watches over a server may start it again.
func TestAServerThatIsStartedAgain(t *testing.T) {
	as := &fakeAS{restarts: 5}
	cfg := against(as, func(s *S) {
		s.Check("killer", Requires(must), Needs(target.AnyTokenGrant),
			onFirst(func(a *target.AS, g gomega.Gomega) { a.Token(target.Set("grant_type", "die")) }, noStore))
		for i := range 10 {
			s.Check(fmt.Sprintf("later-%d", i), Requires(must), Needs(target.AnyTokenGrant), Disturbs(Client), noStore)
		}
	})
	cfg.Procs = 1
	report := execute(t, cfg)
	if report.Run.Aborted != "" || report.Summary.Pass != 11 {
		t.Errorf("aborted %q, %s", report.Run.Aborted, outcomes(report))
	}
}

func TestProgress(t *testing.T) {
	var events []Event
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("a", Requires(must), noStore)
		s.Check("b", Requires(must), noStore)
		s.Check("c", Requires(must), Slow, noStore)
	})
	cfg.Progress = func(e Event) { events = append(events, e) }
	execute(t, cfg)
	if len(events) != 2 || events[1].Finished != 2 || events[1].Total != 2 || events[1].Check.Verdict != reports.Pass {
		t.Errorf("%+v", events)
	}
}

// What a failed trial keeps from running is told as a result, so it belongs to the total.
func TestProgressCountsWhatCannotRun(t *testing.T) {
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("a", Requires(must), Needs(target.AnyTokenGrant), noStore)
		s.Check("b", Requires(must), Needs(target.AnyTokenGrant), noStore)
	})
	cfg.Target.Clients.Primary.Secret = "not-the-secret-0123456789abcdefghijkl"
	told := 0
	cfg.Progress = func(e Event) {
		told++
		if e.Finished != told || e.Total != 2 || e.Check.Verdict != reports.Inconclusive {
			t.Errorf("%d of %d, %s", e.Finished, e.Total, e.Check.Verdict)
		}
	}
	execute(t, cfg)
	if told != 2 {
		t.Errorf("%d results were told", told)
	}
}

// decisiveRequest is the grant_type of the exchange that a finding rests on.
func decisiveRequest(c reports.Check) string {
	for _, x := range c.Exchanges {
		if x.Decisive {
			return x.Request.Body
		}
	}
	return ""
}

func TestTheEvidenceIsWhatWasJudged(t *testing.T) {
	send := func(as *target.AS, grant string) *target.Response {
		return as.Token(target.Set("grant_type", grant))
	}
	bad := matchers.HaveStatus(200)
	for name, test := range map[string]struct {
		body Body
		want string
	}{
		"an earlier one": {func(as *target.AS, g gomega.Gomega) {
			first := send(as, "first")
			send(as, "second")
			g.Expect(first).To(bad)
		}, "grant_type=first"},
		"the last one, for a plain value": {func(as *target.AS, g gomega.Gomega) {
			g.Expect(send(as, "first")).NotTo(bad)
			g.Expect(send(as, "second").Status).To(gomega.Equal(200))
		}, "grant_type=second"},
		"by a judge of codes": {func(as *target.AS, g gomega.Gomega) {
			first := send(as, "first")
			send(as, "second")
			matchers.JudgeError(as, g, first, matchers.Codes{Accept: []string{"invalid_grant"}})
		}, "grant_type=first"},
		"of a sample": {func(as *target.AS, g gomega.Gomega) {
			for _, s := range as.TokenErrors() {
				if s.Name == "unknown-grant-type" {
					as.Variant(s.Name, func(g gomega.Gomega) { g.Expect(s.Response).To(bad) })
				}
			}
		}, "grant_type=oauthcheck_unknown"},
	} {
		report := execute(t, against(&fakeAS{}, func(s *S) { s.Check("x", Requires(must), Needs(target.AnyTokenGrant), test.body) }))
		c := report.Checks[0]
		if got := decisiveRequest(c); c.Verdict != reports.Fail || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, decisive %q, want %q", name, c.Verdict, got, test.want)
		}
	}
}

func TestEvidenceOfFindingsOnly(t *testing.T) {
	cfg := against(&fakeAS{cacheable: true}, func(s *S) {
		s.Check("fails", Requires(must), Needs(target.AnyTokenGrant), noStore)
		s.Check("passes", Requires("RFC6749-3.2.1-01"), Needs(target.AnyTokenGrant), wrongSecret)
	})
	cfg.Evidence = EvidenceFindings
	report := execute(t, cfg)
	if n, none := len(report.Checks[0].Exchanges), len(report.Checks[1].Exchanges); n == 0 || none != 0 || outcomes(report) != "fails fail, passes pass" {
		t.Errorf("%s with %d and %d exchanges", outcomes(report), n, none)
	}
}

func TestOwnWordsAreNotRedacted(t *testing.T) {
	const sent = "Authorization: Basic base64(formenc(id) ':' formenc(secret)), then code=abcdefghijkl"
	report := execute(t, against(&fakeAS{}, func(s *S) {
		s.Check("x", Requires(must), Needs(target.AnyTokenGrant), Sends(sent), Title("With Basic base64(formenc(id)"), Variants("wrong-secret"),
			func(as *target.AS, g gomega.Gomega) {
				as.Variant("wrong-secret", func(g gomega.Gomega) {
					r := as.Token(target.BasicCredentials(fakeID, "oauthcheck-wrong-secret-0123456789"))
					g.Expect(r).To(matchers.IssueToken())
				})
			})
	}))
	c := report.Checks[0]
	if c.Sent != sent || c.Title != "With Basic base64(formenc(id)" || c.Variants[0].Name != "wrong-secret" || c.Message != "1 of 1 variants: wrong-secret" {
		t.Errorf("%q %q %+v %q", c.Sent, c.Title, c.Variants, c.Message)
	}
	if report.Requirements[0].Says == "" {
		t.Error("the requirements are gone")
	}
}

// A server whose kept connections do not last costs no check its verdict: none are kept after the first that broke.
func TestConnectionsThatDoNotLast(t *testing.T) {
	as := &fakeAS{}
	var mu sync.Mutex
	used := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		again := used[r.RemoteAddr]
		used[r.RemoteAddr] = true
		mu.Unlock()
		if again {
			panic(http.ErrAbortHandler)
		}
		as.serve(w, r)
	}))
	t.Cleanup(server.Close)
	cfg := against(as, func(s *S) {
		for i := range 10 {
			s.Check(fmt.Sprintf("check-%d", i), Requires(must), Needs(target.AnyTokenGrant), wrongSecret)
		}
	})
	cfg.Transport = nil
	cfg.Target.Target, cfg.Target.Endpoints.Token = server.URL, server.URL+"/token"
	if report := execute(t, cfg); report.Summary.Inconclusive > 0 {
		t.Errorf("%+v", report.Summary)
	}
}
