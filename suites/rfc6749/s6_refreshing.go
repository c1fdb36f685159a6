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
	suites.Section("RFC 6749", "6", func(s *suites.S) {
		s.Check("refresh-token-required", suites.Requires("RFC6749-6-02"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.RefreshToken, target.Omit("refresh_token"))).NotTo(IssueToken())
			})

		s.Check("refresh-does-not-widen-scope", suites.Requires("RFC6749-6-03"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				narrow, extra := refreshScopes(as)
				tokens := as.Refreshable(target.Scope(strings.Join(narrow, " ")))
				if slices.Contains(strings.Fields(tokens.Scope), extra) {
					as.Inconclusive("the first grant already holds %q", extra)
				}
				r := as.Refresh(tokens, target.Set("scope", strings.Join(append(narrow, extra), " ")))
				if !r.IssuesToken() {
					noteCode(as, r, "invalid_scope")
					return
				}
				told, known := r.String("scope"), scopeOfToken(as, r.String("access_token"))
				if slices.Contains(strings.Fields(scopeOfToken(as, tokens.AccessToken)), extra) {
					known = "" // tokens of this server hold it in any case
				}
				switch {
				case slices.Contains(strings.Fields(told), extra), slices.Contains(strings.Fields(known), extra):
					as.Fail("the refreshed token holds %q, which was not granted: scope %q", extra, told+known)
				case told == "" && known == "" && tokens.Response.String("scope") == "":
					as.Note("this server never tells the scope")
				case told == "" && known == "":
					as.Fail("a refresh with scope %q was answered without scope, which says that all of it was granted", strings.Join(append(narrow, extra), " "))
				}
			})

		s.Check("refresh-keeps-scope", suites.Requires("RFC6749-6-04"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				tokens := as.Refreshable(target.NoControl())
				before := grantedScope(as, tokens.Response)
				r := as.Refresh(tokens, target.Omit("scope"), target.NoControl())
				if slices.Contains([]string{"invalid_scope", "invalid_request"}, r.ErrorCode()) {
					another := as.Refreshable(target.NoControl())
					if as.Refresh(another, target.Set("scope", another.Scope), target.NoControl()).IssuesToken() {
						g.Expect(r).To(IssueToken())
					}
				}
				if !r.IssuesToken() {
					as.Inconclusive("the refresh was refused: %s", DescribeResponse(r))
				}
				granted := strings.Fields(before)
				if r.String("scope") == "" { // a token may well show more than the response that it came with: like is compared with like
					granted = append(granted, strings.Fields(scopeOfToken(as, tokens.AccessToken))...)
				}
				for _, scope := range strings.Fields(grantedScope(as, r)) {
					if before != "" && !slices.Contains(granted, scope) {
						as.Fail("the refreshed token holds %q; %q was granted", scope, before)
					}
				}
				if r.String("scope") == "" && before != "" {
					now, how := scopeShown(as, r.String("access_token"))
					switch {
					case now == "" || sameScope(now, before):
					case how == "introspection": // which may show a resource its own part only (RFC 7662 section 2.2)
						as.Note("introspection shows scope %q in place of %q", now, before)
					default:
						as.Fail("the refreshed token holds %q in place of %q, and the response does not say so", now, before)
					}
				}
			})

		s.Check("refresh-narrows-scope", suites.Requires("RFC6749-6-05"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				tokens := as.Refreshable()
				one, _ := twoOf(as, tokens.Scope)
				r := as.Refresh(tokens, target.Set("scope", one))
				if !r.IssuesToken() {
					as.Note("a narrower scope is refused: %s", DescribeResponse(r))
					return
				}
				if told := r.String("scope"); told != "" && !sameScope(told, one) {
					as.Note("the server ignores the narrower scope and says so")
					return
				}
				known := strings.Fields(scopeOfToken(as, r.String("access_token")))
				wider := slices.ContainsFunc(known, func(scope string) bool { return scope != one })
				switch {
				case wider && r.String("scope") == "":
					as.Fail("scope %q was asked for, the token holds %q, and the response does not say so", one, known)
				case wider:
					as.Note("the response says scope %q, the token holds %q", one, known)
				}
			})

		s.Check("refresh-token-bound-to-client", suites.Requires("RFC6749-6-06"), suites.Needs(target.RefreshTokenGrant, target.SecondClient),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				owner, other := twoClients(as, func(c *target.Client) bool { return c.MayUse("refresh_token") })
				as.ControlAgain(target.RefreshToken, target.As(owner))
				as.ControlAgain(target.RefreshToken, target.As(other))
				g.Expect(as.Refresh(as.Refreshable(target.As(owner)), target.As(other))).NotTo(IssueToken())
			})

		s.Check("refresh-authentication-required", suites.Requires("RFC6749-6-07"),
			suites.Needs(target.RefreshTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				withoutAuthentication(as, g, target.RefreshToken)
			})

		s.Check("refresh-wrong-secret", suites.Requires("RFC6749-6-08"),
			suites.Needs(target.RefreshTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			onWrongSecrets(target.RefreshToken))

		s.Check("invalid-refresh-token-refused", suites.Requires("RFC6749-6-10"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				probes := map[string]func(*target.Tokens) string{
					"random":                func(t *target.Tokens) string { return sameShape(as, t.RefreshToken) },
					"one-character-changed": func(t *target.Tokens) string { return target.ChangeMiddle(t.RefreshToken) },
					"access-token":          func(t *target.Tokens) string { return t.AccessToken },
				}
				for _, name := range []string{"random", "one-character-changed", "access-token"} {
					as.Variant(name, func(g Gomega) {
						tokens := as.Refreshable()
						value := probes[name](tokens)
						if value == tokens.RefreshToken {
							as.Inconclusive("the server issues one string as both tokens")
						}
						g.Expect(as.Refresh(tokens, target.Set("refresh_token", value))).NotTo(IssueToken())
					})
				}
			})

		s.Check("refresh-response", suites.Requires("RFC6749-6-11"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("success", func(g Gomega) { successShape(as, g, target.RefreshToken) })
				as.Variant("failure", func(g Gomega) {
					failureShape(as, g, "invalid-refresh-token", as.TokenBy(target.RefreshToken, target.Set("refresh_token", as.Random(40))))
				})
			})

		s.Check("rotated-refresh-token-works", suites.Requires("RFC6749-6-12"), suites.Needs(target.RefreshTokenGrant), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				next := rotated(as, as.Refreshable())
				g.Expect(as.Refresh(next, target.NoControl())).To(IssueToken())
			})

		s.Check("old-refresh-token-refused", suites.Requires("RFC6749-6-13"), suites.Needs(target.RefreshTokenGrant), suites.Destructive,
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				first := as.Refreshable()
				next := rotated(as, first)
				as.Refresh(next, target.NoControl())
				as.Wait(as.Timing().RotationGrace)
				g.Expect(as.Refresh(first, target.NoControl())).NotTo(IssueToken())
			})

		s.Check("refresh-token-single-use-concurrent", suites.Requires("RFC6749-6-13"), suites.Needs(target.RefreshTokenGrant), suites.Race,
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				if grace := as.Timing().RotationGrace; grace > 0 {
					as.Skip("timing.rotation_grace: 0s", "an old refresh token is meant to go on working for %s", grace)
				}
				first := as.Refreshable()
				rotated(as, first)
				if as.Refresh(first, target.NoControl()).IssuesToken() {
					as.Skip("", "an old refresh token goes on working, which another check tells")
				}
				const rounds, connections = 5, 6
				for range rounds {
					oneSuccessor(as, as.Race(connections, as.RefreshRequest(as.Refreshable(), target.NoControl())))
				}
				as.Note("no double issue in %d rounds of %d connections", rounds, connections)
			})

		s.Check("rotated-refresh-token-keeps-scope", suites.Requires("RFC6749-6-14"), suites.Needs(target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) { keepsBothScopes(as, g) })
	})
}

