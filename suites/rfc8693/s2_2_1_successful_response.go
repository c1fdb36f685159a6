package rfc8693

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8693", "2.2.1", func(s *suites.S) {
		s.Check("exchange-response-members", suites.Requires("RFC8693-2.2.1-03"), suites.Needs(target.TokenExchange),
			onResponse(func(as *target.AS, g Gomega, r *target.Response) {
				if elsewhere(as, func(other *target.Response) bool { return misshapen(other) != "" }) {
					as.Inconclusive("the responses of other grants have such a defect as well, which the checks of RFC 6749 section 5.1 report")
				}
				if defect := misshapen(r); defect != "" {
					as.Fail("%s; expected one JSON object with strings, and a number for expires_in, at its top level", defect)
				}
				for _, name := range []string{"scope", "refresh_token", "expires_in"} {
					if r.Has(name) && r.Member(name) == nil {
						as.Note("%s is null, which counts as absent", name)
					}
				}
			}))

		s.Check("exchange-response-access-token", suites.Requires("RFC8693-2.2.1-04"), suites.Needs(target.TokenExchange),
			onResponse(func(as *target.AS, g Gomega, r *target.Response) { g.Expect(r).To(HaveStringMember("access_token")) }))

		s.Check("issued-token-type-present", suites.Requires("RFC8693-2.2.1-05"), suites.Needs(target.TokenExchange),
			onResponse(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveStringMember("issued_token_type"))
			}))

		s.Check("issued-token-type-truthful", suites.Requires("RFC8693-2.2.1-06"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("usual", func(g Gomega) { truthful(as, g, exchange(as)) })
				for _, tokenType := range requestable(as) {
					as.Variant(strings.TrimPrefix(tokenType, typePrefix), func(g Gomega) {
						if r := exchange(as, requested(tokenType)); r.Success() {
							truthful(as, g, r)
						}
					})
				}
			})

		s.Check("token-type-n-a", suites.Requires("RFC8693-2.2.1-08"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				for _, tokenType := range []string{target.IDTokenType, target.RefreshTokenType} {
					as.Variant(strings.TrimPrefix(tokenType, typePrefix), func(g Gomega) {
						r := asked(as, tokenType)
						usage := strings.ToLower(r.String("token_type"))
						if usage == "n_a" {
							return
						}
						if usage == "" {
							as.Inconclusive("token_type is absent, which another check reports")
						}
						if usage != "bearer" && elsewhere(as, func(other *target.Response) bool { return strings.EqualFold(other.String("token_type"), usage) }) {
							as.Inconclusive("token_type is %q with every grant, which other checks judge", usage)
						}
						usable, known := accessible(as, r.String("access_token"), tokenType)
						switch {
						case !known:
							as.Note("token_type is %q for a token of type %s", r.String("token_type"), tokenType)
						case !usable:
							g.Expect(r).To(HaveMember("token_type", BeOneOf("N_A")))
						}
					})
				}
			})

		s.Check("access-token-usage-named", suites.Requires("RFC8693-2.2.1-09"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as)
				if r.String("issued_token_type") != target.AccessTokenType {
					r = asked(as, target.AccessTokenType)
				}
				g.Expect(strings.ToUpper(r.String("token_type"))).NotTo(Equal("N_A"), "token_type of an access token")
			})

		s.Check("exchange-expires-in", suites.Requires("RFC8693-2.2.1-11"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as)
				negative := func(r *target.Response) bool {
					seconds, ok := number(r.Member("expires_in"))
					return ok && seconds < 0
				}
				if negative(r) && !elsewhere(as, negative) {
					as.Fail("expires_in is %v; expected a positive number of seconds", r.Member("expires_in"))
				}
				surplus, ok := overstated(as, r)
				if !ok {
					as.Skip("introspection: {client: primary}", "expires_in is absent or zero, or the exp of the token cannot be seen")
				}
				if plain, ok := overstated(as, as.Token()); ok && math.Abs(plain) > skew.Seconds() {
					as.Inconclusive("the expires_in of other grants is not right either, or exp is not; other checks report that")
				}
				if surplus < -skew.Seconds() {
					as.Note("expires_in ends %g seconds before the token does", -surplus)
				}
				if surplus > skew.Seconds() {
					as.Fail("expires_in %v goes %g seconds beyond the end of the token; expected the seconds that it lives", r.Member("expires_in"), surplus)
				}
			})

		s.Check("exchanged-refresh-token-works", suites.Requires("RFC8693-2.2.1-16"), suites.Needs(target.TokenExchange, target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				r := asked(as, target.RefreshTokenType)
				token := r.String("access_token")
				client := as.ClientFor(target.TokenExchange)
				refreshed := as.TokenBy(target.RefreshToken, target.As(client), target.Set("refresh_token", token))
				if refreshed.IssuesToken() {
					return
				}
				if usable, known := accessible(as, token, target.RefreshTokenType); !known || !usable {
					as.Inconclusive("the value in access_token is neither taken as a refresh token nor as an access token: %s", DescribeResponse(refreshed))
				}
				as.Fail("the value in access_token, called a refresh token, is an access token; as a refresh token: %s", DescribeResponse(refreshed))
			})
	})
}

