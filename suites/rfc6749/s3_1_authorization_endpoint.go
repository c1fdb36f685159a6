package rfc6749

import (
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "3.1", func(s *suites.S) {
		s.Check("resource-owner-authenticated", suites.Requires("RFC6749-3.1-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if as.Config().Login.Method == "none" {
					as.Skip("login: {method: form}", "login.method none declares that the resource owner is known without a login")
				}
				a := as.Authorize()
				if !a.LoginShown {
					g.Expect(a).NotTo(DeliverCodeOrToken())
				}
			})

		s.Check("authorization-endpoint-query-kept", suites.Requires("RFC6749-3.1-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if !strings.Contains(as.Endpoint(target.AuthorizationEndpoint), "?") {
					as.Skip("endpoints.authorization: https://as.example/authorize?tenant=1", "the authorization endpoint has no query of its own")
				}
				without := as.Authorize(target.Edit(func(r *target.Request) {
					r.URL, _, _ = strings.Cut(r.URL, "?")
				}), target.NoControl())
				with := as.Authorize(target.NoControl())
				if without.Code() == "" && with.Code() == "" {
					as.Inconclusive("the request succeeds neither with nor without the endpoint's own query")
				}
				g.Expect(with).To(DeliverCode())
			})

		s.Check("authorization-endpoint-no-fragment", suites.Requires("RFC6749-3.1-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				noFragment(as, g, target.AuthorizationEndpoint, "authorization_endpoint")
			})

		s.Check("authorization-endpoint-tls", suites.Requires("RFC6749-3.1-04"), suites.Needs(target.AuthorizationCode, target.TLS),
			func(as *target.AS, g Gomega) {
				r := as.OverPlainHTTP(as.AuthorizationRequest())
				if r.Err != nil || r.Status >= 400 {
					return // nothing is served there
				}
				if r.Status/100 == 3 && !strings.HasPrefix(r.Header.Get("Location"), as.ClientFor(target.AuthorizationCode).RedirectURIs[0]) {
					return // on to a secure URI, or to a login service
				}
				g.Expect(r).NotTo(HaveStatusClass(2, 3))
			})

		s.Check("authorization-get", suites.Requires("RFC6749-3.1-05"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.NoControl(), target.AnyStatus())
				if a.Code() != "" {
					return
				}
				if a.Page == nil || a.Page.Status != 404 && a.Page.Status != 405 && a.Page.Status != 501 {
					as.Inconclusive("the request was refused, but not its method: %s", DescribeAuthorization(a))
				}
				post := as.Authorize(target.Method("POST"), target.NoControl())
				if post.Code() == "" {
					as.Inconclusive("the request succeeds by no method: %s", DescribeAuthorization(a))
				}
				g.Expect(a).To(DeliverCode())
			})

		s.Check("declared-post-works", suites.Requires("RFC6749-3.1-06"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Method("POST"))
				if a.Code() == "" && !as.Has(target.OpenID) {
					as.Skip("", "POST at the authorization endpoint is not supported, and nothing declares it")
				}
				g.Expect(a).To(DeliverCode())
			})

		s.Check("empty-required-parameter", suites.Requires("RFC6749-3.1-07"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, name := range []string{"response_type", "client_id"} {
					as.Variant(name, func(g Gomega) {
						if as.Authorize(target.Omit(name)).Code() != "" {
							as.Inconclusive("the request succeeds without %s too, which another check reports", name)
						}
						g.Expect(as.Authorize(target.Set(name, ""))).NotTo(DeliverCode())
					})
				}
			})

		s.Check("empty-scope-is-omitted", suites.Requires("RFC6749-3.1-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				omitted, empty := as.Authorize(target.Omit("scope")), as.Authorize(target.Set("scope", ""))
				if (omitted.Code() != "") != (empty.Code() != "") {
					as.Fail("without scope: %s; with an empty scope: %s", DescribeAuthorization(omitted), DescribeAuthorization(empty))
				}
				if omitted.Code() == "" {
					return
				}
				first, second := as.Redeem(as.CodeOf(omitted)).String("scope"), as.Redeem(as.CodeOf(empty)).String("scope")
				if first != "" && second != "" && !sameScope(first, second) {
					as.Fail("without scope the server grants %q, with an empty scope %q", first, second)
				}
			})

		s.Check("empty-state-is-omitted", suites.Requires("RFC6749-3.1-09"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Set("state", ""))
				if a.Code() == "" && as.Authorize(target.Omit("state")).Code() == "" {
					as.Inconclusive("a request without state is refused as well, which another check reports")
				}
				g.Expect(a).To(DeliverCode())
				if state := a.Param("state"); state != "" {
					as.Fail("the redirect carries state=%q, which was not sent", state)
				}
			})

		s.Check("empty-redirect-uri-is-omitted", suites.Requires("RFC6749-3.1-10"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := clientWithOneRedirectURI(as)
				if client == nil {
					as.Skip("clients.second: {redirect_uris: [one URI]}", "no configured client has exactly one redirection URI")
				}
				if as.Authorize(target.As(client), target.Omit("redirect_uri")).Code() == "" {
					as.Skip("", "the server demands redirect_uri, which it may")
				}
				g.Expect(as.Authorize(target.As(client), target.Set("redirect_uri", ""))).To(DeliverCode())
			})

		s.Check("unknown-authorization-parameter-ignored", suites.Requires("RFC6749-3.1-11"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, name := range []string{"oauthcheck_unknown", "x-vendor.flag"} {
					as.Variant(name, func(g Gomega) { g.Expect(as.Authorize(target.Add(name, "1"))).To(DeliverCode()) })
				}
			})

		s.Check("repeated-authorization-parameter", suites.Requires("RFC6749-3.1-12"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				other := map[string]string{"state": as.State(), "scope": unknownScope, "response_type": "oauthcheck_unknown"}
				// A second scope that is right as well: whichever of the two a server takes, it would not refuse the request for it.
				if scopes := as.ScopesFor(target.AuthorizationCode); len(scopes) > 1 {
					other["scope"] = scopes[0]
				}
				names := []string{"response_type", "scope", "state"}
				if as.Has(target.PKCE) && as.AuthorizationRequest().Has("code_challenge") { // known to the server, so not to be ignored
					names, other["code_challenge"] = append(names, "code_challenge"), target.S256(as.Verifier())
				}
				for _, name := range names {
					if !as.AuthorizationRequest().Has(name) {
						as.Variant(name, func(g Gomega) { as.Skip("scopes: [read, write]", "the request has no %s to repeat", name) })
						continue
					}
					as.Variant(name+"-equal", func(g Gomega) { g.Expect(as.Authorize(target.Repeat(name))).NotTo(DeliverCode()) })
					as.Variant(name+"-different", func(g Gomega) {
						g.Expect(as.Authorize(target.Add(name, other[name]))).NotTo(DeliverCode())
					})
				}
			})

		s.Check("repeated-redirect-uri", suites.Requires("RFC6749-3.1-13"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, probe := range []struct {
					name string
					edit target.RequestEdit
				}{
					{"redirect-uri-equal", target.Repeat("redirect_uri")},
					{"redirect-uri-foreign-last", target.Add("redirect_uri", foreignURI)},
					{"redirect-uri-foreign-first", target.Prepend("redirect_uri", foreignURI)},
					{"client-id-equal", target.Repeat("client_id")},
					{"client-id-unknown-last", target.Add("client_id", unknownClient)},
					{"client-id-unknown-first", target.Prepend("client_id", unknownClient)},
				} {
					as.Variant(probe.name, func(g Gomega) {
						a := as.Authorize(probe.edit)
						g.Expect(a).NotTo(DeliverCode())
						g.Expect(a).To(NotLeaveFor(foreignURI))
					})
				}
			})

		s.Check("response-parameters-once", suites.Requires("RFC6749-3.1-14"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				as.Variant("success", func(g Gomega) {
					a := as.Authorize()
					if a.Location == "" {
						as.Inconclusive("no redirect to look at")
					}
					g.Expect(a).To(HaveUniqueParams())
				})
				for _, sample := range as.ErrorRedirects() {
					if sample.Authorization.Location != "" {
						as.Variant(sample.Name, func(g Gomega) { g.Expect(sample.Authorization).To(HaveUniqueParams()) })
					}
				}
				if !as.Has(target.ImplicitGrant) {
					return
				}
				as.Variant("implicit", func(g Gomega) {
					a := as.Implicit()
					if a.Location == "" {
						as.Inconclusive("no redirect to look at")
					}
					g.Expect(a).To(HaveUniqueParams())
				})
				for _, sample := range as.ImplicitErrors() {
					if sample.Authorization.Location != "" {
						as.Variant("implicit-"+sample.Name, func(g Gomega) { g.Expect(sample.Authorization).To(HaveUniqueParams()) })
					}
				}
			})
	})

	suites.Section("RFC 6749", "3.1.1", func(s *suites.S) {
		s.Check("response-type-code", suites.Requires("RFC6749-3.1.1-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.NoControl())
				if !leaves(a) || a.Error() != "" {
					as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
				}
				g.Expect(a).To(DeliverCode())
			})

		s.Check("composite-response-type-order", suites.Requires("RFC6749-3.1.1-02"), suites.Needs(target.OpenID),
			func(as *target.AS, g Gomega) {
				types, _ := as.Metadata().Strings("response_types_supported")
				composite := ""
				for _, t := range types {
					if strings.Contains(t, " ") {
						composite = t
						break
					}
				}
				if composite == "" {
					as.Skip("", "the server offers no composite response type")
				}
				words := strings.Fields(composite)
				reversed := words[len(words)-1]
				for i := len(words) - 2; i >= 0; i-- {
					reversed += " " + words[i]
				}
				registered := as.Authorize(target.ResponseType(composite), target.NoControl())
				if registered.Location == "" || registered.Error() != "" {
					as.Inconclusive("%s in the registered order does not succeed for this client", composite)
				}
				g.Expect(as.Authorize(target.ResponseType(reversed), target.NoControl())).NotTo(DeliverError("unsupported_response_type"))
			})

		s.Check("response-type-required", suites.Requires("RFC6749-3.1.1-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) { refusedRequest(g, as.Authorize(target.Omit("response_type"))) })

		s.Check("unknown-response-type-refused", suites.Requires("RFC6749-3.1.1-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				refusedRequest(g, as.Authorize(target.Set("response_type", "oauthcheck_unknown")))
			})
	})
}

// refusedRequest judges that an authorization request grants nothing and, where the browser is sent back, says why.
func refusedRequest(g Gomega, a *target.Authorization) {
	g.Expect(a).NotTo(DeliverCodeOrToken())
	if leaves(a) {
		g.Expect(a).To(DeliverError())
	}
}

// noFragment judges the URI of an endpoint, configured and advertised.
func noFragment(as *target.AS, g Gomega, endpoint target.Endpoint, member string) {
	for _, uri := range []string{as.Endpoint(endpoint), as.Metadata().String(member)} {
		g.Expect(uri).NotTo(ContainSubstring("#"), "%s", member)
	}
}

// sameScope compares two scope values as the sets that they are (section 3.3).
func sameScope(a, b string) bool {
	set := func(s string) map[string]bool {
		m := map[string]bool{}
		for _, value := range strings.Fields(s) {
			m[value] = true
		}
		return m
	}
	x, y := set(a), set(b)
	if len(x) != len(y) {
		return false
	}
	for value := range x {
		if !y[value] {
			return false
		}
	}
	return true
}
