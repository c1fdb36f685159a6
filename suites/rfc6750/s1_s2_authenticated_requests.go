package rfc6750

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6750", "1.1", func(s *suites.S) {
		s.Check("parameter-name-case-sensitive", suites.Requires("RFC6750-1.1-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				closed(as)
				if as.Opens(byForm(as, token)) {
					shut(as, g, byForm(as, token, target.Rename("access_token", "Access_Token")))
					return
				}
				needsQuery(as, token)
				shut(as, g, as.Resource("", target.QueryParam("Access_Token", token)))
			})
	})

	suites.Section("RFC 6750", "2.1", func(s *suites.S) {
		s.Check("authorization-header-supported", suites.Requires("RFC6750-2.1-01"), suites.Needs(target.ProtectedResource, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := anyToken(as)
				r := as.Resource(token)
				if !as.Opens(r) && !as.Opens(byForm(as, token)) && !as.Opens(byQuery(as, token)) {
					as.Inconclusive("the resource takes the token by no method; token and resource may not belong together")
				}
				g.Expect(r).To(HaveStatusClass(2))
			})

		s.Check("scheme-case-insensitive", suites.Requires("RFC6750-2.1-02"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				for _, scheme := range []string{"bearer", "BEARER"} {
					as.Variant(scheme, func(g Gomega) {
						g.Expect(as.Resource("", target.Header("Authorization", scheme+" "+token))).To(HaveStatusClass(2))
					})
				}
			})

		s.Check("two-spaces-after-scheme", suites.Requires("RFC6750-2.1-03"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				if r := as.Resource("", target.Header("Authorization", "Bearer  "+accessToken(as))); !as.Opens(r) {
					as.Note("two spaces between scheme and token are refused with status %d", r.Status)
				}
			})

		s.Check("token-is-b64token", suites.Requires("RFC6750-2.1-04"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenResponses() {
					as.Variant(sample.Name, func(g Gomega) {
						if !strings.EqualFold(sample.Response.String("token_type"), "Bearer") {
							as.Skip("", "the token is not announced as a bearer token")
						}
						token := sample.Response.String("access_token")
						if token == "" {
							as.Inconclusive("no access_token, which another check reports")
						}
						g.Expect(token).To(MatchRegexp(`^[A-Za-z0-9._~+/-]+=*$`))
					})
				}
			})

		s.Check("malformed-header-refused", suites.Requires("RFC6750-2.1-05"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				closed(as)
				for _, probe := range []struct{ name, header string }{
					{"scheme-alone", "Bearer"}, {"quoted", `Bearer "` + token + `"`}, {"two-tokens", "Bearer " + token + "," + token},
					{"equals-sign", "Bearertoken=" + token}, {"token-alone", token},
				} {
					as.Variant(probe.name, func(g Gomega) {
						shut(as, g, as.Resource("", target.Header("Authorization", probe.header)))
					})
				}
			})
	})

	suites.Section("RFC 6750", "2.2", func(s *suites.S) {
		s.Check("declared-form-token-accepted", suites.Requires("RFC6750-2.2-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				if !declares(as, "body") {
					as.Skip("resource: {bearer_methods: [header, body]}", "nothing declares that tokens are taken as form parameter")
				}
				g.Expect(byForm(as, accessToken(as), target.Add("p", "q"))).To(HaveStatusClass(2))
			})

		s.Check("form-token-media-type", suites.Requires("RFC6750-2.2-02"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				needsForm(as, token)
				if as.Opens(byForm(as, token, target.ContentType("text/plain"))) {
					as.Note("a token in a body of type text/plain is taken as well")
				}
				if as.Opens(byForm(as, token, target.JSONBody())) {
					as.Note("a token in a body of type application/json is taken as well")
				}
				const part = "--oauthcheck\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n"
				if as.Opens(byForm(as, token, target.ContentType("multipart/form-data; boundary=oauthcheck"),
					target.RawForm(part+token+"\r\n--oauthcheck--\r\n"))) {
					as.Note("a token in a body of type multipart/form-data is taken as well")
				}
			})

		s.Check("form-token-with-get", suites.Requires("RFC6750-2.2-03"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				needsForm(as, token)
				if as.Opens(as.Resource("", target.Method("GET"), target.RawForm("access_token="+token))) {
					as.Note("a token in the body of a GET is taken as well")
				}
			})

		s.Check("form-token-position", suites.Requires("RFC6750-2.2-04"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				needsForm(as, token)
				g.Expect(byForm(as, token, target.Prepend("a", "1"), target.Add("b", "2"))).To(HaveStatusClass(2))
			})
	})

	suites.Section("RFC 6750", "2.3", func(s *suites.S) {
		s.Check("declared-query-token-accepted", suites.Requires("RFC6750-2.3-01"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				if !declares(as, "query") {
					as.Skip("resource: {bearer_methods: [header, query]}", "nothing declares that tokens are taken as query parameter")
				}
				g.Expect(byQuery(as, accessToken(as))).To(HaveStatusClass(2))
			})

		s.Check("query-token-position", suites.Requires("RFC6750-2.3-02"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				needsQuery(as, token)
				r := as.Resource("", target.QueryParam("p", "q"), target.QueryParam("access_token", token), target.QueryParam("r", "s"))
				g.Expect(r).To(HaveStatusClass(2))
			})

		s.Check("query-token-response-private", suites.Requires("RFC6750-2.3-03"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				token := accessToken(as)
				needsQuery(as, token)
				g.Expect(byQuery(as, token)).To(HaveCacheDirective("private", "no-store"))
			})

		s.Check("query-token-refused", suites.Requires("RFC6750-2.3-04"), suites.Needs(target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				if as.Opens(byQuery(as, accessToken(as))) && !declares(as, "query") {
					closed(as)
					as.Note("the resource takes tokens from the query, which RFC 9700 section 4.3.2 advises against")
				}
			})
	})
}

// anyToken is an access token for the resource, whether or not it works there.
func anyToken(as *target.AS) string {
	if as.Has(target.AuthorizationCode) {
		return as.TokensBy(target.AuthorizationCode).AccessToken // a resource, such as userinfo, may want a user
	}
	return as.Tokens().AccessToken
}

// declares reports whether the target file or the metadata lists a bearer method (RFC 9728 section 2 names them).
func declares(as *target.AS, method string) bool {
	methods, _ := as.Metadata().Strings("bearer_methods_supported")
	return slices.Contains(methods, method) || slices.Contains(as.Config().Resource.BearerMethods, method)
}
