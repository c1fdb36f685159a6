package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// What RFC 6750 and HTTP allow the challenge of a protected resource to look like.
func TestAcceptsChallenges(t *testing.T) {
	challenges := []string{"rfc6750/challenge-*"}
	answer := func(errorCode, value string) string {
		return `{at: resource.challenge, when: {error: ` + errorCode + `}, value: '` + value + `'}`
	}
	accept(t,
		permitted{name: "token-form-values", checks: []string{"rfc6750/challenge-*", "rfc6750/invalid-token-code"},
			do: answer("invalid_token", `Bearer error=invalid_token`)},
		permitted{name: "blanks-around-the-equals-sign-and-empty-elements", checks: []string{"rfc6750/challenge-well-formed", "rfc6750/challenge-error-present"},
			do: answer("invalid_token", `Bearer realm = "mock provider" , , error = "invalid_token"`)},
		permitted{name: "scheme-in-lower-case", checks: []string{"rfc6750/challenge-scheme-bearer", "rfc6750/challenge-error-present", "rfc6750/invalid-token-code"},
			do: `{at: resource.challenge, scheme: bearer}`},
		permitted{name: "dpop-before-bearer-in-one-field", checks: []string{"rfc6750/challenge-*", "rfc6750/invalid-token-*"},
			do: answer("invalid_token", `DPoP algs="ES256 PS256", Bearer realm="mock provider", error="invalid_token"`)},
		permitted{name: "dpop-in-a-field-of-its-own", checks: challenges,
			do: `{at: resource.error, when: {error: invalid_token}, header: {add: {WWW-Authenticate: 'DPoP algs="ES256", error="invalid_token"'}}}`},
		permitted{name: "basic-beside-bearer", checks: challenges,
			do: `{at: resource.error, header: {add: {WWW-Authenticate: 'Basic realm="old clients"'}}}`},
		permitted{name: "negotiate-beside-bearer", checks: challenges, do: `{at: resource.error, header: {add: {WWW-Authenticate: Negotiate}}}`},
		permitted{name: "no-realm", checks: challenges, do: `{at: resource.challenge, when: {error: invalid_token}, params: {remove: [realm]}}`},
		permitted{name: "empty-realm", checks: challenges, do: `{at: resource.challenge, params: {set: {realm: ""}}}`},
		permitted{name: "realm-with-quoted-pairs", checks: challenges, do: answer("invalid_token", `Bearer realm="the \"mock\" provider", error="invalid_token"`)},
		permitted{name: "parameters-of-extensions", checks: challenges,
			do: `{at: resource.challenge, params: {set: {resource_metadata: "https://mock.test/.well-known/oauth-protected-resource", authorization_uri: "https://mock.test/authorize", client_id: "00000003-0000"}}}`},
		permitted{name: "one-scope", checks: challenges, do: `{at: resource.challenge, params: {set: {scope: read}}}`},
		permitted{name: "scope-values-that-are-uris", checks: challenges,
			do: `{at: resource.challenge, params: {set: {scope: "https://api.example/auth/read;v=1 urn:example:write,all"}}}`},
		permitted{name: "scope-values-with-commas-in-them", checks: []string{"rfc6750/challenge-scope-list"}, do: `{at: resource.challenge, params: {set: {scope: "a,b c|d"}}}`},
		permitted{name: "error-uri", checks: challenges,
			do: `{at: resource.challenge, when: {error: invalid_token}, params: {set: {error_uri: "https://mock.test/errors?code=invalid_token#more"}}}`},
		permitted{name: "an-extension's-error-code", checks: []string{"rfc6750/resource-error-code-known"},
			do: `{at: resource.challenge, when: {refused_by: resource.token.syntax}, params: {replace: {error: insufficient_user_authentication}}}`},
		permitted{name: "a-vendor's-error-code-is-noted", checks: []string{"rfc6750/resource-error-code-known"}, verdicts: []reports.Verdict{reports.Note},
			do: `{at: resource.challenge, when: {refused_by: resource.token.syntax}, params: {replace: {error: vendor_says_no}}}`},
	)
}

