package mockprovider

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed says that the provider was closed while a request waited.
var ErrClosed = errors.New("mock provider: closed")

// Latch holds requests until a test lets them go: a race that always comes out the same way.
//
//	latch := idp.Latch("refresh")
//	idp.Next(mockprovider.TokenEndpoint, latch.Hold())
//	go client.Refresh()
//	latch.Await(ctx, 1) // the request is there
//	…
//	latch.Open()
type Latch struct {
	name    string
	mu      sync.Mutex
	open    chan struct{} // closed when open
	changed chan struct{} // closed and replaced when a request arrives or goes
	held    int
}

// maxLatches bounds the latches of a provider.
const maxLatches = 1024

// Latch returns the latch of a name, which is shut when it is first asked for.
func (p *Provider) Latch(name string) *Latch {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, ok := p.latches[name]; ok {
		return l
	}
	l := newLatch(name)
	if p.closed {
		close(l.open)
	}
	if p.latches == nil {
		p.latches = make(map[string]*Latch)
	}
	if len(p.latches) < maxLatches {
		p.latches[name] = l
	}
	return l
}

func newLatch(name string) *Latch {
	return &Latch{name: name, open: make(chan struct{}), changed: make(chan struct{})}
}

// Hold is the answer that makes a request wait at the latch, and then be answered as ever. Set further fields of it for another answer.
func (l *Latch) Hold() Answer { return Answer{Latch: l.name} }

// Open lets all requests go that wait at the latch, and all that come later.
func (l *Latch) Open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.open:
	default:
		close(l.open)
	}
}

// Shut makes requests wait again after Open.
func (l *Latch) Shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.open:
		l.open = make(chan struct{})
	default:
	}
}

// Held is how many requests wait at the latch.
func (l *Latch) Held() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// Await waits until at least n requests wait at the latch, or ctx ends.
func (l *Latch) Await(ctx context.Context, n int) error { return l.arrived(ctx, n, nil) }

func (l *Latch) arrived(ctx context.Context, n int, done <-chan struct{}) error {
	for {
		l.mu.Lock()
		held, changed := l.held, l.changed
		l.mu.Unlock()
		if held >= n {
			return nil
		}
		err := ErrClosed
		select {
		case <-changed:
			continue
		case <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
		return fmt.Errorf("mock provider: latch %s holds %d requests, not %d: %w", l.name, held, n, err)
	}
}

// hold waits until the latch is open, ctx ends (an error) or done is closed (an error).
func (l *Latch) hold(ctx context.Context, done <-chan struct{}) error {
	l.count(1)
	defer l.count(-1)
	l.mu.Lock()
	open := l.open
	l.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
		return ErrClosed
	}
}

func (l *Latch) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held += n
	close(l.changed)
	l.changed = make(chan struct{})
}

// Held is a request that the provider holds until the test lets it go. See Provider.Hold.
type Held struct {
	provider *Provider
	latch    *Latch
	rule     *rule
	err      error
}

// Hold makes the next request at an endpoint (AnyEndpoint: any) wait until the test lets it go. Then it is answered as ever. What the test
// does in between happens for certain while the request is under way:
//
//	held := idp.Hold(mockprovider.TokenEndpoint)
//	go client.Refresh()
//	if err := held.Arrived(ctx); err != nil { … } // the request is there
//	client.Logout()
//	held.Release()
//
// Called twice it holds the next two requests, each by itself. The end of the client's request and of the provider end the wait, so that nothing hangs
// if Release is forgotten. An unknown endpoint fails the test of a provider that New made, and is the error of Arrived. For several
// requests at once, or for a name that other programs can use over HTTP, there is Latch.
func (p *Provider) Hold(endpoint string) *Held {
	p.tester().Helper()
	return p.HoldOn(Match{Endpoint: endpoint})
}

// HoldOn is Hold for the request that a Match chooses.
func (p *Provider) HoldOn(m Match) *Held {
	p.tester().Helper()
	h := &Held{provider: p.root, latch: newLatch("held")}
	r, err := p.addRule(m.when(), []Answer{{latch: h.latch}})
	h.rule, h.err = r, p.mistake(err)
	return h
}

// Arrived waits until the request is there; an error if ctx ends or the provider is closed before.
func (h *Held) Arrived(ctx context.Context) error {
	if h.err != nil {
		return h.err
	}
	return h.latch.arrived(ctx, 1, h.provider.done)
}

// Release lets the request go. One that has not arrived yet will not be held. A second call does nothing.
func (h *Held) Release() {
	h.latch.Open()
	if h.rule != nil {
		h.provider.queue.drop(h.rule)
	}
}
