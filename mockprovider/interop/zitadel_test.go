package interop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	"github.com/zitadel/oidc/v3/pkg/client/tokenexchange"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

type (
	zitadelTokens = oidc.Tokens[*oidc.IDTokenClaims]
	zitadelParty  = rp.RelyingParty
)

// zitadel is github.com/zitadel/oidc: a relying party with its handlers and cookies, a resource server, a token exchanger.
func zitadel(ctx context.Context, task Task, open browser) error {
	switch task.Flow {
	case "client-credentials":
		party, err := task.zitadelParty(ctx, "service", "read")
		if err != nil {
			return err
		}
		token, err := rp.ClientCredentials(ctx, party, nil)
		if err != nil {
			return err
		}
		return task.useResource(party.OAuthConfig().Client(ctx, token))
	case "denied":
		_, _, err := task.zitadelSignIn(ctx, open)
		if err == nil || err.Error() != "access_denied" {
			return fmt.Errorf("the user refused, and the client got %w", err)
		}
		return nil
	}
	party, tokens, err := task.zitadelSignIn(ctx, open)
	if err != nil {
		return err
	}
	switch task.Flow {
	case "oidc":
		info, err := rp.Userinfo[*oidc.UserInfo](ctx, tokens.AccessToken, tokens.TokenType, tokens.IDTokenClaims.GetSubject(), party)
		if err != nil {
			return err
		}
		if want := task.Mock.Users[0].Claims; info.Name != want["name"] || info.Email != want["email"] {
			return fmt.Errorf("userinfo is about %s", info.Name)
		}
		return nil
	case "refresh":
		next, err := rp.RefreshTokens[*oidc.IDTokenClaims](ctx, party, tokens.RefreshToken, "", "")
		if err != nil {
			return err
		}
		if next.AccessToken == tokens.AccessToken {
			return errors.New("the access token is the same after a refresh")
		}
		return task.useResource(party.OAuthConfig().Client(ctx, next.Token))
	case "introspection":
		c := task.Clients["resource"]
		server, err := rs.NewResourceServerClientCredentials(ctx, task.Mock.Issuer, c.ID, c.Secret)
		if err != nil {
			return err
		}
		for token, want := range map[string]bool{tokens.AccessToken: true, "nobody-issued-it": false} {
			answer, err := rs.Introspect[*oidc.IntrospectionResponse](ctx, server, token)
			if err != nil {
				return err
			}
			if answer.Active != want {
				return fmt.Errorf("active is %v for the token %s", answer.Active, token)
			}
		}
		return nil
	case "revocation":
		if err := rp.RevokeToken(ctx, party, tokens.AccessToken, "access_token"); err != nil {
			return err
		}
		if err := task.useResource(party.OAuthConfig().Client(ctx, tokens.Token)); err == nil {
			return errors.New("the protected resource takes a revoked token")
		}
		return nil
	case "logout": // it sends the request itself, as a POST and without the browser
		back := party.OAuthConfig().RedirectURL
		landed, err := rp.EndSession(ctx, party, tokens.IDToken, back, "a-state-of-the-client", "", nil)
		if err != nil {
			return err
		}
		if landed == nil || landed.String() != back+"?state=a-state-of-the-client" {
			return fmt.Errorf("logout leads to %v", landed)
		}
		return nil
	case "token-exchange":
		c := task.Clients["web"]
		exchanger, err := tokenexchange.NewTokenExchangerClientCredentials(ctx, task.Mock.Issuer, c.ID, c.Secret)
		if err != nil {
			return err
		}
		exchanged, err := tokenexchange.ExchangeToken(ctx, exchanger, tokens.AccessToken, oidc.AccessTokenType, "", "", nil, nil, nil, oidc.AccessTokenType)
		if err != nil {
			return err
		}
		if exchanged.IssuedTokenType != oidc.AccessTokenType {
			return fmt.Errorf("issued_token_type is %q", exchanged.IssuedTokenType)
		}
		next := *tokens.Token
		next.AccessToken = exchanged.AccessToken
		return task.useResource(party.OAuthConfig().Client(ctx, &next))
	}
	return fmt.Errorf("no flow %s", task.Flow)
}

func (t Task) zitadelParty(ctx context.Context, part string, scopes ...string) (zitadelParty, error) {
	c := t.Clients[part]
	cookies := httphelper.NewCookieHandler([]byte("0123456789abcdef0123456789abcdef"), nil, httphelper.WithUnsecure())
	nonce := func(context.Context) string { return "a nonce of the client" }
	fail := func(w http.ResponseWriter, _ *http.Request, code, _, _ string) {
		http.Error(w, code, http.StatusBadRequest)
	}
	return rp.NewRelyingPartyOIDC(ctx, t.Mock.Issuer, c.ID, c.Secret, c.RedirectURIs[0], scopes, rp.WithPKCE(cookies),
		rp.WithVerifierOpts(rp.WithNonce(nonce)), rp.WithSigningAlgsFromDiscovery(), rp.WithErrorHandler(fail))
}

// zitadelSignIn plays the relying party's web server: one handler sends the browser away, with cookies, another takes it back.
func (t Task) zitadelSignIn(ctx context.Context, open browser) (zitadelParty, *zitadelTokens, error) {
	party, err := t.zitadelParty(ctx, "web", oidc.ScopeOpenID, "profile", "email", "read")
	if err != nil {
		return nil, nil, err
	}
	away := httptest.NewRecorder()
	rp.AuthURLHandler(func() string { return "a-state-of-the-client" }, party, rp.WithURLParam("nonce", "a nonce of the client"))(
		away, httptest.NewRequestWithContext(ctx, http.MethodGet, "/login", nil))
	landing, err := open(away.Header().Get("Location"), false)
	if err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(landing.URL)
	if err != nil {
		return nil, nil, err
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, u.RequestURI(), nil)
	for _, cookie := range away.Result().Cookies() {
		request.AddCookie(cookie)
	}
	var tokens *zitadelTokens
	back := httptest.NewRecorder()
	rp.CodeExchangeHandler(func(_ http.ResponseWriter, _ *http.Request, got *zitadelTokens, _ string, _ zitadelParty) {
		tokens = got
	}, party)(back, request)
	if tokens == nil {
		return nil, nil, errors.New(strings.TrimSpace(back.Body.String()))
	}
	return party, tokens, nil
}
