package rfc6750

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6750", "4", func(s *suites.S) {
		s.Check("token-type-bearer", suites.Requires("RFC6750-4-01"), suites.Needs(target.AnyTokenGrant, target.ProtectedResource),
			func(as *target.AS, g Gomega) {
				tokens := as.ResourceTokens()
				if !as.Opens(as.Resource(tokens.AccessToken)) {
					as.Inconclusive("the token is not taken as a bearer token")
				}
				g.Expect(tokens.Response).To(HaveMember("token_type", WithTransform(strings.ToLower, BeElementOf("bearer", "dpop"))))
			})
	})

	suites.Section("RFC 6750", "5.2", func(s *suites.S) {
		s.Check("token-scope-limited", suites.Requires("RFC6750-5.2-03"), suites.Needs(target.AnyTokenGrant, target.Introspection),
			func(as *target.AS, g Gomega) {
				tokens := as.Tokens(target.Omit("scope"), target.NoControl())
				told := as.Introspect(tokens.AccessToken)
				claims := target.JWTClaims(tokens.AccessToken)
				if tokens.Response.String("scope") != "" || told.String("scope") != "" || claims["scope"] != nil || claims["scp"] != nil {
					return
				}
				members, err := told.JSON()
				if claims == nil && (err != nil || len(members) < 2) {
					as.Inconclusive("nothing shows what the token is good for")
				}
				if slices.ContainsFunc(as.TokenResponses(), func(s target.TokenSample) bool { return s.Response.String("scope") != "" }) {
					as.Note("a token that was asked for without scope shows none, where others show theirs: it has none")
					return
				}
				as.Fail("a token that was asked for without scope shows no scope in the response, the token or at introspection")
			})

		s.Check("authorization-server-tls", suites.Requires("RFC6750-5.2-04"), suites.Needs(target.TLS),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Handshake(target.TokenEndpoint, target.TLS12, target.TLS13)).To(Succeed())
			})

		s.Check("resource-not-over-plain-http", suites.Requires("RFC6750-5.2-05"), suites.Needs(target.ProtectedResource, target.TLS),
			func(as *target.AS, g Gomega) {
				// The token goes out in clear: one that was made for this and that nothing else uses.
				r := as.OverPlainHTTP(as.ResourceRequest(as.ResourceTokens().AccessToken))
				if r.Err == nil {
					shut(as, g, r)
				}
			})

		s.Check("token-not-in-insecure-cookie", suites.Requires("RFC6750-5.2-07"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, cookie := range tokenCookies(as) {
					switch {
					case cookie.secure:
					case cookie.plain:
						as.Note("cookie %s holds an access token and has no Secure, over plain HTTP", cookie.name)
					default:
						as.Fail("cookie %s holds an access token and has no Secure", cookie.name)
					}
				}
			})

		s.Check("token-lifetime-limited", suites.Requires("RFC6750-5.2-09"), suites.Needs(target.AnyTokenGrant), suites.Slow,
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenResponses() {
					as.Variant(sample.Name, func(g Gomega) { limited(as, g, sample.Response) })
				}
			})
	})

	suites.Section("RFC 6750", "5.3", func(s *suites.S) {
		s.Check("token-cookie-csrf", suites.Requires("RFC6750-5.3-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, cookie := range tokenCookies(as) { // none is as good
					if cookie.cross {
						as.Note("cookie %s holds an access token and has neither SameSite=Lax nor Strict: forms that it authorizes need another guard (RFC 6749 section 10.12)", cookie.name)
					}
				}
			})

		s.Check("token-lifetime-one-hour", suites.Requires("RFC6750-5.3-03"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenResponses() {
					as.Variant(sample.Name, func(g Gomega) {
						seconds, ok := expiresIn(sample.Response)
						if !ok {
							as.Note("the response does not tell the lifetime")
							return
						}
						g.Expect(seconds).To(BeNumerically("<=", 3600), "expires_in")
					})
				}
			})

		s.Check("token-has-audience", suites.Requires("RFC6750-5.3-04"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := as.Tokens().AccessToken
				if claims := target.JWTClaims(token); claims != nil {
					g.Expect(claims).To(HaveKey("aud"), "claims of the access token")
					return
				}
				if !as.Has(target.Introspection) {
					as.Skip("introspection: {client: primary}", "the token is opaque and there is no introspection endpoint")
				}
				if as.Introspect(token).Member("aud") == nil {
					as.Note("introspection shows no audience")
				}
			})

		s.Check("token-not-in-page-url", suites.Requires("RFC6750-5.3-05"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize()
				for _, step := range a.Steps {
					if u, err := url.Parse(step.Exchange.Request.URL); err == nil && u.Query().Get("access_token") != "" {
						as.Fail("a page of the authorization was reached with an access token in its URL")
					}
				}
				if query, err := url.ParseQuery(a.RawQuery()); err == nil && query.Get("access_token") != "" {
					as.Fail("the redirect carries an access token in its query")
				}
			})
	})
}