// rotated is what a refresh gives where the server rotates refresh tokens; where it does not, the check is skipped.
func rotated(as *target.AS, tokens *target.Tokens) *target.Tokens {
	r := as.Refresh(tokens, target.NoControl())
	if !r.IssuesToken() {
		as.Inconclusive("the refresh was refused: %s", DescribeResponse(r))
	}
	next := as.TokensOf(r)
	if next.RefreshToken == "" || next.RefreshToken == tokens.RefreshToken {
		as.Skip("", "the server does not rotate refresh tokens")
	}
	return next
}

// oneSuccessor judges the answers to concurrent uses of one refresh token: of the new ones that they bring at most one works. All may
// well be dead, where the server takes the race for a theft.
func oneSuccessor(as *target.AS, responses []*target.Response) {
	raced(as, responses)
	works, seen := 0, map[string]bool{}
	for _, r := range responses {
		next := r.String("refresh_token")
		if next == "" || seen[next] {
			continue
		}
		seen[next] = true
		if as.Refresh(as.TokensOf(r), target.NoControl()).IssuesToken() {
			works++
		}
	}
	if works > 1 {
		as.Fail("%d concurrent uses of one refresh token brought %d new ones, of which %d work", len(responses), len(seen), works)
	}
}

// refreshScopes splits the configured scopes into what the first grant asks for and one more that it does not.
func refreshScopes(as *target.AS) (narrow []string, extra string) {
	for _, scope := range as.ScopesFor(target.RefreshToken) {
		switch {
		case slices.Contains([]string{"openid", "offline_access", "offline"}, scope):
			narrow = append(narrow, scope) // a refresh token may depend on them
		case extra == "":
			extra = scope
		default:
			narrow = append(narrow, scope)
		}
	}
	if extra == "" || len(narrow) == 0 {
		as.Skip("scopes: [read, write]", "fewer than two scope values are configured")
	}
	return narrow, extra
}

