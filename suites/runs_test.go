package suites

import "testing"

func TestRunsAsGoTestDoes(t *testing.T) {
	const name = "TestX/rfc6749/no-store"
	for pattern, want := range map[string]bool{
		"": true, "TestX": true, "^TestX$": true, "TestY": false, "TestX/rfc6749": true, "TestX/rfc6749/no-store": true, "TestX/rfc6749/no": true,
		"TestX/rfc6750": false, "X//store": true, "X/rfc6749/^store": false, "TestX/rfc6749/no-store/more": true, "[": true, "TestX/(a/b)": true,
		"TestY|TestX/rfc6750": true,
	} {
		if got := runs(pattern, name); got != want {
			t.Errorf("-run %q: %v", pattern, got)
		}
	}
}
