package matrix

import (
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
)

// permitted is behaviour that a specification allows and that neither the strict mock nor its shuffle mode shows.
type permitted struct {
	name     string
	checks   []string          // that must accept it, as patterns of the command line; empty: all
	within   []string          // with empty checks: limits the checks that are run
	setup    map[string]any    // settings of the mock provider, and under the key target a part of the target file
	do       string            // operations on the mock provider's steps, in the YAML of a deviation's `do`
	verdicts []reports.Verdict // that are right for the named checks; empty: pass and note
	sockets  bool
}

// accept makes sure that checks stay silent on permitted behaviour, and that they did judge it.
func accept(t *testing.T, cases ...permitted) {
	t.Helper()
	for _, p := range cases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b := Behaviour{Setup: p.setup, Include: slices.Concat(p.checks, p.within), Sockets: p.sockets}
			if p.do != "" {
				d := profiles.Deviation{Name: p.name, Summary: p.name}
				if err := yaml.Unmarshal([]byte(p.do), &d.Do); err != nil {
					t.Fatal(err)
				}
				b.Deviations = []profiles.Deviation{d}
			}
			r, err := Run(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range Findings(r) {
				t.Errorf("a false alarm: %s", Describe(c))
			}
			blameless(t, r)
			if len(p.checks) == 0 {
				return
			}
			right := p.verdicts
			if len(right) == 0 {
				right = []reports.Verdict{reports.Pass, reports.Note}
			}
			for _, c := range r.Checks {
				if !slices.Contains(right, c.Verdict) {
					t.Errorf("it is to be %v: %s", right, Describe(c))
				}
			}
		})
	}
}

// What RFC 6749 allows a token response to look like.
func TestAcceptsTokenResponses(t *testing.T) {
	accept(t,
		permitted{name: "content-type-with-parameters", checks: []string{"rfc6749/token-response-media-type"},
			do: `{at: token.response, content_type: "Application/JSON ; charset=\"utf-8\""}`},
		permitted{name: "cache-control-with-more", checks: []string{"RFC6749-5.1-13"},
			do: `{at: token.response, header: {set: {Cache-Control: "private, No-Store, max-age=0"}}}`},
		permitted{name: "token-type-in-lower-case", checks: []string{"rfc6749/token-type-registered"},
			do: `{at: token.response, members: {set: {token_type: bearer}}}`},
		permitted{name: "no-refresh-tokens", setup: map[string]any{"refresh": map[string]any{"issue": "never"}}},
		permitted{name: "refresh-tokens-of-confidential-clients-stay", do: `{at: refresh_token.rotation, when: {client_type: confidential}, set: false}`},
		permitted{name: "refresh-tokens-of-confidential-clients-come-again",
			do: `{at: refresh_token.rotation, when: {client_type: confidential}, set: false, mode: return-same}`},
	)
}
