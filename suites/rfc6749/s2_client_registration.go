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
	suites.Section("RFC 6749", "2.2", func(s *suites.S) {
		s.Check("client-id-unique", suites.Requires("RFC6749-2.2-01"), suites.Needs(target.Registration),
			func(as *target.AS, g Gomega) {
				register := func(n string) string {
					r := as.Register(map[string]any{
						"client_name": "oauthcheck " + n, "redirect_uris": []string{"https://client-" + n + ".example/cb"},
					})
					if r.String("client_id") == "" {
						as.Inconclusive("the registration was answered %s", DescribeResponse(r))
					}
					return r.String("client_id")
				}
				if first, second := register("one"), register("two"); first == second {
					as.Fail("two different registrations were given one client_id, %q", first)
				}
			})

		s.Check("client-id-alone-is-no-authentication", suites.Requires("RFC6749-2.2-02"),
			suites.Needs(target.AnyTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				for _, grant := range as.Grants() {
					if as.ClientFor(grant).Confidential() {
						as.Variant(string(grant), func(g Gomega) {
							g.Expect(as.TokenBy(grant, target.Auth(target.NoClientAuth))).NotTo(IssueToken())
						})
					}
				}
			})
	})

	suites.Section("RFC 6749", "2.3.1", func(s *suites.S) {
		s.Check("basic-supported", suites.Requires("RFC6749-2.3.1-01"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				methods, listed := as.Metadata().Strings("token_endpoint_auth_methods_supported")
				withoutBasic := listed && slices.Contains(methods, string(target.Post)) && !slices.Contains(methods, string(target.Basic))
				if client.Auth == target.Post && !withoutBasic {
					as.Skip("clients.primary.auth: client_secret_basic", "the client is pinned to client_secret_post")
				}
				encoded := as.Token(target.As(client), formEncodedBasic(client))
				if !encoded.IssuesToken() && formEncoded(client) != raw(client) {
					encoded = as.Token(target.As(client), target.BasicCredentials(client.ID, client.Secret))
				}
				if encoded.Status/100 == 2 && !encoded.IssuesToken() {
					as.Inconclusive("the answer is a success without a token, which the checks of section 5.1 report")
				}
				g.Expect(encoded).To(IssueToken())
				lower := target.Edit(func(r *target.Request) {
					r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Basic ", "basic ", 1))
				})
				if !as.Token(target.As(client), formEncodedBasic(client), lower, target.NoControl()).IssuesToken() && formEncoded(client) == raw(client) {
					as.Note("the name of the scheme is read with regard to case (RFC 9110 section 11.1)")
				}
			})

		s.Check("basic-form-decoded", suites.Requires("RFC6749-2.3.1-02"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := clientWith(as, target.ClientCredentials, func(c *target.Client) bool { return c.Secret != url.QueryEscape(c.Secret) })
				if client == nil {
					noteWhetherDecoded(as)
					as.Skip("clients.others: {odd: {id: …, secret: \"a secret with % + : or a blank\"}}",
						"no configured client has a secret that form-encoding changes")
				}
				takesEncodedBasic(as, g, client)
			})

		s.Check("basic-client-id-with-colon", suites.Requires("RFC6749-2.3.1-03"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := clientWith(as, target.ClientCredentials, func(c *target.Client) bool { return strings.Contains(c.ID, ":") })
				if client == nil {
					as.Skip("clients.others: {colon: {id: \"https://client.example/\", secret: …}}", "no configured client has a colon in its identifier")
				}
				takesEncodedBasic(as, g, client)
			})

		s.Check("declared-body-credentials-work", suites.Requires("RFC6749-2.3.1-04"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				methods, _ := as.Metadata().Strings("token_endpoint_auth_methods_supported")
				if !slices.Contains(methods, string(target.Post)) && client.Auth != target.Post {
					as.Skip("clients.primary.auth: client_secret_post", "client_secret_post is not declared")
				}
				if client.Auth != "" && client.Auth != target.Post {
					as.Skip("clients.primary.auth: client_secret_post", "the client is pinned to %s", client.Auth)
				}
				g.Expect(as.Token(target.As(client), target.Auth(target.Post))).To(IssueToken())
			})

		s.Check("empty-secret-refused", suites.Requires("RFC6749-2.3.1-05"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				as.Variant("body-empty", func(g Gomega) {
					if !as.Token(target.As(client), target.Auth(target.Post), target.NoControl()).IssuesToken() {
						as.Skip("", "the server takes no credentials in the body from this client")
					}
					g.Expect(as.Token(target.As(client), target.Auth(target.Post), target.Set("client_secret", ""))).NotTo(IssueToken())
				})
				as.Variant("body-absent", func(g Gomega) {
					g.Expect(as.Token(target.As(client), target.Auth(target.Post), target.Omit("client_secret"))).NotTo(IssueToken())
				})
				as.Variant("basic-empty", func(g Gomega) {
					g.Expect(as.Token(target.As(client), target.BasicCredentials(client.ID, ""))).NotTo(IssueToken())
				})
			})

		s.Check("empty-secret-omitted", suites.Requires("RFC6749-2.3.1-06"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				client := clientWithEmptySecret(as)
				if client == nil {
					as.Skip("clients.others: {empty: {id: …, empty_secret: true, auth: client_secret_post}}", "no configured client has an empty password")
				}
				if !as.Token(target.As(client), target.NoControl()).IssuesToken() {
					as.Skip("", "the server gives no tokens to a client with an empty password")
				}
				if !as.Token(target.As(client), target.Omit("client_secret"), target.NoControl()).IssuesToken() {
					as.Note("an empty client_secret is taken, but not its omission")
				}
			})

		s.Check("credentials-not-in-request-uri", suites.Requires("RFC6749-2.3.1-07"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				g.Expect(as.Token(target.As(client), target.Auth(target.Post), target.MoveToQuery("client_id", "client_secret"))).NotTo(IssueToken())
			})
	})
}

