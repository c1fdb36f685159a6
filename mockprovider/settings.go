package mockprovider

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings is what the provider is configured with: the vocabulary of `settings:` in a profile, of `setup:` in a deviation and
// of the option Settings. Data is merged over the strict defaults: a mapping changes only the keys that it has, a list
// replaces the whole list.
type Settings struct {
	Issuer     string            `yaml:"issuer" doc:"issuer identifier; default: the address the provider listens on"`
	IssuerFrom string            `yaml:"issuer_from" doc:"what issuer and URLs are made of: fixed (the issuer), host (the Host field of the request) or forwarded (also X-Forwarded-Proto, -Host, -Port and -Prefix, or Forwarded)"`
	Endpoints  map[string]string `yaml:"endpoints" doc:"path of each endpoint under the issuer: authorize, login, consent, token, userinfo, introspection, revocation, registration, client_configuration, device_authorization, device, jwks, resource, end_session, tokeninfo; null: not there"`
	Aliases    map[string]string `yaml:"aliases" doc:"further paths: path to endpoint name; * stands for one segment"`
	Tenants    []string          `yaml:"tenants" doc:"names of servers under the issuer, ISSUER/NAME each, with the same clients and users but codes, tokens and sessions of their own; the first is the one that Describe tells of"`
	Headers    map[string]string `yaml:"headers" doc:"header fields of every answer"`
	TLS        bool              `yaml:"tls" doc:"https with certificates of its own, for all names that clients know it by (Provider.CertificateAuthority)"`
	Realm      string            `yaml:"realm" doc:"realm of challenges"`

	Clients map[string]RegisteredClient `yaml:"clients" doc:"clients by identifier; null removes one of the ready-made"`
	Claims  []ClaimRule                 `yaml:"claims" doc:"claims in tokens, userinfo and introspection: a list of {when: CONDITION, set: {NAME: VALUE}}; later ones win"`
	Users   map[string]ResourceOwner    `yaml:"users" doc:"resource owners by login name; null removes one of the ready-made"`

	Grants            []string `yaml:"grants" doc:"grant types that the provider has"`
	Implicit          bool     `yaml:"implicit" doc:"response_type=token"`
	Hybrid            bool     `yaml:"hybrid" doc:"the response types code id_token, code token, code id_token token and id_token (OpenID Connect Core section 3); what has a token, or no code, is for clients with the grant implicit"`
	ResponseTypes     []string `yaml:"response_types" doc:"further response types, made of the words code, token and id_token"`
	ResponseModes     []string `yaml:"response_modes" doc:"query, fragment, form_post"`
	ClientAuthMethods []string `yaml:"client_auth_methods" doc:"client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none"`

	Login           string `yaml:"login" doc:"form, or auto: the user auto_user is signed in without a page"`
	AutoUser        string `yaml:"auto_user" doc:"who is signed in with login: auto"`
	Consent         string `yaml:"consent" doc:"form (every time), once (form until this user approved this client and scope, confidential clients only) or auto"`
	CombinedConsent bool   `yaml:"combined_consent" doc:"the login page asks for consent too"`

	Scopes        []string `yaml:"scopes" doc:"scope values that exist"`
	DefaultScope  []string `yaml:"default_scope" doc:"granted when none is asked for; empty: invalid_scope"`
	UnknownScope  string   `yaml:"unknown_scope" doc:"refuse, or ignore (and report what was granted)"`
	ScopeResponse string   `yaml:"scope_response" doc:"when the token response has scope: always, changed (from the request) or never"`

	PKCE        PKCESettings        `yaml:"pkce"`
	Lifetimes   Lifetimes           `yaml:"lifetimes"`
	Code        CodeSettings        `yaml:"code"`
	AccessToken AccessTokenSettings `yaml:"access_token"`
	Refresh     RefreshSettings     `yaml:"refresh"`
	IDToken     IDTokenSettings     `yaml:"id_token"`

	TokenExchange TokenExchangeSettings `yaml:"token_exchange"`
	Registration  RegistrationSettings  `yaml:"registration"`

	DeviceInterval time.Duration `yaml:"device_interval" doc:"how long a device waits between polls (RFC 8628 section 3.2)"`

	TrustedIssuers map[string]TrustedIssuer `yaml:"trusted_issuers" doc:"whose assertions (RFC 7523) and software statements (RFC 7591) are believed, by issuer identifier"`

	CORS CORSSettings `yaml:"cors"`

	ErrorRedirects bool   `yaml:"error_redirects" doc:"errors of authorization requests go to the client where its redirect_uri is right; false: none does"`
	ErrorPages     string `yaml:"error_pages" doc:"what answers errors that do not go to the client: html (a page) or json (RFC 6749 section 5.2)"`
	EscapedJSON    bool   `yaml:"escaped_json" doc:"JSON is written with \\/ for a slash and \\uXXXX for what is not ASCII"`

	IssParameter        bool `yaml:"iss_parameter" doc:"iss in authorization responses (RFC 9207)"`
	RequireState        bool `yaml:"require_state" doc:"authorization requests need a state"`
	RequireRedirect     bool `yaml:"require_redirect_uri" doc:"authorization requests need a redirect_uri even if only one is registered"`
	InvalidClient       int  `yaml:"invalid_client_status" doc:"status of invalid_client where the client did not use HTTP authentication: 400 or 401"`
	IntrospectionBearer bool `yaml:"introspection_bearer" doc:"the introspection endpoint also takes, as authorization, an access token of a client that may introspect (RFC 7662 section 2.1)"`
	RevocationJSONP     bool `yaml:"revocation_jsonp" doc:"the revocation endpoint also answers GET with a script that calls the function in callback (RFC 7009 section 2.3)"`
	QueryToken          bool `yaml:"query_token" doc:"the resource takes access tokens in the query (RFC 6750 section 2.3)"`
	SignedMetadata      bool `yaml:"signed_metadata" doc:"metadata is repeated in a signed JWT, the member signed_metadata (RFC 8414 section 2.1)"`
	OpenID              bool `yaml:"openid" doc:"OpenID Connect: ID tokens, userinfo, discovery"`
}

