package mockprovider

import (
	"slices"
	"strings"
)

// RegisteredClient is a registered client.
type RegisteredClient struct {
	ID                     string   `yaml:"-" json:"id"`
	Secret                 string   `yaml:"secret" json:"secret,omitempty" doc:"client secret; none for a public client"`
	Name                   string   `yaml:"name" json:"name,omitempty" doc:"shown on the consent page"`
	Kind                   string   `yaml:"kind" json:"kind,omitempty" doc:"web, native (loopback redirect URIs with any port) or service"`
	Public                 bool     `yaml:"public" json:"public,omitempty" doc:"has no secret (RFC 6749 section 2.1)"`
	AuthMethods            []string `yaml:"auth_methods" json:"auth_methods,omitempty" doc:"how it may authenticate; empty: any that the provider has"`
	RedirectURIs           []string `yaml:"redirect_uris" json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris" json:"post_logout_redirect_uris,omitempty" doc:"where the browser may be sent after a logout; empty: the redirect_uris"`
	Grants                 []string `yaml:"grants" json:"grants,omitempty" doc:"grant types (and implicit) that it may use; empty: any"`
	Scopes                 []string `yaml:"scopes" json:"scopes,omitempty" doc:"scope values that it may ask for; empty: any"`
	DefaultScope           []string `yaml:"default_scope" json:"default_scope,omitempty" doc:"granted when it asks for none; empty: the provider's default"`
	Introspect             bool     `yaml:"introspect" json:"introspect,omitempty" doc:"may introspect tokens of other clients (a resource server)"`
	JWKS                   any      `yaml:"jwks" json:"jwks,omitempty" doc:"JWK set with the client's public keys, for private_key_jwt"`
	PrivateKey             string   `yaml:"private_key" json:"private_key,omitempty" doc:"the client's private key (PEM, PKCS #8) in place of jwks: the provider verifies with its public half, and tells it to tests that sign"`
	ClientURI              string   `yaml:"client_uri" json:"client_uri,omitempty" doc:"page about the client, linked from the consent page"`
	LogoURI                string   `yaml:"logo_uri" json:"logo_uri,omitempty" doc:"shown on the consent page"`
	TOSURI                 string   `yaml:"tos_uri" json:"tos_uri,omitempty" doc:"terms of service, linked from the consent page"`
	PolicyURI              string   `yaml:"policy_uri" json:"policy_uri,omitempty" doc:"privacy policy, linked from the consent page"`
	Claims                 Claims   `yaml:"claims" json:"claims,omitempty" doc:"claims in all tokens of the client"`
	Description            string   `yaml:"description" json:"description,omitempty"`
}

// Type is "public" or "confidential" (RFC 6749 section 2.1).
func (c *RegisteredClient) Type() string {
	if c.Public {
		return "public"
	}
	return "confidential"
}

func (c *RegisteredClient) mayUse(grant string) bool {
	return len(c.Grants) == 0 || slices.Contains(c.Grants, grant)
}

func (c *RegisteredClient) hasRedirectURI(uri string) bool {
	return slices.Contains(c.RedirectURIs, uri)
}

// ResourceOwner is a user who may log in and approve (RFC 6749 section 1.1).
type ResourceOwner struct {
	Username string `yaml:"-" json:"username"`
	Password string `yaml:"password" json:"password"`
	Sub      string `yaml:"sub" json:"sub" doc:"subject identifier; default: a fixed one made from the login name"`
	MayAct   string `yaml:"may_act" json:"may_act,omitempty" doc:"client that may act for the user, where an actor token is sent: may_act in the user's tokens (RFC 8693 section 4.4)"`
	Claims   Claims `yaml:"claims" json:"claims,omitempty" doc:"claims about the user: those of OpenID Connect (name, email …) by scope at userinfo, all others also in every token"`
}

// named is the user under a login name, with a subject identifier.
func (u ResourceOwner) named(name string) *ResourceOwner {
	u.Username = name
	if sub, ok := u.Claims["sub"].(string); ok && u.Sub == "" {
		u.Sub = sub
	}
	if u.Sub == "" {
		u.Sub = "user-" + name
	}
	return &u
}

