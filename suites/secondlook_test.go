package suites

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// onFirst is a body that does one thing the first time and another one afterwards.
func onFirst(first, then Body) Body {
	var looks atomic.Int64
	return func(as *target.AS, g gomega.Gomega) {
		if looks.Add(1) == 1 {
			first(as, g)
			return
		}
		then(as, g)
	}
}

func TestSecondLook(t *testing.T) {
	passes := func(as *target.AS, g gomega.Gomega) { as.Token() }
	refused := func(as *target.AS, g gomega.Gomega) {
		g.Expect(as.Token(target.Set("grant_type", "x"), target.AnyStatus())).To(matchers.IssueToken())
	}
	issued := func(as *target.AS, g gomega.Gomega) { g.Expect(as.Token()).NotTo(matchers.IssueToken()) }
	compared := func(as *target.AS, g gomega.Gomega) { as.Token(); as.Fail("two answers differ") }
	unsure := func(as *target.AS, g gomega.Gomega) { as.Inconclusive("an outage") }
	failing := func(as *target.AS, g gomega.Gomega) { as.Token(target.Set("grant_type", "fail")) }
	halves := func(as *target.AS, g gomega.Gomega) {
		as.Variant("a", func(g gomega.Gomega) { passes(as, g) })
		as.Variant("b", func(g gomega.Gomega) { refused(as, g) })
	}
	for name, test := range map[string]struct {
		first, then Body
		options     []any
		want        reports.Verdict
		says        string
	}{
		"a refusal once":            {refused, passes, nil, reports.Inconclusive, "seen once, and not again when the check was repeated"},
		"a refusal twice":           {refused, refused, nil, reports.Fail, ""},
		"a refusal, then unsure":    {refused, unsure, nil, reports.Fail, ""},
		"a refusal, then an outage": {refused, failing, nil, reports.Inconclusive, "seen once"},
		"a comparison once":         {compared, passes, nil, reports.Inconclusive, "seen once"},
		"a token once":              {issued, passes, nil, reports.Fail, ""},
		"an outage once":            {unsure, passes, nil, reports.Pass, ""},
		"an outage, then a token":   {unsure, issued, nil, reports.Fail, ""},
		"an outage twice":           {unsure, unsure, nil, reports.Inconclusive, "an outage"},
		"a variant once":            {halves, func(as *target.AS, g gomega.Gomega) { as.Variant("b", func(g gomega.Gomega) {}) }, nil, reports.Pass, ""},
		"a race once":               {compared, passes, []any{Race}, reports.Fail, ""},
		"an outage in destruction":  {unsure, passes, []any{Destructive}, reports.Inconclusive, "an outage"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := against(&fakeAS{}, func(s *S) {
				s.Check("x", append(test.options, Requires(must), Needs(target.AnyTokenGrant), onFirst(test.first, test.then))...)
			})
			cfg.Lanes = []string{"all"}
			c := execute(t, cfg).Checks[0]
			if c.Verdict != test.want || !strings.Contains(c.Message, test.says) {
				t.Errorf("got %s %q, want %s %q", c.Verdict, c.Message, test.want, test.says)
			}
			if c.Verdict == reports.Fail && !slices.ContainsFunc(c.Exchanges, func(x reports.Exchange) bool { return x.Decisive }) {
				t.Errorf("no deciding exchange in %+v", c.Exchanges)
			}
		})
	}
}

// crowded answers no more than a few requests at a time; what is more waits until it is given up.
type crowded struct {
	fakeAS
	inside, most atomic.Int64
}

func (as *crowded) RoundTrip(r *http.Request) (*http.Response, error) {
	n := as.inside.Add(1)
	defer as.inside.Add(-1)
	for most := as.most.Load(); n > most && !as.most.CompareAndSwap(most, n); most = as.most.Load() {
	}
	if n > 2 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return as.fakeAS.RoundTrip(r)
}

func TestTargetThatCannotKeepUp(t *testing.T) {
	as := &crowded{}
	cfg := against(&as.fakeAS, func(s *S) {
		for i := range 40 {
			s.Check(fmt.Sprintf("check-%d", i), Requires(must), Needs(target.AnyTokenGrant), func(as *target.AS, g gomega.Gomega) { as.Token() })
		}
	})
	cfg.Transport, cfg.Target.Timing.Timeout = as, 50*time.Millisecond
	if s := execute(t, cfg).Summary; s.Pass != 40 {
		t.Errorf("%+v; %d requests at a time", s, as.most.Load())
	}
}
