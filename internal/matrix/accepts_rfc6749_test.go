package matrix

import (
	"testing"
)

type m = map[string]any

// How RFC 6749 lets the browser be sent back to the client: the means and the status are free.
func TestAcceptsWaysOfRedirecting(t *testing.T) {
	both := func(op string) string {
		return `[{at: authorize.response, ` + op + `}, {at: authorize.error, ` + op + `}]`
	}
	accept(t,
		permitted{name: "by-refresh-header", do: both(`via: refresh`)},
		permitted{name: "by-meta-refresh", do: both(`via: meta`)},
		permitted{name: "by-script", do: both(`via: script`)},
		permitted{name: "by-form", do: both(`via: form`)},
		permitted{name: "by-link", do: both(`via: link`)},
		permitted{name: "status-301", do: both(`status: 301`)},
		permitted{name: "status-302", do: both(`status: 302`)},
		permitted{name: "status-307", do: both(`status: 307`)},
		permitted{name: "status-308", do: both(`status: 308`)},
		permitted{name: "blank-as-percent-20", do: both(`escape: {"*": percent}`)},
		permitted{name: "dummy-fragment", do: `{at: authorize.response, when: {response_type: code}, fragment: _}`},
		permitted{name: "dummy-fragment-is-noted", do: `{at: authorize.response, when: {response_type: code}, fragment: _}`, checks: []string{"rfc6749/code-in-query"}},
		permitted{name: "more-parameters", do: both(`params: {set: {session_state: abc.def, "vendor-x_y": "1"}}`)},
		permitted{name: "implicit-error-in-query-and-fragment", do: `{at: authorize.error, when: {response_type: token}, in: both}`},
	)
}

// What RFC 6749 allows an authorization endpoint to answer to a request that it does not serve.
func TestAcceptsAuthorizationErrors(t *testing.T) {
	page := func(steps ...string) string {
		do := "["
		for i, step := range steps {
			if i > 0 {
				do += ", "
			}
			do += "{at: " + step + ", refuse: {page: true}}"
		}
		return do + "]"
	}
	elsewhere := `{at: [authorize.redirect_uri.match, authorize.redirect_uri.required, authorize.redirect_uri.syntax, authorize.redirect_uri.secure,
		authorize.client_id.known, authorize.client_id.required], refuse: {error: invalid_request, redirect: true}}, `
	accept(t,
		permitted{name: "errors-about-clients-and-uris-told-on-another-site", do: `[` + elsewhere +
			`{at: authorize.error, when: {refused_by: ["authorize.redirect_uri.*", "authorize.client_id.*"]}, to: "https://errors.example/oops"}]`},
		permitted{name: "errors-told-on-another-site-without-parameters", do: `[` + elsewhere +
			`{at: authorize.error, when: {refused_by: ["authorize.redirect_uri.*", "authorize.client_id.*"]}, to: "https://errors.example/oops", params: {keep: []}}]`},
		permitted{name: "all-errors-told-on-another-site", do: `[` + elsewhere + `{at: authorize.error, to: "https://errors.example/oops"}]`},
		permitted{name: "loopback-port-fixed", do: `{at: authorize.redirect_uri.match, mode: loopback-fixed-port}`},
		permitted{name: "localhost-is-loopback", do: `{at: authorize.redirect_uri.match, mode: localhost}`, checks: []string{"rfc6749/redirect-uri-exact-match"}},
		permitted{name: "pages-instead-of-redirects", do: page("authorize.response_type.required", "authorize.response_type.known", "authorize.response_type.allowed",
			"authorize.repeated_parameter", "authorize.scope.known", "authorize.scope.syntax", "authorize.scope.required", "authorize.prompt", "authorize.state",
			"authorize.pkce.method", "authorize.pkce.challenge_syntax", "authorize.pkce.required", "consent.denied")},
		permitted{name: "error-pages-with-status-200", do: `{at: authorize.error_page, status: 200}`},
		permitted{name: "error-pages-with-status-403", do: `{at: authorize.error_page, status: 403}`},
		permitted{name: "error-pages-with-status-401", do: `{at: authorize.error_page, status: 401}`},
		permitted{name: "error-pages-in-json", do: `{at: authorize.error_page, content_type: application/json, body: "{\"error\":\"invalid_request\"}"}`},
		permitted{name: "error-pages-in-plain-text", do: `{at: authorize.error_page, content_type: text/plain, body: "No."}`},
		permitted{name: "error-pages-made-by-script",
			do: `{at: authorize.error_page, body: "<!doctype html><html><head><title>Sign in</title></head><body><div id=root></div><script src=/app.js></script></body></html>"}`},
		permitted{name: "error-pages-with-a-link-to-the-application",
			do: `{at: authorize.error_page, append: "<p><a href=\"https://client.example/callback\">Back to the application</a></p>"}`},
		permitted{name: "invalid-request-for-unknown-response-type", do: `{at: authorize.response_type.known, refuse: {error: invalid_request}}`},
		permitted{name: "unsupported-response-type-for-missing-one", do: `{at: authorize.response_type.required, refuse: {error: unsupported_response_type}}`},
		permitted{name: "unauthorized-client-for-unknown-response-type", do: `{at: authorize.response_type.known, refuse: {error: unauthorized_client}}`},
		permitted{name: "access-denied-for-unknown-scope", do: `[{at: authorize.scope.known, refuse: {error: access_denied}}, {at: authorize.scope.syntax, refuse: {error: access_denied}}]`},
		permitted{name: "invalid-request-for-unknown-scope", do: `[{at: authorize.scope.known, refuse: {error: invalid_request}}, {at: authorize.scope.syntax, refuse: {error: invalid_request}}]`},
		permitted{name: "invalid-scope-for-repeated-parameters", do: `{at: authorize.repeated_parameter, refuse: {error: invalid_scope}}`},
		permitted{name: "errors-of-unknown-response-types-in-the-fragment",
			do: `{at: authorize.error, when: {refused_by: ["authorize.response_type.known", "authorize.response_type.required"]}, in: fragment}`},
		permitted{name: "unsupported-response-type-for-a-barred-client", do: `{at: authorize.response_type.allowed, refuse: {error: unsupported_response_type}}`},
		permitted{name: "another-code-for-a-barred-client", do: `{at: authorize.response_type.allowed, refuse: {error: access_denied}}`},
		permitted{name: "denial-as-interaction-required", do: `{at: consent.denied, refuse: {error: interaction_required}}`},
		permitted{name: "denial-as-consent-required", do: `{at: consent.denied, refuse: {error: consent_required}}`},
		permitted{name: "denial-as-vendor-code", do: `{at: consent.denied, refuse: {error: user_cancelled}}`},
		permitted{name: "vendor-codes", do: `{at: authorize.error, when: {refused_by: "!authorize.pkce.*"}, params: {set: {error: vendor_says_no}}}`},
		permitted{name: "no-description", do: `{at: authorize.error, when: {refused_by: "!authorize.pkce.*"}, params: {remove: [error_description]}}`},
		permitted{name: "error-uri", do: `{at: authorize.error, params: {set: {error_uri: "/errors?code=1#invalid"}}}`},
		permitted{name: "unknown-client-reported-to-the-registered-uri", do: `{at: authorize.client_id.known, when: {registered_redirect_uri: true}, refuse: {error: unauthorized_client, redirect: true}}`},
		permitted{name: "bad-redirect-uri-reported-to-the-registered-uri",
			do: `[{at: authorize.redirect_uri.match, refuse: {error: invalid_request, redirect: true}}, {at: authorize.error, when: {refused_by: authorize.redirect_uri.match}, to: "${registered}"}]`},
		permitted{name: "bad-redirect-uri-served-at-the-registered-uri",
			do: `[{at: authorize.redirect_uri.match, skip: true}, {at: authorize.redirect_uri.target, when: {registered_redirect_uri: false}, mode: first-registered}]`},
	)
}