// secretClient is the first configured client with a password.
func secretClient(as *target.AS) *target.Client {
	client := clientWith(as, cheapest(as), func(*target.Client) bool { return true })
	if client == nil {
		as.Skip("clients.primary: {id: …, secret: …}", "no configured client has a client password")
	}
	return client
}

// clientWith is the first configured client with a password that suits and may use the grant that it is tried with; nil if there is none.
func clientWith(as *target.AS, grant target.Grant, suits func(*target.Client) bool) *target.Client {
	for _, client := range as.Config().Clients.All() {
		method := client.AuthOrDefault()
		if client.Secret != "" && (method == target.Basic || method == target.Post) && suits(client) && client.MayUse(grant.Type()) {
			return client
		}
	}
	return nil
}

// clientWithEmptySecret is the first configured client that sends an empty password in the body; nil if there is none.
func clientWithEmptySecret(as *target.AS) *target.Client {
	for _, client := range as.Config().Clients.All() {
		if client.EmptySecret && client.Auth == target.Post {
			return client
		}
	}
	return nil
}

func raw(c *target.Client) string { return c.ID + ":" + c.Secret }
func formEncoded(c *target.Client) string {
	return url.QueryEscape(c.ID) + ":" + url.QueryEscape(c.Secret)
}

// formEncodedBasic sends the credentials as section 2.3.1 says: each form-encoded before they are joined.
func formEncodedBasic(c *target.Client) target.RequestEdit {
	return target.BasicCredentials(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
}

// takesEncodedBasic judges that a client whose credentials form-encoding changes can use Basic. That the raw spelling works in its place, or that the
// body works for this client and Basic for others, proves that the encoding is to blame.
func takesEncodedBasic(as *target.AS, g Gomega, client *target.Client) {
	encoded := as.TokenBy(target.ClientCredentials, target.As(client), formEncodedBasic(client), target.NoControl())
	if encoded.IssuesToken() {
		return
	}
	if as.TokenBy(target.ClientCredentials, target.As(client), target.BasicCredentials(client.ID, client.Secret), target.NoControl()).IssuesToken() {
		as.Note("the server compares the credentials as they stand")
		g.Expect(encoded).To(IssueToken())
	}
	if client.Auth == target.Post {
		as.Inconclusive("the client is pinned to client_secret_post, so that a refusal of Basic proves nothing")
	}
	if !as.TokenBy(target.ClientCredentials, target.As(client), target.Auth(target.Post), target.NoControl()).IssuesToken() {
		as.Inconclusive("the client gets no token by client_secret_post either")
	}
	basicWorks(as)
	g.Expect(encoded).To(IssueToken())
}

// basicWorks is the control that the server takes Basic at all, from a client whose values form-encoding leaves alone.
func basicWorks(as *target.AS) {
	plain := clientWith(as, cheapest(as), func(c *target.Client) bool { return formEncoded(c) == raw(c) })
	if plain == nil || !as.Token(target.As(plain), formEncodedBasic(plain), target.NoControl()).IssuesToken() {
		as.Inconclusive("the server does not take Basic from a client whose credentials need no encoding")
	}
}

// noteWhetherDecoded is the weaker probe that works for any secret: one character written as %XX, which no encoder does.
func noteWhetherDecoded(as *target.AS) {
	client := secretClient(as)
	if !as.Token(target.As(client), formEncodedBasic(client), target.NoControl()).IssuesToken() {
		return // nor is Basic without it taken
	}
	hex := func(s string) string { return "%" + strings.ToUpper(hexByte(s[0])) + s[1:] }
	if !as.Token(target.As(client), target.BasicCredentials(url.QueryEscape(client.ID), hex(client.Secret)), target.NoControl()).IssuesToken() {
		as.Note("a secret with a letter written as %%XX inside the Basic credentials is refused: the server seems not to form-decode them")
	}
}

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}
