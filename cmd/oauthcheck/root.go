package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// Exit statuses, the same for every command.
const (
	exitOK         = 0
	exitViolations = 1
	exitUsage      = 2 // a mistake in flags, files or names
	exitUntestable = 3 // the target could not be tested
)

// status is an error that knows its exit status. A nil err means that everything has been said already.
type status struct {
	code int
	err  error
}

func (s *status) Error() string {
	if s.err == nil {
		return fmt.Sprintf("exit status %d", s.code)
	}
	return s.err.Error()
}

func (s *status) Unwrap() error { return s.err }

// usage marks err as a mistake of the caller (exit 2).
func usage(err error) error { return &status{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// untestable marks err as a target that cannot be tested (exit 3).
func untestable(err error) error { return &status{exitUntestable, err} }

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var s *status
	if !errors.As(err, &s) {
		s = &status{exitUsage, err} // cobra's own errors: unknown command, wrong number of arguments
	}
	if s.err != nil {
		fmt.Fprintf(stderr, "oauthcheck: %s\n", strings.TrimRight(s.err.Error(), "\n"))
	}
	return s.code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "oauthcheck",
		Short: "Conformance tests for OAuth 2.0 authorization servers, and a mock that misbehaves on request",
		Long: `oauthcheck has two jobs that prove each other.

  oauthcheck run    tests any OAuth 2.0 authorization server from outside, over HTTP, against RFC 6749 and its
                    relatives, and says for each statement: conforms, violates (with the evidence), or not tested
                    (with the one thing that would make it testable).
  oauthcheck mock   starts an authorization server for tests. It conforms strictly, mimics real vendors, and breaks
                    any single requirement by name.`,
		Example: `  oauthcheck run --target mock:strict
  oauthcheck doctor --config target.yaml
  oauthcheck run --config target.yaml --junit junit.xml --json report.json
  oauthcheck explain rfc6749/token-response-no-store
  oauthcheck mock --deviation token-response-cacheable`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddGroup(&cobra.Group{ID: "test", Title: "Test an authorization server:"}, &cobra.Group{ID: "mock", Title: "Play one:"},
		&cobra.Group{ID: "know", Title: "Look things up:"})
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("test", newRun(), newDoctor(), newPlan())
	add("mock", newMock(), newHealthcheck())
	add("know", newList(), newExplain(), newCoverage(), newVersion())
	return root
}

// noArgs refuses arguments; where the first could be a mistyped command it names the nearest one.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		return usagef("unknown command %q%s\nRun 'oauthcheck --help' for the commands", args[0], didYouMean(args[0], names))
	}
	return usagef("%s takes no arguments, but got %q: every setting is a flag (see '%s --help')", cmd.CommandPath(), args[0], cmd.CommandPath())
}

// flagError names the nearest flag where one was mistyped.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("\nRun '%s --help' for the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		return usagef("unknown flag --%s%s%s", unknown.GetSpecifiedName(), didYouMean("--"+unknown.GetSpecifiedName(), names), hint)
	}
	return usagef("%w%s", err, hint)
}

// didYouMean is a clause to append to an error about an unknown word; empty when nothing is near.
func didYouMean(word string, candidates []string) string {
	if near := profiles.Nearest(word, candidates); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}
