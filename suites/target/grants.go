package target

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grant is a way to get tokens from the token endpoint. AuthorizationCode, TokenExchange and JWTBearer, which are untyped
// constants, are grants as well.
type Grant string

// The grants that are not capabilities of the same name.
const (
	ClientCredentials Grant = "client_credentials"
	Password          Grant = "password"
	RefreshToken      Grant = "refresh_token"
	DeviceCode        Grant = "device_code"
)

// Type is the grant_type that asks for the grant.
func (g Grant) Type() string {
	switch g {
	case TokenExchange:
		return "urn:ietf:params:oauth:grant-type:token-exchange"
	case JWTBearer:
		return "urn:ietf:params:oauth:grant-type:jwt-bearer"
	case DeviceCode:
		return "urn:ietf:params:oauth:grant-type:device_code"
	}
	return string(g)
}

// Code is an authorization code with what its redemption needs.
type Code struct {
	Value         string
	Client        *Client
	RedirectURI   string // as sent in the authorization request, "" if it was not sent
	Verifier      string // "" without PKCE
	State, Nonce  string
	Scope         string // as asked for
	Authorization *Authorization
}

// Tokens are the product of a successful grant.
type Tokens struct {
	AccessToken  string
	RefreshToken string
	IDToken      string
	TokenType    string
	Scope        string        // as the response says, else as asked for
	ExpiresIn    time.Duration // 0 if unknown
	Grant        Grant
	Client       *Client
	Code         *Code // that was redeemed for them, if any
	Response     *Response
}

// tokenGrants are the grants of RFC 6749 that end at the token endpoint, cheapest first: a refresh token has to be issued
// before it is used.
var tokenGrants = []Grant{ClientCredentials, Password, AuthorizationCode, RefreshToken}

// Grants are the token grants of RFC 6749 that work on this target, cheapest first. Each is tried once per run.
func (as *AS) Grants() []Grant {
	var issued, answered []Grant
	for _, grant := range tokenGrants {
		b := as.run.usable(grant, nil)
		switch {
		case b == nil:
		case b.issued:
			issued = append(issued, grant)
		case b.answered:
			answered = append(answered, grant)
		}
	}
	if len(issued) == 0 {
		return answered
	}
	return issued
}

// usable is the baseline of a grant for a client (nil: the usual one), nil where there is no point in trying.
func (run *Run) usable(grant Grant, client *Client) *baseline {
	run.mu.Lock()
	missing := run.info.Detection(Capability(grant)).State == Missing
	run.mu.Unlock()
	usual := run.info.Config.ClientFor(grant.Type())
	switch {
	case client == nil && missing:
		return nil
	case client == nil:
		client = usual
	case !client.MayUse(grant.Type()), missing && usual != nil && len(client.Grants) == 0:
		return nil
	}
	switch {
	case client == nil,
		grant == ClientCredentials && !client.Confidential(),
		grant == Password && run.info.Config.User.Username == "",
		grant == AuthorizationCode && (len(client.RedirectURIs) == 0 || run.info.Endpoints.Authorization == ""),
		run.info.Endpoints.Token == "":
		return nil
	}
	return run.grantBaseline(grant, client)
}

// cheapest is the cheapest grant that works for the client that the edits name, else the cheapest that is answered.
func (as *AS) cheapest(edits []RequestEdit) Grant {
	f := as.run.flowOf(edits)
	var tried, answered Grant
	var why []string
	for _, grant := range tokenGrants {
		b := as.run.usable(grant, f.client)
		if b == nil {
			continue
		}
		if b.issued {
			return grant
		}
		tried = cmp.Or(tried, grant)
		if b.answered {
			answered = cmp.Or(answered, grant)
		}
		why = append(why, string(grant)+": "+b.why)
	}
	if f.noControl {
		answered = cmp.Or(answered, tried)
	}
	if answered == "" {
		who := "this target"
		if f.client != nil {
			who = "clients." + f.client.Name
		}
		as.Inconclusive("no grant issues tokens to %s; %s", who, strings.Join(why, "; "))
	}
	return answered
}

// Token sends a token request by the cheapest grant that works.
func (as *AS) Token(edits ...RequestEdit) *Response { return as.TokenBy(as.cheapest(edits), edits...) }

// Tokens is a successful issuance by the cheapest grant that works, else the check is inconclusive.
func (as *AS) Tokens(edits ...RequestEdit) *Tokens { return as.TokensBy(as.cheapest(edits), edits...) }

// TokenBy sends a token request of a grant: what the grant needs (a fresh code, refresh token, subject token) is fetched,
// the edits are applied to the complete request. With edits the grant without them must have succeeded in this run, else
// the check is inconclusive.
func (as *AS) TokenBy(grant Grant, edits ...RequestEdit) *Response {
	return as.Send(as.TokenRequest(grant, edits...))
}