// What RFC 6749 allows an authorization endpoint to make of requests.
func TestAcceptsAuthorizationRequests(t *testing.T) {
	accept(t,
		permitted{name: "no-post", setup: m{"openid": false, "target": m{"scopes": []any{"read", "write"}}}, do: `{at: authorize.method, mode: no-post}`},
		permitted{name: "redirect-uri-always-required", setup: m{"require_redirect_uri": true}},
		permitted{name: "state-with-empty-value-returned", do: `{at: authorize.response, when: {absent: [state]}, params: {set: {state: ""}}}`},
		permitted{name: "state-made-up", do: `{at: authorize.response, when: {unsent: [state]}, params: {set: {state: "made-up"}}}`},
		permitted{name: "odd-states-refused", do: `{at: authorize.state, when: {param: {state: "* *"}}, always: true}`},
		permitted{name: "long-states-refused", do: `{at: authorize.state, when: {param: {state: "????????????????????????????????????????????????????????????????????????????????????????????????????????????????????????????????????*"}}, always: true}`},
		permitted{name: "login-page-says-401", do: `{at: authorize.page, status: 401}`},
		permitted{name: "one-page-for-login-and-consent", setup: m{"combined_consent": true}},
		permitted{name: "consent-remembered", setup: m{"consent": "once", "target": m{"login": m{"consent": ""}}}},
		permitted{name: "no-consent", setup: m{"consent": "auto", "target": m{"login": m{"consent": ""}}}},
		permitted{name: "trimmed-response-type", do: `{at: authorize.response_type.known, mode: trim}`},
		permitted{name: "harmless-spellings-of-redirect-uri", do: `{at: authorize.redirect_uri.match, mode: [scheme-case, host-case, default-port]}`},
		permitted{name: "normalised-before-redirect", do: `[{at: authorize.redirect_uri.match, mode: [dot-segments, path-case, trailing-slash, double-slash]}, {at: authorize.redirect_uri.target, mode: first-registered, when: {registered_redirect_uri: false}}]`},
		permitted{name: "another-client-has-the-two-redirect-uris", checks: []string{"rfc6749/answer-goes-to-requested-uri", "rfc6749/redirect-uri-not-guessed"},
			setup: m{"target": m{"clients": m{"primary": m{"grants": []any{}}, "public": m{"grants": []any{"authorization_code"}, "redirect_uris": []any{"http://127.0.0.1/callback"}}}}}},
		permitted{name: "any-loopback-port", setup: m{"target": m{"clients": m{"public": m{"redirect_uris": []any{"http://127.0.0.1/callback"}}}}}},
	)
}
