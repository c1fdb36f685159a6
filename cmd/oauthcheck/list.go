package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthcheck/oauthcheck/profiles"
	_ "github.com/oauthcheck/oauthcheck/suites/all" // registers the checks
)

func newList() *cobra.Command {
	var asJSON bool
	var specs []string
	kinds := []string{"checks", "requirements", "deviations", "faults", "profiles"}
	cmd := &cobra.Command{
		Use:   "list [checks|requirements|deviations|faults|profiles]",
		Short: "List checks (default), requirements, deviations, faults or profiles",
		Long: `list prints what oauthcheck knows:

  checks        the executable tests; one judges one requirement or a few
  requirements  the normative statements of the specifications, and the checks that judge each
  deviations    the named ways in which the mock provider can misbehave: deviations, which break a requirement and which the
                harness detects, and faults, which break none and are there to test clients
  faults        the faults alone, with the bugs that they stand for
  profiles      the kinds of authorization servers that the mock can play and the harness knows how to talk to`,
		Example: `  oauthcheck list
  oauthcheck list requirements --spec rfc6749
  oauthcheck list faults
  oauthcheck list deviations --json`,
		ValidArgs: kinds,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("list takes one kind, but got %s", strings.Join(args, ", "))
			case len(args) == 1 && !slices.Contains(kinds, args[0]):
				return usagef("cannot list %q%s; one of %s", args[0], didYouMean(args[0], kinds), strings.Join(kinds, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := append(args, "checks")[0]
			return list(cmd.OutOrStdout(), kind, specs, asJSON)
		},
	}
	cmd.Flags().Var(choices{&specs, "SPECS", specSlugs}, "spec", "only these specifications, separated by commas, for example rfc6749,rfc8693")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func list(w io.Writer, kind string, specs []string, asJSON bool) error {
	c := loadCatalogue()
	wanted := func(ids ...string) bool {
		return len(specs) == 0 || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(specs, c.requirement[id].Spec) })
	}
	switch kind {
	case "requirements":
		rows := []requirementJSON{}
		for _, r := range c.requirements {
			if wanted(r.ID) {
				rows = append(rows, c.requirementJSON(r))
			}
		}
		return show(w, rows, asJSON, "REQUIREMENT\tLEVEL\tIMPACT\tTESTABLE\tCHECKS\tSAYS", func(r requirementJSON) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%s", r.ID, r.Level, r.Impact, r.Testable, len(r.Checks), oneLine(r.Says, 90))
		})
	case "deviations", "faults":
		rows := []deviationJSON{}
		for _, d := range c.deviations {
			if (kind == "deviations" || d.Fault) && wanted(broken(d)...) {
				rows = append(rows, c.deviationJSON(d))
			}
		}
		if kind == "faults" {
			return show(w, rows, asJSON, "FAULT\tSUMMARY\tSTANDS FOR", func(d deviationJSON) string {
				return fmt.Sprintf("%s\t%s\t%s", d.Name, oneLine(d.Summary, 90), oneLine(d.StandsFor, 90))
			})
		}
		return show(w, rows, asJSON, "DEVIATION\tBREAKS\tSUMMARY", func(d deviationJSON) string {
			breaks := d.Breaks
			if breaks == "" {
				breaks = "(fault)"
			}
			return fmt.Sprintf("%s\t%s\t%s", d.Name, breaks, oneLine(d.Summary, 100))
		})
	case "profiles":
		rows := []profileJSON{}
		for _, name := range profiles.Names() {
			p, err := profiles.Load(name)
			if err != nil {
				return err
			}
			row := profileOf(p)
			row.Name = name
			rows = append(rows, row)
		}
		return show(w, rows, asJSON, "PROFILE\tDEVIATIONS\tSWITCHES\tSUMMARY", func(p profileJSON) string {
			return fmt.Sprintf("%s\t%d\t%d\t%s", p.Name, len(p.Deviations), len(p.Switches), oneLine(p.Summary, 100))
		})
	default:
		rows := []checkJSON{}
		for _, check := range c.checks {
			if len(specs) == 0 || slices.Contains(specs, check.Spec) {
				rows = append(rows, c.checkJSON(check))
			}
		}
		return show(w, rows, asJSON, "CHECK\tSECTION\tLEVEL\tIMPACT\tLANE\tTITLE", func(r checkJSON) string {
			lane := r.Lane
			if r.Provisional {
				lane += " (provisional)"
			}
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", r.ID, r.Section, r.Level, r.Impact, lane, oneLine(r.Title, 90))
		})
	}
}

// show prints rows as a JSON array, or as a table with a line per row and their number at the end.
func show[Row any](w io.Writer, rows []Row, asJSON bool, head string, line func(Row) string) error {
	if asJSON {
		return writeJSON(w, rows)
	}
	err := table(w, func(w io.Writer) {
		fmt.Fprintln(w, head)
		for _, row := range rows {
			fmt.Fprintln(w, line(row))
		}
	})
	if err == nil {
		_, err = fmt.Fprintf(w, "%d in all\n", len(rows))
	}
	return err
}
