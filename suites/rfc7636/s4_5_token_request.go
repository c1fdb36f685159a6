package rfc7636

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.5", func(s *suites.S) {
		s.Check("verifier-required", suites.Requires("RFC7636-4.5-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			onEveryClient(func(as *target.AS, p player) {
				for _, probe := range []struct {
					name string
					edit target.RequestEdit
				}{{"missing", target.Omit("code_verifier")}, {"empty", target.Set("code_verifier", "")}} {
					as.Variant(p.label+probe.name, func(g Gomega) {
						works(as, p.client, target.MethodS256)
						code, _ := challenged(as, p.client)
						issuesNothing(as, g, as.Redeem(code, probe.edit))
					})
				}
			}))

		s.Check("method-from-authorization-request", suites.Requires("RFC7636-4.5-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			onEveryClient(func(as *target.AS, p player) {
				as.Variant(p.label+"plain-with-challenge-as-verifier", func(g Gomega) {
					works(as, p.client, target.MethodS256)
					code, verifier := challenged(as, p.client)
					r := as.Redeem(code, target.Set("code_verifier", target.S256(verifier)), target.Set("code_challenge_method", target.MethodPlain))
					if r.IssuesToken() {
						challengeAsVerifierRefused(as, p.client)
					}
					issuesNothing(as, g, r)
				})
			}))
	})
}

// onEveryClient runs a check's variants for each client that redeems codes.
func onEveryClient(body func(as *target.AS, p player)) suites.Body {
	return func(as *target.AS, g Gomega) {
		for _, p := range players(as) {
			body(as, p)
		}
	}
}

// challengeAsVerifierRefused is the control of a probe that sends the challenge as verifier and one thing more.
func challengeAsVerifierRefused(as *target.AS, client *target.Client) {
	code, verifier := challenged(as, client)
	if r := as.Redeem(code, target.Set("code_verifier", target.S256(verifier))); r.IssuesToken() {
		as.Inconclusive("the challenge is accepted as verifier anyway, which another check reports: %s", DescribeResponse(r))
	}
}
