package mockprovider

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jwtBearerGrant is the grant type of RFC 7523 section 2.1, jwtBearerAssertion the client assertion type of section 2.2.
const (
	jwtBearerGrant     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	jwtBearerAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// assertion is a JWT that a client or an issuer signed (RFC 7523 section 3), as far as it can be read.
type assertion struct {
	alg       string
	keyID     string
	claims    map[string]any
	input     string // what is signed
	signature []byte
	defect    string // why it is no well-formed JWT, "" for none
}

// readAssertion reads a JWT without believing any of it. step is the tail of the names of its steps.
func (x *exchange) readAssertion(step, compact string) *assertion {
	if first, _, several := strings.Cut(compact, " "); several && x.localMode(step+".syntax", "first-of-several") {
		compact = first
	}
	a := &assertion{claims: map[string]any{}}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		a.defect = "it is no JWS in compact form"
		return a
	}
	var header struct {
		Algorithm string   `json:"alg"`
		KeyID     string   `json:"kid"`
		Critical  []string `json:"crit"`
	}
	rawHeader, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	payload, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err3 := base64.RawURLEncoding.DecodeString(parts[2])
	if err := cmp.Or(err1, err2, err3, json.Unmarshal(rawHeader, &header)); err != nil {
		a.defect = "it is no JWS in compact form"
		return a
	}
	a.alg, a.keyID, a.signature, a.input = header.Algorithm, header.KeyID, signature, parts[0]+"."+parts[1]
	if json.Unmarshal(payload, &a.claims) != nil || a.claims == nil {
		a.claims, a.defect = map[string]any{}, "its payload is no JSON object"
		return a
	}
	if x.localMode(step+".syntax", "string-numbers") {
		for _, name := range []string{"exp", "nbf", "iat"} {
			if n, err := strconv.ParseFloat(toText(a.claims[name]), 64); err == nil {
				a.claims[name] = n
			}
		}
	}
	if len(header.Critical) > 0 && !x.localMode(step+".syntax", "crit-ignored") {
		a.defect = "its header has critical members that are not understood" // RFC 7515 section 4.1.11
	}
	for _, name := range sortedKeys(a.claims) {
		if !goodClaim(name, a.claims[name]) {
			a.defect = "its claim " + name + " has the wrong JSON type"
		}
	}
	return a
}

// goodClaim reports whether a registered claim has the type that RFC 7519 section 4.1 says.
func goodClaim(name string, value any) bool {
	good := true
	switch name {
	case "iss", "sub", "jti":
		_, good = value.(string)
	case "exp", "nbf", "iat":
		_, good = value.(float64)
	case "aud":
		if _, one := value.(string); !one {
			list, many := value.([]any)
			good = many && !slices.ContainsFunc(list, func(item any) bool { _, ok := item.(string); return !ok })
		}
	}
	return good
}

func (a *assertion) text(claim string) string {
	s, _ := a.claims[claim].(string)
	return s
}

func (a *assertion) time(claim string) (time.Time, bool) {
	seconds, ok := a.claims[claim].(float64)
	return time.Unix(int64(seconds), 0), ok
}

// audiences are the values of aud.
func (a *assertion) audiences() []string {
	switch aud := a.claims["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		return metadata(a.claims).list("aud")
	}
	return nil
}

