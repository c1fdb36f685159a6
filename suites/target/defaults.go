package target

import (
	"cmp"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// DefaultTimeout is the time that one request may take unless timing.timeout says otherwise.
const DefaultTimeout = 10 * time.Second

// WithProfile fills in what a profile knows of its kind of target and the configuration leaves open: endpoints, client
// authentication, timing, dialect. What the configuration says stands. Clients are not invented: a profile completes
// those that are configured.
func (c Config) WithProfile(p *profiles.Profile) (Config, error) {
	if p == nil {
		return c, nil
	}
	data, err := yaml.Marshal(p.Target)
	if err != nil {
		return Config{}, err
	}
	var defaults Config
	if err := profiles.DecodeStrict(data, "target of profile "+p.Name, &defaults); err != nil {
		return Config{}, err
	}
	defaults.Dialect = p.Dialect
	c = c.clone()
	for _, name := range defaults.Clients.names() {
		if c.Clients.ByName(name) == nil {
			defaults.Clients.drop(name)
		}
	}
	fill(reflect.ValueOf(&c).Elem(), reflect.ValueOf(defaults))
	return c, nil
}

// fill sets what is empty in a value to what it is in another of the same type.
func fill(to, from reflect.Value) {
	switch {
	case from.IsZero():
	case to.Kind() == reflect.Struct:
		for i := range to.NumField() {
			fill(to.Field(i), from.Field(i))
		}
	case to.Kind() == reflect.Pointer && !to.IsNil() && to.Elem().Kind() == reflect.Struct:
		fill(to.Elem(), from.Elem())
	case to.Kind() == reflect.Map && !to.IsNil():
		for _, key := range from.MapKeys() {
			if !to.MapIndex(key).IsValid() {
				to.SetMapIndex(key, from.MapIndex(key))
			}
		}
	case to.IsZero():
		to.Set(from)
	}
}

// Complete returns the configuration with its defaults filled in: names of clients, authentication methods, grant types
// in full, absolute endpoints, the time-out. The receiver and its clients stay as they are.
func (c Config) Complete() Config {
	c = c.clone()
	c.Target = strings.TrimSpace(c.Target)
	for _, client := range c.Clients.named() {
		for i, grant := range client.Grants {
			client.Grants[i] = cmp.Or(grantTypes[grant], grant)
		}
	}
	x := &c.TokenExchange
	for _, types := range []*[]string{&x.SubjectTokenTypes, &x.RequestedTokenTypes, &x.ActorTokenTypes} {
		var expanded []string
		for _, t := range *types {
			expanded = append(expanded, expandTokenType(t))
		}
		*types = expanded
	}
	c.Login.Method = cmp.Or(c.Login.Method, "auto")
	c.Resource.Method = cmp.Or(c.Resource.Method, "GET")
	c.Timing.Timeout = cmp.Or(c.Timing.Timeout, DefaultTimeout)
	for _, e := range c.Endpoints.list() {
		*e.url = absolute(c.Target, *e.url)
	}
	return c
}

// absolute resolves an endpoint against the target taken as a directory: "token" is under it, "/token" under its host.
func absolute(target, endpoint string) string {
	if endpoint == "" || strings.Contains(endpoint, "://") {
		return endpoint
	}
	base, err := url.Parse(target)
	if err != nil {
		return endpoint
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path, base.RawPath = base.Path+"/", ""
	}
	u, err := base.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	return u.String()
}

// clone copies the configuration so that changing the copy, its clients and their lists changes nothing else.
func (c Config) clone() Config {
	copyOf := func(client *Client) *Client {
		if client == nil {
			return nil
		}
		own := *client
		own.RedirectURIs, own.Grants, own.Scopes = slices.Clone(client.RedirectURIs), slices.Clone(client.Grants), slices.Clone(client.Scopes)
		return &own
	}
	all := &c.Clients
	for _, slot := range []**Client{&all.Primary, &all.Second, &all.Public, &all.Implicit, &all.Service} {
		*slot = copyOf(*slot)
	}
	others := all.Others
	all.Others = nil
	for name, client := range others {
		if all.Others == nil {
			all.Others = map[string]*Client{}
		}
		all.Others[name] = copyOf(client)
	}
	c.Scopes = slices.Clone(c.Scopes)
	c.AuthorizeParams, c.TokenParams = maps.Clone(c.AuthorizeParams), maps.Clone(c.TokenParams)
	c.Login.Fields, c.Login.Origins = maps.Clone(c.Login.Fields), slices.Clone(c.Login.Origins)
	return c
}

// drop removes a client.
func (c *Clients) drop(name string) {
	switch name {
	case "primary":
		c.Primary = nil
	case "second":
		c.Second = nil
	case "public":
		c.Public = nil
	case "implicit":
		c.Implicit = nil
	case "service":
		c.Service = nil
	default:
		delete(c.Others, name)
	}
}

// endpoint is one of Endpoints with its name in the target file and the metadata member that announces it.
type endpoint struct {
	name, member string
	url          *string
}

// list gives access to the endpoints one by one, in a fixed order.
func (e *Endpoints) list() []endpoint {
	return []endpoint{
		{"authorization", "authorization_endpoint", &e.Authorization},
		{"token", "token_endpoint", &e.Token},
		{"revocation", "revocation_endpoint", &e.Revocation},
		{"introspection", "introspection_endpoint", &e.Introspection},
		{"userinfo", "userinfo_endpoint", &e.Userinfo},
		{"jwks", "jwks_uri", &e.JWKS},
		{"registration", "registration_endpoint", &e.Registration},
		{"device_authorization", "device_authorization_endpoint", &e.DeviceAuthorization},
		{"pushed_authorization_request", "pushed_authorization_request_endpoint", &e.PushedAuthorization},
		{"end_session", "end_session_endpoint", &e.EndSession},
		{"metadata", "", &e.Metadata},
	}
}
