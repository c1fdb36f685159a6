package mockprovider

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
)

// authenticateClient finds out which client sends a request and makes sure of it (RFC 6749 section 2.3, 3.2.1). Every endpoint
// that wants client authentication has these steps under its own name: ENDPOINT.client_authentication.….
// A nil error means that x.client is set.
func (x *exchange) authenticateClient() *oauthError {
	const auth = ".client_authentication"
	id, secret, hasSecret, err := x.clientCredentials()
	if err != nil {
		return err
	}
	attempted := x.auth == "client_secret_basic"
	refused := func(e *oauthError) *oauthError {
		e.Challenge = attempted
		return e
	}
	if id == "" && x.auth == "none" && x.endpoint == TokenEndpoint {
		if x.client = x.assertingClient(); x.client != nil {
			return nil // the grant checks who signed
		}
	}
	if err := x.local(auth+".identified", func() *oauthError {
		if id == "" {
			return refused(invalidClient("client authentication is missing"))
		}
		return nil
	}); err != nil {
		return err
	}
	if id == "" { // a deviation let it pass: the owner of the code or token
		x.client = x.ownerOfGrant(id)
		return nil
	}
	x.client = x.p.client(id)
	if x.client == nil && x.localMode(auth+".known", "case-insensitive") {
		for _, c := range x.p.clients() {
			if strings.EqualFold(c.ID, id) {
				x.client = c
			}
		}
	}
	if err := x.local(auth+".known", func() *oauthError {
		if x.client == nil {
			return refused(invalidClient("the client is not known"))
		}
		return nil
	}); err != nil {
		return err
	}
	if x.client == nil { // a deviation let it pass: the owner of the code or token, or a client that may do anything
		x.client = x.ownerOfGrant(id)
		return nil
	}
	if x.auth == "none" && !x.client.Public && x.client.Secret == "" && len(x.client.keys()) == 0 {
		x.auth = "client_secret_post" // an empty secret may be left out (section 2.3.1)
	}
	if err := x.local(auth+".required", func() *oauthError {
		if !x.client.Public && !hasSecret && (x.client.Secret != "" || len(x.client.keys()) > 0) { // no secret is an empty one (section 2.3.1)
			return refused(invalidClient("the client has to authenticate"))
		}
		return nil
	}); err != nil {
		return err
	}
	if err := x.local(auth+".method", func() *oauthError {
		allowed := x.client.AuthMethods
		if len(allowed) == 0 {
			allowed = x.p.settings.ClientAuthMethods
		}
		if !slices.Contains(allowed, x.auth) {
			return refused(invalidClient("the client may not authenticate by " + x.auth))
		}
		return nil
	}); err != nil {
		return err
	}
	if x.assertion != nil {
		return x.checkClientAssertion()
	}
	return x.local(auth+".secret", func() *oauthError {
		if x.secretMatches(secret, hasSecret) {
			return nil
		}
		return refused(invalidClient("client authentication failed"))
	})
}

func (x *exchange) secretMatches(secret string, given bool) bool {
	const step = ".client_authentication.secret"
	want := x.client.Secret
	if x.client.Public {
		return secret == "" // a public client has none; an empty one counts as left out
	}
	if !given {
		return true // judged by the step required
	}
	switch {
	case len(x.program) == 0:
	case x.localMode(step, "empty") && secret == "",
		x.localMode(step, "prefix") && secret != "" && strings.HasPrefix(want, secret),
		x.localMode(step, "extended") && strings.HasPrefix(secret, want),
		x.localMode(step, "case-insensitive") && strings.EqualFold(secret, want),
		x.localMode(step, "trim") && strings.TrimSpace(secret) == want:
		return true
	}
	return subtle.ConstantTimeCompare([]byte(secret), []byte(want)) == 1
}

// clientCredentials reads the credentials from the Authorization header or the body, sets x.auth, and refuses two methods at once.
func (x *exchange) clientCredentials() (id, secret string, hasSecret bool, err *oauthError) {
	const auth = ".client_authentication"
	bodyID, idInBody := x.params.lookup("client_id")
	bodySecret, secretInBody := x.params.lookup("client_secret")
	if x.localMode(auth+".post", "off") {
		secretInBody = false
	}
	if x.localMode(auth+".post", "not-read") {
		bodyID, idInBody, secretInBody = "", false, false
	}
	header := x.r.Header.Get("Authorization")
	if (x.params.has("client_assertion") || x.params.has("client_assertion_type")) && !x.localMode(auth+".assertion", "off") {
		if err := x.local(auth+".multiple", func() *oauthError {
			if secretInBody || header != "" {
				return invalidRequest("the client used more than one authentication method")
			}
			return nil
		}); err != nil {
			return "", "", false, err
		}
		id, err = x.assertedClient()
		return id, "", true, err
	}
	if header != "" && !x.localMode(auth+".basic", "off") {
		id, secret, err = x.basicCredentials(header)
		if err != nil {
			return "", "", false, err
		}
		if id != "" {
			return x.withBasic(id, secret, bodyID, idInBody, bodySecret, secretInBody)
		}
	}
	if secretInBody {
		x.auth = "client_secret_post"
		return bodyID, bodySecret, true, nil
	}
	x.auth = "none"
	if bodySecret, sent := x.sent.lookup("client_secret"); sent && bodySecret == "" && x.localMode(auth+".secret", "empty") {
		return bodyID, "", true, nil
	}
	return bodyID, "", false, nil
}

