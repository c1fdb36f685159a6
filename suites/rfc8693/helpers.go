// Package rfc8693 holds the checks of RFC 8693, OAuth 2.0 Token Exchange, one file a section in the order of the text.
//
// Every negative probe is the target's usual exchange (as.TokenBy(target.TokenExchange)) with one parameter changed; the helpers make
// sure that the usual exchange succeeded in this run.
package rfc8693

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

const (
	typePrefix = "urn:ietf:params:oauth:token-type:"
	saml2Type  = typePrefix + "saml2"

	bogusType = "urn:example:oauthcheck:no-such-type"
	noToken   = "oauthcheck-not-a-token"
)

// skew is how far clocks may be apart.
const skew = 60 * time.Second

// exchange sends the usual exchange with edits; what is no answer leaves the check inconclusive.
func exchange(as *target.AS, edits ...target.RequestEdit) *target.Response {
	return as.TokenBy(target.TokenExchange, edits...)
}

// works reports whether the usual exchange with edits issues a token.
func works(as *target.AS, edits ...target.RequestEdit) bool {
	r := exchange(as, edits...)
	return r.Success() && r.IssuesToken()
}

// all joins edits to one.
func all(edits ...target.RequestEdit) target.RequestEdit {
	return func(r *target.Request) {
		for _, edit := range edits {
			edit(r)
		}
	}
}

// subject sends a token of a type as subject token.
func subject(token, tokenType string) target.RequestEdit {
	return all(target.Set("subject_token", token), target.Set("subject_token_type", tokenType))
}

// fresh sends a fresh token of one type as subject token of the same or another type. The token is fetched when the request is made, so
// that a variant can do without the others' tokens.
func fresh(as *target.AS, tokenType, label string) target.RequestEdit {
	return target.Edit(func(r *target.Request) { subject(as.SubjectToken(tokenType), label)(r) })
}

// actor adds an actor token.
func actor(token, tokenType string) target.RequestEdit {
	return all(target.Set("actor_token", token), target.Set("actor_token_type", tokenType))
}

// requested asks for a token type.
func requested(tokenType string) target.RequestEdit {
	return target.Set("requested_token_type", tokenType)
}

// aim is a target of an exchange: a value of audience or resource (RFC 8693 section 2.1).
type aim struct{ parameter, value string }

// at names these targets in place of any others; without any the exchange names none.
func at(aims ...aim) target.RequestEdit {
	edits := []target.RequestEdit{target.Omit("audience", "resource")}
	for _, a := range aims {
		edits = append(edits, target.Add(a.parameter, a.value))
	}
	return all(edits...)
}

// audiences and resources are the targets that the operator configured.
func audiences(as *target.AS) []aim { return aims("audience", as.Config().TokenExchange.Audience) }
func resources(as *target.AS) []aim { return aims("resource", as.Config().TokenExchange.Resource) }

func aims(parameter string, values []string) []aim {
	var out []aim
	for _, value := range values {
		out = append(out, aim{parameter, value})
	}
	return out
}

// refused judges that no token was issued. What the refusal looks like is judged by the checks of section 2.2.2.
func refused(g Gomega, r *target.Response) { g.Expect(r).To(RefuseToken()) }

// series judges that each of the probes is refused, and that the usual exchange still works at the end.
func series(as *target.AS, probes ...probe) {
	for _, p := range probes {
		as.Variant(p.name, func(g Gomega) { refused(g, exchange(as, p.edit)) })
	}
	as.ControlAgain(target.TokenExchange)
}

// probe is the usual exchange with a defect.
type probe struct {
	name string
	edit target.RequestEdit
}

// asked is a successful exchange for a token type, else the check is skipped: the server does not issue that type.
func asked(as *target.AS, tokenType string) *target.Response {
	r := exchange(as, requested(tokenType))
	if !r.Success() || r.String("issued_token_type") != tokenType {
		as.Skip("token_exchange.requested_token_types: ["+tokenType+"]", "the server issues no %s: %s", strings.TrimPrefix(tokenType, typePrefix), DescribeResponse(r))
	}
	return r
}

