package rfc6749

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.1.2.1", func(s *suites.S) {
		s.Check("unknown-client-error-page", suites.Requires("RFC6749-4.1.2.1-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				tellsOwner(as, g, as.Authorize(target.Set("client_id", unknownClient)))
			})

		s.Check("unknown-client-no-redirect", suites.Requires("RFC6749-4.1.2.1-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, client := range badClients {
					as.Variant(client.name+"-foreign-uri", func(g Gomega) {
						g.Expect(as.Authorize(client.edit, target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
					})
					as.Variant(client.name+"-registered-uri", func(g Gomega) {
						a := as.Authorize(client.edit)
						g.Expect(a).NotTo(DeliverCode())
						if a.Location != "" {
							as.Note("the browser is sent to the URI in the request with error %q", a.Error())
						}
					})
				}
			})

		s.Check("error-in-query", suites.Requires("RFC6749-4.1.2.1-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.ErrorRedirects() {
					as.Variant(sample.Name, func(g Gomega) {
						a := sample.Authorization
						if a.Sent.Get("response_type") != "code" && a.In() == "fragment" {
							return // the response mode of an unknown or missing response type is nobody's to say
						}
						deliversErrorInQuery(as, g, a)
					})
				}
			})

		s.Check("authorization-error-code-known", suites.Requires("RFC6749-4.1.2.1-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) { knownAuthorizationErrors(as, as.ErrorRedirects()) })

		s.Check("malformed-authorization-request-error", suites.Requires("RFC6749-4.1.2.1-05"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				malformed := func(g Gomega, a *target.Authorization, accept ...string) {
					JudgeErrorRedirect(as, g, a, Codes{Accept: accept, Tolerate: []string{"invalid_scope", "unsupported_response_type"}})
				}
				as.Variant("missing-response-type", func(g Gomega) {
					malformed(g, as.Authorize(target.Omit("response_type")), "invalid_request", "unsupported_response_type")
				})
				as.Variant("repeated-scope", func(g Gomega) {
					if !as.AuthorizationRequest().Has("scope") {
						as.Skip("scopes: [read, write]", "the request has no scope to repeat")
					}
					malformed(g, as.Authorize(target.Repeat("scope")), "invalid_request", "invalid_scope")
				})
				if as.Has(target.PKCE) {
					as.Variant("unknown-challenge-method", func(g Gomega) {
						malformed(g, as.Authorize(target.Set("code_challenge_method", "oauthcheck_unknown")), "invalid_request")
					})
				}
			})

		s.Check("unauthorized-client-no-code", suites.Requires("RFC6749-4.1.2.1-06"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := clientBarredFrom(as, target.AuthorizationCode, redirects)
				if client == nil {
					as.Skip("clients: {others: {no-code: {id: …, secret: …, redirect_uris: [https://client.example/cb], grants: [client_credentials]}}}",
						"no configured client with a redirection URI is barred from the code grant")
				}
				a := as.Authorize(target.As(client), target.NoControl())
				g.Expect(a).NotTo(DeliverCode())
				if code := a.Error(); code != "unauthorized_client" { // the only finding is a code
					as.Note("refused with error %q; expected unauthorized_client: %s", code, DescribeAuthorization(a))
				}
			})

		s.Check("denial-error", suites.Requires("RFC6749-4.1.2.1-07"), suites.Needs(target.AuthorizationCode, target.UserConsent),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Deny())
				if !a.ConsentShown {
					as.Inconclusive("there was no consent page to deny on")
				}
				g.Expect(a).NotTo(DeliverCode())
				if !leaves(a) {
					as.Note("after a denial the browser stays on a page of the server")
					return
				}
				if a.Error() == "server_error" || a.Error() == "temporarily_unavailable" {
					as.Inconclusive("the server reports %s", a.Error())
				}
				JudgeErrorRedirect(as, g, a, denied)
			})

		s.Check("unsupported-response-type-error", suites.Requires("RFC6749-4.1.2.1-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				JudgeErrorRedirect(as, g, as.Authorize(target.Set("response_type", "oauthcheck_unknown")), Codes{
					Accept: []string{"unsupported_response_type", "invalid_request"}, Tolerate: []string{"unauthorized_client"},
				})
			})

		s.Check("authorization-invalid-scope-error", suites.Requires("RFC6749-4.1.2.1-09"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Set("scope", unknownScope))
				if a.Code() != "" {
					return // a server may ignore scope values
				}
				JudgeErrorRedirect(as, g, a, Codes{
					Accept: []string{"invalid_scope"}, Tolerate: []string{"invalid_request", "unauthorized_client", "access_denied"},
				})
			})

		s.Check("authorization-error-code-characters", suites.Requires("RFC6749-4.1.2.1-12"), suites.Needs(target.AuthorizationCode),
			onErrorRedirects(func(as *target.AS, g Gomega, a *target.Authorization) {
				g.Expect(a.Error()).To(MatchCharset(NQSCHAR))
			}))

		s.Check("authorization-error-description-characters", suites.Requires("RFC6749-4.1.2.1-13"), suites.Needs(target.AuthorizationCode),
			onErrorRedirects(func(as *target.AS, g Gomega, a *target.Authorization) {
				if description := a.Param("error_description"); description != "" {
					g.Expect(description).To(MatchCharset(NQSCHAR))
				}
			}))

		s.Check("authorization-error-uri", suites.Requires("RFC6749-4.1.2.1-14"), suites.Needs(target.AuthorizationCode),
			onErrorRedirects(func(as *target.AS, g Gomega, a *target.Authorization) {
				errorURI(as, g, a.Params().Has("error_uri"), a.Param("error_uri"))
			}))

		s.Check("state-in-error", suites.Requires("RFC6749-4.1.2.1-15"), suites.Needs(target.AuthorizationCode),
			onErrorRedirects(func(as *target.AS, g Gomega, a *target.Authorization) {
				g.Expect(a).To(KeepState())
			}))

		s.Check("code-or-error", suites.Requires("RFC6749-4.1.2.1-16"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				as.Variant("success", func(g Gomega) {
					a := as.Authorize()
					if !leaves(a) {
						as.Inconclusive("the authorization request did not end in a redirect: %s", DescribeAuthorization(a))
					}
					deliversOneOf(as, g, a)
				})
				for _, sample := range as.ErrorRedirects() {
					as.Variant(sample.Name, func(g Gomega) { deliversOneOf(as, g, sample.Authorization) })
				}
			})
	})
}

