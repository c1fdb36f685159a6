package mockprovider_test

import (
	"net/url"
	"testing"

	"github.com/gavv/httpexpect/v2"
	"github.com/oauthcheck/oauthcheck/mockprovider"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	tokenTypeURN  = "urn:ietf:params:oauth:token-type:"
)

// exchangeForm is a token exchange of web-app.
func exchangeForm(subject, subjectType string, pairs ...string) url.Values {
	form := url.Values{"grant_type": {exchangeGrant}, "client_id": {"web-app"}, "client_secret": {webSecret},
		"subject_token": {subject}, "subject_token_type": {tokenTypeURN + subjectType}}
	for i := 0; i < len(pairs); i += 2 {
		form[pairs[i]] = append(form[pairs[i]], pairs[i+1])
	}
	return form
}

func passwordTokens(t *testing.T, p *mockprovider.Provider) *httpexpect.Object {
	return granted(token(t, p, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"wonderland"}, "scope": {"openid read write"},
		"client_id": {"web-app"}, "client_secret": {webSecret}}))
}

func actorToken(t *testing.T, p *mockprovider.Provider, client, secret string) string {
	return granted(token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}})).Value("access_token").String().Raw()
}

func introspected(t *testing.T, p *mockprovider.Provider, value string) *httpexpect.Object {
	return expect(t, p).POST(p.Endpoint("introspection")).WithForm(map[string]string{"token": value, "client_id": "resource-server",
		"client_secret": "not-a-secret.resource-server.0123456789"}).Expect().Status(200).JSON().Object()
}

func TestTokenExchange(t *testing.T) {
	p := start(t)
	user := passwordTokens(t, p)
	access, id, refresh := user.Value("access_token").String().Raw(), user.Value("id_token").String().Raw(), user.Value("refresh_token").String().Raw()

	for subjectType, subject := range map[string]string{"access_token": access, "id_token": id, "refresh_token": refresh, "jwt": id} {
		o := granted(token(t, p, exchangeForm(subject, subjectType)))
		o.HasValue("issued_token_type", tokenTypeURN+"access_token")
		introspected(t, p, o.Value("access_token").String().Raw()).HasValue("active", true).HasValue("sub", "248289761001").HasValue("client_id", "web-app").NotContainsKey("act")
	}

	// Scope is narrowed on request, never widened.
	granted(token(t, p, exchangeForm(access, "access_token", "scope", "read"))).HasValue("scope", "read")
	refused(token(t, p, exchangeForm(access, "access_token", "scope", "profile")), 400, "invalid_scope")

	// Every type that can be issued.
	for requested, tokenType := range map[string]string{"id_token": "N_A", "refresh_token": "N_A", "jwt": "Bearer"} {
		o := token(t, p, exchangeForm(access, "access_token", "requested_token_type", tokenTypeURN+requested)).Status(200).JSON().Object()
		o.HasValue("issued_token_type", tokenTypeURN+requested).HasValue("token_type", tokenType)
		value := o.Value("access_token").String().NotEmpty().Raw()
		switch requested {
		case "refresh_token":
			granted(token(t, p, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {value}, "client_id": {"web-app"}, "client_secret": {webSecret}}))
		default:
			o.Value("access_token").String().Match(`^[\w-]+\.[\w-]+\.[\w-]+$`)
		}
	}

	for name, form := range map[string]url.Values{
		"no subject token":        exchangeForm("", "access_token"),
		"unknown subject token":   exchangeForm("unknown", "access_token"),
		"ID token as access":      exchangeForm(id, "access_token"),
		"access token as ID":      exchangeForm(access, "id_token"),
		"access token as refresh": exchangeForm(access, "refresh_token"),
		"opaque token as JWT":     exchangeForm(access, "jwt"),
		"SAML":                    exchangeForm(access, "saml2"),
		"SAML wanted":             exchangeForm(access, "access_token", "requested_token_type", tokenTypeURN+"saml1"),
		"repeated scope":          exchangeForm(access, "access_token", "scope", "read", "scope", "read"),
		"actor token alone":       exchangeForm(access, "access_token", "actor_token", actorToken(t, p, "web-app", webSecret)),
		"actor token type alone":  exchangeForm(access, "access_token", "actor_token_type", tokenTypeURN+"access_token"),
		"unknown actor token":     exchangeForm(access, "access_token", "actor_token", "unknown", "actor_token_type", tokenTypeURN+"access_token"),
	} {
		t.Run(name, func(t *testing.T) { refused(token(t, p, form), 400, "invalid_request") })
	}
}

func TestTokenExchangeTargets(t *testing.T) {
	p := start(t)
	access := passwordTokens(t, p).Value("access_token").String().Raw()
	aud := func(pairs ...string) any {
		o := granted(token(t, p, exchangeForm(access, "access_token", pairs...)))
		return introspected(t, p, o.Value("access_token").String().Raw()).Value("aud").Raw()
	}
	if got := aud(); got != p.Endpoint("resource") {
		t.Error(got)
	}
	if got := aud("audience", "orders"); got != "orders" {
		t.Error(got)
	}
	httpexpect.NewValue(t, aud("audience", "orders", "audience", "invoices", "resource", "https://api.example/orders?tenant=1")).
		Array().IsEqual([]string{"orders", "invoices", "https://api.example/orders?tenant=1"})
	for _, pair := range [][2]string{{"audience", "unknown"}, {"resource", "https://unknown.example"}, {"resource", "/orders"}, {"resource", "https://api.example/orders#x"}} {
		refused(token(t, p, exchangeForm(access, "access_token", pair[0], pair[1])), 400, "invalid_target")
	}
}

func TestDelegation(t *testing.T) {
	p := start(t, mockprovider.WithSettings(map[string]any{"users": map[string]any{"alice": map[string]any{"may_act": "web-app"}}}))
	access := passwordTokens(t, p).Value("access_token").String().Raw()
	introspected(t, p, access).Value("may_act").Object().IsEqual(map[string]any{"sub": "web-app"})
	act := func(actor string) []string {
		return []string{"actor_token", actor, "actor_token_type", tokenTypeURN + "access_token"}
	}
	first, second := actorToken(t, p, "web-app", webSecret), actorToken(t, p, "web-app-2", web2Secret)

	refused(token(t, p, exchangeForm(access, "access_token", act(second)...)), 400, "invalid_request")
	once := granted(token(t, p, exchangeForm(access, "access_token", act(first)...))).Value("access_token").String().Raw()
	introspected(t, p, once).HasValue("sub", "248289761001").NotContainsKey("may_act").
		Value("act").Object().IsEqual(map[string]any{"sub": "web-app"})
	twice := granted(token(t, p, exchangeForm(once, "access_token", act(second)...))).Value("access_token").String().Raw()
	introspected(t, p, twice).Value("act").Object().IsEqual(map[string]any{"sub": "web-app-2", "act": map[string]any{"sub": "web-app"}})
}
