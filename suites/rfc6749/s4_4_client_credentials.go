package rfc6749

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.4", func(s *suites.S) {
		s.Check("client-credentials-confidential-only", suites.Requires("RFC6749-4.4-01"),
			suites.Needs(target.ClientCredentialsGrant, target.PublicClient),
			func(as *target.AS, g Gomega) {
				as.ControlAgain(target.ClientCredentials)
				as.Code(target.As(as.Public())) // the public client is known
				g.Expect(as.TokenBy(target.ClientCredentials, target.As(as.Public()), target.NoControl())).NotTo(IssueToken())
			})
	})

	suites.Section("RFC 6749", "4.4.2", func(s *suites.S) {
		s.Check("client-credentials-grant-works", suites.Requires("RFC6749-4.4.2-01"), suites.Needs(target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) { grantWorks(as, g, target.ClientCredentials) })

		s.Check("client-credentials-authentication-required", suites.Requires("RFC6749-4.4.2-02"),
			suites.Needs(target.ClientCredentialsGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) { withoutAuthentication(as, g, target.ClientCredentials) })

		s.Check("client-credentials-wrong-secret", suites.Requires("RFC6749-4.4.2-03"),
			suites.Needs(target.ClientCredentialsGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			onWrongSecrets(target.ClientCredentials))
	})

	suites.Section("RFC 6749", "4.4.3", func(s *suites.S) {
		s.Check("client-credentials-response", suites.Requires("RFC6749-4.4.3-01"), suites.Needs(target.ClientCredentialsGrant),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) { responseShape(as, g, target.ClientCredentials) })

		s.Check("client-credentials-no-refresh-token", suites.Requires("RFC6749-4.4.3-02"), suites.Needs(target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("plain", func(g Gomega) {
					g.Expect(as.TokensBy(target.ClientCredentials).Response).To(OmitMember("refresh_token"))
				})
				as.Variant("offline-access", func(g Gomega) {
					scopes := slices.DeleteFunc(slices.Clone(as.ScopesFor(target.ClientCredentials)), func(scope string) bool {
						return scope == "openid" || scope == "offline_access" // openid speaks of a user, whom there is none
					})
					scope := strings.Join(append(scopes, "offline_access"), " ")
					r := as.TokenBy(target.ClientCredentials, target.Scope(scope))
					if !r.IssuesToken() {
						as.Skip("", "the scope offline_access is refused")
					}
					g.Expect(r).To(OmitMember("refresh_token"))
				})
			})
	})

	suites.Section("RFC 6749", "4.5", func(s *suites.S) {
		s.Check("unknown-extension-grant-refused", suites.Requires("RFC6749-4.5-01"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				r := as.Token(target.Set("grant_type", "urn:oauthcheck:params:oauth:grant-type:unknown"))
				g.Expect(r).NotTo(IssueToken())
				noteCode(as, r, "unsupported_grant_type")
			})

		s.Check("extension-grant-response", suites.Requires("RFC6749-4.5-02"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("success", func(g Gomega) { successShape(as, g, target.TokenExchange) })
				as.Variant("failure", func(g Gomega) {
					failureShape(as, g, "", as.TokenBy(target.TokenExchange, target.Omit("subject_token")))
				})
			})
	})
}
