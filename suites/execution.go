package suites

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	"github.com/onsi/gomega"
)

// execution is one execution of one check, and the target.Judge of its AS. What the body says is kept here; what it means
// (fail, warn, known …) is decided afterwards.
//
// Whatever ends a body early ends its goroutine (runtime.Goexit), as testing.T.FailNow does: deferred calls run, nothing
// can swallow it, and an assertion in a goroutine of the check's own ends only that goroutine.
type execution struct {
	check *Check
	ctx   context.Context
	as    *target.AS
	done  chan struct{} // closed when result is there

	mu       sync.Mutex
	sealed   bool // the execution is over: what stray goroutines still say is not heard
	whole    *statement
	variants []*statement
	current  *statement // whole, or the variant that runs
	notes    []string
	judged   *reports.Exchange // behind the last assertion
	judgedAt int               // how many exchanges were recorded then

	result    reports.Check // set before done is closed
	offLane   bool          // its lane was not chosen
	postponed bool          // there is a result, a skip, and a further set-up of the target may have another one
}

// kind is how a body, or a variant of it, ended.
type kind int

const (
	passed kind = iota
	failed
	skipped
	inconclusive
)

// statement is how a body or a variant ended, and what it said.
type statement struct {
	variant string // "" for the body itself
	ended   bool   // early, by one of the following
	kind    kind
	failure matchers.Failure // of a failed one
	proven  bool             // of a failed one: it need not be seen twice
	reason  string           // of a skipped or inconclusive one
	enable  string           // of a skipped one
}

func newExecution(c *Check) *execution {
	e := &execution{check: c, done: make(chan struct{}), whole: &statement{}}
	e.current = e.whole
	return e
}

// account is what an execution came to, before it is judged.
type account struct {
	whole     statement
	variants  []statement
	notes     []string
	exchanges []reports.Exchange
	duration  time.Duration
}

// run executes the body and returns when it has ended, or grace after ctx has ended. Its account is final: what an
// abandoned body goes on to say is not heard.
func (e *execution) run(ctx context.Context, newAS func(context.Context, string, target.Judge) *target.AS, grace time.Duration) account {
	started := time.Now()
	e.ctx = ctx
	e.as = newAS(ctx, e.check.ID, e)
	ended := e.start(e.whole, func(g gomega.Gomega) { e.check.body(e.as, g) })
	select {
	case <-ended:
	case <-ctx.Done():
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
			e.conclude(e.whole, statement{kind: inconclusive, reason: fmt.Sprintf("the check's body did not end within %s after its time was over", grace)})
		}
	}

	exchanges := own(e.as.Exchanges())
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sealed = true
	a := account{whole: *e.whole, notes: slices.Clone(e.notes), exchanges: exchanges, duration: time.Since(started)}
	for _, v := range e.variants {
		a.variants = append(a.variants, *v)
	}
	if ctx.Err() != nil && a.whole.kind == inconclusive {
		a.whole.reason = brief(ctx) + ": " + a.whole.reason
	}
	return a
}

// start runs a body in a goroutine of its own; however it ends, s says how.
func (e *execution) start(s *statement, body func(gomega.Gomega)) (ended <-chan struct{}) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		returned := false
		defer func() {
			switch fault := recover(); {
			case fault != nil:
				e.conclude(s, harnessFault(fmt.Sprintf("the check panicked: %v", fault), debug.Stack()))
			case !returned:
				// A body that ended its goroutine without a word; where it had one, the first word stays.
				e.conclude(s, harnessFault("the check's body ended its goroutine", nil))
			}
		}()
		body(e.gomega())
		returned = true
	}()
	return over
}

// gomega is the check's own Gomega: a failure goes to Fail, and what was judged last is remembered as evidence.
func (e *execution) gomega() gomega.Gomega {
	return &judging{Gomega: gomega.NewGomega(func(message string, _ ...int) { e.fail(message, true) }), e: e}
}

// judging is a Gomega that tells which response an assertion is about.
type judging struct {
	gomega.Gomega
	e *execution
}

// Expect implements gomega.Gomega.
func (j *judging) Expect(actual any, extra ...any) gomega.Assertion {
	j.e.judges(actual)
	return j.Gomega.ExpectWithOffset(1, actual, extra...)
}

// Ω implements gomega.Gomega.
func (j *judging) Ω(actual any, extra ...any) gomega.Assertion { return j.Expect(actual, extra...) }

