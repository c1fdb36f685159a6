package rfc8414

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8414", "2", func(s *suites.S) {
		needs := suites.Needs(target.MetadataDocument)

		s.Check("issuer-url", suites.Requires("RFC8414-2-01"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				g.Expect(doc.Members["issuer"]).To(BeNonEmptyString(), "issuer")
				issuer := doc.String("issuer")
				absoluteURL(as, "issuer", issuer, !development(as))
				g.Expect(issuer).NotTo(ContainSubstring("?"), "issuer")
				g.Expect(issuer).NotTo(ContainSubstring("#"), "issuer")
			}))

		s.Check("authorization-endpoint-published", suites.Requires("RFC8414-2-02"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				published(as, g, doc, "authorization_endpoint", as.Has(target.AuthorizationCode) || as.Has(target.ImplicitGrant),
					target.AuthorizationCode, string(target.Implicit))
			}))

		s.Check("token-endpoint-published", suites.Requires("RFC8414-2-03"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				types, _ := doc.Strings("grant_types_supported")
				types = slices.DeleteFunc(types, func(grant string) bool { return grant == string(target.Implicit) })
				published(as, g, doc, "token_endpoint", as.Has(target.AnyTokenGrant), types...)
			}))

		s.Check("published-endpoints-exist", suites.Requires("RFC8414-2-04"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				for _, e := range endpoints {
					if doc.String(e.member) != "" && urlFault(doc.String(e.member), false) == "" {
						e.exists(as, g, doc)
					}
				}
			}))

		s.Check("jwks-uri-https", suites.Requires("RFC8414-2-05"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				value, there := doc.Members["jwks_uri"]
				switch {
				case !there:
					return
				case urlFault(doc.String("jwks_uri"), false) != "":
					as.Note("jwks_uri is no absolute URL: %s", brief(value))
				case development(as):
					as.Skip("target: https://…", "the target is reached over http, or is this machine")
				}
				g.Expect(strings.ToLower(doc.String("jwks_uri"))).NotTo(HavePrefix("http:"), "jwks_uri")
			}))

		s.Check("jwks-public-keys", suites.Requires("RFC8414-2-06"), needs, onKeys(publicKeys))

		s.Check("jwks-use-told", suites.Requires("RFC8414-2-07"), needs,
			onKeys(func(as *target.AS, g Gomega, r *target.Response) {
				var encryption, without int
				for _, key := range keysOf(as, r) {
					if key["use"] == "enc" {
						encryption++
					} else if key["use"] == nil {
						without++
					}
				}
				if encryption > 0 {
					if without > 0 {
						Violation(as, "use in every key of a set with keys for encryption", "%d keys for encryption, %d keys without use", encryption, without)
					}
				}
			}))

		s.Check("registration-endpoint-url", suites.Requires("RFC8414-2-09"), needs, onURL("registration_endpoint"))

		s.Check("scopes-supported-list", suites.Requires("RFC8414-2-10"), needs,
			onList("scopes_supported", func(as *target.AS, g Gomega, doc *target.Metadata) {
				values, there := doc.Strings("scopes_supported")
				if !there {
					as.Note("%s has no scopes_supported, which is recommended", doc.URL)
				}
				for _, scope := range values {
					g.Expect(scope).To(MatchCharset(NQCHAR), "a value of scopes_supported")
				}
			}))

		s.Check("response-types-supported-list", suites.Requires("RFC8414-2-12"), needs,
			onList("response_types_supported", func(as *target.AS, g Gomega, doc *target.Metadata) {
				switch {
				case doc.Members["response_types_supported"] != nil:
				case doc.Members["authorization_endpoint"] != nil:
					Violation(as, "response_types_supported beside an authorization_endpoint", "the member is missing")
				default:
					as.Note("%s has no response_types_supported, and no authorization endpoint that it would be about", doc.URL)
				}
			}))

		s.Check("unlisted-response-types", suites.Requires("RFC8414-2-13"), suites.Needs(target.MetadataDocument, target.AuthorizationCode),
			suites.Variants(responseTypes...),
			func(as *target.AS, g Gomega) {
				if !slices.ContainsFunc(responseTypes, func(responseType string) bool { return !anyLists(as, responseType) }) {
					as.Skip("", "no document says which response types there are, or every one that could be tried is listed")
				}
				for _, responseType := range responseTypes {
					if !anyLists(as, responseType) {
						as.Variant(responseType, func(g Gomega) { unlistedResponseType(as, g, responseType) })
					}
				}
			})

		s.Check("response-modes-supported-list", suites.Requires("RFC8414-2-14"), needs, onList("response_modes_supported", tryResponseModes))

		s.Check("grant-types-supported-list", suites.Requires("RFC8414-2-15"), needs, onList("grant_types_supported", compareGrants))

		s.Check("token-endpoint-auth-methods-list", suites.Requires("RFC8414-2-16"), needs, suites.Disturbs(suites.Client),
			onList("token_endpoint_auth_methods_supported", compareAuthMethods))

		s.Check("token-endpoint-signing-algs-present", suites.Requires("RFC8414-2-17"), needs, onSigningAlgs("token_endpoint"))

		s.Check("token-endpoint-rs256", suites.Requires("RFC8414-2-18"), needs,
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				if values, ok := list(doc, "token_endpoint_auth_signing_alg_values_supported"); ok && len(values) > 0 {
					g.Expect(values).To(ContainElement("RS256"), "token_endpoint_auth_signing_alg_values_supported")
				}
			}))

		s.Check("token-endpoint-signing-alg-none", suites.Requires("RFC8414-2-19"), needs, withoutNone("token_endpoint"))

		s.Check("service-documentation-url", suites.Requires("RFC8414-2-20"), needs, onURL("service_documentation"))

		s.Check("ui-locales-supported-list", suites.Requires("RFC8414-2-21"), needs,
			onList("ui_locales_supported", func(as *target.AS, g Gomega, doc *target.Metadata) {
				values, _ := doc.Strings("ui_locales_supported")
				for _, tag := range values {
					g.Expect(tag).To(MatchRegexp(languageTag), "a language tag (BCP 47)")
				}
			}))

		s.Check("op-policy-uri-url", suites.Requires("RFC8414-2-22"), needs, onURL("op_policy_uri"))

		s.Check("op-tos-uri-url", suites.Requires("RFC8414-2-24"), needs, onURL("op_tos_uri"))

		s.Check("revocation-endpoint-url", suites.Requires("RFC8414-2-26"), needs, onSideEndpoint("revocation_endpoint", target.RevocationEndpoint))

		s.Check("revocation-endpoint-auth-methods-list", suites.Requires("RFC8414-2-27"), needs,
			onList("revocation_endpoint_auth_methods_supported", unknownMethods("revocation_endpoint_auth_methods_supported")))

		s.Check("revocation-endpoint-signing-algs-present", suites.Requires("RFC8414-2-28"), needs, onSigningAlgs("revocation_endpoint"))

		s.Check("revocation-endpoint-signing-alg-none", suites.Requires("RFC8414-2-29"), needs, withoutNone("revocation_endpoint"))

		s.Check("introspection-endpoint-url", suites.Requires("RFC8414-2-30"), needs,
			onSideEndpoint("introspection_endpoint", target.IntrospectionEndpoint))

		s.Check("introspection-endpoint-auth-methods-list", suites.Requires("RFC8414-2-31"), needs,
			onList("introspection_endpoint_auth_methods_supported", nil))

		s.Check("introspection-endpoint-signing-algs-present", suites.Requires("RFC8414-2-32"), needs, onSigningAlgs("introspection_endpoint"))

		s.Check("introspection-endpoint-signing-alg-none", suites.Requires("RFC8414-2-33"), needs, withoutNone("introspection_endpoint"))

		s.Check("code-challenge-methods-list", suites.Requires("RFC8414-2-34"), needs, onList("code_challenge_methods_supported", compareChallengeMethods))
	})
}

