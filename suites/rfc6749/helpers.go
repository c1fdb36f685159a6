// Package rfc6749 holds the checks of RFC 6749, The OAuth 2.0 Authorization Framework, one file a section in the order of
// the text.
package rfc6749

import (
	"cmp"
	"slices"
	"strings"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// clientBarredFrom is a configured client that suits, whose grants are listed and do not contain the grant; nil if there is none.
func clientBarredFrom(as *target.AS, grant target.Grant, suits func(*target.Client) bool) *target.Client {
	for _, client := range as.Config().Clients.All() {
		if len(client.Grants) > 0 && !slices.Contains(client.Grants, grant.Type()) && suits(client) {
			return client
		}
	}
	return nil
}

// clientWithoutGrant is a confidential client with a working grant that it may not use, the code grant last; nil if there is none.
func clientWithoutGrant(as *target.AS) (*target.Client, target.Grant) {
	var last *target.Client
	for _, grant := range as.Grants() {
		client := clientBarredFrom(as, grant, (*target.Client).Confidential)
		switch {
		case client == nil:
		case grant == target.AuthorizationCode, grant == target.RefreshToken: // such a client may well get no code to begin with
			last = cmp.Or(last, client)
		default:
			return client, grant
		}
	}
	return last, target.AuthorizationCode
}

// clientWithOneRedirectURI is a configured client with exactly one redirection URI that may use the code grant; nil if there is
// none.
func clientWithOneRedirectURI(as *target.AS) *target.Client {
	for _, client := range as.Config().Clients.All() {
		if len(client.RedirectURIs) == 1 && client.MayUse(target.Grant(target.AuthorizationCode).Type()) {
			return client
		}
	}
	return nil
}

// clientWithTwoRedirectURIs is a client with at least two redirection URIs that may use authorization codes: the one that
// usually plays in that grant, if it has them. Without one the check ends as skipped.
func clientWithTwoRedirectURIs(as *target.AS) *target.Client {
	usual := as.ClientFor(target.AuthorizationCode)
	for _, client := range append([]*target.Client{usual}, as.Config().Clients.All()...) {
		if len(client.RedirectURIs) > 1 && client.MayUse(target.Grant(target.AuthorizationCode).Type()) {
			return client
		}
	}
	as.Skip("clients."+usual.Name+".redirect_uris: [https://client.example/callback, https://client.example/other]",
		"no client that may use authorization codes has two redirection URIs")
	return nil
}

// sameShape is a random value with the length and the classes of characters of another.
func sameShape(as *target.AS, value string) string {
	random := as.Random(len(value))
	shape := func(i int, r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return rune('0' + random[i]%10)
		case r >= 'a' && r <= 'z':
			return rune('a' + random[i]%26)
		case r >= 'A' && r <= 'Z':
			return rune('A' + random[i]%26)
		}
		return r
	}
	var b strings.Builder
	for i, r := range value {
		b.WriteRune(shape(i, r))
	}
	return b.String()
}

// consentShown judges that a page asked for consent before a code was delivered. The decision may also be an earlier one or
// be established by other means (RFC 6749 section 4.1.1), so that its absence counts only where the target file says that the
// server always asks.
func consentShown(as *target.AS, a *target.Authorization) {
	switch {
	case a.ConsentShown:
	case as.Config().Login.Consent == "always":
		as.Fail("a code was delivered without a page that asks for consent")
	default:
		as.Note("a code was delivered without a page that asks for consent: an earlier decision, or one by other means")
	}
}

// deliversErrorInQuery judges an error redirect of the code flow; an error page in its place is permitted.
func deliversErrorInQuery(as *target.AS, g Gomega, a *target.Authorization) {
	switch {
	case !leaves(a):
		as.Note("an error page instead of a redirect, which RFC 9700 section 4.11.2 permits")
	case a.Code() != "":
		as.Inconclusive("the request was not refused")
	default:
		g.Expect(a).To(DeliverError())
		g.Expect(a).To(HaveResponseIn("query"))
	}
}

// deliversOneOf judges that a redirect carries a code or an error, not both and not neither.
func deliversOneOf(as *target.AS, g Gomega, a *target.Authorization) {
	switch {
	case !leaves(a):
	case a.Code() == "":
		g.Expect(a).To(DeliverError())
	case a.Error() != "":
		g.Expect(a).To(OmitParam("error"))
	case a.Params().Has("error"):
		as.Note("the redirect has an error parameter without a value")
	}
}

