package rfc8414

import (
	"slices"
	"strings"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// What a document says is held against what the server does. Most of it is worth a note at most: a client may be barred from what the
// server supports, and of what a server supports beyond its lists few texts speak.

// responseTypes are those that a server might support without saying so.
var responseTypes = []string{"code", "token", "id_token", "code id_token", "code token", "id_token token", "code id_token token"}

// anyLists reports whether some document lists a response type, or lists none at all and so excludes nothing.
func anyLists(as *target.AS, responseType string) bool {
	return slices.ContainsFunc(as.Documents(), func(doc *target.Metadata) bool { return listsResponseType(doc, responseType) })
}

// listsResponseType compares without regard to the order of the words (RFC 6749 section 3.1.1).
func listsResponseType(doc *target.Metadata, responseType string) bool {
	values, ok := doc.Strings("response_types_supported")
	return !ok || slices.ContainsFunc(values, func(v string) bool { return words(v) == words(responseType) })
}

func words(responseType string) string {
	parts := strings.Fields(responseType)
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// unlistedResponseType judges that a response type that no document lists yields no response of its kind, with the code client and with
// the one for the implicit grant.
func unlistedResponseType(as *target.AS, g Gomega, responseType string) {
	if as.Authorize().Code() == "" {
		as.Inconclusive("the authorization request for a code does not succeed")
	}
	clients := []*target.Client{as.ClientFor(target.AuthorizationCode)}
	if other := as.Config().ClientFor(string(target.Implicit)); other != nil && responseType != "code" {
		clients = append(clients, other)
	}
	for _, client := range clients {
		a := as.Authorize(target.As(client), target.ResponseType(responseType), target.NoControl())
		kind := true
		for _, word := range strings.Fields(responseType) {
			if word == "token" {
				word = "access_token"
			}
			kind = kind && a.Param(word) != ""
		}
		if kind {
			Violation(as, "no response of the kind of a response type that no document lists", "response_type=%s: %s", responseType, DescribeAuthorization(a))
		}
	}
}

// tryResponseModes notes modes that are listed and not used.
func tryResponseModes(as *target.AS, _ Gomega, doc *target.Metadata) {
	modes, told := doc.Strings("response_modes_supported")
	if !told || !as.Has(target.AuthorizationCode) {
		return
	}
	for _, mode := range modes {
		if !slices.Contains([]string{"query", "fragment", "form_post"}, mode) {
			continue
		}
		if a := as.Authorize(target.Set("response_mode", mode)); a.In() != mode {
			as.Note("%s lists the response mode %s, which a code does not come in: %s", doc.URL, mode, DescribeAuthorization(a))
		}
	}
}

// compareGrants notes grants that work and are not listed, and grants that are listed and unknown to the token endpoint.
func compareGrants(as *target.AS, _ Gomega, doc *target.Metadata) {
	types, told := doc.Strings("grant_types_supported")
	working := as.Grants()
	if as.Has(target.TokenExchange) {
		working = append(working, target.TokenExchange)
	}
	for _, grant := range working {
		if slices.Contains(types, grant.Type()) {
			continue
		}
		if told {
			as.Note("%s works, and %s does not list it in grant_types_supported", grant.Type(), doc.URL)
		} else if grant != target.RefreshToken { // goes with others, and many lists leave it out
			as.Note("%s works, and %s has no grant_types_supported, which stands for authorization_code and implicit", grant.Type(), doc.URL)
		}
	}
	if !told || len(working) == 0 {
		return
	}
	for _, grantType := range types {
		if grantType == string(target.Implicit) {
			continue // never meets the token endpoint
		}
		if r := as.Token(target.Set("grant_type", grantType)); r.ErrorCode() == "unsupported_grant_type" {
			as.Note("%s lists %s, which the token endpoint calls unsupported", doc.URL, grantType)
		}
	}
}

// compareAuthMethods notes methods that are listed and refused to a client with a password, or that work and are not listed. A client may
// be bound to one method, so that a refusal says little.
func compareAuthMethods(as *target.AS, g Gomega, doc *target.Metadata) {
	unknownMethods("token_endpoint_auth_methods_supported")(as, g, doc)
	if len(as.Grants()) == 0 || as.Config().Clients.FirstConfidential() == nil || as.Confidential().Secret == "" {
		return
	}
	methods, told := doc.Strings("token_endpoint_auth_methods_supported")
	for _, method := range []target.AuthMethod{target.Basic, target.Post} {
		works := as.Token(target.As(as.Confidential()), target.Auth(method)).IssuesToken()
		switch lists := slices.Contains(methods, string(method)); {
		case works && !lists:
			as.Note("%s works, and %s does not list it in token_endpoint_auth_methods_supported", method, doc.URL)
		case !works && lists && told:
			as.Note("%s is listed, and refused to clients.%s, which may be bound to another method", method, as.Confidential().Name)
		case !works && lists:
			as.Note("%s has no token_endpoint_auth_methods_supported, which stands for %s, and clients.%s is refused with it", doc.URL, method, as.Confidential().Name)
		}
	}
}

// compareChallengeMethods judges that every method of PKCE that is listed is taken, and that a document without the member belongs to a
// server that clients without PKCE can use.
func compareChallengeMethods(as *target.AS, g Gomega, doc *target.Metadata) {
	if !as.Has(target.AuthorizationCode) {
		return
	}
	methods, told := doc.Strings("code_challenge_methods_supported")
	if !told {
		for _, client := range codeClients(as) {
			withoutChallengeMethods(as, doc, client)
		}
		return
	}
	if len(methods) > 0 && !slices.Contains(methods, target.MethodS256) {
		as.Note("%s does not list S256, which every server with PKCE has to support", doc.URL)
	}
	for _, method := range methods {
		if method != target.MethodS256 && method != target.MethodPlain {
			as.Note("%s lists %q, which is no registered method", doc.URL, method)
			continue
		}
		if trial := as.ChallengeTrial(as.ClientFor(target.AuthorizationCode), method); !trial.Accepted {
			as.TokensBy(target.AuthorizationCode) // control
			verifier := as.Verifier()
			again := as.Authorize(target.Set("code_challenge", challengeBy(method, verifier)), target.Set("code_challenge_method", method), target.NoControl())
			if again.Code() != "" {
				as.Inconclusive("%s: refused once and taken another time", method)
			}
			g.Expect(again).NotTo(BeNil()) // the finding rests on this answer
			Violation(as, "every listed code_challenge_method is taken", "%s: %s", method, trial.Why)
		}
	}
}

// challengeBy is the challenge for a verifier.
func challengeBy(method, verifier string) string {
	if method == target.MethodS256 {
		return target.S256(verifier)
	}
	return verifier
}

// codeClients are the usual client of the code grant and the public one: PKCE is often demanded of the latter alone.
func codeClients(as *target.AS) []*target.Client {
	out := []*target.Client{as.ClientFor(target.AuthorizationCode)}
	if public := as.Config().Clients.Public; public != nil && public != out[0] && public.MayUse(target.AuthorizationCode) && len(public.RedirectURIs) > 0 {
		out = append(out, public)
	}
	return out
}

func withoutChallengeMethods(as *target.AS, doc *target.Metadata, client *target.Client) {
	trial := as.ChallengeTrial(client, target.MethodS256)
	switch {
	case !trial.Works():
		return
	case as.Authorize(target.As(client), target.WithoutPKCE()).Code() != "":
		as.Note("PKCE has an effect, and %s has no code_challenge_methods_supported", doc.URL)
	case doc.OpenID:
		as.Note("PKCE is demanded, and %s, which OpenID Connect Discovery 1.0 does not oblige to, has no code_challenge_methods_supported", doc.URL)
	default:
		Violation(as, "code_challenge_methods_supported, or clients that are served without PKCE",
			"the member is missing, and clients.%s is refused without PKCE where it succeeds with it", client.Name)
	}
}
