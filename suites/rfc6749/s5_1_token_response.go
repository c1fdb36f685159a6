package rfc6749

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "5.1", func(s *suites.S) {
		s.Check("token-response-status", suites.Requires("RFC6749-5.1-01"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveStatus(200))
			}))

		s.Check("token-response-access-token", suites.Requires("RFC6749-5.1-02"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				unwrapped(as, r)
				g.Expect(r).To(HaveStringMember("access_token"))
			}))

		s.Check("token-response-token-type", suites.Requires("RFC6749-5.1-03"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				unwrapped(as, r)
				g.Expect(r).To(HaveStringMember("token_type"))
			}))

		s.Check("token-type-registered", suites.Requires("RFC6749-5.1-04"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				tokenType := r.String("token_type")
				switch {
				case tokenType == "" || !isTokenTypeName(tokenType) && !isAbsoluteURI(tokenType):
					as.Inconclusive("token_type is absent or no type name, which other checks report")
				case strings.EqualFold(tokenType, "mac"):
					as.Note("token_type is %q, the type of an expired draft", tokenType)
				case !isAbsoluteURI(tokenType):
					g.Expect(r).To(HaveMember("token_type", WithTransform(strings.ToLower, BeElementOf("bearer", "dpop", "pop", "n_a"))))
				}
			}))

		s.Check("token-response-expires-in", suites.Requires("RFC6749-5.1-05"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				unwrapped(as, r)
				g.Expect(r).To(HaveMember("expires_in"))
			}))

		s.Check("expires-in-number", suites.Requires("RFC6749-5.1-06"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				value, present := rawMember(r, "expires_in")
				if !present || value == nil {
					as.Inconclusive("the answer has no expires_in to judge")
				}
				g.Expect(r).To(HaveMember("expires_in", BeNonNegativeInteger()))
				noteOddNumber(as, value)
			}))

		s.Check("issued-refresh-token-works", suites.Requires("RFC6749-5.1-08"), suites.Needs(target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				for _, grant := range []target.Grant{target.AuthorizationCode, target.Password} {
					if slices.Contains(as.Grants(), grant) {
						as.Variant(string(grant), func(g Gomega) { givesUsableRefreshTokens(as, g, grant) })
					}
				}
				if as.Has(target.PublicClient) && as.Has(target.AuthorizationCode) && as.Public().MayUse("refresh_token") {
					as.Variant("public-client", func(g Gomega) {
						givesUsableRefreshTokens(as, g, target.AuthorizationCode, target.As(as.Public()))
					})
				}
			})

		s.Check("token-response-media-type", suites.Requires("RFC6749-5.1-10"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveMediaType("application/json"))
			}))

		s.Check("token-response-top-level-object", suites.Requires("RFC6749-5.1-11"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(BeJSONObject())
				if bytes.HasPrefix(r.Body, []byte("\ufeff")) {
					as.Note("a byte order mark stands before the JSON text")
				}
				if !strings.Contains(string(r.Body), `"access_token"`) {
					as.Inconclusive("there is no access_token at any depth, which another check reports")
				}
				g.Expect(r).To(HaveTopLevelMembers("access_token"))
			}))

		s.Check("token-response-string-members", suites.Requires("RFC6749-5.1-12"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				for _, name := range []string{"refresh_token", "scope", "id_token"} {
					value, present := rawMember(r, name)
					if present && value == nil {
						as.Note("%s is null, which counts as absent", name)
						continue
					}
					if present {
						g.Expect(r).To(HaveMember(name, BeString()))
					}
				}
			}))

		s.Check("token-response-no-store", suites.Requires("RFC6749-5.1-13"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(BeUncacheable())
			}))

		s.Check("token-response-pragma", suites.Requires("RFC6749-5.1-14"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HavePragmaNoCache())
			}))
	})
}

// onTokenResponses judges one successful token response of every grant that works on the target, each as a variant named
// after its grant.
func onTokenResponses(judge func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		samples := as.TokenResponses()
		if len(samples) == 0 {
			as.Inconclusive("no grant was answered with a token response")
		}
		for _, sample := range samples {
			as.Variant(sample.Name, func(g Gomega) {
				g.Expect(sample.Response).NotTo(BeNil()) // a finding about a part of it rests on this answer
				judge(as, g, sample.Response)
			})
		}
	}
}

// unwrapped leaves a check of members inconclusive where they all stand inside another member, the finding of another check.
func unwrapped(as *target.AS, r *target.Response) {
	if _, present := rawMember(r, "access_token"); !present && strings.Contains(string(r.Body), `"access_token"`) {
		as.Inconclusive("the members stand inside another one, which another check reports")
	}
}

// givesUsableRefreshTokens judges the refresh token that a grant gives, and the one that the first refresh gives in its place.
func givesUsableRefreshTokens(as *target.AS, g Gomega, grant target.Grant, edits ...target.RequestEdit) {
	tokens := as.TokensBy(grant, edits...)
	if tokens.RefreshToken == "" {
		as.Skip("scopes: [offline_access]", "the grant gave no refresh token")
	}
	first := as.Refresh(tokens, target.NoControl())
	usable(as, g, first)
	if next := first.String("refresh_token"); next != "" && next != tokens.RefreshToken {
		usable(as, g, as.Refresh(tokens, target.Set("refresh_token", next), target.NoControl()))
	}
}

// usable judges that a refresh token that was just issued is taken.
func usable(as *target.AS, g Gomega, r *target.Response) {
	if !r.IssuesToken() && !slices.Contains([]string{"invalid_grant", "unauthorized_client", "unsupported_grant_type"}, r.ErrorCode()) {
		as.Inconclusive("the refresh was answered %d %s, which does not say that the token is unusable", r.Status, r.ErrorCode())
	}
	g.Expect(r).To(IssueToken())
}

// rawMember returns a member with its presence, which Member cannot tell from null.
func rawMember(r *target.Response, name string) (any, bool) {
	members, err := r.JSON()
	if err != nil {
		return nil, false
	}
	value, present := members[name]
	return value, present
}

// noteOddNumber tells of lifetimes that are permitted but hint at a mistake.
func noteOddNumber(as *target.AS, value any) {
	number, ok := value.(json.Number)
	if !ok {
		return
	}
	if strings.ContainsAny(number.String(), ".eE") {
		as.Note("expires_in is written as %s, not as plain digits", number)
	}
	const tenYears = 10 * 366 * 24 * 3600
	if f, _, err := big.ParseFloat(number.String(), 10, 64, big.ToNearestEven); err == nil && f.Cmp(big.NewFloat(tenYears)) > 0 {
		as.Note("expires_in is %s seconds, more than ten years: perhaps milliseconds", number)
	}
}

func isAbsoluteURI(s string) bool { return AbsoluteURI.In(s) }

// isTokenTypeName reports whether s is a type-name of RFC 6749 section 8.1.
func isTokenTypeName(s string) bool {
	return s != "" && strings.Trim(s, "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
