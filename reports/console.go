package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Console writes a report for a person at a terminal: the target and what it can do, the findings by section of their
// specification, the reasons of what was not tested, and last the counts.
type Console struct {
	Color   bool // ANSI colours
	Width   int  // columns of the terminal; 0 means 100
	Quiet   bool // only what counts (fail, and warn) and the summary
	Verbose bool // whole blocks for notes and known findings, every capability, every untested check
}

// Write writes the report. Nothing that the target sent can control the terminal.
func (c Console) Write(w io.Writer, r *Report) error {
	p := printer{Console: c, style: style{c.Color}, report: r}
	if p.Width <= 0 {
		p.Width = blockWidth
	}
	if !c.Quiet {
		p.head()
	}
	p.findings()
	if !c.Quiet {
		p.remarks()
		p.untested(Inconclusive, "Inconclusive")
		p.untested(Skip, "Skipped")
	}
	p.summary()
	_, err := io.WriteString(w, p.out.String())
	return err
}

type printer struct {
	Console
	style
	report *Report
	out    strings.Builder
}

func (p *printer) line(text string) {
	p.out.WriteString(strings.TrimRight(text, " "))
	p.out.WriteByte('\n')
}

func (p *printer) head() {
	r := p.report
	title := p.bold(Visible(cmp.Or(r.Tool.Name, "oauthcheck")))
	if r.Tool.Version != "" {
		title += " " + Visible(r.Tool.Version)
	}
	title += p.dim(" · ") + p.bold(Visible(r.Target.URL))
	if r.Run.Profile != "" {
		title += p.dim(" · ") + "profile " + Visible(r.Run.Profile)
	}
	if r.Run.Judge == "strict" {
		title += ", judged strictly"
	}
	p.line(title)
	if r.Target.Issuer != "" && r.Target.Issuer != r.Target.URL {
		p.pair("issuer", r.Target.Issuer)
	}
	if p.Verbose {
		for _, name := range sortedKeys(r.Target.Endpoints) {
			p.pair(strings.TrimSuffix(name, "_endpoint"), r.Target.Endpoints[name])
		}
	}
	p.capabilities()
}

func (p *printer) capabilities() {
	var can, cannot []string
	for _, c := range p.report.Target.Capabilities {
		if c.Available {
			can = append(can, c.Name)
		} else {
			cannot = append(cannot, c.Name)
		}
	}
	p.pair("can", strings.Join(can, ", "))
	if !p.Verbose {
		p.pair("cannot", strings.Join(cannot, ", "))
		return
	}
	for _, c := range p.report.Target.Capabilities {
		if !c.Available {
			p.pair("cannot", joinNonEmpty(": ", c.Name, c.Because))
			p.pair("", joinNonEmpty("", c.Enable))
		}
	}
}

// pair writes a name and a text, broken at the width.
func (p *printer) pair(name, text string) {
	if text == "" {
		return
	}
	b := blockWriter{style: p.style, width: p.Width}
	b.field(name, text)
	for _, l := range b.lines {
		p.line(l)
	}
}

func (p *printer) section(title string) {
	p.line("")
	rule := strings.Repeat("─", max(p.Width-columns(title)-1, 3))
	p.line(p.bold(title) + " " + p.dim(rule))
}

// findings writes the blocks of what is wrong with the target, by section.
func (p *printer) findings() {
	grave := func(c *Check) bool { return c.Verdict == Fail || c.Verdict == Warn }
	for _, g := range groupBy(p.report.Checks, true, grave) {
		p.section(SpecName(g.spec) + " section " + Visible(g.section))
		for i, c := range g.checks {
			if i > 0 {
				p.line("")
			}
			p.block(c)
		}
	}
}

func (p *printer) block(c *Check) {
	for _, l := range block(c, p.report.requirementsOf(c), p.style, p.Width) {
		p.line(l)
	}
}

// remarks writes the known findings and the notes, a line each unless Verbose.
func (p *printer) remarks() {
	for _, v := range []Verdict{Known, Note} {
		var list []*Check
		for i := range p.report.Checks {
			if p.report.Checks[i].Verdict == v {
				list = append(list, &p.report.Checks[i])
			}
		}
		if len(list) == 0 {
			continue
		}
		p.section(map[Verdict]string{Known: "Known", Note: "Notes"}[v])
		for _, c := range list {
			if p.Verbose {
				p.block(c)
				continue
			}
			text := strings.Join(c.Notes, "; ")
			if v == Known {
				text = "declared: " + strings.Join(c.Declared, ", ")
			} else if text == "" {
				text = joinNonEmpty(": ", c.Message, c.Actual)
			}
			p.remark(v, c.ID, text)
		}
	}
}

