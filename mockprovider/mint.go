package mockprovider

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Issuance describes tokens to make without a request.
type Issuance struct {
	Client   string        `yaml:"client" json:"client" doc:"identifier of the client; default: the first of your own, or web-app"`
	User     string        `yaml:"user" json:"user" doc:"login name; default: nobody, the tokens are the client's own"`
	Scopes   []string      `yaml:"scopes" json:"scopes" doc:"default: what the client may ask for"`
	Audience []string      `yaml:"audience" json:"audience" doc:"aud of the access token; default as ever"`
	Nonce    string        `yaml:"nonce" json:"nonce" doc:"nonce of the ID token"`
	Lifetime time.Duration `yaml:"lifetime" json:"lifetime" doc:"of access and ID token; default as ever; negative: already expired"`
	Claims   Claims        `yaml:"claims" json:"claims" doc:"further claims; null removes one"`

	subject string // sub of somebody who is no user
}

// Tokens are what Issue and Mint make, in the words of a token response.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds; 0: never
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"` // with the scope openid
	Scope        string `json:"scope,omitempty"`
}

// Mint makes tokens without a browser or a request. The provider knows them afterwards like any other: they open its resource and
// userinfo, are introspected, refreshed and revoked. Of the claims, client_id (or azp) names the client, sub the user (by login name or sub; anything else is taken as it is;
// default alice), scope what is granted, nonce and exp do what they say; all others are added, nil removes one.
func (p *Provider) Mint(tb testing.TB, claims Claims) Tokens {
	tb.Helper()
	issuance, err := p.issuanceOf(claims)
	if err != nil {
		tb.Fatal(err)
	}
	tokens, err := p.Issue(issuance)
	if err != nil {
		tb.Fatal(err)
	}
	return tokens
}

// issuanceOf reads who gets what from claims.
func (p *Provider) issuanceOf(claims Claims) (Issuance, error) {
	i := Issuance{User: p.settings.AutoUser, Claims: Claims{}}
	for name, value := range plain(claims).(map[string]any) {
		switch {
		case value == nil:
			i.Claims[name] = nil
		case name == "client_id" || name == "azp":
			i.Client = toText(value)
			if name == "azp" {
				i.Claims[name] = value
			}
		case name == "sub":
			i.User, i.subject = p.subjectOf(toText(value))
		case name == "scope":
			i.Scopes = words(toText(value))
		case name == "nonce":
			i.Nonce = toText(value)
		case name == "exp":
			seconds, err := toDuration(value)
			if err != nil {
				return i, fmt.Errorf("mock provider: claim exp: expected seconds since 1970 or a time, found %v", value)
			}
			i.Lifetime = time.Unix(int64(seconds/time.Second), 0).Sub(p.clock.Now().Truncate(time.Second))
			if i.Lifetime == 0 {
				i.Lifetime = -time.Nanosecond
			}
		default:
			i.Claims[name] = value
		}
	}
	return i, nil
}

// subjectOf finds a user by login name or sub.
func (p *Provider) subjectOf(sub string) (user, subject string) {
	if p.user(sub) != nil {
		return sub, ""
	}
	for name, u := range p.users() {
		if u.Sub == sub {
			return name, ""
		}
	}
	return "", sub
}

// Issue is Mint with everything said by name. An unknown client or user is an error that names the nearest.
func (p *Provider) Issue(i Issuance) (Tokens, error) {
	client, err := p.issuee(i.Client)
	if err != nil {
		return Tokens{}, err
	}
	var user *ResourceOwner
	if i.User != "" {
		if user = p.user(i.User); user == nil {
			return Tokens{}, fmt.Errorf("mock provider: no user %q%s", i.User, suggestion(i.User, p.userNames()))
		}
	}
	scope := i.Scopes
	if len(scope) == 0 {
		if scope = client.Scopes; len(scope) == 0 {
			scope = p.settings.Scopes
		}
	}
	x := p.inner(client, user)
	g := x.newGrant(client, user, scope)
	g.nonce, g.audience, g.owner = i.Nonce, i.Audience, i.subject
	x.extra = x.extraClaims(g)
	if x.extra == nil {
		x.extra = make(map[string]any)
	}
	for name, value := range plain(i.Claims).(map[string]any) {
		x.extra[name] = value
	}
	if i.Lifetime != 0 {
		x.lifetime = &i.Lifetime
	}
	access := x.issueAccess(g, scope)
	tokens := Tokens{AccessToken: access.value, TokenType: "Bearer", Scope: strings.Join(scope, " ")}
	if !access.expires.IsZero() {
		tokens.ExpiresIn = int(access.expires.Sub(x.now) / time.Second)
	}
	if x.wantsRefresh(client, scope) {
		tokens.RefreshToken = x.issueRefresh(g, scope, access).value
	}
	if x.wantsIDToken(scope) {
		tokens.IDToken = x.idToken(g, access.value, "")
	}
	return tokens, nil
}

// issuee is the client that tokens are made for.
func (p *Provider) issuee(id string) (*RegisteredClient, error) {
	if id != "" {
		c := p.client(id)
		if c == nil {
			var known []string
			for _, c := range p.clients() {
				known = append(known, c.ID)
			}
			return nil, fmt.Errorf("mock provider: no client %q%s", id, suggestion(id, known))
		}
		return c, nil
	}
	var first *RegisteredClient
	ready := readyMadeClients()
	for _, c := range p.clients() {
		if _, isReady := ready[c.ID]; !isReady {
			return c, nil
		}
		if first == nil {
			first = c
		}
	}
	if first == nil {
		return nil, fmt.Errorf("mock provider: there is no client to make tokens for")
	}
	return first, nil
}

// inner is an exchange that no request began.
func (p *Provider) inner(client *RegisteredClient, user *ResourceOwner) *exchange {
	return &exchange{p: p, w: &recorder{header: make(http.Header)}, endpoint: TokenEndpoint, program: *p.root.program.Load(), now: p.clock.Now(),
		base: p.base, client: client, user: user, r: &http.Request{Method: http.MethodPost, URL: &url.URL{Path: p.prefix}, Header: http.Header{}, Body: http.NoBody}}
}
