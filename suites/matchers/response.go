package matchers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// IssueToken matches a response that hands out a token (RFC 6749 section 5.1), whatever its status, or an
// authorization that delivered an access token. Negated it is the judgement of a security probe: fail only if a token came.
func IssueToken() Matcher {
	j := &judgement{expects: []string{"a token is issued"}}
	j.judge = func(actual any) (bool, string, error) {
		if a, ok := actual.(*target.Authorization); ok && a != nil {
			return a.Param("access_token") != "", DescribeAuthorization(a), nil
		}
		r, err := response(actual)
		if err != nil {
			return false, "", err
		}
		return r.IssuesToken(), DescribeResponse(r), nil
	}
	return j.otherwise("no token is issued (any refusal)")
}

// RefuseToken matches a refusal: a 4xx response without any token in it. It fails only on a token; a response that is
// neither (a 200 page without a token, a redirect) cannot be judged and leaves the check inconclusive.
func RefuseToken() Matcher {
	j := &judgement{expects: []string{"a refusal: status 4xx and no token"}}
	j.judge = func(actual any) (bool, string, error) {
		r, err := response(actual)
		switch {
		case err != nil:
			return false, "", err
		case r.IssuesToken():
			return false, DescribeResponse(r), nil
		case r.Status/100 != 4:
			return false, DescribeResponse(r), unjudgeable("neither a token nor a refusal came back: " + DescribeResponse(r))
		}
		return true, DescribeResponse(r), nil
	}
	return j
}

// RefuseWith matches a refusal (4xx, no token) whose error code is one of codes; without codes any error code.
func RefuseWith(codes ...string) Matcher {
	var expects []string
	for _, code := range codes {
		expects = append(expects, "a refusal (4xx) with error="+code)
	}
	if len(codes) == 0 {
		expects = []string{"a refusal (4xx) with an error member"}
	}
	return onResponse(expects, func(r *target.Response) (bool, string) {
		code := r.ErrorCode()
		ok := r.Status/100 == 4 && !r.IssuesToken() && code != "" && (len(codes) == 0 || slices.Contains(codes, code))
		return ok, ""
	})
}

// HaveErrorCode matches a response whose error member is one of codes, whatever the status; without codes any
// non-empty one.
func HaveErrorCode(codes ...string) Matcher {
	var expects []string
	for _, code := range codes {
		expects = append(expects, "error="+code)
	}
	if len(codes) == 0 {
		expects = []string{"a non-empty error member"}
	}
	return onResponse(expects, func(r *target.Response) (bool, string) {
		code := r.ErrorCode()
		return code != "" && (len(codes) == 0 || slices.Contains(codes, code)), ""
	})
}

// HaveStatus matches a response with one of the status codes.
func HaveStatus(codes ...int) Matcher {
	var expects []string
	for _, code := range codes {
		expects = append(expects, fmt.Sprintf("status %d", code))
	}
	return onResponse(expects, func(r *target.Response) (bool, string) { return slices.Contains(codes, r.Status), "" })
}

// HaveStatusClass matches a response whose status code begins with a digit: 2 for any success, 4 for any client error.
func HaveStatusClass(classes ...int) Matcher {
	var expects []string
	for _, class := range classes {
		expects = append(expects, fmt.Sprintf("status %dxx", class))
	}
	return onResponse(expects, func(r *target.Response) (bool, string) { return slices.Contains(classes, r.Status/100), "" })
}

// HaveMediaType matches a response whose Content-Type is one of the media types, compared without case and parameters
// (RFC 9110 section 8.3.1).
func HaveMediaType(types ...string) Matcher {
	var expects []string
	for _, t := range types {
		expects = append(expects, "Content-Type "+t+" (any parameters, any case)")
	}
	return onResponse(expects, func(r *target.Response) (bool, string) {
		fields := r.Header.Values("Content-Type")
		if len(fields) == 0 {
			return false, "no Content-Type"
		}
		ok := slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, r.ContentType()) })
		return ok, fmt.Sprintf("Content-Type: %s", strings.Join(fields, ", "))
	})
}