// judges remembers the exchange behind an assertion's actual value, if there is one.
func (e *execution) judges(actual any) {
	var exchange *reports.Exchange
	switch actual := actual.(type) {
	case *target.Response:
		if actual != nil {
			exchange = actual.Exchange
		}
	case *target.Authorization:
		if actual != nil {
			if all := actual.Exchanges(); len(all) > 0 {
				exchange = all[len(all)-1]
			}
			if actual.Final != nil && actual.Final.Exchange != nil {
				exchange = actual.Final.Exchange
			}
		}
	}
	if exchange == nil {
		return
	}
	recorded := len(e.as.Exchanges())
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judged, e.judgedAt = exchange, recorded
}

// decisive marks the exchange that a failure rests on: the one that was judged last, unless others were made since; without one,
// the last of all. It returns it, nil if there is none.
func (e *execution) decisive() *reports.Exchange {
	e.mu.Lock()
	judged := e.judged
	if e.judgedAt != len(e.as.Exchanges()) {
		judged = nil
	}
	e.mu.Unlock()
	return e.as.Decisive(judged)
}

// harnessFault is the statement of a check that is wrong itself: never a finding about the target.
func harnessFault(what string, stack []byte) statement {
	reason := "a fault of the harness, not of the target: " + what
	if len(stack) > 0 {
		reason += "\n" + strings.TrimSpace(string(stack))
	}
	return statement{kind: inconclusive, reason: reason}
}

// conclude ends a statement unless it has ended already: the first word counts.
func (e *execution) conclude(s *statement, with statement) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sealed || s.ended {
		return
	}
	with.variant, with.ended = s.variant, true
	*s = with
}

// unwind ends the current statement and with it the goroutine. It does not return.
func (e *execution) unwind(with statement) {
	e.mu.Lock()
	s := e.current
	e.mu.Unlock()
	e.conclude(s, with)
	runtime.Goexit()
}

// Note implements target.Judge.
func (e *execution) Note(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sealed {
		return
	}
	if e.current.variant != "" {
		text = e.current.variant + ": " + text
	}
	if !slices.Contains(e.notes, text) {
		e.notes = append(e.notes, text)
	}
}

// Skip implements target.Judge.
func (e *execution) Skip(enable, reason string) {
	e.unwind(statement{kind: skipped, reason: reason, enable: enable})
}

// Inconclusive implements target.Judge.
func (e *execution) Inconclusive(reason string) {
	e.unwind(statement{kind: inconclusive, reason: reason})
}

// misuse recognises the errors of Gomega's matchers about a value that they cannot take: a fault of the check.
var misuse = regexp.MustCompile(`(?i)\bmatcher (expects|requires|must)\b|^Refusing to compare`)

// Fail implements target.Judge. What failed after the check's time was over
// proves nothing.
func (e *execution) Fail(message string) { e.fail(message, false) }

// fail ends the current statement; asserted says that the message is that of an assertion about one answer.
func (e *execution) fail(message string, asserted bool) {
	if why, ok := matchers.Unjudgeable(message); ok {
		e.Inconclusive(why)
	}
	if misuse.MatchString(message) {
		e.unwind(harnessFault(message, nil))
	}
	if e.ctx.Err() != nil {
		e.Inconclusive(message)
	}
	rests := e.decisive()
	e.unwind(statement{kind: failed, failure: matchers.ParseFailure(message), proven: e.check.Lane != Fast || asserted && proves(rests)})
}

// Variant implements target.Judge.
func (e *execution) Variant(name string, body func(gomega.Gomega)) {
	s := &statement{variant: name}
	e.mu.Lock()
	nested := e.current != e.whole
	if !nested && !e.sealed {
		e.variants = append(e.variants, s)
		e.current = s
		e.judged = nil
	}
	e.mu.Unlock()
	switch {
	case nested:
		e.unwind(harnessFault(fmt.Sprintf("the variant %q is inside another one", name), nil))
	case len(e.check.Variants) > 0 && !slices.Contains(e.check.Variants, name):
		e.conclude(s, harnessFault(fmt.Sprintf("the check does not list a variant %q", name), nil))
	default:
		<-e.start(s, body)
	}
	e.mu.Lock()
	e.current = e.whole
	e.mu.Unlock()
	if e.ctx.Err() != nil {
		e.Inconclusive("not all variants were tried")
	}
}
