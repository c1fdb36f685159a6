package mockprovider

import (
	crand "crypto/rand"
	"encoding/binary"
	mrand "math/rand/v2"
	"sync"
)

// The character sets that tokens are drawn from.
const (
	base64URL  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	hexDigits  = "0123456789abcdef"
	alnum      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	digits     = "0123456789"
	unreserved = alnum + "-._~"
)

// randomSource yields the random octets of tokens. The system's source by default, a seeded one for repeatable output.
type randomSource struct {
	mu     sync.Mutex
	seeded *mrand.ChaCha8 // nil: crypto/rand, which needs no lock
	seed   [32]byte
}

func seededRandom(seed int64) *randomSource {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	return &randomSource{seeded: mrand.NewChaCha8(key), seed: key}
}

// restart makes a seeded source begin again.
func (s *randomSource) restart() {
	if s.seeded == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seeded.Seed(s.seed)
}

// Read fills b.
func (s *randomSource) Read(b []byte) (int, error) {
	if s.seeded == nil {
		return crand.Read(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seeded.Read(b)
}

// text returns n characters drawn evenly from charset (at most 256 characters).
func (s *randomSource) text(n int, charset string) string {
	out := make([]byte, n)
	if len(charset) == 64 { // the usual case: no rejection needed
		s.Read(out)
		for i := range out {
			out[i] = charset[out[i]&63]
		}
		return string(out)
	}
	limit := 256 - 256%len(charset) // above it the draw would be uneven
	buffer := make([]byte, n+16)
	for i := 0; i < n; {
		s.Read(buffer)
		for _, b := range buffer {
			if int(b) < limit && i < n {
				out[i] = charset[int(b)%len(charset)]
				i++
			}
		}
	}
	return string(out)
}

// uuid returns a random UUID (122 bits).
func (s *randomSource) uuid() string {
	h := s.text(32, hexDigits)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