// checkAssertion is what RFC 7523 section 3 demands of every assertion beside its issuer and subject. keys and secret are what its
// issuer may sign with.
func (x *exchange) checkAssertion(step string, a *assertion, keys keyring, secret string, refuse func(string) *oauthError) *oauthError {
	expires, hasExpiry := a.time("exp")
	notBefore, hasStart := a.time("nbf")
	for _, check := range []struct {
		step, why string
		bad       func() bool
	}{
		{".aud", "the assertion is not for this server", func() bool {
			list := a.audiences()
			return !x.isAudience(list) && !(len(list) == 0 && x.localMode(step+".aud", "missing")) && !(len(list) > 0 && x.localMode(step+".aud", "prefix") && strings.HasPrefix(list[0], x.p.origin))
		}},
		{".exp", "the assertion has expired, or has no time of expiry", func() bool {
			if !hasExpiry {
				return !x.localMode(step+".exp", "missing")
			}
			return !x.now.Before(expires) && !x.localMode(step+".exp", "expired")
		}},
		{".nbf", "the assertion is not valid yet", func() bool { return hasStart && x.now.Before(notBefore) }},
		{".signature", "the signature of the assertion does not verify", func() bool { return !x.signed(step, a, keys, secret) }},
		{".jti", "the assertion was used before", func() bool {
			return a.text("jti") != "" && !x.p.store.assertions.add(a.text("iss")+"\x00"+a.text("jti"), true)
		}},
	} {
		if err := x.local(step+check.step, func() *oauthError {
			if check.bad() {
				return refuse(check.why)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// isAudience reports whether an audience names this server: by its issuer identifier, its token endpoint or the endpoint that is asked.
func (x *exchange) isAudience(audiences []string) bool {
	return slices.ContainsFunc(audiences, func(aud string) bool {
		return aud == x.issuer() || aud == x.url("token") || aud == x.url(x.endpoint)
	})
}

// signed verifies the signature: HS256 and its kin with the secret, all other algorithms with one of the keys.
func (x *exchange) signed(step string, a *assertion, keys keyring, secret string) bool {
	const signature = ".signature"
	switch {
	case isMAC(a.alg) && secret != "":
		return hmac.Equal(a.signature, macOf(a.alg, a.input, []byte(secret)))
	case strings.EqualFold(a.alg, "none"):
		return x.localMode(step+signature, "alg-none")
	case a.alg == "HS256" && x.localMode(step+signature, "hs256-public-key"):
		return slices.ContainsFunc(keys.named(a.keyID), func(key crypto.PublicKey) bool {
			der, err := x509.MarshalPKIXPublicKey(key)
			return err == nil && hmac.Equal(a.signature, macOf(a.alg, a.input, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
		})
	}
	return slices.ContainsFunc(keys.named(a.keyID), func(key crypto.PublicKey) bool { return verifies(a.alg, key, a.input, a.signature) })
}

// isMAC reports whether an algorithm signs with a secret (RFC 7518 section 3.2).
func isMAC(algorithm string) bool {
	return slices.Contains(algorithms, algorithm) && strings.HasPrefix(algorithm, "HS")
}

func macOf(algorithm, input string, key []byte) []byte {
	s := signature{algorithm: algorithm}
	return s.mac(key, []byte(input))
}

// verifies checks a signature with a public key (RFC 7518 section 3.3 to 3.5, RFC 8037 section 3.1). Every curve has one algorithm.
func verifies(algorithm string, key crypto.PublicKey, input string, signature []byte) bool {
	if !slices.Contains(algorithms, algorithm) {
		return false
	}
	id, _ := hashOf(algorithm)
	digest := digestOf(id, []byte(input))
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch algorithm[:2] {
		case "RS":
			return rsa.VerifyPKCS1v15(key, id, digest, signature) == nil
		case "PS":
			return rsa.VerifyPSS(key, id, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		return algorithm == map[int]string{32: "ES256", 48: "ES384", 66: "ES512"}[size] && len(signature) == 2*size &&
			ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	case ed25519.PublicKey:
		return algorithm == "EdDSA" && ed25519.Verify(key, []byte(input), signature)
	}
	return false
}

// assertedClient reads a client assertion (RFC 7523 section 2.2) and returns which client it is about: what most of iss, sub and
// client_id say. Its steps are ENDPOINT.client_authentication.assertion.….
func (x *exchange) assertedClient() (id string, err *oauthError) {
	const step = ".client_authentication.assertion"
	value, given := x.params.lookup("client_assertion")
	if err := x.local(step+".required", func() *oauthError {
		if !given {
			return invalidClient("client_assertion is missing")
		}
		return nil
	}); err != nil {
		return "", err
	}
	if err := x.local(step+".type", func() *oauthError {
		if x.params.get("client_assertion_type") != jwtBearerAssertion {
			return invalidClient("client_assertion_type is not supported")
		}
		return nil
	}); err != nil {
		return "", err
	}
	a := x.readAssertion(step, value)
	if err := x.local(step+".syntax", func() *oauthError {
		if a.defect != "" {
			return invalidClient("the assertion is malformed: " + a.defect)
		}
		return nil
	}); err != nil {
		return "", err
	}
	x.assertion = a
	iss, sub, bodyID := a.text("iss"), a.text("sub"), x.params.get("client_id")
	switch {
	case iss == sub && iss != "":
		id = iss
	case bodyID != "":
		id = bodyID
	case x.p.client(iss) != nil && x.skipped(x.endpoint+step+".sub"):
		id = iss
	default:
		id = cmp.Or(sub, iss)
	}
	x.auth = "private_key_jwt"
	if c := x.p.client(id); isMAC(a.alg) && (c == nil || len(c.keys()) == 0) {
		x.auth = "client_secret_jwt"
	}
	return id, x.local(".client_authentication.client_id_match", func() *oauthError {
		if bodyID != "" && bodyID != id {
			return invalidRequest("client_id differs from the client of the assertion")
		}
		return nil
	})
}

// checkClientAssertion authenticates x.client by its assertion (RFC 7523 section 3).
func (x *exchange) checkClientAssertion() *oauthError {
	const step = ".client_authentication.assertion"
	for _, claim := range []string{".iss", ".sub"} {
		if err := x.local(step+claim, func() *oauthError {
			if x.assertion.text(claim[1:]) != x.client.ID {
				return invalidClient(claim[1:] + " of the assertion is not the client")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	secret := ""
	if x.auth == "client_secret_jwt" {
		secret = x.client.Secret
	}
	return x.checkAssertion(step, x.assertion, x.client.keys(), secret, invalidClient)
}

// grantJWTBearer is the JWT bearer grant (RFC 7523 section 2.1): an issuer that the provider trusts speaks for a user.
func (x *exchange) grantJWTBearer() *oauthError {
	const step = ".jwt_bearer.assertion"
	value, given := x.params.lookup("assertion")
	if err := x.refuseIf("token.jwt_bearer.assertion.required", !given, invalidRequest, "assertion is missing"); err != nil {
		return err
	}
	a := x.readAssertion(step, value)
	if err := x.local(step+".syntax", func() *oauthError {
		if a.defect != "" {
			return invalidGrant("the assertion is malformed: " + a.defect)
		}
		return nil
	}); err != nil {
		return err
	}
	issuer, trusted := x.p.settings.TrustedIssuers[a.text("iss")]
	if err := x.refuseIf("token.jwt_bearer.assertion.iss", !trusted, invalidGrant, "the issuer of the assertion is not trusted"); err != nil {
		return err
	}
	keys := issuer.keys()
	if !trusted { // a deviation let it pass: whoever signed may be any of the trusted ones
		for _, name := range sortedKeys(x.p.settings.TrustedIssuers) {
			keys = append(keys, x.p.settings.TrustedIssuers[name].keys()...)
		}
	}
	user := x.subjectOf(a)
	if err := x.refuseIf("token.jwt_bearer.assertion.sub", user == nil, invalidGrant, "the subject of the assertion is not known"); err != nil {
		return err
	}
	if user == nil {
		user = x.p.user(x.p.settings.AutoUser)
	}
	if err := x.checkAssertion(step, a, keys, "", invalidGrant); err != nil {
		return err
	}
	x.user = user
	g, err := x.grantAtToken(user)
	if err != nil {
		return err
	}
	t := issued{access: x.issueAccess(g, g.scope), asked: x.params.get("scope")}
	if x.flag("token.jwt_bearer.refresh_token", false) {
		t.refresh = x.issueRefresh(g, g.scope, nil)
	}
	x.respondToken(t)
	return nil
}

// assertingClient is the client of a JWT bearer grant that names none: the issuer of the assertion, if it is a registered client. Client
// authentication is optional there (RFC 7521 section 4.1), and service accounts leave it out. Nil if there is no such client.
func (x *exchange) assertingClient() *RegisteredClient {
	if x.params.get("grant_type") != jwtBearerGrant {
		return nil
	}
	return x.p.client(x.readAssertion(".jwt_bearer.assertion", x.params.get("assertion")).text("iss"))
}

// subjectOf is the user that an assertion speaks for, by login name or subject identifier; nil if there is none.
func (x *exchange) subjectOf(a *assertion) *ResourceOwner {
	if user := x.p.user(a.text("sub")); user != nil {
		return user
	}
	return x.p.userBySub(a.text("sub"))
}
