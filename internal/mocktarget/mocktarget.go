// Package mocktarget describes the built-in mock provider as a target: what a person would write into the target file, taken
// from the provider's own description. The mock target of the command line and the proofs of the checks share it.
package mocktarget

import (
	"slices"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Config is the target file of a mock provider. Lifetimes are not waited for: they pass on the provider's clock.
func Config(p *mockprovider.Provider) target.Config {
	d := p.Describe()
	c := target.Config{Target: d.Issuer, Scopes: scopes(d.Scopes), User: user(d.Users), Login: target.Login{Consent: "always"}}
	c.Clients, c.Introspection.Client = clients(d)
	if url := d.Endpoints["resource"]; url != "" {
		c.Resource = target.Resource{URL: url, Scopes: []string{"read"}, InsufficientScope: insufficient(d.Scopes)}
	}
	c.TokenExchange = exchange(d)
	c.Timing.CodeLifetime = time.Duration(d.Lifetimes["code"] * float64(time.Second))
	c.TLS.CA = p.CertificateAuthority()
	c.Sleep = func(wait time.Duration) error {
		p.Clock().Advance(wait)
		return nil
	}
	return c
}

// exchange is what the provider exchanges (RFC 8693); every target is its own audience.
func exchange(d mockprovider.Description) target.TokenExchangeConfig {
	if d.TokenExchange == nil {
		return target.TokenExchangeConfig{}
	}
	c := target.TokenExchangeConfig{
		SubjectTokenTypes: slices.Clone(d.TokenExchange.SubjectTokenTypes), RequestedTokenTypes: slices.Clone(d.TokenExchange.RequestedTokenTypes),
		ActorTokenTypes: slices.Clone(d.TokenExchange.ActorTokenTypes), Delegation: len(d.TokenExchange.ActorTokenTypes) > 0,
		Impersonation: true, TargetOptional: true,
		Audience: slices.Clone(d.TokenExchange.Audiences), Resource: slices.Clone(d.TokenExchange.Resources),
		ExpectedAudience: map[string]string{},
	}
	if url := d.Endpoints["resource"]; url != "" {
		c.Resource = append([]string{url}, c.Resource...)
	}
	for _, name := range slices.Concat(c.Audience, c.Resource) {
		c.ExpectedAudience[name] = name
	}
	return c
}

// Optional are settings that switch on what the strict provider can do and leaves out by choice, so that as many checks as
// possible have something to judge.
func Optional() map[string]any {
	return map[string]any{
		"implicit": true, "hybrid": true,
		"users": map[string]any{"alice": map[string]any{"may_act": "web-app"}},
		"clients": map[string]any{
			"web-app": map[string]any{
				"grants": []string{"authorization_code", "refresh_token", "client_credentials", "password", "implicit",
					"urn:ietf:params:oauth:grant-type:token-exchange"},
				"redirect_uris": []string{"https://client.example/callback", "https://client.example/other",
					"https://client.example/callback?tenant=1&x=a%20b"},
			},
			"empty-secret-app": map[string]any{"kind": "service", "grants": []string{"client_credentials"}, "auth_methods": []string{"client_secret_post"}},
		},
	}
}

// InProcess is the issuer of a provider that no socket serves.
const (
	InProcess = "http://" + host
	host      = "mock.test"
)

// Handler is Config for a provider that no socket serves (mockprovider.NewHandler with the issuer InProcess): requests are calls.
func Handler(p *mockprovider.Provider) target.Config {
	c := Config(p)
	c.Transport = p.RoundTripper()
	return c
}

// scopes are the values that checks ask for: enough to see differences, few enough to read.
func scopes(known []string) []string {
	var out []string
	for _, scope := range []string{"openid", "read", "write", "offline_access"} {
		if slices.Contains(known, scope) {
			out = append(out, scope)
		}
	}
	if len(out) == 0 {
		return known
	}
	return out
}

// insufficient is a scope whose tokens do not reach the resource.
func insufficient(known []string) string {
	for _, scope := range []string{"write", "openid"} {
		if slices.Contains(known, scope) {
			return scope
		}
	}
	return ""
}

// user is alice, or the first that there is.
func user(users []mockprovider.ResourceOwner) target.User {
	for _, u := range users {
		if u.Username == "alice" {
			return target.User{Username: u.Username, Password: u.Password}
		}
	}
	if len(users) == 0 {
		return target.User{}
	}
	return target.User{Username: users[0].Username, Password: users[0].Password}
}

// roles says which client plays which part: the first that fits, in the provider's order.
var roles = []struct {
	name string
	fits func(mockprovider.RegisteredClient) bool
}{
	{"primary", func(c mockprovider.RegisteredClient) bool {
		return !c.Public && may(c, "authorization_code") && len(c.RedirectURIs) > 0
	}},
	{"second", func(c mockprovider.RegisteredClient) bool {
		return !c.Public && may(c, "authorization_code") && len(c.RedirectURIs) > 0
	}},
	{"public", func(c mockprovider.RegisteredClient) bool {
		return c.Public && may(c, "authorization_code") && len(c.RedirectURIs) > 0
	}},
	{"implicit", func(c mockprovider.RegisteredClient) bool { return may(c, "implicit") && len(c.RedirectURIs) > 0 }},
	{"service", func(c mockprovider.RegisteredClient) bool { return !c.Public && may(c, "client_credentials") }},
}

func may(c mockprovider.RegisteredClient, grant string) bool { return slices.Contains(c.Grants, grant) }

// clients deals the provider's clients out: each plays one part, the rest are others under their identifiers.
// introspection names the one that may introspect every token.
func clients(d mockprovider.Description) (out target.Clients, introspection string) {
	all := usable(d)
	dealt := map[string]*target.Client{}
	taken := map[string]string{} // client identifier to its part
	for _, role := range roles {
		for _, c := range all {
			if taken[c.ID] == "" && role.fits(c) {
				taken[c.ID] = role.name
				dealt[role.name] = client(c)
				break
			}
		}
	}
	out = target.Clients{Primary: dealt["primary"], Second: dealt["second"], Public: dealt["public"], Implicit: dealt["implicit"],
		Service: dealt["service"], Others: map[string]*target.Client{}}
	for _, c := range all {
		if taken[c.ID] == "" {
			name := c.ID
			if out.ByName(name) != nil { // a client may be called like a part that another one plays
				name += "-client"
			}
			out.Others[name] = client(c)
			taken[c.ID] = name
		}
		if c.Introspect && introspection == "" {
			introspection = taken[c.ID]
		}
	}
	return out, introspection
}

// usable are the clients with the grants that both they and the provider have; those without any are left out.
func usable(d mockprovider.Description) []mockprovider.RegisteredClient {
	var out []mockprovider.RegisteredClient
	for _, c := range d.Clients {
		var grants []string
		for _, grant := range d.Grants {
			if len(c.Grants) == 0 || slices.Contains(c.Grants, grant) {
				grants = append(grants, grant)
			}
		}
		if c.Grants = grants; len(grants) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// client is a client as its owner knows it.
func client(c mockprovider.RegisteredClient) *target.Client {
	out := &target.Client{ID: c.ID, Secret: c.Secret, RedirectURIs: slices.Clone(c.RedirectURIs), Grants: slices.Clone(c.Grants), Scopes: slices.Clone(c.Scopes)}
	if c.PrivateKey != "" {
		out.Key = []byte(c.PrivateKey)
	}
	out.EmptySecret = !c.Public && c.Secret == "" && c.PrivateKey == ""
	if len(c.AuthMethods) > 0 {
		out.Auth = target.AuthMethod(c.AuthMethods[0])
	}
	return out
}
