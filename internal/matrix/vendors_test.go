package matrix

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
)

// vendors are the built-in profiles of real servers.
func vendors() []string {
	return slices.DeleteFunc(profiles.Names(), func(name string) bool { return name == profiles.Strict || name == "rfc6749" })
}

// TestVendors runs every check against the mock of every vendor: what its profile declares is found, unless a mask says what
// hides it, and nothing else is. The findings are pinned by a golden file for each vendor.
func TestVendors(t *testing.T) {
	for _, name := range vendors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			profile, err := profiles.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(t.Context(), Behaviour{Vendor: name})
			if err != nil {
				t.Fatal(err)
			}
			blameless(t, r)
			if r.Run.ExitStatus == suites.StatusUntested {
				t.Errorf("the run did not test the target: %+v %s", r.Summary, r.Run.Aborted)
			}
			var known []string
			found := map[string]bool{}
			for _, c := range Findings(r) {
				if c.Verdict != reports.Known {
					t.Errorf("the profile does not declare it: %s", Describe(c))
					continue
				}
				known = append(known, c.ID+": "+strings.Join(c.Declared, " ")+"\n")
				found[c.ID] = true
			}
			for _, e := range suites.Expected(profile, suites.Checks()) {
				if i := slices.IndexFunc(r.Checks, func(c reports.Check) bool { return c.ID == e.Check }); !found[e.Check] && i >= 0 {
					switch c := r.Checks[i]; c.Verdict {
					case reports.Pass, reports.Inconclusive:
						t.Errorf("declared (%s) but not found, and no mask says why: %s", strings.Join(e.Deviations, ", "), Describe(c))
					}
				}
			}
			file := filepath.Join("testdata", "vendors", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(strings.Join(known, "")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || string(want) != strings.Join(known, "") {
				t.Errorf("known findings (%v): got\n%swant\n%s(go test ./internal/matrix -run TestVendors/%s -update)", err, strings.Join(known, ""), want, name)
			}
		})
	}
}