// withBasic compares what the header says with what else was sent.
func (x *exchange) withBasic(id, secret, bodyID string, idInBody bool, bodySecret string, secretInBody bool) (string, string, bool, *oauthError) {
	const auth = ".client_authentication"
	if err := x.local(auth+".multiple", func() *oauthError {
		if secretInBody {
			return invalidRequest("the client used more than one authentication method")
		}
		return nil
	}); err != nil {
		return "", "", false, err
	}
	if err := x.local(auth+".client_id_match", func() *oauthError {
		if idInBody && bodyID != id {
			return invalidRequest("client_id differs from the authenticated client")
		}
		return nil
	}); err != nil {
		return "", "", false, err
	}
	if secretInBody && x.localMode(auth+".multiple", "body") {
		x.auth = "client_secret_post"
		return cmp.Or(bodyID, id), bodySecret, true, nil
	}
	if idInBody && x.localMode(auth+".client_id_match", "body") {
		return bodyID, secret, true, nil
	}
	return id, secret, secret != "" || !x.emptyMeansNone(id), nil
}

// emptyMeansNone: an empty password in Basic says that a public client names itself.
func (x *exchange) emptyMeansNone(id string) bool {
	c := x.p.client(id)
	return c != nil && c.Public
}

// basicCredentials reads HTTP Basic credentials whose parts are form-encoded (RFC 6749 section 2.3.1). An empty id means that
// the header holds no client credentials.
func (x *exchange) basicCredentials(header string) (id, secret string, err *oauthError) {
	const auth = ".client_authentication"
	scheme, encoded, _ := strings.Cut(header, " ")
	isBasic := strings.EqualFold(scheme, "Basic")
	if x.localMode(auth+".basic", "case-sensitive-scheme") {
		isBasic = scheme == "Basic"
	}
	if err := x.local(auth+".scheme", func() *oauthError {
		if !isBasic {
			e := invalidClient("the authentication scheme is not supported")
			e.Challenge = true
			return e
		}
		return nil
	}); err != nil || !isBasic {
		return "", "", err
	}
	x.auth = "client_secret_basic"
	raw, decodeErr := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	rawID, rawSecret, hasColon := strings.Cut(string(raw), ":")
	if x.localMode(auth+".basic", "second-colon-ends") {
		rawSecret = cut(rawSecret, ":")
	}
	if (decodeErr != nil || !hasColon || rawID == "") && x.localMode(auth+".header", "ignored") {
		x.auth = ""
		return "", "", nil
	}
	dialect := formDialect{}
	id, good1 := dialect.decode(rawID)
	secret, good2 := dialect.decode(rawSecret)
	if x.localMode(auth+".basic", "not-decoded") {
		id, secret, good1, good2 = rawID, rawSecret, true, true
	}
	if x.localMode(auth+".basic", "id-not-decoded") {
		id, good1 = rawID, true
	}
	if x.localMode(auth+".basic", "secret-not-decoded") {
		secret, good2 = rawSecret, true
	}
	if x.localMode(auth+".basic", "both-spellings") && x.p.client(rawID) != nil && x.p.client(rawID).Secret == rawSecret {
		id, secret, good1, good2 = rawID, rawSecret, true, true
	}
	if err := x.local(auth+".header", func() *oauthError {
		if decodeErr != nil || !hasColon || !good1 || !good2 || id == "" {
			e := invalidClient("the Authorization header is malformed")
			e.Challenge = true
			return e
		}
		return nil
	}); err != nil {
		return "", "", err
	}
	return id, secret, nil
}

// ownerOfGrant stands in for a client that a deviation lets pass although it is not known.
func (x *exchange) ownerOfGrant(id string) *RegisteredClient {
	if c, ok := x.p.store.codes.get(x.params.get("code")); ok {
		return x.p.client(c.grant.client)
	}
	for _, name := range []string{"refresh_token", "token"} {
		if t, ok := x.p.store.tokens.get(x.params.get(name)); ok {
			return x.p.client(t.grant.client)
		}
	}
	return &RegisteredClient{ID: id, Name: id, Kind: "service", Secret: "unknown"}
}
