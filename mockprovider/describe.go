package mockprovider

import (
	"fmt"
	"slices"
	"strings"
)

// Description is what a client has to know of the provider: the JSON of `oauthcheck mock --json`.
type Description struct {
	Issuer    string             `json:"issuer"`
	Endpoints map[string]string  `json:"endpoints"` // URL by name: authorize, token, userinfo, introspection, revocation, jwks, resource, metadata …
	Clients   []RegisteredClient `json:"clients"`
	Users     []ResourceOwner    `json:"users"`
	Scopes    []string           `json:"scopes"`
	Grants    []string           `json:"grants"`    // grant types, and implicit
	Lifetimes map[string]float64 `json:"lifetimes"` // in seconds: code, access_token, refresh_token, id_token, device_code, session

	TokenExchange *TokenExchangeSettings `json:"token_exchange,omitempty"` // what may be exchanged (RFC 8693)

	InitialAccessToken string                   `json:"initial_access_token,omitempty"` // for client registration (RFC 7591), where it needs one
	TrustedIssuers     map[string]TrustedIssuer `json:"trusted_issuers,omitempty"`      // whose assertions and software statements are believed

	Address              string `json:"address,omitempty"`               // where the provider listens (host:port), whatever its issuer is
	Admin                string `json:"admin,omitempty"`                 // URL of the administration interface, where it is served
	CertificateAuthority string `json:"certificate_authority,omitempty"` // with TLS: the certificate that clients have to trust, as PEM

	Deviations []string `json:"deviations,omitempty"` // the deviations in force

	Seeds // how to repeat what varies
}

// Seeds repeat what a provider varies.
type Seeds struct {
	Shuffle *int64 `json:"shuffle,omitempty"` // of the option Shuffle; nil: nothing is varied
	Seed    *int64 `json:"seed,omitempty"`    // of the option Seed; nil: codes and tokens never repeat
}

// String are the seeds as options, "" for none.
func (s Seeds) String() string {
	var parts []string
	for name, seed := range map[string]*int64{"Shuffle": s.Shuffle, "Seed": s.Seed} {
		if seed != nil {
			parts = append(parts, fmt.Sprintf("%s(%d)", name, *seed))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// Describe returns the provider's description.
func (p *Provider) Describe() Description {
	d := Description{Address: p.Address(), Admin: p.AdminURL(), CertificateAuthority: string(p.CertificateAuthority()), Issuer: p.Issuer(), Endpoints: map[string]string{}, Scopes: p.settings.Scopes, Grants: p.grantTypes(), TrustedIssuers: p.settings.TrustedIssuers, Seeds: p.top().seeds}
	for name := range p.settings.Endpoints {
		d.Endpoints[name] = p.Endpoint(name)
	}
	for _, document := range []string{MetadataEndpoint, OpenIDConfigurationEndpoint} {
		if url := p.Endpoint(document); url != "" {
			d.Endpoints[document] = url
		}
	}
	for _, c := range p.clients() {
		d.Clients = append(d.Clients, *c)
	}
	for _, name := range p.userNames() {
		d.Users = append(d.Users, *p.user(name))
	}
	l := p.settings.Lifetimes
	d.Lifetimes = map[string]float64{"code": l.Code.Seconds(), "access_token": l.AccessToken.Seconds(), "refresh_token": l.RefreshToken.Seconds(),
		"id_token": l.IDToken.Seconds(), "device_code": l.DeviceCode.Seconds(), "session": l.Session.Seconds()}
	if slices.Contains(d.Grants, tokenExchangeGrant) {
		d.TokenExchange = &p.settings.TokenExchange
	}
	if p.settings.Registration.Access == "token" {
		d.InitialAccessToken = p.settings.Registration.InitialAccessToken
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, declared := range p.declared {
		if declared.Name != "" {
			d.Deviations = append(d.Deviations, declared.Name)
		}
	}
	return d
}

// hidden reports whether a well-known document is at no place at all, whoever asks.
func (p *Provider) hidden(location string) bool {
	if program := p.root.program.Load(); program != nil {
		return slices.ContainsFunc((*program)[location], func(o *op) bool { return o.when == nil && slices.Contains(o.Mode, "nowhere") })
	}
	return false
}
