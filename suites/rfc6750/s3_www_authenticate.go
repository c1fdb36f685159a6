package rfc6750

import (
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6750", "3", func(s *suites.S) {
		s.Check("challenge-without-credentials", suites.Requires("RFC6750-3-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				accessToken(as)
				r := as.Resource("")
				switch {
				case as.Opens(r):
					as.Inconclusive("the resource answers without any token, which another check reports")
				case r.Status == 404:
					as.Note("the resource hides behind 404")
				case asksForChallenge(r):
					g.Expect(r).To(HaveChallenge())
				case r.Status/100 == 4:
					as.Note("status %d asks for no challenge; expected 401", r.Status)
				default:
					g.Expect(r).To(HaveStatusClass(4))
				}
			})

		s.Check("challenge-for-bad-token", suites.Requires("RFC6750-3-02"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				r := badTokenAnswer(as)
				if !asksForChallenge(r) {
					as.Inconclusive("status %d asks for no challenge; the check of the status reports it", r.Status)
				}
				g.Expect(r).To(HaveChallenge())
			})

		s.Check("challenge-scheme-bearer", suites.Requires("RFC6750-3-04"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				r := badTokenAnswer(as)
				if len(r.Header.Values("WWW-Authenticate")) == 0 {
					as.Skip("", "no challenge was received, which another check reports")
				}
				g.Expect(r).To(AnyOf(ChallengeWith("Bearer"), ChallengeWith("DPoP")))
			})

		s.Check("challenge-has-parameter", suites.Requires("RFC6750-3-05"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				g.Expect(c.Params).NotTo(BeEmpty(), "a bare Bearer challenge; expected at least one parameter")
			}))

		s.Check("challenge-realm", suites.Requires("RFC6750-3-07"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				for _, p := range c.Params {
					if strings.EqualFold(p.Name, "realm") && !p.Quoted {
						as.Note("realm=%s is no quoted string (RFC 9110 section 11.5)", p.Value)
					}
				}
			}))

		s.Check("challenge-realm-once", suites.Requires("RFC6750-3-08"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) { atMostOnce(g, c, "realm") }))

		s.Check("challenge-scope-list", suites.Requires("RFC6750-3-09"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				scope, ok := c.Get("scope")
				if !ok {
					return
				}
				for _, separator := range []string{",", ";", "|"} {
					parts := strings.Split(strings.Trim(scope, "[]"), separator)
					known := func(part string) bool {
						return slices.Contains(slices.Concat(as.Scopes(), as.Config().Resource.Scopes), strings.Trim(part, `" '`))
					}
					if len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool { return !known(p) }) {
						as.Fail("scope=%q separates known values by %q; expected single blanks", scope, separator)
					}
				}
			}))

		s.Check("challenge-scope-once", suites.Requires("RFC6750-3-10"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) { atMostOnce(g, c, "scope") }))

		s.Check("challenge-error-present", suites.Requires("RFC6750-3-11"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				r := badTokenAnswer(as)
				if len(bearerChallenges(r)) == 0 {
					as.Skip("", "no challenge with the scheme Bearer was received, which another check reports")
				}
				g.Expect(r).To(HaveChallengeParam("Bearer", "error"))
			})

		s.Check("challenge-error-uri-absolute", suites.Requires("RFC6750-3-13"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				if uri, ok := c.Get("error_uri"); ok && !strings.Contains(uri, ":") {
					as.Note("error_uri %q is a relative reference", uri)
				}
			}))

		s.Check("challenge-error-once", suites.Requires("RFC6750-3-14"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				for _, name := range []string{"error", "error_description", "error_uri"} {
					atMostOnce(g, c, name)
				}
			}))

		s.Check("challenge-scope-characters", suites.Requires("RFC6750-3-15"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				if scope, ok := c.Get("scope"); ok && scope != "" {
					g.Expect(scope).To(MatchCharset(NQSCHAR))
				}
			}))

		s.Check("challenge-error-characters", suites.Requires("RFC6750-3-16"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				for _, name := range []string{"error", "error_description"} {
					if value, ok := c.Get(name); ok && value != "" {
						g.Expect(value).To(MatchCharset(NQSCHAR), name)
					}
				}
			}))

		s.Check("challenge-error-uri", suites.Requires("RFC6750-3-17"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				if uri, ok := c.Get("error_uri"); ok {
					if uri == "" {
						as.Note("error_uri is empty, which is a URI reference to no page at all")
						return
					}
					g.Expect(uri).To(SatisfyAll(MatchCharset(NQCHAR), BeURIReference()))
				}
			}))

		s.Check("challenge-well-formed", suites.Requires("RFC6750-3-18"), suites.Needs(target.ProtectedResource),
			onRefusals(func(as *target.AS, g Gomega, r *target.Response) {
				if len(r.Header.Values("WWW-Authenticate")) == 0 {
					as.Skip("", "no challenge was received, which another check reports")
				}
				g.Expect(r).To(HaveWellFormedChallenges())
			}))
	})

	suites.Section("RFC 6750", "3.1", func(s *suites.S) {
		s.Check("resource-error-code-known", suites.Requires("RFC6750-3.1-01"), suites.Needs(target.ProtectedResource),
			onChallenges(func(as *target.AS, g Gomega, c Challenge) {
				code, ok := c.Get("error")
				switch {
				case !ok, slices.Contains(slices.Concat(ResourceErrors(), ResourceExtensionErrors()), code):
				case code == "", slices.Contains(slices.Concat(TokenErrors(), AuthorizationErrors()), code):
					as.Fail("error=%q; expected %s", code, strings.Join(ResourceErrors(), ", "))
				default:
					as.Note("error=%q is no registered code", code)
				}
			}))

		s.Check("one-token-method-per-request", suites.Requires("RFC6750-3.1-02"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				form, query := as.Opens(byForm(as, token)), as.Opens(byQuery(as, token))
				if !form && !query {
					as.Skip("", "the resource takes tokens in the header only")
				}
				closed(as)
				bearer := target.Header("Authorization", "Bearer "+token)
				if form {
					as.Variant("header-and-form", func(g Gomega) { shut(as, g, byForm(as, token, bearer)) })
					as.Variant("header-and-bad-form", func(g Gomega) { shut(as, g, byForm(as, badToken, bearer)) })
					as.Variant("bad-header-and-form", func(g Gomega) {
						shut(as, g, byForm(as, token, target.Header("Authorization", "Bearer "+badToken)))
					})
				}
				if form && query {
					as.Variant("form-and-query", func(g Gomega) {
						shut(as, g, byForm(as, token, target.QueryParam("access_token", token)))
					})
				}
				if query {
					as.Variant("header-and-query", func(g Gomega) { shut(as, g, byQuery(as, token, bearer)) })
					as.Variant("header-and-bad-query", func(g Gomega) { shut(as, g, byQuery(as, badToken, bearer)) })
					as.Variant("bad-header-and-query", func(g Gomega) {
						shut(as, g, byQuery(as, token, target.Header("Authorization", "Bearer "+badToken)))
					})
				}
			})

		s.Check("access-token-parameter-once", suites.Requires("RFC6750-3.1-03"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				query := as.Opens(byQuery(as, token))
				if query {
					closed(as)
					as.Variant("query-bad-last", func(g Gomega) {
						shut(as, g, byQuery(as, token, target.QueryParam("access_token", badToken)))
					})
					as.Variant("query-bad-first", func(g Gomega) {
						shut(as, g, byQuery(as, badToken, target.QueryParam("access_token", token)))
					})
				}
				if query && !as.Opens(byForm(as, token)) {
					return
				}
				needsForm(as, token)
				as.Variant("form-bad-last", func(g Gomega) {
					shut(as, g, byForm(as, token, target.Add("access_token", badToken)))
				})
				as.Variant("form-bad-first", func(g Gomega) {
					shut(as, g, byForm(as, token, target.Prepend("access_token", badToken)))
				})
			})

		s.Check("one-authorization-header", suites.Requires("RFC6750-3.1-04"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				if as.Opens(as.Resource(token, target.AddHeader("Authorization", "Bearer "+badToken))) ||
					as.Opens(as.Resource(badToken, target.AddHeader("Authorization", "Bearer "+token))) {
					as.Note("a request with two Authorization headers, one of them with a bad token, is served")
				}
			})

		s.Check("invalid-request-400", suites.Requires("RFC6750-3.1-05"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				judged := false
				for _, sample := range append(refusals(as), ambiguous(as)...) {
					if code, _ := errorOf(sample.Response); code == "invalid_request" && !as.Opens(sample.Response) {
						judged = true
						as.Variant(sample.Name, func(g Gomega) { g.Expect(sample.Response).To(HaveStatus(400)) })
					}
				}
				if !judged {
					as.Skip("", "no request of ours drew invalid_request")
				}
			})

		s.Check("invalid-token-code", suites.Requires("RFC6750-3.1-06"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				as.Variant("unknown-token", func(g Gomega) {
					JudgeResourceError(as, g, badTokenAnswer(as), Codes{Accept: []string{"invalid_token"}, Refuse: []string{"unauthorized"}})
				})
				as.Variant("changed-token", func(g Gomega) {
					JudgeResourceError(as, g, as.Resource(target.ChangeMiddle(accessToken(as))),
						Codes{Accept: []string{"invalid_token"}, Tolerate: []string{"invalid_request"}})
				})
			})

		s.Check("invalid-token-401", suites.Requires("RFC6750-3.1-07"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				for _, bad := range []struct{ name, token string }{{"unknown-token", badToken}, {"changed-token", target.ChangeMiddle(token)}} {
					as.Variant(bad.name, func(g Gomega) {
						r := as.Resource(bad.token)
						if as.Opens(r) && r.ErrorCode() == "" {
							as.Inconclusive("the request was not refused, which another check reports")
						}
						g.Expect(r).To(HaveStatus(401))
					})
				}
			})

		s.Check("expired-token-code", suites.Requires("RFC6750-3.1-08"), suites.Needs(target.ProtectedResource), suites.Slow,
			func(as *target.AS, g Gomega) {
				tokens := as.ResourceTokens()
				lifetime := max(tokens.ExpiresIn, as.Timing().TokenLifetime)
				const longest, skew, moreSkew = 15 * time.Minute, 60 * time.Second, 270 * time.Second
				if lifetime == 0 || lifetime > longest {
					as.Skip("timing.token_lifetime: 1m  # and a server that issues such tokens", "access tokens live %s", lifetime)
				}
				as.Wait(lifetime + skew)
				r := as.Resource(tokens.AccessToken)
				if as.Opens(r) {
					as.Wait(moreSkew)
					r = as.Resource(tokens.AccessToken)
				}
				judgeInvalidToken(as, g, r)
			})

		s.Check("revoked-token-code", suites.Requires("RFC6750-3.1-09"), suites.Needs(target.ProtectedResource, target.Revocation),
			suites.Destructive, suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.ResourceTokens()
				if r := as.Revoke(tokens, tokens.AccessToken); r.Status != 200 {
					as.Inconclusive("the revocation was answered %s", DescribeResponse(r))
				}
				as.Settle()
				r := as.Resource(tokens.AccessToken)
				if as.Opens(r) {
					as.Wait(time.Minute) // a revocation may take its time to arrive (RFC 7009 section 2)
					if r = as.Resource(tokens.AccessToken); !as.Opens(r) {
						as.Note("the revocation reached the resource late, within a minute")
					}
				}
				if as.Opens(r) {
					if target.JWTClaims(tokens.AccessToken) != nil {
						as.Note("a revoked JWT is still taken by a resource that checks it locally")
						return
					}
					shut(as, g, r)
				}
				judgeInvalidToken(as, g, r)
			})

		s.Check("insufficient-scope-code", suites.Requires("RFC6750-3.1-10"), suites.Needs(target.ProtectedResource, target.InsufficientScope),
			func(as *target.AS, g Gomega) {
				r := insufficientAnswer(as)
				if _, ok := errorOf(r); !ok {
					as.Note("refused with status %d and no error code", r.Status)
					return
				}
				JudgeResourceError(as, g, r, Codes{Accept: []string{"insufficient_scope"}})
			})

		s.Check("insufficient-scope-403", suites.Requires("RFC6750-3.1-11"), suites.Needs(target.ProtectedResource, target.InsufficientScope),
			func(as *target.AS, g Gomega) {
				r := insufficientAnswer(as)
				if r.Status != 400 && r.Status != 401 && r.Status != 403 {
					as.Note("refused with status %d; expected 403", r.Status) // 404 hides the resource
					return
				}
				g.Expect(r).To(HaveStatus(403))
			})

		s.Check("insufficient-scope-named", suites.Requires("RFC6750-3.1-12"), suites.Needs(target.ProtectedResource, target.InsufficientScope),
			func(as *target.AS, g Gomega) {
				scope := ""
				for _, c := range bearerChallenges(insufficientAnswer(as)) {
					if code, _ := c.Get("error"); code == "insufficient_scope" {
						scope, _ = c.Get("scope")
					}
				}
				if scope == "" {
					as.Skip("", "the answer does not name the scope that is needed")
				}
				tokens := as.ResourceTokens(target.Scope(scope), target.NoControl())
				if r := as.Resource(tokens.AccessToken); !as.Opens(r) {
					as.Note("the challenge names scope=%q, and a token with it is refused with status %d", scope, r.Status)
				}
			})

		s.Check("no-error-without-credentials", suites.Requires("RFC6750-3.1-13"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				accessToken(as)
				noErrorInformation(as, g, as.Resource(""))
			})

		s.Check("no-error-for-unsupported-scheme", suites.Requires("RFC6750-3.1-14"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				accessToken(as)
				closed(as)
				r := as.Resource("", target.Header("Authorization", "Basic b2F1dGhjaGVjazp4"))
				shut(as, g, r)
				if challenges, _ := Challenges(r); slices.ContainsFunc(challenges, func(c Challenge) bool { return c.Is("Basic") }) {
					as.Skip("", "the resource takes Basic as well")
				}
				noErrorInformation(as, g, r)
			})
	})
}

