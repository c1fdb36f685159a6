package suites

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Setup is a further way to set the target up. One server cannot be all that the specifications allow: with PKCE and without,
// over https and over http. A check for which the target as it is configured has nothing to judge is run on the further
// set-ups, in their order, until one of them lets it judge; the report names that one (reports.Check.Setup).
type Setup struct {
	Name   string   // in words, for the report: "the implicit grant is off"
	Checks []string // ids of the checks that are worth a try; empty: all that had nothing to judge
	// Open makes the target ready. It is called only if there is a check to run. Shut, unless it is nil, is called at the end of
	// the run.
	Open func(ctx context.Context) (t target.Config, shut func(), err error)
}

// worth reports whether the set-up may let a check judge.
func (s Setup) worth(id string) bool {
	return len(s.Checks) == 0 || slices.Contains(s.Checks, id)
}

// stage is the target in one of its set-ups.
type stage struct {
	setup  string // "" for the target as it is configured
	info   *target.Info
	target *target.Run                // nil until it is reached
	second atomic.Pointer[target.Run] // of the second looks; nil until there are any
	shut   func()

	options target.RunOptions // of target
}

// discover learns what can be known of the target before the first check.
func (r *run) discover(ctx context.Context, cfg target.Config) (*stage, error) {
	info, err := target.Discover(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &stage{info: info}, nil
}

// open makes a further set-up of the target ready and discovers it.
func (r *run) open(ctx context.Context, setup Setup) (*stage, error) {
	failed := func(err error) (*stage, error) { return nil, fmt.Errorf("the set-up %q: %w", setup.Name, err) }
	cfg, shut, err := setup.Open(ctx)
	if err != nil {
		return failed(err)
	}
	var on *stage
	if cfg, err = cfg.WithProfile(r.cfg.Profile); err == nil {
		on, err = r.discover(ctx, cfg)
	}
	if err != nil {
		if shut != nil {
			shut()
		}
		return failed(err)
	}
	on.setup, on.shut = setup.Name, shut
	r.redactor.Public(public(cfg)...)
	return on, nil
}

// reach settles what is only likely of the target.
func (on *stage) reach(ctx context.Context, options target.RunOptions) (err error) {
	on.options = options
	if on.target, err = target.NewRun(ctx, on.info, options); err != nil {
		return err
	}
	if err := on.target.Settle(ctx); err != nil {
		return err
	}
	on.info = on.target.Info()
	return nil
}

// again runs on a further set-up what could not be judged so far.
func (r *run) again(ctx context.Context, setup Setup) {
	left := r.postponed(setup.worth)
	if len(left) == 0 || ctx.Err() != nil {
		return
	}
	on, err := r.open(ctx, setup)
	if err == nil {
		if err = on.reach(ctx, target.RunOptions{Seed: r.cfg.Seed}); err != nil {
			err = fmt.Errorf("the set-up %q: %w", setup.Name, err)
		}
		r.opened.Lock()
		r.further = append(r.further, on)
		r.opened.Unlock()
	}
	if err != nil {
		for _, e := range left {
			r.settle(&stage{setup: setup.Name}, e, account{whole: statement{kind: inconclusive, reason: err.Error()}})
		}
		return
	}
	r.stage(ctx, on, left)
}

// postponed are the executions that a further set-up may let judge.
func (r *run) postponed(worth func(id string) bool) []*execution {
	var out []*execution
	for _, e := range r.executions {
		if e.postponed && (worth == nil || worth(e.check.ID)) {
			out = append(out, e)
		}
	}
	return out
}

// planSetups completes a plan by what the further set-ups of the target enable.
func (r *run) planSetups(ctx context.Context, p *Planned) error {
	for _, setup := range r.cfg.Setups {
		var left []int
		for i, c := range p.Checks {
			if c.Because == Missing && setup.worth(c.ID) {
				left = append(left, i)
			}
		}
		if len(left) == 0 {
			continue
		}
		on, err := r.open(ctx, setup)
		if err != nil {
			return &TargetError{Err: err}
		}
		for _, i := range left {
			c := &p.Checks[i]
			if because, _, _ := r.obstacle(on.info, p.checks[i]); because == "" {
				c.Runs, c.Because, c.Why, c.Enable, c.Setup = true, "", "", "", setup.Name
				p.Runs++
				p.Logins += logins(p.checks[i], on.info)
			}
		}
		on.end()
	}
	return nil
}

// stages are the target's set-ups, as far as they were opened.
func (r *run) stages() []*stage {
	if r.main == nil {
		return nil
	}
	r.opened.Lock()
	defer r.opened.Unlock()
	return append([]*stage{r.main}, r.further...)
}

// used lists the further set-ups that checks were judged in.
func (r *run) used() []reports.Setup {
	var out []reports.Setup
	for _, on := range r.further {
		n := 0
		for _, e := range r.executions {
			if e.result.Setup == on.setup {
				n++
			}
		}
		if n > 0 {
			out = append(out, reports.Setup{Name: on.setup, URL: on.info.Config.Target, Checks: n})
		}
	}
	return out
}

// limit bounds the time of one check: a dozen requests that all nearly time out. Slow checks are bounded by the run's
// deadline only.
func (on *stage) limit(c *Check) time.Duration {
	const requests = 12
	if c.Lane == Slow {
		return 0
	}
	return max(time.Minute, requests*on.info.Config.Timing.Timeout)
}

// runs are the runs against the target in this set-up.
func (on *stage) runs() []*target.Run {
	return slices.DeleteFunc([]*target.Run{on.target, on.second.Load()}, func(t *target.Run) bool { return t == nil })
}

// requests counts those that were sent.
func (on *stage) requests() int {
	n := 0
	for _, t := range on.runs() {
		n += t.Requests()
	}
	return n
}

// secrets are those that the run knew, was issued or has made up on it.
func (on *stage) secrets() []reports.Secret {
	var out []reports.Secret
	for _, t := range on.runs() {
		out = append(out, t.Secrets()...)
	}
	return out
}

// end frees what the stage holds.
func (on *stage) end() {
	for _, t := range on.runs() {
		t.Close()
	}
	if on.shut != nil {
		on.shut()
	}
}
