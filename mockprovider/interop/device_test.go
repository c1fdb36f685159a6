package interop

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

// TestDevice: device authorization (RFC 8628), where the client waits by itself. In a bubble of testing/synctest nobody waits for real; the provider
// has no socket there.
func TestDevice(t *testing.T) {
	t.Run("x-oauth2", func(t *testing.T) {
		for name, c := range map[string]deviceCase{
			"approved":      {decide: approve, polls: 3},
			"denied":        {decide: deny, polls: 3, code: "access_denied"},
			"expired":       {polls: 4, code: "expired_token"},
			"hasty":         {decide: approve, polls: 3, hasty: true},
			"confidential":  {decide: approve, polls: 3, part: "web", secret: true},
			"without-proof": {part: "web", code: "invalid_client"},
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, c.run)
				counts.add(counts.flows, "x-oauth2")
			})
		}
	})
}

// deviceCase is a device authorization with golang.org/x/oauth2.
type deviceCase struct {
	part   string // that the client plays, "" for the public client on a television
	secret bool   // sent by hand: the library sends none to the device authorization endpoint
	hasty  bool   // the client does not know its way to authenticate, and tries two at its first poll
	decide func(idp *mockprovider.Provider, userCode string) error
	polls  int
	code   string // that the client ends with, "" for a token
}

func approve(idp *mockprovider.Provider, userCode string) error {
	return idp.DecideDevice(userCode, mockprovider.Decision{User: "alice", Scopes: []string{"read"}})
}

func deny(idp *mockprovider.Provider, userCode string) error {
	return idp.DecideDevice(userCode, mockprovider.Decision{User: "alice", Deny: true})
}

func (c deviceCase) run(t *testing.T) {
	idp, err := mockprovider.NewHandler(mockprovider.WithSettings(map[string]any{"lifetimes": map[string]any{"device_code": "18s"}}))
	if err != nil {
		t.Fatal(err)
	}
	task := newTask("", "", idp.Describe())
	client := task.Clients["device"]
	if c.part != "" {
		client = task.Clients[c.part]
	}
	config := oauth2.Config{ClientID: client.ID, ClientSecret: client.Secret, Scopes: []string{"openid", "read"}, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: task.Mock.Endpoints["device_authorization"], TokenURL: task.Mock.Endpoints["token"], AuthStyle: oauth2.AuthStyleInParams}}
	if c.hasty {
		config.Endpoint.AuthStyle = oauth2.AuthStyleAutoDetect
	}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, idp.HTTPClient())
	var more []oauth2.AuthCodeOption
	if c.secret {
		more = append(more, oauth2.SetAuthURLParam("client_secret", client.Secret))
	}
	device, err := config.DeviceAuth(ctx, more...)
	if err != nil {
		wants(t, err, c.code)
		return
	}
	device.Expiry = time.Time{} // else the library gives up by itself before the provider tells it to
	type outcome struct {
		token *oauth2.Token
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		token, err := config.DeviceAccessToken(ctx, device)
		done <- outcome{token, err}
	}()
	time.Sleep(11 * time.Second) // of the bubble: two polls, which are one of the hasty client, who then waits longer
	synctest.Wait()
	if c.decide != nil {
		if err := c.decide(idp, device.UserCode); err != nil {
			t.Fatal(err)
		}
	}
	got := <-done
	wants(t, got.err, c.code)
	if n := len(idp.Requests().To(mockprovider.TokenEndpoint)); n != c.polls {
		t.Errorf("%d polls, not %d:\n%s", n, c.polls, idp.Requests())
	}
	if got.err == nil {
		if scope := got.token.Extra("scope"); scope != "read" {
			t.Errorf("approved was read, granted is %v", scope)
		}
		if err := task.useResource(oauth2.NewClient(ctx, oauth2.StaticTokenSource(got.token))); err != nil {
			t.Error(err)
		}
	}
}

// wants compares an error of the library with an OAuth error code, "" for none.
func wants(t *testing.T, err error, code string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if code == "" && err != nil || code != "" && (!errors.As(err, &refused) || refused.ErrorCode != code) {
		t.Fatalf("the library ends with %v, not with %q", err, code)
	}
}
