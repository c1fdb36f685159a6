package target

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBreakers(t *testing.T) {
	lost := errors.New("lost")
	asked := 0
	probe := func(err error) func() error { return func() error { asked++; return err } }
	fail := func(b *breaker, n int) {
		for range n {
			b.report(request{what: "POST /token"}, lost)
		}
	}
	says := func(err error, text string, times int) {
		t.Helper()
		if (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) || asked != times {
			t.Errorf("%v after %d probes, want %q after %d", err, asked, text, times)
		}
		asked = 0
	}

	var all breakers
	token := all.of("https://as.example/token?x=1")
	fail(token, 2)
	says(token.check(probe(lost)), "", 0)
	token.report(request{}, nil) // in a row
	fail(token, 2)
	says(token.check(probe(lost)), "", 0)
	fail(token, 1)
	says(token.check(probe(nil)), "", 1) // it lives
	fail(token, 3)
	says(token.check(probe(lost)), "failed 3 times in a row", 1)
	says(all.of("https://as.example/token").check(probe(nil)), "failed 3 times", 0)

	// The others are asked once, and live.
	authorize := all.of("https://as.example/authorize")
	says(authorize.check(probe(nil)), "", 1)
	says(authorize.check(probe(nil)), "", 0)
	says(all.of("https://as.example/revoke").check(probe(lost)), "another endpoint is gone", 1)
	says(authorize.check(probe(nil)), "", 1)

	// None answers any more.
	for _, path := range []string{"a", "b", "c"} {
		says(all.of("https://as.example/"+path).check(probe(lost)), "another endpoint is gone", 1)
	}
	says(all.of("https://as.example/d").check(probe(nil)), "no endpoint there answers any more", 0)
	says(authorize.check(probe(nil)), "no endpoint there answers any more", 0)

	// That says nothing about another origin.
	says(all.of("http://as.example/token").check(probe(nil)), "", 0)
	says(all.of("https://resource.example/").check(probe(nil)), "", 0)
}

// Named are the requests that were under way when the first one failed, and none that was answered or came later.
func TestLostError(t *testing.T) {
	var o origin
	lost := errors.New("lost")
	begin := time.Now().Add(-time.Minute)
	o.report(request{"POST /token", "answered", begin}, nil)
	o.report(request{"POST /token", "forgiven", begin}, lost)
	o.report(request{}, nil)
	o.report(request{"POST /token", "a", begin}, lost)
	o.report(request{"POST /token", "refused", begin}, fmt.Errorf("dial: %w", syscall.ECONNREFUSED))
	o.report(request{"POST /token", "b", begin}, lost)
	o.report(request{"GET /authorize", "", begin}, lost)
	o.report(request{"POST /token", "later", time.Now().Add(time.Minute)}, lost)
	err := o.loss()
	if got := err.Error(); !strings.HasSuffix(got, ": POST /token (a, b), GET /authorize (a control)") {
		t.Error(got)
	}
	if got := Brief(err); got != "the target stopped answering" {
		t.Error(got)
	}
	if got := new(origin).loss().Error(); !strings.Contains(got, "between two requests") {
		t.Error(got)
	}
}
