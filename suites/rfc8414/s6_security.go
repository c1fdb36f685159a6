package rfc8414

import (
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8414", "6.1", func(s *suites.S) {
		s.Check("metadata-tls", suites.Requires("RFC8414-6.1-02"), suites.Needs(target.MetadataDocument, target.TLS),
			func(as *target.AS, g Gomega) {
				if as.Handshake(target.MetadataEndpoint, target.TLS12, target.TLS12) == nil {
					return
				}
				g.Expect(as.Handshake(target.MetadataEndpoint, target.TLS13, target.TLS13)).To(Succeed())
				as.Note("the server speaks TLS 1.3 only")
			})
	})
}
