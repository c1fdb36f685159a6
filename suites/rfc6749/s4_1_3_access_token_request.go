package rfc6749

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.1.3", func(s *suites.S) {
		s.Check("form-charset-parameter", suites.Requires("RFC6749-4.1.3-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.AuthorizationCode, target.FormBody(), target.ContentType("application/x-www-form-urlencoded;charset=UTF-8"))).To(IssueToken())
			})

		s.Check("grant-type-required", suites.Requires("RFC6749-4.1.3-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.AuthorizationCode, target.Omit("grant_type"))).NotTo(IssueToken())
			})

		s.Check("code-required", suites.Requires("RFC6749-4.1.3-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.AuthorizationCode, target.Omit("code"))).NotTo(IssueToken())
			})

		s.Check("code-exchange-authentication-required", suites.Requires("RFC6749-4.1.3-04"),
			suites.Needs(target.AuthorizationCode, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				withoutAuthentication(as, g, target.AuthorizationCode)
			})

		s.Check("code-exchange-wrong-secret", suites.Requires("RFC6749-4.1.3-05"),
			suites.Needs(target.AuthorizationCode, target.ConfidentialClient), suites.Disturbs(suites.Client),
			onWrongSecrets(target.AuthorizationCode))

		s.Check("code-bound-to-client", suites.Requires("RFC6749-4.1.3-06"),
			suites.Needs(target.AuthorizationCode, target.ConfidentialClient, target.SecondClient), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				owner, other := twoClients(as, (*target.Client).Confidential)
				as.TokensBy(target.AuthorizationCode, target.As(other)) // control: it redeems a code of its own
				as.Variant("redeemed-by-another", func(g Gomega) {
					g.Expect(as.Redeem(as.Code(target.As(owner)), target.As(other))).NotTo(IssueToken())
				})
				// The credentials are the other client's, the identifier in the body is the owner's.
				as.Variant("named-beside-credentials-of-another", func(g Gomega) {
					if other.AuthOrDefault() != target.Basic {
						as.Skip("", "clients.%s does not authenticate by Basic, so that it cannot name another client beside its credentials", other.Name)
					}
					g.Expect(as.Redeem(as.Code(target.As(owner)), target.As(other), target.Set("client_id", owner.ID))).NotTo(IssueToken())
				})
			})

		s.Check("public-code-bound-to-client-id", suites.Requires("RFC6749-4.1.3-07"),
			suites.Needs(target.AuthorizationCode, target.PublicClient), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				public := as.Public()
				isOther := func(c *target.Client) bool {
					return c.ID != public.ID && redirects(c) && c.MayUse("authorization_code")
				}
				all := as.Config().Clients.All()
				i := slices.IndexFunc(all, func(c *target.Client) bool { return isOther(c) && c.Confidential() })
				j := slices.IndexFunc(all, func(c *target.Client) bool { return isOther(c) && !c.Confidential() })
				if i < 0 && j < 0 {
					as.Skip("clients: {primary: {id: …, secret: …}}", "there is no other client beside the public one")
				}
				if i >= 0 {
					as.Variant("redeemed-by-the-other", func(g Gomega) { boundTo(as, g, public, all[i]) })
					as.Variant("redeemed-by-the-public", func(g Gomega) { boundTo(as, g, all[i], public) })
				}
				if j >= 0 {
					as.Variant("redeemed-by-another-public", func(g Gomega) { boundTo(as, g, public, all[j]) })
				}
			})

		s.Check("invalid-code-refused", suites.Requires("RFC6749-4.1.3-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				as.Variant("random", func(g Gomega) {
					code := as.Code()
					g.Expect(as.Redeem(code, target.Set("code", sameShape(as, code.Value)))).NotTo(IssueToken())
				})
				as.Variant("one-character-changed", func(g Gomega) {
					code := as.Code()
					g.Expect(as.Redeem(code, target.Set("code", target.ChangeMiddle(code.Value)))).NotTo(IssueToken())
				})
				as.Variant("cut-in-half", func(g Gomega) {
					code := as.Code()
					g.Expect(as.Redeem(code, target.Set("code", code.Value[:len(code.Value)/2]))).NotTo(IssueToken())
				})
			})

		s.Check("redirect-uri-required-at-token-endpoint", suites.Requires("RFC6749-4.1.3-09"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.AuthorizationCode, target.Omit("redirect_uri"))).NotTo(IssueToken())
			})

		s.Check("redirect-uri-compared-at-token-endpoint", suites.Requires("RFC6749-4.1.3-10"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, probe := range otherRedirectURIs(as) {
					as.Variant(probe.name, func(g Gomega) {
						g.Expect(as.TokenBy(target.AuthorizationCode, target.Set("redirect_uri", probe.uri))).NotTo(IssueToken())
					})
				}
			})

		s.Check("redirect-uri-not-demanded-needlessly", suites.Requires("RFC6749-4.1.3-11"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := clientWithOneRedirectURI(as)
				if client == nil {
					as.Skip("clients: {second: {redirect_uris: [one URI]}}", "no configured client has exactly one redirection URI")
				}
				// The control comes first: it might end the grant behind an outstanding code.
				control := as.Redeem(as.Code(target.As(client)))
				a := as.Authorize(target.As(client), target.Omit("redirect_uri"))
				if a.Code() == "" {
					as.Skip("", "the server demands redirect_uri in the authorization request, which it may")
				}
				if !control.IssuesToken() {
					as.Inconclusive("a code of such a request with redirect_uri is not redeemed either: %s", DescribeResponse(control))
				}
				r := as.Redeem(as.CodeOf(a), target.Omit("redirect_uri"))
				if r.Status/100 == 2 && !r.IssuesToken() {
					as.Inconclusive("the answer is a success without a token, which the checks of section 5.1 report")
				}
				g.Expect(r).To(IssueToken())
			})

		s.Check("grant-parameters-in-body", suites.Requires("RFC6749-4.1.3-13"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if as.TokenBy(target.AuthorizationCode, target.RawForm("")).IssuesToken() {
					as.Inconclusive("an empty request gets a token too, which another check reports")
				}
				// Where the credentials may stand is another requirement: they stay where they were.
				moved := target.MoveToQuery("grant_type", "code", "redirect_uri", "code_verifier")
				g.Expect(as.TokenBy(target.AuthorizationCode, moved)).NotTo(IssueToken())
			})
	})

	suites.Section("RFC 6749", "4.1.4", func(s *suites.S) {
		s.Check("code-exchange-response", suites.Requires("RFC6749-4.1.4-01"), suites.Needs(target.AuthorizationCode),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) { responseShape(as, g, target.AuthorizationCode) })
	})
}

