package suites

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
)

// declarations are the deviations that a profile declares, as far as they excuse findings.
type declarations []profiles.Deviation

// newDeclarations returns what the profile declares; nothing with judge "strict" or without a profile. A deviation that
// the catalogue does not know excuses nothing.
func newDeclarations(profile *profiles.Profile, judge string) declarations {
	if profile == nil || judge == JudgeStrict {
		return nil
	}
	var out declarations
	for _, d := range profile.Deviations {
		if deviation, ok := profiles.LookupDeviation(d.Deviation); ok {
			out = append(out, deviation)
		}
	}
	return out
}

// excusing returns the names of the declared deviations that explain a finding of the check: those that break one of
// its requirements, or imply to, and that can cause the variant. A finding without a variant is explained whatever
// variants a deviation names.
func (ds declarations) excusing(c *Check, variant string) []string {
	var names []string
	for _, d := range ds {
		if touches(d, c.Requirements) && (variant == "" || causes(d, variant)) {
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// touches reports whether a deviation breaks one of the requirements, itself or by implication.
func touches(d profiles.Deviation, requirements []string) bool {
	return SameRequirement(d.Breaks, requirements...) ||
		slices.ContainsFunc(d.Implies, func(i profiles.Implication) bool { return SameRequirement(i.Requirement, requirements...) })
}

// SameRequirement reports whether a requirement is among others, where entries of the catalogue that repeat another one (same_as)
// are that other one.
func SameRequirement(id string, others ...string) bool {
	id = original(id)
	return slices.ContainsFunc(others, func(other string) bool { return original(other) == id })
}

// original follows same_as.
func original(id string) string {
	for range 4 {
		r, ok := profiles.LookupRequirement(id)
		if !ok || r.SameAs == "" {
			break
		}
		id = r.SameAs
	}
	return id
}

// causes reports whether a deviation can cause a variant to fail.
func causes(d profiles.Deviation, variant string) bool {
	return len(d.Variants) == 0 || slices.ContainsFunc(d.Variants, func(glob string) bool { return match(glob, variant) })
}

// severity is the verdict of a violation of a requirement of the level.
func severity(level profiles.Level) reports.Verdict {
	switch {
	case level.IsMust():
		return reports.Fail
	case level.IsShould():
		return reports.Warn
	}
	return reports.Note
}

// judge makes a report's check of what an execution came to.
//
// A finding is a failed body or variant. The check's verdict is that of its worst part: a finding that the profile does
// not declare (fail, warn or note, by level), a declared one (known), then
// inconclusive or skip where nothing was judged, then note where the check remarked something, then pass. A check some
// of whose variants could not be judged passes on the others and says so.
func judge(c *Check, a account, declared declarations) reports.Check {
	out := describe(c)
	out.DurationMS = a.duration.Milliseconds()
	out.Exchanges = a.exchanges
	out.Notes = a.notes

	bad := severity(c.Level())
	t := tally{}
	for _, s := range append(slices.Clone(a.variants), a.whole) {
		verdict := statementVerdict(s, bad)
		if s.kind == failed {
			t.findings = append(t.findings, s)
			if excuses := declared.excusing(c, s.variant); len(excuses) > 0 {
				verdict = reports.Known
				out.Declared = append(out.Declared, excuses...)
			} else {
				t.undeclared = append(t.undeclared, s)
			}
		}
		if s.variant != "" {
			out.Variants = append(out.Variants, variant(s, verdict))
			t.count(s)
		}
	}
	slices.Sort(out.Declared)
	out.Declared = slices.Compact(out.Declared)
	t.conclude(&out, a, bad)
	if c.Provisional != "" && len(t.undeclared) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("this check is on trial since %s: it does not count yet", c.Provisional))
	}
	return out
}

// describe is a report's check without an outcome.
func describe(c *Check) reports.Check {
	return reports.Check{
		ID: c.ID, Spec: c.Spec, Section: c.Section, Title: c.Title(), Level: string(c.Level()), Impact: c.Impact(),
		Requirements: slices.Clone(c.Requirements), Lane: string(c.Lane), Provisional: c.Provisional != "", Sent: c.Sent(),
		Variants: []reports.Variant{}, Exchanges: []reports.Exchange{},
	}
}

// statementVerdict is the verdict of one statement by itself.
func statementVerdict(s statement, bad reports.Verdict) reports.Verdict {
	switch s.kind {
	case failed:
		return bad
	case skipped:
		return reports.Skip
	case inconclusive:
		return reports.Inconclusive
	}
	return reports.Pass
}

func variant(s statement, verdict reports.Verdict) reports.Variant {
	message := s.reason
	if s.kind == failed {
		message = s.failure.Context
	}
	return reports.Variant{Name: s.variant, Verdict: verdict, Message: message, Expected: s.failure.Expected, Actual: s.failure.Actual}
}

// tally sums up the statements of a check.
type tally struct {
	findings, undeclared []statement
	judged               int         // variants that passed or failed
	open                 []statement // variants that were skipped or inconclusive
}

func (t *tally) count(s statement) {
	if s.kind == passed || s.kind == failed {
		t.judged++
	} else {
		t.open = append(t.open, s)
	}
}

// conclude sets the verdict and the words of the check.
func (t *tally) conclude(out *reports.Check, a account, bad reports.Verdict) {
	switch {
	case len(t.undeclared) > 0:
		out.Verdict = bad
		t.words(out, t.undeclared, len(a.variants))
	case len(t.findings) > 0:
		out.Verdict = reports.Known
		t.words(out, t.findings, len(a.variants))
	case a.whole.kind == inconclusive:
		out.Verdict, out.Message = reports.Inconclusive, a.whole.reason
	case a.whole.kind == skipped:
		out.Verdict, out.Message, out.Enable = reports.Skip, a.whole.reason, a.whole.enable
	case len(t.open) > 0 && t.judged == 0:
		t.nothingJudged(out)
	case len(out.Notes) > 0:
		out.Verdict = reports.Note
	default:
		out.Verdict = reports.Pass
	}
	if len(t.open) > 0 && (t.judged > 0 || len(t.findings) > 0) {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of %d variants could not be judged: %s", len(t.open), len(a.variants), names(t.open)))
	}
}

// nothingJudged is the outcome of a check none of whose variants could be judged.
func (t *tally) nothingJudged(out *reports.Check) {
	for _, s := range t.open {
		if s.kind == inconclusive {
			out.Verdict, out.Message = reports.Inconclusive, s.variant+": "+s.reason
			return
		}
	}
	out.Verdict, out.Message, out.Enable = reports.Skip, t.open[0].variant+": "+t.open[0].reason, t.open[0].enable
}

// words fills in what the first of the findings says, and which variants they are.
func (t *tally) words(out *reports.Check, findings []statement, variants int) {
	first := findings[0]
	out.Expected, out.Actual = first.failure.Expected, first.failure.Actual
	out.Message = first.failure.Context
	if first.variant == "" {
		return
	}
	out.Message = fmt.Sprintf("%d of %d variants: %s", len(findings), variants, names(findings))
	if first.failure.Context != "" {
		out.Message += ": " + first.failure.Context
	}
}

// names lists the variants of statements.
func names(statements []statement) string {
	var out []string
	for _, s := range statements {
		if s.variant != "" {
			out = append(out, s.variant)
		}
	}
	return strings.Join(out, ", ")
}

// Reported reports whether a check found a violation, whatever became of it: fail, warn, note or known.
func Reported(c reports.Check) bool {
	return len(c.Expected) > 0 || c.Actual != ""
}

// Expectation is a finding that a profile's declarations lead one to expect.
type Expectation struct {
	Check      string
	Deviations []string
}

// Expected lists the checks that should be known for a target that behaves as the profile declares: those whose
// requirements a declared deviation breaks or implies to break, without those that a mask hides.
func Expected(profile *profiles.Profile, checks []Check) []Expectation {
	var out []Expectation
	for _, c := range checks {
		var deviations []string
		for _, name := range newDeclarations(profile, JudgeProfile).excusing(&c, "") {
			masked := slices.ContainsFunc(profile.Masks, func(m profiles.Mask) bool { return m.Deviation == name && m.Check == c.ID })
			if !masked {
				deviations = append(deviations, name)
			}
		}
		if len(deviations) > 0 {
			out = append(out, Expectation{Check: c.ID, Deviations: deviations})
		}
	}
	return out
}
