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
				as.Variant("none", func(g Gomega) { shut(as, g, as.Resource("")) })
				as.Variant("random", func(g Gomega) { shut(as, g, as.Resource(sameShape(as, token))) })
				as.Variant("one-character-changed", func(g Gomega) { shut(as, g, as.Resource(target.ChangeMiddle(token))) })
				if as.Has(target.AuthorizationCode) {
					as.Variant("code", func(g Gomega) { shut(as, g, as.Resource(as.Code().Value)) })
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
				if !as.Opens(as.Resource(tokens.AccessToken)) {
					as.Inconclusive("the resource does not answer to a fresh token")
				}
				as.Wait(lifetime + skew)
				if !as.Opens(as.Resource(tokens.AccessToken)) {
					return
				}
				as.Wait(moreSkew)
				shut(as, g, as.Resource(tokens.AccessToken))
				as.Note("the token was still taken a minute after it expired, and no longer after five and a half")
			})

		s.Check("token-scope-covers-resource", suites.Requires("RFC6749-7-03"), suites.Needs(target.ProtectedResource, target.InsufficientScope),
			func(as *target.AS, g Gomega) {
				resourceToken(as)
				tokens := as.ResourceTokens(target.Scope(as.Config().Resource.InsufficientScope))
				shut(as, g, as.Resource(tokens.AccessToken))
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
				if as.Opens(r) {
					as.Inconclusive("the made-up token opened the resource, which another check reports")
				}
				g.Expect(r).To(HaveStatusClass(4))
			})
	})
}

// resourceToken is an access token that the protected resource answers to.
func resourceToken(as *target.AS) string {
	token := as.ResourceTokens().AccessToken
	if r := as.Resource(token); !as.Opens(r) {
		as.Inconclusive("the resource answers %d to a fresh access token", r.Status)
	}
	return token
}
