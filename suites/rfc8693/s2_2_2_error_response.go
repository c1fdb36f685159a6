package rfc8693

import (
	"fmt"
	"slices"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8693", "2.2.2", func(s *suites.S) {
		s.Check("exchange-error-response", suites.Requires("RFC8693-2.2.2-01"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				for _, p := range rejects(as) {
					as.Variant(p.name, func(g Gomega) { errorResponse(as, p.edit, false) })
				}
				for name, edit := range map[string]target.RequestEdit{
					"missing-subject-token": target.Omit("subject_token"), "missing-subject-token-type": target.Omit("subject_token_type"),
				} {
					as.Variant(name, func(g Gomega) { errorResponse(as, edit, true) })
				}
			})

		s.Check("invalid-subject-token-code", suites.Requires("RFC8693-2.2.2-02"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("no-token", func(g Gomega) { invalidRequest(as, g, exchange(as, target.Set("subject_token", noToken))) })
				as.Variant("tampered", func(g Gomega) {
					token := as.TokenRequest(target.TokenExchange).Get("subject_token")
					if target.JWTClaims(token) == nil {
						as.Skip("", "subject tokens are no signed JWTs")
					}
					invalidRequest(as, g, exchange(as, target.Set("subject_token", forgeries(as, token)["payload-changed"])))
				})
			})

		s.Check("invalid-actor-token-code", suites.Requires("RFC8693-2.2.2-03"),
			suites.Needs(target.TokenExchange, target.Delegation, target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) {
				_ = delegation(as)
				invalidRequest(as, g, exchange(as, actor(noToken, target.AccessTokenType)))
			})

		s.Check("unknown-resource-code", suites.Requires("RFC8693-2.2.2-04"), suites.Needs(target.TokenExchange),
			unknownTarget(aim{"resource", "https://no-such-resource.oauthcheck.example/api"}))

		s.Check("unknown-audience-code", suites.Requires("RFC8693-2.2.2-05"), suites.Needs(target.TokenExchange),
			unknownTarget(aim{"audience", "oauthcheck-no-such-audience"}))
	})
}

// rejects are requests that the server has to refuse, or may, but has to answer.
func rejects(as *target.AS) []probe {
	out := []probe{
		{"no-subject-token", target.Set("subject_token", noToken)},
		{"unknown-subject-token-type", target.Set("subject_token_type", bogusType)},
		{"unknown-requested-token-type", requested(bogusType)},
		{"no-actor-token", actor(noToken, target.AccessTokenType)},
		{"actor-token-type-alone", target.Set("actor_token_type", target.AccessTokenType)},
		{"unknown-resource", target.Set("resource", "https://no-such-resource.oauthcheck.example/api")},
		{"access-token", fresh(as, target.AccessTokenType, target.AccessTokenType)},
	}
	if as.Has(target.OpenID) {
		out = append(out, probe{"id-token", fresh(as, target.IDTokenType, target.IDTokenType)})
	}
	return out
}

// errorResponse judges the form of a refusal, and for a malformed request its code. A dropped connection is judged if it comes again
// while the usual exchange works.
func errorResponse(as *target.AS, edit target.RequestEdit, malformed bool) {
	r := exchange(as, edit, target.AnyStatus())
	if r.Err != nil || r.Status >= 500 {
		as.ControlAgain(target.TokenExchange)
		r = exchange(as, edit, target.AnyStatus())
	}
	switch {
	case r.Status == 429 || r.Status == 503:
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	case r.Success():
		return // whether it may be granted is judged by other checks
	}
	defect := errorDefect(r, malformed)
	if defect == "" {
		return
	}
	if slices.ContainsFunc(as.TokenErrors(), func(s target.TokenSample) bool {
		return !s.Response.Success() && errorDefect(s.Response, malformed && s.Name == "missing-grant-type") == defect
	}) {
		as.Inconclusive("the errors of other grants have the same defect (%s), which the checks of RFC 6749 section 5.2 report", defect)
	}
	as.Fail("%s: %s; expected status 400, application/json and a member error%s", defect, DescribeResponse(r), map[bool]string{true: " with invalid_request"}[malformed])
}

// errorDefect says what is wrong with the form of a refusal, "" if nothing is.
func errorDefect(r *target.Response, malformed bool) string {
	switch code := r.ErrorCode(); {
	case r.Err != nil:
		return "the connection was broken off"
	case r.Status != 400 && (r.Status != 401 || code != "invalid_client"):
		return fmt.Sprintf("status %d", r.Status)
	case r.ContentType() != "application/json":
		return "media type " + r.ContentType()
	case code == "":
		return "no error code"
	case malformed && code != "invalid_request":
		return "error " + code
	}
	return ""
}

// invalidRequest judges the code of a refusal for the token's sake.
func invalidRequest(as *target.AS, g Gomega, r *target.Response) {
	if r.IssuesToken() || r.ErrorCode() == "" {
		as.Inconclusive("no refusal with an error code: %s", DescribeResponse(r))
	}
	codesMean(as)
	g.Expect(r).To(HaveErrorCode("invalid_request"))
}

// codesMean leaves a check of a code inconclusive where the server answers every request with codes of its own.
func codesMean(as *target.AS) {
	for _, sample := range as.TokenErrors() {
		if code := sample.Response.ErrorCode(); sample.Name == "missing-grant-type" && !slices.Contains([]string{"invalid_request", "unsupported_grant_type"}, code) {
			as.Inconclusive("a request that is malformed is answered %q, so that the codes of this server say nothing here", code)
		}
	}
}

// unknownTarget judges the code of the refusal of a target that the server cannot know.
func unknownTarget(a aim) suites.Body {
	return func(as *target.AS, g Gomega) {
		r := exchange(as, target.Set(a.parameter, a.value))
		switch {
		case r.IssuesToken():
			as.Note("%s=%s is accepted; the token's audience is %q", a.parameter, a.value, audience(seen(as, r.String("access_token"))))
		case r.ErrorCode() == "":
			as.Inconclusive("no refusal with an error code: %s", DescribeResponse(r))
		default:
			codesMean(as)
			g.Expect(r).To(HaveErrorCode("invalid_target"))
		}
	}
}
