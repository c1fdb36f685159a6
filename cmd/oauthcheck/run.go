package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
)

func newRun() *cobra.Command {
	var f targetFlags
	o := outputFlags{files: reportFiles()}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Test an authorization server and report violations",
		Long: `run tests an authorization server from outside, over HTTP, and reports for each check: conforms, violates (with the
requests and responses that prove it), or not tested (with what would make it testable).

Exit status: 0 no violation that counts; 1 violations; 2 a mistake in flags, files or names; 3 the target could not be
tested. Violations win over 3. Secrets never reach a report.`,
		Example: `  oauthcheck run --target mock:strict
  oauthcheck run --config target.yaml --junit junit.xml
  oauthcheck run --config target.yaml --check rfc6749/4.1.3 --check 'rfc6749/*redirect-uri*'
  oauthcheck run --target https://as.example --client-id app --client-secret env:SECRET \
    --redirect-uri https://client.example/callback --username alice --password env:PASSWORD`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutputs(o.files); err != nil {
				return usage(err)
			}
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			defer s.close()
			console := newConsole(cmd, o)
			s.Progress = console.told
			report, err := suites.RunGinkgo(cmd.Context(), s.Config)
			if err != nil {
				return classify(err)
			}
			return finish(cmd, console, o.files, report)
		},
	}
	groupFlags(cmd, append(f.groups(), o.group())...)
	return cmd
}

// finish writes the reports and turns the outcome into an exit status.
func finish(cmd *cobra.Command, c *console, outputs []*output, r *reports.Report) error {
	code := r.Run.ExitStatus
	err := errors.Join(c.report(r), writeOutputs(outputs, cmd.OutOrStdout(), r))
	switch {
	case code == exitOK && err != nil: // a report that was asked for is not there
		return usage(err)
	case code == exitOK:
		return nil
	case code == exitUntestable && err == nil:
		return untestable(errors.New(untested(r)))
	}
	return &status{code, err}
}

// untested says why a run could not judge, and what to do.
func untested(r *reports.Report) string {
	why := "too many checks were inconclusive"
	switch {
	case r.Run.Aborted != "" && r.Summary.Inconclusive+r.Summary.Skip < r.Summary.Total():
		return r.Run.Aborted // a target that others could judge is set up well
	case r.Run.Aborted != "":
		why = r.Run.Aborted
	case r.Summary.Skip == r.Summary.Total():
		return "every check was skipped, so that nothing was tested; the report says what would enable them"
	}
	return why + "\noauthcheck doctor, with the same flags, says what is wrong with the set-up"
}

// classify gives an error of the harness its exit status.
func classify(err error) error {
	if err == nil {
		return nil
	}
	return &status{suites.StatusOf(err), err}
}

// outputFlags say what a run shows and writes.
type outputFlags struct {
	files                   []*output
	noColor, quiet, verbose bool
}

// reportFiles are the report files that a run can write.
func reportFiles() []*output {
	return []*output{
		{flag: "junit", format: "JUnit XML", write: reports.WriteJUnit},
		{flag: "json", format: "JSON", write: reports.WriteJSON},
		{flag: "html", format: "HTML", write: reports.WriteHTML},
		{flag: "markdown", format: "Markdown", write: reports.WriteMarkdown},
		{flag: "sarif", format: "SARIF", write: reports.WriteSARIF},
	}
}

func (o *outputFlags) group() flagGroup {
	set := newFlagSet()
	for _, file := range o.files {
		set.StringVar(&file.path, file.flag, "", fmt.Sprintf("write a report in %s to this `FILE`; - is the standard output", file.format))
	}
	set.BoolVar(&o.quiet, "quiet", false, "print only what counts and the summary, and no progress")
	set.BoolVar(&o.verbose, "verbose", false, "print all that is known of notes, known findings and what was not tested")
	set.BoolVar(&o.noColor, "no-color", false, "no colours (also: the environment variable NO_COLOR)")
	return flagGroup{"Reports", set}
}

// acceptRunFlags lets a command take the flags of run that say what is written, so that the same line serves for both. They
// have no effect. --json is left out: where a command has it, it means its own output.
func acceptRunFlags(set *pflag.FlagSet) {
	for _, file := range reportFiles() {
		if set.Lookup(file.flag) == nil {
			set.String(file.flag, "", "")
			_ = set.MarkHidden(file.flag)
		}
	}
	for _, name := range []string{"quiet", "verbose", "no-color"} {
		set.Bool(name, false, "")
		_ = set.MarkHidden(name)
	}
}
