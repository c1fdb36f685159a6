package matrix

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

var (
	only   = flag.String("deviation", "*", "prove only the deviations whose name matches one of the `GLOBS`, separated by commas")
	update = flag.Bool("update", false, "write the golden files")
	seeds  = flag.Int("seeds", 20, "how many seeds of the shuffle mode to run")
)

// TestMain lets garbage lie longer: hundreds of short runs make much of it and keep little, and collecting it at the usual rate
// takes a third of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(1600)
	debug.SetMemoryLimit(2 << 30)
	os.Exit(m.Run())
}

// silent fails the test if a run with the behaviour reports anything, or if it did not test the target.
func silent(t *testing.T, b Behaviour) *reports.Report {
	t.Helper()
	r, err := Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Findings(r) {
		t.Errorf("a false alarm: %s", Describe(c))
	}
	blameless(t, r)
	if r.Run.ExitStatus == suites.StatusUntested {
		t.Errorf("the run did not test the target: %+v %s", r.Summary, r.Run.Aborted)
	}
	for _, c := range r.Checks {
		if testing.Verbose() && c.Verdict != reports.Pass && c.Verdict != reports.Skip {
			t.Log(Describe(c))
		}
	}
	return r
}

// decided fails the test for every check that could not be judged.
func decided(t *testing.T, r *reports.Report) {
	t.Helper()
	for _, c := range r.Checks {
		if c.Verdict == reports.Inconclusive {
			t.Errorf("undecided: %s", Describe(c))
		}
	}
}

// blameless fails the test for every check that blames itself.
func blameless(t *testing.T, r *reports.Report) {
	t.Helper()
	for _, c := range r.Checks {
		texts := []string{c.Message}
		for _, v := range c.Variants {
			texts = append(texts, v.Message)
		}
		if slices.ContainsFunc(texts, func(text string) bool {
			return strings.Contains(text, "a fault of the harness") || strings.Contains(text, target.ErrHarness.Error())
		}) {
			t.Error(Describe(c))
		}
	}
}

func TestStrictIsSilent(t *testing.T) {
	for name, b := range map[string]Behaviour{
		"strict":  {},
		"sockets": {Sockets: true},
		"https":   {Sockets: true, Setup: map[string]any{"tls": true}},
		"jwt":     {Setup: map[string]any{"access_token": map[string]any{"format": "jwt"}, "id_token": map[string]any{"algorithm": "RS256"}}},
		"liberal": {Setup: map[string]any{"query_token": true, "unknown_scope": "ignore", "scope_response": "changed",
			"invalid_client_status": 400}},
		"code-only": {Setup: map[string]any{"implicit": false, "grants": []any{"authorization_code"}, "openid": false, "iss_parameter": false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := silent(t, b)
			decided(t, r)
		})
	}
}

func TestShuffleIsSilent(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			t.Parallel()
			decided(t, silent(t, Behaviour{Shuffle: int64(seed + 1)}))
		})
	}
}

// chosen are the deviations that the flag selects.
func chosen() []profiles.Deviation {
	return slices.DeleteFunc(profiles.Deviations(), func(d profiles.Deviation) bool {
		for glob := range strings.SplitSeq(*only, ",") {
			if ok, err := path.Match(glob, d.Name); ok && err == nil {
				return false
			}
		}
		return true
	})
}

// controls are the reports of runs without a deviation, by its setup: each is run once, when a proof needs it.
type controls struct {
	mu sync.Mutex
	by map[string]func() (*reports.Report, error)
}

func (c *controls) of(ctx context.Context, d profiles.Deviation) (*reports.Report, error) {
	key := fmt.Sprint(d.Setup, d.Sockets)
	c.mu.Lock()
	run, ok := c.by[key]
	if !ok {
		run = sync.OnceValues(func() (*reports.Report, error) {
			return Run(context.WithoutCancel(ctx), Behaviour{Setup: d.Setup, Sockets: d.Sockets})
		})
		c.by[key] = run
	}
	c.mu.Unlock()
	return run()
}

// proofs collects which checks reported which deviation.
type proofs struct {
	mu sync.Mutex
	by map[string][]string // deviation to ids of checks
}

func (p *proofs) add(deviation string, ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[deviation] = ids
}

