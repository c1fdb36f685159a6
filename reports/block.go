package reports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// blockWidth is the width of a failure block outside a terminal: it is pasted into bug reports.
const blockWidth = 100

// FailureBlock describes a check's outcome in the order that never changes: verdict, id, level, impact; what was sent;
// what was expected (every legitimate outcome); what came back, variants with the same outcome together; the
// requirements in our words with their links; how to fix it; the command that repeats it. The text has no trailing line
// break and no character that a terminal would act upon. The check should be redacted.
func FailureBlock(c Check, requirements []Requirement) string {
	return strings.Join(block(&c, requirements, style{}, blockWidth), "\n")
}

// block makes the lines of a failure block.
func block(c *Check, requirements []Requirement, st style, width int) []string {
	b := blockWriter{style: st, width: width}
	b.heading(c)
	b.field("sent", sentText(c))
	groups := shortened(outcomes(c))
	b.expected(groups)
	b.actual(groups)
	b.requirements(requirements)
	b.fixes(requirements)
	if len(c.Declared) > 0 {
		b.field("declared", "by the profile: "+strings.Join(c.Declared, ", "))
	}
	if c.Setup != "" {
		b.field("set-up", "a further one of the target: "+c.Setup)
	}
	for _, note := range c.Notes {
		b.field("note", note)
	}
	if c.Enable != "" {
		b.field("enable", c.Enable)
	}
	if command, then := repetition(c); command != "" {
		b.verbatim("repeat", Visible(command))
		b.field("", then)
	}
	return b.lines
}

// decisive returns the exchange that the verdict rests on: the last marked one, else the last that is no control, else
// the last.
func decisive(c *Check) *Exchange {
	var marked, probe, last *Exchange
	for i := range c.Exchanges {
		last = &c.Exchanges[i]
		if last.Decisive {
			marked = last
		}
		if !last.Control {
			probe = last
		}
	}
	return cmp.Or(marked, probe, last)
}

// repetition is the command that repeats what a verdict rests on, and what there is to do after it.
func repetition(c *Check) (command, then string) {
	if start := flowStart(c); start != nil && start.Curl != "" {
		return start.Curl, "in a browser: sign in and approve, and see where it is sent"
	}
	if e := decisive(c); e != nil {
		return e.Curl, ""
	}
	return "", ""
}

// flowStart returns the authorization request that led to the decisive exchange, where that is a redirect by the login or consent
// page: such a page's form works once, so the request that led there is the one to repeat. Else nil.
func flowStart(c *Check) *Exchange {
	end := decisive(c)
	if end == nil || end.Response.Status/100 != 3 || isAuthorizationRequest(end) {
		return nil
	}
	var start *Exchange
	for i := range c.Exchanges {
		e := &c.Exchanges[i]
		if e == end {
			return start
		}
		if isAuthorizationRequest(e) {
			start = e
		}
	}
	return nil
}

func isAuthorizationRequest(e *Exchange) bool {
	u, err := url.Parse(e.Request.URL)
	return err == nil && e.Request.Method == "GET" && u.Query().Has("client_id") && (u.Query().Has("response_type") || u.Query().Has("redirect_uri"))
}

// sentText says what was sent: in the check's words, else as the request shows it.
func sentText(c *Check) string {
	if c.Sent != "" {
		return c.Sent
	}
	if e := decisive(c); e != nil {
		return e.Request.Method + " " + e.Request.URL
	}
	return ""
}

// receivedText describes the response of an exchange in a line.
func receivedText(e *Exchange) string {
	if e == nil {
		return ""
	}
	if e.Error != "" {
		return e.Error
	}
	parts := []string{fmt.Sprintf("HTTP %d", e.Response.Status)}
	for _, name := range []string{"Content-Type", "Location"} {
		if v := e.Response.Headers.Get(name); v != "" {
			parts = append(parts, name+": "+v)
		}
	}
	if e.Response.Body != "" {
		parts = append(parts, oneLine(e.Response.Body, 200))
	}
	return strings.Join(parts, ", ")
}

// outcome is what came of some variants of a check.
type outcome struct {
	variants []string // none: of the check as a whole
	verdict  Verdict
	expected []string
	actual   string
	total    int // number of variants in the check
}

// outcomes gathers the variants of a check that did not pass, those with the same outcome together; without variants it
// is the outcome of the whole.
func outcomes(c *Check) []outcome {
	var groups []outcome
	for _, v := range c.Variants {
		if v.Verdict == Pass || v.Verdict == Skip && c.Verdict != Skip {
			continue
		}
		if v.Verdict == Inconclusive && c.Verdict != Inconclusive {
			continue
		}
		actual := joinNonEmpty(": ", v.Message, v.Actual)
		i := slices.IndexFunc(groups, func(o outcome) bool {
			return o.verdict == v.Verdict && o.actual == actual && slices.Equal(o.expected, v.Expected)
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, outcome{verdict: v.Verdict, expected: v.Expected, actual: actual, total: len(c.Variants)})
		}
		groups[i].variants = append(groups[i].variants, v.Name)
	}
	if len(groups) > 0 {
		return groups
	}
	actual := joinNonEmpty(": ", c.Message, c.Actual)
	if actual == "" {
		actual = receivedText(decisive(c))
	}
	return []outcome{{verdict: c.Verdict, expected: c.Expected, actual: actual}}
}

// fullOutcomes is how many outcomes a block tells in full where there are many: one lax comparison accepts dozens of variants, and
// reads as one finding with a list of them.
const fullOutcomes = 4