// tokenCookie is a cookie that holds an access token which was issued in this run.
type tokenCookie struct {
	name   string
	secure bool
	plain  bool // set without TLS
	cross  bool // browsers send it along with requests that other sites make
}

// tokenCookies are those that the server sets in an authorization and the exchange of its code.
func tokenCookies(as *target.AS) []tokenCookie {
	a := as.Authorize()
	exchanged := as.Redeem(as.CodeOf(a))
	if exchanged.String("access_token") == "" {
		as.Inconclusive("the code exchange gave no token")
	}
	const tooShort = 8 // such a token would be found in innocent values
	holds := func(value string) bool {
		return slices.ContainsFunc(as.Run().Secrets(), func(s target.Secret) bool {
			return s.Kind == "access_token" && len(s.Value) >= tooShort && strings.Contains(value, s.Value)
		})
	}
	var out []tokenCookie
	for _, step := range append(slices.Clone(a.Steps), exchanged) {
		for _, cookie := range step.Cookies() {
			if holds(cookie.Value) {
				out = append(out, tokenCookie{cookie.Name, cookie.Secure, !strings.HasPrefix(step.Exchange.Request.URL, "https:"), target.CrossSite(cookie)})
			}
		}
	}
	return out
}

// expiresIn is the lifetime in seconds that a response tells.
func expiresIn(r *target.Response) (int64, bool) {
	number, ok := r.Member("expires_in").(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	return int64(f), err == nil
}

// numericDate is a time of a JWT (RFC 7519 section 2), in seconds.
func numericDate(claim any) (seconds float64, ok bool) {
	number, ok := claim.(json.Number)
	if !ok {
		return 0, false
	}
	seconds, err := number.Float64()
	return seconds, err == nil
}

// limited judges that nothing says that a token lives for ever.
func limited(as *target.AS, g Gomega, r *target.Response) {
	token := r.String("access_token")
	if token == "" {
		as.Skip("", "the response has no access_token")
	}
	const tenYears = 10 * 366 * 24 * 3600
	seconds, told := expiresIn(r)
	claims := target.JWTClaims(token)
	exp, claimed := numericDate(claims["exp"])
	// By the server's own clock, where the token tells it: it need not agree with ours.
	now, ok := numericDate(claims["iat"])
	if !ok {
		now = float64(as.Now().Unix())
	}
	over := claimed && exp <= now
	switch {
	case told && seconds <= 0, over:
		as.Wait(5 * time.Minute)
		if alive, how := as.Alive(token); alive {
			as.Fail("expires_in is %d and exp is %.0f, and five minutes later the token still works: %s", seconds, exp, how)
		}
	case !told && !claimed:
		as.Note("nothing tells how long the token lives")
	case told && seconds > tenYears, claimed && exp > now+tenYears:
		as.Note("the token lives for more than ten years")
	}
}
