package all_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all"
)

var update = flag.Bool("update", false, "record the ids of the checks in testdata")

func TestRegistrations(t *testing.T) {
	if err := suites.Verify(); err != nil {
		t.Error(err)
	}
	if len(suites.Checks()) == 0 {
		t.Error("no check is registered")
	}
}

// An id is for ever: baselines and filters hold it. testdata/ids has a file for each specification whose checks are complete;
// what was ever recorded there stays, as the id of a check or as its alias.
func TestIdsAreForEver(t *testing.T) {
	now := map[string][]string{} // specification to ids
	valid := map[string]bool{}
	for _, c := range suites.Checks() {
		now[c.Spec] = append(now[c.Spec], c.ID)
		for _, name := range append(c.Aliases, c.ID) {
			valid[name] = true
		}
	}
	for spec, ids := range now {
		file := filepath.Join("testdata", "ids", spec+".txt")
		recorded := lines(t, file)
		if *update {
			write(t, file, append(recorded, ids...))
			continue
		}
		for _, id := range recorded {
			if !valid[id] {
				t.Errorf("the id %s is gone: give the check that took its place suites.Aliases(%q)", id, id)
			}
		}
		if len(recorded) == 0 {
			continue // not yet complete
		}
		for _, id := range ids {
			if !slices.Contains(recorded, id) {
				t.Errorf("the id %s is new: go test ./suites/all -update records it for ever", id)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "ids", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if spec := strings.TrimSuffix(filepath.Base(file), ".txt"); now[spec] == nil {
			t.Errorf("%s: all checks of %s are gone", file, spec)
		}
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

func write(t *testing.T, file string, ids []string) {
	t.Helper()
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(slices.Sorted(maps.Keys(set)), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A check of a MUST or SHOULD has a deviation that breaks one of its requirements, itself or by implication. Whether the
// check reports it is internal/matrix's to prove; a deviation may say that this is pending.
func TestEveryCheckHasADeviation(t *testing.T) {
	broken := map[string]bool{}
	for _, d := range profiles.Deviations() {
		if d.Fault {
			continue
		}
		broken[original(d.Breaks)] = true
		for _, i := range d.Implies {
			broken[original(i.Requirement)] = true
		}
	}
	for _, c := range suites.Checks() {
		complete := len(lines(t, filepath.Join("testdata", "ids", c.Spec+".txt"))) > 0
		if complete && !c.Level().IsMay() && !slices.ContainsFunc(c.Requirements, func(id string) bool { return broken[original(id)] }) {
			t.Errorf("no deviation breaks a requirement of %s (%s)", c.ID, strings.Join(c.Requirements, ", "))
		}
	}
}

func original(id string) string {
	for range 4 {
		r, ok := profiles.LookupRequirement(id)
		if !ok || r.SameAs == "" {
			break
		}
		id = r.SameAs
	}
	return id
}