// languageTag is the form of BCP 47 tags as far as their grammar goes: subtags of one to eight letters and digits, the first of letters.
const languageTag = `^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`

// published judges an endpoint that has to be in the document if a grant uses it. works says that such a grant was seen to work.
func published(as *target.AS, g Gomega, doc *target.Metadata, member string, works bool, grants ...string) {
	value, there := doc.Members[member]
	if there {
		g.Expect(value).To(BeNonEmptyString(), "%s", member)
		absoluteURL(as, member, doc.String(member), false)
		g.Expect(doc.String(member)).NotTo(ContainSubstring("#"), "%s", member)
		return
	}
	types, told := doc.Strings("grant_types_supported")
	used := slices.ContainsFunc(grants, func(grant string) bool { return slices.Contains(types, grant) })
	switch {
	case works:
		Violation(as, member+", which a grant uses that works", "the member is missing")
	case used && told:
		Violation(as, member+", which a listed grant uses", "the member is missing, and grant_types_supported is %s", brief(types))
	case used:
		as.Note("%s is missing, and so is grant_types_supported, whose default has a grant that uses it", member)
	}
}

// onSigningAlgs judges that the algorithms for client assertions are told where a method that uses them is listed.
func onSigningAlgs(endpoint string) suites.Body {
	return onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
		methods, algs := endpoint+"_auth_methods_supported", endpoint+"_auth_signing_alg_values_supported"
		if !listed(doc, methods, target.PrivateKeyJWT) && !listed(doc, methods, string(target.SecretJWT)) || doc.Members[algs] != nil {
			return
		}
		if doc.OpenID && endpoint == "token_endpoint" {
			as.Note("%s lists a method with JWTs and has no %s, which is optional in OpenID Connect Discovery 1.0", doc.URL, algs)
			return
		}
		Violation(as, algs+" beside a method with JWTs", "the member is missing, and %s is %s", methods, brief(doc.Members[methods]))
	})
}

// withoutNone judges that unsigned client assertions are not announced.
func withoutNone(endpoint string) suites.Body {
	member := endpoint + "_auth_signing_alg_values_supported"
	return onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
		values, _ := doc.Strings(member)
		g.Expect(values).NotTo(ContainElement("none"), "%s", member)
	})
}

// registeredMethods are the client authentication methods of the IANA registry.
var registeredMethods = []string{"none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth",
	"self_signed_tls_client_auth"}

// unknownMethods notes client authentication methods that are not registered.
func unknownMethods(member string) func(*target.AS, Gomega, *target.Metadata) {
	return func(as *target.AS, g Gomega, doc *target.Metadata) {
		if values, there := doc.Strings(member); there {
			for _, method := range values {
				if !slices.Contains(registeredMethods, method) {
					as.Note("%s lists %q, which is no registered method", member, method)
				}
			}
		}
	}
}
