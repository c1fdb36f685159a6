package rfc8693

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
	suites.Section("RFC 8693", "2.1", func(s *suites.S) {
		s.Check("exchange-grant-type", suites.Requires("RFC8693-2.1-01"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as, target.NoControl(), target.AnyStatus())
				answered(as, r)
				if r.ErrorCode() == "unsupported_grant_type" && !declared(as) {
					as.Note("the metadata lists the grant type, but this client may not use it")
					return
				}
				if r.ErrorCode() == "unsupported_grant_type" {
					literal := target.SetRaw("grant_type", target.Grant(target.TokenExchange).Type())
					if exchange(as, target.NoControl(), target.AnyStatus(), target.FormBody(), literal).ErrorCode() != "unsupported_grant_type" {
						as.Inconclusive("the grant type is known, but percent-encoding is not undone, which the check of RFC 6749 appendix B reports")
					}
				}
				g.Expect(r).NotTo(HaveErrorCode("unsupported_grant_type"))
				g.Expect(r).NotTo(HaveStatus(404, 405))
				g.Expect(r).NotTo(HaveStatusClass(5))
				if r.Status/100 == 2 && !r.IssuesToken() {
					g.Expect(r).NotTo(HaveMediaType("text/html", "application/xhtml+xml"))
				}
				if !r.IssuesToken() {
					as.Inconclusive("the grant type is known, but the exchange is refused: %s", DescribeResponse(r))
				}
			})

		s.Check("exchange-grant-type-required", suites.Requires("RFC8693-2.1-02"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("missing", func(g Gomega) { notGeneral(as, g, exchange(as, target.Omit("grant_type")), target.Omit("grant_type")) })
				upper := target.Set("grant_type", strings.ToUpper(target.Grant(target.TokenExchange).Type()))
				if works(as, upper) {
					as.Note("the grant type is also taken in upper case; OAuth compares it as a string")
				}
			})

		s.Check("exchange-client-authentication", suites.Requires("RFC8693-2.1-03"), suites.Needs(target.TokenExchange, target.ConfidentialClient),
			suites.Destructive, suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				r := exchange(as, wrongSecret(as))
				notGeneral(as, g, r, target.As(as.ClientFor(target.TokenExchange)), wrongSecret(as))
				if r.ErrorCode() != "invalid_client" {
					as.Note("wrong client credentials are answered %s", DescribeResponse(r))
				}
			})

		s.Check("exchange-parameters-in-body", suites.Requires("RFC8693-2.1-05"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				if r := exchange(as, target.FormBody(), target.ContentType(target.FormMediaType+";charset=UTF-8")); !r.IssuesToken() {
					as.Note("with the parameter charset=UTF-8 the form is refused: %s", DescribeResponse(r))
				}
				usual := as.TokenRequest(target.TokenExchange)
				if usual.Header.Get("Authorization") == "" {
					return
				}
				var names []string
				for _, p := range usual.Params {
					names = append(names, p.Name)
				}
				if works(as, target.MoveToQuery(names...)) {
					as.Note("the parameters are taken from the query of the URL as well, so that tokens end up in logs")
				}
			})

		s.Check("resource-absolute-uri", suites.Requires("RFC8693-2.1-06"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("relative-reference", func(g Gomega) { malformedResource(as, g, "/api") })
				as.Variant("no-uri", func(g Gomega) { malformedResource(as, g, "not a uri") })
			})

		s.Check("resource-no-fragment", suites.Requires("RFC8693-2.1-07"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				resource := "https://rs.example.com/api"
				if configured := resources(as); len(configured) > 0 {
					resource = configured[0].value
				}
				malformedResource(as, g, resource+"#frag")
			})

		s.Check("resource-query", suites.Requires("RFC8693-2.1-08"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				for _, with := range resources(as) {
					plain, _, found := strings.Cut(with.value, "?")
					without := aim{with.parameter, plain}
					if !found || !slices.Contains(resources(as), without) || !works(as, at(without)) {
						continue
					}
					g.Expect(exchange(as, at(with))).NotTo(HaveErrorCode("invalid_request"))
					return
				}
				as.Skip("token_exchange.resource: [https://api.example, \"https://api.example?tenant=1\"]", "no resource works that is configured with a query and without")
			})

		s.Check("target-optional", suites.Requires("RFC8693-2.1-09"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as, at())
				if !r.IssuesToken() && !as.Config().TokenExchange.TargetOptional {
					as.Skip("token_exchange.target_optional: true", "an exchange that names no target is refused, which policy may want")
				}
				g.Expect(r).NotTo(HaveErrorCode("invalid_request"))
				if !r.IssuesToken() {
					as.Inconclusive("an exchange that names no target is refused: %s", DescribeResponse(r))
				}
			})

		s.Check("resource-repeatable", suites.Requires("RFC8693-2.1-10"), suites.Needs(target.TokenExchange),
			severalTargets(resources, resources, "token_exchange.resource: [https://one.example, https://two.example]"))

		s.Check("audience-honoured", suites.Requires("RFC8693-2.1-11"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				if len(audiences(as)) == 0 {
					as.Skip("token_exchange.audience: [NAME]", "no audience is configured")
				}
				name := audiences(as)[0]
				r := exchange(as, at(name))
				g.Expect(r).NotTo(HaveErrorCode("invalid_request"))
				if !r.IssuesToken() {
					as.Inconclusive("an exchange for the audience %s is refused: %s", name.value, DescribeResponse(r))
				}
				aud := audience(seen(as, r.String("access_token")))
				if aud == nil {
					return // nothing to see
				}
				if lost, known := missing(as, aud, name); known {
					g.Expect(lost).To(BeEmpty(), "expected for audience=%s, and missing in the token's audience %q", name.value, aud)
				} else if !slices.Contains(aud, name.value) {
					as.Note("audience=%s gives the token the audience %q", name.value, aud)
				}
			})

		s.Check("audience-repeatable", suites.Requires("RFC8693-2.1-12"), suites.Needs(target.TokenExchange),
			severalTargets(audiences, audiences, "token_exchange.audience: [one, two]"))

		s.Check("audience-with-resource", suites.Requires("RFC8693-2.1-13"), suites.Needs(target.TokenExchange),
			severalTargets(audiences, resources, "token_exchange: {audience: [one], resource: [https://two.example]}"))

		s.Check("exchange-scope", suites.Requires("RFC8693-2.1-15"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				one, two := twoScopes(as)
				for name, scope := range map[string]string{"in-order": one + " " + two, "reversed": two + " " + one} {
					as.Variant(name, func(g Gomega) {
						g.Expect(exchange(as, target.Set("scope", scope))).NotTo(HaveErrorCode("invalid_scope"))
					})
				}
				as.Variant("without-scope", func(g Gomega) {
					if r := exchange(as, target.Omit("scope")); !r.IssuesToken() {
						g.Expect(r).To(HaveErrorCode("invalid_scope"))
					}
				})
			})

		s.Check("requested-token-type-optional", suites.Requires("RFC8693-2.1-16"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as, target.Omit("requested_token_type"), target.AnyStatus())
				answered(as, r)
				if r.IssuesToken() {
					return
				}
				if !works(as, requested(target.AccessTokenType)) {
					as.Inconclusive("the exchange for an access token is refused as well")
				}
				if slices.Contains(TokenErrors(), r.ErrorCode()) || slices.Contains(TokenExtensionErrors(), r.ErrorCode()) {
					as.Note("without requested_token_type: %s", DescribeResponse(r))
					return
				}
				g.Expect(r).To(IssueToken())
			})

		s.Check("requested-token-type-truthful", suites.Requires("RFC8693-2.1-17"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				as.Variant("unknown-type", func(g Gomega) { notPretended(as, g, bogusType) })
				if !as.Has(target.SAML) {
					as.Variant("saml2", func(g Gomega) { notPretended(as, g, saml2Type) })
				}
			})

		s.Check("subject-token-required", suites.Requires("RFC8693-2.1-18"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				series(as, probe{"missing", target.Omit("subject_token")}, probe{"empty", target.Set("subject_token", "")})
			})

		s.Check("subject-token-type-required", suites.Requires("RFC8693-2.1-19"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				series(as, probe{"missing", target.Omit("subject_token_type")}, probe{"empty", target.Set("subject_token_type", "")})
			})

		s.Check("subject-token-type-known", suites.Requires("RFC8693-2.1-20"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				series(as, probe{"unknown-urn", target.Set("subject_token_type", bogusType)},
					probe{"unknown-oauth-urn", target.Set("subject_token_type", typePrefix+"oauthcheck-unknown")})
				usual := as.TokenRequest(target.TokenExchange).Get("subject_token_type")
				if word := strings.TrimPrefix(usual, typePrefix); works(as, target.Set("subject_token_type", word)) {
					as.Note("the bare word %s passes for the URN", word)
				}
			})

		s.Check("actor-token-optional", suites.Requires("RFC8693-2.1-21"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				r := exchange(as, target.NoControl())
				if r.IssuesToken() {
					return
				}
				if !as.Has(target.ClientCredentialsGrant) || !exchange(as, target.NoControl(), actor(as.ActorToken(), target.AccessTokenType)).IssuesToken() {
					as.Inconclusive("the exchange is refused with and without an actor token: %s", DescribeResponse(r))
				}
				if !as.Config().TokenExchange.Impersonation {
					as.Skip("token_exchange.impersonation: true", "the server only exchanges with an actor token, which policy may want")
				}
				g.Expect(r).To(IssueToken())
			})

		s.Check("actor-token-type-required", suites.Requires("RFC8693-2.1-22"), suites.Needs(target.TokenExchange, target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) {
				r := exchange(as, delegation(as), target.Omit("actor_token_type"))
				if r.IssuesToken() && ignoresActors(as) {
					as.Note("the server looks neither at actor_token nor at actor_token_type")
					return
				}
				refused(g, r)
			})

		s.Check("actor-token-type-alone", suites.Requires("RFC8693-2.1-23"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				if works(as, target.Set("actor_token_type", target.AccessTokenType)) {
					as.Note("an actor_token_type without actor_token is ignored in place of refused")
				}
			})
	})
}

