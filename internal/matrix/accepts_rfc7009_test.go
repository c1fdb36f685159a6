package matrix

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Which clients a revocation endpoint serves is no matter of where it reads the parameters.
func TestAcceptsRevocationClients(t *testing.T) {
	type m = map[string]any
	accept(t,
		permitted{name: "public-clients-not-served", checks: []string{"rfc7009/revocation-parameters-in-body"},
			verdicts: []reports.Verdict{reports.Inconclusive},
			setup: m{"target": m{"clients": m{"primary": m{"grants": []any{}},
				"public": m{"grants": []any{"authorization_code", "refresh_token"}}}}},
			do: `{at: revocation.client_authentication.method, always: true, when: {client_type: public}}`},
	)
}
