package mockprovider

import (
	"net/http"
	"strings"
)

// introspection tells a resource server about a token (RFC 7662).
func (x *exchange) introspection() {
	o, err := x.introspect()
	if err != nil {
		x.fail("introspection.error", err)
		return
	}
	x.uncacheable()
	step := "introspection.response"
	if active, _ := o.get("active"); active != true {
		step = "introspection.inactive"
	}
	x.json(step, http.StatusOK, o)
}

func (x *exchange) introspect() (object, *oauthError) {
	if err := x.caller(); err != nil {
		return nil, err
	}
	if err := x.refuseIf("introspection.client_type", x.client.Public || x.mode("introspection.client_type", "client-credentials") && !x.client.mayUse("client_credentials"), invalidClient, "introspection is for clients that authenticate"); err != nil {
		return nil, err
	}
	value, given := x.params.lookup("token")
	if err := x.refuseIf("introspection.token.required", !given, invalidRequest, "token is missing"); err != nil {
		return nil, err
	}
	if err := x.hint(); err != nil {
		return nil, err
	}
	inactive := object{{"active", false}}
	t := x.tokenByHint(value)
	if t == nil {
		t, _ = x.laxToken(value, ".token.known")
	}
	if err := x.guard("introspection.token.known", func() *oauthError {
		if t == nil {
			return &oauthError{}
		}
		return nil
	}); err != nil {
		return inactiveOr(inactive, err)
	}
	if t == nil {
		t = x.anyAccessToken(value)
	}
	x.token, x.user, x.granted = t, t.grant.user, t.scope
	for _, check := range []struct {
		step string
		bad  func() bool
	}{
		{"introspection.token.expired", func() bool { return !t.expires.IsZero() && !x.now.Before(t.expires) }},
		{"introspection.token.revoked", func() bool { return t.dead() || t.kind == refreshToken && t.used.Load() }},
		{"introspection.token.visible", func() bool { return t.grant.client != x.client.ID && !x.client.Introspect }},
	} {
		if err := x.guard(check.step, func() *oauthError {
			if check.bad() {
				return &oauthError{} // not an error: the token is inactive (section 2.2)
			}
			return nil
		}); err != nil {
			return inactiveOr(inactive, err)
		}
	}
	return x.introspectionResponse(t), nil
}

// inactiveOr: a check that failed means an inactive token, unless a deviation made an error of it.
func inactiveOr(inactive object, err *oauthError) (object, *oauthError) {
	if err.Code != "" {
		return nil, err
	}
	return inactive, nil
}

func (x *exchange) introspectionResponse(t *token) object {
	keep := x.p.shuffle.keep
	o := object{{"active", true}, {"scope", strings.Join(t.scope, " ")}, {"client_id", t.grant.client}}
	if t.grant.user != nil && keep("introspection.username") {
		o = append(o, member{"username", t.grant.user.Username})
	}
	if t.kind == accessToken {
		o = append(o, member{"token_type", "Bearer"})
	}
	if !t.expires.IsZero() {
		o = append(o, member{"exp", t.expires.Unix()})
	}
	o = append(o, member{"iat", t.issued.Unix()})
	if keep("introspection.nbf") {
		o = append(o, member{"nbf", t.issued.Unix()})
	}
	o = append(o, member{"sub", t.grant.subject()})
	if len(t.audience) > 0 {
		o = append(o, member{"aud", oneOrMany(t.audience)})
	}
	if keep("introspection.iss") {
		o = append(o, member{"iss", x.issuer()})
	}
	o = append(o, t.grant.actorClaims()...)
	if t.id != "" && keep("introspection.jti") {
		o = append(o, member{"jti", t.id})
	}
	return o.with(t.extra, "nonce", "at_hash", "c_hash", "azp", "active", "exp", "iat")
}

// caller finds out who introspects: a client that authenticates or, where the settings allow it, the client of a bearer token.
func (x *exchange) caller() *oauthError {
	scheme, value, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	if !x.p.settings.IntrospectionBearer || !strings.EqualFold(scheme, "Bearer") {
		return x.clientRequest()
	}
	if err := x.checkMethod(http.MethodPost); err != nil {
		return err
	}
	if err := x.readParameters(false); err != nil {
		return err
	}
	if err := x.checkRepeated(); err != nil {
		return err
	}
	t, found := x.p.store.tokens.get(value)
	if found {
		x.client = x.p.client(t.grant.client)
	}
	if err := x.guard("introspection.bearer", func() *oauthError {
		if !found || t.kind != accessToken || t.dead() || !t.expires.IsZero() && !x.now.Before(t.expires) || x.client == nil || !x.client.Introspect {
			x.challenge("introspection.challenge", "Bearer", params{{"realm", x.p.realm()}, {"error", "invalid_token"}})
			return &oauthError{Code: "invalid_token", Description: "the bearer token does not authorize this call", Status: http.StatusUnauthorized}
		}
		return nil
	}); err != nil {
		return err
	}
	if x.client == nil || !x.client.Introspect { // a deviation let it pass
		for _, c := range x.p.clients() {
			if c.Introspect {
				x.client = c
			}
		}
	}
	return nil
}

// clientRequest are the checks that introspection and revocation have in common: a form by POST from a client that authenticates.
func (x *exchange) clientRequest() *oauthError {
	if err := x.checkMethod(http.MethodPost); err != nil {
		return err
	}
	if err := x.readParameters(x.r.Method == http.MethodGet); err != nil {
		return err
	}
	if err := x.checkRepeated(); err != nil {
		return err
	}
	return x.authenticateClient()
}

// hint: token_type_hint may be wrong or unknown, and is then ignored (RFC 7009 section 2.1, RFC 7662 section 2.1).
func (x *exchange) hint() *oauthError {
	hint := x.params.get("token_type_hint")
	return x.local(".hint", func() *oauthError {
		known := hint == "" || hint == accessToken || hint == refreshToken || hint == "auth_code" && x.flag("revocation.code", false)
		if !known && x.localMode(".hint", "known-only") {
			return &oauthError{Code: "unsupported_token_type", Description: "token_type_hint is not known"}
		}
		if hint != "" && hint != accessToken && x.localMode(".hint", "access-token-only") {
			return &oauthError{Code: "unsupported_token_type", Description: "only access tokens"}
		}
		if hint == "" && x.localMode(".hint", "required") {
			return invalidRequest("token_type_hint is missing")
		}
		return nil
	})
}

// tokenByHint finds a token; the hint only matters to a deviation.
func (x *exchange) tokenByHint(value string) *token {
	t, ok := x.p.store.tokens.get(value)
	if !ok {
		return nil
	}
	hint := x.params.get("token_type_hint")
	if hint != "" && hint != t.kind && x.localMode(".hint", "trusted") {
		return nil
	}
	if hint != "" && hint != accessToken && hint != refreshToken && x.localMode(".hint", "unknown-finds-nothing") {
		return nil
	}
	if hint == "" && t.kind == refreshToken && x.localMode(".hint", "default-access") {
		return nil
	}
	return t
}