// How RFC 6750 lets a protected resource refuse.
func TestAcceptsRefusalsOfAResource(t *testing.T) {
	note := []reports.Verdict{reports.Note}
	skip := []reports.Verdict{reports.Skip}
	withoutToken := `when: {refused_by: resource.token.required}`
	accept(t,
		permitted{name: "forbidden-without-credentials", checks: []string{"rfc6750/challenge-without-credentials"},
			do: `{at: resource.error, ` + withoutToken + `, status: 403}`},
		permitted{name: "bad-request-without-credentials", checks: []string{"rfc6750/challenge-without-credentials"},
			do: `{at: resource.error, ` + withoutToken + `, status: 400}`},
		permitted{name: "hidden-without-credentials", checks: []string{"rfc6750/challenge-without-credentials"}, verdicts: note,
			do: `[{at: resource.error, ` + withoutToken + `, status: 404}, {at: resource.challenge, ` + withoutToken + `, remove: true}]`},
		permitted{name: "only-another-scheme-without-credentials", checks: []string{"rfc6750/challenge-without-credentials", "rfc6750/challenge-scheme-bearer"},
			do: `{at: resource.challenge, ` + withoutToken + `, scheme: DPoP}`},
		permitted{name: "no-challenge-at-all-is-judged-once", checks: []string{"rfc6750/challenge-scheme-bearer", "rfc6750/challenge-has-parameter", "rfc6750/challenge-error-present"},
			verdicts: skip, do: `{at: resource.challenge, remove: true}`},
		permitted{name: "changed-token-is-a-malformed-request", checks: []string{"rfc6750/invalid-token-code"}, verdicts: note,
			do: `{at: resource.challenge, when: {header: {Authorization: "!Bearer oauthcheck*"}, refused_by: resource.token.known}, params: {replace: {error: invalid_request}}}`},
		permitted{name: "malformed-headers-are-no-credentials", checks: []string{"rfc6750/malformed-header-refused", "rfc6750/challenge-*"},
			do: `{at: resource.token.syntax, refuse: {error: invalid_token, status: 401}}`},
		permitted{name: "expired-without-error-code", checks: []string{"rfc6750/expired-token-code"}, verdicts: note,
			do: `{at: resource.challenge, when: {refused_by: resource.token.expired}, params: {keep: [realm]}}`},
		permitted{name: "revoked-without-error-code", checks: []string{"rfc6750/revoked-token-code"}, verdicts: note,
			do: `{at: resource.challenge, when: {refused_by: resource.token.revoked}, params: {keep: [realm]}}`},
		permitted{name: "revoked-jwt-checked-locally", checks: []string{"rfc6750/revoked-token-code"}, verdicts: note,
			setup: m{"access_token": m{"format": "jwt"}}, do: `{at: resource.token.revoked, skip: true}`},
		permitted{name: "narrow-scope-without-challenge", checks: []string{"rfc6750/insufficient-scope-code", "rfc6750/insufficient-scope-403"},
			do: `{at: resource.challenge, when: {refused_by: resource.token.scope}, remove: true}`},
		permitted{name: "narrow-scope-by-a-vendor's-code", checks: []string{"rfc6750/insufficient-scope-code"}, verdicts: note,
			do: `{at: resource.challenge, when: {refused_by: resource.token.scope}, params: {replace: {error: vendor_scope}}}`},
		permitted{name: "narrow-scope-hides-the-resource", checks: []string{"rfc6750/insufficient-scope-code", "rfc6750/insufficient-scope-403"}, verdicts: note,
			do: `[{at: resource.challenge, when: {refused_by: resource.token.scope}, remove: true}, {at: resource.error, when: {refused_by: resource.token.scope}, status: 404}]`},
		permitted{name: "scope-not-named", checks: []string{"rfc6750/insufficient-scope-named"}, verdicts: skip,
			do: `{at: resource.challenge, params: {remove: [scope]}}`},
		permitted{name: "error-code-in-the-body-without-credentials", checks: []string{"rfc6750/no-error-*"}, verdicts: note,
			do: `{at: resource.error, ` + withoutToken + `, members: {set: {error: unauthorized}}}`},
		permitted{name: "the-resource-takes-basic-too", checks: []string{"rfc6750/no-error-for-unsupported-scheme"}, verdicts: skip,
			do: `{at: resource.error, when: {header: {Authorization: "Basic *"}}, header: {add: {WWW-Authenticate: 'Basic realm="old clients"'}}}`},
		permitted{name: "refusals-without-a-body", checks: []string{"rfc6750/*"}, do: `{at: resource.error, body: ""}`,
			verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}},
		permitted{name: "refusals-in-plain-text", checks: []string{"rfc6750/*"}, do: `{at: resource.error, content_type: text/plain, body: "No."}`,
			verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}},
	)
}

