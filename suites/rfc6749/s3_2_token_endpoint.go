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
	suites.Section("RFC 6749", "3.2", func(s *suites.S) {
		s.Check("token-endpoint-query-kept", suites.Requires("RFC6749-3.2-01"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				if !strings.Contains(as.Endpoint(target.TokenEndpoint), "?") {
					as.Skip("endpoints.token: https://as.example/token?tenant=1", "the token endpoint has no query of its own")
				}
				without := as.Token(target.NoControl(), target.Edit(func(r *target.Request) { r.URL, _, _ = strings.Cut(r.URL, "?") }))
				with := as.Token(target.NoControl())
				if !without.IssuesToken() && !with.IssuesToken() {
					as.Inconclusive("the request succeeds neither with nor without the endpoint's own query")
				}
				g.Expect(with).To(IssueToken())
			})

		s.Check("token-endpoint-no-fragment", suites.Requires("RFC6749-3.2-02"),
			func(as *target.AS, g Gomega) { noFragment(as, g, target.TokenEndpoint, "token_endpoint") })

		s.Check("token-endpoint-tls", suites.Requires("RFC6749-3.2-03"), suites.Needs(target.AnyTokenGrant, target.TLS),
			func(as *target.AS, g Gomega) {
				req := as.NewRequest("POST", as.Endpoint(target.TokenEndpoint)).Apply(
					target.Set("grant_type", "authorization_code"), target.Set("code", as.Random(40)), target.Set("client_id", unknownClient))
				r := as.OverPlainHTTP(req)
				if r.Err != nil {
					return // nothing is served there
				}
				g.Expect(r).NotTo(IssueToken())
				switch {
				case r.ErrorCode() == "":
				case as.Config().TLS.PlainHTTPCredentials:
					g.Expect(as.OverPlainHTTP(as.TokenRequest(as.Grants()[0]))).NotTo(IssueToken())
				default:
					as.Note("over plain HTTP a made-up client is answered with an OAuth error; whether a real one gets a token is tried only with tls: {plain_http_credentials: true}")
				}
			})

		s.Check("token-request-by-post-only", suites.Requires("RFC6749-3.2-04"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, method := range []string{"GET", "PUT", "PATCH"} {
					as.Variant(method, func(g Gomega) {
						edits := []target.RequestEdit{target.Method(method)}
						if method == "GET" {
							edits = append(edits, target.ParamsInQuery())
						}
						g.Expect(as.Token(edits...)).NotTo(IssueToken())
					})
				}
			})

		s.Check("empty-token-scope-is-omitted", suites.Requires("RFC6749-3.2-05"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, grant := range as.Grants() {
					as.Variant(string(grant), func(g Gomega) { emptyScope(as, g, grant) })
				}
			})

		s.Check("empty-required-token-parameter", suites.Requires("RFC6749-3.2-06"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				emptyParameter(as, target.AuthorizationCode, "code")
				emptyParameter(as, target.AuthorizationCode, "grant_type")
				if slices.Contains(as.Grants(), target.RefreshToken) {
					emptyParameter(as, target.RefreshToken, "refresh_token")
				}
			})

		s.Check("unknown-token-parameter-ignored", suites.Requires("RFC6749-3.2-07"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, grant := range as.Grants() {
					as.Variant(string(grant), func(g Gomega) {
						g.Expect(as.TokenBy(grant, target.Add("oauthcheck_unknown", "1"))).To(IssueToken())
					})
				}
			})

		s.Check("repeated-token-parameter", suites.Requires("RFC6749-3.2-08"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, p := range repeatable(as) {
					if !as.TokenBy(p.grant, p.with).IssuesToken() {
						as.Variant(p.name, func(g Gomega) {
							as.Skip("", "the request is refused with one %s already, which another check reports", p.name)
						})
						continue
					}
					as.Variant(p.name+"-equal", func(g Gomega) {
						repeated(as, g, as.TokenBy(p.grant, p.with, target.Repeat(p.name)))
					})
					as.Variant(p.name+"-bogus-last", func(g Gomega) {
						repeated(as, g, as.TokenBy(p.grant, p.with, target.Add(p.name, p.bogus)))
					})
					as.Variant(p.name+"-bogus-first", func(g Gomega) {
						repeated(as, g, as.TokenBy(p.grant, p.with, target.Prepend(p.name, p.bogus)))
					})
				}
				as.Variant("control-at-the-end", func(g Gomega) { as.ControlAgain(cheapest(as)) })
			})

		s.Check("no-duplicate-json-member", suites.Requires("RFC6749-3.2-09"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range append(slices.Clone(as.TokenResponses()), as.TokenErrors()...) {
					if _, err := sample.Response.RawJSON(); err == nil {
						as.Variant(sample.Name, func(g Gomega) { g.Expect(sample.Response).To(HaveUniqueMembers()) })
					}
				}
			})
	})

	suites.Section("RFC 6749", "3.2.1", func(s *suites.S) {
		s.Check("client-id-beside-basic", suites.Requires("RFC6749-3.2.1-02"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				if !as.Token(target.As(client), formEncodedBasic(client), target.NoControl()).IssuesToken() {
					as.Skip("", "the client cannot use Basic")
				}
				g.Expect(as.Token(target.As(client), formEncodedBasic(client), target.Set("client_id", client.ID))).To(IssueToken())
			})

		s.Check("public-client-id-required", suites.Requires("RFC6749-3.2.1-03"), suites.Needs(target.AuthorizationCode, target.PublicClient),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.AuthorizationCode, target.As(as.Public()), target.Omit("client_id"))).NotTo(IssueToken())
			})
	})
}

