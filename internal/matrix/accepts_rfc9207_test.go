package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// What RFC 9207 leaves to a server.
func TestAcceptsIssuerIdentification(t *testing.T) {
	type m = map[string]any
	silence := `{at: metadata.response, members: {remove: [authorization_response_iss_parameter_supported]}},
		{at: openid_configuration.response, members: {remove: [authorization_response_iss_parameter_supported]}}`
	accept(t,
		permitted{name: "not-implemented", setup: m{"iss_parameter": false}},
		permitted{name: "not-implemented-is-not-judged", setup: m{"iss_parameter": false}, verdicts: []reports.Verdict{reports.Skip},
			checks: []string{"rfc9207/iss-in-*", "rfc9207/iss-is-issuer", "rfc9207/iss-https-url", "rfc9207/iss-where-the-response-is", "rfc9207/iss-form-encoded",
				"rfc9207/issuer-published", "rfc9207/iss-announced"}},
		permitted{name: "not-implemented-and-prompt-none-fails", setup: m{"iss_parameter": false}, verdicts: []reports.Verdict{reports.Skip},
			checks: []string{"rfc9207/iss-in-*", "rfc9207/iss-is-issuer", "rfc9207/issuer-published", "rfc9207/iss-announced"},
			do:     `{at: authorize.login, when: {present: [prompt]}, refuse: {error: server_error, status: 500, page: true}}`},
		permitted{name: "unannounced", checks: []string{"rfc9207/iss-in-*", "rfc9207/iss-is-issuer", "rfc9207/iss-announced", "rfc9207/iss-flag-boolean"},
			do: `[` + silence + `]`},
		permitted{name: "unannounced-and-on-success-only", checks: []string{"rfc9207/iss-in-*"},
			do: `[` + silence + `, {at: authorize.error, params: {remove: [iss]}}]`},
		permitted{name: "unannounced-and-on-errors-only", checks: []string{"rfc9207/iss-in-*"},
			do: `[` + silence + `, {at: authorize.response, params: {remove: [iss]}}]`},
		permitted{name: "announced-in-one-document", checks: []string{"rfc9207/iss-announced", "rfc9207/iss-flag-boolean"},
			do: `{at: openid_configuration.response, members: {remove: [authorization_response_iss_parameter_supported]}}`},
		permitted{name: "written-without-percent", checks: []string{"rfc9207/iss-form-encoded", "rfc9207/iss-is-issuer"},
			do: `{at: authorize.response, escape: {iss: raw}}`},
		permitted{name: "id-token-in-its-place", setup: m{"hybrid": true}, checks: []string{"rfc9207/iss-equals-id-token"},
			do: `{at: authorize.response, when: {response_type: "code id_token"}, params: {remove: [iss]}}`},
		permitted{name: "no-error-redirects-with-a-page", checks: []string{"rfc9207/iss-in-success-response"},
			do: `{at: authorize.error, via: page}`},
	)
}