// PKCESettings is the policy on RFC 7636.
type PKCESettings struct {
	Required string   `yaml:"required" doc:"which clients need a code_challenge: none, public or all"`
	Methods  []string `yaml:"methods" doc:"S256, plain; empty: the provider knows no PKCE"`
}

// Lifetimes are how long things live.
type Lifetimes struct {
	Code         time.Duration `yaml:"code"`
	AccessToken  time.Duration `yaml:"access_token"`
	RefreshToken time.Duration `yaml:"refresh_token"`
	IDToken      time.Duration `yaml:"id_token"`
	DeviceCode   time.Duration `yaml:"device_code"`
	Session      time.Duration `yaml:"session"`
}

// CodeSettings says what authorization codes look like.
type CodeSettings struct {
	Format    string `yaml:"format" doc:"opaque, or jwt"`
	Algorithm string `yaml:"algorithm" doc:"as for access_token.algorithm, HS256 to HS512 with a published secret"`
}

// AccessTokenSettings says what access tokens look like.
type AccessTokenSettings struct {
	Format    string   `yaml:"format" doc:"opaque, or jwt (RFC 9068)"`
	Algorithm string   `yaml:"algorithm" doc:"RS256 to RS512, PS256 to PS512, ES256 to ES512, EdDSA, or HS256 to HS512 (ID tokens with the client's secret, others with a published one)"`
	Audience  []string `yaml:"audience" doc:"aud; default: the resource's URL"`
}

