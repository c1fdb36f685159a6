package mockprovider

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// protected makes sure that a request to a protected resource carries an access token that opens it (RFC 6750), for one of the
// scope values in need. Its steps are ENDPOINT.token.…. With an error the request is already answered.
func (x *exchange) protected(need string) (*token, bool) {
	t, err := x.bearer(need)
	if err != nil {
		x.challengeBearer(err)
		return nil, false
	}
	return t, true
}

func (x *exchange) bearer(need string) (*token, *oauthError) {
	values, err := x.presentedTokens()
	if err != nil {
		return nil, err
	}
	if err := x.local(".token.multiple", func() *oauthError {
		if len(values) > 1 {
			return &oauthError{Code: "invalid_request", Description: "the access token was sent in more than one way", Status: http.StatusBadRequest}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := x.local(".token.required", func() *oauthError {
		if len(values) == 0 {
			return &oauthError{Status: http.StatusUnauthorized} // no error code (RFC 6750 section 3.1)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	value := ""
	if len(values) > 0 {
		value = values[len(values)-1]
	}
	t, err := x.lookUpToken(value, ".token")
	if err != nil {
		return nil, err
	}
	x.token, x.user, x.granted = t, t.grant.user, t.scope
	if err := x.local(".token.audience", func() *oauthError {
		if slices.Contains(t.audience, x.url("resource")) || slices.Contains(t.audience, x.p.Endpoint("resource")) || len(x.p.settings.AccessToken.Audience) > 0 && slices.Equal(t.audience, x.p.settings.AccessToken.Audience) || x.endpoint != "resource" {
			return nil
		}
		return invalidToken("the access token is for another resource")
	}); err != nil {
		return nil, err
	}
	return t, x.local(".token.scope", func() *oauthError {
		if need != "" && !slices.Contains(t.scope, need) {
			return &oauthError{Code: "insufficient_scope", Description: "the access token lacks a scope", Status: http.StatusForbidden, Scope: need}
		}
		return nil
	})
}

// presentedTokens finds the access token in the Authorization header or the form (RFC 6750 section 2.1, 2.2), and in the query
// (section 2.3) where the settings allow it.
func (x *exchange) presentedTokens() ([]string, *oauthError) {
	if err := x.readResourceParameters(); err != nil {
		return nil, err
	}
	if err := x.local(".token.one_header", func() *oauthError {
		if len(x.r.Header.Values("Authorization")) > 1 {
			return &oauthError{Code: "invalid_request", Description: "there are several Authorization headers", Status: http.StatusBadRequest}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var values []string
	header := x.r.Header.Get("Authorization")
	if header != "" && !x.localMode(".token.header", "off") {
		if err := x.local(".token.scheme", func() *oauthError { return nil }); err != nil {
			err.Status = http.StatusBadRequest
			return nil, err
		}
		scheme, value, _ := strings.Cut(header, " ")
		isBearer := strings.EqualFold(scheme, "Bearer")
		if x.localMode(".token.header", "case-sensitive") {
			isBearer = scheme == "Bearer"
		}
		if x.localMode(".token.header", "any-scheme") {
			isBearer = true
			if value == "" {
				value = scheme
			}
		}
		if isBearer {
			value = strings.Trim(value, " ")
			if err := x.local(".token.syntax", func() *oauthError {
				if !isB64Token(value) {
					return &oauthError{Code: "invalid_request", Description: "the Authorization header is malformed", Status: http.StatusBadRequest}
				}
				return nil
			}); err != nil {
				return nil, err
			}
			if x.localMode(".token.syntax", "first-word") {
				value = strings.TrimLeft(cut(cut(value, " "), ","), `"`)
			}
			if x.localMode(".token.syntax", "unquote") {
				value = strings.Trim(value, `"`)
			}
			values = append(values, value)
		}
	}
	sent := x.params.all("access_token")
	if err := x.local(".token.repeated", func() *oauthError {
		if len(sent) > 1 {
			return &oauthError{Code: "invalid_request", Description: "access_token occurs more than once", Status: http.StatusBadRequest}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if len(sent) > 0 {
		values = append(values, sent[0])
	}
	if fromQuery := x.query.all("access_token"); len(fromQuery) > 0 && x.r.URL.RawQuery != "" {
		if x.p.settings.QueryToken || x.endpoint == "tokeninfo" || x.localMode(".token.query", "on") {
			if len(fromQuery) > 1 && !x.skipped(x.endpoint+".token.repeated") {
				return nil, &oauthError{Code: "invalid_request", Description: "access_token occurs more than once", Status: http.StatusBadRequest}
			}
			values = append(values, fromQuery[0])
			x.w.Header().Set("Cache-Control", "private") // RFC 6750 section 2.3
		}
	}
	return values, nil
}

// readResourceParameters reads the query, and the body of a POST with form content (RFC 6750 section 2.2).
func (x *exchange) readResourceParameters() *oauthError {
	x.query, _ = parseForm(x.r.URL.RawQuery, formDialect{})
	if len(x.program) != 0 {
		x.query = x.normaliseNames(x.endpoint+".parameters", x.query)
	}
	isForm := strings.HasPrefix(strings.ToLower(x.r.Header.Get("Content-Type")), "application/x-www-form-urlencoded")
	if x.r.Method == http.MethodGet || x.r.Method == http.MethodHead || !isForm || x.localMode(".token.form", "off") {
		if !x.localMode(".token.form", "any") {
			return nil
		}
	}
	query := x.query
	if err := x.readParameters(false); err != nil {
		err.Status = http.StatusBadRequest
		return err
	}
	x.query = query
	return nil
}

// isB64Token is the syntax of RFC 6750 section 2.1.
func isB64Token(s string) bool {
	trimmed := strings.TrimRight(s, "=")
	return trimmed != "" && keep(trimmed, func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/", r))
	}) == trimmed
}

// lookUpToken finds a live access token; its steps are ENDPOINT + prefix + .known and so on.
func (x *exchange) lookUpToken(value, prefix string) (*token, *oauthError) {
	t, found := x.p.store.tokens.get(value)
	if !found {
		t, found = x.laxToken(value, prefix+".known")
	}
	if err := x.local(prefix+".known", func() *oauthError {
		if !found {
			return invalidToken("the access token is not known")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if !found {
		t = x.anyAccessToken(value)
	}
	x.token = t
	if err := x.local(prefix+".kind", func() *oauthError {
		if t.kind != accessToken {
			return invalidToken("this is not an access token")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := x.local(prefix+".expired", func() *oauthError {
		if !t.expires.IsZero() && !x.now.Before(t.expires) {
			return invalidToken("the access token has expired")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return t, x.local(prefix+".revoked", func() *oauthError {
		if t.dead() {
			return invalidToken("the access token was revoked")
		}
		return nil
	})
}

// laxToken applies the modes that recognise a token which was not issued as it is.
func (x *exchange) laxToken(value, step string) (*token, bool) {
	if len(x.program) == 0 {
		return nil, false
	}
	if x.localMode(step, "unverified-jwt") {
		if payload, ok := unverifiedClaims(value); ok {
			return x.tokenOfClaims(value, payload)
		}
	}
	if x.localMode(step, "signed-jwt") {
		if payload, err := x.p.keys.verify(value, x.variable("secret", nil)); err == nil {
			return x.tokenOfClaims(value, payload)
		}
	}
	for _, lax := range []struct {
		mode string
		same func(known, value string) bool
	}{
		{"prefix", func(k, v string) bool { return len(v) >= 16 && len(k) >= 16 && k[:16] == v[:16] }},
		{"signature-ignored", func(k, v string) bool {
			i := strings.LastIndexByte(k, '.')
			return i > 0 && strings.HasPrefix(v, k[:i+1])
		}},
		{"case-insensitive", strings.EqualFold},
	} {
		if !x.localMode(step, lax.mode) {
			continue
		}
		var match *token
		x.p.store.tokens.each(func(known string, t *token) {
			if lax.same(known, value) {
				match = t
			}
		})
		if match != nil {
			return match, true
		}
	}
	return nil, false
}

// tokenOfClaims believes the claims of a JWT.
func (x *exchange) tokenOfClaims(value string, payload []byte) (*token, bool) {
	var claims struct {
		Sub      string  `json:"sub"`
		ClientID string  `json:"client_id"`
		Scope    string  `json:"scope"`
		Exp      float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	t := x.anyAccessToken(value)
	t.grant.client = claims.ClientID
	if claims.Scope != "" {
		t.scope = words(claims.Scope)
	}
	for _, u := range x.p.users() {
		if u.Sub == claims.Sub {
			t.grant.user = u
		}
	}
	if claims.Exp != 0 {
		t.expires = time.Unix(int64(claims.Exp), 0)
	}
	return t, true
}

// anyAccessToken stands for an access token that a deviation lets pass although it is not known.
func (x *exchange) anyAccessToken(value string) *token {
	g := &grant{user: x.p.user(x.p.settings.AutoUser), scope: x.p.settings.Scopes, authTime: x.now}
	for _, c := range x.p.clients() {
		g.client = c.ID
		break
	}
	return &token{value: value, kind: accessToken, grant: g, scope: g.scope, issued: x.now, expires: x.now.Add(time.Minute), audience: []string{x.url("resource")}}
}

// challengeBearer answers with WWW-Authenticate: Bearer (RFC 6750 section 3).
func (x *exchange) challengeBearer(e *oauthError) {
	x.err = e
	status := e.Status
	if status == 0 {
		status = http.StatusUnauthorized
	}
	if e.Allow != "" {
		x.w.Header().Set("Allow", e.Allow)
	}
	ps := params{{"realm", x.p.realm()}}
	if e.Code != "" {
		ps = append(ps, param{"error", e.Code})
		if e.Description != "" && x.p.shuffle.keep("challenge.error_description") {
			ps = append(ps, param{"error_description", e.Description})
		}
	}
	if e.Scope != "" && x.p.shuffle.keep("challenge.scope") {
		ps = append(ps, param{"scope", e.Scope})
	}
	if e.URI != "" {
		ps = append(ps, param{"error_uri", e.URI})
	}
	if e.Allow == "" {
		x.challenge(x.endpoint+".challenge", "Bearer", ps)
	}
	x.w.Header().Set("Cache-Control", "no-store")
	x.json(x.endpoint+".error", status, x.errorObject(e))
}

// userinfo is OpenID Connect Core section 5.3.
func (x *exchange) userinfo() {
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		x.challengeBearer(err)
		return
	}
	t, ok := x.protected("openid")
	if !ok {
		return
	}
	o := object{{"sub", t.grant.subject()}}
	if t.grant.user != nil {
		o = append(o, userClaims(t.grant.user, t.scope)...)
	}
	o = o.with(t.extra, tokenOnly...)
	if x.w.Header().Get("Cache-Control") == "" {
		x.w.Header().Set("Cache-Control", "no-store")
	}
	x.json("userinfo.response", http.StatusOK, o)
}

// emailClaims go with the scope email, everything else with profile (OpenID Connect Core section 5.4).
var emailClaims = []string{"email", "email_verified"}

func userClaims(u *ResourceOwner, scope []string) object {
	var o object
	for _, name := range sortedKeys(u.Claims) {
		need := "profile"
		if slices.Contains(emailClaims, name) {
			need = "email"
		}
		if standardClaims[name] && slices.Contains(scope, need) {
			o = append(o, member{name, u.Claims[name]})
		}
	}
	return o
}

// tokeninfo tells about an access token whoever has it, as servers did before RFC 7662: audience, scope, expires_in.
func (x *exchange) tokeninfo() {
	err := x.checkMethod(http.MethodGet, http.MethodPost)
	var t *token
	if err == nil {
		t, err = x.bearer("")
	}
	if err != nil {
		if err.Status == 0 || err.Status == http.StatusUnauthorized {
			err.Status = http.StatusBadRequest
		}
		if err.Code == "" {
			err.Code, err.Description = "invalid_request", "the access token is missing"
		}
		x.fail("tokeninfo.error", err)
		return
	}
	o := object{{"audience", t.grant.client}, {"scope", strings.Join(t.scope, " ")}}
	if !t.expires.IsZero() {
		o = append(o, member{"expires_in", int64(t.expires.Sub(x.now) / time.Second)})
	}
	if t.grant.user != nil {
		o = append(o, member{"user_id", t.grant.subject()})
	}
	x.uncacheable()
	x.json("tokeninfo.response", http.StatusOK, o)
}

// resource is a protected resource that wants the scope read, for tests of access tokens.
func (x *exchange) resource() {
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		x.challengeBearer(err)
		return
	}
	t, ok := x.protected("read")
	if !ok {
		return
	}
	o := object{{"resource", "protected content"}, {"sub", t.grant.subject()}, {"client_id", t.grant.client}, {"scope", strings.Join(t.scope, " ")}}
	if x.w.Header().Get("Cache-Control") == "" {
		x.w.Header().Set("Cache-Control", "no-store")
	}
	x.json("resource.response", http.StatusOK, o)
}
