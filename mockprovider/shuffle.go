package mockprovider

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
)

// shuffle varies everything that the specifications leave free, from a seed: it shakes over-fitted clients, and turned on a
// conformance harness it proves that no check leans on an accident. A nil shuffle varies nothing.
type shuffle struct {
	mu     sync.Mutex
	random *rand.Rand

	// What is chosen once, for the whole life of the provider.
	dropped           map[string]bool // optional members that are left out
	tokenLength       int
	tokenCharset      string
	invalidClient400  bool
	errorsReversed    bool
	authenticateFirst bool
}

func newShuffle(seed int64) *shuffle {
	r := rand.New(rand.NewPCG(uint64(seed), 0x6f61757468))
	s := &shuffle{random: r, dropped: make(map[string]bool)}
	for _, name := range []string{"error_description", "id_token.at_hash", "id_token.auth_time", "introspection.username", "introspection.iss",
		"introspection.jti", "introspection.nbf", "metadata.service_documentation", "metadata.response_modes_supported", "challenge.error_description",
		"challenge.scope", "scope", "act.iss", "registration.client_id_issued_at", "device.interval", "device.verification_uri_complete"} {
		s.dropped[name] = r.IntN(2) == 0
	}
	// At least 160 bits whatever the character set (RFC 6749 section 10.10).
	s.tokenCharset = []string{base64URL, hexDigits, alnum, unreserved}[r.IntN(4)]
	s.tokenLength = 43 + r.IntN(60)
	s.invalidClient400 = r.IntN(2) == 0
	s.errorsReversed = r.IntN(2) == 0
	s.authenticateFirst = r.IntN(2) == 0
	return s
}

func (s *shuffle) intN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

// keep reports whether an optional member is sent.
func (s *shuffle) keep(name string) bool { return s == nil || !s.dropped[name] }

// members varies the order of a JSON object's members (RFC 8259 section 4: unordered).
func (s *shuffle) members(o object) object {
	if s != nil {
		s.permute(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
	}
	return o
}

// params varies the order of an authorization response's parameters.
func (s *shuffle) params(ps params) params {
	if s != nil {
		s.permute(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	}
	return ps
}

func (s *shuffle) permute(n int, swap func(i, j int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random.Shuffle(n, swap)
}

// redirectStatus is 302 or 303 for a redirect that answers a GET.
func (s *shuffle) redirectStatus() int {
	if s != nil && s.intN(2) == 0 {
		return http.StatusSeeOther
	}
	return http.StatusFound
}

// check runs the checks of a request in the given order, or another one, until one refuses. Which of several defects is
// reported is nowhere prescribed.
func (s *shuffle) check(checks ...func() *oauthError) *oauthError {
	if s != nil && s.errorsReversed {
		checks = slices.Clone(checks)
		slices.Reverse(checks)
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// paths gives the endpoints other paths.
func (s *shuffle) paths(endpoints map[string]string) {
	prefix := []string{"", "/oauth2", "/as/v1", "/realms/demo/protocol"}[s.intN(4)]
	for _, name := range sortedKeys(endpoints) {
		suffix := []string{"", ".do", "/", "-endpoint"}[s.intN(4)]
		endpoints[name] = prefix + endpoints[name] + suffix
	}
}
