package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The elements of JUnit's XML as CI servers read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Time       string           `xml:"time,attr"`
		Timestamp  string           `xml:"timestamp,attr"`
		Hostname   string           `xml:"hostname,attr"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
	}
	junitCase struct {
		Name       string           `xml:"name,attr"`
		Classname  string           `xml:"classname,attr"`
		Time       string           `xml:"time,attr"`
		Properties *junitProperties `xml:"properties"`
		Skipped    *junitResult     `xml:"skipped"`
		Error      *junitResult     `xml:"error"`
		Failure    *junitResult     `xml:"failure"`
		SystemOut  *junitText       `xml:"system-out"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// WriteJUnit writes the report as JUnit XML: a suite for each specification, a case for each check. A violated MUST is a
// failure, so is a violated SHOULD if the run was made with fail_on "should"; an inconclusive check is an error; a skipped
// one is skipped and says what enables it; all others passed, with their text in the output. A provisional check is
// never red.
func WriteJUnit(w io.Writer, r *Report) error {
	out := junitSuites{Name: "oauthcheck " + Visible(r.Target.URL), Time: seconds(r.Run.DurationMS)}
	for _, g := range groupBy(r.Checks, false, nil) {
		s := r.junitSuite(g)
		out.Suites = append(out.Suites, s)
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Errors += s.Errors
		out.Skipped += s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Report) junitSuite(g group) junitSuite {
	s := junitSuite{
		Name:      SpecName(g.spec),
		Timestamp: r.Run.Started.UTC().Format(time.RFC3339),
		Hostname:  Visible(r.Target.URL),
		Properties: properties(
			"target", r.Target.URL, "issuer", r.Target.Issuer, "tool", strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version),
			"profile", r.Run.Profile, "judge", r.Run.Judge, "fail_on", r.Run.FailOn, "lanes", strings.Join(r.Run.Lanes, ","),
			"filters", strings.Join(r.Run.Filters, " "), "seed", strconv.FormatInt(r.Run.Seed, 10), "aborted", r.Run.Aborted,
			"reproduce", r.Run.Reproduce),
	}
	var total int64
	for _, c := range g.checks {
		k := r.junitCase(c)
		s.Tests++
		switch {
		case k.Failure != nil:
			s.Failures++
		case k.Error != nil:
			s.Errors++
		case k.Skipped != nil:
			s.Skipped++
		}
		total += c.DurationMS
		s.Cases = append(s.Cases, k)
	}
	s.Time = seconds(total)
	return s
}

func (r *Report) junitCase(c *Check) junitCase {
	k := junitCase{
		Name:      Visible(c.ID),
		Classname: Visible(c.Spec + "." + c.Section),
		Time:      seconds(c.DurationMS),
		Properties: properties("verdict", string(c.Verdict), "level", c.Level, "impact", c.Impact, "lane", c.Lane,
			"requirements", strings.Join(c.Requirements, " "), "declared", strings.Join(c.Declared, " "), "setup", c.Setup),
	}
	text := FailureBlock(*c, r.requirementsOf(c)) + "\n"
	switch {
	case c.Red(r.Run.FailOn):
		k.Failure = &junitResult{Message: headline(c, r), Type: c.Level, Text: text}
	case c.Verdict == Inconclusive && !c.Provisional:
		k.Error = &junitResult{Message: headline(c, r), Type: string(Inconclusive), Text: text}
	case c.Verdict == Skip:
		message := c.Message
		if c.Enable != "" {
			message = joinNonEmpty("; to run it: ", message, c.Enable)
		}
		k.Skipped = &junitResult{Message: oneLine(message, 0)}
	case c.Verdict != Pass || len(c.Notes) > 0:
		k.SystemOut = &junitText{text}
	}
	return k
}

// headline is a check's outcome in one line.
func headline(c *Check, r *Report) string {
	o := outcomes(c)[0]
	text := joinNonEmpty(": ", o.name(), o.actual)
	if c.Verdict == Inconclusive {
		return oneLine(joinNonEmpty(": ", c.Message, c.Actual), 300)
	}
	if text == "" {
		text = c.Title
	}
	if qs := r.requirementsOf(c); len(qs) > 0 {
		text = qs[0].ID + ": " + text
	}
	return oneLine(text, 300)
}

// properties makes a list of names and values, without the empty ones.
func properties(pairs ...string) *junitProperties {
	var list []junitProperty
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, junitProperty{pairs[i], Visible(pairs[i+1])})
		}
	}
	if list == nil {
		return nil
	}
	return &junitProperties{list}
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }
