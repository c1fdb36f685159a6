package target

import (
	"cmp"
	"maps"
	"slices"
)

// specialClients are the keys of clients with a role of their own.
var specialClients = []string{"primary", "second", "public", "implicit", "service"}

// All lists the configured clients, primary first.
func (c Clients) All() []*Client {
	var out []*Client
	for _, client := range []*Client{c.Primary, c.Second, c.Public, c.Implicit, c.Service} {
		if client != nil {
			out = append(out, client)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Others)) {
		if c.Others[name] != nil {
			out = append(out, c.Others[name])
		}
	}
	return out
}

// ByName finds a client by its key in the target file: "primary", "second", …, or the key under `others`. Nil if there is
// none.
func (c Clients) ByName(name string) *Client {
	switch name {
	case "primary":
		return c.Primary
	case "second":
		return c.Second
	case "public":
		return c.Public
	case "implicit":
		return c.Implicit
	case "service":
		return c.Service
	}
	return c.Others[name]
}

// names lists the keys of the configured clients.
func (c Clients) names() []string {
	var out []string
	for _, name := range specialClients {
		if c.ByName(name) != nil {
			out = append(out, name)
		}
	}
	return append(out, slices.Sorted(maps.Keys(c.Others))...)
}

// FirstConfidential is the first client that authenticates, primary first. Nil if there is none.
func (c Clients) FirstConfidential() *Client {
	for _, client := range c.All() {
		if client.Confidential() {
			return client
		}
	}
	return nil
}

// AuthOrDefault is the client's authentication method: the configured one, else private_key_jwt with a key,
// client_secret_basic with a secret, none without either.
func (c *Client) AuthOrDefault() AuthMethod {
	switch {
	case c.Auth != "":
		return c.Auth
	case c.hasKey():
		return PrivateKeyJWT
	case c.Secret != "":
		return Basic
	default:
		return NoClientAuth
	}
}

func (c *Client) hasKey() bool { return c.KeyFile != "" || len(c.Key) > 0 }

// Confidential reports whether the client authenticates (RFC 6749 section 2.1).
func (c *Client) Confidential() bool { return c.AuthOrDefault() != NoClientAuth }

// MayUse reports whether the client may use a grant type as far as the target file says: its grants list it, or it has no
// such list.
func (c *Client) MayUse(grantType string) bool {
	return len(c.Grants) == 0 || slices.Contains(c.Grants, grantType)
}

// ClientFor chooses the client that plays in a grant: one that is set aside for it (clients.service for
// client_credentials, clients.implicit for implicit, token_exchange.client), else the first whose grants list it, else
// the first without a list. Only a confidential client may use client_credentials (RFC 6749 section 4.4). Nil if there is
// none.
func (c *Config) ClientFor(grantType string) *Client {
	var candidates []*Client
	switch grantType {
	case "client_credentials":
		candidates = append(candidates, c.Clients.Service)
	case "implicit":
		candidates = append(candidates, c.Clients.Implicit)
	case tokenExchangeGrant:
		candidates = append(candidates, c.Clients.ByName(c.TokenExchange.Client))
	}
	for _, special := range candidates {
		if special != nil && special.MayUse(grantType) {
			return special
		}
	}
	var best *Client
	bestRank := 0
	for _, client := range []*Client{c.Clients.Primary, c.Clients.Public, c.Clients.Second} {
		rank := 0
		switch {
		case client == nil || !client.MayUse(grantType):
			continue
		case grantType == "client_credentials" && !client.Confidential():
			continue
		case len(client.Grants) > 0:
			rank = 2 // listed
		default:
			rank = 1
		}
		if rank > bestRank {
			best, bestRank = client, rank
		}
	}
	if best == nil {
		for _, name := range slices.Sorted(maps.Keys(c.Clients.Others)) {
			if other := c.Clients.Others[name]; other != nil && slices.Contains(other.Grants, grantType) {
				return other
			}
		}
	}
	return best
}

// name fills in the names of the clients.
func (c Clients) name() {
	set := func(name string, client *Client) {
		if client != nil {
			client.Name = cmp.Or(client.Name, name)
		}
	}
	for _, name := range c.names() {
		set(name, c.ByName(name))
	}
}
