package rfc7636

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.1", func(s *suites.S) {
		s.Check("verifier-of-43-characters", suites.Requires("RFC7636-4.1-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				g.Expect(withVerifier(as, as.Random(43))).To(IssueToken())
			})

		s.Check("verifier-of-all-characters", suites.Requires("RFC7636-4.1-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Variants("128-characters", "unreserved-marks"),
			func(as *target.AS, g Gomega) {
				usual(as)
				for _, probe := range []struct{ name, verifier string }{
					{"128-characters", as.Random(128)},
					// 64 characters: whether 43 suffice is the previous check's to say.
					{"unreserved-marks", "-._~" + as.Random(56) + "~_.-"},
				} {
					as.Variant(probe.name, func(g Gomega) {
						r := withVerifier(as, probe.verifier)
						if !r.IssuesToken() && !slices.Contains([]string{"invalid_grant", "invalid_request"}, r.ErrorCode()) {
							as.Inconclusive("refused for another reason, as it seems: %s", DescribeResponse(r))
						}
						g.Expect(r).To(IssueToken())
					})
				}
			})

		s.Check("verifier-grammar", suites.Requires("RFC7636-4.1-03"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Variants("3-characters", "42-characters", "129-characters", "space-and-plus"),
			func(as *target.AS, g Gomega) {
				usual(as)
				for _, probe := range []struct{ name, verifier string }{
					{"3-characters", "abc"},
					{"42-characters", as.Random(42)},
					{"129-characters", as.Random(129)},
					{"space-and-plus", as.Random(20) + " " + as.Random(20) + "+" + as.Random(1)},
				} {
					as.Variant(probe.name, func(g Gomega) { issuesNothing(as, g, withVerifier(as, probe.verifier)) })
				}
				as.ControlAgain(target.AuthorizationCode)
			})
	})
}

// withVerifier redeems a fresh code that is bound to the S256 challenge of the verifier.
func withVerifier(as *target.AS, verifier string) *target.Response {
	code := as.CodeOf(asks(as, target.S256(verifier), target.MethodS256))
	return redeems(as, code, verifier)
}

// flipCase changes the case of every letter.
func flipCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}
