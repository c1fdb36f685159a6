package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// tokens examines what tokens are good for.
func (e *examination) tokens() {
	if e.tokenOf == nil {
		e.problem("grants", "no grant yields tokens, so that hardly anything can be tested", "put the problems above right first")
		return
	}
	e.refresh()
	e.resource()
	e.introspection()
	e.tokenExchange()
}

// refresh looks for a refresh token that works.
func (e *examination) refresh() {
	client := e.info.Config.ClientFor("refresh_token")
	if e.stuck() {
		e.add("refresh tokens", Absent, "not examined, because the user cannot sign in", "")
		return
	}
	if client == nil || e.userOf == nil || !e.info.Has(target.RefreshTokenGrant) {
		e.add("refresh tokens", Absent, "not examined; no client that gets codes may use them", "add refresh_token to the grants of a client")
		return
	}
	var tokens *target.Tokens
	var refreshed *target.Response
	why := e.attempt("refresh tokens", func(as *target.AS) {
		tokens = as.Refreshable(target.As(client))
		refreshed = as.Refresh(tokens, target.NoControl(), target.AnyStatus())
	})
	// The trial of the grant (as.Refreshable) also asks for offline_access with prompt=consent.
	asked := "add offline_access to scopes, and authorize_params: {prompt: consent} if the server wants that; see that the client may use the refresh_token grant"
	subject := client.Path() + " refresh token"
	switch {
	case why != "" && slices.Contains(client.Grants, "refresh_token"):
		e.problem(subject, why, asked)
	case why != "":
		e.add(subject, Note, why, asked)
	case !refreshed.Success():
		e.problem(subject, "a refresh token is issued, but refused: "+answer(refreshed), "see that the client may use the refresh_token grant")
	case tokens.Code != nil && strings.Contains(tokens.Code.Scope, "offline_access") && !slices.Contains(e.info.Config.Scopes, "offline_access"):
		e.ok(subject, "issued and accepted; only for offline_access, which is asked for where a refresh token is needed")
	default:
		e.ok(subject, "issued and accepted")
	}
}

func (e *examination) resource() {
	if !e.info.Has(target.ProtectedResource) {
		e.add("resource", Absent, "none is known; checks of protected resources are skipped", "add resource: {url: https://…}")
		return
	}
	var resp *target.Response
	why := e.attempt("resource", func(as *target.AS) {
		resp = as.Resource(as.ResourceTokens().AccessToken, target.AnyStatus())
	})
	fix := "correct resource.url and resource.scopes (what its tokens need) in the target file"
	if e.info.Config.Resource.URL == "" {
		fix = "add openid to scopes, which userinfo wants, or name another resource: {url: https://…}"
	}
	switch {
	case why != "" && e.stuck():
		e.add("resource", Absent, "not examined, because the user cannot sign in: "+why, "")
	case why != "":
		e.problem("resource", why, fix)
	case !resp.Success():
		e.problem("resource", "it refuses a fresh access token: "+answer(resp), fix)
	default:
		e.ok("resource", "takes a fresh access token (%d)", resp.Status)
	}
}

func (e *examination) introspection() {
	if !e.info.Has(target.Introspection) {
		return
	}
	var resp *target.Response
	why := e.attempt("introspection", func(as *target.AS) {
		resp = as.Introspect(e.fresh(as).AccessToken, target.AnyStatus())
	})
	fix := "name a client that may introspect in introspection: {client: …}"
	switch {
	case why != "":
		e.problem("introspection", why, fix)
	case !resp.Success():
		e.problem("introspection", "the request is refused: "+answer(resp), fix)
	case resp.Member("active") != true:
		e.problem("introspection", fmt.Sprintf("a fresh access token is said not to be active (%v)", resp.Member("active")), fix+"; some servers tell a client about its own tokens only")
	default:
		e.ok("introspection", "knows a fresh access token")
	}
}

// fresh is a new issuance of the kind that is known to work.
func (e *examination) fresh(as *target.AS) *target.Tokens {
	return as.TokensBy(e.tokenOf.Grant, target.As(e.tokenOf.Client))
}

func (e *examination) tokenExchange() {
	if !e.info.Has(target.TokenExchange) {
		return
	}
	why := e.attempt("token exchange", func(as *target.AS) { as.TokensBy(target.TokenExchange) })
	switch {
	case why == "":
		e.ok("token exchange", "yields a token")
	case e.info.Config.TokenExchange.Client != "":
		e.problem("token exchange", why, "correct the section token_exchange, or take it out")
	default:
		e.add("token exchange", Note, why, "say in token_exchange: {client: …, subject_token_types: […]} what the server exchanges")
	}
}
