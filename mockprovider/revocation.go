package mockprovider

import (
	"io"
	"net/http"
	"regexp"
)

// revocation revokes a token (RFC 7009).
func (x *exchange) revocation() {
	if x.p.settings.RevocationJSONP && x.r.Method == http.MethodGet {
		x.revocationScript()
		return
	}
	if err := x.revoke(); err != nil {
		x.fail("revocation.error", err)
		return
	}
	x.uncacheable()
	x.json("revocation.response", http.StatusOK, object{})
}

// callbackName is what a JSONP callback may be: identifiers joined by dots, so that nothing else gets into the script.
var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*$`)

// revocationScript answers a revocation by GET with a script (section 2.3).
func (x *exchange) revocationScript() {
	x.sent, _ = parseForm(x.r.URL.RawQuery, formDialect{})
	x.params = x.sent
	callback := x.params.get("callback")
	err := x.checkRepeated()
	if err == nil && !callbackName.MatchString(callback) {
		err = invalidRequest("callback is no name of a function")
	}
	if err == nil {
		err = x.authenticateClient()
	}
	if err == nil {
		err = x.revokeToken()
	}
	if !callbackName.MatchString(callback) {
		x.fail("revocation.error", err)
		return
	}
	argument := ""
	if err != nil {
		x.err = err
		argument = string(x.errorObject(err).encode())
	}
	x.uncacheable()
	x.w.Header().Set("Content-Type", "application/javascript")
	if x.mode("revocation.script", "plain-json") {
		_, _ = io.WriteString(x.w, "{}")
		return
	}
	_, _ = io.WriteString(x.w, callback+"("+argument+");")
}

func (x *exchange) revoke() *oauthError {
	if err := x.clientRequest(); err != nil {
		return err
	}
	if err := x.refuseIf("revocation.client_type", x.mode("revocation.client_type", "client-credentials") && !x.client.mayUse("client_credentials"), invalidClient, "this client may not revoke"); err != nil {
		return err
	}
	return x.revokeToken()
}

// revokeToken revokes what the parameters name, for the client that is known by now.
func (x *exchange) revokeToken() *oauthError {
	value, given := x.params.lookup("token")
	if err := x.refuseIf("revocation.token.required", !given, invalidRequest, "token is missing"); err != nil {
		return err
	}
	if err := x.hint(); err != nil {
		return err
	}
	if x.params.get("token_type_hint") == "auth_code" && x.flag("revocation.code", false) {
		if c, ok := x.p.store.codes.get(value); ok && c.grant.client == x.client.ID {
			c.used.Store(true)
		}
		return nil
	}
	t := x.tokenByHint(value)
	if err := x.guard("revocation.token.known", func() *oauthError { return nil }); t == nil && err != nil {
		return err
	}
	if t == nil {
		return nil // an unknown token is no error (section 2.2)
	}
	x.token, x.replay = t, t.dead()
	if err := x.guard("revocation.token.supported", func() *oauthError { return nil }); err != nil {
		return err
	}
	if err := x.guard("revocation.token.already_revoked", func() *oauthError { return nil }); t.dead() && err != nil {
		return err
	}
	foreign := t.grant.client != x.client.ID
	if err := x.guard("revocation.client_binding", func() *oauthError {
		if foreign && !x.mode("revocation.client_binding", "silent") {
			return unauthorizedClient("the token was issued to another client")
		}
		return nil
	}); err != nil {
		return err
	}
	if foreign && x.mode("revocation.client_binding", "silent") {
		return nil
	}
	if t.kind == accessToken {
		if x.flag("revocation.access_token", true) {
			t.revoked.Store(true)
			if t.pair != nil && x.mode("revocation.access_token", "pair") {
				t.pair.revoked.Store(true)
			}
		}
		return nil
	}
	if x.flag("revocation.refresh_token", true) {
		t.revoked.Store(true)
		t.grant.refreshRevoked.Store(true) // its successors, too
		if x.flag("revocation.cascade", true) {
			t.grant.accessRevoked.Store(true) // section 2.1
		}
	}
	return nil
}
