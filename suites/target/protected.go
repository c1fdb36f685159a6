package target

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// NewRequest is a request without parameters, credentials or control.
func (as *AS) NewRequest(method, url string) *Request {
	return &Request{Method: method, URL: url, Header: http.Header{}, Media: FormMediaType, run: as.run}
}

// Resource asks the protected resource (resource.url, else userinfo) with a bearer token in the header; "" sends none.
func (as *AS) Resource(token string, edits ...RequestEdit) *Response {
	return as.Send(as.ResourceRequest(token, edits...))
}

// ResourceRequest is the request that Resource sends.
func (as *AS) ResourceRequest(token string, edits ...RequestEdit) *Request {
	resource := as.Config().Resource
	url := resource.URL
	if url == "" {
		if url = as.run.info.Endpoints.Userinfo; url == "" {
			as.Skip("resource: {url: …}", "no protected resource is configured and the target has no userinfo endpoint")
		}
	}
	return as.bearer(cmp.Or(resource.Method, http.MethodGet), url, token, edits)
}

// Userinfo asks the userinfo endpoint with a bearer token in the header; "" sends none.
func (as *AS) Userinfo(token string, edits ...RequestEdit) *Response {
	return as.Send(as.bearer(http.MethodGet, as.Endpoint(UserinfoEndpoint), token, edits))
}

func (as *AS) bearer(method, url, token string, edits []RequestEdit) *Request {
	r := as.NewRequest(method, url)
	if token != "" {
		if strings.ContainsFunc(token, func(c rune) bool { return c < 0x20 || c == 0x7f }) {
			as.Inconclusive("the token holds control characters, which no header field can carry")
		}
		r.Apply(Bearer(token))
	}
	return r.Apply(edits...)
}

// Introspect asks the introspection endpoint about a token (RFC 7662 section 2.1) as introspection.client, else as the
// confidential client that the token was issued to (a server need not tell others about it), else as the first
// confidential client.
func (as *AS) Introspect(token string, edits ...RequestEdit) *Response {
	return as.Send(as.introspection(as.introspector(token), token).Apply(edits...))
}

func (as *AS) introspection(client *Client, token string) *Request {
	r := as.NewRequest(http.MethodPost, as.Endpoint(IntrospectionEndpoint))
	r.Params = []Param{{Name: "token", Value: token}}
	r.authenticate(client, "")
	return r
}

// introspector is the client that asks about a token.
func (as *AS) introspector(token string) *Client {
	if client := as.Config().Clients.ByName(as.Config().Introspection.Client); client != nil {
		return client
	}
	usual := as.Confidential()
	if owner := as.run.clientOf(token); owner != nil && owner != usual && owner.Confidential() && as.mayIntrospect(owner) {
		return owner
	}
	return usual
}

// IntrospectableTokens are tokens that introspection calls active: by the cheapest grant, else by one whose tokens the
// introspecting client may see (a server may hide the tokens of others, RFC 7662 section 2.2). Where introspection calls
// none active they are those of the cheapest grant. What is found is remembered for the run.
func (as *AS) IntrospectableTokens(edits ...RequestEdit) *Tokens {
	source := as.run.sources.get("introspection", func() (*source, bool) {
		if as.run.info.Endpoints.Introspection == "" {
			return nil, true
		}
		for _, s := range as.run.tokenSources() {
			active := false
			attempt(func() {
				probe := as.run.NewAS(as.run.ctx, "control introspection "+string(s.grant), silent{})
				token := probe.TokensBy(s.grant, As(s.client)).AccessToken
				active = probe.Introspect(token).Member("active") == true
			})
			if active {
				return s, true
			}
		}
		return nil, false
	})
	if source == nil || as.run.flowOf(edits).client != nil {
		return as.Tokens(edits...)
	}
	return as.TokensBy(source.grant, append([]RequestEdit{As(source.client)}, edits...)...)
}

// source is a grant by a client that issues tokens.
type source struct {
	grant  Grant
	client *Client
}

