package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// refuse lets steps of the mock provider refuse with another error code, and status if there is one.
func refuse(code string, status string, steps ...string) string {
	do := "["
	for i, step := range steps {
		if i > 0 {
			do += ", "
		}
		do += "{at: " + step + ", refuse: {error: " + code
		if status != "" {
			do += ", status: " + status
		}
		do += "}}"
	}
	return do + "]"
}

// The error codes that RFC 6749 section 5.2 leaves a choice of, for each defect of a token request.
func TestAcceptsTokenErrorCodes(t *testing.T) {
	const authentication = "token.client_authentication."
	codeOnly := m{"implicit": false, "grants": []any{"authorization_code"}, "openid": false}
	missing := []string{"token.authorization_code.required", "token.refresh_token.required", "token.password.username.required", "token.password.password.required"}
	invalid := []string{"token.authorization_code.known", "token.refresh_token.known", "token.authorization_code.used", "token.refresh_token.used",
		"token.authorization_code.redirect_uri.match", "token.authorization_code.redirect_uri.required", "token.authorization_code.expired", "token.refresh_token.revoked"}
	foreign := []string{"token.authorization_code.client_binding", "token.refresh_token.client_binding"}
	scope := []string{"token.scope.known", "token.scope.syntax", "token.refresh_token.scope"}
	cases := []permitted{
		{name: "missing-grant-type-is-unsupported", do: refuse("unsupported_grant_type", "", "token.grant_type.required")},
		{name: "missing-grant-type-after-authentication", do: refuse("invalid_client", "401", "token.grant_type.required"),
			checks: []string{"rfc6749/malformed-request-error", "rfc6749/parameter-names-case-sensitive", "rfc6749/grant-type-required"}},
		{name: "missing-grant-parameter-is-invalid-grant", do: refuse("invalid_grant", "", missing...)},
		{name: "invalid-grant-is-invalid-request", do: refuse("invalid_request", "", invalid...)},
		{name: "foreign-grant-is-invalid-client", do: refuse("invalid_client", "", foreign...)},
		{name: "foreign-grant-is-unauthorized-client", do: refuse("unauthorized_client", "", foreign...)},
		{name: "two-methods-are-invalid-client", do: refuse("invalid_client", "", authentication+"multiple")},
		{name: "two-methods-are-invalid-client-401", do: refuse("invalid_client", "401", authentication+"multiple")},
		{name: "unnamed-client-is-invalid-request", do: refuse("invalid_request", "", authentication+"identified")},
		{name: "no-authentication-is-invalid-request", do: refuse("invalid_request", "", authentication+"required")},
		{name: "no-authentication-is-unauthorized-client", do: refuse("unauthorized_client", "", authentication+"required")},
		{name: "no-authentication-is-invalid-grant", setup: codeOnly, do: refuse("invalid_grant", "", authentication+"required")},
		{name: "no-authentication-is-401", do: refuse("invalid_client", "401", authentication+"required", authentication+"known")},
		{name: "no-authentication-is-400", do: refuse("invalid_client", "400", authentication+"required")},
		{name: "unknown-client-without-secret-is-invalid-request",
			do: `{at: token.client_authentication.known, when: {auth: none}, refuse: {error: invalid_request}}`},
		{name: "unknown-client-of-a-code-is-invalid-grant", setup: codeOnly, do: refuse("invalid_grant", "", authentication+"known")},
		{name: "unknown-scheme-is-invalid-request", do: refuse("invalid_request", "400", authentication+"scheme")},
		{name: "unknown-scheme-is-invalid-client-400", do: refuse("invalid_client", "400", authentication+"scheme")},
		{name: "unknown-scheme-is-unauthorized-client", do: refuse("unauthorized_client", "400", authentication+"scheme")},
		{name: "unreadable-credentials-are-invalid-request", do: refuse("invalid_request", "400", authentication+"header")},
		{name: "wrong-secret-by-post-is-401", do: `{at: token.client_authentication.secret, when: {auth: client_secret_post}, refuse: {error: invalid_client, status: 401}}`},
		{name: "unknown-grant-type-is-invalid-request", do: refuse("invalid_request", "", "token.grant_type.known")},
		{name: "unknown-grant-type-is-unauthorized-client", do: refuse("unauthorized_client", "", "token.grant_type.known")},
		{name: "barred-grant-type-is-unsupported", do: refuse("unsupported_grant_type", "", "token.grant_type.allowed", "token.client_credentials.client_type")},
		{name: "barred-grant-type-is-invalid-grant", do: refuse("invalid_grant", "", "token.grant_type.allowed", "token.client_credentials.client_type")},
		{name: "barred-grant-type-is-invalid-client", do: refuse("invalid_client", "", "token.grant_type.allowed", "token.client_credentials.client_type")},
		{name: "bad-scope-is-invalid-request", do: refuse("invalid_request", "", scope...)},
		{name: "bad-scope-is-access-denied", do: refuse("access_denied", "", scope...)},
		{name: "wrong-password-by-a-vendor's-code", do: refuse("bad_credentials", "", "token.password.credentials")},
		{name: "repeated-parameter-is-invalid-grant", do: refuse("invalid_grant", "", "token.repeated_parameter")},
		{name: "repeated-parameter-is-invalid-client", do: refuse("invalid_client", "", "token.repeated_parameter")},
		{name: "repeated-parameter-is-unsupported-grant-type", do: refuse("unsupported_grant_type", "", "token.repeated_parameter")},
		{name: "repeated-parameter-is-invalid-scope", do: refuse("invalid_scope", "", "token.repeated_parameter")},
		{name: "wrong-media-type-is-415", do: refuse("invalid_request", "415", "token.content_type")},
		{name: "unreadable-body-has-no-grant-type", do: refuse("unsupported_grant_type", "", "token.syntax", "token.content_type")},
		{name: "other-methods-are-404", do: refuse("invalid_request", "404", "token.method")},
		{name: "other-methods-are-501", do: refuse("invalid_request", "501", "token.method")},
		{name: "other-methods-are-403", do: refuse("invalid_request", "403", "token.method")},
		{name: "parameters-in-the-query-of-a-post-are-refused", do: `{at: token.query_component, when: {has_query: true}, always: true}`},
		{name: "codes-of-the-device-grant", do: refuse("expired_token", "", "token.authorization_code.expired")},
	}
	accept(t, cases...)
}

