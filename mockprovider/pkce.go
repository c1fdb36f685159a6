package mockprovider

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
)

// checkChallenge checks code_challenge and code_challenge_method (RFC 7636 section 4.3, 4.4.1).
func (x *exchange) checkChallenge(a *authorizationRequest) *oauthError {
	challenge, given := x.params.lookup("code_challenge")
	method, methodGiven := x.params.lookup("code_challenge_method")
	if defaultMode(a.responseType) == "fragment" && !slices.Contains(a.responseType, "code") {
		return nil // no code that it could protect
	}
	if x.withoutPKCE() { // unknown parameters are ignored
		return nil
	}
	if err := x.guard("authorize.pkce.required", func() *oauthError {
		required := x.p.settings.PKCE.Required
		if !given && (required == "all" || required == "public" && a.client.Public) {
			return invalidRequest("code_challenge is missing (PKCE is required)")
		}
		return nil
	}); err != nil {
		return err
	}
	if !given {
		return x.guard("authorize.pkce.method_alone", func() *oauthError {
			if methodGiven {
				return invalidRequest("code_challenge_method without code_challenge")
			}
			return nil
		})
	}
	if !methodGiven {
		method = x.text("authorize.pkce.default_method", "plain")
	}
	if x.mode("authorize.pkce.method", "case-insensitive") {
		switch method {
		case "s256":
			method = "S256"
		case "PLAIN", "Plain":
			method = "plain"
		}
	}
	if err := x.guard("authorize.pkce.method", func() *oauthError {
		if !slices.Contains(x.p.settings.PKCE.Methods, method) {
			return invalidRequest("transform algorithm not supported: code_challenge_method " + printable(method))
		}
		return nil
	}); err != nil {
		return err
	}
	if method != "S256" && method != "plain" {
		switch { // a deviation let an unknown method pass
		case x.mode("authorize.pkce.method", "as-S256"):
			method = "S256"
		case x.mode("authorize.pkce.method", "as-none"):
			return nil
		default:
			method = "plain"
		}
	}
	a.challenge, a.challengeMethod = challenge, method
	return x.refuseIf("authorize.pkce.challenge_syntax", method == "S256" && len(challenge) != 43 || !unreservedOnly(challenge, 43, 128), invalidRequest, "code_challenge is malformed")
}

// withoutPKCE reports whether the provider knows no PKCE.
func (x *exchange) withoutPKCE() bool {
	return len(x.p.settings.PKCE.Methods) == 0 || x.mode("authorize.pkce", "ignore")
}

// unreservedOnly is the syntax of RFC 7636 section 4.1 and 4.2.
func unreservedOnly(s string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && keep(s, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' || r == '~'
	}) == s
}

// checkVerifier checks code_verifier against the code's challenge (RFC 7636 section 4.5, 4.6).
func (x *exchange) checkVerifier(c *code) *oauthError {
	verifier, given := x.params.lookup("code_verifier")
	if c.challenge == "" {
		return x.guard("token.authorization_code.code_verifier.unexpected", func() *oauthError {
			if given && !x.withoutPKCE() { // a downgrade: the challenge was taken out on the way (RFC 9700 section 4.8.2)
				return invalidGrant("code_verifier for a code without code_challenge")
			}
			return nil
		})
	}
	if err := x.refuseIf("token.authorization_code.code_verifier.required", !given, invalidGrant, "code_verifier is missing"); err != nil || !given {
		return err
	}
	if err := x.guard("token.authorization_code.code_verifier.syntax", func() *oauthError {
		longest, shortest := 128, 43
		if o := x.modeOp("token.authorization_code.code_verifier.syntax", "longer-only"); o != nil {
			shortest = max(o.Length, 44)
		}
		if o := x.modeOp("token.authorization_code.code_verifier.syntax", "shorter-only"); o != nil {
			longest = 127
			if o.Length > 0 {
				longest = o.Length
			}
		}
		if !unreservedOnly(verifier, shortest, longest) || x.mode("token.authorization_code.code_verifier.syntax", "alphanumeric") && keep(verifier, isAlnum) != verifier {
			return invalidGrant("code_verifier is malformed")
		}
		return nil
	}); err != nil {
		return err
	}
	return x.guard("token.authorization_code.code_verifier.match", func() *oauthError {
		if x.verifierMatches(c, verifier) {
			return nil
		}
		return invalidGrant("code_verifier does not match code_challenge")
	})
}

func isAlnum(r rune) bool {
	return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
}

func (x *exchange) verifierMatches(c *code, verifier string) bool {
	const step = "token.authorization_code.code_verifier.match"
	equal := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	sum := sha256.Sum256([]byte(verifier))
	hashed := encode64(sum[:])
	method := c.challengeMethod
	if x.mode(step, "method-from-request") {
		if asked := x.params.get("code_challenge_method"); asked != "" {
			method = asked
		}
	}
	switch {
	case x.mode(step, "padded-base64"): // expects the challenge with padding
		return equal(hashed+"=", c.challenge)
	case x.mode(step, "lenient-base64"): // takes a challenge with padding or in the standard alphabet
		return equal(hashed, strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(c.challenge))
	case x.mode(step, "any-challenge"): // the challenge of any authorization of this client
		found := false
		x.p.store.codes.each(func(_ string, other *code) {
			found = found || other.grant.client == c.grant.client && equal(hashed, other.challenge)
		})
		return found
	case x.mode(step, "challenge-as-verifier") && equal(verifier, c.challenge):
		return true
	case x.mode(step, "case-insensitive") && fold(verifier, hashed, c):
		return true
	case x.mode(step, "prefix") && len(verifier) >= 43 && method == "plain" && len(c.challenge) >= 43 && verifier[:43] == c.challenge[:43]:
		return true
	case x.mode(step, "never"):
		return false
	}
	if method == "plain" {
		return equal(verifier, c.challenge)
	}
	return equal(hashed, c.challenge)
}

func fold(verifier, hashed string, c *code) bool {
	if c.challengeMethod == "plain" {
		return lowerASCII(verifier) == lowerASCII(c.challenge)
	}
	return lowerASCII(hashed) == lowerASCII(c.challenge)
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
