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
				if !leaves(a) || a.Error() != "" {
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
				as.Variant("control-at-the-end", func(g Gomega) {
					if a := as.Implicit(target.NoControl()); a.Param("access_token") == "" {
						as.Inconclusive("the request with the registered URI no longer succeeds: %s", DescribeAuthorization(a))
					}
				})
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
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) {
				g.Expect(a).To(HaveResponseIn("fragment"))
				if query, _ := url.ParseQuery(a.RawQuery()); query.Has("access_token") {
					as.Fail("the query carries access_token, too: %s", DescribeAuthorization(a))
				}
			}))

		s.Check("implicit-token-type", suites.Requires("RFC6749-4.2.2-02"), suites.Needs(target.ImplicitGrant),
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) {
				g.Expect(a).To(HaveParam("token_type", BeNonEmptyString()))
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
				for _, probe := range []struct{ name, scope string }{
					{"plain", strings.Join(scopes, " ")}, {"offline-access", strings.Join(append(scopes, "offline_access"), " ")},
				} {
					as.Variant(probe.name, func(g Gomega) {
						a := as.Implicit(target.Scope(probe.scope))
						if a.Param("access_token") == "" {
							as.Skip("", "no token was delivered for scope %q: %s", probe.scope, DescribeAuthorization(a))
						}
						g.Expect(a).To(OmitParam("refresh_token"))
						if query, _ := url.ParseQuery(a.RawQuery()); query.Has("refresh_token") {
							as.Fail("the query carries a refresh_token: %s", DescribeAuthorization(a))
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "4.2.2.1", func(s *suites.S) {
		s.Check("implicit-error-page", suites.Requires("RFC6749-4.2.2.1-01"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("unknown-client", func(g Gomega) { tellsOwner(as, g, as.Implicit(target.Set("client_id", unknownClient))) })
				as.Variant("unregistered-redirect-uri", func(g Gomega) { tellsOwner(as, g, as.Implicit(target.RedirectURI(foreignURI))) })
			})

		s.Check("implicit-no-redirect-to-invalid-uri", suites.Requires("RFC6749-4.2.2.1-02"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				for _, client := range badClients {
					as.Variant(client.name+"-client", func(g Gomega) {
						a := as.Implicit(client.edit)
						g.Expect(a).NotTo(DeliverCodeOrToken())
						if a.Location != "" { // the URI in the request is registered, if for another client
							as.Note("the browser is sent to the URI in the request with error %q", a.Error())
						}
					})
					as.Variant(client.name+"-client-foreign-uri", func(g Gomega) {
						g.Expect(as.Implicit(client.edit, target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
					})
				}
				as.Variant("foreign-uri", func(g Gomega) {
					g.Expect(as.Implicit(target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
				})
			})

		s.Check("implicit-error-in-fragment", suites.Requires("RFC6749-4.2.2.1-03"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.ImplicitErrors() {
					as.Variant(sample.Name, func(g Gomega) {
						a := sample.Authorization
						if !leaves(a) {
							as.Note("an error page instead of a redirect, which RFC 9700 section 4.11.2 permits")
							return
						}
						g.Expect(a).To(DeliverError())
						g.Expect(a).To(HaveResponseIn("fragment"))
					})
				}
			})

		s.Check("implicit-error-code-known", suites.Requires("RFC6749-4.2.2.1-04"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) { knownAuthorizationErrors(as, as.ImplicitErrors()) })

		s.Check("implicit-malformed-request", suites.Requires("RFC6749-4.2.2.1-05"), suites.Needs(target.ImplicitGrant),
			func(as *target.AS, g Gomega) {
				scopes := as.ScopesFor(target.Implicit)
				as.Variant("scope-equal", func(g Gomega) {
					if len(scopes) == 0 {
						as.Skip("scopes: [read, write]", "the request has no scope to repeat")
					}
					g.Expect(as.Implicit(target.Scope(scopes[0]), target.Repeat("scope"))).NotTo(DeliverCodeOrToken())
				})
				as.Variant("scope-different", func(g Gomega) {
					if len(scopes) < 2 {
						as.Skip("scopes: [read, write]", "fewer than two scope values are configured")
					}
					g.Expect(as.Implicit(target.Scope(scopes[0]), target.Add("scope", scopes[1]))).NotTo(DeliverCodeOrToken())
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
					as.Inconclusive("this time no page asked for consent, so that nothing could be denied")
				}
				g.Expect(a).NotTo(DeliverCodeOrToken())
				JudgeErrorRedirect(as, g, a, denied)
			})

		s.Check("unsupported-implicit-error", suites.Requires("RFC6749-4.2.2.1-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				types, listed := as.Metadata().Strings("response_types_supported")
				if !listed || slices.Contains(types, "token") {
					as.Skip("", "the metadata does not exclude the implicit grant")
				}
				clients := []*target.Client{as.ClientFor(target.AuthorizationCode)}
				if client := as.Config().ClientFor(target.Grant(target.Implicit).Type()); client != nil && client != clients[0] {
					clients = append(clients, client) // who is said to may use it is the first to be served after all
				}
				for _, client := range clients {
					as.Variant(client.Name, func(g Gomega) {
						a := as.Authorize(target.As(client), target.ResponseType("token"), target.NoControl())
						g.Expect(a).NotTo(DeliverCodeOrToken())
						JudgeErrorRedirect(as, g, a, Codes{Accept: []string{"unsupported_response_type", "unauthorized_client", "invalid_request"}})
					})
				}
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
				errorURI(as, g, a.Params().Has("error_uri"), a.Param("error_uri"))
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
			if sample.Authorization.Error() != "" && leaves(sample.Authorization) {
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

// knownAuthorizationErrors judges the codes of redirects that are no success. Without any there is nothing to judge: a server may show error
// pages instead.
func knownAuthorizationErrors(as *target.AS, samples []target.RedirectSample) {
	judged := false
	for _, sample := range samples {
		if leaves(sample.Authorization) {
			judged = true
			as.Variant(sample.Name, func(g Gomega) { knownAuthorizationError(as, g, sample.Authorization) })
		}
	}
	if !judged {
		as.Skip("", "no bad request of ours led to an error redirect; the server shows error pages instead")
	}
}

// knownAuthorizationError judges the code of an error redirect.
func knownAuthorizationError(as *target.AS, g Gomega, a *target.Authorization) {
	g.Expect(a).To(DeliverError())
	g.Expect(a).NotTo(DeliverError("invalid_grant", "invalid_client", "unsupported_grant_type"))
	if code := a.Error(); !slices.Contains(slices.Concat(AuthorizationErrors(), AuthorizationExtensionErrors()), code) {
		as.Note("error is %q, which is no registered code", code)
	}
}
