package reports

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// WriteSARIF writes the findings of a report as SARIF 2.1.0, for services that collect the results of security tools.
// Every requirement is a rule; a finding has the request and response that prove it. A violated MUST is an error, a
// violated SHOULD a warning, a note a note; a known finding is suppressed with the deviation that declares it; what was
// inconclusive is open. Passed and skipped checks are no results.
func WriteSARIF(w io.Writer, r *Report) error {
	doc := sarif.NewReport()
	run := sarif.NewRunWithInformationURI(Visible(r.Tool.Name), "https://github.com/oauthcheck/oauthcheck")
	if u := webURL(r.Tool.URL); u != "" {
		run.Tool.Driver.WithInformationURI(u)
	}
	if r.Tool.Version != "" {
		run.Tool.Driver.WithVersion(Visible(r.Tool.Version))
	}
	run.AddInvocation(sarif.NewInvocation().
		WithExecutionSuccessful(r.Run.ExitStatus <= 1).
		WithExitCode(r.Run.ExitStatus).
		WithStartTimeUtc(r.Run.Started.UTC().Format(time.RFC3339)).
		WithEndTimeUtc(r.Run.Started.UTC().Add(time.Duration(r.Run.DurationMS) * time.Millisecond).Format(time.RFC3339)))
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Verdict == Inconclusive || c.Finding() {
			run.AddResult(sarifResult(run, c, r))
		}
	}
	doc.AddRun(run)
	if err := doc.PrettyWrite(w); err != nil {
		return fmt.Errorf("write the SARIF report: %w", err)
	}
	return nil
}

func sarifResult(run *sarif.Run, c *Check, r *Report) *sarif.Result {
	rule := c.ID
	for i, q := range r.requirementsOf(c) {
		if i == 0 {
			rule = q.ID
		}
		sarifRule(run, q)
	}
	result := sarif.NewRuleResult(rule).WithMessage(sarif.NewTextMessage(FailureBlock(*c, r.requirementsOf(c)))).
		WithPartialFingerprints(map[string]string{"oauthcheck/v1": Visible(c.ID)}).
		WithLocations([]*sarif.Location{sarifLocation(c, r)}).
		WithProperties(sarif.NewPropertyBag().Add("verdict", string(c.Verdict)).Add("impact", c.Impact).Add("check", Visible(c.ID)))
	if n := run.GetRuleIndex(rule); n >= 0 {
		result.WithRuleIndex(n)
	}
	switch c.Verdict {
	case Fail:
		result.WithLevel("error")
	case Note:
		result.WithLevel("note")
	case Known:
		result.AddSuppression(sarif.NewSuppression().WithKind("external").
			WithJustification("declared by the profile: " + Visible(strings.Join(c.Declared, ", "))))
	case Inconclusive:
		result.WithKind("open").WithLevel("none")
	}
	if e := decisive(c); e != nil {
		result.WithWebRequest(sarifRequest(e)).WithWebResponse(sarifResponse(e))
	}
	return result
}

// sarifRule describes a requirement, once.
func sarifRule(run *sarif.Run, q Requirement) {
	rule := run.AddRule(q.ID)
	if rule.ShortDescription != nil {
		return
	}
	says := q.Says
	if says == "" {
		says = q.ID
	}
	rule.WithShortDescription(sarif.NewMultiformatMessageString().WithText(says))
	if q.Fix != "" {
		rule.WithHelp(sarif.NewMultiformatMessageString().WithText(q.Fix))
	}
	if u := webURL(q.URL); u != "" {
		rule.WithHelpURI(u)
	}
	severity := map[string]string{"high": "8.0", "medium": "5.5", "low": "2.0"}[q.Impact] // bands of GitHub's code scanning
	properties := sarif.NewPropertyBag().Add("level", q.Level).Add("impact", q.Impact).WithTags([]string{"security", "oauth", q.Spec})
	if severity != "" {
		properties.Add("security-severity", severity)
	}
	rule.WithProperties(properties)
}

func sarifLocation(c *Check, r *Report) *sarif.Location {
	uri := r.Target.URL
	return sarif.NewLocationWithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewArtifactLocation().WithURI(Visible(uri))).
		WithRegion(sarif.NewSimpleRegion(1, 1))).
		WithLogicalLocations([]*sarif.LogicalLocation{
			sarif.NewLogicalLocation().WithName(Visible(c.ID)).WithFullyQualifiedName(Visible(SpecName(c.Spec) + " section " + c.Section)),
		})
}

func sarifRequest(e *Exchange) *sarif.WebRequest {
	req := sarif.NewWebRequest().WithProtocol("HTTP").WithMethod(Visible(e.Request.Method)).WithTarget(Visible(e.Request.URL)).
		WithHeaders(sarifHeaders(e.Request.Headers))
	if e.Request.Body != "" {
		req.WithBody(sarif.NewArtifactContent().WithText(visibleText(e.Request.Body)))
	}
	return req
}

func sarifResponse(e *Exchange) *sarif.WebResponse {
	if e.Error != "" {
		return sarif.NewWebResponse().WithNoResponseReceived(true)
	}
	resp := sarif.NewWebResponse().WithProtocol("HTTP").WithStatusCode(e.Response.Status).WithHeaders(sarifHeaders(e.Response.Headers))
	if text := http.StatusText(e.Response.Status); text != "" {
		resp.WithReasonPhrase(text)
	} else {
		resp.WithReasonPhrase(strconv.Itoa(e.Response.Status))
	}
	if e.Response.Body != "" {
		resp.WithBody(sarif.NewArtifactContent().WithText(visibleText(e.Response.Body)))
	}
	return resp
}

func sarifHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for _, name := range sortedKeys(h) {
		out[Visible(name)] = Visible(strings.Join(h[name], ", "))
	}
	return out
}
