package rfc6749

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "A.1", func(s *suites.S) {
		s.Check("client-id-characters", suites.Requires("RFC6749-A.1-01"), suites.Needs(target.Registration),
			func(as *target.AS, g Gomega) { printable(g, registered(as).String("client_id")) })
	})
	suites.Section("RFC 6749", "A.2", func(s *suites.S) {
		s.Check("client-secret-characters", suites.Requires("RFC6749-A.2-01"), suites.Needs(target.Registration),
			func(as *target.AS, g Gomega) {
				secret := registered(as).String("client_secret")
				if secret == "" {
					as.Skip("", "the registration gave no client_secret")
				}
				printable(g, secret)
			})
	})

	suites.Section("RFC 6749", "A.3", func(s *suites.S) {
		s.Check("malformed-response-type", suites.Requires("RFC6749-A.3-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, probe := range []struct{ name, value string }{{"trailing-blank", "code "}, {"leading-blank", " code"}, {"two-blanks", "code  code"}} {
					as.Variant(probe.name, func(g Gomega) {
						if as.Authorize(target.Set("response_type", probe.value)).Code() != "" {
							as.Note("response_type %q is taken for code", probe.value)
						}
					})
				}
				as.Variant("semicolon", func(g Gomega) {
					g.Expect(as.Authorize(target.Set("response_type", "code;token"))).NotTo(DeliverCodeOrToken())
				})
			})
	})

	suites.Section("RFC 6749", "A.4", func(s *suites.S) {
		s.Check("scope-syntax", suites.Requires("RFC6749-A.4-01"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				scope, present := r.Member("scope").(string)
				if !present {
					as.Inconclusive("the response has no scope to judge")
				}
				if scope == "" {
					as.Note("scope is an empty string")
					return
				}
				g.Expect(scope).To(MatchCharset(ScopeList))
				if parts := strings.Split(scope, ","); len(parts) > 1 {
					for _, part := range parts {
						if !slices.Contains(as.Scopes(), strings.TrimSpace(part)) {
							return // a comma may be part of a scope value
						}
					}
					as.Fail("scope %q separates the values by commas; expected single blanks", scope)
				}
			}))

		s.Check("malformed-scope-not-granted", suites.Requires("RFC6749-A.4-02"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, probe := range []struct{ name, value string }{
					{"quotation-mark", `oauthcheck"x`}, {"backslash", `oauthcheck\x`}, {"tab", "oauthcheck\tx"}, {"non-ascii", "oauthcheck\u00e4"},
				} {
					as.Variant(probe.name, func(g Gomega) {
						r := scoped(as, probe.value)
						if !r.IssuesToken() {
							return
						}
						granted := grantedScope(as, r)
						if granted == "" {
							as.Note("a token was issued, and nothing shows its scope")
						} else if strings.Contains(granted, probe.value) {
							as.Fail("the malformed scope value was granted: scope %q", granted)
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "A.6", func(s *suites.S) {
		s.Check("malformed-redirect-uri", suites.Requires("RFC6749-A.6-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, uri := range []string{"http://[bad", "%%%"} {
					as.Variant(uri, func(g Gomega) {
						a := as.Authorize(target.RedirectURI(uri))
						g.Expect(a).To(NotLeaveFor(uri))
						if leaves(a) {
							as.Note("the browser is sent to a registered URI instead: %s", DescribeAuthorization(a))
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "A.8", func(s *suites.S) {
		s.Check("error-description-not-empty", suites.Requires("RFC6749-A.8-01"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenErrors() {
					if description, ok := sample.Response.Member("error_description").(string); ok {
						as.Variant(sample.Name, func(g Gomega) { g.Expect(description).NotTo(BeEmpty(), "error_description") })
					}
				}
				if as.Has(target.AuthorizationCode) {
					for _, sample := range as.ErrorRedirects() {
						if a := sample.Authorization; a.Params().Has("error_description") {
							as.Variant(sample.Name, func(g Gomega) { g.Expect(a.Param("error_description")).NotTo(BeEmpty(), "error_description") })
						}
					}
				}
				if as.Has(target.ImplicitGrant) {
					for _, sample := range as.ImplicitErrors() {
						if a := sample.Authorization; a.Params().Has("error_description") {
							as.Variant("implicit-"+sample.Name, func(g Gomega) { g.Expect(a.Param("error_description")).NotTo(BeEmpty(), "error_description") })
						}
					}
				}
			})
	})

	suites.Section("RFC 6749", "A.10", func(s *suites.S) {
		s.Check("malformed-grant-type", suites.Requires("RFC6749-A.10-01"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("blank-inside", func(g Gomega) {
					g.Expect(as.Token(target.Set("grant_type", cheapest(as).Type()[:4]+" "+cheapest(as).Type()[4:]))).NotTo(IssueToken())
				})
				as.Variant("trailing-blank", func(g Gomega) {
					g.Expect(as.Token(target.Set("grant_type", cheapest(as).Type()+" "))).NotTo(IssueToken())
				})
			})
	})

	suites.Section("RFC 6749", "A.11", func(s *suites.S) {
		s.Check("code-characters", suites.Requires("RFC6749-A.11-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) { g.Expect(as.Code().Value).To(MatchCharset(VSCHAR)) })
	})

	suites.Section("RFC 6749", "A.12", func(s *suites.S) {
		s.Check("access-token-characters", suites.Requires("RFC6749-A.12-01"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				requireString(as, r, "access_token")
				g.Expect(r.String("access_token")).To(MatchCharset(VSCHAR))
			}))
	})

	suites.Section("RFC 6749", "A.14", func(s *suites.S) {
		s.Check("expires-in-integer", suites.Requires("RFC6749-A.14-01"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenResponses() {
					as.Variant(sample.Name, func(g Gomega) {
						value, _ := rawMember(sample.Response, "expires_in")
						number, ok := value.(interface{ String() string })
						if !ok {
							as.Inconclusive("expires_in is absent or no number, which other checks report")
						}
						g.Expect(number.String()).NotTo(HavePrefix("-"))
						g.Expect(sample.Response).To(HaveMember("expires_in", BeNonNegativeInteger()))
					})
				}
				if as.Has(target.ImplicitGrant) {
					as.Variant("fragment", func(g Gomega) {
						a := as.Implicit()
						if !a.Params().Has("expires_in") {
							as.Inconclusive("the fragment has no expires_in")
						}
						g.Expect(a.Param("expires_in")).To(MatchRegexp(`^[0-9]+$`))
					})
				}
			})
	})

	suites.Section("RFC 6749", "A.15", func(s *suites.S) {
		s.Check("non-ascii-username", suites.Requires("RFC6749-A.15-01"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) {
				if isASCII(as.User().Username) {
					as.Skip("user: {username: j\u00f6rg, password: …}", "the configured user name is plain ASCII")
				}
				g.Expect(as.TokenBy(target.Password, target.NoControl())).To(IssueToken())
			})
	})
	suites.Section("RFC 6749", "A.16", func(s *suites.S) {
		s.Check("non-ascii-password", suites.Requires("RFC6749-A.16-01"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) {
				if isASCII(as.User().Password) || !strings.ContainsAny(as.User().Password, " %&+") {
					as.Skip("user: {password: \"a %&+\u00a3\u20ac\"}", "the configured password holds no such characters")
				}
				g.Expect(as.TokenBy(target.Password, target.NoControl())).To(IssueToken())
			})
	})

	suites.Section("RFC 6749", "A.17", func(s *suites.S) {
		s.Check("refresh-token-characters", suites.Requires("RFC6749-A.17-01"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) { g.Expect(as.Refreshable().RefreshToken).To(MatchCharset(VSCHAR)) })
	})

	suites.Section("RFC 6749", "B", func(s *suites.S) {
		s.Check("redirect-form-encoded", suites.Requires("RFC6749-B-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.Set("state", "oauthcheck %25&+=#/?;x"))
				if a.Code() == "" {
					as.Note("this state is refused: %s", DescribeAuthorization(a))
					return
				}
				if !a.Params().Has("state") {
					as.Inconclusive("no state comes back, which another check reports")
				}
				g.Expect(a).To(KeepState())
				g.Expect(a.Location).To(MatchRegexp(`^[\x21-\x7e]*$`), "octets outside of ASCII in Location")
			})

		s.Check("form-decoding", suites.Requires("RFC6749-B-02"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("letter-escaped", func(g Gomega) {
					grantType := cheapest(as).Type()
					if !as.Token(target.FormBody()).IssuesToken() { // of a target that is spoken to in JSON
						as.Skip("", "forms are refused, which another check reports")
					}
					g.Expect(as.Token(target.FormBody(), target.SetRaw("grant_type", "%"+hexByte(grantType[0])+url.QueryEscape(grantType[1:])))).To(IssueToken())
				})
				for _, probe := range []struct{ name, blank string }{{"blank-as-plus", "+"}, {"blank-as-percent", "%20"}} {
					as.Variant(probe.name, func(g Gomega) {
						if cheapest(as) == target.AuthorizationCode {
							as.Skip("", "no working grant takes scope at the token endpoint")
						}
						a, b := twoScopes(as)
						if !as.Token(target.FormBody(), target.Set("scope", a+" "+b), target.NoControl()).IssuesToken() {
							as.Inconclusive("the two scope values together are refused")
						}
						g.Expect(as.Token(target.FormBody(), target.SetRaw("scope", url.QueryEscape(a)+probe.blank+url.QueryEscape(b)))).To(IssueToken())
					})
				}
			})

		s.Check("form-charset-utf8", suites.Requires("RFC6749-B-03"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) {
				if !strings.Contains(as.User().Password, "\u00a3") || !strings.Contains(as.User().Password, "\u20ac") {
					as.Skip("user: {password: \" %&+\u00a3\u20ac\"}", "the configured password holds no pound and euro signs")
				}
				g.Expect(as.TokenBy(target.Password, target.FormBody(), target.SetRaw("password", url.QueryEscape(as.User().Password)), target.NoControl())).To(IssueToken())
			})
	})
}

// registered is the answer to a plain client registration.
func registered(as *target.AS) *target.Response {
	r := as.Register(map[string]any{"client_name": "oauthcheck", "redirect_uris": []string{"https://client.example/cb"}})
	if r.String("client_id") == "" {
		as.Inconclusive("the registration was answered %s", DescribeResponse(r))
	}
	return r
}

// printable judges the grammar *VSCHAR, which the empty string satisfies.
func printable(g Gomega, value string) { g.Expect(value).To(MatchRegexp(`^[\x20-\x7e]*$`)) }

// isASCII reports whether every character is one of ASCII.
func isASCII(s string) bool { return utf8.RuneCountInString(s) == len(s) }