// otherRedirectURIs are values of redirect_uri for the token request that are not the one of the authorization request.
func otherRedirectURIs(as *target.AS) []namedURI {
	uris := as.ClientFor(target.AuthorizationCode).RedirectURIs
	used := uris[0]
	out := []namedURI{
		{"trailing-slash", used + "/"}, {"path-added", used + "/oauthcheck"}, {"query-added", withQuery(used, "oauthcheck=1")}, {"foreign", foreignURI},
	}
	if u, err := url.Parse(used); err == nil && u.Host != "" && net.ParseIP(u.Hostname()) == nil {
		rest := strings.TrimPrefix(used, u.Scheme+"://"+u.Host)
		out = append(out, namedURI{"subdomain", u.Scheme + "://oauthcheck." + u.Host + rest},
			namedURI{"host-suffix", u.Scheme + "://" + u.Hostname() + "." + attackerHost + rest})
	}
	if len(uris) > 1 {
		out = append(out, namedURI{"other-registered", uris[1]})
	}
	if foreign := uriOfAnotherClient(as); foreign != "" {
		out = append(out, namedURI{"uri-of-another-client", foreign})
	}
	return out
}

// onWrongSecrets judges that a grant is refused to a client that authenticates with a wrong secret.
func onWrongSecrets(grant target.Grant) suites.Body {
	return func(as *target.AS, g Gomega) {
		client := confidentialFor(as, grant)
		if client.Secret == "" {
			as.Skip("clients.primary: {id: …, secret: …}", "the client that uses this grant has no client password")
		}
		basic := func(secret string) target.RequestEdit {
			return target.BasicCredentials(url.QueryEscape(client.ID), url.QueryEscape(secret))
		}
		body := func(secret string) target.RequestEdit {
			return target.Edit(func(r *target.Request) { r.Apply(target.Auth(target.Post), target.Set("client_secret", secret)) })
		}
		probe := func(name string, method func(string) target.RequestEdit, secret string) {
			as.Variant(name, func(g Gomega) {
				if !as.TokenBy(grant, target.As(client), method(client.Secret), target.NoControl()).IssuesToken() {
					as.Skip("", "the right secret is refused as well when it is sent this way")
				}
				g.Expect(as.TokenBy(grant, target.As(client), method(secret))).NotTo(IssueToken())
			})
		}
		probe("basic", basic, wrongSecret)
		probe("basic-empty-password", basic, "")
		probe("body", body, wrongSecret)
		if grant != cheapest(as) || len(client.Secret) < 2 {
			return // how the secret is compared need not be found out for every grant
		}
		probe("beginning-of-the-secret", basic, client.Secret[:len(client.Secret)-1])
		probe("more-than-the-secret", basic, client.Secret+"x")
		without := func(credentials func() target.RequestEdit) func(string) target.RequestEdit {
			return func(secret string) target.RequestEdit {
				if secret == client.Secret {
					return basic(secret) // the control
				}
				return target.Edit(func(r *target.Request) { r.Apply(credentials(), target.Omit("client_id", "client_secret")) })
			}
		}
		probe("basic-without-identifier", without(func() target.RequestEdit {
			return target.BasicCredentials("", url.QueryEscape(client.Secret))
		}), "")
		probe("basic-empty", without(func() target.RequestEdit { return target.BasicCredentials("", "") }), "")
		if other := otherCase(client.Secret); other != client.Secret {
			probe("secret-in-other-case", basic, other)
		}
	}
}

