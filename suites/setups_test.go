package suites

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// furtherSecret is the secret of the client of a further set-up.
const furtherSecret = "another-secret-0123456789abcdefghijklm"

// furtherSetup is a set-up in which the client has the scopes; opened and shut count.
func furtherSetup(name string, as *fakeAS, opened, shut *int, scopes ...string) Setup {
	return Setup{Name: name, Open: func(context.Context) (target.Config, func(), error) {
		*opened++
		c := against(as, nothingToAdd).Target
		c.Transport, c.Scopes = as, scopes
		return c, func() { *shut++ }, nil
	}}
}

// needsScope is a check that has nothing to judge unless a scope is configured.
func needsScope(scope string, judge func(*target.AS, gomega.Gomega)) Body {
	return func(as *target.AS, g gomega.Gomega) {
		if !slices.Contains(as.Scopes(), scope) {
			as.Skip("scopes: ["+scope+"]", "no scope %s is configured", scope)
		}
		judge(as, g)
	}
}

func TestFurtherSetups(t *testing.T) {
	lax := &fakeAS{cacheable: true}
	var opened, shut int
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("judged-at-once", Requires("RFC6749-5.1-13"), noStore)
		s.Check("judged-in-the-second", Requires("RFC6749-5.1-14"), needsScope("b", noStore))
		s.Check("judged-nowhere", Requires("RFC6749-5.1-01"), needsScope("c", noStore))
		s.Check("needs-what-is-missing", Requires("RFC6749-5.1-02"), Needs(target.SAML), noStore)
		s.Check("other-lane", Requires("RFC6749-5.1-03"), Slow, noStore)
	})
	cfg.Setups = []Setup{
		furtherSetup("the first", lax, &opened, &shut, "a"),
		furtherSetup("the second", lax, &opened, &shut, "b"),
		{Name: "not worth a try", Checks: []string{"rfc6749/judged-at-once"}, Open: func(context.Context) (target.Config, func(), error) {
			t.Error("a set-up was opened for nothing")
			return target.Config{}, nil, errors.New("no")
		}},
	}
	var told []string
	cfg.Progress = func(e Event) {
		told = append(told, e.Check.ID)
		if e.Finished > e.Total {
			t.Errorf("%d of %d", e.Finished, e.Total)
		}
	}
	r, err := Execute(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range r.Checks {
		got[c.ID] = string(c.Verdict) + " " + c.Setup + " " + c.Message
	}
	for id, want := range map[string]string{
		"rfc6749/judged-at-once":        "pass  ",
		"rfc6749/judged-in-the-second":  "fail the second ",
		"rfc6749/judged-nowhere":        "skip  no scope c is configured",
		"rfc6749/needs-what-is-missing": "skip  needs saml",
		"rfc6749/other-lane":            "skip  the lane slow was not chosen",
	} {
		if !strings.HasPrefix(got[id], want) {
			t.Errorf("%s: %q, not %q", id, got[id], want)
		}
	}
	if want := []reports.Setup{{Name: "the second", URL: "http://as.test", Checks: 1}}; !slices.Equal(r.Run.Setups, want) {
		t.Errorf("%+v", r.Run.Setups)
	}
	if opened != 2 || shut != 2 || len(told) != 2 {
		t.Errorf("opened %d, shut %d, told of %v", opened, shut, told)
	}
	if r.Run.ExitStatus != StatusViolation {
		t.Errorf("the violation does not count: %d", r.Run.ExitStatus)
	}
}

// The secrets of a further set-up are kept out of the report, and its client's name is not.
func TestFurtherSetupIsRedacted(t *testing.T) {
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("told", Requires("RFC6749-5.1-13"), needsScope("b", func(as *target.AS, g gomega.Gomega) {
			as.Note("the secret is %s, the client %s", furtherSecret, "further-client")
		}))
	})
	cfg.Setups = []Setup{{Name: "the second", Open: func(context.Context) (target.Config, func(), error) {
		c := against(&fakeAS{}, nothingToAdd).Target
		c.Transport, c.Scopes = &fakeAS{}, []string{"b"}
		c.Clients.Second = &target.Client{ID: "further-client", Secret: furtherSecret}
		return c, nil, nil
	}}}
	r, err := Execute(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(r.Checks[0].Notes, " "); strings.Contains(notes, furtherSecret) || !strings.Contains(notes, "further-client") {
		t.Error(notes)
	}
}

func TestFurtherSetupThatFails(t *testing.T) {
	cfg := against(&fakeAS{}, func(s *S) { s.Check("told", Requires("RFC6749-5.1-13"), needsScope("b", noStore)) })
	cfg.Setups = []Setup{{Name: "the broken one", Open: func(context.Context) (target.Config, func(), error) {
		return target.Config{}, nil, errors.New("there is no port left")
	}}}
	r, err := Execute(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Checks[0]; c.Verdict != reports.Inconclusive || c.Message != `the set-up "the broken one": there is no port left` {
		t.Errorf("%+v", c)
	}
}

func TestPlanWithFurtherSetups(t *testing.T) {
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("judged-at-once", Requires("RFC6749-5.1-13"), noStore)
		s.Check("saml", Requires("RFC6749-5.1-02"), Needs(target.SAML), noStore)
		s.Check("tls", Requires("RFC6749-5.1-03"), Needs(target.TLS), noStore)
	})
	cfg.Setups = []Setup{{Name: "https", Open: func(context.Context) (target.Config, func(), error) {
		c := against(&fakeAS{}, nothingToAdd).Target
		c.Transport, c.Target, c.Endpoints.Token = &fakeAS{}, "https://as.test", "https://as.test/token"
		return c, nil, nil
	}}}
	p, err := Plan(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if text := p.String(); p.Runs != 2 || !strings.Contains(text, "rfc6749/tls  (further set-up: https)") || !strings.Contains(text, "Skip, needs saml") {
		t.Errorf("%d\n%s", p.Runs, text)
	}
}

func nothingToAdd(*S) {}

func TestDefaultDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		want time.Duration
	}{
		"quick":         {Config{Lanes: []string{"fast", "race"}}, 10 * time.Minute},
		"slow":          {Config{Lanes: []string{"slow"}}, 35 * time.Minute},
		"long lifetime": {Config{Lanes: []string{"slow"}, Target: target.Config{Timing: target.Timing{CodeLifetime: time.Hour}}}, 135 * time.Minute},
		"own clock":     {Config{Lanes: []string{"slow"}, Target: target.Config{Sleep: func(time.Duration) error { return nil }}}, 10 * time.Minute},
		"rate":          {Config{Target: target.Config{Rate: 2}}, 15 * time.Minute},
	} {
		if got := test.cfg.defaultDeadline(60); got != test.want {
			t.Errorf("%s: %s, not %s", name, got, test.want)
		}
	}
}
