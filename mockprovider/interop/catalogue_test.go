package interop

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// A catalogued is a fault of the catalogue, and what the clients make of it.
type catalogued struct {
	Fault       string            `yaml:"fault"` // name:param=value
	Flow        string            `yaml:"flow"`
	Harmless    bool              `yaml:"harmless"` // a client should get through
	CaughtBy    map[string]string `yaml:"caught_by"`
	NotCaughtBy []string          `yaml:"not_caught_by"`
}

func (c catalogued) name() string {
	name, _, _ := strings.Cut(c.Fault, ":")
	return name
}

// unmet are the faults of the catalogue that the clients do not meet here, with the reason.
var unmet = map[string]string{
	"response-held": "it waits for a test to open a latch",
	"openid-configuration-plain-http-token-endpoint": "it needs TLS, which the programs here do without",
}

// mustCatchAtLeast is how many of the faults of ID tokens each of these clients has to catch.
var mustCatchAtLeast = map[string]int{"go-oidc": 18, "openid-client": 24, "oauth4webapi": 24, "authlib": 28, "zitadel-oidc": 28}

// TestCatalogue: the clients catch the faults of the catalogue that the table says they catch, and get through the others.
func TestCatalogue(t *testing.T) {
	table := read[catalogued](t, "catalogue.yaml")
	complete(t, table)
	forEach(t, stock, func(t *testing.T, j judge) {
		for _, c := range table {
			if slices.Contains(j.flows, c.Flow) {
				t.Run(c.name(), func(t *testing.T) {
					config := map[string]any{"deviations": []any{c.Fault}}
					if c.Harmless {
						mustPassOrStumble(t, j, c.Flow, mockOf{config: config}, c.CaughtBy[j.name])
						return
					}
					mustCatch(t, j, fault{Name: c.name(), Flow: c.Flow, Mock: config, CaughtBy: c.CaughtBy})
				})
			}
		}
	})
}

// complete makes sure that the table has every fault, and for each of them every client.
func complete(t *testing.T, table []catalogued) {
	t.Helper()
	caught := map[string]int{}
	seen := map[string]bool{}
	for _, c := range table {
		if seen[c.name()] {
			t.Errorf("%s is in the table twice", c.name())
		}
		seen[c.name()] = true
		var want, got []string
		for _, j := range judges() {
			if stock(j) && slices.Contains(j.flows, c.Flow) {
				want = append(want, j.name)
			}
		}
		for name := range c.CaughtBy {
			got = append(got, name)
			if strings.HasPrefix(c.Fault, "id-token-") && !c.Harmless {
				caught[name]++
			}
		}
		got = append(got, c.NotCaughtBy...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the table has %v, the clients with the flow %s are %v", c.Fault, got, c.Flow, want)
		}
	}
	for _, d := range profiles.Deviations() {
		if (d.Fault || d.Source == "faults_breaking.yaml") && !seen[d.Name] && unmet[d.Name] == "" {
			t.Errorf("%s is not in the table", d.Name)
		}
	}
	for name, least := range mustCatchAtLeast {
		if caught[name] < least {
			t.Errorf("%s catches %d faults of ID tokens, want at least %d", name, caught[name], least)
		}
	}
}
