package mockprovider

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// maxEntries bounds each table of the store; beyond it the oldest entries are forgotten.
const maxEntries = 1 << 16

// keepExpired is how long what has expired is remembered, because the mock says "expired" and "used before" of what it still knows.
const keepExpired = time.Hour

// sweepInterval is how often, by the provider's clock, what expired longer ago is dropped.
const sweepInterval = time.Minute

// table is a bounded map, guarded by a lock.
type table[V any] struct {
	mu      sync.RWMutex
	entries map[string]V
	order   []string // keys, oldest first; the first `gone` of them have been forgotten
	gone    int
}

func (t *table[V]) get(key string) (V, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, ok := t.entries[key]
	return v, ok
}

// add puts an entry unless there is one, and reports whether it did.
func (t *table[V]) add(key string, v V) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.entries[key]; known {
		return false
	}
	t.insert(key, v)
	return true
}

func (t *table[V]) put(key string, v V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.insert(key, v)
}

func (t *table[V]) insert(key string, v V) {
	if t.entries == nil {
		t.entries = make(map[string]V)
	}
	before := len(t.entries)
	t.entries[key] = v
	if len(t.entries) > before {
		t.order = append(t.order, key)
	}
	for len(t.entries) > maxEntries {
		delete(t.entries, t.order[t.gone])
		t.gone++
	}
	if len(t.order) > 2*maxEntries+16 {
		t.compact()
	}
}

// compact drops the keys of forgotten and deleted entries from the order.
func (t *table[V]) compact() {
	kept := make([]string, 0, len(t.entries))
	for _, key := range t.order[t.gone:] {
		if _, ok := t.entries[key]; ok {
			kept = append(kept, key)
		}
	}
	t.order, t.gone = kept, 0
}

// drop forgets the entries that are to go. Where few stay, the map is made anew: one that has been large never shrinks.
func (t *table[V]) drop(goes func(V) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.entries)
	for key, v := range t.entries {
		if goes(v) {
			delete(t.entries, key)
		}
	}
	if len(t.entries) == before {
		return
	}
	if len(t.entries) < before/2 {
		kept := make(map[string]V, len(t.entries))
		maps.Copy(kept, t.entries)
		t.entries = kept
	}
	t.compact()
}

func (t *table[V]) delete(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, key) // the key stays in order; forgetting it later is harmless
}

// each calls f for a snapshot of the entries.
func (t *table[V]) each(f func(key string, v V)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for key, v := range t.entries {
		f(key, v)
	}
}

// store is everything that the provider remembers.
type store struct {
	codes          table[*code]
	tokens         table[*token] // access and refresh tokens
	sessions       table[*session]
	transactions   table[*transaction]
	registered     table[*registered]
	devices        table[*device] // by device code
	userCodes      table[*device] // by user code, as it is compared
	wrongUserCodes attempts
	swept          atomic.Int64 // when the tables were last swept, in nanoseconds since 1970
	assertions     table[bool]  // issuer and jti of assertions that were used
	consents       table[bool]  // user, client and scope that were approved before
}

// sweep drops what expired long ago, now and then. It is called where something new is about to be kept.
func (s *store) sweep(now time.Time) {
	last := s.swept.Load()
	if age := now.UnixNano() - last; age >= 0 && age < int64(sweepInterval) || !s.swept.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	limit := now.Add(-keepExpired)
	past := func(expires time.Time) bool { return !expires.IsZero() && expires.Before(limit) }
	s.codes.drop(func(c *code) bool { return past(c.expires) })
	s.tokens.drop(func(t *token) bool { return past(t.expires) })
	s.sessions.drop(func(s *session) bool { return past(s.expires) })
	s.transactions.drop(func(t *transaction) bool { return past(t.expires) })
	s.devices.drop(func(d *device) bool { return past(d.expires) })
	s.userCodes.drop(func(d *device) bool { return past(d.expires) })
}

// grant is one authorization that a resource owner (or the client itself) gave. Tokens point to it, so that revoking it
// revokes all of them (RFC 6749 section 4.1.2, 10.4; RFC 7009 section 2.1).
type grant struct {
	client                        string
	user                          *ResourceOwner // nil for client_credentials
	scope                         []string
	nonce                         string
	authTime, made                time.Time
	audience                      []string
	exchanged                     bool        // by RFC 8693
	owner                         string      // sub where user is nil and it is not the client itself
	request                       params      // of the authorization request, nil for none
	act                           any         // the act claim (RFC 8693 section 4.1), nil for none
	accessRevoked, refreshRevoked atomic.Bool // of all tokens issued so far and later
}

func (g *grant) revoke() {
	g.accessRevoked.Store(true)
	g.refreshRevoked.Store(true)
}

// endGrants revokes what a user has granted a client so far, and forgets the codes that stand for it.
func (s *store) endGrants(client *RegisteredClient, user *ResourceOwner) {
	ends := func(g *grant) bool { return g.client == client.ID && g.user == user }
	s.codes.drop(func(c *code) bool { return ends(c.grant) })
	s.tokens.each(func(_ string, t *token) {
		if ends(t.grant) {
			t.grant.revoke()
		}
	})
}

// code is an authorization code.
type code struct {
	value            string
	id               string // jti of a JWT
	grant            *grant
	redirectURI      string // as in the authorization request
	redirectURIGiven bool   // the authorization request had a redirect_uri
	challenge        string // code_challenge, or ""
	challengeMethod  string // S256 or plain
	expires          time.Time
	used             atomic.Bool
}

// The kinds of tokens.
const (
	accessToken  = "access_token"
	refreshToken = "refresh_token"
)

// token is an access token or a refresh token.
type token struct {
	value    string
	kind     string
	grant    *grant
	scope    []string
	audience []string
	issued   time.Time
	expires  time.Time   // zero: never
	id       string      // jti of a JWT
	pair     *token      // the refresh or access token that was issued beside it, or nil
	used     atomic.Bool // a rotated refresh token
	usedAt   atomic.Int64
	revoked  atomic.Bool
	extra    map[string]any // claims that users, clients and tests added; not to be changed
}

// dead reports whether the token was revoked, itself or with its grant.
func (t *token) dead() bool {
	if t.revoked.Load() {
		return true
	}
	if t.kind == accessToken {
		return t.grant.accessRevoked.Load()
	}
	return t.grant.refreshRevoked.Load()
}
