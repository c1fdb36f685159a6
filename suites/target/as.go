package target

import (
	"context"
	"fmt"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/onsi/gomega"
)

// AS is the authorization server as one execution of one check sees it: the facts of the target, helpers that reach
// codes and tokens, a recorder for every exchange, and ways to say that no judgement is possible.
type AS struct {
	ctx   context.Context
	judge Judge

	recorded []reports.Exchange
}

// NewAS returns the view of one execution of a check. The runner calls it, and tests of checks.
func NewAS(ctx context.Context, judge Judge) *AS { return &AS{ctx: ctx, judge: judge} }

// Context ends when the check's time is over or the run is cancelled.
func (as *AS) Context() context.Context { return as.ctx }

// Exchanges returns what this execution recorded so far, in order.
func (as *AS) Exchanges() []reports.Exchange { return as.recorded }

// Note records an observation that breaks no normative statement; the check goes on.
func (as *AS) Note(format string, args ...any) { as.judge.Note(fmt.Sprintf(format, args...)) }

// Inconclusive ends the body: the target did not let the check reach a judgement. It does not return.
func (as *AS) Inconclusive(format string, args ...any) {
	as.judge.Inconclusive(fmt.Sprintf(format, args...))
}

// Skip ends the body: this target cannot be tested for this; enable is the one line of configuration that would make it
// testable. It does not return.
func (as *AS) Skip(enable, format string, args ...any) {
	as.judge.Skip(enable, fmt.Sprintf(format, args...))
}

// Variant runs one manipulation of a check. Its failure is recorded under its name and does not stop the next; neither
// does an inconclusive or skipped one.
func (as *AS) Variant(name string, body func(g gomega.Gomega)) { as.judge.Variant(name, body) }
