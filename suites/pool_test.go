package suites

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

var update = flag.Bool("update", false, "write the golden files of this package")

func TestDisturbingChecksRunAlone(t *testing.T) {
	var running, disturbing, wrong atomic.Int64
	quiet := func(as *target.AS, g gomega.Gomega) {
		running.Add(1)
		defer running.Add(-1)
		for range 50 {
			if disturbing.Load() > 0 {
				wrong.Add(1)
			}
			<-time.After(10 * time.Microsecond)
		}
	}
	alone := func(as *target.AS, g gomega.Gomega) {
		if disturbing.Add(1) > 1 || running.Load() > 0 {
			wrong.Add(1)
		}
		<-time.After(100 * time.Microsecond)
		disturbing.Add(-1)
	}
	report := execute(t, config(func(s *S) {
		for i := range 40 {
			if i%3 == 0 {
				s.Check(fmt.Sprintf("alone-%d", i), Requires(must), Disturbs([]Scope{Grant, Client, User}[i/3%3]), alone)
			} else {
				s.Check(fmt.Sprintf("quiet-%d", i), Requires(must), quiet)
			}
		}
	}))
	if report.Summary.Pass != 40 || wrong.Load() > 0 {
		t.Errorf("%+v; %d meetings", report.Summary, wrong.Load())
	}
}

func TestScopes(t *testing.T) {
	for _, test := range []struct {
		options []any
		want    string
	}{
		{nil, "[client grant user]"},
		{[]any{Needs(target.MetadataDocument)}, "[]"},
		{[]any{Needs(target.ClientCredentialsGrant, target.ConfidentialClient)}, "[client]"},
		{[]any{Needs(target.ClientCredentialsGrant), Disturbs(User)}, "[user client]"},
		{[]any{Needs(target.AnyTokenGrant), Disturbs(Grant)}, "[grant client user]"},
	} {
		c := registry(func(s *S) { s.Check("x", append(test.options, Requires(must), nothing)...) }).sorted()[0]
		if got := fmt.Sprint(scopesOf(c)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestPlan(t *testing.T) {
	cfg := against(&fakeAS{}, func(s *S) {
		s.Check("no-store", Requires(must), Needs(target.AnyTokenGrant), noStore)
		s.Check("wrong-secret", Requires("RFC6749-3.2.1-01"), Needs(target.AnyTokenGrant), Disturbs(Client), wrongSecret)
		s.Check("needs-a-code", Requires(otherMust), Needs(target.AuthorizationCode), noStore)
		s.Check("needs-a-code-too", Requires(should), Needs(target.AuthorizationCode), noStore)
		s.Check("waits", Requires(otherMust), Slow, noStore)
		s.Check("left-out", Requires(otherMust), noStore)
	})
	cfg.Exclude = []string{"left-out"}
	p, err := Plan(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/plan.txt"
	if *update {
		if err := os.WriteFile(file, []byte(p.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", p, want)
	}
	if p.Runs != 2 || len(p.Checks) != 6 || p.Checks[5].Because != Filtered || p.Checks[2].Because != Missing || p.Checks[4].Because != OffLane || !p.Checks[1].Disturbs {
		t.Errorf("%+v", p)
	}

	as := &fakeAS{}
	as.dead.Store(true)
	cfg.Transport, cfg.Target.Endpoints = as, target.Endpoints{}
	if _, err := Plan(t.Context(), cfg); StatusOf(err) != StatusUntested || !strings.Contains(err.Error(), "the connection is refused") {
		t.Errorf("a dead server: %v", err)
	}
}

func TestLogins(t *testing.T) {
	info := &target.Info{Detections: []target.Detection{{Capability: target.ClientCredentialsGrant, State: target.Available}}}
	for _, test := range []struct {
		options []any
		with    int // logins where client_credentials works
		without int
	}{
		{[]any{Needs(target.AuthorizationCode)}, 1, 1},
		{[]any{Needs(target.AuthorizationCode), Variants("a", "b", "c")}, 3, 3},
		{[]any{Needs(target.AnyTokenGrant)}, 0, 1},
		{[]any{Needs(target.MetadataDocument)}, 0, 0},
		{nil, 0, 0},
	} {
		c := registry(func(s *S) { s.Check("x", append(test.options, Requires(must), nothing)...) }).sorted()[0]
		if got := logins(c, info); got != test.with {
			t.Errorf("%v: %d, want %d", c.Needs, got, test.with)
		}
		if got := logins(c, &target.Info{}); got != test.without {
			t.Errorf("%v without client_credentials: %d, want %d", c.Needs, got, test.without)
		}
	}
}

// Three hundred checks that take 10 ms each: what the harness adds must be small.
func BenchmarkPool(b *testing.B) {
	cfg := config(func(s *S) {
		for i := range 300 {
			s.Check(fmt.Sprintf("check-%d", i), Requires(must), func(as *target.AS, g gomega.Gomega) {
				<-time.After(10 * time.Millisecond)
				g.Expect(1).To(gomega.Equal(1))
			})
		}
	})
	for b.Loop() {
		if _, err := Execute(b.Context(), cfg); err != nil {
			b.Fatal(err)
		}
	}
}

// A thousand checks that take no time: the overhead of planning, executing and reporting.
func BenchmarkOverhead(b *testing.B) {
	cfg := config(func(s *S) {
		for i := range 1000 {
			s.Check(fmt.Sprintf("check-%d", i), Requires(must), nothing)
		}
	})
	for b.Loop() {
		if _, err := Execute(b.Context(), cfg); err != nil {
			b.Fatal(err)
		}
	}
}
