package target

import (
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

// Grants are the token grants that work on this target, cheapest first. Each is tried once per run.
func (as *AS) Grants() []Grant { return as.run.grants(as) }

// Token sends a token request by the cheapest grant that works.
func (as *AS) Token(edits ...RequestEdit) *Response { return as.TokenBy(as.cheapest(edits), edits...) }

// Tokens is a successful issuance by the cheapest grant that works, else the check is inconclusive.
func (as *AS) Tokens(edits ...RequestEdit) *Tokens { return as.TokensBy(as.cheapest(edits), edits...) }