// RefreshSettings is the policy on refresh tokens.
type RefreshSettings struct {
	Format         string        `yaml:"format" doc:"opaque, or jwt"`
	Algorithm      string        `yaml:"algorithm" doc:"as for access_token.algorithm, HS256 to HS512 with a published secret"`
	Issue          string        `yaml:"issue" doc:"always (to clients with the grant), offline_access (with that scope), openid_offline_access (with that scope, or without openid) or never"`
	Rotation       bool          `yaml:"rotation" doc:"a refresh yields a new refresh token"`
	ReuseDetection bool          `yaml:"reuse_detection" doc:"using a rotated refresh token revokes the grant"`
	Grace          time.Duration `yaml:"grace" doc:"how long a rotated refresh token still works"`
}

// IDTokenSettings says what ID tokens look like.
type IDTokenSettings struct {
	Algorithm string `yaml:"algorithm" doc:"as for access tokens"`
}

// TokenExchangeSettings is the policy on RFC 8693.
type TokenExchangeSettings struct {
	SubjectTokenTypes   []string `yaml:"subject_token_types" json:"subject_token_types" doc:"what may be exchanged: access_token, refresh_token, id_token, jwt"`
	ActorTokenTypes     []string `yaml:"actor_token_types" json:"actor_token_types" doc:"what may name the actor, likewise"`
	RequestedTokenTypes []string `yaml:"requested_token_types" json:"requested_token_types" doc:"what it may be exchanged for, likewise"`
	Audiences           []string `yaml:"audiences" json:"audiences" doc:"values of audience that are known"`
	Resources           []string `yaml:"resources" json:"resources" doc:"values of resource that are known, beside the URL of the protected resource"`
}

// RegistrationSettings is the policy on RFC 7591.
type RegistrationSettings struct {
	Access             string `yaml:"access" doc:"who may register clients: open (everybody), token (who has the initial access token) or off"`
	InitialAccessToken string `yaml:"initial_access_token" doc:"the initial access token"`
}

// strictSettings is the strict provider.
func strictSettings() Settings {
	return Settings{
		Realm: "mock provider", IssuerFrom: "fixed",
		Endpoints: map[string]string{
			"authorize": "/authorize", "login": "/login", "consent": "/consent", "token": "/token", "userinfo": "/userinfo",
			"introspection": "/introspect", "revocation": "/revoke", "jwks": "/jwks", "resource": "/resource",
			"end_session": "/end_session", "device_authorization": "/device_authorization", "device": "/device", "registration": "/register", "client_configuration": "/register/client",
		},
		Clients:           readyMadeClients(),
		Users:             readyMadeUsers(),
		Grants:            slices.Clone(grantNames),
		ResponseModes:     []string{"query", "fragment", "form_post"},
		ClientAuthMethods: slices.Clone(authMethods),
		Login:             "form", AutoUser: "alice", Consent: "form",
		Scopes:        []string{"openid", "profile", "email", "offline_access", "read", "write"},
		DefaultScope:  []string{"read"},
		UnknownScope:  "refuse",
		ScopeResponse: "always",
		PKCE:          PKCESettings{Required: "public", Methods: []string{"S256"}},
		Lifetimes: Lifetimes{Code: time.Minute, AccessToken: 15 * time.Minute, RefreshToken: 30 * 24 * time.Hour, IDToken: 15 * time.Minute,
			DeviceCode: 10 * time.Minute, Session: 8 * time.Hour},
		Code:        CodeSettings{Format: "opaque", Algorithm: "RS256"},
		AccessToken: AccessTokenSettings{Format: "opaque", Algorithm: "RS256"},
		Refresh:     RefreshSettings{Format: "opaque", Algorithm: "RS256", Issue: "always", Rotation: true, ReuseDetection: true},
		IDToken:     IDTokenSettings{Algorithm: "RS256"},
		TokenExchange: TokenExchangeSettings{
			SubjectTokenTypes:   slices.Clone(exchangeTypes),
			ActorTokenTypes:     []string{accessToken, idTokenType, jwtType},
			RequestedTokenTypes: slices.Clone(exchangeTypes),
			Audiences:           []string{"orders", "invoices"},
			Resources:           []string{"https://api.example/orders", "https://api.example/orders?tenant=1", "https://api.example/invoices"},
		},
		Registration:   RegistrationSettings{Access: "open", InitialAccessToken: "not-a-secret.initial-access-token.0123456789"},
		TrustedIssuers: readyMadeIssuers(),
		DeviceInterval: 5 * time.Second,
		ErrorRedirects: true, ErrorPages: "html",
		IssParameter: true, InvalidClient: 401, OpenID: true,
	}
}

