package profiles

import "strings"

// Nearest returns the candidate that word most likely meant: the one at the smallest edit distance (insertions, deletions,
// substitutions and transpositions of neighbours, without regard to case, with `_` and `-` taken as the same), the first of
// several. It returns "" when nothing is near enough to be worth suggesting.
func Nearest(word string, candidates []string) string {
	folded := fold(word)
	if folded == "" {
		return ""
	}
	best, bestDistance := "", len(folded)/3+2 // a suggestion further away than a third of the word misleads
	for _, candidate := range candidates {
		c := fold(candidate)
		if c == folded {
			return candidate
		}
		distance := editDistance(folded, c, bestDistance)
		// An abbreviation ("token-response" for "token-response-cacheable") is near however long the rest is.
		if len(folded) >= 4 && strings.HasPrefix(c, folded) {
			distance = min(distance, 2)
		}
		if distance < bestDistance && distance < max(len(folded), len(c)) {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// fold removes what people get wrong without meaning another word.
func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "-")
}

// editDistance is the optimal string alignment distance of a and b in bytes, or some number of at least limit once it is
// certain that the distance is not below limit.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		smallest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			current[j] = d
			smallest = min(smallest, d)
		}
		if smallest > limit {
			return limit
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}

// suggestion is the tail of an error message that names the nearest candidate, or "".
func suggestion(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
