package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// WriteJSON writes the report as JSON, indented, with a line break at the end. Lists are never null.
func WriteJSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(complete(r)); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

// Read reads a report that WriteJSON wrote and validates it. Members that this version does not know are ignored.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("the report is not JSON: %w", err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("the report's schema is %q; this version reads %q", head.Schema, Schema)
	}
	var report Report
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, fmt.Errorf("the report does not follow %s: %w", Schema, err)
	}
	if err := Validate(&report); err != nil {
		return nil, fmt.Errorf("the report does not follow %s: %w", Schema, err)
	}
	return complete(&report), nil
}

// complete returns the report with empty lists instead of nil ones.
func complete(r *Report) *Report {
	c := *r
	c.Target.Capabilities = notNil(c.Target.Capabilities)
	c.Requirements = notNil(c.Requirements)
	c.Checks = notNil(slices.Clone(c.Checks))
	for i := range c.Checks {
		check := &c.Checks[i]
		check.Requirements = notNil(check.Requirements)
		check.Variants = notNil(check.Variants)
		check.Exchanges = notNil(slices.Clone(check.Exchanges))
		for j := range check.Exchanges {
			e := &check.Exchanges[j]
			if e.Request.Headers == nil {
				e.Request.Headers = http.Header{}
			}
			if e.Response.Headers == nil {
				e.Response.Headers = http.Header{}
			}
		}
	}
	return &c
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Validate reports everything that is inconsistent in a report: an unknown schema, verdicts, levels and impacts that do
// not exist, checks without identifier or with one that is taken, requirements that are not described, counts that do
// not agree with the checks, an exit status that is none.
func Validate(r *Report) error {
	var v validation
	v.check(r.Schema == Schema, "schema is %q, not %q", r.Schema, Schema)
	v.check(r.Tool.Name != "", "tool.name is empty")
	v.check(r.Target.URL != "", "target.url is empty")
	v.check(!r.Run.Started.IsZero(), "run.started is missing")
	v.check(r.Run.DurationMS >= 0 && r.Run.Requests >= 0, "run.duration_ms or run.requests is negative")
	v.check(slices.Contains([]int{0, 1, 2, 3}, r.Run.ExitStatus), "run.exit_status is %d, not 0 to 3", r.Run.ExitStatus)
	v.check(slices.Contains([]string{"", "must", "should"}, r.Run.FailOn), "run.fail_on is %q, not must or should", r.Run.FailOn)
	v.check(slices.Contains([]string{"", "profile", "strict"}, r.Run.Judge), "run.judge is %q, not profile or strict", r.Run.Judge)
	described := v.requirements(r.Requirements)
	v.capabilities(r.Target.Capabilities)
	v.checks(r.Checks, described)
	if want := Summarize(r.Checks); want != r.Summary {
		v.check(false, "the summary says %s, the checks say %s", r.Summary, want)
	}
	return errors.Join(v.errs...)
}

type validation struct{ errs []error }

func (v *validation) check(ok bool, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, fmt.Errorf(format, args...))
	}
}

func (v *validation) requirements(list []Requirement) map[string]bool {
	described := map[string]bool{}
	for i, q := range list {
		v.check(q.ID != "", "requirements[%d] has no id", i)
		v.check(!described[q.ID], "requirement %s is described twice", q.ID)
		v.check(isLevel(q.Level), "requirement %s: unknown level %q", q.ID, q.Level)
		v.check(isImpact(q.Impact), "requirement %s: unknown impact %q", q.ID, q.Impact)
		described[q.ID] = true
	}
	return described
}

func (v *validation) capabilities(list []Capability) {
	seen := map[string]bool{}
	for i, c := range list {
		v.check(c.Name != "", "target.capabilities[%d] has no name", i)
		v.check(!seen[c.Name], "capability %s is listed twice", c.Name)
		seen[c.Name] = true
	}
}

func (v *validation) checks(list []Check, described map[string]bool) {
	seen := map[string]bool{}
	for i, c := range list {
		v.check(c.ID != "", "checks[%d] has no id", i)
		v.check(!seen[c.ID], "check %s is listed twice", c.ID)
		seen[c.ID] = true
		v.check(c.Spec != "", "check %s has no spec", c.ID)
		v.check(slices.Contains(Verdicts(), c.Verdict), "check %s: unknown verdict %q", c.ID, c.Verdict)
		v.check(isLevel(c.Level), "check %s: unknown level %q", c.ID, c.Level)
		v.check(isImpact(c.Impact), "check %s: unknown impact %q", c.ID, c.Impact)
		v.check(c.DurationMS >= 0, "check %s: duration_ms is negative", c.ID)
		for _, id := range c.Requirements {
			v.check(described[id], "check %s: requirement %s is not described", c.ID, id)
		}
		for _, variant := range c.Variants {
			v.check(slices.Contains(Verdicts(), variant.Verdict), "check %s, variant %s: unknown verdict %q", c.ID, variant.Name, variant.Verdict)
		}
		for j, e := range c.Exchanges {
			v.check(e.Request.Method != "" && e.Request.URL != "", "check %s: exchanges[%d] has no request", c.ID, j)
		}
	}
}

func isLevel(s string) bool {
	return slices.Contains([]string{"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}, s)
}

func isImpact(s string) bool { return slices.Contains([]string{"", "high", "medium", "low"}, s) }
