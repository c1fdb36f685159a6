package reports

import (
	"fmt"
	"strings"
)

// Verdicts lists all verdicts, the gravest first, as every format shows them.
func Verdicts() []Verdict {
	return []Verdict{Fail, Warn, Inconclusive, Known, Note, Pass, Skip}
}

// Summarize counts the verdicts of checks.
func Summarize(checks []Check) Summary {
	var s Summary
	for _, c := range checks {
		if n := s.counter(c.Verdict); n != nil {
			*n++
		}
	}
	return s
}

func (s *Summary) counter(v Verdict) *int {
	switch v {
	case Pass:
		return &s.Pass
	case Fail:
		return &s.Fail
	case Warn:
		return &s.Warn
	case Note:
		return &s.Note
	case Known:
		return &s.Known
	case Skip:
		return &s.Skip
	case Inconclusive:
		return &s.Inconclusive
	}
	return nil
}

// Count returns how many checks have the verdict.
func (s Summary) Count(v Verdict) int {
	if n := s.counter(v); n != nil {
		return *n
	}
	return 0
}

// Total returns the number of checks.
func (s Summary) Total() int {
	total := 0
	for _, v := range Verdicts() {
		total += s.Count(v)
	}
	return total
}

// String is the line with all seven counts.
func (s Summary) String() string {
	parts := make([]string, 0, 7)
	for _, v := range Verdicts() {
		parts = append(parts, fmt.Sprintf("%d %s", s.Count(v), v))
	}
	return strings.Join(parts, ", ")
}

// Red reports whether a check turns a run red: a violated MUST, with failOn "should" also a violated SHOULD, never a
// provisional check.
func (c *Check) Red(failOn string) bool {
	return !c.Provisional && (c.Verdict == Fail || c.Verdict == Warn && strings.EqualFold(failOn, "should"))
}

// Finding reports whether the check found something on the target, be it grave or only noteworthy.
func (c *Check) Finding() bool {
	switch c.Verdict {
	case Fail, Warn, Note, Known:
		return true
	}
	return false
}

// SpecName is the name of a specification as people write it: "RFC 6749" for "rfc6749".
func SpecName(slug string) string {
	lower := strings.ToLower(slug)
	switch {
	case strings.HasPrefix(lower, "rfc") && strings.Trim(lower[3:], "0123456789") == "" && len(lower) > 3:
		return "RFC " + lower[3:]
	case lower == "oauth21":
		return "OAuth 2.1"
	case strings.HasPrefix(lower, "oidc"):
		return strings.TrimSpace("OpenID Connect " + title(strings.Trim(lower[4:], "-_")))
	case strings.HasPrefix(lower, "mcp"):
		return strings.TrimSpace("MCP " + strings.Trim(lower[3:], "-_"))
	}
	return slug
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// group is a stretch of checks of one specification or section.
type group struct {
	spec, section string
	checks        []*Check
}

// groupBy gathers the checks that keep lets through, in order of the first appearance of their specification (and
// section).
func groupBy(checks []Check, bySection bool, keep func(*Check) bool) []group {
	var groups []group
	index := map[[2]string]int{}
	for i := range checks {
		c := &checks[i]
		if keep != nil && !keep(c) {
			continue
		}
		k := [2]string{c.Spec, ""}
		if bySection {
			k[1] = c.Section
		}
		n, ok := index[k]
		if !ok {
			n = len(groups)
			index[k] = n
			groups = append(groups, group{spec: k[0], section: k[1]})
		}
		groups[n].checks = append(groups[n].checks, c)
	}
	return groups
}

// requirementsOf returns the requirements that a check judges, in its order. One that the report does not describe is
// represented by its identifier.
func (r *Report) requirementsOf(c *Check) []Requirement {
	list := make([]Requirement, 0, len(c.Requirements))
	for _, id := range c.Requirements {
		found := Requirement{ID: id, Spec: c.Spec, Section: c.Section, Level: c.Level, Impact: c.Impact}
		for _, q := range r.Requirements {
			if q.ID == id {
				found = q
				break
			}
		}
		list = append(list, found)
	}
	return list
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// setups lists the further set-ups of the target that checks ran in; "" if there are none.
func setups(r *Report) string {
	var list []string
	for _, s := range r.Run.Setups {
		list = append(list, fmt.Sprintf("%s (%s)", Visible(s.Name), plural(s.Checks, "check")))
	}
	return strings.Join(list, "; ")
}

// setupsInShort counts them in a sentence.
func setupsInShort(r *Report) string {
	if len(r.Run.Setups) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of the checks ran in %s of the target", checksInSetups(r), plural(len(r.Run.Setups), "further set-up"))
}

// setupsInNumbers counts them beside a label.
func setupsInNumbers(r *Report) string {
	if len(r.Run.Setups) == 0 {
		return ""
	}
	return fmt.Sprintf("%d, for %s", len(r.Run.Setups), plural(checksInSetups(r), "check"))
}

func checksInSetups(r *Report) int {
	checks := 0
	for _, s := range r.Run.Setups {
		checks += s.Checks
	}
	return checks
}
