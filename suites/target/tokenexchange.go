package target

import (
	"cmp"
	"strings"
)

// Token type identifiers (RFC 8693 section 3).
const (
	AccessTokenType  = "urn:ietf:params:oauth:token-type:access_token"
	RefreshTokenType = "urn:ietf:params:oauth:token-type:refresh_token"
	IDTokenType      = "urn:ietf:params:oauth:token-type:id_token"
	JWTType          = "urn:ietf:params:oauth:token-type:jwt"
)

// subject is a kind of subject token that the target exchanges, found by trial.
type subject struct {
	tokenType string  // "" is the access token type
	requested string  // requested_token_type, "" sends none
	client    *Client // to which the subject token is issued
	// audience and resource of the target file are sent, as far as there are any: a server may know only one of the parameters.
	audience, resource bool
}

// ExchangeToken sends a token exchange request (RFC 8693 section 2.1) with a fresh subject token of a kind that the target
// exchanges. It is TokenBy(TokenExchange, …).
func (as *AS) ExchangeToken(edits ...RequestEdit) *Response {
	return as.TokenBy(TokenExchange, edits...)
}

// SubjectToken is a fresh token of a token type, issued by the target to the client whose tokens it exchanges, else the
// check is inconclusive. AccessTokenType, RefreshTokenType, IDTokenType and JWTType (an ID token) are possible.
func (as *AS) SubjectToken(tokenType string) string {
	return as.subjectToken(tokenType, as.subjectOwner(), flow{})
}

// SubjectTokens are fresh tokens, with a resource owner behind them if possible, of the client whose tokens the target exchanges (or
// of the one that an edit names), else the check is inconclusive.
func (as *AS) SubjectTokens(edits ...RequestEdit) *Tokens {
	f := as.run.flowOf(edits)
	owner := f.client
	if owner == nil {
		owner = as.subjectOwner()
	}
	return as.ownersTokens(owner, f)
}

// subjectOwner is the client whose tokens the target exchanges.
func (as *AS) subjectOwner() *Client {
	client := as.ClientFor(TokenExchange)
	return cmp.Or(as.run.grantBaseline(TokenExchange, client).manner.subject.client, client)
}

func (as *AS) subjectToken(tokenType string, owner *Client, f flow) string {
	f = flow{scope: f.scope, authorize: f.authorize, withoutPKCE: f.withoutPKCE}
	switch tokenType {
	case RefreshTokenType:
		return as.freshRefreshToken(owner, as.run.grantBaseline(RefreshToken, owner).manner, f).RefreshToken
	case IDTokenType, JWTType:
		tokens := as.ownersTokens(owner, f)
		if tokens.IDToken == "" {
			as.Inconclusive("no ID token was issued that could be exchanged; scopes: [openid, …] asks for one")
		}
		return tokens.IDToken
	}
	return as.ownersTokens(owner, f).AccessToken
}

// ownersTokens are tokens with a resource owner behind them, else of the client itself: some servers exchange only the
// former.
func (as *AS) ownersTokens(client *Client, f flow) *Tokens {
	for _, grant := range []Grant{Password, AuthorizationCode, ClientCredentials} {
		if b := as.run.usable(grant, client); b != nil && b.issued {
			return as.TokensOf(as.Send(as.grantRequest(grant, client, b.manner, f)))
		}
	}
	as.Inconclusive("no grant issues a token to clients.%s that could be exchanged", client.Name)
	return nil
}

// exchangeRequest is a token exchange without defect, as the target file describes it.
func (as *AS) exchangeRequest(client *Client, m manner, f flow) *Request {
	config := as.Config().TokenExchange
	s := m.subject
	if s.tokenType == "" {
		s.tokenType = AccessTokenType
	}
	if s.client == nil {
		s.client = client
	}
	params := []Param{
		{Name: "subject_token", Value: as.subjectToken(s.tokenType, s.client, flow{authorize: f.authorize, withoutPKCE: f.withoutPKCE})},
		{Name: "subject_token_type", Value: s.tokenType},
	}
	if s.requested != "" {
		params = append(params, Param{Name: "requested_token_type", Value: s.requested})
	}
	// audience and resource may repeat (RFC 8693 section 2.1); the first of each is the usual request.
	if s.audience && len(config.Audience) > 0 {
		params = append(params, Param{Name: "audience", Value: config.Audience[0]})
	}
	if s.resource && len(config.Resource) > 0 {
		params = append(params, Param{Name: "resource", Value: config.Resource[0]})
	}
	scope := config.Scope
	if f.scope != nil {
		scope = *f.scope
	}
	if scope != "" {
		params = append(params, Param{Name: "scope", Value: scope})
	}
	r := as.tokenRequest(TokenExchange, client, params...)
	r.scope = scope
	return r
}

// exchangeManners lists the subject tokens to try, in the order in which servers are likely to take them.
func (run *Run) exchangeManners(client *Client) []manner {
	config := run.info.Config
	types := config.TokenExchange.SubjectTokenTypes
	if len(types) == 0 {
		types = []string{AccessTokenType, IDTokenType, RefreshTokenType}
	}
	requested := []string{AccessTokenType, ""}
	if len(config.TokenExchange.RequestedTokenTypes) > 0 {
		requested = config.TokenExchange.RequestedTokenTypes[:1]
	}
	owners := []*Client{client}
	for _, grant := range []Grant{AuthorizationCode, Password} {
		if other := config.ClientFor(grant.Type()); other != nil && other != client {
			owners = append(owners, other)
			break
		}
	}
	var out []manner
	for _, t := range types {
		for _, owner := range owners {
			for _, want := range requested {
				for _, named := range exchangeTargets(config.TokenExchange) {
					out = append(out, manner{subject: subject{tokenType: t, requested: want, client: owner,
						audience: named[0], resource: named[1]}})
				}
			}
		}
	}
	return out
}

// exchangeTargets lists which of audience and resource to send: all that is configured, else less.
func exchangeTargets(config TokenExchangeConfig) [][2]bool {
	audience, resource := len(config.Audience) > 0, len(config.Resource) > 0
	switch {
	case audience && resource:
		return [][2]bool{{true, true}, {true, false}, {false, true}, {}}
	case audience || resource:
		return [][2]bool{{audience, resource}, {}}
	}
	return [][2]bool{{}}
}

// ActorToken is a fresh access token that the client which exchanges tokens got for itself, to act for others; else the check is
// inconclusive.
func (as *AS) ActorToken(edits ...RequestEdit) string {
	if client := as.ClientFor(TokenExchange); client.MayUse(ClientCredentials.Type()) {
		edits = append([]RequestEdit{As(client)}, edits...)
	}
	return as.TokensBy(ClientCredentials, edits...).AccessToken
}

// expandTokenType lets a target file say access_token for the URN.
func expandTokenType(t string) string {
	if t == "" || strings.Contains(t, ":") {
		return t
	}
	return "urn:ietf:params:oauth:token-type:" + t
}

// grantAssertion is an assertion for the JWT bearer grant (RFC 7523 section 3): issued by the client for the resource owner.
func (as *AS) grantAssertion(client *Client) string {
	return as.SignJWT(client, nil, as.GrantAssertionClaims(client))
}

// GrantAssertionClaims are the claims of a valid assertion for the JWT bearer grant (RFC 7523 section 3), to be changed,
// signed (SignJWT) and set as the assertion parameter.
func (as *AS) GrantAssertionClaims(client *Client) map[string]any {
	claims := as.run.assertionClaims(client)
	if user := as.User().Username; user != "" {
		claims["sub"] = user
	}
	return claims
}
