package rfc7636

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "5", func(s *suites.S) {
		s.Check("clients-without-pkce-served", suites.Requires("RFC7636-5-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				switch as.Config().Declares.PKCE {
				case "optional", "required-of-public":
				default:
					as.Skip("declares: {pkce: optional}", "the target file does not say that the server serves clients without PKCE")
				}
				client := as.ClientFor(target.AuthorizationCode)
				if as.Config().Declares.PKCE == "required-of-public" && !client.Confidential() {
					as.Skip("clients.primary: {id: …, secret: …}", "the only client that is configured is one of which PKCE is demanded")
				}
				if t := as.ChallengeTrial(client, target.MethodS256); !t.Redeemed {
					as.Inconclusive("the code grant does not work with PKCE either: %s", t.Why)
				}
				a := as.Authorize(target.WithoutPKCE(), target.NoControl())
				g.Expect(a).To(DeliverCode())
				g.Expect(as.Redeem(as.CodeOf(a), target.NoControl())).To(IssueToken())
			})
	})
}
