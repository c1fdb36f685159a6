package suites

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/oauthcheck/oauthcheck/reports"
)

// A real server stumbles: it answers an error under load, or nothing in time. Some of what a check saw may therefore say
// nothing about the server's rules. What could be such a stumble gets a second look when the first is over: the whole check
// once more, with values and controls of its own, and while little else is going on.
//
//   - A finding that rests on a refusal (a token was expected and an error came), or on more than one answer, has to be seen
//     twice. One that rests on what the server did and must not do (it issued a token) proves itself, and a race or what time
//     brings need not repeat itself.
//   - What was inconclusive may be judged after all; so may what was skipped, if the target failed at times.

// doubtful collects the executions that get a second look.
type doubtful struct {
	mu   sync.Mutex
	list []doubt
}

// doubt is an execution with the account of its first look.
type doubt struct {
	e     *execution
	first account
}

// add is called by workers.
func (d *doubtful) add(e *execution, first account) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, doubt{e, first})
}

// merits reports whether an account is worth a second look: also one that says that something is missing, if the target
// failed at times.
func merits(c *Check, a account, failures bool) bool {
	if c.Lane != Fast && c.Lane != Race {
		return false // a second look is not worth another wait, and must not lock out nor destroy
	}
	return slices.ContainsFunc(a.statements(), func(s statement) bool {
		return s.kind == inconclusive || s.kind == skipped && failures || s.kind == failed && !s.proven
	})
}

// statements are those of the variants and of the body itself.
func (a account) statements() []statement { return append(slices.Clone(a.variants), a.whole) }

// proves reports whether an exchange shows by itself what a server must not do: success. A refusal may be a stumble.
func proves(x *reports.Exchange) bool {
	switch {
	case x == nil:
		return true
	case x.Response.Status >= 300 && x.Response.Status < 400:
		return !strings.Contains(strings.Join(x.Response.Headers["Location"], " "), "error=")
	}
	return x.Response.Status >= 200 && x.Response.Status < 300
}

// lookAgain gives every doubtful execution its second look and settles it.
func (r *run) lookAgain(ctx context.Context, on *stage, doubts []doubt) {
	if len(doubts) == 0 {
		return
	}
	firsts := map[*execution]account{}
	var executions []*execution
	for _, d := range doubts {
		firsts[d.e] = d.first
		executions = append(executions, d.e)
	}
	options := on.options
	options.Seed++ // values that were used are not used again
	second, err := on.target.Again(ctx, options)
	if err != nil || ctx.Err() != nil {
		for _, d := range doubts {
			r.settle(on, d.e, d.first.once(on.target.Failures() > 0))
		}
		return
	}
	on.second.Store(second) // while what is finished may be told
	procs := min(r.procs(on, len(executions)), calm)
	if on.target.Failures() > 0 {
		procs = 1
	}
	r.pool(second, executions, procs, func(e *execution) {
		first := firsts[e]
		if ctx.Err() == nil {
			if again := r.body(ctx, on, e.check, second); ctx.Err() == nil {
				r.settle(on, e, first.confirmed(again, on.target.Failures()+second.Failures() > 0))
				return
			}
		}
		r.settle(on, e, first.once(on.target.Failures()+second.Failures() > 0))
	})
}

// calm is how many checks get their second look at a time from a target that has not failed so far.
const calm = 4

// confirmed is what remains of a first account after a second look. Where the second look could not judge what the first saw, it
// stays, unless the target failed at times: it may remember what the first look did (a consent, say).
func (a account) confirmed(again account, failures bool) account {
	out := account{notes: again.notes, exchanges: again.exchanges, duration: a.duration + again.duration}
	kept := false // something of the first account that needs its evidence
	pick := func(first, second statement, looked bool) statement {
		switch {
		case first.kind == failed && first.proven:
			kept = true
			return first
		case first.kind == failed && looked && second.kind == failed:
			return second
		case first.kind == failed && !failures && (!looked || second.kind != passed):
			kept = true
			return first
		case first.kind == failed:
			kept = true
			return first.unconfirmed("not again when the check was repeated")
		case (first.kind == inconclusive || first.kind == skipped) && looked:
			return second
		}
		return first
	}
	seen := map[string]bool{}
	for _, first := range a.variants {
		seen[first.variant] = true
		i := slices.IndexFunc(again.variants, func(s statement) bool { return s.variant == first.variant })
		if i < 0 {
			out.variants = append(out.variants, pick(first, statement{}, false))
			continue
		}
		out.variants = append(out.variants, pick(first, again.variants[i], true))
	}
	for _, second := range again.variants {
		if !seen[second.variant] { // the first look ended before it
			out.variants = append(out.variants, second)
		}
	}
	out.whole = pick(a.whole, again.whole, true)
	if kept {
		out.exchanges = append(slices.Clone(a.exchanges), again.exchanges...)
		for _, note := range a.notes {
			if !slices.Contains(out.notes, note) {
				out.notes = append(out.notes, note)
			}
		}
	}
	return out
}

// once is what remains of an account that gets no second look, because the run has ended: what could be a stumble of a target that failed at
// times is no finding.
func (a account) once(failures bool) account {
	if !failures {
		return a
	}
	unsure := func(s statement) statement {
		if s.kind == failed && !s.proven {
			return s.unconfirmed("the run ended before the check could be repeated")
		}
		return s
	}
	a.variants = slices.Clone(a.variants)
	for i, s := range a.variants {
		a.variants[i] = unsure(s)
	}
	a.whole = unsure(a.whole)
	return a
}

// unconfirmed is a finding that was seen once, and why it is none.
func (s statement) unconfirmed(why string) statement {
	return statement{variant: s.variant, ended: true, kind: inconclusive,
		reason: fmt.Sprintf("seen once, and %s: %s", why, firstOf(s.failure.Actual, s.failure.Context, "a violation"))}
}

// firstOf is the first text that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