// The ways of taking a token that RFC 6750 leaves to the resource.
func TestAcceptsWaysOfTakingTokens(t *testing.T) {
	note := []reports.Verdict{reports.Note}
	skip := []reports.Verdict{reports.Skip}
	accept(t,
		permitted{name: "header-only", checks: []string{"rfc6750/parameter-name-case-sensitive", "rfc6750/form-*", "rfc6750/query-token-position", "rfc6750/query-token-response-private",
			"rfc6750/one-token-method-per-request", "rfc6750/access-token-parameter-once"}, verdicts: skip, do: `{at: resource.token.form, mode: "off"}`},
		permitted{name: "no-post", checks: []string{"rfc6750/*"}, do: `{at: resource.method, mode: no-post}`,
			verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}},
		permitted{name: "declared-form", checks: []string{"rfc6750/declared-form-token-accepted"}, setup: m{"target": m{"resource": m{"bearer_methods": []any{"header", "body"}}}}},
		permitted{name: "declared-query", checks: []string{"rfc6750/declared-query-token-accepted", "rfc6750/query-token-refused"}, verdicts: []reports.Verdict{reports.Pass},
			setup: m{"query_token": true, "target": m{"resource": m{"bearer_methods": []any{"header", "query"}}}}},
		permitted{name: "undeclared-query-is-noted", checks: []string{"rfc6750/query-token-refused"}, verdicts: note, setup: m{"query_token": true}},
		permitted{name: "query-answer-not-stored", checks: []string{"rfc6750/query-token-response-private"}, setup: m{"query_token": true},
			do: `{at: resource.response, header: {set: {Cache-Control: "max-age=0, no-store"}}}`},
		permitted{name: "several-methods-by-another-code", checks: []string{"rfc6750/one-token-method-per-request", "rfc6750/invalid-request-400"},
			verdicts: []reports.Verdict{reports.Pass, reports.Note}, do: `{at: resource.token.multiple, refuse: {error: invalid_token, status: 401}}`},
	)
}

// What RFC 6750 lets a server leave out or choose about its tokens.
func TestAcceptsBearerTokens(t *testing.T) {
	note := []reports.Verdict{reports.Note}
	accept(t,
		permitted{name: "b64token-with-all-its-characters", checks: []string{"rfc6750/token-is-b64token"},
			do: `{at: access_token.generate, set: "${random:30}-._~+/=="}`},
		permitted{name: "lifetime-of-one-hour", checks: []string{"rfc6750/token-lifetime-*"}, do: `{at: access_token.lifetime, set: 1h}`},
		permitted{name: "lifetime-not-told", checks: []string{"rfc6750/token-lifetime-*"}, verdicts: note, do: `{at: token.response, members: {remove: [expires_in]}}`},
		permitted{name: "lifetime-told-by-the-token-alone", checks: []string{"rfc6750/token-lifetime-limited"}, setup: m{"access_token": m{"format": "jwt"}},
			do: `{at: token.response, members: {remove: [expires_in]}}`},
		permitted{name: "the-server's-clock-goes-wrong", checks: []string{"rfc6750/token-lifetime-limited"}, setup: m{"access_token": m{"format": "jwt"}},
			do: `{at: access_token.claims, members: {set: {iat: 1000000000, exp: 1000000900}}}`},
		permitted{name: "audience-not-introspected", checks: []string{"rfc6750/token-has-audience"}, verdicts: note, do: `{at: introspection.response, members: {remove: [aud]}}`},
		permitted{name: "several-audiences", checks: []string{"rfc6750/token-has-audience"}, setup: m{"access_token": m{"format": "jwt", "audience": []any{"https://mock.test/resource", "https://api.example"}}}},
		permitted{name: "secure-cookie-with-the-token", checks: []string{"rfc6750/token-not-in-insecure-cookie", "rfc6750/token-cookie-csrf"}, verdicts: []reports.Verdict{reports.Pass},
			setup: m{"issuer": "https://mock.test"},
			do:    `{at: token.response, header: {add: {Set-Cookie: "token=${member:access_token}; Secure; HttpOnly; SameSite=Lax"}}}`},
		permitted{name: "cookie-with-the-token-over-plain-http", checks: []string{"rfc6750/token-not-in-insecure-cookie"}, verdicts: note,
			do: `{at: token.response, header: {add: {Set-Cookie: "token=${member:access_token}; HttpOnly; SameSite=Lax"}}}`},
	)
}

// A resource that asks for no token shows nothing of how it reads one.
func TestLeavesOpenResourcesAlone(t *testing.T) {
	open := `[{at: userinfo.token.required, skip: true}, {at: userinfo.token.known, skip: true}, {at: userinfo.token.multiple, skip: true},
		{at: resource.token.required, skip: true}, {at: resource.token.known, skip: true}, {at: resource.token.multiple, skip: true}]`
	accept(t,
		permitted{name: "open-resource", do: open, setup: m{"query_token": true}, verdicts: []reports.Verdict{reports.Inconclusive},
			checks: []string{"rfc6750/parameter-name-case-sensitive", "rfc6750/one-token-method-per-request", "rfc6750/access-token-parameter-once",
				"rfc6750/query-token-response-private", "rfc6750/query-token-refused"}},
	)
}
