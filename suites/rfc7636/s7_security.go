package rfc7636

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "7.2", func(s *suites.S) {
		s.Check("plain-not-offered", suites.Requires("RFC7636-7.2-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Variants("accepted", "advertised"),
			func(as *target.AS, g Gomega) {
				as.Variant("accepted", func(g Gomega) {
					a := asks(as, as.Verifier(), target.MethodPlain)
					if a.Code() == "" {
						usual(as) // control
					}
					g.Expect(a).NotTo(DeliverCode())
				})
				as.Variant("advertised", func(g Gomega) {
					for _, doc := range as.Documents() {
						methods, _ := doc.Strings("code_challenge_methods_supported")
						g.Expect(methods).NotTo(ContainElement(target.MethodPlain), "code_challenge_methods_supported")
					}
				})
			})

		s.Check("plain-challenge-not-in-code", suites.Requires("RFC7636-7.2-03"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				plain(as)
				verifier := as.Verifier()
				a := asks(as, verifier, target.MethodPlain)
				as.CodeOf(a)
				if parameter := revealing(a, verifier); parameter != "" {
					Violation(as, "no response parameter from which the code_verifier can be read", "the parameter %s tells it", parameter)
				}
			})

		s.Check("pkce-unsupported-ignored", suites.Requires("RFC7636-7.2-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if as.Config().Declares.PKCE != "unsupported" {
					as.Skip("declares: {pkce: unsupported}", "the target file does not say that the server knows no PKCE")
				}
				if as.Authorize(target.WithoutPKCE(), target.NoControl()).Code() == "" {
					as.Inconclusive("the authorization request does not succeed without PKCE parameters either")
				}
				verifier := as.Verifier()
				a := asks(as, target.S256(verifier), target.MethodS256)
				g.Expect(a).To(DeliverCode())
				g.Expect(redeems(as, as.CodeOf(a), verifier)).To(IssueToken())
			})
	})
}
