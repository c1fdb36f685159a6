package rfc6749

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.1.1", func(s *suites.S) {
		s.Check("state-optional", suites.Requires("RFC6749-4.1.1-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Omit("state"))
				g.Expect(a).To(DeliverCode())
			})

		s.Check("client-id-required", suites.Requires("RFC6749-4.1.1-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Authorize(target.Omit("client_id"))).NotTo(DeliverCode())
			})

		s.Check("consent-before-redirect", suites.Requires("RFC6749-4.1.1-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize()
				if a.Code() == "" {
					as.Inconclusive("the authorization request ended without a code")
				}
				consentShown(as, a)
			})
	})
}
