package rfc8414

import (
	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
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

		s.Check("metadata-cipher-suite", suites.Requires("RFC8414-6.1-04"), suites.Needs(target.MetadataDocument, target.TLS),
			func(as *target.AS, g Gomega) {
				r := fetch(as, as.Endpoint(target.MetadataEndpoint))
				if r.TLS == nil {
					as.Inconclusive("the document did not come over TLS: %s", DescribeResponse(r))
				}
				g.Expect(weak).NotTo(ContainElement(r.TLS.CipherSuite), "cipher suite without encryption or authentication")
			})
	})
}

// weak are cipher suites without encryption, without authentication, or of export strength. Go's client offers none of them, so that a
// server that insists on one cannot be reached at all.
var weak = []uint16{
	0x0000, 0x0001, 0x0002, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010, // NULL
	0x0018, 0x001b, 0x0034, 0x003a, 0x006c, 0x006d, 0x00a6, 0x00a7, 0xc016, 0xc017, 0xc018, 0xc019, // anonymous
	0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0017, 0x0019, // export
}
