package matchers

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/matchers"
	"github.com/onsi/gomega/types"
)

// toMatcher makes a matcher of a value: a matcher is itself, anything else is compared for equality.
func toMatcher(want any) types.GomegaMatcher {
	if m, ok := want.(types.GomegaMatcher); ok {
		return m
	}
	return gomega.Equal(want)
}

// expectations says in words what a matcher accepts.
func expectations(m types.GomegaMatcher) []string {
	switch m := m.(type) {
	case Matcher:
		return m.Expects()
	case *matchers.EqualMatcher:
		if text, ok := m.Expected.(string); ok {
			return []string{strconv.Quote(text)}
		}
		return []string{fmt.Sprint(m.Expected)}
	}
	return []string{strings.TrimPrefix(fmt.Sprintf("%T", m), "*matchers.")}
}

// wish says in words what a value is to be, as a continuation of its name: a value, or what a matcher accepts.
func wish(want any) string {
	switch want := want.(type) {
	case Matcher:
		return " that is " + strings.Join(want.Expects(), " or ")
	case types.GomegaMatcher:
		return " that satisfies " + strings.Join(expectations(want), " or ")
	}
	return fmt.Sprintf("=%q", fmt.Sprint(want))
}

// toMatchers is toMatcher for several.
func toMatchers(want []any) []types.GomegaMatcher {
	var out []types.GomegaMatcher
	for _, w := range want {
		out = append(out, toMatcher(w))
	}
	return out
}

// firstMismatch returns the first matcher that does not match, with its error if it could not judge.
func firstMismatch(value any, matchers []types.GomegaMatcher) (types.GomegaMatcher, error) {
	for _, m := range matchers {
		if ok, err := m.Match(value); !ok || err != nil {
			return m, err
		}
	}
	return nil, nil
}

// explanations says for each matcher what it accepts, as a continuation of the name of a value: Gomega's own matchers
// say so only when they fail.
func explanations(value any, matchers []types.GomegaMatcher) []string {
	var out []string
	for _, m := range matchers {
		if own, ok := m.(Matcher); ok {
			out = append(out, " that is "+strings.Join(own.Expects(), " or "))
			continue
		}
		if f := ParseFailure(m.FailureMessage(value)); len(f.Expected) > 0 {
			out = append(out, " "+f.Expected[0])
		}
	}
	return out
}

// AnyOf matches if any of the matchers does; its failure lists the outcomes of all of them.
func AnyOf(alternatives ...types.GomegaMatcher) Matcher {
	var expects []string
	for _, m := range alternatives {
		expects = append(expects, expectations(m)...)
	}
	got := func(actual any) string {
		if len(alternatives) == 0 {
			return "nothing to compare with"
		}
		return ParseFailure(alternatives[0].FailureMessage(actual)).Actual
	}
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		var last error
		for _, m := range alternatives {
			ok, err := m.Match(actual)
			if ok {
				return true, got(actual), nil
			}
			if err != nil {
				last = err
			}
		}
		return false, got(actual), last
	}}
}
