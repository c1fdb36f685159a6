package rfc7636

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.6", func(s *suites.S) {
		s.Check("wrong-verifier-refused", suites.Requires("RFC7636-4.6-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			onEveryClient(func(as *target.AS, p player) {
				for _, wrong := range wrongVerifiers {
					as.Variant(p.label+wrong.name, func(g Gomega) {
						g.Expect(redeemedWrongly(as, p.client, wrong.of(as))).NotTo(IssueToken())
					})
				}
				if as.ChallengeTrial(p.client, target.MethodS256).Redeemed {
					as.ControlAgain(target.AuthorizationCode, target.As(p.client))
				}
			}))

		s.Check("wrong-verifier-error", suites.Requires("RFC7636-4.6-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Title("The refusal of a wrong code_verifier has the error code invalid_grant."), suites.Impact("low"),
			onEveryClient(func(as *target.AS, p player) {
				for _, wrong := range wrongVerifiers {
					as.Variant(p.label+wrong.name, func(g Gomega) {
						saysInvalidGrant(as, g, redeemedWrongly(as, p.client, wrong.of(as), target.AnyStatus()), wrong.codes...)
					})
				}
			}))

		s.Check("plain-wrong-verifier-refused", suites.Requires("RFC7636-4.6-04"), suites.Needs(target.AuthorizationCode, target.PKCE),
			onWrongPlainVerifiers(func(as *target.AS, g Gomega, r *target.Response) { g.Expect(r).NotTo(IssueToken()) }))

		s.Check("plain-wrong-verifier-error", suites.Requires("RFC7636-4.6-04"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Title("The refusal of a wrong code_verifier under plain has the error code invalid_grant."), suites.Impact("low"),
			onWrongPlainVerifiers(func(as *target.AS, g Gomega, r *target.Response) { saysInvalidGrant(as, g, r, "invalid_grant") }))
	})
}

// wrongVerifier makes a wrong verifier out of the right one.
type wrongVerifier struct {
	name  string
	codes []string // of a refusal
	make  func(as *target.AS, right string) string
}

// of binds the making to an execution of a check.
func (w wrongVerifier) of(as *target.AS) func(string) string {
	return func(right string) string { return w.make(as, right) }
}

var wrongVerifiers = []wrongVerifier{
	{"another", []string{"invalid_grant"}, func(as *target.AS, _ string) string { return as.Verifier() }},
	{"case-changed", []string{"invalid_grant"}, func(_ *target.AS, v string) string { return flipCase(v) }},
	{"challenge-as-verifier", []string{"invalid_grant"}, func(_ *target.AS, v string) string { return target.S256(v) }},
	// Outside of the grammar, so that the refusal may say so.
	{"padded", []string{"invalid_grant", "invalid_request"}, func(_ *target.AS, v string) string { return v + "=" }},
}

// wrongPlainVerifiers are those that mean something where verifier and challenge are the same.
var wrongPlainVerifiers = []wrongVerifier{
	wrongVerifiers[0],
	{"first-43-characters", []string{"invalid_grant"}, func(_ *target.AS, v string) string { return v[:43] }},
}

// redeemedWrongly redeems a fresh S256 code with a wrong verifier. The control is that the right one works.
func redeemedWrongly(as *target.AS, client *target.Client, wrong func(string) string, edits ...target.RequestEdit) *target.Response {
	if t := as.ChallengeTrial(client, target.MethodS256); !t.Redeemed {
		as.Inconclusive("the right verifier is not accepted with S256, which another check reports: %s", t.Why)
	}
	code, verifier := challenged(as, client)
	return redeems(as, code, wrong(verifier), edits...)
}

// saysInvalidGrant judges the error of a refusal. 503 may come from load.
func saysInvalidGrant(as *target.AS, g Gomega, r *target.Response, codes ...string) {
	switch {
	case r.Err != nil || r.Status == 429 || r.Status == 503:
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	case r.IssuesToken():
		as.Inconclusive("the wrong verifier is accepted, which another check reports")
	case r.ErrorCode() == "" && r.Status < 500:
		as.Inconclusive("the refusal carries no error code, which another check reports: %s", DescribeResponse(r))
	}
	g.Expect(r).To(HaveErrorCode(codes...))
	g.Expect(r).NotTo(HaveStatus(401, 403))
	g.Expect(r).NotTo(HaveStatusClass(5))
}

// onWrongPlainVerifiers judges the answers to wrong verifiers for codes by plain.
func onWrongPlainVerifiers(judge func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		if _, trial := plain(as); !trial.Redeemed {
			as.Inconclusive("the right verifier is not accepted with plain, which another check reports")
		}
		for _, wrong := range wrongPlainVerifiers {
			as.Variant(wrong.name, func(g Gomega) {
				verifier := as.Verifier()
				code := as.CodeOf(asks(as, verifier, target.MethodPlain))
				judge(as, g, redeems(as, code, wrong.make(as, verifier), target.AnyStatus()))
			})
		}
	}
}
