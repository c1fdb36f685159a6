package suites

import "github.com/oauthcheck/oauthcheck/reports"

func failureBlock(c reports.Check, _ []reports.Requirement) string {
	return c.Message + "\n" + c.Actual
}