// shortened gathers the outcomes behind the first ones, by what was expected instead.
func shortened(groups []outcome) []outcome {
	if len(groups) <= fullOutcomes+2 {
		return groups
	}
	short := slices.Clone(groups[:fullOutcomes])
	for _, o := range groups[fullOutcomes:] {
		i := slices.IndexFunc(short[fullOutcomes:], func(p outcome) bool {
			return p.verdict == o.verdict && slices.Equal(p.expected, o.expected)
		})
		if i >= 0 {
			p := &short[fullOutcomes+i]
			p.variants = append(p.variants, o.variants...)
			continue
		}
		o.variants = slices.Clone(o.variants)
		o.actual = "in the same way; the JSON and HTML reports tell of each"
		short = append(short, o)
	}
	return short
}

// name says which variants an outcome has.
func (o outcome) name() string {
	if len(o.variants) == 0 {
		return ""
	}
	name := strings.Join(o.variants, ", ")
	if o.total > 1 {
		name += fmt.Sprintf(" (%d of %d)", len(o.variants), o.total)
	}
	return name
}

// blockWriter lays a failure block out.
type blockWriter struct {
	style style
	width int
	lines []string
}

// indentWidth is the width of the column with the names of the fields.
const indentWidth = 12

func (b *blockWriter) heading(c *Check) {
	line := b.style.verdict(c.Verdict, strings.ToUpper(string(c.Verdict))) + " " + b.style.bold(Visible(c.ID))
	parts := []string{c.Level}
	if c.Impact != "" {
		parts = append(parts, c.Impact+" impact")
	}
	if c.Provisional {
		parts = append(parts, "provisional")
	}
	for _, p := range parts {
		if p != "" {
			line += b.style.dim(" · ") + Visible(p)
		}
	}
	b.lines = append(b.lines, line)
}

// field writes a text beside its name, line by line, broken at the width.
func (b *blockWriter) field(name, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	b.item(name, "", visibleLines(text))
}

// item writes lines behind a bullet; the name stands before the first one.
func (b *blockWriter) item(name, bullet string, lines []string) {
	indent := strings.Repeat(" ", columns(bullet))
	for _, line := range lines {
		for _, part := range wrap(line, b.width-indentWidth-len(indent)) {
			b.put(name, bullet+part)
			name, bullet = "", indent
		}
	}
}

// verbatim writes a line that is not to be broken.
func (b *blockWriter) verbatim(name, text string) { b.put(name, text) }

func (b *blockWriter) put(name, text string) {
	label := fmt.Sprintf("  %-*s", indentWidth-2, name)
	if name != "" {
		label = b.style.dim(label)
	}
	b.lines = append(b.lines, strings.TrimRight(label+text, " "))
}

func (b *blockWriter) expected(groups []outcome) {
	name := "expected"
	for i, o := range groups {
		if slices.ContainsFunc(groups[:i], func(p outcome) bool { return slices.Equal(p.expected, o.expected) }) || len(o.expected) == 0 {
			continue
		}
		same := true // for all variants
		for _, p := range groups {
			same = same && slices.Equal(p.expected, o.expected)
		}
		if !same && o.name() != "" {
			b.item(name, "", []string{Visible(strings.Join(o.variants, ", ")) + ":"})
			name = ""
		}
		for k, e := range o.expected {
			bullet := ""
			if k > 0 {
				bullet = "or "
			}
			b.item(name, bullet, visibleLines(e))
			name = ""
		}
	}
}

func (b *blockWriter) actual(groups []outcome) {
	name := "came back"
	for _, o := range groups {
		if strings.TrimSpace(o.actual) == "" && o.name() == "" {
			continue
		}
		if o.name() == "" {
			b.item(name, "", visibleLines(o.actual))
		} else {
			b.item(name, "", []string{Visible(o.name()) + ":"})
			b.item("", "  ", visibleLines(o.actual))
		}
		name = ""
	}
}

func (b *blockWriter) requirements(list []Requirement) {
	name := "requires"
	for _, q := range list {
		level := ""
		if len(list) > 1 && q.Level != "" {
			level = " (" + q.Level + ")"
		}
		says := q.Says
		if says == "" {
			says = SpecName(q.Spec) + " section " + q.Section
		}
		b.item(name, "", []string{Visible(q.ID + level + ": " + says)})
		name = ""
		if q.URL != "" {
			b.verbatim("", b.style.link(Visible(q.URL)))
		}
	}
}

func (b *blockWriter) fixes(list []Requirement) {
	name := "fix"
	var seen []string
	for _, q := range list {
		if q.Fix == "" || slices.Contains(seen, q.Fix) {
			continue
		}
		seen = append(seen, q.Fix)
		b.item(name, "", visibleLines(q.Fix))
		name = ""
	}
}

func joinNonEmpty(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return strings.TrimSpace(s) == "" }), sep)
}

// prettyBody lays out a JSON or form body for people; other bodies stay as they are.
func prettyBody(body, mediaType string) string {
	mediaType = strings.ToLower(mediaType)
	trimmed := strings.TrimSpace(body)
	switch {
	case strings.Contains(mediaType, "json") || strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "["):
		var b bytes.Buffer
		if json.Indent(&b, []byte(trimmed), "", "  ") != nil {
			return body
		}
		return b.String()
	case strings.HasPrefix(mediaType, formType):
		return strings.ReplaceAll(body, "&", "\n&")
	}
	return body
}

// requestTarget is the short form of a URL: without the scheme and host where those are the target's.
func requestTarget(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	return u.RequestURI()
}
