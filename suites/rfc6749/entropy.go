package rfc6749

import (
	"math"
	"math/big"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// The bounds of section 10.10, in bits. Below enough a value is guessable; between enough and wanted the letter is broken and no
// more (a version 4 UUID has 122 random bits).
type entropyBounds struct{ wanted, enough float64 }

var (
	entropyMust   = entropyBounds{128, 120}
	entropyShould = entropyBounds{160, 160}
)

// unpredictable judges a sample of values, in the order of their issue. A sample can only disprove: duplicates, a fixed step, or
// too few characters that vary at all.
func unpredictable(as *target.AS, sample []string, bounds entropyBounds) {
	const enoughValues = 10
	if len(sample) < enoughValues {
		as.Inconclusive("only %d values could be collected", len(sample))
	}
	if areJWTs(sample) {
		as.Skip("", "the values are signed JWTs, whose signature is judged by the check of forged tokens")
	}
	n := duplicates(sample)
	if n == len(sample)-1 {
		as.Note("every grant was answered with the same value: the server hands out its live one again")
		return
	}
	if bounds == entropyMust {
		if n > 0 {
			as.Note("%d of %d values came more than once", n, len(sample))
		}
		if step, fixed := fixedStep(sample); fixed {
			as.Fail("the values differ by the fixed step %s", step)
		}
	}
	switch bits := upperBound(sample); {
	case bits < bounds.enough:
		as.Fail("at most %.0f bits vary in %d values; expected at least %.0f", bits, len(sample), bounds.wanted)
	case bits < bounds.wanted:
		as.Note("at most %.0f bits vary, a little below %.0f", bits, bounds.wanted)
	}
}

// areJWTs tells whether the values are signed JWTs: their secrecy rests on the key of the signature, not on what varies in them.
func areJWTs(sample []string) bool {
	return len(sample) > 0 && strings.Count(sample[0], ".") == 2 && target.JWTClaims(sample[0]) != nil
}

func duplicates(sample []string) int {
	seen := map[string]bool{}
	for _, value := range sample {
		seen[value] = true
	}
	return len(sample) - len(seen)
}

// upperBound is the entropy that the sample could have at most: positions that vary times the bits of the smallest usual alphabet
// that holds every character seen there.
func upperBound(sample []string) float64 {
	shortest := len(sample[0])
	for _, value := range sample {
		shortest = min(shortest, len(value))
	}
	varying, seen := 0, map[byte]bool{}
	for i := range shortest {
		differs := false
		for _, value := range sample {
			differs = differs || value[i] != sample[0][i]
		}
		if differs {
			varying++
			for _, value := range sample {
				seen[value[i]] = true
			}
		}
	}
	return float64(varying) * math.Log2(float64(alphabet(seen)))
}

// alphabet is the size of the smallest usual alphabet with all of the characters.
func alphabet(seen map[byte]bool) int {
	const digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, a := range []struct {
		size  int
		chars string
	}{
		{10, digits}, {16, digits + "abcdef"}, {16, digits + "ABCDEF"}, {32, upper + "234567"}, {32, lower + "234567"},
		{36, digits + lower}, {36, digits + upper}, {62, digits + lower + upper}, {64, digits + lower + upper + "-_"},
		{64, digits + lower + upper + "+/"},
	} {
		all := true
		for c := range seen {
			all = all && strings.IndexByte(a.chars, c) >= 0
		}
		if all {
			return a.size
		}
	}
	return 94
}

// fixedStep reports whether consecutive values, read as numbers, always differ by the same amount: a counter or a clock.
func fixedStep(sample []string) (*big.Int, bool) {
	var last, step *big.Int
	for _, value := range sample {
		n := new(big.Int).SetBytes([]byte(value))
		if digits, ok := new(big.Int).SetString(value, 10); ok {
			n = digits
		} else if hex, ok := new(big.Int).SetString(value, 16); ok {
			n = hex
		}
		if last != nil {
			d := new(big.Int).Sub(n, last)
			if step != nil && d.Cmp(step) != 0 {
				return nil, false
			}
			step = d
		}
		last = n
	}
	return step, step != nil && step.Sign() != 0
}
