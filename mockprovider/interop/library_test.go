package interop

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

// TestLibrary: what tests in Go do with the provider beside requests, seen by a client: no socket, TLS, its clock, its keys, tokens that
// nobody asked for, approval without a browser.
func TestLibrary(t *testing.T) {
	t.Run("go-oidc", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"no-socket": func(t *testing.T) {
				idp, err := mockprovider.NewHandler()
				if err != nil {
					t.Fatal(err)
				}
				newRelyingParty(t, idp, oidc.Config{}).mustSignIn()
			},
			"tls": func(t *testing.T) {
				newRelyingParty(t, mockprovider.New(t, mockprovider.WithSettings(map[string]any{"tls": true})), oidc.Config{}).mustSignIn()
			},
			"issuer-with-path": func(t *testing.T) {
				newRelyingParty(t, mockprovider.New(t, mockprovider.WithSettings(map[string]any{"tenants": "one"})), oidc.Config{}).mustSignIn()
			},
			"clock":        testClock,
			"key-rotation": testKeyRotation,
			"minted":       testMinted,
		} {
			t.Run(name, func(t *testing.T) {
				test(t)
				counts.add(counts.flows, "go-oidc")
			})
		}
	})
}

// testClock: an ID token expires when the provider's time passes, by the client's own check.
func testClock(t *testing.T) {
	idp := mockprovider.New(t)
	party := newRelyingParty(t, idp, oidc.Config{Now: idp.Clock().Now})
	raw := party.mustSignIn()
	idp.Clock().Advance(time.Hour)
	var expired *oidc.TokenExpiredError
	if _, err := party.verifier.Verify(party.ctx, raw); !errors.As(err, &expired) {
		t.Fatalf("an hour later the ID token is still taken: %v", err)
	}
}

// testKeyRotation: a client fetches the keys again when it meets a new one, and gives up the old one when it is gone.
func testKeyRotation(t *testing.T) {
	idp := mockprovider.New(t)
	party := newRelyingParty(t, idp, oidc.Config{})
	old := party.mustSignIn()
	idp.RotateKeys()
	party.mustSignIn()
	if _, err := party.verifier.Verify(party.ctx, old); err != nil {
		t.Fatalf("after the rotation the old ID token is refused: %v", err)
	}
	idp.RetireKeys()
	later := newRelyingParty(t, idp, oidc.Config{}) // one that has not seen the old keys
	later.mustSignIn()
	if _, err := later.verifier.Verify(later.ctx, old); err == nil || !strings.Contains(err.Error(), "failed to verify id token signature") {
		t.Fatalf("with the old keys gone, the old ID token meets: %v", err)
	}
}

// testMinted: tokens that were made without a request are as good as others.
func testMinted(t *testing.T) {
	idp := mockprovider.New(t)
	party := newRelyingParty(t, idp, oidc.Config{})
	minted := idp.Mint(t, mockprovider.Claims{"client_id": party.config.ClientID, "sub": "bob", "scope": "openid email", "department": "bridges"})
	idToken, err := party.verifier.Verify(party.ctx, minted.IDToken)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Department string `json:"department"`
	}
	if err := idToken.Claims(&claims); err != nil || claims.Department != "bridges" {
		t.Fatalf("department is %q: %v", claims.Department, err)
	}
	info, err := party.provider.UserInfo(party.ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: minted.AccessToken}))
	if err != nil {
		t.Fatal(err)
	}
	if info.Email != "bob@example.com" || info.Subject != idToken.Subject {
		t.Fatalf("userinfo is about %s", info.Email)
	}
}

// relyingParty is a client of go-oidc for a provider in this process.
type relyingParty struct {
	t        *testing.T
	ctx      context.Context
	idp      *mockprovider.Provider
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config
}

func newRelyingParty(t *testing.T, idp *mockprovider.Provider, checks oidc.Config) *relyingParty {
	t.Helper()
	ctx, cancel := context.WithTimeout(oidc.ClientContext(t.Context(), idp.HTTPClient()), taskTimeout)
	t.Cleanup(cancel)
	provider, err := oidc.NewProvider(ctx, idp.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	client := newTask("", "", idp.Describe()).Clients["web"]
	checks.ClientID = client.ID
	return &relyingParty{t, ctx, idp, provider, provider.VerifierContext(ctx, &checks), oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: client.RedirectURIs[0], Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID},
	}}
}

// mustSignIn signs alice in, without a browser, and returns her ID token.
func (r *relyingParty) mustSignIn() string {
	r.t.Helper()
	verifier := oauth2.GenerateVerifier()
	callback := r.idp.Approve(r.t, r.config.AuthCodeURL("a state of the client", oauth2.S256ChallengeOption(verifier)), "alice")
	token, err := r.config.Exchange(r.ctx, callback.Code, oauth2.VerifierOption(verifier))
	if err != nil {
		r.t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if _, err := r.verifier.Verify(r.ctx, raw); err != nil {
		r.t.Fatal(err)
	}
	return raw
}
