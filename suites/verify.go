package suites

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// RegistrationError says what is wrong with the registration of a check, and where it stands in the source.
type RegistrationError struct {
	Check  string // id
	Source string // "rfc6749/s5_1_token_response.go:12"
	Fault  string
}

func (e *RegistrationError) Error() string {
	return fmt.Sprintf("%s: check %s: %s", e.Source, e.Check, e.Fault)
}

// Verify reports everything that is wrong with the registered checks: the errors are *RegistrationError, joined. Every
// plan verifies first.
func Verify() error { return standard.Verify() }

// Verify is the function Verify for this registry.
func (r *Registry) Verify() error {
	var errs []error
	order := newOrder()
	taken := map[string]string{} // id or alias, to the place of its registration
	for _, c := range r.sorted() {
		report := func(format string, args ...any) {
			errs = append(errs, &RegistrationError{Check: c.ID, Source: c.source, Fault: fmt.Sprintf(format, args...)})
		}
		for _, fault := range c.faults(order) {
			report("%s", fault)
		}
		for _, name := range append([]string{c.ID}, c.Aliases...) {
			if other, ok := taken[name]; ok {
				report("the id or alias %q is taken by the check at %s", name, other)
			}
			taken[name] = c.source
		}
	}
	return errors.Join(errs...)
}

// The grammars of identifiers.
var (
	idGrammar    = regexp.MustCompile(`^[a-z][a-z0-9-]*/[a-z0-9]+(-[a-z0-9]+)*$`)
	sinceGrammar = regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`)
)

// faults lists what is wrong with one registration by itself.
func (c *Check) faults(order order) []string {
	faults := slices.Clone(c.misuse)
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	for _, id := range append([]string{c.ID}, c.Aliases...) {
		if !idGrammar.MatchString(id) {
			report("the id %q is not of the form spec/kebab-case-name", id)
		}
	}
	if _, ok := profiles.LookupSpec(c.Spec); !ok {
		report("the catalogue has no specification %q", c.Spec)
	} else if order.sections[[2]string{c.Spec, c.Section}] == 0 {
		report("the catalogue has no requirement in section %s of %s", c.Section, c.Spec)
	}
	if c.impact != "" && !slices.Contains([]string{"high", "medium", "low"}, c.impact) {
		report("Impact takes high, medium or low, not %q", c.impact)
	}
	if c.Provisional != "" && !sinceGrammar.MatchString(c.Provisional) {
		report("Provisional takes a month such as 2026-11, not %q", c.Provisional)
	}
	if !slices.Contains(Lanes(), c.Lane) {
		report("there is no lane %q", c.Lane)
	}
	for _, scope := range c.Disturbs {
		if scope != Grant && scope != Client && scope != User {
			report("there is no scope %q to disturb", scope)
		}
	}
	for _, capability := range c.Needs {
		if _, ok := target.LookupCapability(string(capability)); !ok {
			report("there is no capability %q", capability)
		}
	}
	if name, ok := repeated(c.Variants); ok {
		report("the variant %q is listed twice", name)
	}
	return append(faults, c.requirementFaults()...)
}

// requirementFaults lists what is wrong with the requirements that a check names.
func (c *Check) requirementFaults() []string {
	if len(c.Requirements) == 0 {
		return []string{"it names no requirement"}
	}
	var faults []string
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	classes := map[string]bool{}
	for _, id := range c.Requirements {
		r, ok := profiles.LookupRequirement(id)
		if !ok {
			hint := ""
			if near := profiles.NearestRequirement(id); near != "" {
				hint = "; did you mean " + near + "?"
			}
			report("the catalogue has no requirement %s%s", id, hint)
			continue
		}
		classes[class(r.Level)] = true
		if r.Testable == profiles.NotTestable {
			report("the requirement %s cannot be tested: %s", id, r.WhyNot)
		}
		if r.Spec != c.Spec && !slices.Contains(c.Crosses, id) {
			report("the requirement %s belongs to %s: name it with Crosses, or move the check", id, r.Spec)
		}
	}
	if len(classes) > 1 {
		report("its requirements are of different severity: %s", strings.Join(c.Requirements, ", "))
	}
	if name, ok := repeated(c.Requirements); ok {
		report("it names the requirement %s twice", name)
	}
	return faults
}

// class is the severity class of a level.
func class(level profiles.Level) string {
	switch {
	case level.IsMust():
		return "MUST"
	case level.IsShould():
		return "SHOULD"
	}
	return "MAY"
}

// repeated returns the first word that occurs twice.
func repeated(words []string) (string, bool) {
	for i, word := range words {
		if slices.Contains(words[:i], word) {
			return word, true
		}
	}
	return "", false
}

// requirements looks the check's requirements up.
func (c *Check) requirements() []profiles.Requirement {
	var out []profiles.Requirement
	for _, id := range c.Requirements {
		if r, ok := profiles.LookupRequirement(id); ok {
			out = append(out, r)
		}
	}
	return out
}

// Level is the level of the check's first requirement: all are of one severity class.
func (c Check) Level() profiles.Level {
	for _, r := range c.requirements() {
		return r.Level
	}
	return ""
}

// Impact is the check's impact: its own, or the highest of its requirements: "high", "medium" or "low".
func (c Check) Impact() string {
	if c.impact != "" {
		return c.impact
	}
	grades := []string{"high", "medium", "low"}
	best := len(grades)
	for _, r := range c.requirements() {
		if i := slices.Index(grades, r.Impact); i >= 0 && i < best {
			best = i
		}
	}
	if best == len(grades) {
		return ""
	}
	return grades[best]
}

// Title is the check's title: its own, or what its first requirement says.
func (c Check) Title() string {
	if c.title != "" {
		return c.title
	}
	for _, r := range c.requirements() {
		return r.Says
	}
	return c.Name
}

// Sent says in one line what the check sends: its own line, or its first requirement's probe.
func (c Check) Sent() string {
	if c.Sends != "" {
		return c.Sends
	}
	for _, r := range c.requirements() {
		return strings.Join(strings.Fields(r.Probe), " ")
	}
	return ""
}
