package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/doctor"
)

func newDoctor() *cobra.Command {
	var f targetFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with the set-up before anything is judged",
		Long: `doctor tries out what the target file or the flags say: that endpoints answer, that the server knows each client and
takes its credentials, that redirection URIs are registered, that the login succeeds, that the protected resource takes
the tokens. It says for each problem what to do. Nothing is judged.

Exit status: 0 everything that is configured works; 2 a mistake in flags or files; 3 there are problems.`,
		Example: `  oauthcheck doctor --config target.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			defer s.close()
			deadline := cmp.Or(s.Deadline, suites.DefaultDeadline)
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), deadline, fmt.Errorf("the deadline of %s passed", deadline))
			defer cancel()
			findings, err := doctor.Examine(ctx, s.Config)
			if asJSON {
				err = errors.Join(err, writeJSON(cmd.OutOrStdout(), findings))
			} else {
				err = errors.Join(err, showFindings(cmd.OutOrStdout(), s.Target.Target, findings))
			}
			switch n := doctor.Problems(findings); {
			case err != nil:
				return untestable(err)
			case n > 0:
				return &status{exitUntestable, nil}
			}
			return nil
		},
	}
	out := newFlagSet()
	out.BoolVar(&asJSON, "json", false, "print a JSON array")
	acceptRunFlags(out)
	groups := f.groups()
	for _, g := range groups {
		if g.title == selection { // taken, so that the line of a run serves; without effect
			g.set.VisitAll(func(flag *pflag.Flag) { flag.Hidden = true })
		}
	}
	groupFlags(cmd, append(groups, flagGroup{"Output", out})...)
	return cmd
}

func showFindings(w io.Writer, target string, findings []doctor.Finding) error {
	e := &explainer{w: w}
	e.printf("%s\n\n", target)
	for _, f := range findings {
		e.field(string(f.State), reports.Visible(f.Subject+": "+f.Says))
		if f.Fix != "" {
			e.field("", "→ "+f.Fix)
		}
	}
	if n := doctor.Problems(findings); n > 0 {
		e.printf("\n%d of %d examinations found a problem. Put the first right first: others may follow from it.\n", n, len(findings))
	} else {
		e.printf("\nEverything that is configured works. oauthcheck plan says what would be tested, oauthcheck run tests it.\n")
	}
	return e.err
}