// What an error response of the token endpoint may look like.
func TestAcceptsTokenErrorResponses(t *testing.T) {
	errors := []string{"rfc6749/token-error-*", "rfc6749/basic-failure-*"}
	accept(t,
		permitted{name: "media-type-with-parameters", checks: errors, do: `{at: token.error, content_type: "application/JSON ; charset=utf-8"}`},
		permitted{name: "no-description", do: `{at: token.error, members: {remove: [error_description]}}`},
		permitted{name: "description-and-uri-null", checks: errors, do: `{at: token.error, members: {to_null: [error_description], set: {error_uri: null}}}`},
		permitted{name: "further-members", checks: errors, do: `{at: token.error, members: {set: {timestamp: 1700000000, path: /token, error_codes: [7000215], trace_id: "a-b"}}}`},
		permitted{name: "error-uri", checks: errors, do: `{at: token.error, members: {set: {error_uri: "https://mock.test/errors?code=1#more"}}}`},
		permitted{name: "relative-error-uri", checks: errors, do: `{at: token.error, members: {set: {error_uri: /errors}}}`},
		permitted{name: "vendor's-codes", checks: errors, do: `{at: token.error, when: {error: "!invalid_client"}, members: {set: {error: vendor_says_no}}}`},
		permitted{name: "server-error-codes", checks: errors, do: `{at: token.error, when: {error: "!invalid_client"}, members: {set: {error: server_error}}}`},
		permitted{name: "escapes-in-json", checks: errors, do: `{at: token.error, when: {error: invalid_grant}, body: '{"error":"invalid\u005fgrant","error_description":"\u0041 bad code"}'}`},
		permitted{name: "storable", checks: errors, do: `{at: token.error, header: {set: {Cache-Control: "max-age=0"}, remove: [Pragma]}}`},
		permitted{name: "several-challenges", checks: errors, do: `{at: token.error, when: {error: invalid_client}, header: {add: {WWW-Authenticate: 'Bearer realm="clients"'}}}`},
		permitted{name: "challenge-in-lower-case", checks: errors, do: `{at: token.challenge, scheme: basic}`},
		permitted{name: "challenge-without-realm", checks: errors, do: `{at: token.challenge, params: {remove: [realm], set: {charset: UTF-8}}}`},
		permitted{name: "invalid-client-always-401", do: `{at: token.error, when: {error: invalid_client}, status: 401}`},
	)
}

