package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// The vocabulary of the fields that hold one of a few words.
var (
	levels     = []string{string(profiles.Must), string(profiles.MustNot), string(profiles.Should), string(profiles.ShouldNot), string(profiles.May)}
	testable   = []string{string(profiles.BlackBox), string(profiles.Conditional), string(profiles.NotTestable)}
	impacts    = []string{"high", "medium", "low"}
	endpoints  = []string{"authorization", "token", "resource", "registration", "metadata", "revocation", "introspection", "device", "par", "client", "user-agent"}
	provenance = []string{"seed", "docs", "source", "recorded", "inferred"}
)

var (
	paramName     = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	kebab         = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	requirementID = regexp.MustCompile(`^[A-Z]+[0-9]*-[A-Za-z0-9.-]+-[0-9]{2,}$`)
)

// findings collects what is wrong with the sources.
type findings struct{ errs []error }

func (f *findings) add(place, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...)))
}

// word demands that value is one of the vocabulary.
func (f *findings) word(place, key, value string, vocabulary []string) {
	if slices.Contains(vocabulary, value) {
		return
	}
	f.add(place, "%s: %q is none of %s%s", key, value, strings.Join(vocabulary, ", "), hint(value, vocabulary))
}

func hint(word string, candidates []string) string {
	if near := profiles.Nearest(word, candidates); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

func (c *catalogue) validate() error {
	f := &findings{}
	requirements := c.validateRequirements(f)
	deviations := c.validateDeviations(f, requirements)
	c.validateVendors(f, deviations)
	return errors.Join(f.errs...)
}

// validateRequirements checks the requirements and returns them by identifier.
func (c *catalogue) validateRequirements(f *findings) map[string]profiles.Requirement {
	all, places := map[string]profiles.Requirement{}, map[string]string{}
	for _, s := range c.requirements {
		if s.content.Spec == "" || s.content.Title == "" || s.content.URL == "" {
			f.add(s.at(), "spec, title and url are needed at the head")
		}
		for i, r := range s.content.Requirements {
			at := func(key string) string { return s.at("requirements", i, key) }
			if first, twice := places[r.ID]; twice {
				f.add(at("id"), "id: %s is used twice, first at %s", r.ID, first)
			}
			all[r.ID], places[r.ID] = r, at("id")
			if !requirementID.MatchString(r.ID) {
				f.add(at("id"), "id: %q does not look like RFC6749-5.1-13", r.ID)
			}
			f.word(at("level"), "level", string(r.Level), levels)
			f.word(at("testable"), "testable", string(r.Testable), testable)
			f.word(at("endpoint"), "endpoint", r.Endpoint, endpoints)
			if r.Impact != "" {
				f.word(at("impact"), "impact", r.Impact, impacts)
			}
			c.validateFields(f, r, at)
		}
	}
	for _, s := range c.requirements {
		for i, r := range s.content.Requirements {
			if r.SameAs == "" {
				continue
			}
			target, known := all[r.SameAs]
			switch place := s.at("requirements", i, "same_as"); {
			case !known:
				f.add(place, "same_as: no requirement %s%s", r.SameAs, hint(r.SameAs, sorted(all)))
			case r.SameAs == r.ID:
				f.add(place, "same_as: %s refers to itself", r.ID)
			case target.SameAs != "":
				f.add(place, "same_as: %s repeats %s itself; refer to that", r.SameAs, target.SameAs)
			}
		}
	}
	return all
}

// validateFields checks which fields a requirement has: what can be tested says how, the rest says why not.
func (c *catalogue) validateFields(f *findings, r profiles.Requirement, at func(string) string) {
	need := func(key, value string) {
		if value == "" {
			f.add(at("id"), "%s: %s is missing", r.ID, key)
		}
	}
	need("section", r.Section)
	need("says", r.Says)
	if r.Testable == profiles.NotTestable {
		need("why_not", r.WhyNot)
		return
	}
	if r.Testable == profiles.Conditional && r.SameAs == "" {
		need("condition", r.Condition)
	}
	if r.SameAs != "" {
		return // the other entry says the rest
	}
	need("impact", r.Impact)
	need("probe", r.Probe)
	need("pass", r.Pass)
	need("fail", r.Fail)
	need("fault", r.Fault)
	need("fix", r.Fix)
	if r.Fault != "" && !kebab.MatchString(r.Fault) {
		f.add(at("fault"), "fault: %q is not in kebab-case", r.Fault)
	}
}

// validateDeviations checks deviations and faults and returns them by name.
func (c *catalogue) validateDeviations(f *findings, requirements map[string]profiles.Requirement) map[string]profiles.Deviation {
	all, places := map[string]profiles.Deviation{}, map[string]string{}
	faultOf := map[string][]string{} // name of a fault: the requirements that name it
	for _, r := range requirements {
		if r.Fault != "" {
			faultOf[r.Fault] = append(faultOf[r.Fault], r.ID)
		}
	}
	ids := sorted(requirements)
	for _, s := range c.deviations {
		for i, d := range s.content.Deviations {
			at := func(keys ...any) string { return s.at(append([]any{"deviations", i}, keys...)...) }
			if first, twice := places[d.Name]; twice {
				f.add(at("name"), "name: %s is used twice, first at %s", d.Name, first)
			}
			all[d.Name], places[d.Name] = d, at("name")
			if !kebab.MatchString(d.Name) {
				f.add(at("name"), "name: %q is not in kebab-case", d.Name)
			}
			if d.Summary == "" {
				f.add(at("name"), "%s: summary is missing", d.Name)
			}
			if len(d.Do) == 0 {
				f.add(at("name"), "%s: do is missing", d.Name)
			}
			if d.Proof != "" {
				f.word(at("proof"), "proof", d.Proof, []string{"pending"})
			}
			if d.Fault == (d.Breaks != "") {
				f.add(at("name"), "%s: a deviation names the requirement it breaks, a fault says `fault: true`; one of the two", d.Name)
			}
			broken := map[string]bool{}
			if d.Breaks != "" {
				broken[d.Breaks] = true
				if r, known := requirements[d.Breaks]; !known {
					f.add(at("breaks"), "breaks: no requirement %s%s", d.Breaks, hint(d.Breaks, ids))
				} else if r.SameAs != "" {
					f.add(at("breaks"), "breaks: %s repeats %s; name that one", d.Breaks, r.SameAs)
				}
			}
			for j, implied := range d.Implies {
				place := at("implies", j, "requirement")
				if _, known := requirements[implied.Requirement]; !known {
					f.add(place, "implies: no requirement %s%s", implied.Requirement, hint(implied.Requirement, ids))
				}
				if broken[implied.Requirement] {
					f.add(place, "implies: %s is named already", implied.Requirement)
				}
				broken[implied.Requirement] = true
				if implied.Reason == "" {
					f.add(place, "implies: %s without a reason", implied.Requirement)
				}
			}
			if named := faultOf[d.Name]; len(named) > 0 && !d.Fault && !slices.ContainsFunc(named, func(id string) bool { return broken[id] }) {
				slices.Sort(named)
				f.add(at("name"), "name: %s is the fault of %s, which this deviation does not break", d.Name, strings.Join(named, ", "))
			}
			validateParams(f, d, at)
		}
	}
	// A requirement that is broken at all is broken by the deviation named as its fault; others are further ones.
	for _, s := range c.deviations {
		for i, d := range s.content.Deviations {
			r, known := requirements[d.Breaks]
			if !known || r.Fault == "" || r.Fault == d.Name {
				continue
			}
			if _, exists := all[r.Fault]; !exists {
				f.add(s.at("deviations", i, "name"), "name: %s should be called %s (the fault of %s), as no deviation has that name yet", d.Name, r.Fault, r.ID)
			}
		}
	}
	return all
}

// parameter is a `$name` in a string of an operation; $$ stands for a dollar sign.
var parameter = regexp.MustCompile(`\$(\$|[a-z][a-z0-9_]*)`)

// validateParams checks that parameters are documented and that operations use what is declared.
func validateParams(f *findings, d profiles.Deviation, at func(...any) string) {
	declared := map[string]bool{}
	for j, p := range d.Params {
		if !paramName.MatchString(p.Name) || p.Doc == "" {
			f.add(at("params", j), "%s: a parameter has a name of lower-case letters, digits and underscores, and a doc", d.Name)
		}
		if declared[p.Name] {
			f.add(at("params", j, "name"), "%s: parameter %s is declared twice", d.Name, p.Name)
		}
		declared[p.Name] = true
	}
	used := map[string]bool{}
	for _, op := range d.Do {
		collectParameters(op.At, used)
		collectParameters(op.When, used)
		collectParameters(op.Args, used)
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !declared[name] && len(d.Params) > 0 {
			f.add(at("do"), "%s: $%s is no parameter of it%s", d.Name, name, hint(name, sorted(declared)))
		}
	}
	for _, name := range sorted(declared) {
		if !used[name] {
			f.add(at("params"), "%s: no operation uses $%s", d.Name, name)
		}
	}
}

func collectParameters(value any, used map[string]bool) {
	switch x := value.(type) {
	case string:
		for _, m := range parameter.FindAllStringSubmatch(x, -1) {
			if m[1] != "$" {
				used[m[1]] = true
			}
		}
	case []any:
		for _, element := range x {
			collectParameters(element, used)
		}
	case map[string]any:
		for key, element := range x {
			collectParameters(key, used)
			collectParameters(element, used)
		}
	}
}

// validateVendors checks the built-in profiles against the deviations of the same sources.
func (c *catalogue) validateVendors(f *findings, deviations map[string]profiles.Deviation) {
	for _, s := range c.vendors {
		p := s.content
		if p.Name != s.base() {
			f.add(s.at("name"), "name: %q differs from the file's", p.Name)
		}
		if p.Title == "" || p.Summary == "" {
			f.add(s.at(), "title and summary are needed")
		}
		for i, d := range p.Deviations {
			if d.Provenance != "" {
				word, _, _ := strings.Cut(d.Provenance, " ")
				f.word(s.at("deviations", i, "provenance"), "provenance", strings.TrimRight(word, ":,;"), provenance)
			}
		}
		if err := p.ValidateAgainst(deviations); err != nil {
			f.add(s.at("deviations"), "%v", err)
		}
	}
}
