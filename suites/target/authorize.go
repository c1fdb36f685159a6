package target

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// Authorize plays the browser, with an empty cookie jar, from an authorization request through login and consent until it
// leaves the authorization server or stops at a page. With edits the request without them must have succeeded in this
// run, else the check is inconclusive.
func (as *AS) Authorize(edits ...RequestEdit) *Authorization {
	return as.NewBrowser().Authorize(edits...)
}

// Implicit is Authorize with response_type=token (RFC 6749 section 4.2) by the client for the implicit grant.
func (as *AS) Implicit(edits ...RequestEdit) *Authorization {
	return as.Authorize(append([]RequestEdit{ResponseType("token")}, edits...)...)
}

// Code is a fresh authorization code, through a full authorization in a browser of its own; else the check is
// inconclusive. The edits change the authorization request.
func (as *AS) Code(edits ...RequestEdit) *Code { return as.NewBrowser().Code(edits...) }

// CodeOf is the code that an authorization delivered, ready to be redeemed; without one the check is inconclusive.
func (as *AS) CodeOf(a *Authorization) *Code {
	if a.code == nil {
		as.Inconclusive("the authorization request ended without a code: %s", a.outcome())
	}
	return a.code
}

// AuthorizationRequest is the request that Authorize would send.
func (as *AS) AuthorizationRequest(edits ...RequestEdit) *Request {
	f := as.run.flowOf(edits)
	responseType, grant := "code", Grant(AuthorizationCode)
	if f.responseType != "" {
		responseType = f.responseType
	}
	if !slices.Contains(strings.Fields(responseType), "code") {
		grant = Implicit
	}
	client := f.client
	if client == nil {
		client = as.ClientFor(grant)
	}
	if f.noControl {
		m := as.knownManner(as.run.trialClient(grant, client, f), responseType)
		return as.authorizationRequest(client, responseType, m, f).Apply(edits...)
	}
	base := as.authorizationRequest(client, responseType, manner{}, f)
	if !f.edits() && same(base, base.Clone().Apply(edits...)) {
		return as.authorizationRequest(client, responseType, as.knownManner(client, responseType), f).Apply(edits...)
	}
	b := as.run.authorizeBaseline(client, responseType)
	as.show(b)
	as.demand(b, "the authorization request (response_type="+responseType+")", true)
	return as.authorizationRequest(client, responseType, b.manner, f).Apply(edits...)
}

// knownManner is how the authorization request succeeds on this target, the usual way if it does not.
func (as *AS) knownManner(client *Client, responseType string) manner {
	return as.run.authorizeBaseline(client, responseType).manner
}

// authorizationRequest is the complete authorization request without defect (RFC 6749 section 4.1.1).
func (as *AS) authorizationRequest(client *Client, responseType string, m manner, f flow) *Request {
	r := as.NewRequest(http.MethodGet, as.Endpoint(AuthorizationEndpoint))
	r.InQuery, r.identifies, r.client = true, true, client
	add := func(name, value string) { r.Params = append(r.Params, Param{Name: name, Value: value}) }
	add("response_type", responseType)
	add("client_id", client.ID)
	if len(client.RedirectURIs) > 0 {
		add("redirect_uri", client.RedirectURIs[0])
	}
	if r.scope = as.scopeOf(AuthorizationCode, client, m, f); r.scope != "" {
		add("scope", r.scope)
	}
	add("state", as.State())
	types := strings.Fields(responseType)
	if slices.Contains(strings.Fields(r.scope), "openid") || slices.Contains(types, "id_token") {
		add("nonce", as.Random(32))
	}
	if slices.Contains(types, "code") && !m.withoutPKCE && !f.withoutPKCE {
		r.verifier = as.Verifier()
		add("code_challenge", S256(r.verifier))
		add("code_challenge_method", "S256")
	}
	if m.offline {
		add("prompt", "consent")
	}
	r.addDefaults(as.Config().AuthorizeParams)
	return r
}

// authorizeManners lists how an authorization request may have to be made, the usual way first.
func (run *Run) authorizeManners(client *Client, responseType string) []manner {
	out := []manner{{}}
	if slices.Contains(strings.Fields(responseType), "code") {
		out = append(out, manner{withoutPKCE: true})
	}
	if len(run.info.Config.Scopes)+len(client.Scopes) > 0 {
		for _, m := range slices.Clone(out) {
			m.withoutScope = true
			out = append(out, m)
		}
	}
	return out
}

// S256 is the code_challenge of a code_verifier by the method S256 (RFC 7636 section 4.2).
func S256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Push sends the parameters of an authorization request to the pushed authorization request endpoint, with client
// authentication (RFC 9126 section 2.1). The edits change that request.
func (as *AS) Push(edits ...RequestEdit) *Response {
	f := as.run.flowOf(edits)
	client := f.client
	if client == nil {
		client = as.ClientFor(AuthorizationCode)
	}
	r := as.NewRequest(http.MethodPost, as.Endpoint(PushedAuthorizationEndpoint))
	pushed := as.authorizationRequest(client, "code", as.knownManner(client, "code"), f)
	r.Params, r.verifier, r.scope = pushed.Params, pushed.verifier, pushed.scope
	r.authenticate(client, "")
	return as.Send(r.Apply(edits...))
}