// What a token response may look like and what may be in it.
func TestAcceptsMoreTokenResponses(t *testing.T) {
	note := []reports.Verdict{reports.Note}
	responses := []string{"rfc6749/token-response-*", "rfc6749/token-type-*", "rfc6749/expires-in-number", "rfc6749/no-duplicate-json-member", "rfc6749/*-characters"}
	accept(t,
		permitted{name: "expires-in-with-fraction-of-zero", checks: []string{"rfc6749/expires-in-number"}, verdicts: note, do: `{at: token.response, members: {raw: {expires_in: "3600.0"}}}`},
		permitted{name: "expires-in-with-exponent", checks: []string{"rfc6749/expires-in-number"}, verdicts: note, do: `{at: token.response, members: {raw: {expires_in: "3.6e3"}}}`},
		permitted{name: "expires-in-null-counts-as-absent", checks: []string{"rfc6749/expires-in-number"}, verdicts: []reports.Verdict{reports.Inconclusive},
			do: `{at: token.response, members: {to_null: [expires_in]}}`},
		permitted{name: "expires-in-of-twenty-years", checks: []string{"rfc6749/expires-in-number"}, verdicts: note, do: `{at: token.response, members: {set: {expires_in: 631152000}}}`},
		permitted{name: "refresh-token-and-scope-null", checks: []string{"rfc6749/token-response-string-members"}, verdicts: note,
			do: `{at: token.response, members: {set: {id_token: null}, to_null: [scope]}}`},
		permitted{name: "token-type-in-capitals", checks: responses, do: `{at: token.response, members: {set: {token_type: BEARER}}}`},
		permitted{name: "token-type-mac", checks: []string{"rfc6749/token-type-registered"}, verdicts: note, do: `{at: token.response, members: {set: {token_type: mac}}}`},
		permitted{name: "token-type-uri", checks: []string{"rfc6749/token-type-*"}, do: `{at: token.response, members: {set: {token_type: "https://token.example/type"}}}`},
		permitted{name: "further-members", checks: responses, do: `{at: token.response, members: {set: {not-before-policy: 0, session_state: "a.b", ext_expires_in: 3599, expires_on: "1700000000", vendor.x: {a: [1]}}}}`},
		permitted{name: "byte-order-mark", checks: []string{"rfc6749/token-response-top-level-object"}, verdicts: note, do: `{at: token.response, encoding: bom}`},
		permitted{name: "white-space-and-escapes", checks: responses, do: `{at: token.response, append: " \r\n\t\n"}`},
		permitted{name: "cache-control-in-two-fields", checks: []string{"rfc6749/token-response-no-store"}, do: `{at: token.response, header: {set: {Cache-Control: no-cache}, add: {Cache-Control: NO-STORE}}}`},
		permitted{name: "pragma-with-more", checks: []string{"rfc6749/token-response-pragma"}, do: `{at: token.response, header: {set: {Pragma: "x=y, No-Cache"}}}`},
		permitted{name: "uuid-tokens-are-noted", checks: []string{"rfc6749/*-unpredictable"}, do: `{at: [access_token.generate, refresh_token.generate, code.generate], mode: uuid}`},
		permitted{name: "live-token-once-more", do: `{at: access_token.generate, when: {grant: client_credentials}, mode: same-per-client}`},
		permitted{name: "live-token-once-more-is-noted", checks: []string{"rfc6749/access-token-unpredictable"}, verdicts: note,
			do: `{at: access_token.generate, when: {grant: client_credentials}, mode: same-per-client}`},
		permitted{name: "live-refresh-token-once-more", do: `{at: refresh_token.generate, when: {client_type: confidential}, mode: same-per-client}`},
		permitted{name: "cookies-of-a-load-balancer", do: `{at: [token.response, token.error], header: {add: {Set-Cookie: "LB=abc; Path=/"}}}`},
		permitted{name: "jwt-access-tokens", checks: []string{"rfc6749/access-token-unpredictable", "rfc6749/access-token-not-forgeable"},
			setup: m{"access_token": m{"format": "jwt"}}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}},
		permitted{name: "jwt-access-tokens-that-name-no-client", checks: []string{"rfc6749/access-token-unpredictable"},
			setup: m{"access_token": m{"format": "jwt", "algorithm": "RS256"}}, verdicts: []reports.Verdict{reports.Skip},
			do: `{at: access_token.claims, when: {grant: client_credentials}, members: {remove: [sub, client_id, jti, auth_time], set: {iat: 1700000000, exp: 4102444800}}}`},
	)
}