// ambiguous are requests that carry a token twice (section 3.1, invalid_request), as far as the resource takes it that way.
func ambiguous(as *target.AS) []target.TokenSample {
	token := accessToken(as)
	bearer := target.Header("Authorization", "Bearer "+token)
	var out []target.TokenSample
	if as.Opens(byForm(as, token)) {
		out = append(out, target.TokenSample{Name: "header-and-form", Response: byForm(as, token, bearer)},
			target.TokenSample{Name: "repeated-in-form", Response: byForm(as, token, target.Add("access_token", badToken))})
	}
	if as.Opens(byQuery(as, token)) {
		out = append(out, target.TokenSample{Name: "header-and-query", Response: byQuery(as, token, bearer)},
			target.TokenSample{Name: "repeated-in-query", Response: byQuery(as, token, target.QueryParam("access_token", badToken))})
	}
	return out
}

// asksForChallenge reports whether a refusal has a status that section 3 wants WWW-Authenticate with.
func asksForChallenge(r *target.Response) bool {
	return slices.Contains([]int{400, 401, 403}, r.Status)
}

// badTokenAnswer is the refusal of a token that was never issued.
func badTokenAnswer(as *target.AS) *target.Response {
	accessToken(as)
	r := as.Resource(badToken)
	if as.Opens(r) {
		as.Inconclusive("a made-up token is taken, which another check reports")
	}
	return r
}

