package suites

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// UsageError says that a run was asked for something that does not exist; its exit status is 2.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// NoMatchError says that a filter selects nothing; it is a usage error (exit status 2).
type NoMatchError struct {
	Pattern string
	Nearest []string // names that the pattern may have meant, nearest first
}

func (e *NoMatchError) Error() string {
	text := fmt.Sprintf("no check matches %q", e.Pattern)
	if len(e.Nearest) > 0 {
		text += "; did you mean " + strings.Join(e.Nearest, ", ") + "?"
	}
	return text
}

// As makes every NoMatchError a *UsageError for errors.As.
func (e *NoMatchError) As(into any) bool {
	usage, ok := into.(**UsageError)
	if ok {
		*usage = &UsageError{Text: e.Error()}
	}
	return ok
}

// selects reports whether a filter's pattern selects the check. A pattern is an id or alias, a bare name, a
// specification ("rfc6749"), a section with all below it ("rfc6749/5.1"), a check in a section
// ("rfc6749/5.1/token-response-no-store"), or a requirement ("RFC6749-5.1-13"); all without regard to case, and
// with * and ? as wildcards.
func (c *Check) selects(pattern string) bool {
	pattern = strings.ToLower(strings.TrimSuffix(pattern, "/"))
	names := []string{c.ID, c.Name, c.Spec, c.Spec + "/" + c.Section + "/" + c.Name}
	names = append(names, c.Aliases...)
	names = append(names, c.Requirements...)
	for _, name := range names {
		if match(pattern, strings.ToLower(name)) {
			return true
		}
	}
	if slug(pattern) == c.Spec {
		return true
	}
	for section := c.Section; section != ""; section = parent(section) {
		if match(pattern, strings.ToLower(c.Spec+"/"+section)) {
			return true
		}
	}
	return false
}

// parent is the section that contains a section: "5.1" of "5.1.2", "" of "5".
func parent(section string) string {
	i := strings.LastIndexByte(section, '.')
	if i < 0 {
		return ""
	}
	return section[:i]
}

// match is path.Match with wildcards that also match a slash.
func match(pattern, name string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return pattern == name
	}
	const slash = "\x00"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(name, "/", slash))
	return ok && err == nil
}

// choose applies the filters of a run: specifications, then include, then exclude; an empty list selects everything. The
// checks that are left out are marked with the filter's name. A word that selects nothing is a *NoMatchError.
func choose(checks []*Check, specs, include, exclude []string) (filtered map[*Check]string, err error) {
	for _, word := range slices.Concat(specs, include, exclude) {
		if !slices.ContainsFunc(checks, func(c *Check) bool { return c.selects(word) }) {
			return nil, &NoMatchError{Pattern: word, Nearest: nearest(word, checks)}
		}
	}
	any := func(c *Check, patterns []string) bool {
		return slices.ContainsFunc(patterns, c.selects)
	}
	filtered = map[*Check]string{}
	for _, c := range checks {
		switch {
		case len(specs) > 0 && !any(c, specs):
			filtered[c] = "not of the chosen specifications"
		case len(include) > 0 && !any(c, include):
			filtered[c] = "not included"
		case any(c, exclude):
			filtered[c] = "excluded"
		}
	}
	if len(checks) > 0 && len(filtered) == len(checks) {
		return nil, &UsageError{Text: "the filters leave no check to run: " + describeFilters(specs, include, exclude)}
	}
	return filtered, nil
}

// describeFilters names the filters of a run.
func describeFilters(specs, include, exclude []string) string {
	return strings.Join(filters(specs, include, exclude), "; ")
}

func filters(specs, include, exclude []string) []string {
	var out []string
	for _, f := range []struct {
		name  string
		words []string
	}{{"spec", specs}, {"include", include}, {"exclude", exclude}} {
		if len(f.words) > 0 {
			out = append(out, f.name+" "+strings.Join(f.words, ", "))
		}
	}
	return out
}

// nearest returns up to three names of checks, sections, specifications or requirements that a word may have meant.
func nearest(word string, checks []*Check) []string {
	var candidates []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			candidates = append(candidates, name)
		}
	}
	for _, c := range checks {
		add(c.ID)
		add(c.Spec)
		add(c.Spec + "/" + c.Section)
		if !strings.Contains(word, "/") {
			add(c.Name)
		}
		for _, r := range c.Requirements {
			add(r)
		}
	}
	var out []string
	for len(out) < 3 {
		near := profiles.Nearest(word, candidates)
		if near == "" {
			break
		}
		out = append(out, near)
		candidates = slices.DeleteFunc(candidates, func(c string) bool { return c == near })
	}
	return out
}