// signedSubject is the type under which the target takes subject tokens that are signed JWTs: the usual one or an ID token. Else the
// check is skipped.
func signedSubject(as *target.AS) string {
	usual := as.TokenRequest(target.TokenExchange)
	if target.SignedJWT(usual.Get("subject_token")) {
		return usual.Get("subject_token_type")
	}
	if as.Has(target.OpenID) {
		if token := as.SubjectToken(target.IDTokenType); target.SignedJWT(token) && works(as, subject(token, target.IDTokenType)) {
			return target.IDTokenType
		}
	}
	as.Skip("", "the subject tokens that the server takes are no signed JWTs")
	return ""
}

// delegation is a pair of edits: an actor token of the client that exchanges, with which the exchange succeeds. Else the check is
// inconclusive.
func delegation(as *target.AS) target.RequestEdit {
	edit := actor(as.ActorToken(), target.AccessTokenType)
	switch r := exchange(as, edit); {
	case r.IssuesToken():
	case !as.Has(target.Delegation):
		as.Skip("token_exchange.delegation: true", "the server takes no actor tokens, and need not: %s", DescribeResponse(r))
	default:
		as.Inconclusive("the exchange does not succeed with an actor token: %s", DescribeResponse(r))
	}
	return actor(as.ActorToken(), target.AccessTokenType)
}

// ignoresActors reports whether the server issues a token whatever the actor token is, the finding of another check.
func ignoresActors(as *target.AS) bool {
	return works(as, actor(noToken, target.AccessTokenType))
}

// seen are the claims of a token as far as they can be seen: those of a JWT, else what introspection tells; nil if nothing can be.
func seen(as *target.AS, token string) map[string]any {
	if claims := target.JWTClaims(token); claims != nil {
		return claims
	}
	if !as.Has(target.Introspection) {
		return nil
	}
	r := as.Introspect(token)
	members, err := r.JSON()
	if err != nil || members["active"] != true {
		return nil
	}
	return members
}

// visible is seen, for checks that need it.
func visible(as *target.AS, token string) map[string]any {
	claims := seen(as, token)
	if claims == nil {
		as.Skip("introspection: {client: primary}", "the token is no JWT, and introspection does not show what is in it")
	}
	return claims
}

// signed is a JWT from the exchange with edits, as the usual token or as one of type jwt, else the check is skipped.
func signed(as *target.AS, edits ...target.RequestEdit) (token string, claims map[string]any) {
	for _, how := range []target.RequestEdit{func(*target.Request) {}, requested(target.JWTType)} {
		r := exchange(as, append(slices.Clone(edits), how)...)
		if claims := target.JWTClaims(r.String("access_token")); r.Success() && claims != nil {
			return r.String("access_token"), claims
		}
	}
	as.Skip("token_exchange.requested_token_types: [jwt]", "the server issues no JWTs by exchange")
	return "", nil
}

// audience is the audience of a token, nil if it has none.
func audience(claims map[string]any) []string {
	switch aud := claims["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var out []string
		for _, each := range aud {
			if s, ok := each.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// missing lists those of the targets that the operator's expectation finds missing in an audience; known is false where the operator
// expects nothing of one of them.
func missing(as *target.AS, aud []string, aims ...aim) (out []string, known bool) {
	for _, a := range aims {
		expected, ok := as.Config().TokenExchange.ExpectedAudience[a.value]
		if !ok {
			return nil, false
		}
		if !slices.Contains(aud, expected) {
			out = append(out, a.value)
		}
	}
	return out, true
}

// two are the first of the targets that work one by one, one of each list, else the check is skipped.
func two(as *target.AS, first, second []aim, line string) (aim, aim) {
	singly := func(a aim) bool { return works(as, at(a)) }
	if i := slices.IndexFunc(first, singly); i >= 0 {
		rest := slices.DeleteFunc(slices.Clone(second), func(a aim) bool { return a == first[i] })
		if j := slices.IndexFunc(rest, singly); j >= 0 {
			return first[i], rest[j]
		}
	}
	as.Skip(line, "there are no two targets for which exchanges succeed one by one")
	return aim{}, aim{}
}

// elsewhere reports whether token responses of other grants have the same defect: then it is not the exchange that is at fault, and
// the check of RFC 6749 reports it.
func elsewhere(as *target.AS, defect func(*target.Response) bool) bool {
	return slices.ContainsFunc(as.TokenResponses(), func(s target.TokenSample) bool { return s.Name != target.TokenExchange && defect(s.Response) })
}

// isSAML reports whether a token is base64url of something like an XML document.
func isSAML(token string) bool {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(token, "="))
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(text)), "<")
}
