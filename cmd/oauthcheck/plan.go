package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oauthcheck/oauthcheck/suites"
)

func newPlan() *cobra.Command {
	var f targetFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say which checks would run, and what would enable the others",
		Long: `plan looks at the server's metadata and your configuration and says, before anything is tested: which checks would run,
which would be skipped and the one line of configuration that would enable each, and about how often the user logs in.`,
		Example: `  oauthcheck plan --config target.yaml
  oauthcheck plan --config target.yaml --lane all --spec rfc6749`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			defer s.close()
			ctx, cancel := context.WithTimeout(cmd.Context(), cmp.Or(s.Deadline, suites.DefaultDeadline))
			defer cancel()
			planned, err := suites.Plan(ctx, s.Config)
			if err != nil {
				return classify(err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), planned)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), planned)
			return err
		},
	}
	out := newFlagSet()
	out.BoolVar(&asJSON, "json", false, "print a JSON object")
	acceptRunFlags(out)
	groupFlags(cmd, append(f.groups(), flagGroup{"Output", out})...)
	return cmd
}