// leaves reports whether the browser was sent to the client: to the requested redirection URI or one that is registered, by itself or,
// with response parameters, by a link. A plain link on an error page, or a redirect to a page of the operator's elsewhere, is no
// answer to the client.
func leaves(a *target.Authorization) bool {
	if a.Location == "" || a.Via == "link" && a.In() == "" {
		return false
	}
	uris := []string{a.Sent.Get("redirect_uri")}
	if client := a.Sent.Client(); client != nil {
		uris = append(uris, client.RedirectURIs...)
	}
	return slices.ContainsFunc(uris, func(uri string) bool { return uri != "" && a.SentTo(uri) })
}

// atRegistered reports whether the browser was sent to a redirection URI that is registered for the client, as it stands there.
func atRegistered(a *target.Authorization) bool {
	client := a.Sent.Client()
	return client != nil && slices.ContainsFunc(client.RedirectURIs, func(uri string) bool { return isAt(a.Location, uri) })
}

// confidentialFor is a client that authenticates, with a password or otherwise, and may use the grant: the usual one if it does. Without
// one the check is skipped.
func confidentialFor(as *target.AS, grant target.Grant) *target.Client {
	if usual := as.Config().ClientFor(grant.Type()); usual != nil && usual.Confidential() {
		return usual
	}
	for _, client := range as.Config().Clients.All() {
		if client.Confidential() && client.MayUse(grant.Type()) && (grant != target.AuthorizationCode || redirects(client)) {
			return client
		}
	}
	as.Skip("clients.primary: {id: …, secret: …}", "no client that authenticates may use %s", grant)
	return nil
}

// twoClients are two different clients that suit and may use the code grant. Without them the check is skipped.
func twoClients(as *target.AS, suits func(*target.Client) bool) (owner, other *target.Client) {
	var found []*target.Client
	for _, client := range as.Config().Clients.All() {
		if suits(client) && redirects(client) && client.MayUse("authorization_code") && (len(found) == 0 || found[0].ID != client.ID) {
			found = append(found, client)
		}
	}
	if len(found) < 2 {
		as.Skip("clients.second: {id: …, secret: …, redirect_uris: […]}", "there are no two such clients that may use the code grant")
	}
	return found[0], found[1]
}

// tellsOwner judges that the page at which a browser stopped is not empty. What it says, and whether a script brings the text, is not
// for a program to judge.
func tellsOwner(as *target.AS, g Gomega, a *target.Authorization) {
	if leaves(a) {
		as.Inconclusive("the browser was sent away, which another check judges")
	}
	page := a.Page
	if page == nil {
		page = a.Final
	}
	if strings.TrimSpace(string(page.Body)) == "" && page.Status/100 != 3 {
		g.Expect(page).To(HaveReadableBody())
	}
}

// issueAtMostOnce judges the answers to concurrent uses of one code or token.
func issueAtMostOnce(as *target.AS, responses []*target.Response) {
	raced(as, responses)
	issued := map[string]bool{}
	for _, r := range responses {
		if token := r.String("access_token"); token != "" {
			issued[token] = true
		}
	}
	if len(issued) > 1 {
		as.Fail("%d different access tokens were issued to %d concurrent requests", len(issued), len(responses))
	}
}

// raced makes sure that at least two of the concurrent requests were answered: one alone is no race.
func raced(as *target.AS, responses []*target.Response) {
	answers := 0
	for _, r := range responses {
		if r.Err == nil && r.Status != 429 && !r.Failed() {
			answers++
		}
	}
	if answers < 2 {
		as.Inconclusive("fewer than two of %d concurrent requests were answered", len(responses))
	}
}

// redirects reports whether a client has a redirection URI, without which no authorization request can end at it.
func redirects(client *target.Client) bool { return len(client.RedirectURIs) > 0 }

// cheapest is the cheapest grant that works; without any the check is inconclusive.
func cheapest(as *target.AS) target.Grant {
	grants := as.Grants()
	if len(grants) == 0 {
		as.Inconclusive("no grant issues a token any more")
	}
	return grants[0]
}

// shut judges that the protected resource does not hand out its content.
func shut(as *target.AS, g Gomega, r *target.Response) {
	if as.Opens(r) {
		g.Expect(r).NotTo(HaveStatusClass(2))
	}
}
