package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
)

// console shows a run to a person: progress on the standard error stream while it lasts, the report at the end.
type console struct {
	out      io.Writer
	format   reports.Console
	progress *reports.Progress // nil with --quiet
	started  bool
}

// newConsole writes the report to the standard output, or to the standard error stream where a report file took the
// former ("--json -").
func newConsole(cmd *cobra.Command, o outputFlags) *console {
	c := &console{out: cmd.OutOrStdout(), format: reports.Console{Quiet: o.quiet, Verbose: o.verbose}}
	for _, file := range o.files {
		if file.path == "-" {
			c.out = cmd.ErrOrStderr()
		}
	}
	dumb := os.Getenv("TERM") == "dumb"
	plain := o.noColor || os.Getenv("NO_COLOR") != "" || dumb
	if width, ok := terminal(c.out); ok {
		c.format.Color, c.format.Width = !plain, width
	}
	if o.quiet {
		return c
	}
	c.progress = &reports.Progress{Writer: cmd.ErrOrStderr()}
	if width, ok := terminal(c.progress.Writer); ok && !dumb {
		c.progress.Live, c.progress.Color, c.progress.Width = true, !plain, width
	}
	return c
}

// terminal reports whether a stream is a terminal, and how many columns it has (0 if unknown).
func terminal(w io.Writer) (width int, ok bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return width, true
}

// told is called for every finished check, one at a time.
func (c *console) told(e suites.Event) {
	if c.progress == nil || e.Total == 0 { // of a target that could not be reached there is no progress
		return
	}
	if !c.started {
		c.started = true
		c.progress.Start(e.Total)
	}
	c.progress.Update(e.Finished, e.Check.Verdict, e.Check.ID)
}

// report ends the progress and prints the report.
func (c *console) report(r *reports.Report) error {
	if c.progress != nil {
		c.progress.Stop()
	}
	return c.format.Write(c.out, r)
}
