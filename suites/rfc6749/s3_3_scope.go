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
	suites.Section("RFC 6749", "3.3", func(s *suites.S) {
		s.Check("scope-order-irrelevant", suites.Requires("RFC6749-3.3-01"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				a, b := twoScopes(as)
				forth := scoped(as, a+" "+b)
				if !forth.IssuesToken() {
					as.Inconclusive("scope %q is refused", a+" "+b)
				}
				back := scoped(as, b+" "+a)
				if back == nil {
					as.Fail("scope %q is granted, the authorization request with %q is refused", a+" "+b, b+" "+a)
				}
				g.Expect(back).To(IssueToken())
				x, y := grantedScope(as, forth), grantedScope(as, back)
				if strings.Contains(x+y, ",") {
					as.Inconclusive("scope is no list separated by blanks, which another check reports")
				}
				if x != "" && y != "" && !sameScope(x, y) {
					as.Fail("scope %q gives %q, scope %q gives %q", a+" "+b, x, b+" "+a, y)
				}
			})

		s.Check("scope-case-sensitive", suites.Requires("RFC6749-3.3-02"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				scope := firstScope(as)
				swapped := strings.ToUpper(scope)
				if swapped == scope {
					swapped = strings.ToLower(scope)
				}
				odd := sameShape(as, scope)
				nonsense := scoped(as, odd)
				if nonsense.IssuesToken() {
					if granted := grantedScope(as, nonsense); granted == "" || slices.Contains(strings.Fields(granted), odd) {
						as.Inconclusive("a nonsense scope is granted as well, so nothing can be told from this one")
					}
				}
				r := scoped(as, swapped)
				if !r.IssuesToken() && !scoped(as, scope).IssuesToken() {
					as.Inconclusive("scope %q alone is refused as well, so nothing can be told from the refusal of %q", scope, swapped)
				}
				if !r.IssuesToken() || nonsense.IssuesToken() && sameScope(grantedScope(as, r), grantedScope(as, nonsense)) {
					return
				}
				if granted := grantedScope(as, r); granted == "" || slices.Contains(strings.Fields(granted), scope) {
					as.Fail("scope %q was taken for %q: granted %q", swapped, scope, granted)
				}
			})

		s.Check("reduced-scope-reported", suites.Requires("RFC6749-3.3-04"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				asked := firstScope(as) + " " + unknownScope
				r := scoped(as, asked)
				if !r.IssuesToken() {
					return // invalid_scope
				}
				told, known := r.String("scope"), scopeOfToken(as, r.String("access_token"))
				claims := slices.Contains(strings.Fields(told), unknownScope)
				switch {
				case told == "" && known != "" && !slices.Contains(strings.Fields(known), unknownScope):
					g.Expect(r).To(HaveMember("scope"), "the token has scope %q", known)
				case told == "" && known == "" && !scoped(as, unknownScope).IssuesToken():
					g.Expect(r).To(HaveMember("scope"), "%q alone is refused", unknownScope)
				case told == "":
					as.Note("the response has no scope, and nothing shows what was granted")
				case claims && known != "" && !slices.Contains(strings.Fields(known), unknownScope):
					as.Fail("the response says scope %q, the token has %q", told, known)
				}
			})

		s.Check("missing-scope-error", suites.Requires("RFC6749-3.3-05"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, grant := range []target.Grant{target.ClientCredentials, target.Password} {
					if slices.Contains(as.Grants(), grant) {
						as.Variant(string(grant), func(g Gomega) {
							if !as.TokenRequest(grant).Has("scope") {
								as.Skip("scopes: [read, write]", "there is no request with a scope to compare with")
							}
							r := as.TokenBy(grant, target.Omit("scope"))
							if !r.IssuesToken() {
								missingScope(as, g, r.ErrorCode(), string(r.Body), func() {
									JudgeError(as, g, r, Codes{Accept: []string{"invalid_scope"}, Tolerate: []string{"access_denied"}})
								})
							}
						})
					}
				}
				if as.Has(target.AuthorizationCode) {
					as.Variant("authorization-request", func(g Gomega) {
						if !as.AuthorizationRequest().Has("scope") {
							as.Skip("scopes: [read, write]", "there is no request with a scope to compare with")
						}
						a := as.Authorize(target.Omit("scope"))
						if a.Code() == "" {
							missingScope(as, g, a.Error(), a.Param("error_description"), func() {
								JudgeErrorRedirect(as, g, a, Codes{Accept: []string{"invalid_scope"}, Tolerate: []string{"access_denied"}})
							})
						}
					})
				}
			})
	})
}

