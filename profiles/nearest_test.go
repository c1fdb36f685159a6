package profiles

import "testing"

func TestNearest(t *testing.T) {
	candidates := []string{"token-response-cacheable", "missing-token-type", "missing-access-token", "token_response", "skip", "set", "status"}
	for _, test := range []struct{ word, want string }{
		{"token-response-cachable", "token-response-cacheable"},
		{"TOKEN_RESPONSE_CACHEABLE", "token-response-cacheable"},
		{"missing-token-typ", "missing-token-type"},
		{"mising-acces-token", "missing-access-token"},
		{"missing-acc", "missing-access-token"},
		{"token-response", "token_response"},
		{"sikp", "skip"},
		{"statsu", "status"},
		{"skip", "skip"},
		{"completely-different-words", ""},
		{"xyz", ""},
		{"", ""},
		{"  ", ""},
	} {
		if got := Nearest(test.word, candidates); got != test.want {
			t.Errorf("nearest to %q: %q, want %q", test.word, got, test.want)
		}
	}
	if got := Nearest("anything", nil); got != "" {
		t.Errorf("nearest of nothing: %q", got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"abc", "abcd", 1}, {"abcd", "abdc", 1}, {"kitten", "sitting", 3}, {"ca", "ac", 1},
	} {
		if got := editDistance(test.a, test.b, 10); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
		if got := editDistance(test.b, test.a, 10); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.b, test.a, got, test.want)
		}
	}
}
