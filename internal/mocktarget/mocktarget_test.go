package mocktarget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// parts lists which client plays which part, with its grants.
func parts(c target.Clients) string {
	var out []string
	for _, p := range []struct {
		name   string
		client *target.Client
	}{{"primary", c.Primary}, {"second", c.Second}, {"public", c.Public}, {"implicit", c.Implicit}, {"service", c.Service}} {
		if p.client != nil {
			out = append(out, fmt.Sprintf("%s=%s%v", p.name, p.client.ID, p.client.Grants))
		}
	}
	return strings.Join(out, " ")
}

func TestConfig(t *testing.T) {
	p, err := mockprovider.NewHandler(mockprovider.Issuer(InProcess))
	if err != nil {
		t.Fatal(err)
	}
	c := Handler(p)
	const exchange, device = "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:device_code"
	all := "[authorization_code client_credentials refresh_token password " + exchange + " " + device + "]"
	want := "primary=web-app" + all + " second=web-app-2" + all + " public=native-app[authorization_code refresh_token] service=service[client_credentials " + exchange + "]"
	if got := parts(c.Clients); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c.User.Username != "alice" || c.Introspection.Client != "resource-server" || c.Clients.ByName("limited-app") == nil || c.Resource.URL == "" || c.Timing.CodeLifetime != time.Minute {
		t.Errorf("%+v", c)
	}
	if err := c.Complete().Validate(); err != nil {
		t.Error(err)
	}
	before := p.Clock().Now()
	if err := c.Sleep(time.Hour); err != nil || p.Clock().Now().Sub(before) < time.Hour {
		t.Errorf("waiting does not move the clock: %v", err)
	}
	if _, err := target.Discover(t.Context(), c); err != nil {
		t.Error(err)
	}

	implicit, err := mockprovider.NewHandler(mockprovider.Issuer(InProcess), mockprovider.WithSettings(map[string]any{"implicit": true, "grants": []any{"authorization_code"}}))
	if err != nil {
		t.Fatal(err)
	}
	want = "primary=web-app[authorization_code] second=web-app-2[authorization_code] public=native-app[authorization_code] implicit=implicit-app[implicit]"
	if got := parts(Config(implicit).Clients); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHTTPS(t *testing.T) {
	p := mockprovider.New(t, mockprovider.WithSettings(map[string]any{"tls": true}))
	info, err := target.Discover(t.Context(), Config(p))
	if err != nil || !info.Has(target.TLS) {
		t.Errorf("%v", err)
	}
}
