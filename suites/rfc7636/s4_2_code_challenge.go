package rfc7636

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.2", func(s *suites.S) {
		s.Check("s256-supported", suites.Requires("RFC7636-4.2-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				client := as.ClientFor(target.AuthorizationCode)
				trial := as.ChallengeTrial(client, target.MethodS256)
				if !trial.Accepted {
					servesOtherwise(as, client)
					g.Expect(asks(as, target.S256(as.Verifier()), target.MethodS256)).To(DeliverCode())
				}
				if !trial.Redeemed && !as.ChallengeTrial(client, target.MethodPlain).Redeemed {
					as.TokensBy(target.AuthorizationCode) // control: codes are redeemed in some way
				}
				r := withVerifier(as, as.Verifier())
				if r.IssuesToken() && !trial.Checked {
					as.Inconclusive("a wrong verifier is accepted as well, which another check reports")
				}
				g.Expect(r).To(IssueToken())
			})

		s.Check("plain-compares-equal", suites.Requires("RFC7636-4.2-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				_, trial := plain(as)
				as.TokensBy(target.AuthorizationCode) // control
				verifier := as.Verifier()
				r := redeems(as, as.CodeOf(asks(as, verifier, target.MethodPlain)), verifier)
				if r.IssuesToken() && !trial.Checked {
					as.Inconclusive("a wrong verifier is accepted as well, which another check reports")
				}
				g.Expect(r).To(IssueToken())
			})

		s.Check("challenge-grammar", suites.Requires("RFC7636-4.2-03"), suites.Needs(target.AuthorizationCode, target.PKCE),
			suites.Variants("short", "padded", "standard-alphabet", "empty", "hexadecimal"),
			func(as *target.AS, g Gomega) {
				usual(as)
				for _, probe := range malformedChallenges(as) {
					as.Variant(probe.name, func(g Gomega) {
						a := asks(as, probe.challenge, target.MethodS256)
						if a.Code() == "" {
							return
						}
						r := redeems(as, as.CodeOf(a), probe.verifier)
						switch {
						case probe.lawful != "" && r.IssuesToken():
							as.Note("%s", probe.lawful)
							return
						case !r.IssuesToken():
							as.Note("a code is issued that nobody can redeem")
						}
						g.Expect(r).NotTo(IssueToken())
					})
				}
				as.ControlAgain(target.AuthorizationCode)
			})
	})
}

// servesOtherwise is the control where S256 is refused: the same request without PKCE, or with plain, succeeds.
func servesOtherwise(as *target.AS, client *target.Client) {
	if as.Authorize(target.WithoutPKCE(), target.NoControl()).Code() != "" || as.ChallengeTrial(client, target.MethodPlain).Accepted {
		return
	}
	as.Inconclusive("the authorization request is refused with S256, with plain and without PKCE alike")
}

// malformedChallenge is a code_challenge that no S256 transformation yields, with the verifier that it was made of.
type malformedChallenge struct {
	name, challenge, verifier string
	lawful                    string // what a redeemed code would mean where no sentence of the text forbids it
}

func malformedChallenges(as *target.AS) []malformedChallenge {
	verifier := as.Verifier()
	sum := sha256.Sum256([]byte(verifier))
	marked := verifier
	for !strings.ContainsAny(base64.RawStdEncoding.EncodeToString(digest(marked)), "+/") {
		marked = as.Verifier()
	}
	return []malformedChallenge{
		{"short", as.Random(9), verifier, ""},
		{"padded", base64.URLEncoding.EncodeToString(sum[:]), verifier, ""},
		{"standard-alphabet", base64.RawStdEncoding.EncodeToString(digest(marked)), marked, ""},
		{"empty", "", verifier, "an empty code_challenge counts as omitted (RFC 6749 section 3.1), and the code is redeemed as one without PKCE"},
		{"hexadecimal", hex.EncodeToString(sum[:]), verifier, "the server takes the hash in hexadecimal digits too, which is within the grammar of code_challenge"},
	}
}

func digest(verifier string) []byte {
	sum := sha256.Sum256([]byte(verifier))
	return sum[:]
}
