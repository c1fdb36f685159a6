package mockprovider

import (
	"cmp"
	"crypto/subtle"
	"sync/atomic"
	"time"
)

// grantAtToken makes the grant of a token request that rests on none: its scope is checked, then granted. The user is nil
// where the client acts on its own behalf.
func (x *exchange) grantAtToken(user *ResourceOwner) (*grant, *oauthError) {
	scope, err := x.checkScope("token", x.client)
	if err != nil {
		return nil, err
	}
	x.granted = x.grantedBy(scope)
	g := x.newGrant(x.client, user, x.granted)
	g.audience = x.params.all("resource")
	return g, nil
}

// grantClientCredentials is RFC 6749 section 4.4.
func (x *exchange) grantClientCredentials() *oauthError {
	const step = "token.client_credentials"
	if err := x.guard(step+".client_type", func() *oauthError {
		if x.client.Public {
			return unauthorizedClient("client_credentials is for confidential clients")
		}
		return nil
	}); err != nil {
		return err
	}
	g, err := x.grantAtToken(nil)
	if err != nil {
		return err
	}
	t := issued{access: x.issueAccess(g, g.scope), asked: x.params.get("scope")}
	if x.flag("token.client_credentials.refresh_token", false) {
		t.refresh = x.issueRefresh(g, g.scope, t.access)
	}
	x.respondToken(t)
	return nil
}

// grantPassword is RFC 6749 section 4.3.
func (x *exchange) grantPassword() *oauthError {
	const step = "token.password"
	username, hasUsername := x.params.lookup("username")
	password, hasPassword := x.params.lookup("password")
	if err := x.refuseIf(step+".username.required", !hasUsername, invalidRequest, "username is missing"); err != nil {
		return err
	}
	if err := x.refuseIf(step+".password.required", !hasPassword, invalidRequest, "password is missing"); err != nil {
		return err
	}
	user := x.p.user(username)
	if err := x.guard(step+".credentials", func() *oauthError {
		ascii := keep(username+password, func(r rune) bool { return r < 0x80 }) == username+password
		if user == nil || subtle.ConstantTimeCompare([]byte(user.Password), []byte(password)) != 1 || !ascii && x.mode(step+".credentials", "ascii-only") {
			return invalidGrant("user name or password is wrong")
		}
		return nil
	}); err != nil {
		return err
	}
	if user == nil { // a deviation lets everybody in
		user = x.p.user(x.p.settings.AutoUser)
	}
	x.user = user
	g, err := x.grantAtToken(user)
	if err != nil {
		return err
	}
	t := x.issue(g, g.scope)
	t.asked = x.params.get("scope")
	x.respondToken(t)
	return nil
}

// useUp marks a code or token as used, and reports whether it was not before. In the mode race it is marked after a while only, so that requests
// at the same time all find it unused.
func (x *exchange) useUp(step string, used *atomic.Bool) bool {
	race := x.modeOp(step, "race")
	if race == nil {
		return used.CompareAndSwap(false, true)
	}
	first := !used.Load()
	x.sleep(x.r.Context(), cmp.Or(race.Window, 50*time.Millisecond))
	used.Store(true)
	return first
}
