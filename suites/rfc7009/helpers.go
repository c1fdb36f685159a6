// Package rfc7009 holds the checks of RFC 7009, OAuth 2.0 Token Revocation, one file a section in the order of the text.
package rfc7009

import (
	"cmp"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// refreshWorks reports whether a refresh token still gives a token. It uses the token up where the server rotates, so that a check asks
// once, at its end.
func refreshWorks(as *target.AS, tokens *target.Tokens) bool {
	return as.Refresh(tokens, target.NoControl()).IssuesToken()
}

// proven is a grant with a refresh token that was used once and works: the newest one, where the server rotates.
func proven(as *target.AS, edits ...target.RequestEdit) *target.Tokens {
	tokens := as.Refreshable(edits...)
	r := as.Refresh(tokens, target.NoControl())
	if !r.IssuesToken() {
		as.Inconclusive("the fresh refresh token does not work: %s", DescribeResponse(r))
	}
	next := as.TokensOf(r)
	if next.RefreshToken == "" {
		next.RefreshToken = tokens.RefreshToken
	}
	next.Client = tokens.Client
	return next
}

// killsRefreshTokens is the control that a plain revocation has an effect.
func killsRefreshTokens(as *target.AS) {
	tokens := as.Refreshable()
	r := as.Revoke(tokens, tokens.RefreshToken)
	as.Settle()
	if r.Status/100 != 2 || refreshWorks(as, tokens) {
		as.Inconclusive("a plain revocation of a refresh token has no effect, which another check reports: %s", DescribeResponse(r))
	}
}

// acquainted are tokens of a client that the revocation endpoint was seen to authenticate: what it then says of a made-up
// token is about the token.
func acquainted(as *target.AS) *target.Tokens {
	tokens := as.Tokens()
	if as.Has(target.RefreshTokenGrant) {
		tokens = as.Refreshable()
	}
	r := as.Revoke(tokens, cmp.Or(tokens.RefreshToken, tokens.AccessToken))
	if r.Status/100 != 2 && r.ErrorCode() != "unsupported_token_type" {
		as.Inconclusive("the client cannot revoke a token of its own: %s", DescribeResponse(r))
	}
	return tokens
}

// refusesClient reports whether a refusal may be about a client that does not authenticate in the header: the endpoint may
// serve fewer methods of client authentication than the token endpoint (RFC 8414 section 2).
func refusesClient(client *target.Client, r *target.Response) bool {
	return client.AuthOrDefault() != target.Basic && (r.Status == 401 || r.ErrorCode() == "invalid_client" || r.ErrorCode() == "unauthorized_client")
}

// killsAccessTokens reports whether a plain revocation of an access token has an effect that can be seen.
func killsAccessTokens(as *target.AS) bool {
	tokens := as.AliveTokens()
	as.Revoke(tokens, tokens.AccessToken)
	as.Settle()
	alive, _ := as.Alive(tokens.AccessToken)
	return !alive
}

// victim is a live token to be revoked.
type victim struct {
	*target.Tokens
	token   string
	refresh bool // a refresh token, else an access token
}

// victims finds out what the server revokes and returns a way to get fresh ones: refresh tokens, whose life shows at the token endpoint,
// or access tokens where it says that it revokes no refresh tokens.
func victims(as *target.AS, edits ...target.RequestEdit) func() victim {
	tokens := as.Refreshable(edits...)
	refresh := as.Revoke(tokens, tokens.RefreshToken).ErrorCode() != "unsupported_token_type"
	return func() victim {
		if refresh {
			tokens := as.Refreshable(edits...)
			return victim{tokens, tokens.RefreshToken, true}
		}
		tokens := as.TokensBy(target.AuthorizationCode, edits...)
		if alive, how := as.Alive(tokens.AccessToken); !alive {
			as.Inconclusive("the fresh access token does not work: %s", how)
		}
		return victim{tokens, tokens.AccessToken, false}
	}
}

// alive reports whether the token works. It uses a refresh token up where the server rotates.
func (v victim) alive(as *target.AS) bool {
	as.Settle()
	if v.refresh {
		return refreshWorks(as, v.Tokens)
	}
	alive, _ := as.Alive(v.token)
	return alive
}

// dies judges that a refresh token no longer works.
func dies(as *target.AS, g Gomega, tokens *target.Tokens, how string) {
	as.Settle()
	if refreshWorks(as, tokens) {
		as.Fail("%s: the refresh token still works", how)
	}
}

// survives judges that a refresh token still works.
func survives(as *target.AS, g Gomega, tokens *target.Tokens, how string) {
	as.Settle()
	if !refreshWorks(as, tokens) {
		as.Fail("%s: the refresh token is dead", how)
	}
}