// What a server may do with scope, and with the tokens of a refresh.
func TestAcceptsScopesAndRefreshes(t *testing.T) {
	note := []reports.Verdict{reports.Note}
	accept(t,
		permitted{name: "unknown-scope-ignored", setup: m{"unknown_scope": "ignore"}},
		permitted{name: "unknown-scope-ignored-and-told", setup: m{"unknown_scope": "ignore", "scope_response": "always"}},
		permitted{name: "any-scope-granted", do: `{at: [token.scope.known, authorize.scope.known], skip: true}`},
		permitted{name: "scope-never-told", checks: []string{"rfc6749/refresh-*"}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip},
			do: `[{at: token.response, members: {remove: [scope]}}, {at: introspection.response, members: {remove: [scope]}}]`},
		permitted{name: "scope-as-claim-scp", setup: m{"access_token": m{"format": "jwt"}},
			do: `[{at: access_token.claims, members: {rename: {scope: scp}, to_array: [scp]}}, {at: introspection.response, members: {remove: [scope]}}]`},
		permitted{name: "no-scopes-configured", setup: m{"target": m{"scopes": []any{}}}},
		permitted{name: "userinfo-as-resource", setup: m{"target": m{"resource": m{"url": "http://mock.test/userinfo", "scopes": []any{"openid"}, "insufficient_scope": "write"}}}},
		permitted{name: "scope-demanded", do: `[{at: token.scope.required, always: true, when: {absent: [scope], grant: [client_credentials, password]}}, {at: authorize.scope.required, always: true, when: {absent: [scope]}}]`},
		permitted{name: "scope-demanded-by-invalid-request", checks: []string{"rfc6749/missing-scope-error"}, verdicts: note,
			do: `[{at: token.scope.required, always: true, when: {absent: [scope], grant: [client_credentials, password]}, refuse: {error: invalid_request, description: "scope is missing"}}]`},
		permitted{name: "wider-scope-ignored-in-a-refresh-and-told", checks: []string{"rfc6749/refresh-does-not-widen-scope"},
			do: `[{at: token.refresh_token.scope, skip: true}, {at: scope.granted, when: {grant: refresh_token}, set: [openid, offline_access]}]`, setup: m{"scope_response": "always"}},
		permitted{name: "narrower-scope-refused", checks: []string{"rfc6749/refresh-narrows-scope"}, verdicts: note,
			do: `{at: token.refresh_token.scope, when: {present: [scope]}, always: true}`},
		permitted{name: "password-from-an-unregistered-client", checks: []string{"rfc6749/password-grant-authentication-required"}, verdicts: note, // section 2.4
			do: `[{at: token.client_authentication.identified, when: {grant: password, unsent: [client_id]}, skip: true},
			  {at: token.client_authentication.required, when: {grant: password, unsent: [client_id]}, skip: true}]`},
		permitted{name: "refresh-token-also-for-the-public-client", do: `{at: refresh_token.rotation, when: {client_type: public}, set: true}`},
		permitted{name: "replayed-refresh-token-revokes-all", checks: []string{"rfc6749/*refresh-token-*"}, verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}},
		permitted{name: "post-not-supported", setup: m{"openid": false, "target": m{"scopes": []any{"read", "write"}}}, do: `{at: authorize.method, mode: no-post, refuse: {error: invalid_request, status: 404}}`},
	)
}

// How long a grant lasts is the server's affair (RFC 6749 sections 1.4 and 1.5): one may let a new authorization end the grants before it.
func TestAcceptsAuthorizationThatEndsEarlierGrants(t *testing.T) {
	ends := `{at: authorize.earlier_grants, set: false}`
	accept(t,
		permitted{name: "everything", do: ends},
		permitted{name: "everything-by-codes", do: ends, setup: map[string]any{"clients": map[string]any{
			"web-app":   map[string]any{"grants": []string{"authorization_code", "refresh_token"}},
			"web-app-2": map[string]any{"grants": []string{"authorization_code", "refresh_token"}}}}},
		// Checks that take tokens at the same time must not end each other's.
		permitted{name: "resource-and-refresh", do: ends, sockets: true, checks: []string{"rfc6750/*", "rfc6749/refresh-*"},
			verdicts: []reports.Verdict{reports.Pass, reports.Note, reports.Skip}})
}
