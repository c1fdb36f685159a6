package mockprovider

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mint makes the value of a code or token: at least 160 random bits (RFC 6749 section 10.10), unless a deviation of the step wants less.
func (x *exchange) mint(step string) string {
	if len(x.program) != 0 {
		if value, ok := x.mintDeviated(step); ok {
			return value
		}
	}
	if s := x.p.shuffle; s != nil {
		return x.p.random.text(s.tokenLength, s.tokenCharset)
	}
	return x.p.random.text(43, base64URL)
}

// The modes of steps that make secrets.
var mintModes = []Mode{
	{"counter", "a number that counts up from 1000001"},
	{"short", "six random letters and digits (31 bits)"},
	{"numeric", "eight random digits"},
	{"uuid", "a random UUID (122 bits)"},
	{"medium", "22 random letters and digits (131 bits): enough for 128, not for 160"},
	{"same", "the same value every time"},
	{"same-per-client", "the same value for a client every time"},
	{"timestamp", "the time in microseconds"},
	{"timestamp-hash", "the SHA-256 hash of the time in seconds and a counter below 16"},
	{"bad-characters", "has characters outside of printable ASCII"},
	{"spaced", "has a space, a colon, a comma and a percent sign in it"},
	{"empty", "empty"},
}

func (x *exchange) mintDeviated(step string) (string, bool) {
	if v, ok := x.set(step); ok {
		return toText(v), true
	}
	value, found := "", false
	for _, o := range x.ops(step) {
		x.fired(o)
		if o.Length > 0 || o.Charset != "" {
			length, charset := o.Length, o.Charset
			if length == 0 {
				length = 43
			}
			if charset == "" {
				charset = base64URL
			}
			value, found = x.p.random.text(length, charset), true
		}
		for _, mode := range o.Mode {
			value, found = x.mintAs(mode, step), true
		}
	}
	return value, found
}

func (x *exchange) mintAs(mode, step string) string {
	switch mode {
	case "counter":
		return strconv.FormatInt(1000000+x.p.counter.Add(1), 10)
	case "short":
		return x.p.random.text(6, "abcdefghijklmnopqrstuvwxyz0123456789")
	case "numeric":
		return x.p.random.text(8, digits)
	case "uuid":
		return x.p.random.uuid()
	case "medium":
		return x.p.random.text(22, alnum)
	case "same":
		return "the-same-" + strings.ReplaceAll(step, ".", "-") + "-every-time"
	case "same-per-client":
		return "the-same-" + strings.ReplaceAll(step, ".", "-") + "-for-" + x.variable("client_id", nil)
	case "timestamp":
		return strconv.FormatInt(x.now.UnixMicro(), 10)
	case "timestamp-hash":
		sum := sha256.Sum256([]byte(strconv.FormatInt(x.now.Unix(), 10) + strconv.FormatInt(x.p.counter.Add(1)%16, 10)))
		return encode64(sum[:])
	case "bad-characters":
		return x.p.random.text(40, base64URL) + "é\x7f"
	case "spaced":
		return x.p.random.text(40, base64URL) + " :,%="
	}
	return ""
}

// newGrant records that a resource owner, or a client for itself (user nil), authorized a client.
func (x *exchange) newGrant(client *RegisteredClient, user *ResourceOwner, scope []string) *grant {
	return &grant{client: client.ID, user: user, scope: scope, authTime: x.now, made: x.now}
}

// issued is what a token response tells about an issuance.
type issued struct {
	access  *token
	refresh *token
	idToken string
	asked   string // scope as the client asked for it, "" for none
}

// issueAccess makes an access token.
func (x *exchange) issueAccess(g *grant, scope []string) *token {
	return x.issueAccessAs(g, scope, x.p.settings.AccessToken.Format)
}

// issueAccessAs makes an access token of a format.
func (x *exchange) issueAccessAs(g *grant, scope []string, format string) *token {
	x.p.store.sweep(x.now)
	t := &token{kind: accessToken, grant: g, scope: scope, issued: x.now, audience: x.list("access_token.audience", x.audience(g))}
	if lifetime := x.duration("access_token.lifetime", x.p.settings.Lifetimes.AccessToken); lifetime != 0 {
		t.expires = x.now.Add(lifetime)
	}
	if x.lifetime != nil {
		t.expires = x.now.Add(*x.lifetime)
	}
	x.token = t
	t.extra = x.extraClaims(g)
	if x.text("access_token.format", format) == "jwt" {
		t.id = x.identifier("access_token.id")
		t.value = x.jwtAccessToken(t)
	} else {
		t.value = x.mint("access_token.generate")
	}
	x.p.store.tokens.put(t.value, t)
	return t
}