func TestMatrix(t *testing.T) {
	deviations := chosen()
	if len(deviations) == 0 {
		t.Fatalf("no deviation matches %q", *only)
	}
	all := proofs{by: map[string][]string{}}
	without := &controls{by: map[string]func() (*reports.Report, error){}}
	complete := t.Run("deviation", func(t *testing.T) {
		for _, d := range deviations {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				if d.Fault {
					harmless(t, d)
				} else {
					all.add(d.Name, prove(t, d, without))
				}
			})
		}
	})
	// With -run TestMatrix/deviation/NAME only some of them ran.
	if testing.Short() || len(all.by) < len(slices.DeleteFunc(slices.Clone(deviations), func(d profiles.Deviation) bool { return d.Fault })) {
		return
	}
	golden(t, deviations, all.by)
	if *only == "*" && complete {
		everyCheckReports(t, deviations, all.by)
	}
}

// prove runs the checks against a server with one deviation and returns the ids of those that report it. Each has to judge
// a requirement that the deviation names, in a variant that it names; each named requirement has to be reported. A check that
// can only remark (of a MAY) reports by a note that it does not make without the deviation.
func prove(t *testing.T, d profiles.Deviation, without *controls) []string {
	b := Behaviour{Setup: d.Setup, Deviations: []profiles.Deviation{d}, Declared: []profiles.Declared{{Deviation: d.Name}}, Sockets: d.Sockets}
	if testing.Short() {
		if b.Include = checksOf(named(d)...); len(b.Include) == 0 {
			t.Errorf("no check judges %s", d.Breaks)
			return nil
		}
	}
	control, err := without.of(t.Context(), d)
	if err != nil {
		t.Fatalf("without the deviation: %v", err)
	}
	for _, c := range Findings(control) {
		t.Errorf("a false alarm, with the setup but without the deviation: %s", Describe(c))
	}
	r, err := Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	blameless(t, r)
	var ids []string
	before := remarks(control)
	for _, c := range r.Checks {
		isNamed := slices.ContainsFunc(c.Requirements, func(id string) bool { return suites.SameRequirement(id, named(d)...) })
		switch {
		case suites.Reported(c):
			ids = append(ids, c.ID)
			if c.Verdict != reports.Known {
				t.Errorf("reported by a check of %v although the deviation breaks %s, implies %v, and has variants %v: %s",
					c.Requirements, d.Breaks, named(d)[1:], d.Variants, Describe(c))
			}
		case isNamed && c.Verdict == reports.Note && before[c.ID] != strings.Join(c.Notes, "\n"):
			ids = append(ids, c.ID)
		}
	}
	if d.Proof == "pending" {
		if slices.ContainsFunc(checksOf(d.Breaks), func(id string) bool { return slices.Contains(ids, id) }) {
			t.Errorf("a check of %s reports it: remove `proof: pending`", d.Breaks)
		}
		return ids
	}
	for _, requirement := range named(d) {
		judges := checksOf(requirement)
		switch {
		case len(judges) == 0:
			t.Errorf("no check judges %s", requirement)
		case !slices.ContainsFunc(judges, func(id string) bool { return slices.Contains(ids, id) }):
			t.Errorf("no check of %s reports it", requirement)
		case !testing.Verbose():
			continue
		}
		for _, c := range r.Checks {
			if slices.Contains(judges, c.ID) {
				t.Log(Describe(c))
			}
		}
	}
	return ids
}

// swift are parameters with which a fault that takes time takes little of it, by its name. A held request waits until the harness gives it up.
var swift = map[string]map[string]string{
	"response-slow": {"delay": "1ms"}, "header-slow": {"pause": "1ms"}, "body-slow": {"pause": "1ms"}, "rate-limited": {"seconds": "0"}, "response-held": {"times": "1"},
}

