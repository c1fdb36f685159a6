package target

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/oauthcheck/oauthcheck/suites/login"
)

// Run is the state of one run against one target that all checks share: transport, controls, secrets, counters. It is
// safe for concurrent use.
type Run struct {
	info *Info
	seed int64

	mu      sync.Mutex
	secrets map[Secret]bool

	ctx      context.Context // outlives single checks
	samples  samples
	resource resourceGrant
}

// RunOptions configure a run.
type RunOptions struct {
	Seed int64
	// Player plays the resource owner; nil means one that the target file's login and user sections configure.
	Player login.Player
}

// Secret is a value that must not reach a report, with the name of the parameter that it is known by.
type Secret struct{ Kind, Value string }

// NewRun starts a run against a target. ctx bounds everything that outlives a single check (shared controls).
func NewRun(ctx context.Context, info *Info, options RunOptions) (*Run, error) {
	return &Run{ctx: ctx, info: info, seed: options.Seed, secrets: map[Secret]bool{}}, nil
}

// Close frees connections.
func (run *Run) Close() {}

// Info is what is known of the target.
func (run *Run) Info() *Info { return run.info }

// Requests counts the requests that were sent.
func (run *Run) Requests() int { return 0 }

// AddSecret keeps a value out of reports.
func (run *Run) AddSecret(kind, value string) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if value != "" {
		run.secrets[Secret{kind, value}] = true
	}
}

// Secrets are the values that the run knew or was issued, in no particular order.
func (run *Run) Secrets() []Secret { return nil }

// Has reports whether the target has a capability. What is only likely is tried once.
func (run *Run) Has(capability Capability) bool { return run.info.Has(capability) }

// Settle tries what is only likely so that a plan can rely on it: the grants that tokens come from, refresh tokens, PKCE.
func (run *Run) Settle(ctx context.Context) error { return nil }

// Transport is the bounded transport of the run.
func (run *Run) Transport() http.RoundTripper { return nil }

func (run *Run) sleep(ctx context.Context, d time.Duration) error { return nil }
func (run *Run) grants(as *AS) []Grant                            { return nil }
func (r *Request) authenticate(client *Client, method AuthMethod) {}
func (r *Request) unauthenticate()                                {}
