package target

import "slices"

// Refreshable is a successful issuance that comes with a refresh token, else the check is skipped.
func (as *AS) Refreshable(edits ...RequestEdit) *Tokens {
	f := as.run.flowOf(edits)
	client := f.client
	if client == nil {
		client = as.ClientFor(RefreshToken)
	}
	b := as.run.grantBaseline(RefreshToken, client)
	as.show(b)
	if !b.issued && !b.answered && !f.noControl {
		as.Skip("clients."+client.Name+".grants: [authorization_code, refresh_token]", "no refresh token that works is issued to clients.%s: %s", client.Name, b.why)
	}
	return as.freshRefreshToken(client, b.manner, f)
}

// Refresh uses the refresh token of tokens (RFC 6749 section 6). As(client) sends it by another client, which must then be
// able to use refresh tokens of its own.
func (as *AS) Refresh(tokens *Tokens, edits ...RequestEdit) *Response {
	return as.Send(as.RefreshRequest(tokens, edits...))
}

// RefreshRequest is the request that Refresh would send, for Race.
func (as *AS) RefreshRequest(tokens *Tokens, edits ...RequestEdit) *Request {
	if tokens.RefreshToken == "" {
		as.Skip("scopes: [offline_access]", "no refresh token was issued with the access token")
	}
	return as.follow(as.refreshRequest(tokens), RefreshToken, tokens.Client, edits)
}

func (as *AS) refreshRequest(tokens *Tokens) *Request {
	r := as.tokenRequest(RefreshToken, tokens.Client, Param{Name: "refresh_token", Value: tokens.RefreshToken})
	r.scope = tokens.Scope
	return r
}

// freshRefreshToken is an issuance with a refresh token, by the grant that the trial found.
func (as *AS) freshRefreshToken(client *Client, m manner, f flow) *Tokens {
	source := m.source
	if source == "" {
		source = AuthorizationCode
	}
	m.withoutScope = m.withoutScope && !m.offline
	resp := as.Send(as.grantRequest(source, client, m, flow{scope: f.scope, withoutPKCE: f.withoutPKCE, authorize: f.authorize}))
	tokens := as.TokensOf(resp)
	if tokens.RefreshToken == "" {
		as.Inconclusive("the %s grant issued no refresh token", source)
	}
	return tokens
}

// refreshManners lists where a client may get a refresh token from. Some servers issue one only for offline_access, and
// that only with prompt=consent (OpenID Connect Core section 11).
func (run *Run) refreshManners(client *Client) []manner {
	var out []manner
	if b := run.usable(Password, client); b != nil && b.issued {
		m := b.manner
		m.source = Password
		out = append(out, m)
	}
	if b := run.usable(AuthorizationCode, client); b != nil && b.issued {
		m := b.manner
		m.source = AuthorizationCode
		out = append(out, m)
		scopes, _ := run.info.Metadata.Strings("scopes_supported")
		if slices.Contains(scopes, "offline_access") || slices.Contains(run.info.Config.Scopes, "offline_access") {
			m.offline = true
			out = append(out, m)
		}
	}
	return out
}
