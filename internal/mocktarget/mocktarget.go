// Package mocktarget describes a mock provider to the harness, as a target file would: which clients it has, who its user is, what
// its endpoints are. It is where the two halves of the project meet: they do not know each other.
package mocktarget

import (
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// InProcess is the issuer of a provider that is reached without sockets.
const InProcess = "http://mock.test"

// Config is the target of a provider that listens on a socket.
func Config(p *mockprovider.Provider) target.Config {
	d := p.Describe()
	config := target.Config{
		Target: d.Issuer,
		Clients: target.Clients{
			Primary: client(d, "web-app"), Second: client(d, "web-app-2"), Public: client(d, "native-app"),
			Implicit: client(d, "implicit-app"), Service: client(d, "service"),
		},
		User:          user(d),
		Scopes:        []string{"openid", "read", "write"},
		Resource:      target.Resource{URL: d.Endpoints["resource"], Scopes: []string{"read"}, InsufficientScope: "write"},
		Introspection: target.IntrospectionConfig{Client: "resource-server"},
		// Where the mock's clock is moved nothing waits; lifetimes are those of its settings.
		Timing: target.Timing{CodeLifetime: time.Minute},
	}
	config.Clients.Others = map[string]*target.Client{}
	for _, c := range d.Clients {
		switch c.ID {
		case "web-app", "web-app-2", "native-app", "implicit-app", "service":
		default:
			config.Clients.Others[c.ID] = convert(c)
		}
	}
	return config
}

// Handler is the target of a provider without sockets: requests go straight to its handler, and waiting moves its clock.
func Handler(p *mockprovider.Provider) target.Config {
	config := Config(p)
	config.Transport = p.RoundTripper()
	config.Sleep = func(d time.Duration) error {
		p.Clock().Advance(d)
		return nil
	}
	return config
}

func client(d mockprovider.Description, id string) *target.Client {
	for _, c := range d.Clients {
		if c.ID == id {
			return convert(c)
		}
	}
	return nil
}

func convert(c mockprovider.Client) *target.Client {
	out := &target.Client{ID: c.ID, Secret: c.Secret, RedirectURIs: c.RedirectURIs, Grants: c.Grants, Scopes: c.Scopes}
	if len(c.AuthMethods) > 0 {
		out.Auth = target.AuthMethod(c.AuthMethods[0])
	}
	return out
}

func user(d mockprovider.Description) target.User {
	for _, u := range d.Users {
		if u.Username == "alice" {
			return target.User{Username: u.Username, Password: u.Password}
		}
	}
	if len(d.Users) > 0 {
		return target.User{Username: d.Users[0].Username, Password: d.Users[0].Password}
	}
	return target.User{}
}
