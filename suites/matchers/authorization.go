package matchers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// DeliverCode matches an authorization that delivered a code, wherever it was put. Negated it is the judgement of a
// security probe.
func DeliverCode() Matcher {
	return onAuthorization([]string{"a code is delivered"}, func(a *target.Authorization) (bool, string) {
		return a.Code() != "", ""
	}).otherwise("no code is delivered (an error page, or a redirect with an error)")
}

// DeliverCodeOrToken matches an authorization that delivered a code, an access token or an ID token.
func DeliverCodeOrToken() Matcher {
	return onAuthorization([]string{"a code or token is delivered"}, func(a *target.Authorization) (bool, string) {
		return a.Code() != "" || a.Param("access_token") != "" || a.Param("id_token") != "", ""
	}).otherwise("neither code nor token is delivered (an error page, or a redirect with an error)")
}

// DeliverError matches an authorization that delivered one of the error codes; without codes any non-empty one.
func DeliverError(codes ...string) Matcher {
	var expects []string
	for _, code := range codes {
		expects = append(expects, "a redirect with error="+code)
	}
	if len(codes) == 0 {
		expects = []string{"a redirect with an error code"}
	}
	return onAuthorization(expects, func(a *target.Authorization) (bool, string) {
		code := a.Error()
		return code != "" && (len(codes) == 0 || slices.Contains(codes, code)), ""
	})
}

// KeepState matches an authorization that was sent to the client with the state of the request, octet by octet. It
// cannot judge one that stayed at the server's pages.
func KeepState() Matcher {
	j := &judgement{expects: []string{"state as it was sent"}}
	j.judge = func(actual any) (bool, string, error) {
		a, ok := actual.(*target.Authorization)
		if !ok || a == nil {
			return false, "", unjudgeable(fmt.Sprintf("the matcher needs a *target.Authorization, not %T", actual))
		}
		if a.Location == "" || a.In() == "" {
			return false, "", unjudgeable(DescribeAuthorization(a))
		}
		states := a.Params()["state"]
		switch {
		case len(states) == 0:
			return a.State == "", fmt.Sprintf("no state (sent: %q)", a.State), nil
		default:
			return !slices.ContainsFunc(states, func(s string) bool { return s != a.State }), fmt.Sprintf("state=%q (sent: %q)", strings.Join(states, ", "), a.State), nil
		}
	}
	return j
}

// BeSentTo matches an authorization that sent the browser to uri: scheme, host, port and path are equal and the query of
// uri is kept.
func BeSentTo(uri string) Matcher {
	return onAuthorization([]string{"the browser is sent to " + uri}, func(a *target.Authorization) (bool, string) {
		return a.SentTo(uri), ""
	}).otherwise("the browser is not sent to " + uri)
}

// NotLeaveFor matches an authorization that did not send the browser to uri by itself, with or without a code or an
// error. A link that waits for a click does not count.
func NotLeaveFor(uri string) Matcher {
	return onAuthorization([]string{"an error page, no redirect", "a redirect elsewhere than to " + uri}, func(a *target.Authorization) (bool, string) {
		return a.Via == "link" || !(a.SentTo(uri) || sameURI(a.Location, uri) && a.Location != ""), ""
	})
}

// ShowErrorPage matches an authorization that ended at a page of the server with something to read, without sending the
// browser anywhere; a link to click does not count as sending.
func ShowErrorPage() Matcher {
	return onAuthorization([]string{"an error page with a readable body, no redirect"}, func(a *target.Authorization) (bool, string) {
		if a.Location != "" && a.Via != "link" {
			return false, ""
		}
		page := a.Page
		if page == nil {
			page = a.Final
		}
		return page != nil && page.Err == nil && readable(page), ""
	})
}

// HaveResponseIn matches an authorization whose response parameters are in the "query", the "fragment" or a "form_post".
func HaveResponseIn(places ...string) Matcher {
	var expects []string
	for _, place := range places {
		expects = append(expects, "the response parameters in the "+place)
	}
	return onAuthorization(expects, func(a *target.Authorization) (bool, string) { return slices.Contains(places, a.In()), "" })
}

// HaveParam matches an authorization that delivered a response parameter; further arguments are matchers or values for
// its decoded value.
func HaveParam(name string, want ...any) Matcher {
	expects := "parameter " + name
	for _, w := range want {
		expects += wish(w)
	}
	return onAuthorization([]string{expects}, func(a *target.Authorization) (bool, string) {
		values := a.Params()[name]
		if len(values) == 0 {
			return false, "no parameter " + name + ": " + DescribeAuthorization(a)
		}
		return allMatch(values[0], want), fmt.Sprintf("%s=%q", name, shorten(values[0]))
	})
}

// OmitParam matches an authorization whose response lacks the parameter.
func OmitParam(name string) Matcher {
	return onAuthorization([]string{"no parameter " + name}, func(a *target.Authorization) (bool, string) {
		_, has := a.Params()[name]
		return !has, ""
	})
}

// HaveUniqueParams matches an authorization whose response has no parameter twice (RFC 6749 section 3.1), query and fragment
// each on their own. A parameter that the redirect_uri's own query brought along counts.
func HaveUniqueParams() Matcher {
	return onAuthorization([]string{"every response parameter once"}, func(a *target.Authorization) (bool, string) {
		for _, name := range sortedNames(a) {
			if n := len(a.Params()[name]); n > 1 {
				return false, fmt.Sprintf("%s occurs %d times: %s", name, n, DescribeAuthorization(a))
			}
		}
		return true, ""
	})
}

func sortedNames(a *target.Authorization) []string {
	var names []string
	for name := range a.Params() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
