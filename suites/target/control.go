package target

import (
	"context"
	"sync"

	"github.com/oauthcheck/oauthcheck/reports"
)

// memo computes values once, however many ask at the same time; a value that is not good is computed once more for the
// next who asks.
type memo[K comparable, V any] struct {
	mu sync.Mutex
	by map[K]*memoized[V]
}

type memoized[V any] struct {
	mu       sync.Mutex
	attempts int
	final    bool
	value    V
}

// memoAttempts is how often what does not succeed is tried in one run.
const memoAttempts = 2

func (m *memo[K, V]) get(key K, make func() (value V, final bool)) V {
	m.mu.Lock()
	if m.by == nil {
		m.by = map[K]*memoized[V]{}
	}
	entry := m.by[key]
	if entry == nil {
		entry = &memoized[V]{}
		m.by[key] = entry
	}
	m.mu.Unlock()

	entry.mu.Lock()
	defer entry.mu.Unlock()
	if !entry.final {
		entry.value, entry.final = make()
		entry.attempts++
		entry.final = entry.final || entry.attempts >= memoAttempts
	}
	return entry.value
}

// baselineKey names a request without defect: a grant, or with a response type an authorization request.
type baselineKey struct {
	grant        Grant
	responseType string
	client       *Client
}

// manner is how the baseline succeeds on this target, found by trial.
type manner struct {
	withoutPKCE  bool
	withoutScope bool
	source       Grant   // that issues the refresh token to use
	offline      bool    // offline_access and prompt=consent are needed for a refresh token
	subject      subject // of a token exchange
}

// baseline is what became of the request without defect.
type baseline struct {
	manner   manner
	answered bool   // with 2xx and no error
	issued   bool   // a token or code
	why      string // what went wrong, if it was not issued
	exchange *reports.Exchange
	refusal  *Response // what was answered instead of a token
}

// grantBaseline tries the unedited request of a grant, once per run.
func (run *Run) grantBaseline(grant Grant, client *Client) *baseline {
	return run.baseline(baselineKey{grant: grant, client: client}, func(as *AS, m manner) *Response {
		return as.Send(as.grantRequest(grant, client, m, flow{anyStatus: true}))
	}, func() []manner { return run.grantManners(grant, client) })
}

// authorizeBaseline tries the unedited authorization request, once per run.
func (run *Run) authorizeBaseline(client *Client, responseType string) *baseline {
	return run.baseline(baselineKey{responseType: responseType, client: client}, func(as *AS, m manner) *Response {
		a := as.NewBrowser().walk(as.authorizationRequest(client, responseType, m, flow{}), flow{})
		if a.issues() {
			return a.Final
		}
		panic(unwound{"the authorization request ended without a " + responseType + ": " + a.outcome()})
	}, func() []manner { return run.authorizeManners(client, responseType) })
}

// baseline tries the manners in turn until one issues something. Where that is not the first, the first gets another try: the
// target may have stumbled, and a baseline without PKCE, say, would then stand for one with it.
func (run *Run) baseline(key baselineKey, send func(*AS, manner) *Response, manners func() []manner) *baseline {
	if key.client == nil {
		return &baseline{why: "no client that is configured may use it"}
	}
	return run.baselines.get(key, func() (*baseline, bool) {
		if run.ctx.Err() != nil {
			return &baseline{why: "the run was stopped: " + Brief(context.Cause(run.ctx))}, false
		}
		var first *baseline
		all := manners()
		for i, m := range all {
			b := run.tryBaseline(key, m, send)
			if b.issued && i > 0 {
				if better := run.tryBaseline(key, all[0], send); better.issued {
					b = better
				}
			}
			if b.issued {
				return b, true
			}
			if first == nil || b.answered && !first.answered {
				first = b
			}
			if run.OwnerStuck() != nil {
				break
			}
		}
		if first == nil {
			first = &baseline{why: "there is no grant that it could start from"}
		}
		return first, false
	})
}

// tryBaseline tries one manner, and other ways of authenticating the client where its authentication is refused.
func (run *Run) tryBaseline(key baselineKey, m manner, send func(*AS, manner) *Response) *baseline {
	b := run.tryOnce(key, m, send)
	if b.refusal == nil || b.refusal.ErrorCode() != "invalid_client" && b.refusal.Status != 401 {
		return b
	}
	usual := run.ways(key.client)
	for _, other := range run.otherWays(key.client) {
		run.setWays(key.client, other)
		if again := run.tryOnce(key, m, send); again.issued {
			return again
		}
		run.setWays(key.client, usual)
	}
	return b
}

func (run *Run) tryOnce(key baselineKey, m manner, send func(*AS, manner) *Response) *baseline {
	b := &baseline{manner: m}
	as := run.NewAS(run.ctx, "control "+string(key.grant)+key.responseType+" "+run.unique(), silent{})
	b.why = attempt(func() {
		resp := send(as, m)
		b.exchange = resp.Exchange
		switch {
		case key.responseType != "":
			b.answered, b.issued = true, true
		default:
			b.answered, b.issued = resp.Success(), resp.Success() && resp.IssuesToken()
			if !b.issued {
				b.refusal = resp
				b.why = resp.outcome()
			}
		}
	})
	if b.why == "" && !b.issued {
		b.why = b.refusal.outcome()
	}
	return b
}

// OwnerStuck is why the resource owner cannot sign in, nil as long as that is not known; a wrong password is not tried often enough to
// lock the account.
func (run *Run) OwnerStuck() error {
	run.mu.Lock()
	defer run.mu.Unlock()
	limit := 2
	if run.ownerSignedIn { // the password is right: something else goes wrong now and then
		limit = 10
	}
	if len(run.wrongCredentials) < limit {
		return nil
	}
	return run.wrongCredentials[0]
}

// noteSignedIn says that the resource owner's credentials have just led to a grant.
func (run *Run) noteSignedIn() {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.ownerSignedIn, run.wrongCredentials = true, nil
}

func (run *Run) noteWrongCredentials(err error) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.wrongCredentials = append(run.wrongCredentials, err)
}

// show adds a control to the check's evidence, once.
func (as *AS) show(b *baseline) {
	if b.exchange == nil {
		return
	}
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.shown[b.exchange] {
		return
	}
	as.shown[b.exchange] = true
	control := *b.exchange
	control.Control = true
	as.recorded = append(as.recorded, &control)
}

// demand ends the check where its control did not succeed. A request without edits is its own control: it needs only to
// be answered, so that what is wrong with the answer can be judged.
func (as *AS) demand(b *baseline, what string, edited bool) {
	if b.issued || b.answered && !edited {
		return
	}
	as.Inconclusive("the control failed: %s without the defect does not succeed: %s", what, b.why)
}

// ControlAgain sends the unedited request of a grant once more, at the end of a series of negative probes; where it does
// not succeed the check is inconclusive.
func (as *AS) ControlAgain(grant Grant, edits ...RequestEdit) {
	resp := as.TokenBy(grant, append(edits, NoControl())...)
	resp.Exchange.Control = true
	if !resp.Success() || !resp.IssuesToken() {
		as.Inconclusive("the control at the end failed: %s without the defect no longer succeeds: %s", grant, resp.outcome())
	}
}
