// Package rfc7636 holds the checks of RFC 7636, Proof Key for Code Exchange by OAuth Public Clients, one file a section in the order
// of the text.
package rfc7636

import (
	"slices"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// player is a client that a check plays; label goes before the names of its variants.
type player struct {
	label  string
	client *target.Client
}

// players are the client of the code grant and, if that is another one, the public client: PKCE was made for clients without
// credentials, and servers have been seen to look at it for one kind only.
func players(as *target.AS) []player {
	usual := as.ClientFor(target.AuthorizationCode)
	out := []player{{"", usual}}
	if public := as.Config().Clients.Public; public != nil && public != usual && public.MayUse(target.AuthorizationCode) && len(public.RedirectURIs) > 0 {
		out = append(out, player{"public-client-", public})
	}
	return out
}

// challenge are the edits of an authorization request with this challenge; an empty method sends none.
func challenge(value, method string) []target.RequestEdit {
	edits := []target.RequestEdit{target.Set("code_challenge", value), target.Omit("code_challenge_method")}
	if method != "" {
		edits[1] = target.Set("code_challenge_method", method)
	}
	return edits
}

// asks is an authorization request of the usual client with this challenge. The control is the check's own trial: an ordinary baseline
// proves nothing where the server knows no PKCE.
func asks(as *target.AS, value, method string) *target.Authorization {
	return as.Authorize(append(challenge(value, method), target.NoControl())...)
}

// challenged is a fresh code that is bound to a challenge by S256, with its verifier. That it is bound is not left to the baseline: a
// client that does without PKCE elsewhere must not do so here.
func challenged(as *target.AS, client *target.Client) (*target.Code, string) {
	verifier := as.Verifier()
	return as.Code(append(challenge(target.S256(verifier), target.MethodS256), target.As(client), target.NoControl())...), verifier
}

// redeems is the token request for a code with this verifier; "" sends none.
func redeems(as *target.AS, code *target.Code, verifier string, edits ...target.RequestEdit) *target.Response {
	edit := target.Set("code_verifier", verifier)
	if verifier == "" {
		edit = target.Omit("code_verifier")
	}
	return as.Redeem(code, append([]target.RequestEdit{edit, target.NoControl()}, edits...)...)
}

// works is the control of most checks: with this method a right verifier is accepted and a wrong one refused.
func works(as *target.AS, client *target.Client, method string) {
	switch t := as.ChallengeTrial(client, method); {
	case !t.Accepted:
		as.Inconclusive("an authorization request of clients.%s with %s yields no code: %s", client.Name, method, t.Why)
	case !t.Redeemed:
		as.Inconclusive("a code with a challenge by %s is not redeemed with the right verifier, which another check reports", method)
	case !t.Checked:
		as.Inconclusive("a wrong verifier is accepted with %s, which another check reports", method)
	}
}

// usual is the client of the code grant, for which S256 works.
func usual(as *target.AS) *target.Client {
	client := as.ClientFor(target.AuthorizationCode)
	works(as, client, target.MethodS256)
	return client
}

// plain is the client of the code grant; the check is skipped where the server does not support plain.
func plain(as *target.AS) (*target.Client, target.ChallengeTrial) {
	client := as.ClientFor(target.AuthorizationCode)
	trial := as.ChallengeTrial(client, target.MethodPlain)
	if !trial.Accepted {
		as.Skip("", "the server does not support plain, which it need not: %s", trial.Why)
	}
	return client, trial
}

// refusedAs notes a refusal without a token whose error code is none of those that the text knows for the case.
func refusedAs(as *target.AS, r *target.Response, codes ...string) {
	if !r.IssuesToken() && !slices.Contains(codes, r.ErrorCode()) {
		as.Note("refused otherwise than with %v: %s", codes, DescribeResponse(r))
	}
}

// issuesNothing judges that a token request is refused; the code of the refusal is only noted.
func issuesNothing(as *target.AS, g Gomega, r *target.Response) {
	g.Expect(r).NotTo(IssueToken())
	refusedAs(as, r, "invalid_grant", "invalid_request")
}