// notGeneral judges that the exchange refuses a defect. Where other grants do not refuse it either it is the finding of RFC 6749's checks.
func notGeneral(as *target.AS, g Gomega, r *target.Response, defect ...target.RequestEdit) {
	if r.IssuesToken() && as.Token(defect...).IssuesToken() {
		as.Inconclusive("other grants do not refuse it either, which other checks report")
	}
	refused(g, r)
}

// answered leaves a check inconclusive where no answer came.
func answered(as *target.AS, r *target.Response) {
	if r.Err != nil || r.Status == 429 || r.Status == 503 {
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	}
}

// declared reports whether the operator says that the client may exchange tokens.
func declared(as *target.AS) bool {
	client := as.ClientFor(target.TokenExchange)
	return as.Config().TokenExchange.Client != "" || slices.Contains(client.Grants, target.Grant(target.TokenExchange).Type())
}

// wrongSecret replaces the client's secret by the method that the usual exchange uses.
func wrongSecret(as *target.AS) target.RequestEdit {
	const wrong = "oauthcheck-wrong-secret-0123456789abcdef"
	usual := as.TokenRequest(target.TokenExchange)
	switch {
	case usual.Has("client_secret"):
		return target.Set("client_secret", wrong)
	case strings.HasPrefix(usual.Header.Get("Authorization"), "Basic "):
		return target.BasicCredentials(url.QueryEscape(as.ClientFor(target.TokenExchange).ID), wrong)
	}
	as.Skip("token_exchange: {client: primary}", "the client that exchanges has no client password")
	return nil
}