// TokensBy is a successful issuance by a grant, else the check is inconclusive.
func (as *AS) TokensBy(grant Grant, edits ...RequestEdit) *Tokens {
	return as.TokensOf(as.TokenBy(grant, edits...))
}

// TokenRequest is the request that TokenBy would send, for Race.
func (as *AS) TokenRequest(grant Grant, edits ...RequestEdit) *Request {
	f := as.run.flowOf(edits)
	client := f.client
	if client == nil {
		client = as.ClientFor(grant)
	}
	b := as.run.grantBaseline(grant, as.run.trialClient(grant, client, f))
	if !f.noControl {
		as.show(b)
		as.demand(b, string(grant), false)
	}
	base := as.grantRequest(grant, client, b.manner, f)
	return as.edited(base, f, edits, b, string(grant))
}

// trialClient is the client whose trial tells how a grant is to be asked for. A client that may not use the grant is tried
// only where its trial is the control.
func (run *Run) trialClient(grant Grant, client *Client, f flow) *Client {
	if usual := run.info.Config.ClientFor(grant.Type()); f.noControl && !client.MayUse(grant.Type()) && usual != nil {
		return usual
	}
	return client
}

// edited applies edits to a baseline request. If they change anything its control must have issued a token.
func (as *AS) edited(base *Request, f flow, edits []RequestEdit, b *baseline, what string) *Request {
	req := base.Clone().Apply(edits...)
	if !f.noControl {
		as.demand(b, what, f.edits() || !same(base, req))
	}
	return req
}

// same reports whether two requests are alike on the wire.
func same(a, b *Request) bool {
	return a.Method == b.Method && a.Target() == b.Target() && a.Media == b.Media && bytes.Equal(a.Body(), b.Body()) &&
		maps.EqualFunc(a.Header, b.Header, slices.Equal)
}

// grantRequest is the complete request of a grant without defect, with a fresh code, refresh token or subject token.
func (as *AS) grantRequest(grant Grant, client *Client, m manner, f flow) *Request {
	var r *Request
	switch grant {
	case AuthorizationCode:
		r = as.redeemRequest(as.freshCode(client, m, f))
	case RefreshToken:
		r = as.refreshRequest(as.freshRefreshToken(client, m, f))
	case DeviceCode:
		d := as.device(client, f)
		as.Decide(d)
		r = as.pollRequest(d)
	case TokenExchange:
		r = as.exchangeRequest(client, m, f)
	case JWTBearer:
		r = as.tokenRequest(grant, client, Param{Name: "assertion", Value: as.grantAssertion(client)})
		as.addScope(r, client, m, f)
	case Password:
		user := as.User()
		r = as.tokenRequest(grant, client, Param{Name: "username", Value: user.Username}, Param{Name: "password", Value: user.Password})
		as.addScope(r, client, m, f)
	default:
		r = as.tokenRequest(grant, client)
		as.addScope(r, client, m, f)
	}
	r.flow.anyStatus = f.anyStatus
	return r
}

// tokenRequest is a request to the token endpoint with the parameters that the target file adds to every one, in the
// format of the target's dialect.
func (as *AS) tokenRequest(grant Grant, client *Client, params ...Param) *Request {
	r := as.NewRequest(http.MethodPost, as.Endpoint(TokenEndpoint))
	r.grant = grant
	r.Params = append([]Param{{Name: "grant_type", Value: grant.Type()}}, params...)
	r.addDefaults(as.Config().TokenParams)
	if as.Config().Dialect.RequestFormat == "json" {
		r.Apply(JSONBody())
	}
	r.authenticate(client, "")
	return r
}

// addDefaults adds parameters that the request does not have.
func (r *Request) addDefaults(params map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !r.Has(name) {
			r.Params = append(r.Params, Param{Name: name, Value: params[name]})
		}
	}
}

// addScope asks for the grant's scope in a token request.
func (as *AS) addScope(r *Request, client *Client, m manner, f flow) {
	r.scope = as.scopeOf(r.grant, client, m, f)
	if r.scope != "" && !r.Has("scope") {
		r.Params = append(r.Params, Param{Name: "scope", Value: r.scope})
	}
}

// ownerScopes speak of a resource owner; they mean nothing where there is none (OpenID Connect Core section 5.4).
var ownerScopes = []string{"openid", "profile", "email", "address", "phone", "offline_access"}

// UsualScope is the scope that requests of a grant ask for as a client where a check says nothing else; "" for none.
func (as *AS) UsualScope(grant Grant, client *Client) string {
	return as.scopeOf(grant, client, manner{}, flow{})
}

