package main

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites"
)

// The shapes of `list --json` and `coverage --json`. Their names and members are part of the interface.

type checkJSON struct {
	ID           string   `json:"id"`
	Spec         string   `json:"spec"`
	Section      string   `json:"section"`
	Title        string   `json:"title"`
	Level        string   `json:"level"`
	Impact       string   `json:"impact"`
	Requirements []string `json:"requirements"`
	Needs        []string `json:"needs"`
	Lane         string   `json:"lane"`
	Provisional  bool     `json:"provisional"`
	Deviations   []string `json:"deviations"`
}

type deviationJSON struct {
	Name         string      `json:"name"`
	Kind         string      `json:"kind"` // deviation or fault
	Summary      string      `json:"summary"`
	StandsFor    string      `json:"stands_for"`
	Params       []paramJSON `json:"params"`
	Breaks       string      `json:"breaks"` // empty for a fault
	Implies      []string    `json:"implies"`
	Requirements []string    `json:"requirements"` // breaks and implies together
	Checks       []string    `json:"checks"`
}

type paramJSON struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

type requirementJSON struct {
	ID       string   `json:"id"`
	Spec     string   `json:"spec"`
	Section  string   `json:"section"`
	Level    string   `json:"level"`
	Impact   string   `json:"impact"`
	Endpoint string   `json:"endpoint"`
	Says     string   `json:"says"`
	Testable string   `json:"testable"`
	Checks   []string `json:"checks"`
}

type profileJSON struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Summary    string   `json:"summary"`
	Deviations []string `json:"deviations"`
	Switches   []string `json:"switches"`
}

type coverageJSON struct {
	Spec               string `json:"spec"`
	Server             int    `json:"server"` // statements that bind the server; repetitions (same_as) do not count
	BlackBox           int    `json:"black_box"`
	BlackBoxChecked    int    `json:"black_box_checked"`
	Conditional        int    `json:"conditional"`
	ConditionalChecked int    `json:"conditional_checked"`
	NotTestable        int    `json:"not_testable"`

	Unchecked []uncheckedJSON `json:"unchecked,omitempty"` // the statements that no check judges; only where specifications are chosen
}

// uncheckedJSON is a statement that binds the server and that no check judges.
type uncheckedJSON struct {
	ID    string `json:"id"`
	Level string `json:"level"`
	Says  string `json:"says"`
	Why   string `json:"why"`
}

// catalogue joins the checks with the requirements that they judge and the deviations that prove them.
type catalogue struct {
	checks       []suites.Check
	requirements []profiles.Requirement
	deviations   []profiles.Deviation

	checksOf     map[string][]string             // requirement id → check ids
	deviationsOf map[string][]string             // requirement id → names of the deviations that break it
	requirement  map[string]profiles.Requirement // by id
}

func loadCatalogue() *catalogue {
	c := &catalogue{
		checks:       suites.Checks(),
		requirements: profiles.Requirements(""),
		deviations:   profiles.Deviations(),
		checksOf:     map[string][]string{},
		deviationsOf: map[string][]string{},
		requirement:  map[string]profiles.Requirement{},
	}
	for _, r := range c.requirements {
		c.requirement[r.ID] = r
	}
	for _, check := range c.checks {
		for _, id := range check.Requirements {
			c.checksOf[id] = append(c.checksOf[id], check.ID)
		}
	}
	for _, d := range c.deviations {
		for _, id := range broken(d) {
			c.deviationsOf[id] = append(c.deviationsOf[id], d.Name)
		}
	}
	return c
}

// broken lists the requirements that a deviation breaks: its own, then the implied ones.
func broken(d profiles.Deviation) []string {
	ids := []string{}
	if d.Breaks != "" {
		ids = append(ids, d.Breaks)
	}
	for _, i := range d.Implies {
		ids = append(ids, i.Requirement)
	}
	return ids
}