func (x *exchange) audience(g *grant) []string {
	if len(g.audience) > 0 {
		return g.audience
	}
	if len(x.p.settings.AccessToken.Audience) > 0 {
		return x.p.settings.AccessToken.Audience
	}
	return []string{x.url("resource")}
}

// jwtAccessToken is the profile of RFC 9068.
func (x *exchange) jwtAccessToken(t *token) string {
	claims := object{{"iss", x.issuer()}, {"sub", t.grant.subject()}, {"aud", oneOrMany(t.audience)}, {"client_id", t.grant.client},
		{"iat", t.issued.Unix()}, {"exp", t.expiresUnix()}, {"jti", t.id}, {"scope", strings.Join(t.scope, " ")}}
	if t.grant.user != nil {
		claims = append(claims, member{"auth_time", t.grant.authTime.Unix()})
	}
	claims = append(claims, t.grant.actorClaims()...).with(t.extra)
	return x.jws("access_token", x.p.settings.AccessToken.Algorithm, "at+jwt", claims)
}

// jwtRefreshToken is a refresh token that says what it is; no specification has a form for it.
func (x *exchange) jwtRefreshToken(t *token) string {
	claims := object{{"iss", x.issuer()}, {"sub", t.grant.subject()}, {"client_id", t.grant.client}, {"scope", strings.Join(t.scope, " ")},
		{"iat", t.issued.Unix()}, {"exp", t.expiresUnix()}, {"jti", t.id}}
	if t.pair != nil {
		claims = append(claims, member{"access_token_id", t.pair.id})
	}
	return x.jws("refresh_token", x.p.settings.Refresh.Algorithm, "JWT", claims)
}

// jwtCode is an authorization code likewise.
func (x *exchange) jwtCode(c *code) string {
	claims := object{{"iss", x.issuer()}, {"sub", c.grant.subject()}, {"client_id", c.grant.client}, {"redirect_uri", c.redirectURI},
		{"scope", strings.Join(c.grant.scope, " ")}, {"iat", x.now.Unix()}, {"jti", c.id}}
	if !c.expires.IsZero() {
		claims = append(claims, member{"exp", c.expires.Unix()})
	}
	if c.challenge != "" {
		claims = append(claims, member{"code_challenge", c.challenge}, member{"code_challenge_method", c.challengeMethod})
	}
	return x.jws("code", x.p.settings.Code.Algorithm, "JWT", claims)
}

// remaining is expires_in of an access token.
func (x *exchange) remaining(t *token) int64 {
	seconds := int64(t.expires.Sub(x.now) / time.Second)
	if x.mode("access_token.expires_in", "started-second") {
		seconds--
	}
	return seconds
}

func (t *token) expiresUnix() int64 {
	if t.expires.IsZero() {
		return t.issued.Add(100 * 365 * 24 * time.Hour).Unix()
	}
	return t.expires.Unix()
}

// subject is sub: the user's, or the client's for itself (RFC 9068 section 2.2).
func (g *grant) subject() string {
	if g.user != nil {
		return g.user.Sub
	}
	if g.owner != "" {
		return g.owner
	}
	return g.client
}

