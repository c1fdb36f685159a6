// Package matchers holds the Gomega matchers with which checks judge a server: each is named as what the RFC says
// (BeUncacheable, RefuseWith, NotLeaveFor), takes a *target.Response or a *target.Authorization, and fails with a text
// that lists every outcome it would have accepted beside what came back.
//
// A matcher that cannot judge (there is no response, say) fails with a text that Unjudgeable recognises; the runner turns
// it into an inconclusive verdict.
package matchers

import "strings"

// Failure is what a failed matcher has to say.
type Failure struct {
	Context  string   // the annotation of the assertion, if any
	Expected []string // every outcome that would have been accepted
	Actual   string   // what came back
}

const (
	expectedLine = "Expected any of:"
	actualLine   = "Actual:"
	item         = "  - "
	indent       = "    "
)

// String encodes the failure as readable text that ParseFailure splits again.
func (f Failure) String() string {
	var b strings.Builder
	if f.Context != "" {
		b.WriteString(f.Context + "\n")
	}
	b.WriteString(expectedLine + "\n")
	for _, e := range f.Expected {
		b.WriteString(item + strings.ReplaceAll(e, "\n", "\n"+indent) + "\n")
	}
	b.WriteString(actualLine + "\n" + indent + strings.ReplaceAll(f.Actual, "\n", "\n"+indent))
	return b.String()
}

// ParseFailure splits a failure message. It understands Failure.String, with or without an annotation before it, and
// the usual two-part messages of Gomega's own matchers; of any other text it makes Actual.
func ParseFailure(message string) Failure {
	if f, ok := parseOwn(message); ok {
		return f
	}
	if f, ok := parseGomega(message); ok {
		return f
	}
	return Failure{Actual: message}
}

func parseOwn(message string) (Failure, bool) {
	before, rest, ok := cutLine(message, expectedLine)
	if !ok {
		return Failure{}, false
	}
	f := Failure{Context: before}
	list, actual, ok := cutLine(rest, actualLine)
	if !ok {
		return Failure{}, false
	}
	for line := range strings.Lines(list) {
		line = strings.TrimSuffix(line, "\n")
		if text, ok := strings.CutPrefix(line, item); ok {
			f.Expected = append(f.Expected, text)
		} else if len(f.Expected) > 0 {
			f.Expected[len(f.Expected)-1] += "\n" + strings.TrimPrefix(line, indent)
		}
	}
	f.Actual = strings.ReplaceAll(strings.TrimPrefix(actual, indent), "\n"+indent, "\n")
	return f, true
}

// cutLine splits text at the first line that equals line.
func cutLine(text, line string) (before, after string, ok bool) {
	if after, ok := strings.CutPrefix(text, line+"\n"); ok {
		return "", after, true
	}
	before, after, ok = strings.Cut(text, "\n"+line+"\n")
	return before, after, ok
}

// parseGomega splits "Expected\n    <string>: x\nto equal\n    <string>: y".
func parseGomega(message string) (Failure, bool) {
	context, rest, ok := cutLine(message, "Expected")
	if !ok {
		return Failure{}, false
	}
	lines := strings.Split(rest, "\n")
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], indent) {
		n++
	}
	if n == 0 || n == len(lines) {
		return Failure{}, false
	}
	actual := strings.ReplaceAll(strings.TrimPrefix(strings.Join(lines[:n], "\n"), indent), "\n"+indent, "\n")
	expected := strings.Join(strings.Fields(strings.Join(lines[n:], " ")), " ")
	return Failure{Context: context, Expected: []string{expected}, Actual: actual}, true
}

// unjudgeable is the error of a matcher that cannot judge its actual value.
type unjudgeable string

const unjudgeablePrefix = "no judgement possible: "

func (u unjudgeable) Error() string { return unjudgeablePrefix + string(u) }

// Unjudgeable reports whether a failure message comes from a matcher that could not judge, and why it could not.
func Unjudgeable(message string) (why string, ok bool) {
	_, why, ok = strings.Cut(message, unjudgeablePrefix)
	return why, ok
}
