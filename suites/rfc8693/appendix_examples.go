package rfc8693

import (
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8693", "A.1.4", func(s *suites.S) {
		s.Check("impersonation-subject", suites.Requires("RFC8693-A.1.4-01"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				request := as.TokenRequest(target.TokenExchange)
				want := seen(as, request.Get("subject_token"))["sub"]
				got := visible(as, as.TokensOf(as.Send(request)).AccessToken)["sub"]
				if want != nil && got != want {
					as.Note("the subject token's sub is %v, the issued token's is %v", want, got)
				}
			})
	})

	suites.Section("RFC 8693", "A.2.5", func(s *suites.S) {
		s.Check("delegation-subject-and-actor", suites.Requires("RFC8693-A.2.5-01"),
			suites.Needs(target.TokenExchange, target.Delegation, target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) {
				d := delegated(as)
				act := object(as, "act", d.act)
				if d.subject != "" && d.claims["sub"] != d.subject {
					as.Note("sub is %v, the subject token's is %s", d.claims["sub"], d.subject)
				}
				if d.actor != "" && act["sub"] != d.actor {
					as.Note("act.sub is %v, the actor token's sub is %s", act["sub"], d.actor)
				}
			})
	})
}
