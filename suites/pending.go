package suites

import (
	"context"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// discoverTarget takes a target as its configuration describes it.
func discoverTarget(ctx context.Context, cfg target.Config) (*target.Info, error) {
	info := &target.Info{Config: cfg, Issuer: cfg.Target, Endpoints: cfg.Endpoints}
	info.Detect()
	return info, ctx.Err()
}

func failureBlock(c reports.Check, _ []reports.Requirement) string {
	return c.Message + "\n" + c.Actual
}
