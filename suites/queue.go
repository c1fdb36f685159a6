package suites

import (
	"slices"
	"sync"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// queue hands executions to workers, in order, but never one whose scope is not free: a check that disturbs a scope waits
// until nobody uses it, and while it runs nobody else may.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting []*execution
	users   map[Scope]int  // running checks that use the scope
	alone   map[Scope]bool // scopes that a running check disturbs
}

func newQueue(executions []*execution) *queue {
	q := &queue{waiting: slices.Clone(executions), users: map[Scope]int{}, alone: map[Scope]bool{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// next returns the first execution that may run now, waiting for one if need be; nil when none is left.
func (q *queue) next() *execution {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		for i, e := range q.waiting {
			if q.free(e.check) {
				q.waiting = slices.Delete(q.waiting, i, i+1)
				q.occupy(e.check, 1)
				return e
			}
		}
		q.changed.Wait()
	}
	return nil
}

// release gives back what an execution of next occupied.
func (q *queue) release(e *execution) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.occupy(e.check, -1)
	q.changed.Broadcast()
}

func (q *queue) free(c *Check) bool {
	for _, scope := range scopesOf(c) {
		if q.alone[scope] || q.users[scope] > 0 && slices.Contains(c.Disturbs, scope) {
			return false
		}
	}
	return true
}

func (q *queue) occupy(c *Check, n int) {
	for _, scope := range scopesOf(c) {
		q.users[scope] += n
		if slices.Contains(c.Disturbs, scope) {
			q.alone[scope] = n > 0
		}
	}
}

// scopesOf lists what a check uses and what others can therefore disturb for it: everything, unless its needs say that it
// does without a user, or without a client as well.
func scopesOf(c *Check) []Scope {
	scopes := slices.Clone(c.Disturbs)
	add := func(more ...Scope) {
		for _, s := range more {
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		}
	}
	for _, need := range c.Needs {
		switch need {
		case target.MetadataDocument, target.TLS:
		case target.ClientCredentialsGrant, target.ConfidentialClient, target.SecondClient, target.PrivateKeyJWT:
			add(Client)
		default:
			add(Client, Grant, User)
		}
	}
	if len(c.Needs) == 0 {
		add(Client, Grant, User)
	}
	return scopes
}
