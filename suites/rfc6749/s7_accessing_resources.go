package rfc6749

import (
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "7", func(s *suites.S) {
		s.Check("access-token-validated", suites.Requires("RFC6749-7-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := resourceToken(as)
				as.Variant("none", func(g Gomega) { g.Expect(as.Resource("")).NotTo(HaveStatusClass(2)) })
				as.Variant("random", func(g Gomega) { g.Expect(as.Resource(sameShape(as, token))).NotTo(HaveStatusClass(2)) })
				as.Variant("one-character-changed", func(g Gomega) { g.Expect(as.Resource(target.ChangeMiddle(token))).NotTo(HaveStatusClass(2)) })
				if as.Has(target.AuthorizationCode) {
					as.Variant("code", func(g Gomega) { g.Expect(as.Resource(as.Code().Value)).NotTo(HaveStatusClass(2)) })
				}
			})

		s.Check("expired-access-token-refused", suites.Requires("RFC6749-7-02"), suites.Needs(target.ProtectedResource), suites.Slow,
			func(as *target.AS, g Gomega) {
				tokens := as.ResourceTokens()
				lifetime := max(tokens.ExpiresIn, as.Timing().TokenLifetime)
				const longest, skew, moreSkew = 15 * time.Minute, 60 * time.Second, 270 * time.Second
				if lifetime == 0 || lifetime > longest {
					as.Skip("timing.token_lifetime: 1m  # and a server that issues such tokens", "access tokens live %s", lifetime)
				}
				if as.Resource(tokens.AccessToken).Status/100 != 2 {
					as.Inconclusive("the resource does not answer to a fresh token")
				}
				as.Wait(lifetime + skew)
				if as.Resource(tokens.AccessToken).Status/100 != 2 {
					return
				}
				as.Wait(moreSkew)
				g.Expect(as.Resource(tokens.AccessToken)).NotTo(HaveStatusClass(2))
				as.Note("the token was still taken a minute after it expired, and no longer after five and a half")
			})

		s.Check("token-scope-covers-resource", suites.Requires("RFC6749-7-03"), suites.Needs(target.ProtectedResource, target.InsufficientScope),
			func(as *target.AS, g Gomega) {
				resourceToken(as)
				tokens := as.ResourceTokens(target.Scope(as.Config().Resource.InsufficientScope))
				g.Expect(as.Resource(tokens.AccessToken)).NotTo(HaveStatusClass(2))
			})
	})

	suites.Section("RFC 6749", "7.2", func(s *suites.S) {
		s.Check("resource-error-reported", suites.Requires("RFC6749-7.2-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := resourceToken(as)
				r := as.Resource(sameShape(as, token), target.AnyStatus())
				if r.Status >= 500 || r.Err != nil {
					as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
				}
				g.Expect(r).To(HaveStatusClass(4))
			})
	})
}

// resourceToken is an access token that the protected resource answers to.
func resourceToken(as *target.AS) string {
	token := as.ResourceTokens().AccessToken
	if r := as.Resource(token); r.Status/100 != 2 {
		as.Inconclusive("the resource answers %d to a fresh access token", r.Status)
	}
	return token
}
