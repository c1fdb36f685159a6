package mockprovider

import (
	"crypto/subtle"
)

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
	scope, err := x.checkScope("token", x.client)
	if err != nil {
		return err
	}
	scope = x.grantedBy(x.list("scope.granted", scope))
	x.granted = scope
	g := x.newGrant(x.client, nil, scope)
	g.audience = x.params.all("resource")
	t := issued{access: x.issueAccess(g, scope), asked: x.params.get("scope")}
	if x.flag("token.client_credentials.refresh_token", false) {
		t.refresh = x.issueRefresh(g, scope, t.access)
	}
	x.respondToken(t)
	return nil
}

// grantPassword is RFC 6749 section 4.3.
func (x *exchange) grantPassword() *oauthError {
	const step = "token.password"
	username, hasUsername := x.params.lookup("username")
	password, hasPassword := x.params.lookup("password")
	if err := x.guard(step+".username.required", func() *oauthError {
		if !hasUsername {
			return invalidRequest("username is missing")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := x.guard(step+".password.required", func() *oauthError {
		if !hasPassword {
			return invalidRequest("password is missing")
		}
		return nil
	}); err != nil {
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
	scope, err := x.checkScope("token", x.client)
	if err != nil {
		return err
	}
	scope = x.grantedBy(x.list("scope.granted", scope))
	x.granted = scope
	g := x.newGrant(x.client, user, scope)
	g.audience = x.params.all("resource")
	t := issued{access: x.issueAccess(g, scope), asked: x.params.get("scope")}
	if x.wantsRefresh(x.client, scope) {
		t.refresh = x.issueRefresh(g, scope, t.access)
	}
	if x.wantsIDToken(scope) {
		t.idToken = x.idToken(g, t.access.value, "")
	}
	x.respondToken(t)
	return nil
}
