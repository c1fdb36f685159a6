package rfc8693

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// The checks of section 2.1 that are about the validity of subject and actor tokens.
func init() {
	suites.Section("RFC 8693", "2.1", func(s *suites.S) {
		s.Check("subject-token-validated", suites.Requires("RFC8693-2.1-24"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				const size = 4096
				series(as, probe{"no-token", target.Set("subject_token", noToken)}, probe{"4-kib", target.Set("subject_token", as.Random(size))})
			})

		s.Check("subject-token-signature", suites.Requires("RFC8693-2.1-25"), suites.Needs(target.TokenExchange), suites.Destructive,
			forgedSubjects("payload-changed", "signature-changed"))

		s.Check("subject-token-alg-none", suites.Requires("RFC8693-2.1-26"), suites.Needs(target.TokenExchange), suites.Destructive,
			forgedSubjects("alg-none", "alg-none-mixed-case"))

		s.Check("subject-token-foreign-signature", suites.Requires("RFC8693-2.1-27"), suites.Needs(target.TokenExchange), suites.Destructive,
			forgedSubjects("foreign-key", "embedded-key"))

		s.Check("expired-subject-token", suites.Requires("RFC8693-2.1-28"), suites.Needs(target.TokenExchange), suites.Slow,
			func(as *target.AS, g Gomega) {
				token, tokenType, lifetime := mortalSubject(as)
				const longest, patience = 15 * time.Minute, 300 * time.Second
				if lifetime <= 0 || lifetime > longest {
					as.Skip("timing.token_lifetime: 1m  # and a server that issues such tokens", "subject tokens live %s", lifetime)
				}
				as.Wait(lifetime + skew)
				if !works(as, subject(token, tokenType)) {
					return
				}
				as.Wait(patience)
				refused(g, exchange(as, subject(token, tokenType)))
				as.Note("the subject token was still taken a minute after it expired, and no longer after six")
			})

		s.Check("revoked-subject-token", suites.Requires("RFC8693-2.1-29"), suites.Needs(target.TokenExchange, target.Revocation), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				if usualType(as) != target.AccessTokenType {
					as.Skip("token_exchange.subject_token_types: [access_token]", "the server exchanges no access tokens")
				}
				tokens := as.SubjectTokens()
				if alive, how := as.Alive(tokens.AccessToken); !alive {
					as.Inconclusive("whether an access token that is exchanged is alive cannot be seen (%s)", how)
				}
				r := as.Revoke(tokens, tokens.AccessToken)
				as.Settle()
				if alive, how := as.Alive(tokens.AccessToken); alive {
					as.Skip("", "access tokens cannot be revoked, or not so that it can be seen: %s, %s", DescribeResponse(r), how)
				}
				refused(g, exchange(as, subject(tokens.AccessToken, target.AccessTokenType)))
			})

		s.Check("subject-token-of-declared-type", suites.Requires("RFC8693-2.1-30"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				probes := []probe{}
				if as.Has(target.OpenID) {
					probes = append(probes, probe{"id-token-as-access-token", fresh(as, target.IDTokenType, target.AccessTokenType)})
				}
				for _, tokenType := range []string{target.IDTokenType, target.RefreshTokenType, saml2Type} {
					name := "access-token-as-" + strings.ReplaceAll(strings.TrimPrefix(tokenType, typePrefix), "_", "-")
					probes = append(probes, probe{name, fresh(as, target.AccessTokenType, tokenType)})
				}
				series(as, probes...)
			})

		s.Check("actor-token-validated", suites.Requires("RFC8693-2.1-31"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) { refused(g, exchange(as, actor(noToken, target.AccessTokenType))) })

		s.Check("actor-token-signature", suites.Requires("RFC8693-2.1-32"),
			suites.Needs(target.TokenExchange, target.Delegation, target.ClientCredentialsGrant), suites.Destructive,
			func(as *target.AS, g Gomega) {
				if ignoresActors(as) {
					as.Inconclusive("actor tokens are not looked at, which another check reports")
				}
				token, tokenType := signedActor(as)
				forged := forgeries(as, token)
				for _, name := range slices.Concat(forgeryNames, []string{"foreign-key", "embedded-key"}) {
					as.Variant(name, func(g Gomega) { refused(g, exchange(as, actor(forged[name], tokenType))) })
				}
				for _, wrong := range []string{target.IDTokenType, target.RefreshTokenType, saml2Type} {
					as.Variant("as-"+strings.ReplaceAll(strings.TrimPrefix(wrong, typePrefix), "_", "-"), func(g Gomega) {
						refused(g, exchange(as, actor(token, wrong)))
					})
				}
				as.ControlAgain(target.TokenExchange, actor(token, tokenType))
			})

		s.Check("subject-token-survives", suites.Requires("RFC8693-2.1-34"), suites.Needs(target.TokenExchange), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				if usualType(as) == target.RefreshTokenType {
					as.Skip("token_exchange.subject_token_types: [access_token, id_token]", "refresh tokens may be rotated by an exchange")
				}
				token := as.TokenRequest(target.TokenExchange).Get("subject_token")
				if !works(as, target.Set("subject_token", token)) {
					as.Inconclusive("the first exchange of the token failed")
				}
				again := exchange(as, target.Set("subject_token", token))
				as.ControlAgain(target.TokenExchange) // a token of the same kind that was not exchanged
				g.Expect(again).To(IssueToken())
			})

		s.Check("actor-token-survives", suites.Requires("RFC8693-2.1-35"),
			suites.Needs(target.TokenExchange, target.Delegation, target.ClientCredentialsGrant), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				token := as.ActorToken()
				if r := exchange(as, actor(token, target.AccessTokenType)); !r.IssuesToken() {
					as.Inconclusive("the exchange does not succeed with an actor token: %s", DescribeResponse(r))
				}
				again := exchange(as, actor(token, target.AccessTokenType))
				as.ControlAgain(target.TokenExchange, actor(as.ActorToken(), target.AccessTokenType))
				g.Expect(again).To(IssueToken())
			})
	})
}

