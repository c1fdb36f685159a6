package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"golang.org/x/net/html"
)

func render(t *testing.T, write func(io.Writer, *Report) error, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummarize(t *testing.T) {
	s := Summarize(Sample().Checks)
	if want := (Summary{Pass: 1, Fail: 2, Warn: 1, Note: 2, Known: 1, Skip: 1, Inconclusive: 1}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if got, want := s.String(), "2 fail, 1 warn, 1 inconclusive, 1 known, 2 note, 1 pass, 1 skip"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s.Total() != 9 {
		t.Errorf("total %d", s.Total())
	}
}

func TestRed(t *testing.T) {
	for _, test := range []struct {
		verdict     Verdict
		failOn      string
		provisional bool
		want        bool
	}{
		{Fail, "must", false, true}, {Fail, "must", true, false}, {Warn, "must", false, false}, {Warn, "should", false, true},
		{Warn, "should", true, false}, {Note, "should", false, false}, {Known, "should", false, false}, {Inconclusive, "should", false, false},
		{Skip, "should", false, false}, {Pass, "should", false, false},
	} {
		c := Check{Verdict: test.verdict, Provisional: test.provisional}
		if got := c.Red(test.failOn); got != test.want {
			t.Errorf("%s, fail on %s, provisional %t: %t", test.verdict, test.failOn, test.provisional, got)
		}
	}
}

func TestSpecName(t *testing.T) {
	for slug, want := range map[string]string{"rfc6749": "RFC 6749", "RFC8693": "RFC 8693", "oauth21": "OAuth 2.1", "oidc-core": "OpenID Connect Core",
		"mcp-authorization": "MCP authorization", "rfcx": "rfcx", "own": "own", "": ""} {
		if got := SpecName(slug); got != want {
			t.Errorf("%q: %q, want %q", slug, got, want)
		}
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": "", "é 日本": "é 日本", "\x1b[31m": `\x1b[31m`, "\u009b2J": `\u009b2J`, "a\u202eb": `a\u202eb`, "\u2066": `\u2066`,
		"\ufeff": `\ufeff`, "\u200b": `\u200b`, "\u00ad": `\u00ad`, "a\nb\tc\r": `a\nb\tc\r`, "\xff\xfe": `\xff\xfe`, "\x7f": `\x7f`, "\U000e0001": `\U000e0001`,
		"\ufffd": "\ufffd", "\u2028": `\u2028`, "\x00": `\x00`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"short", []string{"short"}},
		{"one two three four five six", []string{"one two three four", "five six"}},
		{"https://as.example/a/very/long/url here", []string{"https://as.example/a/very/long/url", "here"}},
		{"日本語日本語 日本語日本語", []string{"日本語日本語", "日本語日本語"}},
	} {
		if got := wrap(test.text, 20); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q", test.text, got)
		}
	}
}

func TestFailureBlockOrder(t *testing.T) {
	r := redactedSample()
	text := FailureBlock(r.Checks[0], r.requirementsOf(&r.Checks[0]))
	golden(t, "block.txt", []byte(text+"\n"))
	at := 0
	for _, part := range []string{"FAIL rfc6749/redirect-uri-compared-as-string", "MUST", "high impact", "sent ", "expected ", " or a refusal", "came back ",
		"path-appended, query-appended (2 of 5)", "another-host (1 of 5)", "requires ", "RFC6749-3.1.2.3-02: ", "https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.3",
		"fix ", "repeat ", "curl -i"} {
		i := strings.Index(text[at:], part)
		if i < 0 {
			t.Fatalf("%q is missing or out of order in\n%s", part, text)
		}
		at += i
	}
	if strings.Contains(text, "fragment-appended") {
		t.Error("a variant that passed is part of the block")
	}
}

func TestFailureBlockOfLittle(t *testing.T) {
	got := FailureBlock(Check{ID: "rfc6749/x", Verdict: Fail}, nil)
	if got != "FAIL rfc6749/x" {
		t.Errorf("got %q", got)
	}
	e := Exchange{Request: Request{Method: "GET", URL: "https://h/"}, Response: Response{Status: 500, Body: "oh\n no"}}
	got = FailureBlock(Check{ID: "rfc6749/x", Level: "MUST", Verdict: Fail, Exchanges: []Exchange{e}}, []Requirement{{ID: "R", Spec: "rfc6749", Section: "1"}})
	want := "FAIL rfc6749/x · MUST\n  sent      GET https://h/\n  came back HTTP 500, oh no\n  requires  R: RFC 6749 section 1"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVariantsWithDifferentExpectations(t *testing.T) {
	c := Check{ID: "x", Verdict: Fail, Variants: []Variant{
		{Name: "a", Verdict: Fail, Expected: []string{"one"}, Actual: "1"}, {Name: "b", Verdict: Known, Expected: []string{"two"}, Actual: "2"}}}
	want := "FAIL x\n  expected  a:\n            one\n            b:\n            two\n  came back a (1 of 2):\n              1\n            b (1 of 2):\n              2"
	if got := FailureBlock(c, nil); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestNothingControlsATerminal looks for what a terminal would act upon in everything that is written to one.
func TestNothingControlsATerminal(t *testing.T) {
	out := render(t, Console{Verbose: true}.Write, redactedSample()) + render(t, WriteMarkdown, redactedSample()) + render(t, WriteJUnit, redactedSample())
	out += strings.Join(block(&redactedSample().Checks[1], nil, style{}, 80), "\n")
	for _, c := range out {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			t.Fatalf("%q is in the output", c)
		}
	}
	colored := render(t, Console{Color: true, Verbose: true}.Write, redactedSample())
	if rest := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(colored, ""); strings.ContainsRune(rest, '\x1b') || rest != render(t, Console{Verbose: true}.Write, redactedSample()) {
		t.Error("colours change more than colours")
	}
}

func TestConsoleKeepsToItsWidth(t *testing.T) {
	for _, width := range []int{80, 100, 120} {
		for line := range strings.Lines(render(t, Console{Width: width}.Write, redactedSample())) {
			line = strings.TrimSuffix(line, "\n")
			if columns(line) > width && !regexp.MustCompile(`curl -i|https?://|→|again:|─|can `).MatchString(line) {
				t.Errorf("width %d: %q has %d columns", width, line, columns(line))
			}
		}
	}
}

func TestConsoleAlwaysCounts(t *testing.T) {
	for _, c := range []Console{{}, {Quiet: true}, {Verbose: true}} {
		out := render(t, c.Write, &Report{Schema: Schema, Target: Target{URL: "https://h"}})
		if !strings.Contains(out, "0 fail · 0 warn · 0 inconclusive · 0 known · 0 note · 0 pass · 0 skip") {
			t.Errorf("the counts are missing:\n%s", out)
		}
	}
}

func TestConsoleTellsTheOutcome(t *testing.T) {
	for status, want := range map[int]string{0: "PASS  ", 1: "FAIL  ", 2: "ERROR  ", 3: "NOT TESTED  "} {
		out := render(t, Console{}.Write, &Report{Run: Run{ExitStatus: status, Aborted: "no answer"}})
		if !strings.Contains(out, "\n"+want) || !strings.Contains(out, "aborted   no answer") {
			t.Errorf("status %d:\n%s", status, out)
		}
	}
}

func TestProgress(t *testing.T) {
	var plain, live bytes.Buffer
	for _, p := range []*Progress{{Writer: &plain}, {Writer: &live, Live: true, Width: 50}} {
		p.Start(20)
		for i := 1; i <= 20; i++ {
			p.Update(i, map[bool]Verdict{true: Fail, false: Pass}[i == 3], "rfc6749/a-check-with-a-rather-long-name-\x1b[31m")
		}
		p.Stop()
	}
	lines := strings.Split(strings.TrimSpace(plain.String()), "\n")
	if len(lines) != 10 || strings.TrimSpace(lines[0]) != "2/20 checks" || lines[9] != "20/20 checks, 1 fail" {
		t.Errorf("plain: %q", lines)
	}
	text := live.String()
	if !strings.HasSuffix(text, "\r\x1b[K") || strings.Contains(text, "\n") || !strings.Contains(text, "20/20 checks, 1 fail") {
		t.Errorf("live: %q", text)
	}
	for _, picture := range strings.Split(text, "\r\x1b[K") {
		if columns(picture) >= 50 || strings.Contains(picture, "\x1b") {
			t.Errorf("the live line %q would wrap or control the terminal", picture)
		}
	}
	new(Progress).Stop() // never started
}

func TestJSONRoundTrip(t *testing.T) {
	out := render(t, WriteJSON, redactedSample())
	r, err := Read(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if again := render(t, WriteJSON, r); again != strings.ReplaceAll(out, `\ufffd`, "\ufffd") {
		t.Error("reading and writing changes the report")
	}
	if strings.Contains(out, "null") {
		t.Error("a list or object is null")
	}
	var raw struct {
		Checks  []map[string]json.RawMessage `json:"checks"`
		Summary map[string]int               `json:"summary"`
	}
	if err := json.Unmarshal([]byte(out), &raw); err != nil {
		t.Fatal(err)
	}
	for _, c := range raw.Checks {
		for _, name := range []string{"variants", "exchanges", "requirements"} {
			if !strings.HasPrefix(string(c[name]), "[") {
				t.Errorf("%s is %s", name, c[name])
			}
		}
	}
	if len(raw.Summary) != 7 {
		t.Errorf("summary has %d counts", len(raw.Summary))
	}
	empty := render(t, WriteJSON, &Report{})
	for _, want := range []string{`"checks": []`, `"requirements": []`, `"capabilities": []`} {
		if !strings.Contains(empty, want) {
			t.Errorf("no %s in %s", want, empty)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": "no", "another schema": `{"schema":"oauthcheck/report/v9"}`, "a wrong type": `{"schema":"` + Schema + `","checks":{}}`,
		"inconsistent": `{"schema":"` + Schema + `"}`, "empty": "",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Read(failing{}); err == nil {
		t.Error("a failed read is accepted")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("no") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("no") }

func TestWritersReportErrors(t *testing.T) {
	for name, write := range writers() {
		if err := write(failing{}, redactedSample()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := Validate(Sample()); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Report){
		"schema is":                       func(r *Report) { r.Schema = "x" },
		"tool.name":                       func(r *Report) { r.Tool.Name = "" },
		"target.url":                      func(r *Report) { r.Target.URL = "" },
		"run.started":                     func(r *Report) { r.Run.Started = r.Run.Started.AddDate(-2025, -10, -2).Add(-9.5 * 3600e9) },
		"negative":                        func(r *Report) { r.Run.Requests = -1 },
		"exit_status is 7":                func(r *Report) { r.Run.ExitStatus = 7 },
		"fail_on":                         func(r *Report) { r.Run.FailOn = "may" },
		"run.judge":                       func(r *Report) { r.Run.Judge = "lax" },
		"described twice":                 func(r *Report) { r.Requirements = append(r.Requirements, r.Requirements[0]) },
		"unknown level":                   func(r *Report) { r.Checks[0].Level = "must" },
		"unknown impact":                  func(r *Report) { r.Requirements[0].Impact = "huge" },
		"listed twice":                    func(r *Report) { r.Checks = append(r.Checks, r.Checks[0]) },
		"capability pkce is listed twice": func(r *Report) { r.Target.Capabilities = []Capability{{Name: "pkce"}, {Name: "pkce"}} },
		"no name":                         func(r *Report) { r.Target.Capabilities[0].Name = "" },
		"has no id":                       func(r *Report) { r.Checks[0].ID = "" },
		"has no spec":                     func(r *Report) { r.Checks[0].Spec = "" },
		`unknown verdict "maybe"`:         func(r *Report) { r.Checks[0].Verdict = "maybe" },
		`variant path-appended`:           func(r *Report) { r.Checks[0].Variants[0].Verdict = "" },
		"requirement RFC0-1 is not":       func(r *Report) { r.Checks[0].Requirements = []string{"RFC0-1"} },
		"has no request":                  func(r *Report) { r.Checks[0].Exchanges[0].Request.Method = "" },
		"the summary says":                func(r *Report) { r.Summary.Pass++ },
		"duration_ms is negative":         func(r *Report) { r.Checks[0].DurationMS = -1 },
	} {
		r := Sample()
		change(r)
		if err := Validate(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestJUnit(t *testing.T) {
	for _, failOn := range []string{"must", "should"} {
		r := redactedSample()
		r.Run.FailOn = failOn
		out := render(t, WriteJUnit, r)
		var suites junitSuites
		if err := xml.Unmarshal([]byte(out), &suites); err != nil {
			t.Fatal(err)
		}
		want := map[Verdict]string{Pass: "", Note: "out", Known: "out", Warn: "out", Fail: "failure", Skip: "skipped", Inconclusive: "error"}
		if failOn == "should" {
			want[Warn] = "failure"
		}
		tests, failures, errs, skipped := 0, 0, 0, 0
		for _, s := range suites.Suites {
			if s.Tests != len(s.Cases) {
				t.Errorf("%s: tests=%d, %d cases", s.Name, s.Tests, len(s.Cases))
			}
			tests, failures, errs, skipped = tests+s.Tests, failures+s.Failures, errs+s.Errors, skipped+s.Skipped
			for _, k := range s.Cases {
				i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.ID == k.Name })
				c := r.Checks[i]
				got := ""
				switch {
				case k.Failure != nil:
					got = "failure"
				case k.Error != nil:
					got = "error"
				case k.Skipped != nil:
					got = "skipped"
				case k.SystemOut != nil:
					got = "out"
				}
				if got != want[c.Verdict] || k.Classname != c.Spec+"."+c.Section {
					t.Errorf("fail on %s: %s is %q (%s), want %q", failOn, c.Verdict, got, k.Classname, want[c.Verdict])
				}
			}
		}
		if tests != suites.Tests || failures != suites.Failures || errs != suites.Errors || skipped != suites.Skipped || tests != len(r.Checks) {
			t.Errorf("the totals do not agree: %+v", suites)
		}
		if suites.Failures != 2+map[string]int{"should": 1}[failOn] {
			t.Errorf("%d failures with fail on %s", suites.Failures, failOn)
		}
		if !strings.Contains(out, "to run it: token_exchange:") {
			t.Error("the skipped check does not say what enables it")
		}
	}
}

func TestAProvisionalCheckIsNeverRed(t *testing.T) {
	r := plainReport()
	r.Checks[0].Provisional = true
	inconclusive := r.Checks[0]
	inconclusive.Verdict = Inconclusive
	r.Checks = append(r.Checks, inconclusive)
	out := render(t, WriteJUnit, r)
	if !strings.Contains(out, `failures="0" errors="0"`) {
		t.Error(out)
	}
}

func TestSARIFFollowsItsSchema(t *testing.T) {
	doc, err := sarif.FromString(render(t, WriteSARIF, redactedSample()))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(); err != nil {
		t.Error(err)
	}
	if n := len(doc.Runs[0].Results); n != 7 {
		t.Errorf("%d results", n)
	}
}

// TestHTMLIsInert parses the page as a browser does and looks for anything that the target could have put there.
func TestHTMLIsInert(t *testing.T) {
	r := redactedSample()
	r.Requirements[0].URL = "javascript:alert(1)"
	r.Tool.URL = "data:text/html,x"
	r.Checks[0].ID = `rfc6749/"><script>alert(1)</script>`
	out := render(t, WriteHTML, r)
	doc, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, hrefs := map[string]bool{}, []string{}, []string{}
	scripts := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			scripts++
		case "img", "link", "iframe", "object", "embed", "base", "video", "audio", "source", "frame":
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "action", a.Key == "srcset", a.Key == "formaction":
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "id":
				if ids[a.Val] {
					t.Errorf("the id %s is not unique", a.Val)
				}
				ids[a.Val] = true
			case a.Key == "aria-labelledby":
				labels = append(labels, a.Val)
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				hrefs = append(hrefs, a.Val[1:])
			case a.Key == "href" && !strings.HasPrefix(a.Val, "https://") && a.Val != "":
				t.Errorf("a link to %s", a.Val)
			}
		}
	}
	for _, id := range append(labels, hrefs...) {
		if !ids[id] {
			t.Errorf("there is no element %s", id)
		}
	}
	if scripts != 1 {
		t.Errorf("%d scripts", scripts)
	}
}

func TestHTMLPolicyAdmitsItsOwnStyleAndScript(t *testing.T) {
	out := render(t, WriteHTML, redactedSample())
	between := func(open, end string) string {
		_, rest, _ := strings.Cut(out, open)
		text, _, _ := strings.Cut(rest, end)
		return text
	}
	if between("<style>", "</style>") != htmlCSS || between("<script>", "</script>") != htmlJS {
		t.Error("the template changed the style or script, so that its hash is wrong")
	}
	policy := html.UnescapeString(between(`Content-Security-Policy" content="`, `">`))
	if policy != contentSecurityPolicy() || !strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("policy: %s", policy)
	}
	if strings.Contains(htmlJS, "</") || strings.Contains(htmlCSS, "</") || strings.Contains(htmlCSS, "@import") || strings.Contains(htmlCSS, "url(") {
		t.Error("the style or script could end its element or load something")
	}
}

// TestHTMLContrast computes the contrast of the verdicts' colours in both themes (WCAG 2: 4.5 for text).
func TestHTMLContrast(t *testing.T) {
	colors := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`)
	light, dark, _ := strings.Cut(htmlCSS, "@media (prefers-color-scheme: dark)")
	dark, _, _ = strings.Cut(dark, "\n}\n")
	light, _, _ = strings.Cut(light, "\n}\n")
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		of := map[string]float64{}
		for _, m := range colors.FindAllStringSubmatch(css, -1) {
			of[m[1]] = luminance(m[2])
		}
		pairs := [][2]string{{"text", "bg"}, {"text", "raised"}, {"dim", "bg"}, {"dim", "raised"}, {"link", "bg"}, {"link", "raised"}}
		for _, v := range Verdicts() {
			pairs = append(pairs, [2]string{string(v), string(v) + "-bg"}, [2]string{string(v), "bg"}, [2]string{string(v), "raised"})
		}
		for _, p := range pairs {
			a, b := of[p[0]], of[p[1]]
			if a == 0 && b == 0 {
				t.Fatalf("%s: no colours %v", theme, p)
			}
			if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); contrast < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", theme, p[0], p[1], contrast)
			}
		}
	}
}

func luminance(hex string) float64 {
	var r, g, b float64
	for i, c := range []*float64{&r, &g, &b} {
		var n int
		fmt.Sscanf(hex[2*i:2*i+2], "%02x", &n)
		v := float64(n) / 255
		*c = ((v + 0.055) / 1.055) * ((v + 0.055) / 1.055) * (1 + 0.4*((v+0.055)/1.055-1)) // close to the power of 2.4
	}
	return 0.2126*r + 0.7152*g + 0.0722*b
}

func TestMarkdownIsInert(t *testing.T) {
	r := redactedSample()
	r.Target.URL = "https://as.example/`|<img src=x>](https://evil.example)"
	r.Checks[1].Actual = "```\n</details><script>alert(1)</script>\n````"
	out := render(t, WriteMarkdown, r)
	inFence := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case inFence == "" && len(ticks) >= 3:
			inFence = ticks
			continue
		case inFence != "" && strings.HasPrefix(line, inFence) && strings.TrimLeft(line, "`") == "":
			inFence = ""
			continue
		case inFence != "":
			continue
		}
		for _, bad := range []string{"<script", "<img", "](https://evil"} {
			if strings.Contains(line, bad) {
				t.Errorf("%s in %s", bad, line)
			}
		}
	}
	if inFence != "" {
		t.Error("a code block is not closed")
	}
}

func TestMarkdownIsBounded(t *testing.T) {
	r := redactedSample()
	for i := range 1000 {
		c := r.Checks[0]
		c.ID = fmt.Sprintf("rfc6749/x-%d", i)
		c.Notes = []string{strings.Repeat("note ", 400)}
		r.Checks = append(r.Checks, c)
	}
	out := render(t, WriteMarkdown, r)
	if len(out) > 1<<20 || !strings.Contains(out, "left out") {
		t.Errorf("%d bytes", len(out))
	}
}

func TestHTMLOfAnEmptyReport(t *testing.T) {
	for name, write := range writers() {
		if out := render(t, write, &Report{}); out == "" {
			t.Errorf("%s: nothing", name)
		}
	}
}

func BenchmarkWriteHTML(b *testing.B) {
	r := benchmarkReport()
	NewRedactor(nil).Redact(r)
	for b.Loop() {
		if err := WriteHTML(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

// A check with many findings of one kind tells the first and lists the others.
func TestFailureBlockOfManyVariants(t *testing.T) {
	c := Check{ID: "rfc0/many", Verdict: Fail, Level: "MUST", Sent: "variants"}
	for i := range 30 {
		c.Variants = append(c.Variants, Variant{Name: fmt.Sprintf("v%02d", i), Verdict: Fail, Expected: []string{"a refusal"}, Actual: fmt.Sprintf("answer %02d", i)})
	}
	c.Variants[29].Expected = []string{"something else"}
	text := FailureBlock(c, nil)
	for _, part := range []string{"answer 00", "answer 03", "v04, v05", "v28 (25 of 30)", "v29 (1 of 30)", "in the same way"} {
		if !strings.Contains(text, part) {
			t.Errorf("the block lacks %q:\n%s", part, text)
		}
	}
	if strings.Contains(text, "answer 04") {
		t.Errorf("the block tells of every variant:\n%s", text)
	}
	c.Variants = c.Variants[:6]
	if text := FailureBlock(c, nil); !strings.Contains(text, "answer 05") {
		t.Errorf("the block leaves out what has room:\n%s", text)
	}
}

// A form of a login or consent page works once: what is to be repeated is the request that led there.
func TestRepetitionBeginsWithTheAuthorizationRequest(t *testing.T) {
	exchange := func(method, url string, status int) Exchange {
		return Exchange{Request: Request{Method: method, URL: url}, Response: Response{Status: status}, Curl: "curl " + method + " " + url}
	}
	first := exchange("GET", "https://as.example/authorize?response_type=code&client_id=a&redirect_uri=x", 302)
	second := exchange("GET", "https://as.example/authorize?response_type=code&client_id=a&redirect_uri=y", 302)
	consent := exchange("POST", "https://as.example/consent", 303)
	token := exchange("POST", "https://as.example/token", 200)
	for name, test := range map[string]struct {
		exchanges []Exchange
		want      string
		then      bool
	}{
		"consent page":           {[]Exchange{first, consent, second, consent}, second.Curl, true},
		"authorization endpoint": {[]Exchange{first, second}, second.Curl, false},
		"token endpoint":         {[]Exchange{first, consent, token}, token.Curl, false},
		"no request before":      {[]Exchange{consent}, consent.Curl, false},
		"nothing":                {nil, "", false},
	} {
		command, then := repetition(&Check{Verdict: Fail, Exchanges: test.exchanges})
		if command != test.want || (then != "") != test.then {
			t.Errorf("%s: %q, %q", name, command, then)
		}
	}
}