// HaveHeader matches a response that has a header field with the name; further arguments are matchers or values, one of
// whose field lines has to match all of them.
func HaveHeader(name string, want ...any) Matcher {
	expects := "a header field " + name
	for _, w := range want {
		expects += " that is " + strings.Join(expectations(toMatcher(w)), " or ")
	}
	return onResponse([]string{expects}, func(r *target.Response) (bool, string) {
		lines := r.Header.Values(name)
		if len(lines) == 0 {
			return false, fmt.Sprintf("status %d, no header field %s", r.Status, name)
		}
		got := name + ": " + strings.Join(lines, ", ")
		return slices.ContainsFunc(lines, func(line string) bool { return allMatch(line, want) }), got
	})
}

func allMatch(value any, want []any) bool {
	for _, w := range want {
		if ok, err := toMatcher(w).Match(value); !ok || err != nil {
			return false
		}
	}
	return true
}

// BeUncacheable matches a response whose Cache-Control contains no-store (RFC 6749 section 5.1), in any case, beside any
// other directive, in any of several field lines.
func BeUncacheable() Matcher { return HaveCacheDirective("no-store") }

// HaveCacheDirective matches a response whose Cache-Control contains one of the directives (RFC 9111 section 5.2), by
// name, whatever its argument.
func HaveCacheDirective(names ...string) Matcher {
	var expects []string
	for _, name := range names {
		expects = append(expects, "Cache-Control with "+name)
	}
	return onResponse(expects, func(r *target.Response) (bool, string) {
		lines := r.Header.Values("Cache-Control")
		if len(lines) == 0 {
			return false, "no Cache-Control"
		}
		directives := ParseCacheControl(lines)
		ok := slices.ContainsFunc(names, func(name string) bool { _, has := directives[strings.ToLower(name)]; return has })
		return ok, "Cache-Control: " + strings.Join(lines, ", ")
	})
}

// HavePragmaNoCache matches a response with a Pragma field that contains no-cache (RFC 6749 section 5.1).
func HavePragmaNoCache() Matcher {
	return onResponse([]string{"Pragma with no-cache"}, func(r *target.Response) (bool, string) {
		lines := r.Header.Values("Pragma")
		if len(lines) == 0 {
			return false, "no Pragma"
		}
		_, ok := ParseCacheControl(lines)["no-cache"]
		return ok, "Pragma: " + strings.Join(lines, ", ")
	})
}

// HaveReadableBody matches a response whose body has something to read: markup and blanks alone do not count.
func HaveReadableBody() Matcher {
	return onResponse([]string{"a page with a readable body"}, func(r *target.Response) (bool, string) {
		if readable(r) {
			return true, ""
		}
		return false, fmt.Sprintf("status %d with %d octets of body that show no text", r.Status, len(r.Body))
	})
}

// ForbidFraming matches a page that browsers do not show inside a frame of another site: X-Frame-Options DENY or
// SAMEORIGIN, or a Content-Security-Policy whose frame-ancestors are neither * nor a bare scheme.
func ForbidFraming() Matcher {
	return onResponse([]string{"X-Frame-Options: DENY or SAMEORIGIN", "Content-Security-Policy with frame-ancestors that name who may"},
		func(r *target.Response) (bool, string) {
			options, policy := r.Header.Values("X-Frame-Options"), r.Header.Values("Content-Security-Policy")
			got := fmt.Sprintf("X-Frame-Options: %s; Content-Security-Policy: %s", orNone(options), orNone(policy))
			return forbidsFraming(options, policy), got
		})
}

func forbidsFraming(options, policies []string) bool {
	// A policy with frame-ancestors overrides X-Frame-Options (CSP Level 3 section 7.7.1).
	limited, named := false, false
	for _, policy := range policies {
		for _, directive := range strings.FieldsFunc(policy, func(r rune) bool { return r == ';' || r == ',' }) {
			words := strings.Fields(directive)
			if len(words) == 0 || !strings.EqualFold(words[0], "frame-ancestors") {
				continue
			}
			named = true
			if !slices.ContainsFunc(words[1:], func(w string) bool { return w == "*" || strings.HasSuffix(w, ":") }) {
				limited = true
			}
		}
	}
	if named {
		return limited
	}
	return slices.ContainsFunc(options, func(o string) bool {
		o = strings.TrimSpace(o)
		return strings.EqualFold(o, "deny") || strings.EqualFold(o, "sameorigin")
	})
}

func orNone(lines []string) string {
	if len(lines) == 0 {
		return "(absent)"
	}
	return strings.Join(lines, ", ")
}
