package rfc9207

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 9207", "3", func(s *suites.S) {
		s.Check("iss-flag-boolean", suites.Requires("RFC9207-3-01"), suites.Needs(target.MetadataDocument),
			func(as *target.AS, g Gomega) {
				for _, doc := range as.Documents() {
					switch announced, there := doc.Members[flag]; {
					case !there:
					case announced == nil:
						as.Note("%s says %s null", doc.URL, flag)
					default:
						g.Expect(announced).To(BeBoolean(), "%s in %s", flag, doc.URL)
					}
				}
			})
	})
}