// otherCase changes the case of every letter of ASCII.
func otherCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// boundTo judges that a code is redeemed by the client that it was issued to and by no other. Both redeem codes of their own.
func boundTo(as *target.AS, g Gomega, owner, other *target.Client) {
	as.TokensBy(target.AuthorizationCode, target.As(owner))
	as.TokensBy(target.AuthorizationCode, target.As(other))
	g.Expect(as.Redeem(as.Code(target.As(owner)), target.As(other))).NotTo(IssueToken())
}

// responseShape judges that a grant is answered with a token response and, after a failed client authentication, with an
// error response. Sections 5.1 and 5.2 judge the members in detail; what all grants share is their finding.
func responseShape(as *target.AS, g Gomega, grant target.Grant) {
	as.Variant("success", func(g Gomega) { successShape(as, g, grant) })
	as.Variant("failure", func(g Gomega) {
		client := confidentialFor(as, grant)
		failureShape(as, g, "wrong-secret", as.TokenBy(grant, target.As(client), target.BasicCredentials(client.ID, wrongSecret)))
	})
}

// successShape judges the answer to a good request of a grant, where the other grants are answered well.
func successShape(as *target.AS, g Gomega, grant target.Grant) {
	r := as.TokenBy(grant)
	if r.Status/100 != 2 {
		as.Inconclusive("the request was not granted: %s", DescribeResponse(r))
	}
	shape := HaveTopLevelMembers("access_token", "token_type")
	for _, other := range as.TokenResponses() {
		if ok, _ := shape.Match(other.Response); !ok && other.Name != string(grant) {
			as.Inconclusive("the responses of other grants are not of this shape either, which the checks of section 5.1 report")
		}
	}
	g.Expect(r).To(shape)
}

// failureShape judges the answer to a bad request, where other bad requests are answered well.
func failureShape(as *target.AS, g Gomega, sample string, r *target.Response) {
	if r.IssuesToken() {
		as.Inconclusive("the request was not refused, which another check reports")
	}
	shape := HaveTopLevelMembers("error")
	for _, other := range as.TokenErrors() {
		if ok, _ := shape.Match(other.Response); !ok && other.Name != sample {
			as.Inconclusive("other errors are not of this shape either, which the checks of section 5.2 report")
		}
	}
	g.Expect(r).To(shape)
}
