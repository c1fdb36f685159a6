package mockprovider

import (
	"slices"
	"strings"
)

// checkScope works out the scope of a request at the authorization or token endpoint (RFC 6749 section 3.3): what was asked
// for, or the default. Its steps are PREFIX.scope.….
func (x *exchange) checkScope(prefix string, client *RegisteredClient) ([]string, *oauthError) {
	value, given := x.params.lookup("scope")
	if !given {
		scope := client.DefaultScope
		if len(scope) == 0 {
			scope = x.p.settings.DefaultScope
		}
		if len(client.Scopes) > 0 {
			scope = intersect(scope, client.Scopes)
			if x.mode(prefix+".scope.required", "client-scopes") {
				scope = client.Scopes
			}
		}
		return scope, x.guard(prefix+".scope.required", func() *oauthError {
			if len(scope) == 0 {
				return invalidScope("scope is missing")
			}
			return nil
		})
	}
	if err := x.guard(prefix+".scope.syntax", func() *oauthError {
		if !validScope(value) {
			return invalidScope("scope is malformed")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	scope := words(value)
	const separators, caseless = "separators", "case-insensitive"
	if x.mode(prefix+".scope.syntax", separators) {
		scope = strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" ,;+|", r) })
	}
	if x.mode(prefix+".scope.known", caseless) {
		for i, s := range scope {
			for _, known := range x.p.settings.Scopes {
				if strings.EqualFold(s, known) {
					scope[i] = known
				}
			}
		}
	}
	if err := x.guard(prefix+".scope.known", func() *oauthError {
		if x.p.settings.UnknownScope == "ignore" || x.mode(prefix+".scope.known", "ignore") {
			scope = intersect(scope, x.p.settings.Scopes)
			if len(scope) > 0 {
				return nil
			}
			return invalidScope("scope has no known value")
		}
		if x.mode(prefix+".scope.known", "first-only") {
			if len(scope) > 0 && slices.Contains(x.p.settings.Scopes, scope[0]) {
				return nil
			}
		}
		if unknown := without(scope, x.p.settings.Scopes); len(unknown) > 0 {
			return detailed(invalidScope("scope has an unknown value: "+printable(unknown[0])), unknown...)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := x.guard(prefix+".scope.allowed", func() *oauthError {
		if len(client.Scopes) == 0 {
			return nil
		}
		if x.p.settings.UnknownScope == "ignore" || x.mode(prefix+".scope.allowed", "ignore") {
			scope = intersect(scope, client.Scopes)
			if len(scope) > 0 {
				return nil
			}
		}
		if foreign := without(scope, client.Scopes); len(foreign) > 0 {
			return detailed(invalidScope("the client may not ask for "+printable(foreign[0])), foreign...)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return scope, nil
}

// validScope is the syntax of RFC 6749 appendix A.4.
func validScope(s string) bool {
	for token := range strings.SplitSeq(s, " ") {
		if token == "" || keep(token, func(r rune) bool { return r > 0x20 && r < 0x7f && r != '"' && r != '\\' }) != token {
			return false
		}
	}
	return true
}

// grantedBy is what is granted of a scope that passed the checks: the step scope.granted, with its value and its modes.
func (x *exchange) grantedBy(scope []string) []string {
	scope = x.list("scope.granted", scope)
	switch {
	case len(x.program) == 0:
	case x.mode("scope.granted", "all"):
		return x.p.settings.Scopes
	case x.mode("scope.granted", "first"):
		return scope[:min(1, len(scope))]
	case x.mode("scope.granted", "last"):
		return scope[max(0, len(scope)-1):]
	case x.mode("scope.granted", "none"):
		return []string{}
	case x.mode("scope.granted", "server-order"):
		return intersect(x.p.settings.Scopes, scope)
	case x.mode("scope.granted", "default"):
		return x.p.settings.DefaultScope
	case x.mode("scope.granted", "wider"):
		for _, s := range x.p.settings.Scopes {
			if !slices.Contains(scope, s) && s != "openid" {
				return append(slices.Clone(scope), s)
			}
		}
	}
	return scope
}

func intersect(a, b []string) []string {
	out := make([]string, 0, len(a))
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// without returns the words of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// subset reports whether every word of a is in b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}
