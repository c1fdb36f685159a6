package mockprovider

import (
	"strings"
	"time"
)

// grantRefreshToken is RFC 6749 section 6, with rotation and the detection of a stolen refresh token (RFC 9700 section 4.14.2).
func (x *exchange) grantRefreshToken() *oauthError {
	const step = "token.refresh_token"
	value, given := x.params.lookup("refresh_token")
	if err := x.refuseIf(step+".required", !given, invalidRequest, "refresh_token is missing"); err != nil {
		return err
	}
	t := x.findRefreshToken(value)
	if err := x.refuseIf(step+".known", t == nil, invalidGrant, "the refresh token is not known"); err != nil {
		return err
	}
	if t == nil {
		t = x.anyRefreshToken()
	}
	x.token, x.replay, x.user = t, t.used.Load(), t.grant.user
	if err := x.refuseIf(step+".client_binding", t.grant.client != x.client.ID, invalidGrant, "the refresh token was issued to another client"); err != nil {
		return err
	}
	if err := x.refuseIf(step+".expired", !t.expires.IsZero() && !x.now.Before(t.expires), invalidGrant, "the refresh token has expired"); err != nil {
		return err
	}
	if err := x.refuseIf(step+".revoked", t.dead(), invalidGrant, "the refresh token was revoked"); err != nil {
		return err
	}
	scope, err := x.refreshScope(t)
	if err != nil {
		return err
	}
	rotate := x.flag("refresh_token.rotation", x.p.settings.Refresh.Rotation)
	if err := x.useRefreshToken(t, rotate); err != nil {
		return err
	}
	return x.tokensForRefresh(t, scope, rotate)
}

func (x *exchange) findRefreshToken(value string) *token {
	const step = "token.refresh_token.known"
	t, ok := x.p.store.tokens.get(value)
	if ok && (t.kind == refreshToken || x.mode(step, "access-token")) {
		return t
	}
	x.token = t                 // of another kind, or nil
	if x.mode(step, "prefix") { // only the beginning is compared
		var found *token
		x.p.store.tokens.each(func(key string, t *token) {
			if t.kind == refreshToken && len(value) >= 16 && strings.HasPrefix(key, value[:16]) {
				found = t
			}
		})
		return found
	}
	return nil
}

// anyRefreshToken stands for a refresh token that a deviation lets pass although it is not known.
func (x *exchange) anyRefreshToken() *token {
	g := x.newGrant(x.client, x.p.user(x.p.settings.AutoUser), x.p.settings.DefaultScope)
	return &token{kind: refreshToken, grant: g, scope: g.scope, issued: x.now}
}

// refreshScope: at most what was granted; without the parameter all of it (RFC 6749 section 6).
func (x *exchange) refreshScope(t *token) ([]string, *oauthError) {
	const step = "token.refresh_token.scope"
	value, given := x.params.lookup("scope")
	if !given {
		x.granted = t.scope // what a condition on the scope looks at
		return t.scope, x.guard("token.refresh_token.scope.required", func() *oauthError { return nil })
	}
	if err := x.refuseIf("token.scope.syntax", !validScope(value), invalidScope, "scope is malformed"); err != nil {
		return nil, err
	}
	asked := words(value)
	if err := x.guard(step, func() *oauthError {
		if x.mode(step, "ignore") {
			asked = t.scope
			return nil
		}
		if x.mode(step, "intersect") {
			if asked = intersect(asked, t.scope); len(asked) > 0 {
				return nil
			}
		}
		if !subset(asked, t.scope) {
			return detailed(invalidScope("scope exceeds what the resource owner granted"), without(asked, t.scope)...)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return asked, nil
}

// useRefreshToken uses a refresh token up where it is rotated.
func (x *exchange) useRefreshToken(t *token, rotate bool) *oauthError {
	const step = "token.refresh_token.used"
	if !rotate {
		return nil
	}
	if x.useUp(step, &t.used) {
		t.usedAt.Store(x.now.UnixNano())
		return nil
	}
	x.replay = true
	grace := x.duration("refresh_token.grace", x.p.settings.Refresh.Grace)
	if grace > 0 && x.now.Sub(time.Unix(0, t.usedAt.Load())) <= grace {
		return nil
	}
	return x.guard(step, func() *oauthError {
		if x.flag("refresh_token.reuse_detection", x.p.settings.Refresh.ReuseDetection) {
			t.grant.revoke()
		}
		return invalidGrant("the refresh token was used before")
	})
}

func (x *exchange) tokensForRefresh(t *token, scope []string, rotate bool) *oauthError {
	g := t.grant
	scope = x.grantedBy(scope)
	x.granted = scope
	out := issued{access: x.issueAccess(g, scope), asked: strings.Join(t.scope, " ")}
	if asked, given := x.params.lookup("scope"); given {
		out.asked = asked
	}
	if rotate {
		if t.pair != nil && x.mode("refresh_token.rotation", "ends-access-token") {
			t.pair.revoked.Store(true)
		}
		full := t.scope // a new refresh token has the scope of the old one (RFC 6749 section 6)
		if x.mode("refresh_token.scope", "narrowed") {
			full = scope
		}
		if x.mode("refresh_token.scope", "widened") {
			full = x.p.settings.Scopes
		}
		if x.mode("refresh_token.rotation", "dead") {
			out.refresh = &token{value: x.mint("refresh_token.generate")}
		} else {
			out.refresh = x.issueRefresh(g, full, out.access)
		}
	} else if x.mode("refresh_token.rotation", "return-same") {
		out.refresh = t
	}
	if x.wantsIDToken(scope) {
		out.idToken = x.idToken(g, out.access.value, "")
	}
	x.respondToken(out)
	return nil
}
