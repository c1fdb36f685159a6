package matrix

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

var (
	only    = flag.String("deviation", "", "run the matrix for the deviations that match this glob (several: comma-separated) and print every finding")
	details = flag.Bool("details", false, "with -deviation: print messages of the findings")
	update  = flag.Bool("update", false, "write docs/matrix.md")
)

// all is the target of a mock that has everything switched on that the strict one has by choice.
func everything() map[string]any { return map[string]any{"implicit": true} }

// run runs every check of every lane on a mock with the settings and options, in-process (or over sockets), and returns the report.
func run(settings map[string]any, sockets bool, opts ...mockprovider.Option) (*reports.Report, error) {
	setup := map[string]any{}
	var overlay any
	for key, value := range settings {
		if key == "target" {
			overlay = value
			continue
		}
		setup[key] = value
	}
	opts = append([]mockprovider.Option{mockprovider.WithSettings(everything()), mockprovider.WithSettings(setup)}, opts...)
	var provider *mockprovider.Provider
	var config target.Config
	var err error
	if sockets {
		if provider, err = mockprovider.Start(opts...); err != nil {
			return nil, err
		}
		config = mocktarget.Config(provider)
		config.Sleep = mocktarget.Handler(provider).Sleep
	} else {
		if provider, err = mockprovider.NewHandler(append([]mockprovider.Option{mockprovider.Issuer(mocktarget.InProcess)}, opts...)...); err != nil {
			return nil, err
		}
		config = mocktarget.Handler(provider)
	}
	defer provider.Close()
	if overlay != nil {
		text, err := yaml.Marshal(overlay)
		if err != nil {
			return nil, err
		}
		if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&config); err != nil {
			return nil, fmt.Errorf("setup.target: %w", err)
		}
	}
	return suites.Execute(context.Background(), suites.Config{Target: config, Lanes: []string{"all"}})
}

// finding is a check that reported something.
type finding struct {
	check   reports.Check
	verdict reports.Verdict
}

// reporting are the checks that report more than they do on the strict mock: a violation, or a note that is new.
func reporting(r, baseline *reports.Report) map[string]finding {
	calm := map[string]reports.Check{}
	if baseline != nil {
		for _, c := range baseline.Checks {
			calm[c.ID] = c
		}
	}
	out := map[string]finding{}
	for _, c := range r.Checks {
		switch c.Verdict {
		case reports.Fail, reports.Warn:
			out[c.ID] = finding{c, c.Verdict}
		case reports.Note:
			if before, ok := calm[c.ID]; baseline != nil && (!ok || before.Verdict != reports.Note || len(before.Notes) != len(c.Notes)) {
				out[c.ID] = finding{c, c.Verdict}
			}
		}
	}
	return out
}

// baselines are the reports of the mock without deviation, by its settings.
type baselines struct {
	mu sync.Mutex
	by map[string]func() (*reports.Report, error)
}

func (b *baselines) of(setup map[string]any, sockets bool) (*reports.Report, error) {
	key, _ := yaml.Marshal(map[string]any{"setup": setup, "sockets": sockets})
	b.mu.Lock()
	make, ok := b.by[string(key)]
	if !ok {
		make = sync.OnceValues(func() (*reports.Report, error) { return run(setup, sockets) })
		b.by[string(key)] = make
	}
	b.mu.Unlock()
	return make()
}

// row is what became of one deviation.
type row struct {
	deviation profiles.Deviation
	findings  map[string]finding
	problems  []string
}

func (r *row) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// prove runs the suite against the mock with one deviation and says what is wrong with the outcome.
func prove(d profiles.Deviation, b *baselines) *row {
	r := &row{deviation: d}
	baseline, err := b.of(d.Setup, d.Sockets)
	if err != nil {
		r.problem("the mock without the deviation: %v", err)
		return r
	}
	for id, f := range reporting(baseline, nil) {
		r.problem("with the setup alone %s reports %s: %s %s", id, f.verdict, f.check.Message, f.check.Actual)
	}
	report, err := run(d.Setup, d.Sockets, mockprovider.WithDeviation(d, d.Resolve(nil)))
	if err != nil {
		r.problem("%v", err)
		return r
	}
	r.findings = reporting(report, baseline)
	allowed := []string{d.Breaks}
	for _, implied := range d.Implies {
		allowed = append(allowed, implied.Requirement)
	}
	proven := false
	for id, f := range r.findings {
		switch {
		case slices.Contains(f.check.Requirements, d.Breaks):
			proven = true
		case !slices.ContainsFunc(f.check.Requirements, func(id string) bool { return slices.Contains(allowed, id) }):
			if f.verdict != reports.Note {
				r.problem("%s of %s reports %s as well: %s %s%s", id, strings.Join(f.check.Requirements, ", "), f.verdict, f.check.Message, f.check.Actual, variantsOf(f.check))
			}
		}
	}
	for _, implied := range d.Implies {
		if !slices.ContainsFunc(mapValues(r.findings), func(f finding) bool { return slices.Contains(f.check.Requirements, implied.Requirement) }) {
			r.problem("implies %s, which no check reports", implied.Requirement)
		}
	}
	if !proven {
		r.problem("no check of %s reports it%s", d.Breaks, calmChecks(report, d.Breaks))
	}
	return r
}

func mapValues(m map[string]finding) []finding {
	var out []finding
	for _, f := range m {
		out = append(out, f)
	}
	return out
}

