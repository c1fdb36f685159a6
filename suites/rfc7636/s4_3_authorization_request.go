package rfc7636

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.3", func(s *suites.S) {
		s.Check("default-method-plain", suites.Requires("RFC7636-4.3-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				verifier := as.Verifier()
				hashed := asks(as, target.S256(verifier), "")
				if hashed.Code() != "" {
					g.Expect(redeems(as, as.CodeOf(hashed), verifier)).NotTo(IssueToken())
				}
				if equal := asks(as, verifier, ""); equal.Code() != "" {
					if !redeems(as, as.CodeOf(equal), verifier).IssuesToken() {
						as.Note("without code_challenge_method a code is issued that can be redeemed neither as plain nor as S256: the refusal comes too late")
					}
				}
			})

		s.Check("method-names-exact", suites.Requires("RFC7636-4.3-03"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				verifier := as.Verifier()
				value := target.S256(verifier)
				a := asks(as, value, "s256")
				if a.Code() == "" {
					return
				}
				if redeems(as, as.CodeOf(a), verifier).IssuesToken() {
					as.Note("s256 is taken as S256, although names of methods are case-sensitive")
					return
				}
				g.Expect(redeems(as, as.CodeOf(asks(as, value, "s256")), value)).NotTo(IssueToken())
			})
	})
}
