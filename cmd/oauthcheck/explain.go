package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Explain a check, a requirement, a deviation, or the checks of a section",
		Long: `explain says all about a check, a requirement or a deviation: what the specification demands (with its level, impact
and link), what is sent, every outcome that is permitted, the deviation that proves the check, and how to fix a server.`,
		Example: `  oauthcheck explain rfc6749/token-response-no-store
  oauthcheck explain RFC6749-5.1-13
  oauthcheck explain token-response-cacheable
  oauthcheck explain rfc6749/5.1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("explain needs one id of a check, a requirement or a deviation; see oauthcheck list")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd.OutOrStdout(), args[0]) },
	}
}

func explain(w io.Writer, id string) error {
	c := loadCatalogue()
	e := &explainer{w: w, c: c}
	for _, check := range c.checks {
		if strings.EqualFold(check.ID, id) || slices.Contains(check.Aliases, id) {
			e.check(check)
			return e.err
		}
	}
	for _, r := range c.requirements {
		if strings.EqualFold(r.ID, id) {
			e.requirement(r)
			return e.err
		}
	}
	if d, ok := profiles.LookupDeviation(id); ok {
		e.deviation(d)
		return e.err
	}
	if e.section(id) {
		return e.err
	}
	var ids []string
	for _, check := range c.checks {
		ids = append(ids, check.ID)
	}
	for _, r := range c.requirements {
		ids = append(ids, r.ID)
	}
	for _, d := range c.deviations {
		ids = append(ids, d.Name)
	}
	return usagef("nothing is called %q%s\nSee oauthcheck list checks, list requirements and list deviations", id, didYouMean(id, ids))
}

// section tells of the checks of a specification or a section of it (rfc6749/5.1), as --check takes it; false if there are none.
func (e *explainer) section(id string) bool {
	checks := slices.DeleteFunc(slices.Clone(e.c.checks), func(c suites.Check) bool {
		return !strings.EqualFold(c.Spec, id) && !strings.EqualFold(c.Spec+"/"+c.Section, id)
	})
	if len(checks) == 0 {
		return false
	}
	e.printf("%s: %d checks\n", id, len(checks))
	for _, c := range checks {
		e.printf("\n%s (%s)\n", c.ID, c.Level())
		e.field("", c.Title())
	}
	e.printf("\n")
	e.command("oauthcheck explain " + checks[0].ID)
	e.command("oauthcheck run --target mock:strict --check " + id)
	return true
}

// explainer writes labelled paragraphs and remembers the first error of the writer.
type explainer struct {
	w   io.Writer
	c   *catalogue
	err error
}

func (e *explainer) printf(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format, args...)
	}
}

// field writes one labelled paragraph, wrapped and indented; empty ones are left out.
func (e *explainer) field(label, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	const indent = 14
	lines := wrap(text, 100-indent)
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		e.printf("%-*s%s\n", indent, label, line)
	}
}

// fields writes one labelled line per item.
func (e *explainer) fields(label string, items []string) {
	for _, item := range items {
		e.field(label, item)
		label = ""
	}
}

// command writes a command line to try, unwrapped, so that it can be copied.
func (e *explainer) command(line string) { e.printf("%-14s%s\n", "try it", line) }

func (e *explainer) check(check suites.Check) {
	info := e.c.checkJSON(check)
	e.printf("%s\n%s\n\n", check.ID, info.Title)
	e.field("level", info.Level)
	e.field("impact", info.Impact)
	e.field("section", specName(check.Spec)+", section "+check.Section)
	lane := info.Lane
	if check.Provisional != "" {
		lane += fmt.Sprintf("; provisional since %s: reported, never red", check.Provisional)
	}
	e.field("lane", lane)
	e.fields("needs", e.needs(check.Needs))
	e.field("sends", check.Sends)
	e.fields("variants", check.Variants)
	for _, id := range check.Requirements {
		if r, ok := e.c.requirement[id]; ok {
			e.printf("\n")
			e.statement(r)
		}
	}
	e.printf("\n")
	if len(info.Deviations) == 0 {
		e.field("proven by", "no deviation: the check yields notes only")
	}
	for i, name := range info.Deviations {
		d, _ := profiles.LookupDeviation(name)
		label := "proven by"
		if i > 0 {
			label = ""
		}
		e.field(label, name+": "+d.Summary)
	}
	e.printf("\n")
	e.command("oauthcheck run --target mock:strict --check " + check.ID + firstDeviation(info.Deviations))
}

func firstDeviation(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " --deviation " + names[0]
}

// needs says for each capability what it is.
func (e *explainer) needs(needs []target.Capability) []string {
	var out []string
	for _, need := range needs {
		line := string(need)
		if d, ok := target.LookupCapability(line); ok {
			line += ": " + d.Doc
		}
		out = append(out, line)
	}
	return out
}

// statement writes what a requirement says and how it is judged.
func (e *explainer) statement(r profiles.Requirement) {
	e.printf("%s  %s\n", r.ID, r.URL())
	e.field("  says", r.Says)
	e.field("  sent", r.Probe)
	e.field("  permitted", r.Pass)
	e.field("  violation", r.Fail)
	e.field("  condition", r.Condition)
	e.field("  why not", r.WhyNot)
	e.field("  errata", r.Errata)
	e.field("  fix", r.Fix)
}

func (e *explainer) requirement(r profiles.Requirement) {
	e.printf("%s\n%s\n\n", r.ID, oneParagraph(r.Says))
	e.field("level", string(r.Level))
	e.field("impact", r.Impact)
	e.field("section", specName(r.Spec)+", section "+r.Section)
	e.field("link", r.URL())
	e.field("endpoint", r.Endpoint)
	e.field("testable", string(r.Testable))
	e.field("condition", r.Condition)
	e.field("why not", r.WhyNot)
	e.field("same as", r.SameAs)
	e.field("needs", strings.Join(r.Needs, ", "))
	e.field("sent", r.Probe)
	e.field("permitted", r.Pass)
	e.field("violation", r.Fail)
	e.field("errata", r.Errata)
	e.field("fix", r.Fix)
	e.printf("\n")
	checks := e.c.checksOf[r.ID]
	if len(checks) == 0 {
		checks = []string{"none"}
	}
	e.fields("checks", checks)
	e.fields("broken by", e.c.deviationsOf[r.ID])
}

func (e *explainer) deviation(d profiles.Deviation) {
	info := e.c.deviationJSON(d)
	e.printf("%s\n%s\n\n", d.Name, d.Summary)
	if d.Fault {
		e.field("kind", "fault: no requirement of the catalogue forbids it; it is there to test clients")
	} else {
		e.field("kind", "deviation: it breaks a requirement, and the harness detects it")
	}
	if r, ok := e.c.requirement[d.Breaks]; ok {
		e.field("breaks", fmt.Sprintf("%s (%s, %s): %s", r.ID, r.Level, r.URL(), r.Says))
	}
	for _, i := range d.Implies {
		e.field("implies", i.Requirement+": "+i.Reason)
	}
	for _, p := range d.Params {
		e.field("parameter", fmt.Sprintf("%s (default %s): %s", p.Name, p.Default, p.Doc))
	}
	e.field("narrow to", strings.Join(matchersOf(d), ", "))
	e.field("stands for", d.Stands)
	e.fields("reported by", info.Checks)
	if d.Proof != "" {
		e.field("proof", d.Proof)
	}
	e.printf("\n")
	e.command("oauthcheck mock --deviation " + d.Name)
	if len(info.Checks) > 0 {
		e.command("oauthcheck run --target mock:strict --deviation " + d.Name)
	}
}

// matchersOf are the parameters that a deviation takes beside its own.
func matchersOf(d profiles.Deviation) []string {
	var names []string
	for _, m := range profiles.Matchers() {
		if !slices.ContainsFunc(d.Params, func(p profiles.Param) bool { return p.Name == m.Name }) {
			names = append(names, m.Name+"=…")
		}
	}
	return names
}

// specName is the specification's name ("RFC 6749") for its slug.
func specName(slug string) string {
	if spec, ok := profiles.LookupSpec(slug); ok {
		return spec.Name
	}
	return slug
}

// wrap breaks text into lines of at most width characters at spaces; line breaks of the text become spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
