package matrix

import (
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
)

// In each of the further set-ups of the strict mock all checks are silent, not only those for whose sake it is there.
func TestSetupsAreSilent(t *testing.T) {
	table, err := mocktarget.Setups()
	if err != nil {
		t.Fatal(err)
	}
	for _, setup := range table {
		t.Run(setup.Name, func(t *testing.T) {
			t.Parallel()
			c, shut, err := setup.Suite(nil).Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if shut != nil {
				defer shut()
			}
			c.Timing.Timeout = timeout
			r, err := suites.Execute(t.Context(), suites.Config{Target: c, Profile: &profiles.Profile{Name: "declared"}, Lanes: []string{"all"}, Procs: 4,
				Deadline: 2 * time.Minute, Evidence: suites.EvidenceFindings})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range Findings(r) {
				if c.ID == "rfc7636/plain-not-offered" && c.Verdict == reports.Warn {
					continue // one of them offers plain, which a server should not: else nothing could be said of its verifiers
				}
				t.Errorf("a false alarm: %s", Describe(c))
			}
			blameless(t, r)
			decided(t, r)
		})
	}
}
