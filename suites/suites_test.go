package suites

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Requirements of the catalogue that the tests name: two MUSTs, a SHOULD and a MAY.
const (
	must      = "RFC6749-5.1-13"
	otherMust = "RFC6749-5.1-01"
	should    = "RFC6749-5.1-05"
	may       = "RFC6749-2.3.1-04"
)

// registry is a registry of checks of section 5.1 of RFC 6749.
func registry(register func(*S)) *Registry {
	r := new(Registry)
	r.Section("RFC 6749", "5.1", register)
	return r
}

func nothing(*target.AS, gomega.Gomega) {}

// config is a run of checks that need nothing of the target.
func config(register func(*S)) Config {
	return against(&fakeAS{}, register)
}

// execute runs checks and returns the report.
func execute(t *testing.T, cfg Config) *reports.Report {
	t.Helper()
	report, err := Execute(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// only runs one check, of a MUST, with the body and returns its outcome.
func only(t *testing.T, body Body, options ...any) reports.Check {
	t.Helper()
	report := execute(t, config(func(s *S) { s.Check("only", append(options, Requires(must), body)...) }))
	return report.Checks[0]
}

func TestVerdicts(t *testing.T) {
	fails := func(as *target.AS, g gomega.Gomega) { g.Expect("got").To(gomega.Equal("want"), "compared") }
	for name, test := range map[string]struct {
		requirement string
		body        Body
		options     []any
		want        reports.Verdict
		message     string
	}{
		"pass":   {must, nothing, nil, reports.Pass, ""},
		"MUST":   {must, fails, nil, reports.Fail, "compared"},
		"SHOULD": {should, fails, nil, reports.Warn, "compared"},
		"MAY":    {may, fails, nil, reports.Note, "compared"},
		"trial":  {must, fails, []any{Provisional("2026-11")}, reports.Fail, "compared"},
		"remark": {must, func(as *target.AS, g gomega.Gomega) { as.Note("odd: %d", 7) }, nil, reports.Note, ""},
		"skip":   {must, func(as *target.AS, g gomega.Gomega) { as.Skip("line", "cannot") }, nil, reports.Skip, "cannot"},
		"open":   {must, func(as *target.AS, g gomega.Gomega) { as.Inconclusive("no %s", "answer") }, nil, reports.Inconclusive, "no answer"},
		"panic": {must, func(as *target.AS, g gomega.Gomega) { panic("ouch") }, nil, reports.Inconclusive,
			"a fault of the harness, not of the target: the check panicked: ouch"},
		"nil map": {must, func(as *target.AS, g gomega.Gomega) { var c *Check; c.Name = "x" }, nil, reports.Inconclusive, "nil pointer dereference"},
		"misused matcher": {must, func(as *target.AS, g gomega.Gomega) { g.Expect(7).To(gomega.HaveLen(1)) }, nil, reports.Inconclusive,
			"a fault of the harness"},
		"after the first word": {must, func(as *target.AS, g gomega.Gomega) {
			defer func() { _ = recover(); as.Note("cleaned up") }()
			fails(as, g)
		}, nil, reports.Fail, "compared"},
	} {
		t.Run(name, func(t *testing.T) {
			report := execute(t, config(func(s *S) { s.Check("only", append(test.options, Requires(test.requirement), test.body)...) }))
			got := report.Checks[0]
			if got.Verdict != test.want || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %s %q, want %s %q", got.Verdict, got.Message, test.want, test.message)
			}
			if got.Verdict == reports.Fail && (len(got.Expected) != 1 || !strings.Contains(got.Actual, "got")) {
				t.Errorf("expected %q, actual %q", got.Expected, got.Actual)
			}
		})
	}
}

func TestVariants(t *testing.T) {
	variants := func(as *target.AS, g gomega.Gomega) {
		as.Variant("good", func(g gomega.Gomega) {})
		as.Variant("bad", func(g gomega.Gomega) { g.Expect(1).To(gomega.Equal(2)) })
		as.Variant("open", func(g gomega.Gomega) { as.Inconclusive("no answer") })
		as.Variant("worse", func(g gomega.Gomega) { as.Note("worth knowing"); g.Expect(1).To(gomega.Equal(3)) })
		as.Variant("panics", func(g gomega.Gomega) { panic("ouch") })
	}
	got := only(t, variants)
	if got.Verdict != reports.Fail || got.Message != "2 of 5 variants: bad, worse" {
		t.Errorf("verdict %s, message %q", got.Verdict, got.Message)
	}
	var verdicts []string
	for _, v := range got.Variants {
		verdicts = append(verdicts, v.Name+" "+string(v.Verdict))
	}
	if s := strings.Join(verdicts, ", "); s != "good pass, bad fail, open inconclusive, worse fail, panics inconclusive" {
		t.Error(s)
	}
	if s := strings.Join(got.Notes, "; "); s != "worse: worth knowing; 2 of 5 variants could not be judged: open, panics" {
		t.Error(s)
	}

	t.Run("none judged", func(t *testing.T) {
		got := only(t, func(as *target.AS, g gomega.Gomega) {
			as.Variant("a", func(g gomega.Gomega) { as.Skip("line", "cannot") })
			as.Variant("b", func(g gomega.Gomega) { as.Inconclusive("no answer") })
		})
		if got.Verdict != reports.Inconclusive || got.Message != "b: no answer" {
			t.Errorf("verdict %s, message %q", got.Verdict, got.Message)
		}
	})
	t.Run("nested", func(t *testing.T) {
		got := only(t, func(as *target.AS, g gomega.Gomega) {
			as.Variant("a", func(g gomega.Gomega) { as.Variant("b", func(g gomega.Gomega) {}) })
		})
		if got.Verdict != reports.Inconclusive || !strings.Contains(got.Message, `the variant "b" is inside another one`) {
			t.Errorf("verdict %s, message %q", got.Verdict, got.Message)
		}
	})
	t.Run("unlisted", func(t *testing.T) {
		got := only(t, func(as *target.AS, g gomega.Gomega) {
			as.Variant("b", func(g gomega.Gomega) { g.Expect(1).To(gomega.Equal(2)) })
		}, Variants("a"))
		if got.Verdict != reports.Inconclusive || !strings.Contains(got.Message, `does not list a variant "b"`) {
			t.Errorf("verdict %s, message %q", got.Verdict, got.Message)
		}
	})
	t.Run("a finding outlives a later inconclusive end", func(t *testing.T) {
		got := only(t, func(as *target.AS, g gomega.Gomega) {
			as.Variant("bad", func(g gomega.Gomega) { g.Expect(1).To(gomega.Equal(2)) })
			as.Inconclusive("the control failed at the end")
		})
		if got.Verdict != reports.Fail {
			t.Errorf("verdict %s", got.Verdict)
		}
	})
}

// A deviation of the catalogue that breaks `must`, for profiles.
const breaksMust = "token-response-cacheable"

func TestDeclaredFindingsAreKnown(t *testing.T) {
	bad := func(as *target.AS, g gomega.Gomega) { g.Expect(1).To(gomega.Equal(2)) }
	profile := &profiles.Profile{Name: "lax", Deviations: []profiles.Declared{{Deviation: breaksMust}}}
	cfg := config(func(s *S) {
		s.Check("declared", Requires(must), Body(bad))
		s.Check("undeclared", Requires(otherMust), Body(bad))
	})
	cfg.Profile = profile
	report := execute(t, cfg)
	if c := report.Checks[0]; c.Verdict != reports.Known || strings.Join(c.Declared, ",") != breaksMust {
		t.Errorf("declared: %s, %v", c.Verdict, c.Declared)
	}
	if c := report.Checks[1]; c.Verdict != reports.Fail || len(c.Declared) > 0 {
		t.Errorf("undeclared: %s, %v", c.Verdict, c.Declared)
	}
	if report.Run.ExitStatus != StatusViolation || report.Run.Profile != "lax" {
		t.Errorf("run: %+v", report.Run)
	}

	cfg.Judge = JudgeStrict
	if c := execute(t, cfg).Checks[0]; c.Verdict != reports.Fail || len(c.Declared) > 0 {
		t.Errorf("judge strict: %s, %v", c.Verdict, c.Declared)
	}

	got := Expected(profile, cfg.Registry.Checks())
	if len(got) != 1 || got[0].Check != "rfc6749/declared" {
		t.Errorf("expected: %+v", got)
	}
	profile.Masks = []profiles.Mask{{Deviation: breaksMust, Check: "rfc6749/declared", By: "another"}}
	if got := Expected(profile, cfg.Registry.Checks()); len(got) != 0 {
		t.Errorf("expected with a mask: %+v", got)
	}
}

func TestDeclaredVariants(t *testing.T) {
	c := &Check{ID: "rfc6749/redirect", Requirements: []string{must}, body: nothing}
	declared := declarations{{Name: "lax-port", Breaks: must, Variants: []string{"port-*"}}}
	finding := func(variant string) statement { return statement{variant: variant, ended: true, kind: failed} }

	port := judge(c, account{variants: []statement{finding("port-added")}}, declared)
	if port.Verdict != reports.Known || port.Variants[0].Verdict != reports.Known {
		t.Errorf("a declared variant is %s", port.Verdict)
	}
	host := judge(c, account{variants: []statement{finding("port-added"), finding("other-host")}}, declared)
	if host.Verdict != reports.Fail || host.Message != "1 of 2 variants: other-host" || host.Variants[0].Verdict != reports.Known {
		t.Errorf("another host is %s: %s", host.Verdict, host.Message)
	}
	if whole := judge(c, account{whole: finding("")}, declared); whole.Verdict != reports.Known {
		t.Errorf("a finding without a variant is %s", whole.Verdict)
	}
}

func TestExitStatus(t *testing.T) {
	check := func(level profiles.Level, verdict reports.Verdict) reports.Check {
		return reports.Check{Level: string(level), Verdict: verdict}
	}
	many := func(n int, c reports.Check) []reports.Check {
		var out []reports.Check
		for range n {
			out = append(out, c)
		}
		return out
	}
	pass, open := check(profiles.Must, reports.Pass), check(profiles.MustNot, reports.Inconclusive)
	trial := check(profiles.Must, reports.Fail)
	trial.Provisional = true
	for name, test := range map[string]struct {
		checks  []reports.Check
		failOn  string
		aborted string
		want    int
	}{
		"pass":                         {checks: many(1, pass), want: 0},
		"nothing":                      {want: 3},
		"only skips":                   {checks: many(3, check(profiles.Must, reports.Skip)), want: 3},
		"only inconclusive SHOULDs":    {checks: many(3, check(profiles.Should, reports.Inconclusive)), want: 3},
		"fail":                         {checks: many(1, check(profiles.Must, reports.Fail)), want: 1},
		"a violation wins over 3":      {checks: append(many(9, open), check(profiles.Must, reports.Fail)), want: 1},
		"provisional":                  {checks: many(1, trial), want: 0},
		"warn":                         {checks: many(1, check(profiles.Should, reports.Warn)), want: 0},
		"warn that counts":             {checks: many(1, check(profiles.Should, reports.Warn)), failOn: FailOnShould, want: 1},
		"known":                        {checks: many(1, check(profiles.Must, reports.Known)), want: 0},
		"a tenth inconclusive":         {checks: append(many(9, pass), open), want: 0},
		"more than a tenth":            {checks: append(many(8, pass), open), want: 3},
		"skips are not runnable":       {checks: append(append(many(8, pass), open), many(9, check(profiles.Must, reports.Skip))...), want: 3},
		"SHOULDs do not count as open": {checks: append(many(8, pass), check(profiles.Should, reports.Inconclusive)), want: 0},
		"aborted":                      {checks: many(20, pass), aborted: "deadline", want: 3},
	} {
		report := &reports.Report{Checks: test.checks, Run: reports.Run{Aborted: test.aborted}}
		if got := ExitStatus(report, test.failOn); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	for err, want := range map[error]int{nil: 0, &UsageError{}: 2, &NoMatchError{}: 2, &TargetError{Err: errors.New("x")}: 3, &RegistrationError{}: 2} {
		if got := StatusOf(err); got != want {
			t.Errorf("%T: %d, want %d", err, got, want)
		}
	}
}

func TestOrderOfTheReport(t *testing.T) {
	r := new(Registry)
	for _, place := range [][2]string{{"RFC 6750", "3"}, {"RFC 6749", "A.4"}, {"rfc6749", "10.3"}, {"RFC 6749", "5.1"}, {"RFC 6749", "2.3.1"}} {
		r.Section(place[0], place[1], func(s *S) {
			var id string
			for _, req := range profiles.Requirements(slug(place[0])) {
				if req.Section == place[1] && req.Testable != profiles.NotTestable {
					id = req.ID
				}
			}
			s.Check("second-"+strings.ReplaceAll(strings.ToLower(place[1]), ".", "-"), Requires(id), nothing)
			s.Check("first-"+strings.ReplaceAll(strings.ToLower(place[1]), ".", "-"), Requires(id), Disturbs(Client), nothing)
		})
	}
	cfg := config(func(*S) {})
	cfg.Registry = r
	var got []string
	for _, c := range execute(t, cfg).Checks {
		got = append(got, c.ID)
	}
	want := "rfc6749/second-2-3-1 rfc6749/first-2-3-1 rfc6749/second-5-1 rfc6749/first-5-1 rfc6749/second-10-3 rfc6749/first-10-3 " +
		"rfc6749/second-a-4 rfc6749/first-a-4 rfc6750/second-3 rfc6750/first-3"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestTheEndOfARun(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		cfg := config(func(s *S) {
			s.Check("waits", Requires(must), func(as *target.AS, g gomega.Gomega) {
				<-as.Context().Done()
				as.Inconclusive("no answer")
			})
			s.Check("fails-afterwards", Requires(must), func(as *target.AS, g gomega.Gomega) {
				<-as.Context().Done()
				g.Expect(1).To(gomega.Equal(2))
			})
			s.Check("never-begins", Requires(must), Disturbs(Client), nothing)
		})
		cfg.Deadline = 20 * time.Millisecond
		report := execute(t, cfg)
		for i, want := range []string{"the run's deadline of 20ms passed: no answer", "the run's deadline of 20ms passed: Expected",
			"the run's deadline of 20ms passed before this check began"} {
			if c := report.Checks[i]; c.Verdict != reports.Inconclusive || !strings.HasPrefix(c.Message, want) {
				t.Errorf("%s: %s %q", c.ID, c.Verdict, c.Message)
			}
		}
		if report.Run.Aborted != "the run's deadline of 20ms passed" || report.Run.ExitStatus != StatusUntested {
			t.Errorf("%+v", report.Run)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := config(func(s *S) {
			s.Check("waits", Requires(must), func(as *target.AS, g gomega.Gomega) { cancel(); <-as.Context().Done(); as.Inconclusive("cut") })
		})
		report, err := Execute(ctx, cfg)
		if err != nil || report.Run.Aborted != "the run was interrupted" || report.Checks[0].Message != "the run was interrupted: cut" {
			t.Errorf("%v, %+v", err, report)
		}
	})
	t.Run("a body that does not end", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := &Check{ID: "rfc6749/hangs", Requirements: []string{must}, body: func(*target.AS, gomega.Gomega) { <-release }}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("the check took longer than 1ms"))
		defer cancel()
		run, err := target.NewRun(ctx, &target.Info{}, target.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a := newExecution(c).run(ctx, run.NewAS, time.Millisecond)
		if want := "the check took longer than 1ms: the check's body did not end within 1ms after its time was over"; a.whole.reason != want {
			t.Errorf("got %q", a.whole.reason)
		}
	})
}
