package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newCoverage() *cobra.Command {
	var asJSON bool
	var specs []string
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Show how much of each specification the checks cover",
		Long: `coverage counts the statements of each specification that bind the server. Statements for the client and repetitions
of a statement do not count.

  black box     every server shows from outside whether it conforms
  conditional   visible under a condition that the target file can supply (a second client, a protected resource …)
  not testable  nothing can be seen from outside

A statement counts as checked if a check judges it and the mock provider proves that the check reports its violation.`,
		Example: `  oauthcheck coverage
  oauthcheck coverage --spec rfc7662    # and which statements are not checked, with the reason`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows := loadCatalogue().coverage(specs)
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), rows)
			}
			return coverageTable(cmd.OutOrStdout(), rows)
		},
	}
	cmd.Flags().Var(choices{&specs, "SPECS", specSlugs}, "spec", "only these specifications, separated by commas; lists also what is not checked of them")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func coverageTable(w io.Writer, rows []coverageJSON) error {
	err := table(w, func(w io.Writer) {
		fmt.Fprintln(w, "SPECIFICATION\tBIND THE SERVER\tBLACK BOX\tCONDITIONAL\tNOT TESTABLE")
		var total coverageJSON
		line := func(r coverageJSON) {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\n", r.Spec, r.Server, share(r.BlackBoxChecked, r.BlackBox),
				share(r.ConditionalChecked, r.Conditional), r.NotTestable)
		}
		for _, r := range rows {
			line(r)
			total.Server += r.Server
			total.BlackBox += r.BlackBox
			total.BlackBoxChecked += r.BlackBoxChecked
			total.Conditional += r.Conditional
			total.ConditionalChecked += r.ConditionalChecked
			total.NotTestable += r.NotTestable
		}
		if total.Spec = "all"; len(rows) > 1 {
			line(total)
		}
	})
	e := &explainer{w: w, err: err}
	for _, r := range rows {
		if len(r.Unchecked) > 0 {
			e.printf("\nNot checked of %s\n", r.Spec)
		}
		for _, u := range r.Unchecked {
			e.printf("  %s %s\n", u.ID, u.Level)
			e.field("", u.Says)
			e.field("", "("+u.Why+")")
		}
	}
	return e.err
}

// share says "42 of 50 (84 %)".
func share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d (%d %%)", part, whole, part*100/whole)
}