// usualType is the subject_token_type of the usual exchange.
func usualType(as *target.AS) string {
	return as.TokenRequest(target.TokenExchange).Get("subject_token_type")
}

// mortalSubject is a fresh subject token and how long it lives, 0 if that is unknown.
func mortalSubject(as *target.AS) (token, tokenType string, lifetime time.Duration) {
	tokenType = usualType(as)
	tokens := as.SubjectTokens()
	switch tokenType {
	case target.AccessTokenType:
		token, lifetime = tokens.AccessToken, max(tokens.ExpiresIn, as.Timing().TokenLifetime)
	case target.IDTokenType, target.JWTType:
		token = tokens.IDToken
	}
	if exp, ok := target.JWTClaims(token)["exp"].(json.Number); ok {
		if seconds, err := exp.Float64(); err == nil {
			lifetime = max(lifetime, time.Unix(int64(seconds), 0).Sub(as.Now()))
		}
	}
	return token, tokenType, lifetime
}

// forgeryNames are the forgeries without a key, see forgeries.
var forgeryNames = []string{"payload-changed", "signature-changed", "alg-none", "alg-none-mixed-case"}

// forgeries are what an attacker makes of a signed JWT, by name.
func forgeries(as *target.AS, token string) map[string]string {
	header, claims := target.JWTHeader(token), target.JWTClaims(token)
	signature := strings.LastIndexByte(token, '.') + 1
	out := map[string]string{
		"signature-changed": token[:signature] + target.ChangeMiddle(token[signature:]),
		"foreign-key":       as.ForeignJWT(header, claims, false),
		"embedded-key":      as.ForeignJWT(header, claims, true),
	}
	for _, forged := range target.Forgeries(token) {
		if slices.Contains(forgeryNames, forged.Name) {
			out[forged.Name] = forged.Token
		}
	}
	return out
}

// forgedSubjects judges that these forgeries of a subject token are refused.
func forgedSubjects(names ...string) suites.Body {
	return func(as *target.AS, g Gomega) {
		tokenType := signedSubject(as)
		var probes []probe
		for _, name := range names {
			probes = append(probes, probe{name, subject(forgeries(as, as.SubjectToken(tokenType))[name], tokenType)})
		}
		series(as, probes...)
	}
}

// signedActor is an actor token in the form of a signed JWT with which the exchange succeeds: the client's own access token or what
// that is exchanged for. Else the check is skipped.
func signedActor(as *target.AS) (token, tokenType string) {
	token = as.ActorToken()
	if !target.SignedJWT(token) {
		token = exchange(as, subject(token, target.AccessTokenType), requested(target.JWTType)).String("access_token")
	}
	if target.SignedJWT(token) && works(as, actor(token, target.AccessTokenType)) {
		return token, target.AccessTokenType
	}
	as.Skip("", "the server takes no signed JWTs as actor tokens")
	return "", ""
}
