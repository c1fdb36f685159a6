package mockprovider

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tokenExchangeGrant is the grant type of RFC 8693.
const tokenExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"

// tokenTypePrefix begins the token type identifiers of RFC 8693 section 3. Settings leave it out.
const tokenTypePrefix = "urn:ietf:params:oauth:token-type:"

// The token types that the mock knows, beside those of stored tokens.
const (
	idTokenType = "id_token"
	jwtType     = "jwt"
)

const exchangeStep = "token.token_exchange"

// party is whom a subject or actor token speaks of.
type party struct {
	token  *token         // nil for an ID token
	user   *ResourceOwner // nil for a client of its own
	sub    string
	client string   // to which the token was issued
	scope  []string // nil where the token has none (an ID token)
	act    any      // the act claim: who acts for the subject already
	mayAct string   // sub of the may_act claim: who may
	exp    time.Time
}

// grantTokenExchange is RFC 8693.
func (x *exchange) grantTokenExchange() *oauthError {
	subject, err := x.exchangedToken("token.token_exchange.subject_token", "subject_token")
	if err != nil {
		return err
	}
	x.token, x.user = subject.token, subject.user
	actor, err := x.actor()
	if err != nil {
		return err
	}
	if err := x.guard(exchangeStep+".may_act", func() *oauthError {
		if actor != nil && subject.mayAct != "" && actor.sub != subject.mayAct {
			return invalidRequest("may_act of the subject token names another actor")
		}
		return nil
	}); err != nil {
		return err
	}
	wanted, err := x.requestedTokenType(subject)
	if err != nil {
		return err
	}
	targets, err := x.exchangeTargets()
	if err != nil {
		return err
	}
	scope, err := x.exchangeScope(subject)
	if err != nil {
		return err
	}
	g := x.exchangedGrant(subject, actor, targets, x.grantedBy(scope))
	x.granted = g.scope
	if x.flag(exchangeStep+".subject_token.consumed", false) && subject.token != nil {
		subject.token.revoked.Store(true)
	}
	if actor != nil && actor.token != nil && x.flag(exchangeStep+".actor_token.consumed", false) {
		actor.token.revoked.Store(true)
	}
	x.respondExchange(g, wanted)
	return nil
}