// readyMadeClients are the clients of the strict provider. The secrets are published, and look it.
func readyMadeClients() map[string]RegisteredClient {
	return map[string]RegisteredClient{
		"web-app": {
			Secret: "not-a-secret.web-app.0123456789abcdef", Name: "Web app", Kind: "web",
			RedirectURIs: []string{"https://client.example/callback", "https://client.example/other", "https://client.example/callback?tenant=1&x=a%20b"},
			Grants:       []string{"authorization_code", "refresh_token", "client_credentials", "password", tokenExchangeGrant, deviceGrant},
			Description:  "confidential, several redirect URIs, one of them with a query",
		},
		"web-app-2": {
			Secret: "not-a-secret.web-app-2.0123456789abcdef", Name: "Second web app", Kind: "web",
			RedirectURIs: []string{"https://second.example/callback"},
			Grants:       []string{"authorization_code", "refresh_token", "client_credentials", "password", tokenExchangeGrant, deviceGrant},
			Description:  "confidential, a single redirect URI",
		},
		"native-app": {
			Name: "Native app", Kind: "native", Public: true,
			RedirectURIs: []string{"https://native.example/callback", "http://127.0.0.1/callback", "http://[::1]/callback", "com.example.native:/callback"},
			Grants:       []string{"authorization_code", "refresh_token"},
			Description:  "public; loopback redirect URIs with any port (RFC 8252 section 7.3)",
		},
		"native-app-2": {
			Name: "Second native app", Kind: "native", Public: true,
			RedirectURIs: []string{"https://native2.example/callback"},
			Grants:       []string{"authorization_code", "refresh_token"},
			Description:  "public, a single redirect URI",
		},
		"implicit-app": {
			Name: "Implicit app", Kind: "web", Public: true,
			RedirectURIs: []string{"https://implicit.example/callback"},
			Grants:       []string{"implicit"},
			Description:  "public, response_type=token where the setting implicit is on",
		},
		"hybrid-app": {
			Secret: "not-a-secret.hybrid-app.0123456789abcdef", Name: "Hybrid app", Kind: "web",
			RedirectURIs: []string{"https://hybrid.example/callback"},
			Grants:       []string{"authorization_code", "implicit", "refresh_token"},
			Description:  "confidential; every response type, where the settings hybrid and implicit are on",
		},
		"service": {
			Secret: "not-a-secret.service.0123456789abcdef", Name: "Service", Kind: "service",
			Grants: []string{"client_credentials", tokenExchangeGrant}, RedirectURIs: []string{"https://service.example/callback"},
			Scopes:      []string{"read", "write"},
			Description: "confidential, no users: client_credentials and token exchange",
		},
		"jwt-app": {
			Name: "App with a key", Kind: "service", AuthMethods: []string{"private_key_jwt"}, PrivateKey: testKey("client"),
			Grants: []string{"client_credentials", jwtBearerGrant}, Scopes: []string{"read", "write"},
			Description: "authenticates with private_key_jwt, and is trusted to speak for users in the JWT bearer grant",
		},
		"secret-jwt-app": {
			Secret: "not-a-secret.secret-jwt-app.0123456789abcdef", Name: "App that signs with its secret", Kind: "service",
			AuthMethods: []string{"client_secret_jwt"}, Grants: []string{"client_credentials"}, Scopes: []string{"read", "write"},
			Description: "authenticates with client_secret_jwt",
		},
		"tv-app": {
			Name: "App on a television", Kind: "native", Public: true,
			Grants:      []string{deviceGrant, "refresh_token"},
			Description: "public, without a browser: device authorization",
		},
		"resource-server": {
			Secret: "not-a-secret.resource-server.0123456789", Name: "Resource server", Kind: "service",
			Grants: []string{"client_credentials"}, Scopes: []string{"read"}, Introspect: true,
			Description: "may introspect every token",
		},
		"limited-app": {
			Secret: "not-a-secret.limited-app.0123456789abcdef", Name: "Limited app", Kind: "web",
			RedirectURIs: []string{"https://limited.example/callback"},
			Grants:       []string{"authorization_code"}, Scopes: []string{"openid", "read"},
			Description: "confidential; one grant type and few scopes",
		},
		"https://client.example/app:1": {
			Secret: "not a secret: 100% + more & /0123456789abcdef", Name: "App with special characters", Kind: "service",
			Grants: []string{"client_credentials"}, Scopes: []string{"read", "write"},
			Description: "identifier and secret have characters that form-encoding changes",
		},
	}
}

// readyMadeUsers are the resource owners of the strict provider.
func readyMadeUsers() map[string]ResourceOwner {
	return map[string]ResourceOwner{
		"alice": {Password: "wonderland", Sub: "248289761001", Claims: map[string]any{
			"name": "Alice Liddell", "given_name": "Alice", "family_name": "Liddell", "preferred_username": "alice",
			"email": "alice@example.com", "email_verified": true}},
		"bob": {Password: "builder of bridges", Sub: "248289761002", Claims: map[string]any{
			"name": "Bob Bridge", "given_name": "Bob", "family_name": "Bridge", "preferred_username": "bob",
			"email": "bob@example.com", "email_verified": true}},
		"jörg": {Password: "ascii password", Sub: "248289761004", Claims: map[string]any{"name": "Jörg", "preferred_username": "jörg"}},
		"ana":  {Password: "contraseña ñandú", Sub: "248289761005", Claims: map[string]any{"name": "Ana", "preferred_username": "ana"}},
		"zoë": {Password: "pässwörd-ñandú", Sub: "248289761003", Claims: map[string]any{
			"name": "Zoë Ångström", "preferred_username": "zoë", "email": "zoe@example.com", "email_verified": false}},
	}
}

// order puts the ready-made clients before others, in the order in which people need them.
var clientOrder = []string{"web-app", "web-app-2", "native-app", "native-app-2", "implicit-app", "service", "resource-server", "limited-app", "hybrid-app", "jwt-app", "secret-jwt-app", "tv-app"}

func compareClients(a, b *RegisteredClient) int {
	place := func(id string) int {
		if i := slices.Index(clientOrder, id); i >= 0 {
			return i
		}
		return len(clientOrder)
	}
	if pa, pb := place(a.ID), place(b.ID); pa != pb {
		return pa - pb
	}
	return strings.Compare(a.ID, b.ID)
}