// emptyScope judges that scope= has the outcome of no scope at all.
func emptyScope(as *target.AS, g Gomega, grant target.Grant) {
	omitted := as.TokenBy(grant, target.Omit("scope"), target.NoControl())
	empty := as.TokenBy(grant, target.Set("scope", ""), target.NoControl())
	if omitted.IssuesToken() != empty.IssuesToken() {
		as.Fail("without scope: %s; with an empty scope: %s", DescribeResponse(omitted), DescribeResponse(empty))
	}
	if a, b := omitted.String("scope"), empty.String("scope"); omitted.IssuesToken() && a != "" && b != "" && !sameScope(a, b) {
		as.Fail("without scope the server grants %q, with an empty scope %q", a, b)
	}
}

// emptyParameter judges that a required parameter without a value is refused as its omission is.
func emptyParameter(as *target.AS, grant target.Grant, name string) {
	as.Variant(name, func(g Gomega) {
		if as.TokenBy(grant, target.Omit(name)).IssuesToken() {
			as.Inconclusive("the request succeeds without %s too, which another check reports", name)
		}
		g.Expect(as.TokenBy(grant, target.Set(name, ""))).NotTo(IssueToken())
	})
}

// parameter is one that a token request may carry once only.
type parameter struct {
	grant       target.Grant
	name, bogus string
	with        target.RequestEdit // makes sure that the parameter is there
}

// repeatable lists the parameters of the grants that work. resource and audience are none: their RFCs let them repeat.
func repeatable(as *target.AS) []parameter {
	// In a form, also where the target is spoken to in JSON: that no member of an object is repeated is no statement of the text.
	form := target.FormBody()
	var out []parameter
	for _, grant := range as.Grants() {
		switch grant {
		case target.AuthorizationCode:
			out = append(out, parameter{grant, "code", "oauthcheck-bogus-code", form}, parameter{grant, "redirect_uri", foreignURI, form})
			if as.Has(target.PKCE) && as.TokenRequest(grant).Has("code_verifier") {
				out = append(out, parameter{grant, "code_verifier", as.Verifier(), form})
			}
		case target.RefreshToken:
			out = append(out, parameter{grant, "refresh_token", "oauthcheck-bogus-token", form})
		case target.Password:
			out = append(out, parameter{grant, "username", "oauthcheck-nobody", form})
		}
	}
	cheapest := cheapest(as)
	out = append(out, parameter{cheapest, "grant_type", "oauthcheck_unknown", form})
	out = append(out, parameter{cheapest, "client_id", unknownClient, target.Edit(func(r *target.Request) {
		r.Apply(form)
		if !r.Has("client_id") && r.Client() != nil {
			r.Apply(target.Set("client_id", r.Client().ID))
		}
	})})
	if scopes := grantScopes(as); len(scopes) > 0 && cheapest != target.AuthorizationCode {
		out = append(out, parameter{cheapest, "scope", unknownScope, target.Edit(func(r *target.Request) {
			r.Apply(form)
			if !r.Has("scope") {
				r.Apply(target.Set("scope", scopes[0]))
			}
		})})
	}
	return out
}

// repeated judges the answer to a request that repeats a parameter.
func repeated(as *target.AS, g Gomega, r *target.Response) {
	g.Expect(r).NotTo(IssueToken())
	noteCode(as, r, "invalid_request")
}