// tokenSources lists the grants that issue tokens, by their usual client first, then by any that authenticates.
func (run *Run) tokenSources() []*source {
	var out []*source
	config := &run.info.Config
	for _, grant := range tokenGrants {
		if b := run.usable(grant, nil); b != nil && b.issued {
			out = append(out, &source{grant, config.ClientFor(grant.Type())})
		}
	}
	for _, client := range []*Client{config.Clients.ByName(config.Introspection.Client), config.Clients.FirstConfidential()} {
		if client == nil {
			continue
		}
		for _, grant := range tokenGrants {
			s := &source{grant, client}
			if b := run.usable(grant, client); b != nil && b.issued && !slices.ContainsFunc(out, func(o *source) bool { return *o == *s }) {
				out = append(out, s)
			}
		}
	}
	return out
}

// mayIntrospect reports whether the target answers a client's question about a made-up token; it is asked once per run.
func (as *AS) mayIntrospect(client *Client) bool {
	return as.run.guards.get("introspection by "+client.Name, func() (bool, bool) {
		may := false
		why := attempt(func() {
			probe := as.run.NewAS(as.run.ctx, "control introspection", silent{})
			may = probe.Send(probe.introspection(client, "oauthcheck-no-token-"+probe.Random(20))).Success()
		})
		return may, why == ""
	})
}

// Revoke sends a revocation request (RFC 7009 section 2.1) for one of the tokens as the client that they were issued to.
func (as *AS) Revoke(tokens *Tokens, token string, edits ...RequestEdit) *Response {
	r := as.NewRequest(http.MethodPost, as.Endpoint(RevocationEndpoint))
	r.Params = []Param{{Name: "token", Value: token}}
	client := tokens.Client
	if client == nil {
		client = as.Primary()
	}
	r.authenticate(client, "")
	return as.Send(r.Apply(edits...))
}

// Register sends a client registration request (RFC 7591 section 3.1) with the metadata document.
func (as *AS) Register(document map[string]any, edits ...RequestEdit) *Response {
	body, err := json.Marshal(document)
	if err != nil {
		as.Inconclusive("the client metadata cannot be written as JSON: %v", err)
	}
	r := as.NewRequest(http.MethodPost, as.Endpoint(RegistrationEndpoint))
	r.Document, r.Media = body, "application/json"
	return as.Send(r.Apply(edits...))
}

// Alive reports whether an access token works, by the protected resource, else by introspection, and how that was found
// out. Where the target offers neither, or where the resource also lets in a made-up token, the check is skipped.
func (as *AS) Alive(accessToken string) (alive bool, how string) {
	resource := as.Config().Resource.URL != "" || as.run.info.Endpoints.Userinfo != ""
	if as.run.info.Endpoints.Introspection != "" && !as.run.Has(ProtectedResource) { // userinfo, say, which wants tokens for a user
		resource = false
	}
	switch {
	case resource && as.guarded():
		return as.Resource(accessToken).Success(), "the protected resource"
	case as.run.info.Endpoints.Introspection != "":
		resp := as.Introspect(accessToken)
		active, ok := resp.Member("active").(bool)
		if !ok {
			as.Inconclusive("the introspection endpoint does not say whether a token is active: %s", resp.outcome())
		}
		return active, "introspection"
	case resource:
		as.Skip("resource: {url: …}", "the protected resource also lets in a made-up token, so it cannot tell whether one works")
	}
	as.Skip("resource: {url: …}", "the target has neither a protected resource nor introspection that would show whether a token works")
	return false, ""
}

// guarded reports whether the protected resource refuses a made-up token; it is asked once per run.
func (as *AS) guarded() bool {
	return as.run.guards.get("resource", func() (bool, bool) {
		guarded := false
		why := attempt(func() {
			probe := as.run.NewAS(as.run.ctx, "control resource", silent{})
			guarded = !probe.Resource("oauthcheck-no-token-" + probe.Random(20)).Success()
		})
		return guarded || why != "", why == ""
	})
}
