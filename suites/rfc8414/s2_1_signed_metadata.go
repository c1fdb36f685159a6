package rfc8414

import (
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8414", "2.1", func(s *suites.S) {
		needs := suites.Needs(target.MetadataDocument)

		s.Check("signed-metadata-signature", suites.Requires("RFC8414-2.1-02"), needs,
			onSignedMetadata(func(as *target.AS, g Gomega, doc *target.Metadata, statement string) {
				header := target.JWTHeader(statement)
				g.Expect(header).NotTo(BeNil(), "signed_metadata is a JWS in compact form")
				g.Expect(header["alg"]).To(BeNonEmptyString(), "alg of signed_metadata")
				g.Expect(strings.ToLower(header["alg"].(string))).NotTo(Equal("none"), "alg of signed_metadata")
				signedByPublishedKey(as, doc, statement)
			}))

		s.Check("signed-metadata-issuer", suites.Requires("RFC8414-2.1-03"), needs,
			onSignedClaims(func(as *target.AS, g Gomega, claims map[string]any) {
				g.Expect(claims["iss"]).To(BeNonEmptyString(), "iss of signed_metadata")
			}))

		s.Check("signed-metadata-not-nested", suites.Requires("RFC8414-2.1-04"), needs,
			onSignedClaims(func(as *target.AS, g Gomega, claims map[string]any) {
				g.Expect(claims).NotTo(HaveKey("signed_metadata"), "claims of signed_metadata")
			}))

		s.Check("signed-metadata-string", suites.Requires("RFC8414-2.1-05"), needs,
			func(as *target.AS, g Gomega) {
				found := false
				for _, doc := range as.Documents() {
					if value, there := doc.Members["signed_metadata"]; there {
						found = true
						g.Expect(value).To(BeNonEmptyString(), "signed_metadata in %s", doc.URL)
					}
				}
				if !found {
					as.Skip("", "no document has signed_metadata")
				}
			})
	})
}

// onSignedMetadata judges the signed statement of every document that has one.
func onSignedMetadata(judge func(as *target.AS, g Gomega, doc *target.Metadata, statement string)) suites.Body {
	return func(as *target.AS, g Gomega) {
		found := false
		for _, doc := range as.Documents() {
			if value, there := doc.Members["signed_metadata"]; there {
				found = true
				as.Variant(variant(doc), func(g Gomega) {
					statement, ok := value.(string)
					if !ok {
						as.Inconclusive("signed_metadata is no string, which another check reports")
					}
					judge(as, g, doc, statement)
				})
			}
		}
		if !found {
			as.Skip("", "no document has signed_metadata")
		}
	}
}

// onSignedClaims judges the claims of every signed statement.
func onSignedClaims(judge func(as *target.AS, g Gomega, claims map[string]any)) suites.Body {
	return onSignedMetadata(func(as *target.AS, g Gomega, _ *target.Metadata, statement string) {
		claims := target.JWTClaims(statement)
		if claims == nil {
			as.Inconclusive("signed_metadata cannot be read, which another check reports")
		}
		judge(as, g, claims)
	})
}

// asymmetric are the algorithms that a published key can verify.
var asymmetric = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// signedByPublishedKey judges the signature where the key is at hand: the statement is the server's own, and its kid is in the key set.
func signedByPublishedKey(as *target.AS, doc *target.Metadata, statement string) {
	signed, err := jose.ParseSignedCompact(statement, asymmetric)
	if err != nil {
		as.Note("the signature of signed_metadata is not verified: %v", err)
		return
	}
	claims := target.JWTClaims(statement)
	if claims["iss"] != doc.String("issuer") || doc.String("jwks_uri") == "" {
		as.Note("signed_metadata is attested by %v, whose keys are not known", claims["iss"])
		return
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(fetch(as, doc.String("jwks_uri")).Body, &set); err != nil {
		as.Inconclusive("the key set cannot be read: %v", err)
	}
	keys := set.Key(signed.Signatures[0].Header.KeyID)
	if len(keys) == 0 {
		as.Note("no published key has the kid %q of signed_metadata", signed.Signatures[0].Header.KeyID)
		return
	}
	for _, key := range keys {
		if _, err := signed.Verify(key); err == nil {
			return
		}
	}
	Violation(as, "a signature of signed_metadata that the published key verifies", "with the key %q it does not verify", signed.Signatures[0].Header.KeyID)
}
