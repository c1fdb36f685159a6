package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
)

// Against the strict mock every check is judged, each in a set-up that lets it, and no set-up is there for nothing.
func TestNothingSkipsAgainstStrictMock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "report.json")
	got := oauthcheck(t, "run", "--target", "mock:strict", "--lane", "all", "--json", file)
	got.mustExit(t, 0)
	r := readJSON(t, file)
	var others, inSetups []string
	for _, c := range r.Checks {
		if c.Verdict != reports.Pass {
			others = append(others, fmt.Sprintf("%s %s", c.ID, c.Verdict))
		}
		if c.Setup != "" {
			inSetups = append(inSetups, c.Setup)
		}
	}
	if want := []string{"rfc6749/code-single-use-concurrent note", "rfc6749/refresh-token-single-use-concurrent note"}; !slices.Equal(others, want) {
		t.Errorf("not passed:\n  %s", strings.Join(others, "\n  "))
	}
	table, err := mocktarget.Setups()
	if err != nil {
		t.Fatal(err)
	}
	for i, setup := range table {
		if i >= len(r.Run.Setups) || r.Run.Setups[i].Name != setup.Name || !slices.Contains(inSetups, setup.Name) {
			t.Errorf("no check was judged in the set-up %q: %+v", setup.Name, r.Run.Setups)
			break
		}
	}
	got.mustSay(t, fmt.Sprintf("%d of the checks ran in %d further set-ups", len(inSetups), len(table)))
}

// A deviation whose proof needs a set-up of its own is found without a word about it on the command line.
func TestDeviationsBringTheirSetup(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range profiles.Deviations() {
		key := fmt.Sprint(d.Setup, d.Sockets)
		if len(d.Setup) == 0 || d.Fault || d.Proof == "pending" || seen[key] {
			continue
		}
		seen[key] = true
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			args := []string{"run", "--target", "mock:strict", "--deviation", d.Name, "--lane", "all", "--judge", "strict"}
			explained := oauthcheck(t, "explain", d.Name).stdout
			for word := range strings.FieldsSeq(explained) {
				if id := strings.Trim(word, ",;:."); strings.HasPrefix(id, "rfc") && strings.Contains(id, "/") {
					args = append(args, "--check", id)
				}
			}
			file := filepath.Join(t.TempDir(), "report.json")
			got := oauthcheck(t, append(args, "--json", file)...)
			if got.code > 1 {
				t.Fatalf("%s", got.all())
			}
			r := readJSON(t, file)
			if !slices.ContainsFunc(r.Checks, func(c reports.Check) bool {
				return c.Verdict == reports.Fail || c.Verdict == reports.Warn || c.Verdict == reports.Note
			}) {
				t.Errorf("not reported:\n%s", got.all())
			}
		})
	}
	if len(seen) < 20 {
		t.Errorf("only %d deviations have a set-up", len(seen))
	}
}

// Nothing is wrong with the set-up of the built-in mock.
func TestDoctorOfTheStrictMock(t *testing.T) {
	t.Parallel()
	got := oauthcheck(t, "doctor", "--target", "mock:strict", "--lane", "all", "--check", "rfc6749")
	got.mustExit(t, 0)
	for _, word := range []string{"problem ", "note ", "to blame"} {
		if strings.Contains(got.stdout, word) {
			t.Errorf("%q in\n%s", word, got.stdout)
		}
	}
}

func TestPlanNamesFurtherSetups(t *testing.T) {
	t.Parallel()
	got := oauthcheck(t, "plan", "--target", "mock:strict", "--check", "rfc6749/1.6")
	got.mustExit(t, 0)
	got.mustSay(t, "rfc6749/old-tls-refused  (further set-up: https)")
}

func TestExplainSection(t *testing.T) {
	t.Parallel()
	got := oauthcheck(t, "explain", "rfc6749/5.1")
	got.mustExit(t, 0)
	got.mustSay(t, "rfc6749/token-response-no-store (MUST)", "--check rfc6749/5.1")
}

func TestCoverageListsWhatIsNotChecked(t *testing.T) {
	t.Parallel()
	got := oauthcheck(t, "coverage", "--spec", "rfc8693")
	got.mustExit(t, 0)
	got.mustSay(t, "Not checked of rfc8693", "not testable: nothing can be seen from outside")
	if strings.Contains(got.stdout, "rfc6749") {
		t.Error(got.stdout)
	}
}
