package matchers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
	"github.com/onsi/gomega/types"
)

// Matcher is what the functions of this package return: a Gomega matcher whose messages are Failures. Gomega's own
// combinators (And, Or, Not, SatisfyAll …) take it.
type Matcher interface {
	types.GomegaMatcher
	// Expects says in words what the matcher accepts.
	Expects() []string
}

// judgement is a matcher over one kind of actual value.
type judgement struct {
	expects []string                                        // every accepted outcome
	refuses []string                                        // the same for a negated assertion
	judge   func(actual any) (ok bool, got string, e error) // got describes what came back
	explain func(actual any) []string                       // expects, where a failure can say it better; may be nil
}

func (j *judgement) Expects() []string { return j.expects }

func (j *judgement) Match(actual any) (bool, error) {
	ok, _, err := j.judge(actual)
	return ok, err
}

func (j *judgement) FailureMessage(actual any) string {
	_, got, _ := j.judge(actual)
	expects := j.expects
	if j.explain != nil {
		expects = j.explain(actual)
	}
	return Failure{Expected: expects, Actual: got}.String()
}

func (j *judgement) NegatedFailureMessage(actual any) string {
	_, got, _ := j.judge(actual)
	refuses := j.refuses
	switch {
	case refuses != nil:
	case len(j.expects) == 1:
		refuses = []string{"not: " + j.expects[0]}
	default: // in one line, since lines are alternatives
		refuses = []string{"neither: " + strings.Join(j.expects, ", nor: ")}
	}
	return Failure{Expected: refuses, Actual: got}.String()
}

// onResponse makes a matcher over a *target.Response. judge sees responses only, never a transport failure; an empty
// got is replaced by a description of the whole response.
func onResponse(expects []string, judge func(*target.Response) (ok bool, got string)) *judgement {
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		r, err := response(actual)
		if err != nil {
			return false, "", err
		}
		ok, got := judge(r)
		if got == "" {
			got = DescribeResponse(r)
		}
		return ok, got, nil
	}}
}

// onAuthorization makes a matcher over a *target.Authorization.
func onAuthorization(expects []string, judge func(*target.Authorization) (ok bool, got string)) *judgement {
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		a, ok := actual.(*target.Authorization)
		if !ok || a == nil {
			return false, "", unjudgeable(fmt.Sprintf("the matcher needs a *target.Authorization, not %T", actual))
		}
		ok, got := judge(a)
		if got == "" {
			got = DescribeAuthorization(a)
		}
		return ok, got, nil
	}}
}

// onText makes a matcher over a string.
func onText(expects []string, judge func(string) (ok bool, got string)) *judgement {
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		s, ok := actual.(string)
		if !ok {
			if actual == nil {
				return false, "nothing (absent or null)", nil
			}
			return false, fmt.Sprintf("%s, no string: %s", jsonType(actual), inline(actual)), nil
		}
		ok, got := judge(s)
		if got == "" {
			got = fmt.Sprintf("%q", s)
		}
		return ok, got, nil
	}}
}

func (j *judgement) otherwise(refuses ...string) *judgement {
	j.refuses = refuses
	return j
}

// response takes a *target.Response out of an assertion's actual value.
func response(actual any) (*target.Response, error) {
	r, ok := actual.(*target.Response)
	switch {
	case !ok:
		return nil, unjudgeable(fmt.Sprintf("the matcher needs a *target.Response, not %T", actual))
	case r == nil:
		return nil, unjudgeable("there was no response")
	case r.Err != nil:
		return nil, unjudgeable("there was no response: " + r.Err.Error())
	}
	return r, nil
}

// DescribeResponse says in one line what a response is: status, media type, error code, which tokens it has; never the
// tokens themselves.
func DescribeResponse(r *target.Response) string {
	switch {
	case r == nil:
		return "no response"
	case r.Err != nil:
		return "no response: " + r.Err.Error()
	}
	parts := []string{fmt.Sprintf("status %d", r.Status)}
	if t := r.ContentType(); t != "" {
		parts = append(parts, t)
	} else {
		parts = append(parts, "no media type")
	}
	if members, err := r.JSON(); err == nil {
		if code, ok := members["error"]; ok {
			parts = append(parts, "error="+inline(code))
		}
		if text, ok := members["error_description"].(string); ok && text != "" {
			parts = append(parts, fmt.Sprintf("error_description=%q", shorten(text)))
		}
		for _, name := range []string{"access_token", "refresh_token", "id_token", "code"} {
			if _, ok := members[name]; ok {
				parts = append(parts, "with "+name)
			}
		}
	} else if len(r.Body) == 0 {
		parts = append(parts, "empty body")
	}
	if location := r.Header.Get("Location"); location != "" {
		parts = append(parts, "Location: "+shorten(location))
	}
	return strings.Join(parts, ", ")
}

// DescribeAuthorization says in one line how an authorization request ended: where the browser was sent and with which
// parameters, or at which page it stopped; never the values of codes and tokens.
func DescribeAuthorization(a *target.Authorization) string {
	if a == nil {
		return "no answer to the authorization request"
	}
	if a.Location == "" {
		return "the browser stayed at the server: " + DescribeResponse(a.Page)
	}
	before, _, _ := strings.Cut(a.Location, "#")
	before, _, _ = strings.Cut(before, "?")
	got := "the browser was sent to " + before
	if a.Via != "" {
		got += " by " + a.Via
	}
	in := a.In()
	if in == "" {
		return got + " without any response parameter"
	}
	params := a.Params()
	var names []string
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		switch name {
		case "error", "error_description", "error_uri", "token_type", "expires_in", "scope", "iss":
			names[i] = fmt.Sprintf("%s=%q", name, shorten(params.Get(name)))
		}
	}
	return fmt.Sprintf("%s with %s in the %s", got, strings.Join(names, ", "), in)
}

// shorten keeps descriptions to a line that people read.
func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// sameURI compares two URIs as redirect targets without their query and fragment.
func sameURI(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && x.Host == y.Host && x.EscapedPath() == y.EscapedPath()
}
