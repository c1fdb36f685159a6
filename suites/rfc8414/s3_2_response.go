package rfc8414

import (
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8414", "3.2", func(s *suites.S) {
		needs := suites.Needs(target.MetadataDocument)

		s.Check("metadata-status", suites.Requires("RFC8414-3.2-01"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				r := fetch(as, doc.URL)
				if r.Status/100 == 3 || r.Status == 203 {
					as.Note("%s is answered with status %d", doc.URL, r.Status)
					return
				}
				if !isDocument(r) {
					as.Inconclusive("the document is no longer there: %s", DescribeResponse(r))
				}
				g.Expect(r).To(HaveStatus(200))
			}))

		s.Check("metadata-json", suites.Requires("RFC8414-3.2-02"), needs,
			func(as *target.AS, g Gomega) {
				for _, doc := range as.Documents() {
					as.Variant(variant(doc), func(g Gomega) { jsonDocument(as, g, fetch(as, doc.URL)) })
				}
				if as.Issuer() == "" || !as.Documents()[0].OpenID {
					return
				}
				// What is no JSON object was not taken for a document.
				if r := fetch(as, inserted(as.Issuer(), oauthSuffix)); r.Status == 200 && r.ContentType() == "application/json" && !isDocument(r) {
					as.Variant("oauth-authorization-server", func(g Gomega) { jsonDocument(as, g, r) })
				}
			})

		s.Check("other-lists-are-arrays", suites.Requires("RFC8414-3.2-04"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				for _, endpoint := range []string{"token", "revocation", "introspection"} {
					isList(g, doc, endpoint+"_endpoint_auth_signing_alg_values_supported")
				}
				for _, member := range openidLists {
					if value := doc.Members[member]; value != nil {
						if _, ok := value.([]any); !ok {
							as.Note("%s, a list of OpenID Connect Discovery 1.0, is no array: %s", member, brief(value))
						}
					}
				}
			}))

		s.Check("no-empty-arrays", suites.Requires("RFC8414-3.2-05"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				for _, member := range lists() {
					values, ok := list(doc, member)
					switch {
					case ok && len(values) == 0 && member == "response_types_supported" && doc.Members["authorization_endpoint"] == nil:
						as.Note("response_types_supported is empty: the member is required, and there is nothing to list")
					case ok:
						g.Expect(values).NotTo(BeEmpty(), "%s", member)
					case doc.Members[member] == nil && has(doc, member):
						as.Note("%s says %s null in place of leaving it out", doc.URL, member)
					}
				}
			}))

		s.Check("unknown-issuer-refused", suites.Requires("RFC8414-3.2-06"), needs,
			func(as *target.AS, g Gomega) {
				origin, _, _ := strings.Cut(claims(as)[0].URL, "/.well-known/")
				place := inserted(origin+"/oauthcheck-no-such-issuer", oauthSuffix)
				switch r := fetch(as, place); {
				case isDocument(r) && strings.HasSuffix(issuerOf(r), "/oauthcheck-no-such-issuer"):
					as.Note("%s, the place of an issuer that nobody set up, has a document whose issuer is made up from the path", place)
				case isDocument(r):
					as.Note("%s, the place of an issuer that nobody set up, has the document of %s", place, issuerOf(r))
				case r.Status/100 == 2:
					as.Note("%s, the place of an issuer that nobody set up, is answered %s", place, DescribeResponse(r))
				}
			})
	})

	suites.Section("RFC 8414", "3.3", func(s *suites.S) {
		s.Check("issuer-matches-location", suites.Requires("RFC8414-3.3-01"), suites.Needs(target.MetadataDocument),
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) { issuerMatches(as, g, doc) }))
	})
}

// openidLists are the members with several values that OpenID Connect Discovery 1.0 alone defines.
var openidLists = []string{"acr_values_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
	"id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported", "userinfo_signing_alg_values_supported",
	"userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported", "request_object_signing_alg_values_supported",
	"request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported", "display_values_supported",
	"claim_types_supported", "claims_supported", "claims_locales_supported"}

