package rfc6749

import (
	"net/url"

	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "8.1", func(s *suites.S) {
		s.Check("token-type-characters", suites.Requires("RFC6749-8.1-02"), suites.Needs(target.AnyTokenGrant),
			onTokenResponses(func(as *target.AS, g Gomega, r *target.Response) {
				tokenType := r.String("token_type")
				if tokenType == "" {
					as.Inconclusive("token_type is absent, which another check reports")
				}
				if !isAbsoluteURI(tokenType) {
					g.Expect(tokenType).To(MatchRegexp(`^[A-Za-z0-9._-]+$`))
				}
			}))
	})

	suites.Section("RFC 6749", "8.2", func(s *suites.S) {
		s.Check("response-parameter-names", suites.Requires("RFC6749-8.2-01"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, sample := range as.TokenResponses() {
					as.Variant(sample.Name, func(g Gomega) {
						members, err := sample.Response.JSON()
						if err != nil {
							as.Inconclusive("%v", err)
						}
						for name := range members {
							g.Expect(name).To(MatchRegexp(`^[A-Za-z0-9._-]+$`))
						}
					})
				}
				if as.Has(target.AuthorizationCode) {
					as.Variant("redirect", func(g Gomega) {
						a := as.Authorize()
						own, _ := url.Parse(as.ClientFor(target.AuthorizationCode).RedirectURIs[0])
						for name := range a.Params() {
							if own == nil || !own.Query().Has(name) {
								g.Expect(name).To(MatchRegexp(`^[A-Za-z0-9._-]+$`))
							}
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "8.4", func(s *suites.S) {
		s.Check("response-type-names", suites.Requires("RFC6749-8.4-01"), suites.Needs(target.MetadataDocument),
			func(as *target.AS, g Gomega) {
				types, listed := as.Metadata().Strings("response_types_supported")
				if !listed {
					as.Inconclusive("the metadata has no list response_types_supported")
				}
				for _, t := range types {
					g.Expect(t).To(MatchRegexp(`^[A-Za-z0-9_]+( [A-Za-z0-9_]+)*$`))
				}
			})
	})
}
