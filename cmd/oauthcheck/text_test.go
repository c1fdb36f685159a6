package main

import (
	"strings"
	"testing"
)

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		"":              "''",
		"https://a/b?c": "'https://a/b?c'",
		"rfc6749/5.1":   "rfc6749/5.1",
		"it's":          `'it'\''s'`,
		"a b":           "'a b'",
		"rfc6749/*x*":   "'rfc6749/*x*'",
		"name:a=b":      "name:a=b",
	} {
		if got := shellQuote(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, line := range wrap(strings.Repeat("word ", 50)+"äöüäöüäöüäöüäöüäöüäöüäöüäöü", 20) {
		if len([]rune(line)) > 27 {
			t.Errorf("too long: %q", line)
		}
	}
	if got := oneLine("one two\n three  four", 12); got != "one two…" {
		t.Errorf("got %q", got)
	}
}
