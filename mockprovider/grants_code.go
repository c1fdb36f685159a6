package mockprovider

// grantAuthorizationCode exchanges a code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
func (x *exchange) grantAuthorizationCode() *oauthError {
	const step = "token.authorization_code"
	value, given := x.params.lookup("code")
	if err := x.refuseIf(step+".required", !given, invalidRequest, "code is missing"); err != nil {
		return err
	}
	c, found := x.p.store.codes.get(value)
	if !found && x.mode(step+".known", "prefix") { // only the beginning is compared
		x.p.store.codes.each(func(key string, other *code) {
			if len(value) >= 16 && len(key) >= 16 && key[:16] == value[:16] {
				c, found = other, true
			}
		})
	}
	if err := x.refuseIf(step+".known", !found, invalidGrant, "the code is not known"); err != nil {
		return err
	}
	if !found {
		c = x.anyCode()
	}
	x.code, x.replay = c, c.used.Load()
	x.user = c.grant.user
	if err := x.refuseIf(step+".client_binding", c.grant.client != x.client.ID, invalidGrant, "the code was issued to another client"); err != nil {
		return err
	}
	if err := x.refuseIf(step+".expired", !c.expires.IsZero() && !x.now.Before(c.expires), invalidGrant, "the code has expired"); err != nil {
		return err
	}
	if err := x.p.shuffle.check(
		func() *oauthError { return x.checkTokenRedirectURI(c) },
		func() *oauthError { return x.checkVerifier(c) },
	); err != nil {
		return err
	}
	if err := x.guard("token.authorization_code.scope", func() *oauthError {
		asked := words(x.params.get("scope"))
		switch {
		case len(asked) == 0:
		case x.mode("token.authorization_code.scope", "within") && !subset(asked, c.grant.scope),
			x.mode("token.authorization_code.scope", "same") && !sameWords(asked, c.grant.scope):
			return invalidScope("scope exceeds what the resource owner granted")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := x.redeem(c); err != nil {
		return err
	}
	return x.tokensForCode(c)
}

// redeem uses a code up (RFC 6749 section 4.1.2: not more than once; a second use revokes what the first one yielded).
func (x *exchange) redeem(c *code) *oauthError {
	const step = "token.authorization_code.used"
	x.replay = !x.useUp(step, &c.used)
	if x.replay {
		switch {
		case !x.flag("token.authorization_code.replay_revokes", true):
		case x.mode("token.authorization_code.replay_revokes", "refresh-only"):
			c.grant.refreshRevoked.Store(true)
		case x.mode("token.authorization_code.replay_revokes", "access-only"):
			c.grant.accessRevoked.Store(true)
		default:
			if !x.skipped(step) {
				c.grant.revoke()
			}
		}
	}
	return x.guard(step, func() *oauthError {
		if x.replay {
			return invalidGrant("the code was used before")
		}
		return nil
	})
}

// anyCode stands for a code that a deviation lets pass although it is not known.
func (x *exchange) anyCode() *code {
	g := x.newGrant(x.client, x.p.user(x.p.settings.AutoUser), x.p.settings.DefaultScope)
	c := &code{grant: g, redirectURI: x.params.get("redirect_uri"), redirectURIGiven: x.params.has("redirect_uri")}
	if verifier := x.params.get("code_verifier"); verifier != "" {
		c.challenge, c.challengeMethod = verifier, "plain"
	}
	return c
}

// checkTokenRedirectURI: the redirect_uri of the authorization request, if it had one (RFC 6749 section 4.1.3).
func (x *exchange) checkTokenRedirectURI(c *code) *oauthError {
	const step = "token.authorization_code.redirect_uri"
	value, given := x.params.lookup("redirect_uri")
	if err := x.guard(step+".required", func() *oauthError {
		needed := c.redirectURIGiven || x.mode(step+".required", "always")
		if needed && !given {
			return invalidGrant("redirect_uri is missing")
		}
		return nil
	}); err != nil || !given {
		return err
	}
	return x.guard(step+".match", func() *oauthError {
		mode := func(name string) bool { return x.mode(step+".match", name) }
		if value == c.redirectURI || matchRedirectURI(c.redirectURI, value, false, mode) {
			return nil
		}
		if mode("registered") && x.client.hasRedirectURI(value) { // any registered one will do
			return nil
		}
		return invalidGrant("redirect_uri differs from the one of the authorization request")
	})
}

func (x *exchange) tokensForCode(c *code) *oauthError {
	g := c.grant
	scope := x.grantedBy(g.scope)
	if asked := words(x.params.get("scope")); len(asked) > 0 && x.mode("token.authorization_code.scope", "within") {
		scope = asked
	}
	x.granted = scope
	x.respondToken(x.issue(g, scope))
	return nil
}