// remark writes one line: sign, id, text.
func (p *printer) remark(v Verdict, id, text string) {
	id = Visible(id)
	room := p.Width - 6 - columns(id)
	if room < 30 && text != "" { // below
		p.line("  " + p.verdict(v, mark(v)) + " " + id)
		p.line("    " + p.dim(oneLine(text, p.Width-4)))
		return
	}
	p.line("  " + p.verdict(v, mark(v)) + " " + id + "  " + p.dim(oneLine(text, room)))
}

// reason is why checks were not judged, and which.
type reason struct {
	text, enable string
	ids          []string
}

// untested sums the checks of a verdict up by their reason, the most frequent first.
func (p *printer) untested(v Verdict, name string) {
	var reasons []reason
	for i := range p.report.Checks {
		c := &p.report.Checks[i]
		if c.Verdict != v {
			continue
		}
		n := slices.IndexFunc(reasons, func(r reason) bool { return r.text == c.Message && r.enable == c.Enable })
		if n < 0 {
			n = len(reasons)
			reasons = append(reasons, reason{text: c.Message, enable: c.Enable})
		}
		reasons[n].ids = append(reasons[n].ids, c.ID)
	}
	if len(reasons) == 0 || p.outOfReach(v, reasons[0]) {
		return
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return len(b.ids) - len(a.ids) })
	p.section(name)
	const shown = 12 // of the reasons for which checks were skipped: the last are for a check each
	rest := len(reasons)
	if v == Skip && !p.Verbose && len(reasons) > shown+2 {
		rest = shown
	}
	for _, r := range reasons[:rest] {
		p.reason(v, r)
	}
	checks := 0
	for _, r := range reasons[rest:] {
		checks += len(r.ids)
	}
	if checks > 0 {
		p.line("  " + p.verdict(v, fmt.Sprintf("%4d", checks)) + "  " + p.dim(fmt.Sprintf("for %d further reasons, which --verbose and the reports in files tell", len(reasons)-rest)))
	}
}

// outOfReach reports whether nothing was tested for a reason that the summary tells.
func (p *printer) outOfReach(v Verdict, r reason) bool {
	return v == Inconclusive && !p.Verbose && p.report.Run.Aborted == r.text && len(r.ids) == len(p.report.Checks)
}

// reason writes how many checks were not judged for a reason, what would change that, and some of them.
func (p *printer) reason(v Verdict, r reason) {
	b := blockWriter{style: style{}, width: p.Width + indentWidth - 8}
	b.field("", cmp.Or(r.text, "no reason given"))
	for i, l := range b.lines {
		count := "    "
		if i == 0 {
			count = fmt.Sprintf("%4d", len(r.ids))
		}
		p.line("  " + p.verdict(v, count) + "  " + strings.TrimSpace(l))
	}
	if r.enable != "" {
		p.line("        " + p.dim("→ ") + oneLine(r.enable, 0))
	}
	ids := r.ids
	if v == Skip && !p.Verbose {
		ids = nil
	} else if len(ids) > 5 && !p.Verbose {
		ids = append(slices.Clone(ids[:5]), fmt.Sprintf("and %d more", len(ids)-5))
	}
	for _, id := range ids {
		p.line("        " + p.dim(Visible(id)))
	}
}

// summary writes the outcome and all seven counts.
func (p *printer) summary() {
	r := p.report
	p.line("")
	if r.Run.Aborted != "" {
		p.pair("aborted", r.Run.Aborted)
	}
	v, word := verdictOfRun(r)
	duration := (time.Duration(r.Run.DurationMS) * time.Millisecond).Round(100 * time.Millisecond)
	if duration < time.Second {
		duration = time.Duration(r.Run.DurationMS) * time.Millisecond
	}
	p.line(p.verdict(v, word) + "  " + fmt.Sprintf("%s, %s, %s", plural(len(r.Checks), "check"), plural(r.Run.Requests, "request"), duration))
	counts := make([]string, 0, 7)
	for _, v := range Verdicts() {
		text := fmt.Sprintf("%d %s", r.Summary.Count(v), v)
		if r.Summary.Count(v) > 0 {
			text = p.verdict(v, text)
		} else {
			text = p.dim(text)
		}
		counts = append(counts, text)
	}
	p.line("      " + strings.Join(counts, p.dim(" · ")))
	if text := setupsInShort(r); text != "" && !p.Quiet {
		p.line("      " + p.dim(text))
		for _, s := range r.Run.Setups {
			if p.Verbose {
				p.line("        " + p.dim(fmt.Sprintf("%s: %s", plural(s.Checks, "check"), Visible(s.Name))))
			}
		}
	}
	if r.Run.Reproduce != "" && !p.Quiet {
		p.line("      " + p.dim("again: "+Visible(r.Run.Reproduce)))
	}
}

// verdictOfRun tells the outcome of a run by its exit status.
func verdictOfRun(r *Report) (Verdict, string) {
	switch r.Run.ExitStatus {
	case 0:
		return Pass, "PASS"
	case 1:
		return Fail, "FAIL"
	case 3:
		return Inconclusive, "NOT TESTED"
	}
	return Inconclusive, "ERROR"
}
