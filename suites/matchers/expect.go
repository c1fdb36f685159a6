package matchers

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega"
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
	if own, ok := m.(Matcher); ok {
		return own.Expects()
	}
	return []string{strings.TrimPrefix(fmt.Sprintf("%T", m), "*matchers.")}
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
