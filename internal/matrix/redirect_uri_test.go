package matrix

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
)

// A server that takes any redirect_uri is caught by every spelling of the matrix, so that none of them is sent in vain. It is one finding
// with its list of variants.
func TestEveryRedirectURIIsSeen(t *testing.T) {
	harmless := []string{"host-upper-case", "host-full-width-letter", "port-default", "scheme-upper-case", "loopback-port-other", "control-at-the-end",
		"loopback-decimal", "loopback-hexadecimal", "loopback-localhost", "loopback-mapped", "loopback-octal", "loopback-short"}
	d := profiles.Deviation{Name: "any-redirect-uri", Summary: "Any redirect_uri is taken."}
	if err := yaml.Unmarshal([]byte(`{at: [authorize.redirect_uri.match, authorize.redirect_uri.syntax, authorize.syntax], skip: true}`), &d.Do); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), Behaviour{Deviations: []profiles.Deviation{d},
		Setup:   m{"clients": m{"web-app": m{"redirect_uris": []any{"https://client.example/callback", "https://client.example/other", "https://client.example/query?tenant=1&x=a%20b"}}}},
		Include: []string{"rfc6749/redirect-uri-exact-match", "rfc6749/implicit-redirect-uri-exact", "rfc6749/redirect-uri-fully-registered"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) != 3 {
		t.Fatalf("%d checks ran", len(r.Checks))
	}
	for _, c := range r.Checks {
		if !suites.Reported(c) {
			t.Errorf("it is to report: %s", Describe(c))
		}
		for _, v := range c.Variants {
			expected := !slices.Contains(harmless, v.Name) && !strings.HasPrefix(v.Name, "bare-")
			if failed := v.Verdict == reports.Fail || v.Verdict == reports.Warn; failed != expected {
				t.Errorf("%s %s: %s %s %s", c.ID, v.Name, v.Verdict, v.Message, v.Actual)
			}
		}
	}
}
