package reports

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	//go:embed assets/report.html.tmpl
	htmlTemplate string
	//go:embed assets/report.css
	htmlCSS string
	//go:embed assets/report.js
	htmlJS string
)

// pageTemplate is parsed on first use.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"vis":   Visible,
		"text":  visibleText,
		"mark":  mark,
		"spec":  SpecName,
		"tally": tallied,
	}).Parse(htmlTemplate))
})

// maxHTMLBody is the number of bytes of a body that the page shows; the JSON report has more.
const maxHTMLBody = 4 << 10

// WriteHTML writes the report as one page that needs nothing else: no network, and no script to be read. Its content
// security policy admits only its own style and script.
func WriteHTML(w io.Writer, r *Report) error {
	if err := pageTemplate().Execute(w, newPage(r)); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// The page as the template wants it.
type (
	htmlPage struct {
		Report         *Report
		CSP            string
		CSS            template.CSS
		JS             template.JS
		Verdict        Verdict
		Word, Sentence string
		ToolURL        string
		Facts          []htmlPair
		Endpoints      []htmlPair
		Counts         []htmlCount
		Findings       []*htmlCheck // what is wrong with the target
		Others         []*htmlCheck // what else is worth a look
		Skipped        []htmlSkipped
		Specs          []htmlSpec
		Can            int
	}
	htmlPair    struct{ Name, Text string }
	htmlSkipped struct {
		N              int
		Reason, Enable string
	}
	htmlCount struct {
		Verdict     Verdict
		Mark, Means string
		N           int
	}
	htmlSpec struct {
		Slug, Name, Anchor string
		Total, Judged      int
		Counts             []htmlCount
		Bar                []htmlBar
		Sections           []htmlSection
	}
	htmlBar struct {
		Verdict Verdict
		X, W    string
	}
	htmlSection struct {
		Name   string
		Checks []*htmlCheck
	}
	htmlCheck struct {
		*Check
		Anchor         string
		Open           bool
		SentText       string
		Expected       []htmlExpected
		Actual         []htmlPair
		Quoted         []Requirement
		Fixes          []string
		Repeat, Then   string
		PassedVariants []string
		Evidence       []htmlExchange
	}
	htmlExpected struct {
		Name string
		List []string
	}
	htmlExchange struct {
		*Exchange
		Method, Path, Status      string
		RequestText, ResponseText string
	}
)

// tallied counts the verdicts of checks, in their order: "1 inconclusive, 2 note".
func tallied(checks []*htmlCheck) string {
	var out []string
	for _, v := range Verdicts() {
		n := 0
		for _, c := range checks {
			if c.Verdict == v {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(out, ", ")
}

// means says what a verdict means, in few words.
func means(v Verdict) string {
	switch v {
	case Fail:
		return "a MUST is violated"
	case Warn:
		return "a SHOULD is violated"
	case Inconclusive:
		return "no judgement was possible"
	case Known:
		return "declared by the profile"
	case Note:
		return "worth knowing"
	case Pass:
		return "conforms"
	}
	return "not testable here"
}

func newPage(r *Report) *htmlPage {
	p := &htmlPage{Report: r, CSS: template.CSS(htmlCSS), JS: template.JS(htmlJS), CSP: contentSecurityPolicy()}
	p.Verdict, p.Word = verdictOfRun(r)
	p.Sentence = sentence(r)
	p.ToolURL = webURL(r.Tool.URL)
	p.Facts = facts(r)
	for _, name := range sortedKeys(r.Target.Endpoints) {
		p.Endpoints = append(p.Endpoints, htmlPair{name, r.Target.Endpoints[name]})
	}
	p.Counts = counts(r.Summary)
	for _, c := range r.Target.Capabilities {
		if c.Available {
			p.Can++
		}
	}
	p.addChecks(r)
	p.addSkipped(r)
	return p
}

func contentSecurityPolicy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(htmlCSS) + "; script-src " + hash(htmlJS) + "; base-uri 'none'; form-action 'none'"
}

// sentence sums the run up in words.
func sentence(r *Report) string {
	s := r.Summary
	judged := s.Pass + s.Fail + s.Warn + s.Note + s.Known
	text := fmt.Sprintf("%d of %s came to a judgement", judged, plural(s.Total(), "check"))
	switch {
	case s.Fail > 0:
		text += fmt.Sprintf(": %s of a MUST", plural(s.Fail, "violation"))
		if s.Warn > 0 {
			text += fmt.Sprintf(" and %d of a SHOULD", s.Warn)
		}
	case s.Warn > 0:
		text += fmt.Sprintf(": no MUST is violated, but %s", plural(s.Warn, "SHOULD"))
	case s.Known > 0:
		text += fmt.Sprintf(": no violation but %d that the profile declares", s.Known)
	case judged > 0:
		text += ", none of them against the target"
	}
	return text + "."
}

func facts(r *Report) []htmlPair {
	judge := ""
	if r.Run.Judge == "strict" {
		judge = "strict: nothing is forgiven"
	}
	list := []htmlPair{
		{"issuer", r.Target.Issuer},
		{"profile", r.Run.Profile},
		{"judge", judge},
		{"started", r.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"took", (time.Duration(r.Run.DurationMS) * time.Millisecond).String()},
		{"requests", strconv.Itoa(r.Run.Requests)},
		{"lanes", strings.Join(r.Run.Lanes, ", ")},
		{"filters", strings.Join(r.Run.Filters, ", ")},
		{"further set-ups", setupsInNumbers(r)},
		{"seed", strconv.FormatInt(r.Run.Seed, 10)},
		{"again", r.Run.Reproduce},
	}
	return slices.DeleteFunc(list, func(p htmlPair) bool { return p.Text == "" })
}

func counts(s Summary) []htmlCount {
	list := make([]htmlCount, 0, 7)
	for _, v := range Verdicts() {
		list = append(list, htmlCount{v, mark(v), means(v), s.Count(v)})
	}
	return list
}

func (p *htmlPage) addChecks(r *Report) {
	pages := map[*Check]*htmlCheck{}
	for i := range r.Checks {
		c := newHTMLCheck(&r.Checks[i], r)
		c.Anchor = "check-" + anchor(c.ID, i)
		pages[&r.Checks[i]] = c
	}
	listed := func(verdicts ...Verdict) (list []*htmlCheck) {
		for _, v := range verdicts {
			for i := range r.Checks {
				if r.Checks[i].Verdict == v {
					list = append(list, pages[&r.Checks[i]])
				}
			}
		}
		return list
	}
	p.Findings, p.Others = listed(Fail, Warn), listed(Inconclusive, Known, Note)
	for n, g := range groupBy(r.Checks, false, nil) {
		sum := summarizeRefs(g.checks)
		spec := htmlSpec{
			Slug: g.spec, Name: SpecName(g.spec), Anchor: "spec-" + anchor(g.spec, n), Total: len(g.checks), Counts: counts(sum), Bar: bar(sum),
			Judged: len(g.checks) - sum.Skip - sum.Inconclusive,
		}
		for _, c := range g.checks {
			if k := len(spec.Sections); k == 0 || spec.Sections[k-1].Name != c.Section {
				spec.Sections = append(spec.Sections, htmlSection{Name: c.Section})
			}
			last := &spec.Sections[len(spec.Sections)-1]
			last.Checks = append(last.Checks, pages[c])
		}
		p.Specs = append(p.Specs, spec)
	}
}

func (p *htmlPage) addSkipped(r *Report) {
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Verdict != Skip {
			continue
		}
		n := slices.IndexFunc(p.Skipped, func(s htmlSkipped) bool { return s.Reason == c.Message && s.Enable == c.Enable })
		if n < 0 {
			n = len(p.Skipped)
			p.Skipped = append(p.Skipped, htmlSkipped{Reason: c.Message, Enable: c.Enable})
		}
		p.Skipped[n].N++
	}
	slices.SortStableFunc(p.Skipped, func(a, b htmlSkipped) int { return b.N - a.N })
}

// bar divides a hundred parts among the verdicts.
func bar(s Summary) []htmlBar {
	var list []htmlBar
	x, total := 0.0, float64(max(s.Total(), 1))
	for _, v := range []Verdict{Pass, Note, Known, Warn, Fail, Inconclusive, Skip} {
		if n := s.Count(v); n > 0 {
			w := float64(n) * 100 / total
			list = append(list, htmlBar{v, strconv.FormatFloat(x, 'f', 2, 64), strconv.FormatFloat(w, 'f', 2, 64)})
			x += w
		}
	}
	return list
}

func newHTMLCheck(c *Check, r *Report) *htmlCheck {
	h := &htmlCheck{Check: c, Open: c.Verdict == Fail || c.Verdict == Warn, SentText: sentText(c)}
	if c.Verdict == Pass {
		h.Expected = addExpected(nil, "", c.Expected)
		for _, v := range c.Variants {
			h.Expected = addExpected(h.Expected, "", v.Expected)
		}
		if e := decisive(c); c.Actual == "" && e != nil {
			h.Actual = []htmlPair{{"", receivedText(e)}}
		}
	} else {
		groups := outcomes(c)
		for _, o := range groups {
			h.Expected = addExpected(h.Expected, strings.Join(o.variants, ", "), o.expected)
			if o.actual != "" || o.name() != "" {
				h.Actual = append(h.Actual, htmlPair{o.name(), o.actual})
			}
		}
		if len(h.Expected) == 1 && len(groups) > 1 || len(groups) == 1 && len(h.Expected) == 1 {
			h.Expected[0].Name = ""
		}
	}
	for _, q := range r.requirementsOf(c) {
		q.URL = webURL(q.URL)
		h.Quoted = append(h.Quoted, q)
		if q.Fix != "" && c.Verdict != Pass && c.Verdict != Skip && !slices.Contains(h.Fixes, q.Fix) {
			h.Fixes = append(h.Fixes, q.Fix)
		}
	}
	for _, v := range c.Variants {
		if v.Verdict == Pass {
			h.PassedVariants = append(h.PassedVariants, v.Name)
		}
	}
	if c.Verdict != Pass && c.Verdict != Skip {
		h.Repeat, h.Then = repetition(c)
	}
	for i := range c.Exchanges {
		if e := &c.Exchanges[i]; c.Verdict != Pass || e == decisive(c) {
			h.Evidence = append(h.Evidence, newHTMLExchange(e))
		}
	}
	return h
}

func addExpected(list []htmlExpected, name string, expected []string) []htmlExpected {
	if len(expected) == 0 {
		return list
	}
	for i := range list {
		if slices.Equal(list[i].List, expected) {
			list[i].Name = joinNonEmpty(", ", list[i].Name, name)
			return list
		}
	}
	return append(list, htmlExpected{name, expected})
}

func newHTMLExchange(e *Exchange) htmlExchange {
	h := htmlExchange{Exchange: e, Method: e.Request.Method, Path: clip(Visible(requestTarget(e.Request.URL)), 160)}
	h.RequestText = message(e.Request.Method+" "+e.Request.URL, e.Request.Headers, e.Request.Body)
	if e.Error != "" {
		h.Status, h.ResponseText = "no response", Visible(e.Error)
		return h
	}
	h.Status = strings.TrimSpace(strconv.Itoa(e.Response.Status) + " " + http.StatusText(e.Response.Status))
	h.ResponseText = message("HTTP "+h.Status, e.Response.Headers, e.Response.Body)
	return h
}

// message lays an HTTP message out.
func message(first string, headers http.Header, body string) string {
	lines := []string{Visible(first)}
	for _, name := range sortedKeys(headers) {
		for _, value := range headers[name] {
			lines = append(lines, Visible(name+": "+value))
		}
	}
	if body != "" {
		lines = append(lines, "")
		lines = append(lines, visibleLines(cutAt(prettyBody(body, headers.Get("Content-Type")), maxHTMLBody))...)
	}
	return strings.Join(lines, "\n")
}

// webURL returns a URL only if it is one of the web, so that it may become a link.
func webURL(u string) string {
	if strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		return u
	}
	return ""
}

// anchor makes a fragment identifier of a name; the number keeps those of odd names apart.
func anchor(name string, n int) string {
	clean := strings.Map(func(c rune) rune {
		if c < 0x80 && (isAlnum(byte(c)) || c == '-' || c == '_' || c == '.') {
			return c
		}
		if c == '/' {
			return '-'
		}
		return -1
	}, name)
	if len(clean) != len(name) {
		clean = cmp.Or(clean, "x") + "-" + strconv.Itoa(n)
	}
	return clean
}
