package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// What RFC 7636 allows a server to do.
func TestAcceptsPKCE(t *testing.T) {
	type m = map[string]any
	skipped := []reports.Verdict{reports.Skip}
	accept(t,
		permitted{name: "plain-beside-s256", setup: m{"pkce": m{"methods": []any{"S256", "plain"}}},
			checks: []string{"rfc7636/plain-compares-equal", "rfc7636/plain-wrong-*", "rfc7636/plain-challenge-not-in-code", "rfc7636/default-method-plain",
				"rfc7636/challenge-*", "rfc8414/code-challenge-methods-list"}},
		permitted{name: "required-of-all", setup: m{"pkce": m{"required": "all"}, "target": m{"declares": m{"pkce": "required"}}}},
		permitted{name: "required-of-all-is-judged", setup: m{"pkce": m{"required": "all"}, "target": m{"declares": m{"pkce": "required"}}},
			checks: []string{"rfc7636/pkce-required", "rfc7636/pkce-required-explained"}},
		permitted{name: "required-shown-on-a-page", setup: m{"target": m{"declares": m{"pkce": "required-of-public"}}},
			checks: []string{"rfc7636/pkce-required"}, do: `{at: authorize.pkce.required, refuse: {page: true}}`},
		permitted{name: "optional", setup: m{"pkce": m{"required": "none"}, "target": m{"declares": m{"pkce": "optional"}}}},
		permitted{name: "optional-is-judged", setup: m{"pkce": m{"required": "none"}, "target": m{"declares": m{"pkce": "optional"}}},
			checks: []string{"rfc7636/clients-without-pkce-served"}},
		permitted{name: "unsupported", setup: m{"pkce": m{"required": "none", "methods": []any{}}, "target": m{"declares": m{"pkce": "unsupported"}}}},
		permitted{name: "unsupported-is-judged", setup: m{"pkce": m{"required": "none", "methods": []any{}}, "target": m{"declares": m{"pkce": "unsupported"}}},
			checks: []string{"rfc7636/pkce-unsupported-ignored"}},
		permitted{name: "unsupported-and-undeclared", setup: m{"pkce": m{"required": "none", "methods": []any{}}},
			checks: []string{"rfc7636/verifier-required", "rfc7636/wrong-verifier-refused", "rfc7636/s256-supported"}, verdicts: skipped},
		permitted{name: "missing-verifier-is-invalid-request", checks: []string{"rfc7636/verifier-required"},
			do: `{at: token.authorization_code.code_verifier.required, refuse: {error: invalid_request}}`},
		permitted{name: "malformed-verifier-is-invalid-request", checks: []string{"rfc7636/verifier-grammar", "rfc7636/wrong-verifier-error"},
			do: `{at: token.authorization_code.code_verifier.syntax, refuse: {error: invalid_request}}`},
		permitted{name: "unknown-method-shown-on-a-page", checks: []string{"rfc7636/unknown-method-refused", "rfc7636/method-names-exact", "rfc7636/default-method-plain"},
			do: `{at: authorize.pkce.method, refuse: {page: true}}`},
		permitted{name: "unknown-method-page-needs-no-error-uri", checks: []string{"rfc7636/unknown-method-explained"}, verdicts: skipped,
			do: `{at: authorize.pkce.method, refuse: {page: true}}`},
		permitted{name: "unknown-method-explained-by-uri", checks: []string{"rfc7636/unknown-method-explained"},
			do: `{at: authorize.error, params: {remove: [error_description], set: {error_uri: "https://mock.test/errors#pkce"}}}`},
		permitted{name: "malformed-challenge-shown-on-a-page", checks: []string{"rfc7636/challenge-grammar"},
			do: `{at: authorize.pkce.challenge_syntax, refuse: {page: true}}`},
		permitted{name: "malformed-challenge-that-nobody-redeems", checks: []string{"rfc7636/challenge-grammar"},
			do: `{at: authorize.pkce.challenge_syntax, skip: true}`},
		permitted{name: "s256-in-lower-case-is-s256", checks: []string{"rfc7636/method-names-exact"},
			do: `{at: authorize.pkce.method, mode: case-insensitive}`},
	)
}
