package rfc6749

import (
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.2.1", func(s *suites.S) {
		s.Check("implicit-grant-works", suites.Requires("RFC6749-4.2.1-01"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				a := as.Implicit(target.NoControl())
				if a.Location == "" || a.Error() != "" || a.Elsewhere() {
					as.Inconclusive("the implicit request did not succeed: %s", DescribeAuthorization(a))
				}
				g.Expect(a).To(DeliverCodeOrToken())
			})

		s.Check("implicit-redirect-uri-exact", suites.Requires("RFC6749-4.2.1-02"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				registered := as.ClientFor(target.Implicit).RedirectURIs[0]
				for _, m := range redirectManipulations(registered) {
					as.Variant(m.name, func(g Gomega) { m.judgeBy(as, g, as.Implicit) })
				}
			})

		s.Check("implicit-client-id-required", suites.Requires("RFC6749-4.2.1-03"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Implicit(target.Omit("client_id"))).NotTo(DeliverCodeOrToken())
			})

		s.Check("implicit-optional-parameters", suites.Requires("RFC6749-4.2.1-04"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("scope", func(g Gomega) {
					if a := as.Implicit(target.Omit("scope")); a.Param("access_token") == "" {
						JudgeErrorRedirect(as, g, a, Codes{Accept: []string{"invalid_scope"}, Tolerate: []string{"access_denied"}})
					}
				})
				for _, name := range []string{"state", "redirect_uri"} {
					as.Variant(name, func(g Gomega) {
						if name == "redirect_uri" && len(as.ClientFor(target.Implicit).RedirectURIs) != 1 {
							as.Skip("", "the client has several redirection URIs")
						}
						if a := as.Implicit(target.Omit(name)); a.Param("access_token") == "" {
							as.Note("a request without %s is refused: %s", name, DescribeAuthorization(a))
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "4.2.2", func(s *suites.S) {
		s.Check("implicit-token-in-fragment", suites.Requires("RFC6749-4.2.2-01"), suites.Needs(target.ImplicitGrant),
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) { g.Expect(a).To(HaveResponseIn("fragment")) }))

		s.Check("implicit-token-type", suites.Requires("RFC6749-4.2.2-02"), suites.Needs(target.ImplicitGrant),
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) {
				g.Expect(a).To(HaveParam("token_type", Not(BeEmpty())))
			}))

		s.Check("implicit-expires-in", suites.Requires("RFC6749-4.2.2-03"), suites.Needs(target.ImplicitGrant),
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) { g.Expect(a).To(HaveParam("expires_in")) }))

		s.Check("implicit-reduced-scope-reported", suites.Requires("RFC6749-4.2.2-05"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				a := as.Implicit(target.Scope(firstScope(as) + " " + unknownScope))
				token := a.Param("access_token")
				if token == "" || a.Param("scope") != "" {
					return
				}
				known := scopeOfToken(as, token)
				if known == "" {
					as.Note("the response has no scope, and nothing shows what was granted")
				} else if !slices.Contains(strings.Fields(known), unknownScope) {
					g.Expect(a).To(HaveParam("scope"), "the token has scope %q", known)
				}
			})

		s.Check("implicit-state-unchanged", suites.Requires("RFC6749-4.2.2-06"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				a := as.Implicit(target.Set("state", printableASCII()))
				if a.Param("access_token") == "" {
					as.Note("this state is refused: %s", DescribeAuthorization(a))
					return
				}
				g.Expect(a).To(KeepState())
			})

		s.Check("implicit-no-refresh-token", suites.Requires("RFC6749-4.2.2-07"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				scopes := as.ScopesFor(target.Implicit)
				for name, scope := range map[string]string{"plain": strings.Join(scopes, " "), "offline-access": strings.Join(append(scopes, "offline_access"), " ")} {
					as.Variant(name, func(g Gomega) {
						a := as.Implicit(target.Scope(scope))
						if a.Param("access_token") == "" {
							as.Inconclusive("no token was delivered: %s", DescribeAuthorization(a))
						}
						g.Expect(a.RawQuery() + "&" + a.RawFragment()).NotTo(ContainSubstring("refresh_token="))
					})
				}
			})
	})

	suites.Section("RFC 6749", "4.2.2.1", func(s *suites.S) {
		s.Check("implicit-error-page", suites.Requires("RFC6749-4.2.2.1-01"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				for name, edit := range map[string]target.RequestEdit{
					"unknown-client": target.Set("client_id", unknownClient), "unregistered-redirect-uri": target.RedirectURI(foreignURI),
				} {
					as.Variant(name, func(g Gomega) {
						a := as.Implicit(edit)
						if a.Location != "" {
							as.Inconclusive("the browser was sent away, which another check judges")
						}
						if len(a.Page.Body) == 0 {
							as.Fail("an empty body (status %d); expected a page that tells the resource owner", a.Page.Status)
						}
					})
				}
			})

		s.Check("implicit-no-redirect-to-invalid-uri", suites.Requires("RFC6749-4.2.2.1-02"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				registered := as.ClientFor(target.Implicit).RedirectURIs[0]
				as.Variant("unknown-client", func(g Gomega) {
					g.Expect(as.Implicit(target.Set("client_id", unknownClient))).To(NotLeaveFor(registered))
				})
				as.Variant("missing-client", func(g Gomega) { g.Expect(as.Implicit(target.Omit("client_id"))).To(NotLeaveFor(registered)) })
				as.Variant("foreign-uri", func(g Gomega) {
					g.Expect(as.Implicit(target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
				})
			})

		s.Check("implicit-error-in-fragment", suites.Requires("RFC6749-4.2.2.1-03"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.ImplicitErrors() {
					as.Variant(sample.Name, func(g Gomega) {
						a := sample.Authorization
						if a.Location == "" {
							as.Note("an error page instead of a redirect, which RFC 9700 section 4.11.2 permits")
							return
						}
						g.Expect(a).To(DeliverError())
						g.Expect(a).To(HaveResponseIn("fragment"))
					})
				}
			})

		s.Check("implicit-error-code-known", suites.Requires("RFC6749-4.2.2.1-04"), suites.Needs(target.ImplicitGrant),
			onImplicitErrors(func(as *target.AS, g Gomega, a *target.Authorization) { knownAuthorizationError(as, g, a) }))

		s.Check("implicit-malformed-request", suites.Requires("RFC6749-4.2.2.1-05"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("scope-equal", func(g Gomega) { g.Expect(as.Implicit(target.Repeat("scope"))).NotTo(DeliverCodeOrToken()) })
				as.Variant("scope-different", func(g Gomega) {
					if scopes := as.ScopesFor(target.Implicit); len(scopes) > 1 {
						g.Expect(as.Implicit(target.Scope(scopes[0]), target.Add("scope", scopes[1]))).NotTo(DeliverCodeOrToken())
					}
				})
			})

		s.Check("implicit-unauthorized-client", suites.Requires("RFC6749-4.2.2.1-06"), suites.Needs(target.ImplicitGrant, target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := clientBarredFrom(as, target.Implicit, func(c *target.Client) bool {
					return redirects(c) && c.MayUse("authorization_code")
				})
				if client == nil {
					as.Skip("clients.second.grants: [authorization_code]", "no configured client may use the code grant and not the implicit one")
				}
				as.Code(target.As(client)) // control
				g.Expect(as.Implicit(target.As(client), target.NoControl())).NotTo(DeliverCodeOrToken())
			})

		s.Check("implicit-denial-error", suites.Requires("RFC6749-4.2.2.1-07"), suites.Needs(target.ImplicitGrant, target.UserConsent),
			func(as *target.AS, g Gomega) {
				a := as.Implicit(target.Deny())
				if !a.ConsentShown {
					as.Inconclusive("there was no consent page to deny on")
				}
				if !a.ConsentShown {
					as.Inconclusive("this time no page asked for consent, so that nothing could be denied")
				}
				g.Expect(a).NotTo(DeliverCodeOrToken())
				JudgeErrorRedirect(as, g, a, Codes{
					Accept: []string{"access_denied"}, Tolerate: []string{"consent_required", "interaction_required", "login_required"},
				})
			})

		s.Check("unsupported-implicit-error", suites.Requires("RFC6749-4.2.2.1-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				types, listed := as.Metadata().Strings("response_types_supported")
				if !listed || slices.Contains(types, "token") {
					as.Skip("", "the metadata does not exclude the implicit grant")
				}
				a := as.Authorize(target.As(as.ClientFor(target.AuthorizationCode)), target.ResponseType("token"), target.NoControl())
				g.Expect(a).NotTo(DeliverCodeOrToken())
				JudgeErrorRedirect(as, g, a, Codes{Accept: []string{"unsupported_response_type", "unauthorized_client", "invalid_request"}})
			})

		s.Check("implicit-invalid-scope-error", suites.Requires("RFC6749-4.2.2.1-09"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				a := as.Implicit(target.Scope(unknownScope))
				if a.Param("access_token") != "" {
					return // a server may ignore scope values
				}
				JudgeErrorRedirect(as, g, a, Codes{Accept: []string{"invalid_scope"}, Tolerate: []string{"invalid_request", "access_denied"}})
			})

		s.Check("implicit-error-code-characters", suites.Requires("RFC6749-4.2.2.1-12"), suites.Needs(target.ImplicitGrant),
			onImplicitErrors(func(as *target.AS, g Gomega, a *target.Authorization) { g.Expect(a.Error()).To(MatchCharset(NQSCHAR)) }))

		s.Check("implicit-error-description-characters", suites.Requires("RFC6749-4.2.2.1-13"), suites.Needs(target.ImplicitGrant),
			onImplicitErrors(func(as *target.AS, g Gomega, a *target.Authorization) {
				if description := a.Param("error_description"); description != "" {
					g.Expect(description).To(MatchCharset(NQSCHAR))
				}
			}))

		s.Check("implicit-error-uri", suites.Requires("RFC6749-4.2.2.1-14"), suites.Needs(target.ImplicitGrant),
			onImplicitErrors(func(as *target.AS, g Gomega, a *target.Authorization) {
				if a.Params().Has("error_uri") {
					g.Expect(a.Param("error_uri")).To(SatisfyAll(MatchCharset(NQCHAR), BeURIReference()))
				}
			}))

		s.Check("implicit-state-in-error", suites.Requires("RFC6749-4.2.2.1-15"), suites.Needs(target.ImplicitGrant),
			onImplicitErrors(func(as *target.AS, g Gomega, a *target.Authorization) { g.Expect(a).To(KeepState()) }))
	})
}

// onImplicit judges a successful implicit response.
func onImplicit(check func(*target.AS, Gomega, *target.Authorization)) suites.Body {
	return func(as *target.AS, g Gomega) {
		a := as.Implicit()
		if _, err := url.Parse(a.Location); err != nil || a.Location == "" || a.Error() != "" {
			as.Inconclusive("the implicit request did not succeed: %s", DescribeAuthorization(a))
		}
		if a.Param("access_token") == "" {
			as.Inconclusive("no token was delivered, which another check reports")
		}
		check(as, g, a)
	}
}

// onImplicitErrors is onErrorRedirects for the implicit grant.
func onImplicitErrors(check func(*target.AS, Gomega, *target.Authorization)) suites.Body {
	return func(as *target.AS, g Gomega) {
		judged := false
		for _, sample := range as.ImplicitErrors() {
			if sample.Authorization.Error() != "" {
				judged = true
				as.Variant(sample.Name, func(g Gomega) {
					g.Expect(sample.Authorization).NotTo(BeNil()) // a finding about a part of it rests on this answer
					check(as, g, sample.Authorization)
				})
			}
		}
		if !judged {
			as.Skip("", "no bad request of ours led to an error redirect; the server shows error pages instead")
		}
	}
}

// knownAuthorizationError judges the code of an error redirect.
func knownAuthorizationError(as *target.AS, g Gomega, a *target.Authorization) {
	g.Expect(a).NotTo(DeliverError("invalid_grant", "invalid_client", "unsupported_grant_type"))
	if code := a.Error(); !slices.Contains(slices.Concat(AuthorizationErrors(), AuthorizationExtensionErrors()), code) {
		as.Note("error is %q, which is no registered code", code)
	}
}
