package target

import (
	"encoding/base64"
	"strings"
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