// harmless makes sure that a misbehaviour which breaks no requirement is no finding, but for those that it says follow from it.
func harmless(t *testing.T, d profiles.Deviation) {
	r, err := Run(t.Context(), Behaviour{Setup: d.Setup, Deviations: []profiles.Deviation{d}, Params: swift[d.Name], Declared: []profiles.Declared{{Deviation: d.Name}}, Sockets: d.Sockets})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Findings(r) {
		if c.Verdict != reports.Known {
			t.Errorf("a fault that breaks no requirement is reported: %s", Describe(c))
		}
	}
	for _, i := range d.Implies {
		if !slices.ContainsFunc(Findings(r), func(c reports.Check) bool {
			return slices.ContainsFunc(c.Requirements, func(id string) bool { return suites.SameRequirement(id, i.Requirement) })
		}) {
			t.Errorf("it implies %s, which nothing reports", i.Requirement)
		}
	}
	blameless(t, r)
}

// everyCheckReports makes sure that every check of a MUST or SHOULD was made to report, but for those whose requirement's
// deviation says that its proof is pending.
func everyCheckReports(t *testing.T, deviations []profiles.Deviation, by map[string][]string) {
	reporting := map[string]bool{}
	for _, ids := range by {
		for _, id := range ids {
			reporting[id] = true
		}
	}
	var pending []string
	for _, d := range deviations {
		if d.Proof == "pending" {
			pending = append(pending, d.Breaks)
		}
	}
	for _, c := range suites.Checks() {
		excused := slices.ContainsFunc(c.Requirements, func(id string) bool { return suites.SameRequirement(id, pending...) })
		if !reporting[c.ID] && !c.Level().IsMay() && !excused {
			t.Errorf("no deviation makes the check %s report (%s)", c.ID, strings.Join(c.Requirements, ", "))
		}
	}
}

// goldenFile holds what reports the deviations of one file of the catalogue.
func goldenFile(d profiles.Deviation) string {
	return filepath.Join("testdata", strings.TrimSuffix(path.Base(d.Source), ".yaml")+".txt")
}

// golden compares which checks report which deviation with the golden files: a check that silently stops reporting, or starts to,
// shows up here.
func golden(t *testing.T, deviations []profiles.Deviation, by map[string][]string) {
	files := map[string]map[string]string{}
	for _, d := range deviations {
		if d.Fault {
			continue
		}
		file := goldenFile(d)
		if files[file] == nil {
			files[file] = readGolden(t, file)
			if *only == "*" { // forget deviations that are gone
				maps.DeleteFunc(files[file], func(name, _ string) bool { _, ok := by[name]; return !ok })
			}
		}
		line := strings.Join(by[d.Name], " ")
		if old, ok := files[file][d.Name]; !*update && (!ok || old != line) {
			t.Errorf("%s: %s\n  was reported by: %s\n  now reported by: %s\n  if that is right: go test ./internal/matrix -run TestMatrix -deviation %s -update",
				file, d.Name, old, line, d.Name)
		}
		files[file][d.Name] = line
	}
	if *update {
		for file, lines := range files {
			writeGolden(t, file, lines)
		}
	}
}

// TestPage holds docs/matrix.md to the golden files.
func TestPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# The proof matrix

Every row is a deviation of the mock provider: one way of breaking one requirement, with the checks that reported it when the whole
suite ran against a mock that was strict but for that. On the strict mock itself, and on 20 shuffled ones, nothing is reported.
Written by ` + "`go test ./internal/matrix -run TestPage -update`" + `.

| deviation | breaks | also, as a consequence | reported by |
|---|---|---|---|
`)
	files := map[string]map[string]string{}
	for _, d := range profiles.Deviations() {
		if d.Fault {
			continue
		}
		file := goldenFile(d)
		if files[file] == nil {
			files[file] = readGolden(t, file)
		}
		reported := "(proof pending)"
		if ids := files[file][d.Name]; ids != "" {
			reported = "`" + strings.ReplaceAll(ids, " ", "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Breaks, strings.Join(named(d)[1:], ", "), reported)
	}
	file := filepath.Join("..", "..", "docs", "matrix.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != b.String() {
		t.Errorf("docs/matrix.md does not tell what the golden files hold (%v): go test ./internal/matrix -run TestPage -update", err)
	}
}

func readGolden(t *testing.T, file string) map[string]string {
	t.Helper()
	out := map[string]string{}
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, ids, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		out[name] = strings.TrimSpace(ids)
	}
	return out
}

func writeGolden(t *testing.T, file string, lines map[string]string) {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(strings.TrimSpace(name+": "+lines[name]) + "\n")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
