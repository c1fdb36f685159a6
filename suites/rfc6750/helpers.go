// Package rfc6750 holds the checks of RFC 6750, Bearer Token Usage, one file a section in the order of the text.
package rfc6750

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// badToken is well-formed and was never issued.
const badToken = "oauthcheck-invalid-token"

// accessToken is a token that the protected resource answers to when it comes in the Authorization header.
func accessToken(as *target.AS) string {
	token := as.ResourceTokens().AccessToken
	if r := as.Resource(token); !as.Opens(r) {
		as.Inconclusive("the resource answers %d to a fresh access token", r.Status)
	}
	return token
}

// closed makes sure that the resource wants a token at all: where it does not, no lax reading of one could show.
func closed(as *target.AS) {
	if as.Opens(as.Resource("")) {
		as.Inconclusive("the resource opens without any token, which another check reports")
	}
}

// byForm sends the token as form parameter (section 2.2), with further edits.
func byForm(as *target.AS, token string, edits ...target.RequestEdit) *target.Response {
	form := []target.RequestEdit{target.Method("POST"), target.Set("access_token", token)}
	return as.Resource("", append(form, edits...)...)
}

// byQuery sends the token as query parameter (section 2.3), with further edits.
func byQuery(as *target.AS, token string, edits ...target.RequestEdit) *target.Response {
	return as.Resource("", append([]target.RequestEdit{target.QueryParam("access_token", token)}, edits...)...)
}

// needsForm skips where the form method does not work.
func needsForm(as *target.AS, token string) {
	if !as.Opens(byForm(as, token)) {
		as.Skip("", "the resource does not take tokens as form parameter")
	}
	closed(as)
}

// needsQuery skips where the query method does not work.
func needsQuery(as *target.AS, token string) {
	if !as.Opens(byQuery(as, token)) {
		as.Skip("", "the resource does not take tokens as query parameter")
	}
	closed(as)
}

// refusals are the ways of asking the resource that must fail, each with its answer.
func refusals(as *target.AS) []target.TokenSample {
	token := accessToken(as)
	return []target.TokenSample{
		{Name: "no-credentials", Response: as.Resource("")},
		{Name: "unknown-token", Response: as.Resource(badToken)},
		{Name: "token-with-odd-characters", Response: as.Resource("oauthcheck~+/x")},
		{Name: "changed-token", Response: as.Resource(target.ChangeMiddle(token))},
		{Name: "quoted-token", Response: as.Resource("", target.Header("Authorization", `Bearer "`+badToken+`"`))},
		{Name: "scheme-alone", Response: as.Resource("", target.Header("Authorization", "Bearer"))},
	}
}

// onRefusals judges every refusal of the resource, each as a variant.
func onRefusals(check func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		for _, sample := range refusals(as) {
			as.Variant(sample.Name, func(g Gomega) {
				g.Expect(sample.Response).NotTo(BeNil()) // a finding about a part of it rests on this answer
				if as.Opens(sample.Response) {
					as.Inconclusive("the request was not refused, which another check reports")
				}
				check(as, g, sample.Response)
			})
		}
	}
}

// onChallenges judges every Bearer challenge; without one there is nothing to judge.
func onChallenges(check func(*target.AS, Gomega, Challenge)) suites.Body {
	return func(as *target.AS, g Gomega) {
		judged := false
		for _, sample := range refusals(as) {
			for _, challenge := range bearerChallenges(sample.Response) {
				judged = true
				as.Variant(sample.Name, func(g Gomega) {
					g.Expect(sample.Response).NotTo(BeNil()) // a finding about a part of it rests on this answer
					check(as, g, challenge)
				})
			}
		}
		if !judged {
			as.Skip("", "no challenge with the scheme Bearer was received, which another check reports")
		}
	}
}

// bearerChallenges are the challenges of the scheme Bearer in a response.
func bearerChallenges(r *target.Response) []Challenge {
	challenges, _ := Challenges(r)
	var out []Challenge
	for _, c := range challenges {
		if c.Is("Bearer") {
			out = append(out, c)
		}
	}
	return out
}

// errorOf is the error code of the first Bearer challenge that has one.
func errorOf(r *target.Response) (string, bool) {
	for _, c := range bearerChallenges(r) {
		if code, ok := c.Get("error"); ok {
			return code, true
		}
	}
	return "", false
}

// shut judges that the protected resource does not hand out its content.
func shut(as *target.AS, g Gomega, r *target.Response) {
	if as.Opens(r) {
		g.Expect(r).NotTo(HaveStatusClass(2))
	}
}