// exchangedToken finds and validates the subject or actor token, by the type that the request says it has (section 2.1).
func (x *exchange) exchangedToken(step, role string) (*party, *oauthError) {
	value, given := x.params.lookup(role)
	if err := x.guard(step+".required", func() *oauthError {
		if !given {
			return invalidRequest(role + " is missing")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	kind, err := x.exchangedTokenType(step, role)
	if err != nil {
		return nil, err
	}
	found := x.findParty(step+".known", value, kind)
	if err := x.guard(step+".known", func() *oauthError {
		if found == nil && !(x.mode(step+".known", "never-issued") && !x.issuedHere(value)) {
			return invalidRequest(role + " is no valid token of the type that it is said to have")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if found == nil {
		found = x.anyParty(role)
	}
	for _, check := range []struct {
		step, why string
		bad       bool
	}{
		{".expired", " has expired", !found.exp.IsZero() && !x.now.Before(found.exp)},
		{".revoked", " was revoked", found.token != nil && (found.token.dead() || found.token.kind == refreshToken && found.token.used.Load())},
		{".client_binding", " was issued to another client", found.token != nil && found.token.kind == refreshToken && found.client != x.client.ID},
	} {
		if err := x.guard(step+check.step, func() *oauthError {
			if check.bad {
				return invalidRequest(role + check.why)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// exchangedTokenType is what subject_token_type or actor_token_type says, without the prefix.
func (x *exchange) exchangedTokenType(step, role string) (string, *oauthError) {
	name, given := x.params.lookup(role + "_type")
	if err := x.guard(step+"_type.required", func() *oauthError {
		if !given {
			return invalidRequest(role + "_type is missing")
		}
		return nil
	}); err != nil {
		return "", err
	}
	known := x.p.settings.TokenExchange.SubjectTokenTypes
	if role == "actor_token" {
		known = x.p.settings.TokenExchange.ActorTokenTypes
	}
	kind, isURN := strings.CutPrefix(name, tokenTypePrefix)
	err := x.guard(step+"_type.known", func() *oauthError {
		switch {
		case !given, isURN && slices.Contains(known, kind), isURN && x.mode(step+"_type.known", "pattern"),
			slices.Contains(known, kind) && x.mode(step+"_type.known", "bare-word"):
			return nil
		}
		return invalidRequest(role + "_type is not supported")
	})
	return kind, err
}

// findParty finds out what a token is, if it is of the type; the type "" and unknown ones stand for any.
func (x *exchange) findParty(step, value, kind string) *party {
	anything := !slices.Contains([]string{accessToken, refreshToken, idTokenType, jwtType}, kind) || x.mode(step, "any-type")
	if t, ok := x.p.store.tokens.get(value); ok {
		switch {
		case anything, kind == t.kind, kind == jwtType && t.id != "", t.kind == accessToken && x.mode(step, "access-token"):
			return x.partyOf(t)
		}
		return nil
	}
	if kind == idTokenType || kind == jwtType || anything || kind == accessToken && x.mode(step, "id-token") {
		if p := x.partyOfJWT(step, value); p != nil {
			return p
		}
	}
	if kind == accessToken && len(x.program) != 0 {
		if t, ok := x.laxToken(value, strings.TrimPrefix(step, x.endpoint)); ok {
			return x.partyOf(t)
		}
		return x.partyOfForgedJWT(step, value)
	}
	return nil
}

// issuedHere reports whether a token is one of this provider's, of whatever type.
func (x *exchange) issuedHere(value string) bool {
	_, stored := x.p.store.tokens.get(value)
	_, err := x.p.keys.verify(value, x.variable("secret", nil))
	return stored || err == nil
}

func (x *exchange) partyOf(t *token) *party {
	p := &party{token: t, user: t.grant.user, sub: t.grant.subject(), client: t.grant.client, scope: t.scope, act: t.grant.act, exp: t.expires}
	p.mayAct = t.grant.mayAct()
	return p
}

// anyParty stands for a token that a deviation lets pass although it is not known: as a subject for the user of the setting auto_user,
// as an actor for the client.
func (x *exchange) anyParty(role string) *party {
	p := &party{client: x.client.ID, sub: x.client.ID}
	if user := x.p.user(x.p.settings.AutoUser); user != nil && role == "subject_token" {
		p.user, p.sub = user, user.Sub
	}
	return p
}

// partyOfJWT is whom an ID token of this provider speaks of.
func (x *exchange) partyOfJWT(step, value string) *party {
	payload, err := x.p.keys.verify(value, x.variable("secret", nil))
	if err != nil {
		return x.partyOfForgedJWT(step, value)
	}
	return x.partyOfClaims(payload, func(issuer string) bool { return issuer == x.issuer() })
}

// partyOfForgedJWT believes a JWT that does not verify, as far as a deviation does.
func (x *exchange) partyOfForgedJWT(step, value string) *party {
	payload, ok := unverifiedClaims(value)
	if !ok || len(x.program) == 0 {
		return nil
	}
	var header struct {
		Alg string         `json:"alg"`
		Key map[string]any `json:"jwk"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(cut(value, "."))
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return nil
	}
	unsigned := strings.EqualFold(header.Alg, "none")
	own := func(issuer string) bool { return issuer == x.issuer() }
	foreign := func(issuer string) bool { return !own(issuer) }
	switch {
	case unsigned && x.mode(step, "alg-none"), !unsigned && x.mode(step, "unverified"), header.Key != nil && x.mode(step, "embedded-key"):
		return x.partyOfClaims(payload, own)
	case !unsigned && x.mode(step, "foreign-issuer"):
		return x.partyOfClaims(payload, foreign)
	}
	return nil
}

func (x *exchange) partyOfClaims(payload []byte, issuedBy func(issuer string) bool) *party {
	var claims struct {
		Issuer string  `json:"iss"`
		Sub    string  `json:"sub"`
		Aud    any     `json:"aud"`
		Exp    float64 `json:"exp"`
		Act    any     `json:"act"`
		MayAct any     `json:"may_act"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Sub == "" || !issuedBy(claims.Issuer) {
		return nil
	}
	p := &party{sub: claims.Sub, act: claims.Act, user: x.p.userBySub(claims.Sub)}
	if named, ok := claims.MayAct.(map[string]any); ok {
		p.mayAct, _ = named["sub"].(string)
	}
	p.client, _ = claims.Aud.(string)
	if claims.Exp != 0 {
		p.exp = time.Unix(int64(claims.Exp), 0)
	}
	return p
}

func (p *Provider) userBySub(sub string) *ResourceOwner {
	for _, u := range p.users() {
		if u.Sub == sub {
			return u
		}
	}
	return nil
}

// actor is whom the actor token speaks of, nil without one (section 2.1).
func (x *exchange) actor() (*party, *oauthError) {
	const step = exchangeStep + ".actor_token"
	given := x.params.has("actor_token")
	if err := x.refuseIf(step+"_type.alone", !given && x.params.has("actor_token_type"), invalidRequest, "actor_token_type comes with an actor_token"); err != nil {
		return nil, err
	}
	if !given {
		return nil, x.guard(step+".required", func() *oauthError { return nil })
	}
	if x.mode(exchangeStep+".actors", "ignored") {
		return nil, nil
	}
	return x.exchangedToken("token.token_exchange.actor_token", "actor_token")
}

// requestedTokenType is the type of the token to issue, without the prefix.
func (x *exchange) requestedTokenType(subject *party) (string, *oauthError) {
	const step = exchangeStep + ".requested_token_type"
	name, given := x.params.lookup("requested_token_type")
	if err := x.guard(step+".required", func() *oauthError { return nil }); !given {
		return accessToken, err
	}
	kind, isURN := strings.CutPrefix(name, tokenTypePrefix)
	known := isURN && slices.Contains(x.p.settings.TokenExchange.RequestedTokenTypes, kind)
	if err := x.refuseIf(step+".known", !known, invalidRequest, "requested_token_type is not supported"); err != nil {
		return "", err
	}
	if !known {
		return accessToken, nil
	}
	return kind, x.guard(step+".allowed", func() *oauthError {
		switch {
		case kind == refreshToken && (subject.user == nil || !x.client.mayUse("refresh_token")):
			return invalidRequest("this client gets no refresh tokens for this subject")
		case kind == idTokenType && (subject.user == nil || !x.p.settings.OpenID):
			return invalidRequest("there is no ID token for this subject")
		}
		return nil
	})
}

// exchangeTargets are the audiences and resources that the token is for (section 2.1, RFC 8707 section 2).
func (x *exchange) exchangeTargets() ([]string, *oauthError) {
	s := &x.p.settings.TokenExchange
	audiences, resources := x.params.all("audience"), x.params.all("resource")
	if err := x.guard(exchangeStep+".target.required", func() *oauthError { return nil }); err != nil && len(audiences)+len(resources) == 0 {
		return nil, err
	}
	const syntax = exchangeStep + ".resource.syntax"
	for _, resource := range resources {
		if err := x.guard(syntax, func() *oauthError {
			switch u, err := url.Parse(resource); {
			case (err != nil || !u.IsAbs()) && !x.mode(syntax, "relative"):
				return invalidTarget("resource is no absolute URI")
			case strings.Contains(resource, "#") && !x.mode(syntax, "fragment"):
				return invalidTarget("resource has a fragment")
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if err := x.guard(exchangeStep+".resource.known", func() *oauthError {
			u, err := url.Parse(resource)
			switch known := cut(resource, "#"); {
			case known == x.url("resource"), known == x.p.Endpoint("resource"), slices.Contains(s.Resources, known), err != nil, !u.IsAbs():
				return nil
			}
			return invalidTarget("resource is not known")
		}); err != nil {
			return nil, err
		}
	}
	for _, audience := range audiences {
		if err := x.guard(exchangeStep+".audience.known", func() *oauthError {
			if !slices.Contains(s.Audiences, audience) {
				return invalidTarget("audience is not known")
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return x.chooseTargets(slices.Concat(audiences, resources)), x.guard(exchangeStep+".target.several", func() *oauthError { return nil })
}

// chooseTargets applies the modes of the step target.
func (x *exchange) chooseTargets(targets []string) []string {
	const step = exchangeStep + ".target"
	switch {
	case len(x.program) == 0:
	case x.mode(step, "ignored"):
		return nil
	case x.mode(step, "first"):
		return targets[:min(1, len(targets))]
	case x.mode(step, "client"):
		return []string{x.client.ID}
	}
	return targets
}

func invalidTarget(description string) *oauthError {
	return &oauthError{Code: "invalid_target", Description: description}
}

// exchangeScope: at most what the subject token has; without the parameter all of it.
func (x *exchange) exchangeScope(subject *party) ([]string, *oauthError) {
	const step = exchangeStep + ".scope"
	if err := x.guard(step+".required", func() *oauthError { return nil }); err != nil && !x.params.has("scope") {
		return nil, err
	}
	if !x.params.has("scope") && subject.scope != nil && !x.mode(step, "asked-only") {
		if len(x.client.Scopes) > 0 {
			return intersect(subject.scope, x.client.Scopes), nil
		}
		return subject.scope, nil
	}
	scope, err := x.checkScope("token", x.client)
	if err != nil {
		return nil, err
	}
	return scope, x.guard(step, func() *oauthError {
		if subject.scope != nil && !subset(scope, subject.scope) {
			return invalidScope("scope exceeds that of the subject token")
		}
		return nil
	})
}

// exchangedGrant is what the new token belongs to: the subject's authorization in the hands of the client that asks, and of the
// actor if there is one.
func (x *exchange) exchangedGrant(subject, actor *party, targets, scope []string) *grant {
	g := x.newGrant(x.client, subject.user, scope)
	g.exchanged, g.owner, g.audience, g.act = true, subject.sub, targets, subject.act
	if x.mode(exchangeStep+".client", "subject") && subject.client != "" {
		g.client = subject.client
	}
	current := subject
	if actor != nil {
		current = actor
		if x.mode(exchangeStep+".subject", "actor") {
			g.user, g.owner, current = actor.user, actor.sub, subject
		}
		g.act = x.actClaim(current, subject.act)
	}
	if x.mode(exchangeStep+".subject", "client") {
		g.user, g.owner = nil, x.client.ID
	}
	return g
}

// actClaim is the act claim: the current actor outermost, earlier ones inside (section 4.1).
func (x *exchange) actClaim(actor *party, earlier any) any {
	act := object{{"sub", actor.sub}}
	if x.p.shuffle != nil && x.p.shuffle.keep("act.iss") {
		act = append(act, member{"iss", x.issuer()})
	}
	const step = exchangeStep + ".actors"
	switch {
	case earlier == nil, x.mode(step, "only-current"):
	case x.mode(step, "inverted"):
		if first, ok := earlier.(object); ok {
			act = append(slices.Clone(first), member{"act", act})
		}
	default:
		act = append(act, member{"act", earlier})
	}
	edited := x.editObject(exchangeStep+".act", object{{"act", act}})
	value, _ := edited.get("act")
	return value
}

// mayAct is the sub of the may_act claim: the client that may act for the user. What was exchanged has none.
func (g *grant) mayAct() string {
	if g.user == nil || g.exchanged {
		return ""
	}
	return g.user.MayAct
}

// actorClaims are the claims of RFC 8693 section 4 that a token has.
func (g *grant) actorClaims() object {
	var o object
	if g.act != nil {
		o = append(o, member{"act", g.act})
	}
	if actor := g.mayAct(); actor != "" {
		o = append(o, member{"may_act", object{{"sub", actor}}})
	}
	return o
}

// respondExchange issues the token and answers (section 2.2.1).
func (x *exchange) respondExchange(g *grant, kind string) {
	var value string
	var expires time.Time
	var refresh *token
	tokenType := "Bearer"
	switch kind {
	case idTokenType:
		value, tokenType = x.idToken(g, "", ""), "N_A"
		expires = x.now.Add(x.duration("id_token.lifetime", x.p.settings.Lifetimes.IDToken))
	case refreshToken:
		t := x.issueRefresh(g, g.scope, nil)
		if x.mode(exchangeStep+".refresh_token", "own-member") {
			refresh, t = t, x.issueAccess(g, g.scope)
		}
		value, tokenType, expires, x.token = t.value, "N_A", t.expires, t
	default:
		format := x.p.settings.AccessToken.Format
		if kind == jwtType {
			format = "jwt"
		}
		t := x.issueAccessAs(g, g.scope, format)
		value, expires = t.value, t.expires
	}
	x.uncacheable()
	o := object{{"access_token", value}, {"issued_token_type", tokenTypePrefix + kind}, {"token_type", tokenType}}
	if !expires.IsZero() {
		o = append(o, member{"expires_in", x.remaining(&token{expires: expires})})
	}
	if asked := x.params.get("scope"); kind != idTokenType && x.tellsScope(asked, g.scope) {
		o = append(o, member{"scope", strings.Join(g.scope, " ")})
	}
	if refresh != nil {
		o = append(o, member{"refresh_token", refresh.value})
	}
	x.json("token.response", 200, o)
}
