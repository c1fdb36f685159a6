package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag whose value is one of a few words; a mistyped one is refused with the nearest.
type choice struct {
	value   *string
	kind    string
	allowed []string
}

func (c choice) String() string { return *c.value }
func (c choice) Type() string   { return c.kind }

func (c choice) Set(word string) error {
	if !slices.Contains(c.allowed, word) {
		return notOneOf(word, c.allowed)
	}
	*c.value = word
	return nil
}

// choices is a flag that takes several of a few words, separated by commas or repeated. allowed is a function because
// some lists come from the catalogue, which is decoded only when needed.
type choices struct {
	values  *[]string
	kind    string
	allowed func() []string
}

func (c choices) String() string { return strings.Join(*c.values, ",") }
func (c choices) Type() string   { return c.kind }

func (c choices) Set(list string) error {
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		if allowed := c.allowed(); !slices.Contains(allowed, word) {
			return notOneOf(word, allowed)
		}
		if !slices.Contains(*c.values, word) {
			*c.values = append(*c.values, word)
		}
	}
	return nil
}

func notOneOf(word string, allowed []string) error {
	if hint := didYouMean(word, allowed); hint != "" {
		return fmt.Errorf("no such value%s", hint)
	}
	return fmt.Errorf("no such value; one of %s", strings.Join(allowed, ", "))
}

// duration is a flag that takes a time with its unit.
type duration struct{ value *time.Duration }

func (d duration) Type() string { return "DURATION" }

func (d duration) String() string {
	if *d.value == 0 {
		return ""
	}
	return d.value.String()
}

func (d duration) Set(text string) (err error) {
	if *d.value, err = time.ParseDuration(text); err == nil {
		return nil
	}
	if _, numeric := strconv.ParseFloat(text, 64); numeric == nil {
		return fmt.Errorf("the unit is missing (did you mean %ss?)", text)
	}
	return errors.New("not a duration such as 10s, 1m30s or 500ms")
}

// secretFlag is a flag that never shows its value, not in error texts either.
type secretFlag struct{ value *string }

func (s secretFlag) String() string { return "" }
func (s secretFlag) Type() string   { return "SECRET" }

func (s secretFlag) Set(value string) error {
	*s.value = value
	return nil
}

// resolveSecret returns the secret that a flag's value stands for: env:NAME is the environment variable, @FILE the file's
// content without the final line break, anything else the secret itself.
func resolveSecret(flag, value string) (string, error) {
	if name, ok := strings.CutPrefix(value, "env:"); ok {
		secret, set := os.LookupEnv(name)
		if !set || secret == "" {
			return "", fmt.Errorf("--%s: the environment variable %s is not set", flag, name)
		}
		return secret, nil
	}
	if file, ok := strings.CutPrefix(value, "@"); ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--%s: %w", flag, withoutOp(err))
		}
		secret := strings.TrimRight(string(data), "\r\n")
		if secret == "" {
			return "", fmt.Errorf("--%s: the file %s is empty", flag, file)
		}
		return secret, nil
	}
	return value, nil
}

// withoutOp turns "open FILE: no such file or directory" into "FILE: no such file or directory".
func withoutOp(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return fmt.Errorf("%s: %w", pathError.Path, pathError.Err)
	}
	return err
}

// flagGroup is a titled part of a command's flags in its help.
type flagGroup struct {
	title string
	set   *pflag.FlagSet
}

// groupFlags adds the groups' flags to the command and shows them under their titles in its help.
func groupFlags(cmd *cobra.Command, groups ...flagGroup) {
	cmd.Flags().SortFlags = false // a report's command line has the flags as they were given
	for _, g := range groups {
		g.set.SortFlags = false
		cmd.Flags().AddFlagSet(g.set)
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		out := cmd.OutOrStderr()
		fmt.Fprintf(out, "Usage:\n  %s\n", cmd.UseLine())
		if cmd.Example != "" {
			fmt.Fprintf(out, "\nExamples:\n%s\n", cmd.Example)
		}
		for _, g := range groups {
			if usages := g.set.FlagUsages(); usages != "" {
				fmt.Fprintf(out, "\n%s:\n%s", g.title, usages)
			}
		}
		return nil
	})
}

func newFlagSet() *pflag.FlagSet { return pflag.NewFlagSet("", pflag.ContinueOnError) }
