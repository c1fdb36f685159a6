package matchers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// speaker records what a judge says; like the real one it unwinds where the judge ends.
type speaker struct{ notes, inconclusive, failure string }

type unwound struct{}

func (s *speaker) Note(format string, args ...any) { s.notes += fmt.Sprintf(format, args...) }
func (s *speaker) Inconclusive(format string, args ...any) {
	s.inconclusive += fmt.Sprintf(format, args...)
	panic(unwound{})
}

// outcome is what a judge came to, in one word and its text.
func outcome(judge func(Speaker, gomega.Gomega)) (word, text string) {
	s := &speaker{}
	g := gomega.NewGomega(func(message string, _ ...int) { s.failure = message; panic(unwound{}) })
	func() {
		defer func() {
			if r := recover(); r != nil && r != (unwound{}) {
				panic(r)
			}
		}()
		judge(s, g)
	}()
	switch {
	case s.failure != "":
		f := ParseFailure(s.failure)
		return "fail", strings.Join(f.Expected, "|") + " / " + f.Actual
	case s.inconclusive != "":
		return "inconclusive", s.inconclusive
	case s.notes != "":
		return "note", s.notes
	}
	return "pass", ""
}

func TestJudgeError(t *testing.T) {
	codes := Codes{Accept: []string{"invalid_grant"}, Tolerate: []string{"invalid_request"}, Refuse: []string{"vendor_bad"}}
	for _, test := range []struct {
		response *target.Response
		want     string
		text     string
	}{
		{refusal(400, "invalid_grant"), "pass", ""},
		{refusal(400, "invalid_request"), "note", "error=invalid_request, expected invalid_grant"},
		{refusal(401, "invalid_client"), "fail", `error=invalid_grant|error=invalid_request / status 401`},
		{refusal(400, "access_denied"), "note", "access_denied"},
		{refusal(400, "vendor_code"), "note", "not on the list"},
		{refusal(400, "vendor_bad"), "fail", "vendor_bad"},
		{tokenAnswer(), "inconclusive", "the request was not refused"},
		{answer(400, "{}"), "inconclusive", "no error code"},
		{&target.Response{Err: errTimeout{}}, "inconclusive", "time-out"},
	} {
		word, text := outcome(func(as Speaker, g gomega.Gomega) { JudgeError(as, g, test.response, codes) })
		if word != test.want || !strings.Contains(text, test.text) {
			t.Errorf("%s: %s %q, want %s %q", DescribeResponse(test.response), word, text, test.want, test.text)
		}
	}
}

func TestJudgeErrorRedirect(t *testing.T) {
	codes := Codes{Accept: []string{"invalid_request"}, Tolerate: []string{"unsupported_response_type"}}
	for _, test := range []struct {
		authorization *target.Authorization
		want          string
		text          string
	}{
		{sent(callback + "?error=invalid_request&state=S"), "pass", ""},
		{sent(callback + "?error=unsupported_response_type"), "note", "unsupported_response_type"},
		{sent(callback + "#error=server_error"), "fail", "server_error"},
		{sent(callback + "?error=invalid_client"), "inconclusive", "token endpoint"},
		{sent(callback + "?error=vendor"), "note", "not on the list"},
		{stayed(errorPage), "note", "an error page"},
		{viaLink(callback + "?error=server_error"), "note", "an error page"},
		{sent(callback + "?code=x"), "inconclusive", "not refused"},
		{sent(callback + "#access_token=x"), "inconclusive", "not refused"},
		{sent(callback), "inconclusive", "no error code"},
	} {
		word, text := outcome(func(as Speaker, g gomega.Gomega) { JudgeErrorRedirect(as, g, test.authorization, codes) })
		if word != test.want || !strings.Contains(text, test.text) {
			t.Errorf("%s: %s %q, want %s %q", test.authorization.Location, word, text, test.want, test.text)
		}
	}
}

func TestJudgeResourceError(t *testing.T) {
	codes := Codes{Accept: []string{"invalid_token"}, Tolerate: []string{"invalid_request"}}
	for challenge, want := range map[string]string{
		`Basic realm=x, Bearer error="invalid_token"`: "pass",
		`DPoP error="invalid_token"`:                  "pass",
		`Bearer error="invalid_request"`:              "note",
		`Bearer error="insufficient_scope"`:           "fail",
		`Bearer error="invalid_grant"`:                "fail",
		`Bearer error="vendor"`:                       "note",
		`Bearer realm=x`:                              "inconclusive",
		`Basic error=invalid_grant`:                   "inconclusive",
	} {
		r := answer(401, "", "WWW-Authenticate: "+challenge)
		if word, text := outcome(func(as Speaker, g gomega.Gomega) { JudgeResourceError(as, g, r, codes) }); word != want {
			t.Errorf("%s: %s %q, want %s", challenge, word, text, want)
		}
	}
	if word, _ := outcome(func(as Speaker, g gomega.Gomega) { JudgeResourceError(as, g, answer(200, "data"), codes) }); word != "inconclusive" {
		t.Errorf("content: %s", word)
	}
}

func TestListsAreCopies(t *testing.T) {
	for _, list := range []func() []string{TokenErrors, AuthorizationErrors, ResourceErrors, TokenExtensionErrors, AuthorizationExtensionErrors, ResourceExtensionErrors} {
		list()[0] = "changed"
		if list()[0] == "changed" {
			t.Error("a list is shared")
		}
	}
}

type failer struct{ message string }

func (f *failer) Fail(format string, args ...any) { f.message = fmt.Sprintf(format, args...) }

func TestViolation(t *testing.T) {
	var f failer
	Violation(&f, "100 % of it", "%d of %s", 7, "100 %")
	got := ParseFailure(f.message)
	if !slices.Equal(got.Expected, []string{"100 % of it"}) || got.Actual != "7 of 100 %" {
		t.Errorf("%q gives %+v", f.message, got)
	}
}
