package rfc6749

import (
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.1.2", func(s *suites.S) {
		s.Check("code-in-query", suites.Requires("RFC6749-4.1.2-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize()
				if !leaves(a) || a.Error() != "" {
					as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
				}
				g.Expect(a).To(DeliverCode())
				g.Expect(a).To(HaveResponseIn("query"))
				if fragment := a.RawFragment(); fragment != "" {
					as.Note("the redirect carries the fragment %q", fragment)
				}
			})

		s.Check("code-expires", suites.Requires("RFC6749-4.1.2-02"), suites.Needs(target.AuthorizationCode, target.CodeLifetime), suites.Slow,
			func(as *target.AS, g Gomega) {
				const leeway = 60 * time.Second
				expired(as, g, as.Timing().CodeLifetime+leeway)
			})

		s.Check("code-lifetime-ten-minutes", suites.Requires("RFC6749-4.1.2-03"), suites.Needs(target.AuthorizationCode), suites.Slow,
			func(as *target.AS, g Gomega) {
				const tenMinutes = 605 * time.Second
				if declared := as.Timing().CodeLifetime; declared > 0 && 2*declared < tenMinutes && refusedAfter(as, 2*declared) {
					return // what expires after less than ten minutes need not be watched for ten
				}
				expired(as, g, tenMinutes)
			})

		s.Check("code-single-use", suites.Requires("RFC6749-4.1.2-04"), suites.Needs(target.AuthorizationCode), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				code, _ := redeemed(as)
				g.Expect(as.Redeem(code)).NotTo(IssueToken())
			})

		s.Check("code-replay-revokes-access-token", suites.Requires("RFC6749-4.1.2-05"),
			suites.Needs(target.AuthorizationCode, target.ProtectedResource), suites.Destructive, suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				code, first := redeemed(as)
				token := first.String("access_token")
				if alive, _ := as.Alive(token); !alive {
					as.Inconclusive("the access token does not work before the replay")
				}
				if as.Redeem(code).IssuesToken() {
					as.Inconclusive("the replay was not refused, which the check of single use reports")
				}
				as.Settle()
				alive, how := as.Alive(token)
				switch {
				case !alive:
				case target.JWTClaims(token) != nil && as.Config().Resource.URL != "" && how != "introspection":
					as.Note("after the replay the access token, a JWT, is still taken by the resource, which may check it by itself: the RFC says when possible")
				default:
					as.Fail("after the replay the access token still works: %s", how)
				}
			})

		s.Check("code-replay-revokes-refresh-token", suites.Requires("RFC6749-4.1.2-06"),
			suites.Needs(target.AuthorizationCode, target.RefreshTokenGrant), suites.Destructive, suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				code, first := redeemed(as)
				if first.String("refresh_token") == "" {
					as.Inconclusive("the code exchange gave no refresh token")
				}
				if as.Redeem(code).IssuesToken() {
					as.Inconclusive("the replay was not refused, which the check of single use reports")
				}
				as.Settle()
				g.Expect(as.Refresh(as.TokensOf(first))).NotTo(IssueToken())
			})

		s.Check("state-returned", suites.Requires("RFC6749-4.1.2-07"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := as.Authorize()
				if a.Code() == "" {
					as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
				}
				g.Expect(a).To(HaveParam("state"))
				if without := as.Authorize(target.Omit("state")); without.Params().Has("state") {
					as.Note("a request without state is answered with state=%q", without.Param("state"))
				}
			})

		s.Check("state-unchanged", suites.Requires("RFC6749-4.1.2-08"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				printable := printableASCII()
				for _, probe := range []struct{ name, state string }{
					{"printable-ascii", printable},
					{"no-leading-blank", strings.TrimPrefix(printable, " ") + " "},
					{"512-letters", as.Random(512)},
					{"escapes", "oauthcheck%41%2b&amp;&#65;"}, // which a second decoding would undo
				} {
					as.Variant(probe.name, func(g Gomega) {
						a := as.Authorize(target.Set("state", probe.state))
						if a.Code() == "" {
							as.Note("this state is refused: %s", DescribeAuthorization(a))
							return
						}
						if !a.Params().Has("state") {
							as.Inconclusive("no state comes back, which the check of its return reports")
						}
						g.Expect(a).To(KeepState())
					})
				}
			})

		s.Check("code-single-use-concurrent", suites.Requires("RFC6749-4.1.2-10"), suites.Needs(target.AuthorizationCode), suites.Race,
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				const rounds, connections = 20, 6 // where the window is microseconds wide, few rounds would mostly miss it
				for range rounds {
					code := as.Code()
					issueAtMostOnce(as, as.Race(connections, as.RedeemRequest(code)))
				}
				as.Note("no double issue in %d rounds of %d connections", rounds, connections)
			})
	})
}

// redeemed returns a code with the token response that it was exchanged for.
func redeemed(as *target.AS) (*target.Code, *target.Response) {
	code := as.Code()
	first := as.Redeem(code)
	if !first.IssuesToken() {
		as.Inconclusive("the first exchange of the code was refused")
	}
	return code, first
}

// expired judges that a code is refused after the time.
func expired(as *target.AS, g Gomega, after time.Duration) {
	g.Expect(aged(as, after)).NotTo(IssueToken())
}

// refusedAfter reports whether a code is refused after the time.
func refusedAfter(as *target.AS, after time.Duration) bool {
	return !aged(as, after).IssuesToken()
}

// aged is the answer to a code of some age, while fresh ones are redeemed before and after.
func aged(as *target.AS, after time.Duration) *target.Response {
	code := as.Code()
	redeemed(as)
	as.Wait(after)
	redeemed(as)
	return as.Redeem(code)
}

// printableASCII is every printable character of ASCII, the blank first.
func printableASCII() string {
	var b strings.Builder
	for c := byte(0x20); c <= 0x7e; c++ {
		b.WriteByte(c)
	}
	return b.String()
}