func variantsOf(c reports.Check) string {
	var out []string
	for _, v := range c.Variants {
		if v.Verdict == reports.Fail || v.Verdict == reports.Warn {
			out = append(out, v.Name+": "+v.Message+" "+v.Actual)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " [" + strings.Join(out, "; ") + "]"
}

// calmChecks says what the checks of a requirement said instead.
func calmChecks(r *reports.Report, requirement string) string {
	var out []string
	for _, c := range r.Checks {
		if slices.Contains(c.Requirements, requirement) {
			out = append(out, fmt.Sprintf("%s: %s %s %s", c.ID, c.Verdict, c.Message, strings.Join(c.Notes, "; ")))
		}
	}
	if len(out) == 0 {
		return "; there is none"
	}
	return "; " + strings.Join(out, "; ")
}

func selected(name string) bool {
	if *only == "" {
		return true
	}
	for _, glob := range strings.Split(*only, ",") {
		if ok, _ := path.Match(glob, name); ok {
			return true
		}
	}
	return false
}

// TestMatrix proves every deviation of the catalogue: the checks of what it breaks report it, and nobody else does.
func TestMatrix(t *testing.T) {
	b := &baselines{by: map[string]func() (*reports.Report, error){}}
	var deviations []profiles.Deviation
	for _, d := range profiles.Deviations() {
		if !d.Fault && d.Proof == "" && selected(d.Name) {
			deviations = append(deviations, d)
		}
	}
	rows := make([]*row, len(deviations))
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				rows[i] = prove(deviations[i], b)
			}
		})
	}
	for i := range deviations {
		work <- i
	}
	close(work)
	wg.Wait()

	for _, r := range rows {
		for _, p := range r.problems {
			t.Errorf("%s (%s): %s", r.deviation.Name, r.deviation.Source, p)
		}
		if *only != "" {
			t.Logf("%s: %s", r.deviation.Name, strings.Join(names(r.findings), ", "))
			if *details {
				for _, f := range r.findings {
					t.Logf("    %s %s: %s %s%s %s", f.verdict, f.check.ID, f.check.Message, f.check.Actual, variantsOf(f.check), strings.Join(f.check.Notes, "; "))
				}
			}
		}
	}
	if *only == "" {
		unproven(t, rows)
		golden(t, rows)
	}
}

func names(findings map[string]finding) []string {
	var out []string
	for id := range findings {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// unproven complains about checks that no deviation made report. Checks of mere permissions need none.
func unproven(t *testing.T, rows []*row) {
	t.Helper()
	reported := map[string]bool{}
	for _, r := range rows {
		for id := range r.findings {
			reported[id] = true
		}
	}
	for _, c := range suites.Checks() {
		if reported[c.ID] || slices.Contains(c.Needs, target.TLS) {
			continue
		}
		for _, id := range c.Requirements {
			if requirement, ok := profiles.LookupRequirement(id); ok && (requirement.Level.IsMust() || requirement.Level.IsShould()) {
				t.Errorf("%s: no deviation makes it report %s (%s)", c.ID, id, requirement.Fault)
				break
			}
		}
	}
}

// golden holds docs/matrix.md against what was found.
func golden(t *testing.T, rows []*row) {
	t.Helper()
	file := filepath.Join("..", "..", "docs", "matrix.md")
	want := page(rows)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/matrix.md is not what the matrix gives; look at the difference and run go test ./internal/matrix -update (%v)", err)
	}
}

// page writes the matrix as Markdown.
func page(rows []*row) []byte {
	var b bytes.Buffer
	b.WriteString("# The proof matrix\n\nEvery row is a deviation of the mock provider: one way of breaking one requirement, and the checks that reported it when the whole suite ran\n" +
		"against a mock that was strict but for that. On the strict mock itself, and on 20 shuffled ones, nothing is reported. Written by\n`go test ./internal/matrix -update`.\n\n" +
		"| deviation | breaks | also, as a consequence | reported by |\n|---|---|---|---|\n")
	for _, r := range rows {
		var implied []string
		for _, i := range r.deviation.Implies {
			implied = append(implied, i.Requirement)
		}
		var reported []string
		for _, id := range names(r.findings) {
			text := "`" + id + "`"
			if r.findings[id].verdict == reports.Note {
				text += " (note)"
			}
			reported = append(reported, text)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.deviation.Name, r.deviation.Breaks, strings.Join(implied, ", "), strings.Join(reported, ", "))
	}
	return b.Bytes()
}

// TestStrictIsSilent runs everything on the strict mock: nothing is reported, nothing is left undecided.
func TestStrictIsSilent(t *testing.T) {
	report, err := run(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	silent(t, report)
	for _, c := range report.Checks {
		if testing.Verbose() && c.Verdict != reports.Pass {
			t.Logf("%-12s %-50s %s %s", c.Verdict, c.ID, c.Message, c.Enable)
		}
	}
	t.Logf("%+v", report.Summary)
}

// TestShuffledIsSilent does the same on mocks that vary everything that the specifications leave free.
func TestShuffledIsSilent(t *testing.T) {
	const seeds = 20
	for seed := int64(1); seed <= seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			report, err := run(nil, false, mockprovider.Shuffle(seed))
			if err != nil {
				t.Fatal(err)
			}
			silent(t, report)
		})
	}
}

func silent(t *testing.T, r *reports.Report) {
	t.Helper()
	if len(r.Checks) == 0 {
		t.Fatal("no check ran")
	}
	for _, c := range r.Checks {
		switch c.Verdict {
		case reports.Fail, reports.Warn, reports.Known, reports.Inconclusive:
			t.Errorf("%s: %s: %s %s%s", c.ID, c.Verdict, c.Message, c.Actual, variantsOf(c))
		}
	}
}