// malformedResource judges a resource value that is none.
func malformedResource(as *target.AS, g Gomega, value string) {
	r := exchange(as, target.Set("resource", value))
	if r.IssuesToken() {
		aud := audience(seen(as, r.String("access_token")))
		g.Expect(aud).NotTo(ContainElement(value), "the audience of the issued token")
		as.Note("resource=%s is accepted without visible effect", value)
		return
	}
	if !slices.ContainsFunc(resources(as), func(a aim) bool { return works(as, at(a)) }) {
		as.Inconclusive("no resource works here, so that the refusal does not speak of the syntax; token_exchange.resource names some")
	}
	refused(g, r)
}

// severalTargets judges that two targets which work one by one are not refused as a malformed request.
func severalTargets(first, second func(*target.AS) []aim, line string) suites.Body {
	return func(as *target.AS, g Gomega) {
		a, b := two(as, first(as), second(as), line)
		g.Expect(exchange(as, at(a, b))).NotTo(HaveErrorCode("invalid_request"))
	}
}

// twoScopes are scope values that the exchange grants one by one, else the check is skipped.
func twoScopes(as *target.AS) (string, string) {
	candidates := strings.Fields(as.Config().TokenExchange.Scope)
	if len(candidates) < 2 {
		candidates = as.ScopesFor(target.TokenExchange)
	}
	var out []string
	for _, scope := range candidates {
		if scope != "openid" && scope != "offline_access" && works(as, target.Set("scope", scope)) {
			out = append(out, scope)
		}
		if len(out) == 2 {
			return out[0], out[1]
		}
	}
	as.Skip("token_exchange.scope: read write", "there are no two scope values that exchanges grant one by one")
	return "", ""
}

// notPretended judges the answer to a requested_token_type that the server cannot issue.
func notPretended(as *target.AS, g Gomega, tokenType string) {
	r := exchange(as, requested(tokenType), target.AnyStatus())
	answered(as, r)
	failed := func(s target.TokenSample) bool { return s.Response.Status >= 500 }
	if r.Status >= 500 && slices.ContainsFunc(as.TokenErrors(), failed) {
		as.Inconclusive("other bad requests fail the server as well, which other checks report")
	}
	g.Expect(r).NotTo(HaveStatusClass(5))
	switch {
	case !r.Success() && r.ErrorCode() != "invalid_request":
		as.Note("refused with %s; expected invalid_request", DescribeResponse(r))
	case r.Success():
		g.Expect(r).To(HaveStringMember("access_token"))
		g.Expect(r).To(HaveStringMember("token_type"))
		g.Expect(r).NotTo(HaveMember("issued_token_type", tokenType))
		as.Note("in place of %s a token of type %q is issued", tokenType, r.String("issued_token_type"))
	}
}
