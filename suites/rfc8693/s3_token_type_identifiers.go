package rfc8693

import (
	"maps"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8693", "3", func(s *suites.S) {
		s.Check("issued-token-type-uri", suites.Requires("RFC8693-3-01"), suites.Needs(target.TokenExchange),
			onResponse(func(as *target.AS, g Gomega, r *target.Response) {
				if r.String("issued_token_type") == "" {
					as.Inconclusive("issued_token_type is absent or no string, which another check reports")
				}
				g.Expect(r).To(HaveMember("issued_token_type", BeAbsoluteURI()))
			}))

		s.Check("foreign-access-token-refused", suites.Requires("RFC8693-3-03"), suites.Needs(target.TokenExchange), suites.Destructive,
			func(as *target.AS, g Gomega) {
				now := as.Now().Unix()
				const minutes = 600
				claims := map[string]any{"iss": "https://other.example", "sub": "oauthcheck-somebody", "aud": as.Issuer(), "client_id": as.ClientFor(target.TokenExchange).ID,
					"scope": strings.Join(as.Scopes(), " "), "iat": now, "exp": now + minutes, "jti": as.Random(16)}
				header := map[string]any{"typ": "at+jwt", "kid": "oauthcheck"}
				refused(g, exchange(as, subject(as.ForeignJWT(header, claims, false), target.AccessTokenType)))
			})

		s.Check("exchanged-access-token-works", suites.Requires("RFC8693-3-04"), suites.Needs(target.TokenExchange, target.Introspection),
			func(as *target.AS, g Gomega) {
				if as.Config().Introspection.Client == "" {
					as.Skip("introspection: {client: primary}", "the target file does not say who may introspect every token")
				}
				if as.Introspect(as.Tokens().AccessToken).Member("active") != true {
					as.Inconclusive("introspection does not call other access tokens active either")
				}
				r := exchange(as, at(), requested(target.AccessTokenType)) // for the usual audience, which the caller belongs to
				if !r.IssuesToken() || r.String("issued_token_type") != target.AccessTokenType {
					as.Skip("token_exchange.target_optional: true", "no access token is issued for the usual audience: %s", DescribeResponse(r))
				}
				as.Settle()
				g.Expect(as.Introspect(r.String("access_token"))).To(HaveMember("active", true))
			})

		s.Check("unknown-refresh-token-refused", suites.Requires("RFC8693-3-05"), suites.Needs(target.TokenExchange, target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				token := as.SubjectToken(target.RefreshTokenType)
				if !works(as, subject(token, target.RefreshTokenType)) {
					as.Skip("token_exchange.subject_token_types: [refresh_token]", "the server exchanges no refresh tokens")
				}
				refused(g, exchange(as, subject(target.ChangeMiddle(as.Random(len(token))), target.RefreshTokenType)))
			})

		s.Check("exchanged-id-token-claims", suites.Requires("RFC8693-3-06"), suites.Needs(target.TokenExchange, target.OpenID),
			func(as *target.AS, g Gomega) {
				token := asked(as, target.IDTokenType).String("access_token")
				claims := target.JWTClaims(token)
				if claims == nil {
					as.Inconclusive("the token cannot be read: it is encrypted, or no JWT, which another check reports")
				}
				usual := target.JWTClaims(as.SubjectToken(target.IDTokenType))
				for _, name := range []string{"iss", "sub", "aud", "exp", "iat"} {
					if claims[name] == nil && usual[name] == nil {
						as.Inconclusive("other ID tokens have no %s either", name)
					}
					g.Expect(slices.Sorted(maps.Keys(claims))).To(ContainElement(name), "claims of the ID token")
				}
				if iss := claims["iss"]; as.Metadata() != nil && iss != as.Issuer() {
					as.Note("iss of the ID token is %v, the issuer is %s", iss, as.Issuer())
				}
			})

		s.Check("jwt-token-type", suites.Requires("RFC8693-3-09"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("issued", func(g Gomega) {
					if r := asked(as, target.JWTType); !isJWT(r.String("access_token")) {
						as.Fail("the token that is issued as %s is no JWT", target.JWTType)
					}
				})
				as.Variant("opaque-subject-token", func(g Gomega) { refused(g, exchange(as, subject(as.Random(43), target.JWTType))) })
				if opaque := as.SubjectToken(target.AccessTokenType); !isJWT(opaque) {
					as.Variant("opaque-access-token", func(g Gomega) { refused(g, exchange(as, subject(opaque, target.JWTType))) })
				}
			})
	})
}
