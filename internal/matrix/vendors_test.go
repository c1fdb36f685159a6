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

// vendors are the built-in profiles that mimic a product.
func vendors() []string {
	return slices.DeleteFunc(profiles.Names(), func(name string) bool { return name == profiles.Strict || name == "rfc6749" })
}

// TestVendors runs all checks against the mock provider in the manner of each vendor: everything that they report is declared
// by the profile, and everything that the profile declares, but for its masks, is reported. The list is pinned.
func TestVendors(t *testing.T) {
	for _, name := range vendors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			profile, err := profiles.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			report := vendorRun(t, Behaviour{Vendor: name}, suites.StatusConforms)
			known := []string{}
			for _, c := range Findings(report) {
				if c.Verdict == reports.Note { // breaks no normative statement
					continue
				}
				if c.Verdict != reports.Known {
					t.Errorf("not declared: %s", Describe(c))
					continue
				}
				known = append(known, knownLine(c))
			}
			expected(t, profile, report)
			pin(t, filepath.Join("testdata", "known", name+".txt"), known)
			strictly(t, name, known)
			beyond(t, name)
		})
	}
}

// vendorRun runs the checks and makes sure of the exit status.
func vendorRun(t *testing.T, b Behaviour, status int) *reports.Report {
	t.Helper()
	r, err := Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	blameless(t, r)
	if r.Run.ExitStatus != status {
		t.Errorf("exit status %d, want %d: %+v %s", r.Run.ExitStatus, status, r.Summary, r.Run.Aborted)
	}
	return r
}

// knownLine is the line of a finding in the list: the check, its variants, the deviations that explain it.
func knownLine(c reports.Check) string {
	line := c.ID
	if variants := failedVariants(c); len(variants) > 0 {
		line += " [" + strings.Join(variants, ", ") + "]"
	}
	return line + ": " + strings.Join(c.Declared, ", ")
}

func failedVariants(c reports.Check) []string {
	var names []string
	for _, v := range c.Variants {
		if v.Verdict == reports.Known || v.Verdict == reports.Fail || v.Verdict == reports.Warn {
			names = append(names, v.Name)
		}
	}
	return names
}

// expected makes sure that what the profile declares is reported, unless a mask says what hides it or the target lacks what
// the check needs.
func expected(t *testing.T, profile *profiles.Profile, r *reports.Report) {
	t.Helper()
	verdicts := map[string]reports.Check{}
	for _, c := range r.Checks {
		verdicts[c.ID] = c
	}
	for _, e := range suites.Expected(profile, suites.Checks()) {
		if c := verdicts[e.Check]; !suites.Reported(c) && c.Verdict != reports.Skip && c.Verdict != reports.Note {
			t.Errorf("%s is not reported although the profile declares %s; if something hides it, say so with a mask: %s",
				e.Check, strings.Join(e.Deviations, ", "), Describe(c))
		}
	}
	for _, m := range profile.Masks {
		if c := verdicts[m.Check]; suites.Reported(c) {
			t.Errorf("the mask of %s is wrong, it is reported: %s", m.Deviation, Describe(c))
		}
	}
	for _, d := range profile.Deviations {
		if !slices.ContainsFunc(r.Checks, func(c reports.Check) bool { return slices.Contains(c.Declared, d.Deviation) }) {
			t.Errorf("nothing reports the declared deviation %s", d.Deviation)
		}
	}
}

// strictly makes sure that the strict judge forgives nothing: the same checks, as failures and warnings.
func strictly(t *testing.T, name string, known []string) {
	t.Helper()
	if len(known) == 0 {
		return
	}
	report := vendorRun(t, Behaviour{Vendor: name, Judge: suites.JudgeStrict}, suites.StatusViolation)
	var strict, want []string
	for _, c := range Findings(report) {
		if c.Verdict == reports.Note {
			continue
		}
		if c.Verdict == reports.Known {
			t.Errorf("the strict judge forgives %s", Describe(c))
		}
		strict = append(strict, c.ID)
	}
	for _, line := range known {
		id, _, _ := strings.Cut(line, ":")
		id, _, _ = strings.Cut(id, " [")
		want = append(want, id)
	}
	if !slices.Equal(strict, want) {
		t.Errorf("the strict judge reports %v\nwant %v", strict, want)
	}
}

// beyond makes sure that a violation which the profile does not declare is a failure, whoever judges.
func beyond(t *testing.T, name string) {
	t.Helper()
	const extra, check = "token-response-wrong-status", "rfc6749/token-response-status"
	deviation, ok := profiles.LookupDeviation(extra)
	if !ok {
		t.Fatalf("the catalogue lacks %s", extra)
	}
	for _, judge := range []string{suites.JudgeProfile, suites.JudgeStrict} {
		report := vendorRun(t, Behaviour{Vendor: name, Judge: judge, Deviations: []profiles.Deviation{deviation}, Include: []string{check}}, suites.StatusViolation)
		if c := report.Checks[0]; len(report.Checks) != 1 || c.Verdict != reports.Fail {
			t.Errorf("with %s and the judge %s: %s", extra, judge, Describe(c))
		}
	}
}

// pin compares lines with a file.
func pin(t *testing.T, file string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != got {
		t.Errorf("%s (%v) has\n%snow known:\n%sif that is right: go test ./internal/matrix -run TestVendors -update", file, err, want, got)
	}
}

// TestSwitches runs the checks against each vendor with each of its switches: what they report is declared.
func TestSwitches(t *testing.T) {
	for _, name := range vendors() {
		profile, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range profile.Switches {
			t.Run(name+"+"+s.Name, func(t *testing.T) {
				t.Parallel()
				for _, c := range Findings(vendorRun(t, Behaviour{Vendor: name + "+" + s.Name}, suites.StatusConforms)) {
					if c.Verdict != reports.Known && c.Verdict != reports.Note {
						t.Errorf("not declared: %s", Describe(c))
					}
				}
			})
		}
	}
}
