package target

// EndsEarlierGrants reports whether an authorization ends what the same user granted the same client before, as a trial shows: its
// tokens no longer work. A server may do that (RFC 6749 sections 1.4 and 1.5 leave the lifetime of tokens to it), but then checks that
// run at the same time end each other's tokens, and a token that was fresh a moment ago proves nothing. It is tried once in a run.
func (run *Run) EndsEarlierGrants() bool {
	run.earlier.once.Do(func() {
		if !run.Has(AuthorizationCode) {
			return
		}
		as := run.NewAS(run.ctx, "trial of earlier grants", silent{})
		fresh := func() *Tokens {
			if run.Has(RefreshTokenGrant) && run.grantBaseline(RefreshToken, run.info.Config.ClientFor(RefreshToken.Type())).manner.source == AuthorizationCode {
				return as.Refreshable(NoControl())
			}
			return as.TokensBy(AuthorizationCode, NoControl())
		}
		attempt(func() {
			first, second := fresh(), fresh()
			attempt(func() {
				earlier, _ := as.Alive(first.AccessToken)
				later, _ := as.Alive(second.AccessToken)
				run.earlier.end = !earlier && later
			})
			if !run.earlier.end && first.RefreshToken != "" && second.RefreshToken != "" {
				run.earlier.end = !as.Refresh(first, NoControl()).IssuesToken() && as.Refresh(second, NoControl()).IssuesToken()
			}
		})
		if run.earlier.end {
			run.controls()
		}
	})
	return run.earlier.end
}

// controls makes the controls that are authorizations before any check begins. Where an authorization ends the grants before it, one in
// the midst of a check would end what the check holds in its hands.
func (run *Run) controls() {
	for _, client := range run.info.Config.Clients.All() {
		if client.MayUse(Grant(AuthorizationCode).Type()) {
			run.authorizeBaseline(client, "code")
			run.grantBaseline(AuthorizationCode, client)
			run.grantBaseline(RefreshToken, client)
		}
	}
}
