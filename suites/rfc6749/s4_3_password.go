package rfc6749

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "4.3.2", func(s *suites.S) {
		s.Check("password-grant-works", suites.Requires("RFC6749-4.3.2-01"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) { grantWorks(as, g, target.Password) })

		s.Check("username-required", suites.Requires("RFC6749-4.3.2-02"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.Password, target.Omit("username"))).NotTo(IssueToken())
			})

		s.Check("password-required", suites.Requires("RFC6749-4.3.2-03"), suites.Needs(target.PasswordGrant),
			func(as *target.AS, g Gomega) {
				g.Expect(as.TokenBy(target.Password, target.Omit("password"))).NotTo(IssueToken())
			})

		s.Check("password-grant-authentication-required", suites.Requires("RFC6749-4.3.2-04"),
			suites.Needs(target.PasswordGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) { withoutAuthentication(as, g, target.Password) })

		s.Check("password-grant-wrong-secret", suites.Requires("RFC6749-4.3.2-05"),
			suites.Needs(target.PasswordGrant, target.ConfidentialClient), suites.Disturbs(suites.Client), onWrongSecrets(target.Password))

		s.Check("wrong-password-refused", suites.Requires("RFC6749-4.3.2-06"), suites.Needs(target.PasswordGrant), suites.Destructive,
			suites.Disturbs(suites.User),
			func(as *target.AS, g Gomega) {
				as.Variant("wrong-password", func(g Gomega) {
					g.Expect(as.TokenBy(target.Password, target.Set("password", wrongPassword))).NotTo(IssueToken())
				})
				as.Variant("unknown-user", func(g Gomega) {
					g.Expect(as.TokenBy(target.Password, target.Set("username", "oauthcheck-nobody"))).NotTo(IssueToken())
				})
			})
	})

	suites.Section("RFC 6749", "4.3.3", func(s *suites.S) {
		s.Check("password-grant-response", suites.Requires("RFC6749-4.3.3-01"), suites.Needs(target.PasswordGrant), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) { responseShape(as, g, target.Password) })
	})
}

const wrongPassword = "oauthcheck-wrong-password"

// grantWorks judges that a correct request is answered with a token. Refusals that speak of the configuration leave it open.
func grantWorks(as *target.AS, g Gomega, grant target.Grant) {
	r := as.TokenBy(grant, target.NoControl())
	switch r.ErrorCode() {
	case "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target", "invalid_client":
		as.Inconclusive("the grant is not set up for this client: %s", DescribeResponse(r))
	}
	if r.Status/100 == 2 && !r.IssuesToken() {
		as.Inconclusive("the answer is a success without a token, which the checks of section 5.1 report: %s", DescribeResponse(r))
	}
	if as.Config().Dialect.RequestFormat == "json" && !r.IssuesToken() { // no text promises that JSON is taken
		as.Inconclusive("the request in JSON, as dialect.request_format says, is refused: %s", DescribeResponse(r))
	}
	g.Expect(r).To(IssueToken())
}

// withoutAuthentication judges that a grant is refused to a confidential client that only names itself, or not even that.
func withoutAuthentication(as *target.AS, g Gomega, grant target.Grant) {
	client := confidentialFor(as, grant)
	as.Variant("client-id-alone", func(g Gomega) {
		g.Expect(as.TokenBy(grant, target.As(client), target.Auth(target.NoClientAuth))).NotTo(IssueToken())
	})
	as.Variant("nothing", func(g Gomega) {
		r := as.TokenBy(grant, target.As(client), target.Auth(target.NoClientAuth), target.Omit("client_id"))
		if grant == target.Password && r.IssuesToken() { // nothing ties the request to a client that has credentials (section 2.4)
			as.Note("users get tokens with their password from requests that name no client")
			return
		}
		g.Expect(r).NotTo(IssueToken())
	})
}