// twoOf are two values of a granted scope that a token can be narrowed to.
func twoOf(as *target.AS, scope string) (string, string) {
	var values []string
	for _, value := range strings.Fields(scope) {
		if value != "offline_access" && value != "offline" {
			values = append(values, value)
		}
	}
	if len(values) < 2 {
		as.Skip("scopes: [read, write]", "fewer than two scope values were granted")
	}
	return values[0], values[1]
}

// keepsBothScopes narrows one refresh and judges that the new refresh token has the scope of the old one all the same.
func keepsBothScopes(as *target.AS, g Gomega) {
	tokens := as.Refreshable()
	one, other := twoOf(as, tokens.Scope)
	both := func(r *target.Response) bool {
		granted := strings.Fields(grantedScope(as, r))
		return len(granted) == 0 || slices.Contains(granted, one) && slices.Contains(granted, other)
	}
	control := rotated(as, rotated(as, as.Refreshable()))
	if !both(control.Response) {
		as.Inconclusive("refreshed twice without a scope a grant does not keep it either")
	}
	narrowed := as.Refresh(tokens, target.Set("scope", one), target.NoControl())
	if !narrowed.IssuesToken() || narrowed.String("refresh_token") == "" {
		as.Skip("", "a refresh with a narrower scope gives no new refresh token")
	}
	plain := as.Refresh(as.TokensOf(narrowed), target.Omit("scope"), target.NoControl())
	if plain.IssuesToken() && both(plain) {
		return
	}
	newest := as.TokensOf(narrowed)
	if plain.IssuesToken() && plain.String("refresh_token") != "" {
		newest = as.TokensOf(plain)
	}
	full := as.Refresh(newest, target.Set("scope", one+" "+other), target.NoControl())
	if full.ErrorCode() == "invalid_scope" || full.IssuesToken() && !both(full) {
		as.Fail("after one refresh narrowed to %q the new refresh token is narrowed too: %s", one, DescribeResponse(full))
	}
}