// onResponse judges the answer to the usual exchange.
func onResponse(judge func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		r := exchange(as)
		if !r.Success() {
			as.Inconclusive("the exchange was refused: %s", DescribeResponse(r))
		}
		judge(as, g, r)
	}
}

// misshapen says what is wrong with the members of a token response, "" if nothing is. What is absent is judged elsewhere.
func misshapen(r *target.Response) string {
	members, err := r.JSON()
	if err != nil {
		return err.Error()
	}
	if _, top := members["access_token"]; !top && r.IssuesToken() {
		return "access_token is inside of another member"
	}
	for _, name := range []string{"access_token", "issued_token_type", "token_type", "scope", "refresh_token"} {
		if _, isString := members[name].(string); members[name] != nil && !isString {
			return name + " is no string"
		}
	}
	if _, isNumber := members["expires_in"].(json.Number); members["expires_in"] != nil && !isNumber {
		return "expires_in is no number"
	}
	return ""
}

// requestable are the token types to ask for.
func requestable(as *target.AS) []string {
	if types := as.Config().TokenExchange.RequestedTokenTypes; len(types) > 0 {
		return types
	}
	return []string{target.AccessTokenType, target.RefreshTokenType, target.IDTokenType, target.JWTType}
}

// truthful judges that a token has the form that issued_token_type says.
func truthful(as *target.AS, g Gomega, r *target.Response) {
	tokenType, token := r.String("issued_token_type"), r.String("access_token")
	if tokenType == "" || token == "" {
		as.Inconclusive("issued_token_type or access_token is absent, which other checks report")
	}
	if slices.Contains([]string{target.JWTType, target.IDTokenType}, tokenType) && !isJWT(token) {
		as.Fail("issued_token_type is %s, and the token is no JWT", tokenType)
	}
	if tokenType == saml2Type && !isSAML(token) {
		as.Fail("issued_token_type is %s, and the token is no base64url-encoded XML document", tokenType)
	}
}

// isJWT reports whether a token is a JWT in compact form: signed and readable, or encrypted.
func isJWT(token string) bool {
	return target.JWTClaims(token) != nil || strings.Count(token, ".") == 4
}

// accessible reports whether the server takes a token as an access token; known is false where that cannot be seen. Introspection
// calls refresh tokens active too.
func accessible(as *target.AS, token, tokenType string) (usable, known bool) {
	switch {
	case as.Has(target.ProtectedResource):
		return as.Resource(token).Success(), true
	case as.Has(target.Introspection) && tokenType != target.RefreshTokenType:
		return as.Introspect(token).Member("active") == true, true
	}
	return false, false
}

// overstated is by how many seconds expires_in of a response goes beyond the exp of its token, if both can be seen.
func overstated(as *target.AS, r *target.Response) (seconds float64, ok bool) {
	now := float64(as.Now().Unix())
	lifetime, told := number(r.Member("expires_in"))
	exp, shown := number(seen(as, r.String("access_token"))["exp"])
	return now + lifetime - exp, told && shown && lifetime != 0
}

func number(value any) (float64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