func oneOrMany(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// identifier is what a JWT is called inside of it: jti.
func (x *exchange) identifier(step string) string {
	if len(x.program) != 0 {
		if value, ok := x.mintDeviated(step); ok {
			return value
		}
	}
	return x.p.random.text(22, base64URL)
}

// issueRefresh makes a refresh token for a grant, beside the access token (nil if there is none).
func (x *exchange) issueRefresh(g *grant, scope []string, beside *token) *token {
	t := &token{kind: refreshToken, grant: g, scope: scope, issued: x.now, pair: beside}
	if lifetime := x.duration("refresh_token.lifetime", x.p.settings.Lifetimes.RefreshToken); lifetime != 0 {
		t.expires = x.now.Add(lifetime)
	}
	if beside != nil {
		beside.pair = t
	}
	if x.text("refresh_token.format", x.p.settings.Refresh.Format) == "jwt" {
		t.id = x.identifier("refresh_token.id")
		t.value = x.jwtRefreshToken(t)
	} else {
		t.value = x.mint("refresh_token.generate")
	}
	x.p.store.tokens.put(t.value, t)
	return t
}

// issue makes the tokens of a grant: an access token, and with it a refresh token and an ID token where they belong to it.
func (x *exchange) issue(g *grant, scope []string) issued {
	t := issued{access: x.issueAccess(g, scope)}
	if x.wantsRefresh(x.client, scope) {
		t.refresh = x.issueRefresh(g, scope, t.access)
	}
	if x.wantsIDToken(scope) {
		t.idToken = x.idToken(g, t.access.value, "")
	}
	return t
}

// wantsRefresh decides whether a grant comes with a refresh token.
func (x *exchange) wantsRefresh(client *RegisteredClient, scope []string) bool {
	strict := false
	switch x.p.settings.Refresh.Issue {
	case "always":
		strict = client.mayUse("refresh_token") && slices.Contains(x.p.settings.Grants, "refresh_token")
	case "offline_access":
		strict = client.mayUse("refresh_token") && slices.Contains(scope, "offline_access")
	case "openid_offline_access":
		strict = client.mayUse("refresh_token") && (slices.Contains(scope, "offline_access") || !slices.Contains(scope, "openid"))
	}
	return x.flag("refresh_token.issue", strict)
}

// idToken is OpenID Connect Core section 2, for grants with the scope openid.
func (x *exchange) idToken(g *grant, access string, code string) string {
	issued := x.now
	if x.mode("id_token.issued", "at-authorization") {
		issued = g.made
	}
	claims := object{{"iss", x.issuer()}, {"sub", g.subject()}, {"aud", g.client}, {"iat", issued.Unix()},
		{"exp", issued.Add(x.idTokenLifetime()).Unix()}}
	if x.p.shuffle.keep("id_token.auth_time") {
		claims = append(claims, member{"auth_time", g.authTime.Unix()})
	}
	if g.nonce != "" {
		claims = append(claims, member{"nonce", g.nonce})
	}
	if access != "" && (x.endpoint != "token" || x.p.shuffle.keep("id_token.at_hash")) { // required beside an access token of the authorization endpoint
		claims = append(claims, member{"at_hash", x.halfHash(access)})
	}
	if code != "" {
		claims = append(claims, member{"c_hash", x.halfHash(code)})
	}
	claims = append(claims, g.actorClaims()...).with(x.extraClaims(g), "scope", "client_id", "jti")
	return x.jws("id_token", x.p.settings.IDToken.Algorithm, "JWT", claims)
}

// wantsIDToken decides whether a token response has an ID token.
func (x *exchange) wantsIDToken(scope []string) bool {
	return x.p.settings.OpenID && slices.Contains(scope, "openid") && x.flag("id_token.issue", true)
}

func (x *exchange) idTokenLifetime() time.Duration {
	if x.lifetime != nil {
		return *x.lifetime
	}
	return x.duration("id_token.lifetime", x.p.settings.Lifetimes.IDToken)
}

// halfHash is the left half of a value's hash, by the hash function of the ID token's algorithm (OpenID Connect Core section 3.1.3.6).
func (x *exchange) halfHash(value string) string {
	_, newHash := hashOf(x.p.settings.IDToken.Algorithm)
	h := newHash()
	h.Write([]byte(value))
	sum := h.Sum(nil)
	return encode64(sum[:len(sum)/2])
}

// respondToken answers with a token response (RFC 6749 section 5.1).
func (x *exchange) respondToken(t issued) {
	x.uncacheable()
	x.granted = t.access.scope
	x.token = t.access
	o := make(object, 0, 8)
	o = append(o, member{"access_token", t.access.value}, member{"token_type", "Bearer"})
	if !t.access.expires.IsZero() {
		o = append(o, member{"expires_in", x.remaining(t.access)})
	}
	if t.refresh != nil {
		o = append(o, member{"refresh_token", t.refresh.value})
	}
	if x.tellsScope(t.asked, t.access.scope) {
		o = append(o, member{"scope", strings.Join(t.access.scope, " ")})
	}
	if t.idToken != "" {
		o = append(o, member{"id_token", t.idToken})
	}
	x.json("token.response", 200, o)
}

// tellsScope: scope may be left out where it is what the client asked for (RFC 6749 section 5.1).
func (x *exchange) tellsScope(asked string, granted []string) bool {
	same := asked != "" && sameWords(words(asked), granted)
	switch x.p.settings.ScopeResponse {
	case "never":
		return false
	case "changed":
		return !same
	}
	return !same || x.p.shuffle.keep("scope")
}

func sameWords(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