// scopeOf is the scope to ask for: the one that an edit wants, else the client's or the target's usual one.
func (as *AS) scopeOf(grant Grant, client *Client, m manner, f flow) string {
	scopes := slices.Clone(as.Config().Scopes)
	if len(client.Scopes) > 0 {
		scopes = slices.Clone(client.Scopes)
	}
	switch {
	case f.scope != nil:
		scopes = strings.Fields(*f.scope)
	case m.withoutScope:
		scopes = nil
	case grant == ClientCredentials:
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(ownerScopes, s) })
	}
	if m.offline && !slices.Contains(scopes, "offline_access") {
		scopes = append(scopes, "offline_access")
	}
	return strings.Join(scopes, " ")
}

// grantManners lists how a grant may have to be asked for, the usual way first.
func (run *Run) grantManners(grant Grant, client *Client) []manner {
	switch grant {
	case AuthorizationCode:
		b := run.authorizeBaseline(client, "code")
		manners := []manner{b.manner}
		if b.issued && !b.manner.withoutPKCE {
			bare := b.manner
			bare.withoutPKCE = true
			manners = append(manners, bare)
		}
		return manners
	case RefreshToken:
		return run.refreshManners(client)
	case TokenExchange:
		return run.exchangeManners(client)
	}
	return []manner{{}, {withoutScope: true}}
}

// Redeem exchanges a code for tokens (RFC 6749 section 4.1.3). As(client) sends it by another client, which must then be
// able to redeem codes of its own.
func (as *AS) Redeem(code *Code, edits ...RequestEdit) *Response {
	return as.Send(as.RedeemRequest(code, edits...))
}

// RedeemRequest is the request that Redeem would send, for Race.
func (as *AS) RedeemRequest(code *Code, edits ...RequestEdit) *Request {
	return as.follow(as.redeemRequest(code), AuthorizationCode, code.Client, edits)
}

// follow edits a request that uses what a grant has issued before. Its controls are the grant by that client and, where
// another client sends the request, the grant by that one.
func (as *AS) follow(base *Request, grant Grant, client *Client, edits []RequestEdit) *Request {
	f := as.run.flowOf(edits)
	if f.noControl {
		return base.Apply(edits...)
	}
	b := as.run.grantBaseline(grant, client)
	as.show(b)
	req := as.edited(base, f, edits, b, string(grant))
	if req.client != nil && req.client != client {
		other := as.run.grantBaseline(grant, req.client)
		as.show(other)
		as.demand(other, string(grant)+" by clients."+req.client.Name, true)
	}
	return req
}

func (as *AS) redeemRequest(code *Code) *Request {
	params := []Param{{Name: "code", Value: code.Value}}
	if code.RedirectURI != "" {
		params = append(params, Param{Name: "redirect_uri", Value: code.RedirectURI})
	}
	if code.Verifier != "" {
		params = append(params, Param{Name: "code_verifier", Value: code.Verifier})
	}
	r := as.tokenRequest(AuthorizationCode, code.Client, params...)
	r.code, r.scope = code, code.Scope
	return r
}

// freshCode is a code of a browser of its own.
func (as *AS) freshCode(client *Client, m manner, f flow) *Code {
	req := as.authorizationRequest(client, "code", m, f)
	req.Apply(f.authorize...)
	return as.CodeOf(as.NewBrowser().walk(req, req.flow))
}

// TokensOf are the tokens of a successful response, else the check is inconclusive.
func (as *AS) TokensOf(resp *Response) *Tokens {
	t := &Tokens{
		AccessToken: resp.String("access_token"), RefreshToken: resp.String("refresh_token"), IDToken: resp.String("id_token"),
		TokenType: resp.String("token_type"), Scope: resp.String("scope"), Response: resp,
	}
	if !resp.Success() || t.AccessToken == "" {
		as.Inconclusive("no access token was issued: %s", resp.outcome())
	}
	if seconds, err := strconv.ParseInt(fmt.Sprint(resp.Member("expires_in")), 10, 32); err == nil {
		t.ExpiresIn = time.Duration(seconds) * time.Second
	}
	if req := resp.Request; req != nil {
		t.Grant, t.Client, t.Code = req.grant, req.client, req.code
		if !resp.Has("scope") {
			t.Scope = req.scope
		}
	}
	return t
}

// outcome says in one line what a response is.
func (r *Response) outcome() string {
	switch {
	case r == nil:
		return "nothing was sent"
	case r.Err != nil:
		return "no answer: " + r.Err.Error()
	case r.ErrorCode() != "":
		out := fmt.Sprintf("status %d with error %s", r.Status, r.ErrorCode())
		if text := r.String("error_description"); text != "" {
			out += " (" + shorten(text) + ")"
		}
		return out
	}
	return fmt.Sprintf("status %d without an error code", r.Status)
}

func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
