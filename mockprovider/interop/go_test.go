package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// goJudges are the clients in Go.
var goJudges = []judge{
	{name: "x-oauth2", inProcess: true, run: xoauth2, flows: []string{"code", "post", "public", "refused", "bad-secret", "refresh", "client-credentials", "password"}},
	{name: "go-oidc", inProcess: true, discovers: true, run: goOIDC, flows: []string{"oidc", "jwt-access-token"}},
	{name: "zitadel-oidc", inProcess: true, discovers: true, run: zitadel, flows: []string{"oidc", "denied", "refresh", "client-credentials", "introspection", "revocation",
		"token-exchange", "logout"}},
}

// config is what golang.org/x/oauth2 wants to know, without discovery.
func (t Task) config(part string) *oauth2.Config {
	c := t.Clients[part]
	style := oauth2.AuthStyleInHeader
	if t.Auth == "post" || t.Flow == "post" || c.Public {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: c.RedirectURIs[0], Scopes: []string{"read"},
		Endpoint: oauth2.Endpoint{AuthURL: t.Mock.Endpoints["authorize"], TokenURL: t.Mock.Endpoints["token"], AuthStyle: style},
	}
}

// signIn is the authorization code flow with PKCE.
func signIn(ctx context.Context, config *oauth2.Config, open browser, more ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	verifier := oauth2.GenerateVerifier()
	landing, err := open(config.AuthCodeURL("a state of the client", append(more, oauth2.S256ChallengeOption(verifier))...), false)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(landing.URL)
	if err != nil {
		return nil, err
	}
	return config.Exchange(ctx, u.Query().Get("code"), oauth2.VerifierOption(verifier))
}

// useResource asks for the protected resource.
func (t Task) useResource(client *http.Client) error {
	response, err := client.Get(t.Mock.Endpoints["resource"])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("the protected resource answers %s: %s", response.Status, body)
	}
	return nil
}

// xoauth2 is golang.org/x/oauth2.
func xoauth2(ctx context.Context, task Task, open browser) error {
	switch task.Flow {
	case "code", "post", "public", "refresh":
		part := "web"
		if task.Flow == "public" {
			part = "native"
		}
		config := task.config(part)
		token, err := signIn(ctx, config, open)
		if err != nil {
			return err
		}
		if task.Flow == "refresh" {
			old := *token
			token.Expiry = time.Now().Add(-time.Minute) // the client refreshes by itself
			if token, err = config.TokenSource(ctx, token).Token(); err != nil {
				return err
			}
			if token.AccessToken == old.AccessToken {
				return errors.New("the access token is the same after a refresh")
			}
		}
		return task.useResource(config.Client(ctx, token))
	case "client-credentials":
		c := task.Clients["service"]
		config := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: task.Mock.Endpoints["token"], Scopes: []string{"read"}} // finds out how to authenticate
		return task.useResource(config.Client(ctx))
	case "password":
		config, user := task.config("web"), task.Mock.Users[0]
		token, err := config.PasswordCredentialsToken(ctx, user.Username, user.Password)
		if err != nil {
			return err
		}
		return task.useResource(config.Client(ctx, token))
	case "refused":
		_, err := task.config("web").Exchange(ctx, "a-code-that-nobody-issued")
		return refusedWith(err, "invalid_grant")
	case "bad-secret":
		config := task.config("web")
		config.ClientSecret = "another secret"
		_, err := config.Exchange(ctx, "a-code-that-nobody-issued")
		return refusedWith(err, "invalid_client")
	}
	return fmt.Errorf("no flow %s", task.Flow)
}

// refusedWith wants the error of the token endpoint to have arrived as the library's own.
func refusedWith(err error, code string) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return fmt.Errorf("not an error of the token endpoint: %w", err)
	}
	if refused.ErrorCode != code {
		return fmt.Errorf("the error is %q, not %q: %w", refused.ErrorCode, code, err)
	}
	return nil
}

// goOIDC is github.com/coreos/go-oidc.
func goOIDC(ctx context.Context, task Task, open browser) error {
	provider, err := oidc.NewProvider(ctx, task.Mock.Issuer)
	if err != nil {
		return err
	}
	config := task.config("web")
	config.Endpoint = provider.Endpoint()
	config.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	if task.Flow == "jwt-access-token" {
		config.Scopes = []string{"read"}
	}
	token, err := signIn(ctx, config, open, oidc.Nonce("a nonce of the client"))
	if err != nil {
		return err
	}
	if task.Flow == "jwt-access-token" {
		verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: task.Mock.Endpoints["resource"]}) // the audience
		_, err := verifier.Verify(ctx, token.AccessToken)
		return err
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if idToken.AccessTokenHash != "" { // optional in this flow (OpenID Connect Core section 3.1.3.6)
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			return fmt.Errorf("at_hash: %w", err)
		}
	}
	info, err := provider.UserInfo(ctx, config.TokenSource(ctx, token))
	if err != nil {
		return err
	}
	var claims struct {
		Name string `json:"name"`
	}
	if err := info.Claims(&claims); err != nil {
		return err
	}
	if want := task.Mock.Users[0].Claims; info.Email != want["email"] || claims.Name != want["name"] {
		return fmt.Errorf("userinfo is about %s", claims.Name)
	}
	return nil
}
