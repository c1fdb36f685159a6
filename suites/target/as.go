package target

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
)

// AS is the authorization server as one execution of one check sees it: the facts of the target, helpers that reach
// codes and tokens, a recorder for every exchange, and ways to say that no judgement is possible.
//
// The helpers do not return errors. What keeps them from doing their part (a control that fails, a target that does not
// answer) ends the body as inconclusive; see Judge.
type AS struct {
	ctx   context.Context
	run   *Run
	judge Judge
	rand  *random

	mu       sync.Mutex
	recorded []*reports.Exchange
	copies   map[*reports.Exchange]*reports.Exchange // among recorded, by what they are copies of
	shown    map[*reports.Exchange]bool              // controls that are already among recorded
}

// NewAS returns the view of one execution of the check of that name (which seeds its random values).
func (run *Run) NewAS(ctx context.Context, check string, judge Judge) *AS {
	ctx = context.WithValue(ctx, checkKey{}, check)
	return &AS{ctx: ctx, run: run, judge: judge, rand: newRandom(run.seed, check), shown: map[*reports.Exchange]bool{}}
}

// Context ends when the check's time is over or the run is cancelled.
func (as *AS) Context() context.Context { return as.ctx }

// Run is the run that this execution belongs to.
func (as *AS) Run() *Run { return as.run }

// Exchanges returns copies of what this execution recorded so far, in order.
func (as *AS) Exchanges() []reports.Exchange {
	as.mu.Lock()
	defer as.mu.Unlock()
	out := make([]reports.Exchange, len(as.recorded))
	for i, x := range as.recorded {
		out[i] = *x
	}
	return out
}

// Decisive marks an exchange as the one that a verdict rests on; nil, or one that this execution did not record, stands for the last
// that is no control.
func (as *AS) Decisive(exchange *reports.Exchange) *reports.Exchange {
	as.mu.Lock()
	defer as.mu.Unlock()
	if own, ok := as.copies[exchange]; ok {
		exchange = own
	}
	for i := len(as.recorded) - 1; i >= 0; i-- {
		if as.recorded[i] == exchange {
			exchange.Decisive = true
			return exchange
		}
	}
	for i := len(as.recorded) - 1; i >= 0; i-- {
		if !as.recorded[i].Control {
			as.recorded[i].Decisive = true
			return as.recorded[i]
		}
	}
	return nil
}

// recordCopy records an exchange that others record as well: what this execution marks in its evidence is not for them.
func (as *AS) recordCopy(x *reports.Exchange) {
	own := *x
	as.record(&own)
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.copies == nil {
		as.copies = map[*reports.Exchange]*reports.Exchange{}
	}
	as.copies[x] = &own
}

func (as *AS) record(x *reports.Exchange) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.recorded = append(as.recorded, x)
}

// Note records an observation that breaks no normative statement; the check goes on.
func (as *AS) Note(format string, args ...any) { as.judge.Note(fmt.Sprintf(format, args...)) }

// Inconclusive ends the body: the target did not let the check reach a judgement. It does not return.
func (as *AS) Inconclusive(format string, args ...any) {
	as.judge.Inconclusive(fmt.Sprintf(format, args...))
	panic("target: Judge.Inconclusive returned")
}

// Skip ends the body: this target cannot be tested for this; enable is the one line of configuration that would make it
// testable. It does not return.
func (as *AS) Skip(enable, format string, args ...any) {
	as.judge.Skip(enable, fmt.Sprintf(format, args...))
	panic("target: Judge.Skip returned")
}

// Fail ends the body as a failed assertion does. Matchers usually say it better.
func (as *AS) Fail(format string, args ...any) {
	as.judge.Fail(fmt.Sprintf(format, args...))
	panic("target: Judge.Fail returned")
}

// Variant runs one manipulation of a check. Its failure is recorded under its name and does not stop the next; neither
// does an inconclusive or skipped one.
func (as *AS) Variant(name string, body func(g gomega.Gomega)) { as.judge.Variant(name, body) }

// Issuer is the issuer identifier, "" if unknown.
func (as *AS) Issuer() string { return as.run.info.Issuer }

// Metadata is the metadata document, nil if none was found. Its methods work on nil.
func (as *AS) Metadata() *Metadata { return as.run.info.Metadata }

// Info is everything that is known of the target.
func (as *AS) Info() *Info { return as.run.info }

// Config is the target file's content.
func (as *AS) Config() *Config { return &as.run.info.Config }

// Timing gathers every wait of the run.
func (as *AS) Timing() Timing { return as.run.info.Config.Timing }

// User is the resource owner that the tester plays.
func (as *AS) User() User { return as.run.info.Config.User }

// Has reports whether the target has a capability; what is only likely is tried once per run.
func (as *AS) Has(capability Capability) bool { return as.run.Has(capability) }

// Endpoint is the absolute URL of an endpoint; where the target has none the check ends as skipped.
func (as *AS) Endpoint(e Endpoint) string {
	u := as.run.info.Endpoints.get(e)
	if u == "" {
		as.Skip("endpoints."+string(e)+": …", "the target has no %s endpoint", e)
	}
	return u
}

// Primary is clients.primary of the target file; without one the check ends as skipped.
func (as *AS) Primary() *Client { return as.client("primary") }

// Second is clients.second of the target file; without one the check ends as skipped.
func (as *AS) Second() *Client { return as.client("second") }

// Public is clients.public of the target file; without one the check ends as skipped.
func (as *AS) Public() *Client { return as.client("public") }

func (as *AS) client(name string) *Client {
	c := as.run.info.Config.Clients.ByName(name)
	if c == nil {
		as.Skip("clients."+name+": {id: …, secret: …, redirect_uris: […]}", "no %s client is configured", name)
	}
	return c
}

// ClientFor is the client that usually plays in a grant; without one the check ends as skipped.
func (as *AS) ClientFor(grant Grant) *Client {
	c := as.run.info.Config.ClientFor(grant.Type())
	if c == nil {
		as.Skip("clients.primary.grants: ["+grant.Type()+"]", "no client that is configured may use %s", grant)
	}
	return c
}

// Confidential is the first configured client that authenticates; without one the check ends as skipped.
func (as *AS) Confidential() *Client {
	c := as.run.info.Config.Clients.FirstConfidential()
	if c == nil {
		as.Skip("clients.primary: {id: …, secret: …}", "no confidential client is configured")
	}
	return c
}

// Scopes are the scopes that the client usually asks for in a grant.
func (as *AS) Scopes() []string { return as.run.info.Config.Scopes }

// Random is a string of n letters and digits. The run's seed and the check's name determine it.
func (as *AS) Random(n int) string { return as.rand.letters(n) }

// State is a fresh state parameter of 40 characters.
func (as *AS) State() string { return as.rand.letters(40) }

// Verifier is a fresh PKCE code_verifier of 64 characters (RFC 7636 section 4.1).
func (as *AS) Verifier() string {
	v := as.rand.letters(64)
	as.run.AddSecret("code_verifier", v)
	return v
}

// Wait waits for a lifetime to pass. Slow checks use it and nothing else.
func (as *AS) Wait(d time.Duration) {
	if err := as.run.sleep(as.ctx, d); err != nil {
		as.Inconclusive("waiting for %s was cut short: %v", d, err)
	}
}

// Settle waits as long as the target file says that a change (a revocation) takes to have effect.
func (as *AS) Settle() {
	if d := as.Timing().Settle; d > 0 {
		as.Wait(d)
	}
}
