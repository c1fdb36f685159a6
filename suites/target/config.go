// Package target is the authorization server under test as a tester sees it: its endpoints and capabilities, the clients
// and the user that the tester may play, and the helpers that reach tokens and codes through it.
package target

import (
	"net/http"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// Config is what a person tells us about a target: the content of the target file, with flags laid over it.
type Config struct {
	Target          string              `yaml:"target"`    // issuer, base URL or token endpoint
	Profile         string              `yaml:"profile"`   // name or file of a profile
	Endpoints       Endpoints           `yaml:"endpoints"` // override what discovery finds
	Clients         Clients             `yaml:"clients"`
	User            User                `yaml:"user"`
	Login           Login               `yaml:"login"`
	Scopes          []string            `yaml:"scopes"`
	Resource        Resource            `yaml:"resource"`
	Introspection   IntrospectionConfig `yaml:"introspection"`
	TokenExchange   TokenExchangeConfig `yaml:"token_exchange"`
	AuthorizeParams map[string]string   `yaml:"authorize_params"` // sent with every authorization request
	TokenParams     map[string]string   `yaml:"token_params"`     // sent with every token request
	Dialect         profiles.Dialect    `yaml:"dialect"`
	Declares        Declares            `yaml:"declares"`
	Timing          Timing              `yaml:"timing"`
	TLS             TLSConfig           `yaml:"tls"`
	Reserved        Reserved            `yaml:",inline"`

	// Transport replaces the network (in-process targets); nil means real sockets.
	Transport http.RoundTripper `yaml:"-"`
	// Sleep replaces waiting for lifetimes (slow lane); nil means real time.
	Sleep func(d time.Duration) error `yaml:"-"`
	// Rate bounds requests a second; 0 means no limit.
	Rate float64 `yaml:"-"`
}

// Reserved are sections of the target file that the format sets aside for more. They are accepted and carried along as
// they were written, so that a file may hold them before every reader of the file knows them; Config.Unread names those
// that are filled in.
type Reserved struct {
	Baseline           any `yaml:"baseline"`
	DPoP               any `yaml:"dpop"`
	PAR                any `yaml:"par"`
	MTLS               any `yaml:"mtls"`
	Device             any `yaml:"device"`
	Logout             any `yaml:"logout"`
	ResourceIndicators any `yaml:"resource_indicators"`
	JWTBearer          any `yaml:"jwt_bearer"`
}

// Endpoints are absolute URLs; an empty one is discovered or absent.
type Endpoints struct {
	Authorization       string `yaml:"authorization"`
	Token               string `yaml:"token"`
	Revocation          string `yaml:"revocation"`
	Introspection       string `yaml:"introspection"`
	Userinfo            string `yaml:"userinfo"`
	JWKS                string `yaml:"jwks"`
	Registration        string `yaml:"registration"`
	DeviceAuthorization string `yaml:"device_authorization"`
	PushedAuthorization string `yaml:"pushed_authorization_request"`
	EndSession          string `yaml:"end_session"`
	Metadata            string `yaml:"metadata"` // where the document is, if not at a well-known place
}

// Clients are the clients that the tester may play.
type Clients struct {
	Primary  *Client            `yaml:"primary"`
	Second   *Client            `yaml:"second"`
	Public   *Client            `yaml:"public"`
	Implicit *Client            `yaml:"implicit"` // a client that may use the implicit grant; default: primary or public if its grants say so
	Service  *Client            `yaml:"service"`  // a client for client_credentials where primary may not use it
	Others   map[string]*Client `yaml:"others"`
}

// AuthMethod is a client authentication method by its registered name (RFC 7591 section 2).
type AuthMethod string

// Client authentication methods; PrivateKeyJWT, which is a capability as well, is the fifth.
const (
	Basic        AuthMethod = "client_secret_basic"
	Post         AuthMethod = "client_secret_post"
	SecretJWT    AuthMethod = "client_secret_jwt"
	NoClientAuth AuthMethod = "none"
)

// Client is a registered client of the target.
type Client struct {
	Name         string     `yaml:"-"` // "primary", "second", "public", …
	ID           string     `yaml:"id"`
	Secret       string     `yaml:"secret"`
	EmptySecret  bool       `yaml:"empty_secret"` // the password is the empty string
	SecretEnv    string     `yaml:"secret_env"`
	Auth         AuthMethod `yaml:"auth"`     // default: client_secret_basic with a secret, none without
	KeyFile      string     `yaml:"key_file"` // private key (PEM or JWK) for private_key_jwt
	Key          []byte     `yaml:"-"`        // the same in PEM or as a JWK, in place of a file
	RedirectURIs []string   `yaml:"redirect_uris"`
	// PartialRedirectURIs says that the server has registered redirect_uris without their queries, which may vary (RFC 6749
	// section 3.1.2.2).
	PartialRedirectURIs bool     `yaml:"partial_redirect_uris"`
	Grants              []string `yaml:"grants"`
	Scopes              []string `yaml:"scopes"`
}

// User is the resource owner that the tester plays.
type User struct {
	Username    string `yaml:"username"`
	Password    string `yaml:"password"`
	PasswordEnv string `yaml:"password_env"`
}

// Login says how the resource owner's part is played.
type Login struct {
	Method string `yaml:"method"` // auto (default), form, none
	// Fields overrides form fields by name where the meaning of a field cannot be guessed.
	Fields map[string]string `yaml:"fields"`
	// Approve and Deny name the consent buttons (text, value or name) where they cannot be guessed.
	Approve string `yaml:"approve"`
	Deny    string `yaml:"deny"`
	// Consent says when the server asks for consent: "always", on every authorization of the configured clients, so that a
	// code without it is a finding; empty: it may remember an earlier decision or have none to ask for.
	Consent string `yaml:"consent"`
	// Origins ("https://login.example") besides the target's own may receive the password.
	Origins []string `yaml:"origins"`
}

// Resource is a protected resource; the default is the userinfo endpoint.
type Resource struct {
	URL               string   `yaml:"url"`
	Method            string   `yaml:"method"`
	Scopes            []string `yaml:"scopes"`             // scopes that its tokens need
	InsufficientScope string   `yaml:"insufficient_scope"` // a scope whose token must not reach it
	Realm             string   `yaml:"realm"`
	BearerMethods     []string `yaml:"bearer_methods"` // how it takes tokens: header, body, query (RFC 9728 section 2)
}

// IntrospectionConfig says which client may introspect.
type IntrospectionConfig struct {
	Client string `yaml:"client"`
}

// TokenExchangeConfig describes what the target exchanges (RFC 8693).
type TokenExchangeConfig struct {
	Client              string   `yaml:"client"`
	SubjectTokenTypes   []string `yaml:"subject_token_types"`
	RequestedTokenTypes []string `yaml:"requested_token_types"`
	ActorTokenTypes     []string `yaml:"actor_token_types"`
	Audience            []string `yaml:"audience"`
	Resource            []string `yaml:"resource"`
	Scope               string   `yaml:"scope"`
	Delegation          bool     `yaml:"delegation"`
	Impersonation       bool     `yaml:"impersonation"`   // exchanges without an actor token are supported
	TargetOptional      bool     `yaml:"target_optional"` // exchanges that name neither audience nor resource are supported
	// ExpectedAudience is what the audience of the issued token holds for a value of audience or resource.
	ExpectedAudience map[string]string `yaml:"expected_audience"`
}

// Declares is what the server is meant to do, where nothing that it says or shows tells: without it the checks that hold the
// server to it are skipped.
type Declares struct {
	PKCE         string `yaml:"pkce"`          // required, required-of-public, optional or unsupported (RFC 7636)
	IssParameter bool   `yaml:"iss_parameter"` // authorization responses carry iss (RFC 9207)
	// RevocationJSONP says that the revocation endpoint answers GET with a script (RFC 7009 section 2.3).
	RevocationJSONP bool `yaml:"revocation_jsonp"`
}

// Timing gathers every wait of a run.
type Timing struct {
	Timeout       time.Duration `yaml:"timeout"`        // one request; default 10s
	Settle        time.Duration `yaml:"settle"`         // between a change (revocation) and its effect; default 0
	CodeLifetime  time.Duration `yaml:"code_lifetime"`  // of an authorization code; default 0 = unknown (slow lane skips)
	TokenLifetime time.Duration `yaml:"token_lifetime"` // of an access token; default: expires_in
	RotationGrace time.Duration `yaml:"rotation_grace"` // how long an old refresh token may go on working; default 0
}

// TLSConfig says how to trust the target's certificate.
type TLSConfig struct {
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
	CAFile             string `yaml:"ca_file"`
	// PlainHTTPCredentials is the consent to send a client's credentials without TLS, where a token endpoint answers without it.
	PlainHTTPCredentials bool   `yaml:"plain_http_credentials"`
	CA                   []byte `yaml:"-"` // PEM certificates to trust, in place of a file
}
