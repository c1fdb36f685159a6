package target

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
)

// random yields the values that a check makes up. They are repeatable (seed and name determine them) and need not be
// secret; they only have to be different from all others of the run.
type random struct {
	mu  sync.Mutex
	src *rand.Rand
}

func newRandom(seed int64, name string) *random {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return &random{src: rand.New(rand.NewPCG(uint64(seed), h.Sum64()))}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (r *random) letters(n int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.src.IntN(len(alphabet))]
	}
	return string(out)
}
