package suites

import (
	"errors"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
)

// The exit statuses.
const (
	StatusConforms  = 0
	StatusViolation = 1
	StatusUsage     = 2
	StatusUntested  = 3
)

// untestedShare is the share of the runnable MUST checks that may stay inconclusive before a run counts as no test.
const untestedShare = 0.10

// ExitStatus is the exit status that a report deserves: 1 with a violation that counts (fail; with failOn "should" also
// warn), else 3 if the target could not be tested (nothing was judged, the run ended early, or more than a tenth of the runnable
// MUST checks stayed inconclusive), else 0. Violations win over 3. Usage errors have no report: see StatusOf.
func ExitStatus(r *reports.Report, failOn string) int {
	judged, runnable, open := 0, 0, 0
	for _, c := range r.Checks {
		if Counts(c, failOn) {
			return StatusViolation
		}
		if c.Verdict == reports.Skip {
			continue
		}
		if c.Verdict != reports.Inconclusive {
			judged++
		}
		if profiles.Level(c.Level).IsMust() {
			runnable++
			if c.Verdict == reports.Inconclusive {
				open++
			}
		}
	}
	if judged == 0 || r.Run.Aborted != "" || float64(open) > untestedShare*float64(runnable) {
		return StatusUntested
	}
	return StatusConforms
}

// Counts reports whether a check's verdict makes the run fail.
func Counts(c reports.Check, failOn string) bool {
	if c.Provisional {
		return false
	}
	return c.Verdict == reports.Fail || c.Verdict == reports.Warn && failOn == FailOnShould
}

// StatusOf is the exit status of an error that Plan, Execute or RunGinkgo returned: 3 for a *TargetError, 2 for anything
// else, 0 for nil.
func StatusOf(err error) int {
	var target *TargetError
	switch {
	case err == nil:
		return StatusConforms
	case errors.As(err, &target):
		return StatusUntested
	}
	return StatusUsage
}
