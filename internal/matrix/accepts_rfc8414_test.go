package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// What RFC 8414 and OpenID Connect Discovery allow metadata to be.
func TestAcceptsMetadata(t *testing.T) {
	type m = map[string]any
	skipped := []reports.Verdict{reports.Skip}
	both := func(op string) string {
		return `[{at: metadata.response, ` + op + `}, {at: openid_configuration.response, ` + op + `}]`
	}
	accept(t,
		permitted{name: "no-openid-document", setup: m{"openid": false}},
		permitted{name: "no-oauth-document", do: `{at: metadata.location, mode: nowhere}`},
		permitted{name: "no-oauth-document-no-claim", do: `{at: metadata.location, mode: nowhere}`,
			checks: []string{"rfc8414/metadata-location", "rfc8414/unknown-issuer-refused"}, verdicts: skipped},
		permitted{name: "no-document-at-all", checks: []string{"rfc8414"}, verdicts: skipped,
			setup: m{"target": m{"endpoints": m{"authorization": "/authorize", "token": "/token"}}},
			do:    `[{at: metadata.location, mode: nowhere}, {at: openid_configuration.location, mode: nowhere}]`},
		permitted{name: "issuer-with-path", setup: m{"issuer": "http://mock.test/tenant"}},
		permitted{name: "issuer-with-path-openid-appended", setup: m{"issuer": "http://mock.test/tenant"}, do: `{at: openid_configuration.location, mode: appended}`},
		permitted{name: "https", setup: m{"issuer": "https://mock.test"}},
		permitted{name: "https-is-judged", setup: m{"issuer": "https://mock.test"},
			checks: []string{"rfc8414/issuer-url", "rfc8414/jwks-uri-https", "rfc8414/issuer-matches-location", "rfc9207/iss-https-url"}},
		permitted{name: "target-with-slash", setup: m{"target": m{"target": "http://mock.test/"}}},
		permitted{name: "target-with-slash-and-path", setup: m{"issuer": "http://mock.test/tenant", "target": m{"target": "http://mock.test/tenant/"}}},
		permitted{name: "target-is-the-document", setup: m{"target": m{"target": "http://mock.test/.well-known/oauth-authorization-server"}},
			checks: []string{"rfc8414/issuer-matches-location", "rfc8414/metadata-location"}},
		permitted{name: "client-credentials-only", setup: m{"grants": []any{"client_credentials"}, "implicit": false}},
		permitted{name: "no-response-types-without-authorization-endpoint", setup: m{"grants": []any{"client_credentials"}, "implicit": false},
			checks: []string{"rfc8414/response-types-supported-list", "rfc8414/authorization-endpoint-published", "rfc8414/no-empty-arrays"},
			do:     both(`members: {remove: [response_types_supported]}`)},
		permitted{name: "empty-response-types-without-authorization-endpoint", setup: m{"grants": []any{"client_credentials"}, "implicit": false},
			checks: []string{"rfc8414/response-types-supported-list", "rfc8414/no-empty-arrays"},
			do:     both(`members: {set: {response_types_supported: []}}`)},
		permitted{name: "defaults", checks: []string{"rfc8414"}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip},
			do: both(`members: {remove: [grant_types_supported, response_modes_supported, token_endpoint_auth_methods_supported, scopes_supported,
				revocation_endpoint_auth_methods_supported, introspection_endpoint_auth_methods_supported]}`)},
		permitted{name: "more-members", checks: []string{"rfc8414"}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip},
			do: both(`members: {set: {mtls_endpoint_aliases: {token_endpoint: "https://mtls.mock.test/token"}, require_signed_request_object: false,
				protected_resources: ["https://api.example"], ui_locales_supported: [de, en-GB, zh-Hant-TW], op_policy_uri: "https://mock.test/policy",
				op_tos_uri: "https://mock.test/tos", service_documentation: "http://mock.test/manual",
				introspection_endpoint_auth_methods_supported: [client_secret_basic, Bearer, DPoP],
				token_endpoint_auth_signing_alg_values_supported: [RS256, ES256], acr_values_supported: ["1"]}}`)},
		permitted{name: "null-members", checks: []string{"rfc8414"}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip},
			do: both(`members: {set: {ui_locales_supported: null, acr_values_supported: null}}`)},
		permitted{name: "media-type-with-parameters", checks: []string{"rfc8414/metadata-json"},
			do: both(`content_type: "Application/JSON; charset=utf-8"`)},
		permitted{name: "jwk-set-media-type", checks: []string{"rfc8414/jwks-public-keys", "rfc8414/jwks-use-told"},
			do: `{at: jwks.response, content_type: application/jwk-set+json}`},
		permitted{name: "jwks-empty", checks: []string{"rfc8414/jwks-public-keys", "rfc8414/jwks-use-told"}, do: `{at: jwks.keys, mode: none}`},
		permitted{name: "jwks-encryption-key-with-use", checks: []string{"rfc8414/jwks-use-told"}, do: `{at: jwks.keys, mode: encryption}`},
		permitted{name: "jwks-without-use", checks: []string{"rfc8414/jwks-use-told"}, do: `{at: jwks.response, members: {remove: [/keys/*/use]}}`},
		permitted{name: "pkce-silent-and-not-demanded", setup: m{"pkce": m{"required": "none"}}, checks: []string{"rfc8414/code-challenge-methods-list"},
			do: both(`members: {remove: [code_challenge_methods_supported]}`)},
		permitted{name: "pkce-silent-in-openid-document-only", checks: []string{"rfc8414/code-challenge-methods-list"},
			do: `{at: openid_configuration.response, members: {remove: [code_challenge_methods_supported]}}`},
		permitted{name: "signing-algs-missing-in-openid-document", checks: []string{"rfc8414/token-endpoint-signing-algs-present"},
			do: `{at: openid_configuration.response, members: {set: {token_endpoint_auth_methods_supported: [private_key_jwt]}, remove: [token_endpoint_auth_signing_alg_values_supported]}}`},
		permitted{name: "signed-metadata-of-a-third-party", checks: []string{"rfc8414/signed-metadata-*"},
			do: `{at: metadata.response, members: {set: {signed_metadata: eyJhbGciOiJSUzI1NiIsImtpZCI6InRoaXJkIn0.eyJpc3MiOiJodHRwczovL3RoaXJkLmV4YW1wbGUifQ.c2ln}}}`},
		permitted{name: "endpoints-hidden-from-strangers", checks: []string{"rfc8414/revocation-endpoint-url", "rfc8414/introspection-endpoint-url"},
			do: `[{at: revocation.client_authentication.identified, refuse: {status: 404}}, {at: introspection.client_authentication.identified, refuse: {status: 403}}]`},
		permitted{name: "token-endpoint-hidden-from-strangers", checks: []string{"rfc8414/published-endpoints-exist"},
			do: `{at: token.client_authentication.identified, refuse: {status: 404}}`},
		permitted{name: "unknown-issuers-answered", checks: []string{"rfc8414/unknown-issuer-refused"}, do: `{at: metadata.location, mode: any-issuer}`},
		permitted{name: "hybrid", setup: m{"hybrid": true}},
	)
}
