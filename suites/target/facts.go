package target

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Implicit is the implicit grant (RFC 6749 section 4.2). It never meets the token endpoint; the name serves ClientFor and ScopesFor.
const Implicit Grant = "implicit"

// ScopesFor are the scope values that the client of a grant may obtain: the client's own, where the target file lists them,
// else the target's.
func (as *AS) ScopesFor(grant Grant) []string {
	if client := as.Config().ClientFor(grant.Type()); client != nil && len(client.Scopes) > 0 {
		return client.Scopes
	}
	return as.Config().Scopes
}

// JWTClaims are the claims of a signed JWT (RFC 7519), unverified; nil where the token is none.
func JWTClaims(token string) map[string]any { return jwtPart(token, 1) }

// JWTHeader is the JOSE header of a signed JWT; nil where the token is none.
func JWTHeader(token string) map[string]any { return jwtPart(token, 0) }

func jwtPart(token string, part int) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		return nil
	}
	var object map[string]any
	if decodeJSON(raw, &object) != nil {
		return nil
	}
	return object
}

// ResourceTokens are tokens that the protected resource answers to, by the cheapest grant whose tokens it takes (a userinfo endpoint
// wants a user behind the token); the check is inconclusive where it takes none.
func (as *AS) ResourceTokens(edits ...RequestEdit) *Tokens {
	as.run.resource.once.Do(func() {
		maker := as.run.NewAS(as.run.ctx, "resource-grant", silent{})
		for _, grant := range maker.Grants() {
			attempt(func() {
				if as.run.resource.grant != "" {
					return
				}
				if r := maker.Resource(maker.resourceTokens(grant).AccessToken); r.Status/100 == 2 {
					as.run.resource.grant, as.run.resource.media = grant, r.ContentType()
				}
			})
		}
	})
	if as.run.resource.grant == "" {
		as.Inconclusive("the protected resource answers to the token of no grant that works here")
	}
	return as.resourceTokens(as.run.resource.grant, edits...)
}

// resourceTokens are fresh tokens of a grant with the scope that the resource needs, where the target file names it.
func (as *AS) resourceTokens(grant Grant, edits ...RequestEdit) *Tokens {
	if scopes := as.Config().Resource.Scopes; len(scopes) > 0 {
		edits = append([]RequestEdit{Scope(strings.Join(scopes, " ")), NoControl()}, edits...)
	}
	return as.TokensBy(grant, edits...)
}

// resourceGrant remembers which grant gives tokens that the protected resource takes.
type resourceGrant struct {
	once  sync.Once
	grant Grant
	media string // of the protected content
}

// Opens reports whether a response of the protected resource hands out its content: a 2xx that is no page or object about a failure.
func (as *AS) Opens(r *Response) bool {
	return r.Err == nil && r.Status/100 == 2 && r.ErrorCode() == "" && (as.run.resource.media == "" || r.ContentType() == as.run.resource.media)
}

// AliveTokens are tokens of which Alive can tell whether they work: by the protected resource, else by introspection.
func (as *AS) AliveTokens() *Tokens {
	var tokens *Tokens
	if as.Has(ProtectedResource) {
		tokens = as.ResourceTokens()
	} else {
		tokens = as.Tokens()
	}
	if alive, how := as.Alive(tokens.AccessToken); !alive {
		as.Inconclusive("a fresh access token does not work: %s", how)
	}
	return tokens
}

// Forgery is a token that was derived from a real one and must not work.
type Forgery struct{ Name, Token string }

// Forgeries are the ways of modifying an access token (RFC 6749 section 10.3): one character in the middle and, for a signed JWT, its
// payload, its signature and its header.
func Forgeries(token string) []Forgery {
	out := []Forgery{{"one-character-changed", ChangeMiddle(token)}}
	header, claims := JWTHeader(token), JWTClaims(token)
	if header == nil || claims == nil {
		return out
	}
	parts := strings.Split(token, ".")
	signed := SignedJWT(token)
	encode := func(object map[string]any) string {
		raw, _ := json.Marshal(object)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	changed := maps.Clone(claims)
	changed["sub"] = "oauthcheck-somebody-else"
	none := maps.Clone(header)
	none["alg"] = "none"
	nOnE := maps.Clone(header)
	nOnE["alg"] = "nOnE"
	out = append(out, Forgery{"payload-changed", parts[0] + "." + encode(changed) + "." + parts[2]})
	if !signed { // the others would be the token itself
		return out
	}
	return append(out,
		Forgery{"signature-removed", parts[0] + "." + parts[1] + "."},
		Forgery{"alg-none", encode(none) + "." + parts[1] + "."},
		Forgery{"alg-none-mixed-case", encode(nOnE) + "." + parts[1] + "."},
		Forgery{"alg-none-with-signature", encode(none) + "." + parts[1] + "." + parts[2]})
}

// SignedJWT reports whether a token is a JWT with a signature, good or bad.
func SignedJWT(token string) bool { return JWTClaims(token) != nil && !strings.HasSuffix(token, ".") }

// ChangeMiddle changes one character in the middle to one of another class: the first may be a mere prefix, the last may carry bits that
// decoders drop. Of nothing it makes something.
func ChangeMiddle(value string) string {
	if value == "" {
		return "0"
	}
	b := []byte(value)
	i := len(b) / 2
	for i < len(b)-1 && b[i] == '.' {
		i++
	}
	if b[i] >= '0' && b[i] <= '9' {
		b[i] = 'a' + (b[i] - '0')
	} else {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}

// Documents are the metadata documents that discovery found, the one that endpoints are taken from first, without those that repeat an
// earlier one word for word. How they were fetched becomes part of the check's evidence.
func (as *AS) Documents() []*Metadata {
	var out []*Metadata
	for _, doc := range as.run.info.Documents {
		if slices.ContainsFunc(out, func(m *Metadata) bool { return m.OpenID == doc.OpenID && reflect.DeepEqual(m.Members, doc.Members) }) {
			continue
		}
		out = append(out, doc)
		if doc.Exchange != nil {
			as.record(doc.Exchange)
		}
	}
	return out
}
