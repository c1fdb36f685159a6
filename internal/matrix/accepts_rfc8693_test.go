package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// What RFC 8693 leaves to the server. Names of products say whose choice it is.
func TestAcceptsTokenExchange(t *testing.T) {
	exchange := func(settings map[string]any) map[string]any { return map[string]any{"token_exchange": settings} }
	types := func(names ...any) []any { return names }
	undecided := []reports.Verdict{reports.Pass, reports.Note, reports.Skip, reports.Inconclusive}
	accept(t,
		permitted{name: "access-tokens-only", checks: []string{"rfc8693"}, verdicts: undecided, // ts-oauth2-server
			setup: map[string]any{"access_token": map[string]any{"format": "jwt", "algorithm": "ES256"},
				"token_exchange": map[string]any{"subject_token_types": types("access_token"), "actor_token_types": types(), "requested_token_types": types("access_token")}}},
		permitted{name: "id-tokens-only", checks: []string{"rfc8693"}, verdicts: undecided, // zitadel
			setup: exchange(map[string]any{"subject_token_types": types("id_token"), "requested_token_types": types("access_token", "id_token")})},
		permitted{name: "refresh-tokens-only", checks: []string{"rfc8693"}, verdicts: undecided,
			setup: exchange(map[string]any{"subject_token_types": types("refresh_token")})},
		permitted{name: "no-targets-known", checks: []string{"rfc8693"}, verdicts: undecided, // Keycloak knows no resource
			setup: exchange(map[string]any{"audiences": types(), "resources": types()})},
		permitted{name: "any-target", checks: []string{"RFC8693-2.2.2-04", "RFC8693-2.2.2-05", "RFC8693-2.1-11", "RFC8693-2.1.1-01"}, // zitadel
			do: `[{at: token.token_exchange.resource.known, skip: true}, {at: token.token_exchange.audience.known, skip: true}]`},
		permitted{name: "one-target-at-a-time", checks: []string{"RFC8693-2.1-10", "RFC8693-2.1-12", "RFC8693-2.1-13", "RFC8693-2.1.1-01"},
			do: `[{at: token.token_exchange.target.several, when: {repeated: [resource, audience]}, always: true},
				{at: token.token_exchange.target.several, when: {present: [resource, audience]}, always: true}]`},
		permitted{name: "target-demanded", checks: []string{"RFC8693-2.1-09"}, verdicts: []reports.Verdict{reports.Skip},
			setup: map[string]any{"target": map[string]any{"token_exchange": map[string]any{"target_optional": false}}},
			do:    `{at: token.token_exchange.target.required, when: {absent: [audience, resource]}, always: true, refuse: {error: invalid_request}}`},
		permitted{name: "delegation-only", checks: []string{"RFC8693-2.1-21"}, verdicts: []reports.Verdict{reports.Skip},
			setup: map[string]any{"target": map[string]any{"token_exchange": map[string]any{"impersonation": false}}},
			do:    `{at: token.token_exchange.actor_token.required, when: {absent: [actor_token]}, always: true}`},
		permitted{name: "scope-demanded", checks: []string{"RFC8693-2.1-15"},
			setup: map[string]any{"target": map[string]any{"token_exchange": map[string]any{"scope": "read write"}}},
			do:    `{at: token.token_exchange.scope.required, when: {absent: [scope]}, always: true}`},
		permitted{name: "other-token-in-place-of-an-unknown-type", checks: []string{"RFC8693-2.1-17", "RFC8693-2.2.1-06"},
			do: `{at: token.token_exchange.requested_token_type.known, skip: true}`},
		permitted{name: "own-codes-for-unknown-types", checks: []string{"RFC8693-2.1-20", "RFC8693-2.2.2-01"},
			do: `{at: token.token_exchange.subject_token_type.known, refuse: {error: unsupported_token_type}}`},
		permitted{name: "invalid-client-401", checks: []string{"RFC8693-2.1-03", "RFC8693-2.2.2-01"},
			setup: map[string]any{"invalid_client_status": 400}},
		permitted{name: "jwt-with-n-a", checks: []string{"RFC8693-2.2.1-08", "RFC8693-2.2.1-09"},
			do: `{at: token.response, when: {param: {requested_token_type: "*:jwt"}}, members: {set: {token_type: N_A}}}`},
		permitted{name: "n-a-in-lower-case", checks: []string{"RFC8693-2.2.1-08"},
			do: `{at: token.response, when: {param: {requested_token_type: "*:id_token"}}, members: {set: {token_type: n_a}}}`},
		permitted{name: "no-composite-tokens", checks: []string{"rfc8693"}, verdicts: undecided,
			do: `{at: token.token_exchange.act, members: {remove: [act]}}`},
		permitted{name: "actor-by-client-id", checks: []string{"RFC8693-4.1-01", "RFC8693-4.1-02", "RFC8693-4.1-03", "RFC8693-4.1-04"},
			do: `{at: token.token_exchange.act, members: {set: {/act/client_id: "${client_id}"}, remove: [/act/sub]}}`},
		permitted{name: "earlier-actors-dropped", checks: []string{"RFC8693-4.1-04"}, do: `{at: token.token_exchange.actors, mode: only-current}`},
		permitted{name: "expires-in-with-a-margin", checks: []string{"RFC8693-2.2.1-11"},
			do: `{at: token.response, when: {grant: "*:token-exchange"}, members: {set: {expires_in: 300}}}`},
		permitted{name: "further-members", checks: []string{"RFC8693-2.2.1-03", "RFC8693-2.2.1-05"},
			do: `{at: token.response, when: {grant: "*:token-exchange"}, members: {set: {not_before_policy: 0, refresh_expires_in: 0, scope: null}}}`},
		permitted{name: "foreign-issued-token-type", checks: []string{"RFC8693-3-01", "RFC8693-2.2.1-05", "RFC8693-2.2.1-06"},
			do: `{at: token.response, when: {grant: "*:token-exchange"}, members: {set: {issued_token_type: "https://vendor.example/token"}}}`},
		permitted{name: "self-contained-tokens-live-on", checks: []string{"RFC8693-2.1-29"}, verdicts: []reports.Verdict{reports.Skip},
			do: `{at: revocation.access_token, set: false}`},
		permitted{name: "pairwise-subjects", checks: []string{"RFC8693-4.1-02", "RFC8693-A.1.4-01", "RFC8693-A.2.5-01"},
			setup: map[string]any{"access_token": map[string]any{"format": "jwt", "algorithm": "ES256"}},
			do:    `{at: access_token.claims, when: {grant: "*:token-exchange"}, members: {set: {sub: "pairwise-1"}}}`},
	)
}
