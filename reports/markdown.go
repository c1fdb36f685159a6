package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// maxMarkdown keeps a report below the megabyte that GitHub accepts as a job summary.
const maxMarkdown = 900 << 10

// WriteMarkdown writes the report as Markdown, as CI servers show it beside a job: the counts, a table for each
// specification, the findings with their blocks folded away. What a target sent cannot become markup.
func WriteMarkdown(w io.Writer, r *Report) error {
	m := markdown{report: r}
	m.summary()
	m.findings("Violations", func(c *Check) bool { return c.Verdict == Fail })
	m.findings("Recommendations not followed", func(c *Check) bool { return c.Verdict == Warn })
	m.findings("Inconclusive", func(c *Check) bool { return c.Verdict == Inconclusive })
	m.findings("Known", func(c *Check) bool { return c.Verdict == Known })
	m.findings("Notes", func(c *Check) bool { return c.Verdict == Note })
	m.skipped()
	m.target()
	if m.cut > 0 {
		m.line("", fmt.Sprintf("_%s left out, because this page has a limited size. The JSON and HTML reports have all._", plural(m.cut, "finding")))
	}
	_, err := io.WriteString(w, m.out.String())
	return err
}

type markdown struct {
	report *Report
	out    strings.Builder
	cut    int // findings that were left out
}

func (m *markdown) line(lines ...string) {
	for _, l := range lines {
		m.out.WriteString(l + "\n")
	}
}

func (m *markdown) summary() {
	r := m.report
	_, word := verdictOfRun(r)
	m.line("## OAuth 2.0 conformance: "+word, "")
	line := codeSpan(r.Target.URL)
	if r.Run.Profile != "" {
		line += ", profile " + codeSpan(r.Run.Profile)
	}
	if r.Run.Judge == "strict" {
		line += ", judged strictly"
	}
	m.line(line+fmt.Sprintf(", %s, %s, %s s", plural(len(r.Checks), "check"), plural(r.Run.Requests, "request"), seconds(r.Run.DurationMS)), "")
	if text := setups(r); text != "" {
		m.line("Further set-ups of the target: "+prose(text)+".", "")
	}
	if r.Run.Aborted != "" {
		m.line("**Aborted:** "+prose(r.Run.Aborted), "")
	}
	head, rule, total := "| specification |", "| --- |", "| **all** |"
	for _, v := range Verdicts() {
		head += " " + string(v) + " |"
		rule += " ---: |"
		total += fmt.Sprintf(" **%d** |", r.Summary.Count(v))
	}
	m.line(head, rule)
	for _, g := range groupBy(r.Checks, false, nil) {
		row := "| " + prose(SpecName(g.spec)) + " |"
		s := summarizeRefs(g.checks)
		for _, v := range Verdicts() {
			row += fmt.Sprintf(" %d |", s.Count(v))
		}
		m.line(row)
	}
	m.line(total)
}

func summarizeRefs(checks []*Check) Summary {
	var s Summary
	for _, c := range checks {
		if n := s.counter(c.Verdict); n != nil {
			*n++
		}
	}
	return s
}

func (m *markdown) findings(title string, keep func(*Check) bool) {
	first := true
	for i := range m.report.Checks {
		c := &m.report.Checks[i]
		if !keep(c) {
			continue
		}
		if first {
			m.line("", "### "+title, "")
			first = false
		}
		requirements := m.report.requirementsOf(c)
		rank := c.Level
		if c.Impact != "" {
			rank += " · " + c.Impact + " impact"
		}
		text := fmt.Sprintf("<details><summary>%s <b>%s</b> · %s · %s</summary>\n\n", mark(c.Verdict), escapeHTML(c.ID), escapeHTML(rank),
			escapeHTML(oneLine(headline(c, m.report), 160)))
		text += fence(FailureBlock(*c, requirements)) + "\n"
		for _, q := range requirements {
			if strings.HasPrefix(q.URL, "https://") {
				text += fmt.Sprintf("<a href=\"%s\">%s</a>\n", escapeHTML(q.URL), escapeHTML(q.ID))
			}
		}
		text += "\n</details>\n"
		if m.out.Len()+len(text) > maxMarkdown {
			m.cut++
			continue
		}
		m.out.WriteString(text)
	}
}

func (m *markdown) skipped() {
	counts := map[string]int{}
	var reasons []string
	for _, c := range m.report.Checks {
		if c.Verdict != Skip {
			continue
		}
		reason := "| " + prose(cmp.Or(c.Message, "no reason given")) + " | " + codeSpan(c.Enable) + " |"
		if counts[reason] == 0 {
			reasons = append(reasons, reason)
		}
		counts[reason]++
	}
	if len(reasons) == 0 {
		return
	}
	m.line("", "### Skipped", "", "| checks | reason | to enable |", "| ---: | --- | --- |")
	for _, reason := range reasons {
		m.line(fmt.Sprintf("| %d %s", counts[reason], reason))
	}
}

func (m *markdown) target() {
	list := m.report.Target.Capabilities
	if len(list) == 0 {
		return
	}
	m.line("", "<details><summary>Capabilities of the target</summary>", "", "| capability | available | because |", "| --- | --- | --- |")
	for _, c := range list {
		m.line(fmt.Sprintf("| %s | %s | %s |", prose(c.Name), map[bool]string{true: "yes", false: "no"}[c.Available], prose(c.Because)))
	}
	m.line("", "</details>")
}

// prose makes a text safe inside a line or table cell of Markdown.
func prose(s string) string {
	var b strings.Builder
	for _, c := range oneLine(s, 0) {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '@': // no mentions
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_[]()#|!~$", c):
			b.WriteString("\\" + string(c))
		default:
			b.WriteRune(c)
		}
	}
	// A URL in prose must not become a link to wherever the target likes.
	return strings.NewReplacer("://", "&#58;//", "www.", "www&#46;").Replace(b.String())
}

// codeSpan makes a code span, also inside a table cell.
func codeSpan(s string) string {
	if s = oneLine(s, 0); s == "" {
		return ""
	}
	return "<code>" + strings.NewReplacer("|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "\\", "&#92;", "[", "&#91;", "~", "&#126;", "://", "&#58;//", "@", "&#64;").Replace(escapeHTML(s)) + "</code>"
}

// fence puts text into a code block that the text cannot end.
func fence(text string) string {
	longest, run := 0, 0
	for _, c := range text {
		if c == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	ticks := strings.Repeat("`", max(3, longest+1))
	return ticks + "text\n" + text + "\n" + ticks
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(Visible(s))
}