// gather joins the lists that of has for the ids, without repetitions.
func gather(of map[string][]string, ids []string) []string {
	out := []string{}
	for _, id := range ids {
		for _, v := range of[id] {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

func (c *catalogue) checkJSON(check suites.Check) checkJSON {
	out := checkJSON{
		ID: check.ID, Spec: check.Spec, Section: check.Section, Title: oneParagraph(check.Title()), Level: string(check.Level()), Impact: check.Impact(),
		Requirements: check.Requirements, Needs: []string{}, Lane: string(check.Lane),
		Provisional: check.Provisional != "", Deviations: gather(c.deviationsOf, check.Requirements),
	}
	for _, need := range check.Needs {
		out.Needs = append(out.Needs, string(need))
	}
	return out
}

func (c *catalogue) deviationJSON(d profiles.Deviation) deviationJSON {
	ids := broken(d)
	out := deviationJSON{
		Name: d.Name, Kind: kindOf(d), Summary: d.Summary, StandsFor: d.Stands, Params: []paramJSON{}, Breaks: d.Breaks, Implies: []string{},
		Requirements: ids, Checks: gather(c.checksOf, ids),
	}
	for _, p := range d.Params {
		out.Params = append(out.Params, paramJSON(p))
	}
	for _, i := range d.Implies {
		out.Implies = append(out.Implies, i.Requirement)
	}
	return out
}

// kindOf tells the two kinds of misbehaviour apart: a deviation breaks a requirement, and the harness detects it; a fault tests clients.
func kindOf(d profiles.Deviation) string {
	if d.Fault {
		return "fault"
	}
	return "deviation"
}

func (c *catalogue) requirementJSON(r profiles.Requirement) requirementJSON {
	return requirementJSON{
		ID: r.ID, Spec: r.Spec, Section: r.Section, Level: string(r.Level), Impact: r.Impact, Endpoint: r.Endpoint,
		Says: r.Says, Testable: string(r.Testable), Checks: gather(c.checksOf, []string{r.ID}),
	}
}

func profileOf(p *profiles.Profile) profileJSON {
	out := profileJSON{Name: p.Name, Title: p.Title, Summary: p.Summary, Deviations: []string{}, Switches: []string{}}
	for _, d := range p.Deviations {
		out.Deviations = append(out.Deviations, d.Deviation)
	}
	for _, s := range p.Switches {
		out.Switches = append(out.Switches, s.Name)
	}
	return out
}

// checked reports whether a requirement counts as covered: a check judges it, and, except for permissions (MAY), which
// cannot be violated, a deviation that a check is known to report breaks it.
func (c *catalogue) checked(r profiles.Requirement) bool {
	if len(c.checksOf[r.ID]) == 0 {
		return false
	}
	if r.Level.IsMay() {
		return true
	}
	return slices.ContainsFunc(c.deviationsOf[r.ID], func(name string) bool {
		d, ok := profiles.LookupDeviation(name)
		return ok && d.Proof != "pending"
	})
}

// coverage counts the statements of the specifications, or of all; of those that are named it lists what is not checked.
func (c *catalogue) coverage(specs []string) []coverageJSON {
	out := []coverageJSON{}
	for _, spec := range profiles.Specs() {
		if len(specs) > 0 && !slices.Contains(specs, spec.Slug) {
			continue
		}
		counts := profiles.CountRequirements(spec.Slug)
		row := coverageJSON{
			Spec: spec.Slug, Server: counts.Server, BlackBox: counts.BlackBox, Conditional: counts.Conditional,
			NotTestable: counts.NotTestable,
		}
		for _, r := range c.requirements {
			if r.Spec != spec.Slug || !r.BindsServer() || !r.Distinct() {
				continue
			}
			if !c.checked(r) {
				if len(specs) > 0 {
					row.Unchecked = append(row.Unchecked, uncheckedJSON{ID: r.ID, Level: string(r.Level), Says: oneParagraph(r.Says), Why: c.whyUnchecked(r)})
				}
				continue
			}
			switch r.Testable {
			case profiles.BlackBox:
				row.BlackBoxChecked++
			case profiles.Conditional:
				row.ConditionalChecked++
			}
		}
		out = append(out, row)
	}
	return out
}

// whyUnchecked says why no check counts for a statement.
func (c *catalogue) whyUnchecked(r profiles.Requirement) string {
	switch {
	case len(c.checksOf[r.ID]) > 0:
		return "checked, but not proven: the mock provider shows no violation of it"
	case r.Testable == profiles.Conditional && r.Condition != "":
		return "no check; it would need: " + oneParagraph(r.Condition)
	case r.Testable == profiles.Conditional || r.Testable == profiles.BlackBox:
		return "no check"
	}
	return "not testable: nothing can be seen from outside"
}

// specSlugs lists the slugs of the specifications.
func specSlugs() []string {
	var slugs []string
	for _, s := range profiles.Specs() {
		slugs = append(slugs, s.Slug)
	}
	return slugs
}

// oneParagraph joins the lines of a text.
func oneParagraph(text string) string { return strings.Join(strings.Fields(text), " ") }

// oneLine shortens text to one line of at most n characters, at a word's end.
func oneLine(text string, n int) string {
	text = oneParagraph(text)
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	cut := string(runes[:n-1])
	if i := strings.LastIndexByte(cut, ' '); i > n/2 {
		cut = cut[:i]
	}
	return cut + "…"
}
