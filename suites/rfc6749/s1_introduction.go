package rfc6749

import (
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "1.5", func(s *suites.S) {
		s.Check("refresh-token-not-for-resources", suites.Requires("RFC6749-1.5-01"),
			suites.Needs(target.RefreshTokenGrant, target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				tokens := as.Refreshable()
				if tokens.RefreshToken == tokens.AccessToken {
					as.Note("access token and refresh token are one and the same string")
					return
				}
				resourceControls(as, tokens.AccessToken)
				shut(as, g, as.Resource(tokens.RefreshToken))
			})
	})

	suites.Section("RFC 6749", "1.6", func(s *suites.S) {
		s.Check("old-tls-refused", suites.Requires("RFC6749-1.6-02"), suites.Needs(target.TLS),
			func(as *target.AS, g Gomega) {
				for _, endpoint := range []target.Endpoint{target.AuthorizationEndpoint, target.TokenEndpoint} {
					for _, old := range []struct {
						name    string
						version uint16
					}{{"tls-1.0", target.TLS10}, {"tls-1.1", target.TLS11}} {
						as.Variant(string(endpoint)+"-"+old.name, func(g Gomega) {
							if err := as.Handshake(endpoint, target.TLS12, target.TLS13); err != nil {
								as.Inconclusive("no handshake with TLS 1.2 or 1.3 either: %v", err)
							}
							if as.Handshake(endpoint, old.version, old.version) == nil {
								as.Fail("the handshake completes with %s; a TLS terminator in front of the server may be the cause", old.name)
							}
						})
					}
				}
			})
	})

	suites.Section("RFC 6749", "1.7", func(s *suites.S) {
		s.Check("response-reaches-client", suites.Requires("RFC6749-1.7-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize()
				if a.Location == "" {
					if a.Page == nil || a.Page.Status/100 != 2 || a.Page.Status >= 400 || strings.Contains(strings.ToLower(string(a.Page.Body)), "<script") {
						as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
					}
					as.Fail("the interaction ended on a page without any way to the redirection URI: %s", DescribeAuthorization(a))
				}
				if s := a.Final.Status; s == 307 || s == 308 {
					as.Note("the browser is sent on with status %d; RFC 9700 section 4.12 forbids it after a request with credentials", s)
				}
			})
	})

	suites.Section("RFC 6749", "1.9", func(s *suites.S) {
		s.Check("parameter-names-case-sensitive", suites.Requires("RFC6749-1.9-01"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				if as.Token(target.Omit("grant_type")).IssuesToken() {
					as.Inconclusive("the request succeeds without grant_type too, which another check reports")
				}
				g.Expect(as.Token(target.Rename("grant_type", "Grant_Type"))).NotTo(IssueToken())
			})

		s.Check("grant-type-case-sensitive", suites.Requires("RFC6749-1.9-02"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				grantType := strings.ToUpper(cheapest(as).Type())
				g.Expect(as.Token(target.Set("grant_type", grantType))).NotTo(IssueToken())
			})

		s.Check("response-type-case-sensitive", suites.Requires("RFC6749-1.9-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Authorize(target.Set("response_type", "CODE"))).NotTo(DeliverCode())
			})

		s.Check("authorization-parameter-names-case-sensitive", suites.Requires("RFC6749-1.9-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if as.Authorize(target.Omit("response_type")).Code() != "" {
					as.Inconclusive("the request succeeds without response_type too, which another check reports")
				}
				g.Expect(as.Authorize(target.Rename("response_type", "Response_Type"))).NotTo(DeliverCode())
			})
	})
}

// resourceControls makes sure that the protected resource answers to an access token and to nothing else.
func resourceControls(as *target.AS, accessToken string) {
	if r := as.Resource(accessToken); r.Status/100 != 2 {
		as.Inconclusive("the resource answers %d to the access token", r.Status)
	}
	if r := as.Resource(""); r.Status/100 == 2 {
		as.Inconclusive("the resource answers without any token")
	}
	if r := as.Resource(as.Random(40)); r.Status/100 == 2 {
		as.Inconclusive("the resource answers to a made-up token, which another check reports")
	}
}