// settingError says what is wrong with a setting, and where it stands among the settings.
type settingError struct {
	path string // client_auth_methods, clients.shop.grants
	error
}

func (e *settingError) Error() string {
	return "mock provider settings: " + e.path + ": " + e.error.Error()
}

func (e *settingError) Unwrap() error { return e.error }

// vocabulary checks that words are known.
func vocabulary(path string, allowed []string, words ...string) error {
	for _, word := range words {
		if !slices.Contains(allowed, word) {
			return &settingError{path, fmt.Errorf("%q%s", word, suggestion(word, allowed))}
		}
	}
	return nil
}

// The words of lists in settings.
var (
	grantNames    = []string{"authorization_code", "client_credentials", "refresh_token", "password", tokenExchangeGrant, jwtBearerGrant, deviceGrant}
	authMethods   = []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"}
	exchangeTypes = []string{accessToken, refreshToken, idTokenType, jwtType}
)

// check refuses settings that have no meaning.
func (s *Settings) check() error {
	for _, w := range []struct {
		path    string
		allowed []string
		words   []string
	}{
		{"issuer_from", []string{"fixed", "host", "forwarded"}, []string{s.IssuerFrom}},
		{"login", []string{"form", "auto"}, []string{s.Login}},
		{"error_pages", []string{"html", "json"}, []string{s.ErrorPages}},
		{"consent", []string{"form", "once", "auto"}, []string{s.Consent}},
		{"unknown_scope", []string{"refuse", "ignore"}, []string{s.UnknownScope}},
		{"scope_response", []string{"always", "changed", "never"}, []string{s.ScopeResponse}},
		{"pkce.required", []string{"none", "public", "all"}, []string{s.PKCE.Required}},
		{"pkce.methods", []string{"S256", "plain"}, s.PKCE.Methods},
		{"access_token.format", []string{"opaque", "jwt"}, []string{s.AccessToken.Format}},
		{"access_token.algorithm", algorithms, []string{s.AccessToken.Algorithm}},
		{"code.format", []string{"opaque", "jwt"}, []string{s.Code.Format}},
		{"code.algorithm", algorithms, []string{s.Code.Algorithm}},
		{"refresh.format", []string{"opaque", "jwt"}, []string{s.Refresh.Format}},
		{"refresh.algorithm", algorithms, []string{s.Refresh.Algorithm}},
		{"id_token.algorithm", algorithms, []string{s.IDToken.Algorithm}},
		{"refresh.issue", []string{"always", "offline_access", "openid_offline_access", "never"}, []string{s.Refresh.Issue}},
		{"registration.access", []string{"open", "token", "off"}, []string{s.Registration.Access}},
		{"grants", grantNames, s.Grants},
		{"client_auth_methods", authMethods, s.ClientAuthMethods},
		{"response_modes", []string{"query", "fragment", "form_post"}, s.ResponseModes},
		{"response_types", []string{"code", "token", "id_token"}, words(strings.Join(s.ResponseTypes, " "))},
		{"token_exchange.subject_token_types", exchangeTypes, s.TokenExchange.SubjectTokenTypes},
		{"token_exchange.actor_token_types", exchangeTypes, s.TokenExchange.ActorTokenTypes},
		{"token_exchange.requested_token_types", exchangeTypes, s.TokenExchange.RequestedTokenTypes},
		{"invalid_client_status", []string{"400", "401"}, []string{strconv.Itoa(s.InvalidClient)}},
	} {
		if err := vocabulary(w.path, w.allowed, w.words...); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(s.Endpoints) {
		path := s.Endpoints[name]
		switch {
		case !endpointNames[name]:
			return &settingError{"endpoints." + name, fmt.Errorf("no endpoint %q%s", name, suggestion(name, endpointList()))}
		case path != "" && path[0] != '/':
			return &settingError{"endpoints." + name, fmt.Errorf("%q is not a path: it begins with a slash", path)}
		}
	}
	for _, tenant := range s.Tenants {
		if tenant == "" || strings.ContainsAny(tenant, "/?#%") {
			return &settingError{"tenants", fmt.Errorf("%q is not one segment of a path", tenant)}
		}
	}
	for _, path := range sortedKeys(s.Aliases) {
		if name := s.Aliases[path]; !endpointNames[name] {
			return &settingError{"aliases." + path, fmt.Errorf("no endpoint %q%s", name, suggestion(name, endpointList()))}
		}
	}
	for _, origin := range s.CORS.Origins {
		if !strings.Contains(origin, "://") && !strings.Contains(origin, "*") && origin != "null" {
			return &settingError{"cors.origins", fmt.Errorf("%q is not an origin: that has a scheme, as in https://app.example", origin)}
		}
	}
	ready := readyMadeClients()
	for _, id := range sortedKeys(s.Clients) {
		client := s.Clients[id]
		if key, err := client.check(); err != nil {
			return &settingError{"clients." + id + key, err}
		}
		if _, given := ready[id]; given { // they stay, whatever the provider's scopes are
			continue
		}
		for _, scope := range append(slices.Clone(client.Scopes), client.DefaultScope...) {
			if !slices.Contains(s.Scopes, scope) {
				return &settingError{"clients." + id + ".scopes", fmt.Errorf("%q is not among the provider's scopes (the setting scopes), which are %s", scope, strings.Join(s.Scopes, " "))}
			}
		}
	}
	for _, id := range sortedKeys(s.TrustedIssuers) {
		if _, err := newKeyring(s.TrustedIssuers[id].JWKS, s.TrustedIssuers[id].PrivateKey); err != nil {
			return &settingError{"trusted_issuers." + id, err}
		}
	}
	if s.Endpoints["device_authorization"] == "" { // nobody could begin
		s.Grants = without(s.Grants, []string{deviceGrant})
	}
	if !slices.Contains(s.Grants, deviceGrant) {
		delete(s.Endpoints, "device_authorization")
		delete(s.Endpoints, "device")
	}
	if s.Registration.Access == "off" {
		delete(s.Endpoints, "registration")
		delete(s.Endpoints, "client_configuration")
	}
	if s.Login == "auto" {
		if _, ok := s.Users[s.AutoUser]; !ok {
			return &settingError{"auto_user", fmt.Errorf("%q is not among the users%s", s.AutoUser, suggestion(s.AutoUser, sortedKeys(s.Users)))}
		}
	}
	return nil
}

// check refuses what a client cannot be, and says at which key (".grants", "" for the client as a whole).
func (c *RegisteredClient) check() (key string, err error) {
	for _, w := range []struct {
		key            string
		allowed, words []string
	}{
		{".kind", []string{"web", "native", "service", ""}, []string{c.Kind}},
		{".grants", append([]string{"implicit"}, grantNames...), c.Grants},
		{".auth_methods", authMethods, c.AuthMethods},
	} {
		for _, word := range w.words {
			if !slices.Contains(w.allowed, word) {
				return w.key, fmt.Errorf("%q%s", word, suggestion(word, without(w.allowed, []string{""})))
			}
		}
	}
	for _, uri := range c.RedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || strings.Contains(uri, " ") { // RFC 6749 section 3.1.2
			return ".redirect_uris", fmt.Errorf("%q is not an absolute URI, as in https://app.example/callback", uri)
		}
	}
	_, err = newKeyring(c.JWKS, c.PrivateKey)
	return "", err
}