const (
	unknownClient = "oauthcheck-unknown-client"
	unknownScope  = "oauthcheck_unknown_scope"
	attackerHost  = "attacker.example"
	foreignURI    = "https://" + attackerHost + "/cb"
	wrongSecret   = "oauthcheck-wrong-secret-0123456789abcdef"
)

// badClients are the ways of not naming a registered client.
var badClients = []struct {
	name string
	edit target.RequestEdit
}{{"unknown", target.Set("client_id", unknownClient)}, {"missing", target.Omit("client_id")}}

// denied is the judgement on how a denial by the resource owner is reported.
var denied = Codes{Accept: []string{"access_denied"}, Tolerate: []string{"consent_required", "interaction_required", "login_required"}}

// errorURI judges error_uri, which is a URI reference of a limited character set where it is present.
func errorURI(as *target.AS, g Gomega, present bool, value string) {
	switch {
	case value != "":
		g.Expect(value).To(SatisfyAll(MatchCharset(NQCHAR), BeURIReference()))
	case present:
		as.Note("error_uri is empty, which is a URI reference to no page at all")
	}
}

// onErrorRedirects judges the error redirects that one bad authorization request of every kind leads to, each as a variant
// named after its defect. Without any there is nothing to judge: a server may show error pages instead.
func onErrorRedirects(check func(*target.AS, Gomega, *target.Authorization)) suites.Body {
	return func(as *target.AS, g Gomega) {
		judged := false
		for _, sample := range as.ErrorRedirects() {
			if sample.Authorization.Error() == "" || !leaves(sample.Authorization) {
				continue
			}
			judged = true
			as.Variant(sample.Name, func(g Gomega) {
				g.Expect(sample.Authorization).NotTo(BeNil()) // a finding about a part of it rests on this answer
				check(as, g, sample.Authorization)
			})
		}
		if !judged {
			as.Skip("", "no bad request of ours led to an error redirect; the server shows error pages instead")
		}
	}
}