// insufficientAnswer is the refusal of a token whose scope does not cover the resource.
func insufficientAnswer(as *target.AS) *target.Response {
	accessToken(as)
	tokens := as.ResourceTokens(target.Scope(as.Config().Resource.InsufficientScope))
	r := as.Resource(tokens.AccessToken)
	if as.Opens(r) {
		as.Inconclusive("the token is taken, which the check of scopes reports")
	}
	return r
}

// judgeInvalidToken judges the code for a token that was valid once.
func judgeInvalidToken(as *target.AS, g Gomega, r *target.Response) {
	if as.Opens(r) {
		as.Inconclusive("the token is still taken, which another check reports")
	}
	if _, ok := errorOf(r); !ok {
		as.Note("refused with status %d and no error code", r.Status)
		return
	}
	JudgeResourceError(as, g, r, Codes{Accept: []string{"invalid_token"}})
}

// noErrorInformation judges the answer to a request that carried no token.
func noErrorInformation(as *target.AS, g Gomega, r *target.Response) {
	challenges := bearerChallenges(r)
	if len(challenges) == 0 {
		as.Skip("", "no challenge with the scheme Bearer was received, which another check reports")
	}
	for _, c := range challenges {
		for _, name := range []string{"error", "error_description", "error_uri"} {
			if value, ok := c.Get(name); ok {
				as.Fail("the challenge carries %s=%q; expected no error information", name, value)
			}
		}
	}
	if r.ErrorCode() != "" {
		as.Note("the body carries error=%q", r.ErrorCode())
	}
}

// atMostOnce judges how often a parameter occurs in a challenge.
func atMostOnce(g Gomega, c Challenge, name string) {
	g.Expect(c.Count(name)).To(BeNumerically("<=", 1), "%s in one challenge", name)
}