// lists are the members with several values of both texts.
func lists() []string {
	own := []string{"scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported", "ui_locales_supported",
		"code_challenge_methods_supported"}
	for _, endpoint := range []string{"token", "revocation", "introspection"} {
		own = append(own, endpoint+"_endpoint_auth_methods_supported", endpoint+"_endpoint_auth_signing_alg_values_supported")
	}
	return append(own, openidLists...)
}

func has(doc *target.Metadata, member string) bool {
	_, there := doc.Members[member]
	return there
}

func issuerOf(r *target.Response) string {
	members, _ := r.RawJSON()
	issuer, _ := members["issuer"].(string)
	return issuer
}

// jsonDocument judges the form of a document's response.
func jsonDocument(as *target.AS, g Gomega, r *target.Response) {
	if r.Status/100 != 2 {
		as.Inconclusive("the document is not answered here: %s", DescribeResponse(r))
	}
	g.Expect(r).To(HaveMediaType("application/json"))
	g.Expect(r).To(BeJSONObject())
	if twice := r.DuplicateMembers(); len(twice) > 0 {
		as.Note("members that occur twice: %s", strings.Join(twice, ", "))
	}
}

// issuerMatches judges that the issuer of a document is the one whose location the document is at. A target URL alone does not tell which
// spelling of it is the issuer: a final slash leaves the location as it is.
func issuerMatches(as *target.AS, g Gomega, doc *target.Metadata) {
	issuer := doc.String("issuer")
	suffix, before, after := split(doc.URL)
	given := as.Config().Target
	switch {
	case issuer == "":
		as.Inconclusive("the document names no issuer, which another check reports")
	case suffix == "":
		as.Skip("", "the document is at no well-known place that an issuer could be made out from")
	case issuer == given:
		return
	}
	origin, _, _ := strings.Cut(doc.URL, before+suffix)
	located := strings.TrimRight(origin+before+after, "/")
	switch {
	case confirmed(as) == given:
		g.Expect(issuer).To(Equal(given), "issuer of %s; the server itself names the given one in tokens or responses", doc.URL)
	case strings.TrimRight(issuer, "/") == located:
		if strings.TrimRight(given, "/") == located {
			as.Note("the issuer is %q, the target was given as %q: they differ by the final slash", issuer, given)
		}
	case isDocumentOf(as, issuer):
		as.Note("the issuer is %q, whose own document says the same: the target %q is an alias", issuer, given)
	default:
		g.Expect(issuer).To(Equal(located), "issuer of %s, which is not served at the place of that issuer either", doc.URL)
	}
}

// isDocumentOf reports whether an issuer's own location has a document with that issuer.
func isDocumentOf(as *target.AS, issuer string) bool {
	for _, place := range []string{inserted(issuer, oauthSuffix), strings.TrimRight(issuer, "/") + openidSuffix} {
		if urlFault(place, false) != "" {
			continue
		}
		r := fetch(as, place, target.AnyStatus())
		switch {
		case r.Err != nil:
			as.Inconclusive("whether the issuer %q has this document at its own place cannot be seen from here: %v", issuer, r.Err)
		case issuerOf(r) == issuer:
			return true
		}
	}
	return false
}

// confirmed is how the server names itself elsewhere: the iss of an authorization response (RFC 9207), else of an ID token; "" if nowhere.
func confirmed(as *target.AS) string {
	if !as.Has(target.AuthorizationCode) {
		return ""
	}
	tokens := as.TokensBy(target.AuthorizationCode)
	if tokens.Code != nil && tokens.Code.Authorization != nil {
		if iss := tokens.Code.Authorization.Param("iss"); iss != "" {
			return iss
		}
	}
	iss, _ := target.JWTClaims(tokens.IDToken)["iss"].(string)
	return iss
}