// missingScope lets invalid_request pass where its text speaks of the scope or OpenID leaves the request unspecified.
func missingScope(as *target.AS, g Gomega, code, text string, otherwise func()) {
	if code == "invalid_request" && (strings.Contains(strings.ToLower(text), "scope") || as.Has(target.OpenID)) {
		as.Note("invalid_request where invalid_scope is meant")
		return
	}
	otherwise()
}

// firstScope is a scope value that the client may obtain.
func firstScope(as *target.AS) string {
	scopes := grantScopes(as)
	if len(scopes) == 0 {
		as.Skip("scopes: [read, write]", "no scope is configured")
	}
	return scopes[0]
}

// twoScopes are two scope values that the client may obtain.
func twoScopes(as *target.AS) (string, string) {
	scopes := grantScopes(as)
	if len(scopes) < 2 {
		as.Skip("scopes: [read, write]", "fewer than two scope values are configured")
	}
	return scopes[0], scopes[1]
}

// grantScopes are the scope values to try: those that a client without a user may hold come first.
func grantScopes(as *target.AS) []string {
	var plain, openID []string
	for _, scope := range as.ScopesFor(cheapest(as)) {
		switch scope {
		case "openid", "offline_access", "offline":
			openID = append(openID, scope)
		default:
			plain = append(plain, scope)
		}
	}
	if cheapest(as) == target.ClientCredentials {
		return plain
	}
	return append(plain, openID...)
}

// scoped asks for a scope, as it is, by the cheapest grant that works. In the code grant that is a matter of the authorization
// request; where that one is refused nothing reaches the token endpoint, and the response is nil.
func scoped(as *target.AS, scope string) *target.Response {
	grant := cheapest(as)
	if grant != target.AuthorizationCode {
		return as.TokenBy(grant, target.Set("scope", scope), target.NoControl())
	}
	a := as.Authorize(target.Set("scope", scope), target.NoControl())
	if refusedAtAuthorization(a) {
		return nil
	}
	return as.Redeem(as.CodeOf(a), target.NoControl())
}

// refusedAtAuthorization reports whether an authorization request ended with an error, at the client or on a page.
func refusedAtAuthorization(a *target.Authorization) bool {
	return a.Code() == "" && (a.Error() != "" || a.Page != nil && a.Page.Status/100 == 4)
}

// grantedScope is what the response says that was granted, else what the token is known to hold; "" if unknown.
func grantedScope(as *target.AS, r *target.Response) string {
	if scope := r.String("scope"); scope != "" {
		return scope
	}
	return scopeOfToken(as, r.String("access_token"))
}

// scopeOfToken is the scope that introspection or a claim shows; "" if nothing does.
func scopeOfToken(as *target.AS, token string) string {
	scope, _ := scopeShown(as, token)
	return scope
}

// scopeShown is scopeOfToken with what shows it: "claim" or "introspection".
func scopeShown(as *target.AS, token string) (scope, how string) {
	if claims := target.JWTClaims(token); claims != nil {
		if scope, ok := claims["scope"].(string); ok {
			return scope, "claim"
		}
	}
	if as.Has(target.Introspection) {
		return as.Introspect(token).String("scope"), "introspection"
	}
	return "", ""
}
