package rfc8693

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8693", "2.1.1", func(s *suites.S) {
		s.Check("every-target-served", suites.Requires("RFC8693-2.1.1-01"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				every := slices.Concat(audiences(as), resources(as))
				a, b := two(as, every, slices.Concat(resources(as), audiences(as)), "token_exchange: {audience: [one, two]}")
				one, another := twoScopes(as)
				r := exchange(as, at(a, b), target.Set("scope", one+" "+another))
				if !r.IssuesToken() {
					as.Note("two targets and two scope values together are refused: %s", DescribeResponse(r))
					return
				}
				aud := audience(visible(as, r.String("access_token")))
				if aud == nil {
					as.Skip("introspection: {client: primary}", "the token's audience cannot be seen")
				}
				lost, known := missing(as, aud, a, b)
				if !known {
					as.Note("for %s and %s the token has the audience %q", a.value, b.value, aud)
					return
				}
				g.Expect(strings.Join(lost, ", ")).To(BeEmpty(), "asked for, and missing in the token's audience %q", aud)
			})
	})
}
