package suites

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Execute plans and executes a run without any test framework. Errors are those of Plan except *TargetError: a target
// that cannot be tested gives a report that says so. The report is complete (Run.ExitStatus is set) and redacted; it is
// returned also when ctx or the deadline ends the run early.
func Execute(ctx context.Context, cfg Config) (*reports.Report, error) {
	r, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	r.begin(ctx)
	return r.finish(), nil
}

// run is one run, from its configuration to its report.
type run struct {
	cfg      Config
	checks   []*Check // all of the registry, in catalogue order
	filtered map[*Check]string
	started  time.Time

	info     *target.Info
	target   *target.Run
	declare  declarations
	redactor *reports.Redactor

	executions []*execution // of the checks in the report; catalogue order
	finished   chan struct{}
	aborted    error // why the run ended early
	finishing  sync.Once
	report     *reports.Report

	progress struct {
		sync.Mutex
		finished, total int
	}
}

// prepare checks everything that can be checked without the target.
func prepare(cfg Config) (*run, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := cfg.Registry.Verify(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, checks: cfg.Registry.sorted(), finished: make(chan struct{})}
	if r.filtered, err = choose(r.checks, cfg.Specs, cfg.Include, cfg.Exclude); err != nil {
		return nil, err
	}
	r.declare = newDeclarations(cfg.Profile, cfg.Judge)
	r.redactor = newRedactor(cfg.Target, r.checks)
	for _, c := range r.checks {
		if _, ok := r.filtered[c]; !ok {
			r.executions = append(r.executions, newExecution(c))
		}
	}
	return r, nil
}

// discover learns what can be known of the target before the first check.
func (r *run) discover(ctx context.Context) (err error) {
	r.info, err = target.Discover(ctx, r.cfg.Target)
	return err
}

// begin discovers the target and starts the pool; each execution's done and finally r.finished are closed as it goes on.
func (r *run) begin(ctx context.Context) {
	r.started = time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Deadline, fmt.Errorf("the run's deadline of %s passed", r.cfg.Deadline))
	if err := r.reach(ctx); err != nil {
		cancel()
		r.giveUp(err)
		return
	}
	go func() {
		defer cancel()
		defer close(r.finished)
		r.execute(ctx)
		if ctx.Err() != nil && r.unfinished() {
			r.aborted = cause(ctx)
		}
	}()
}

// reach discovers the target and settles what is only likely.
func (r *run) reach(ctx context.Context) error {
	if err := r.discover(ctx); err != nil {
		return &TargetError{Err: err}
	}
	t, err := target.NewRun(ctx, r.info, target.RunOptions{Seed: r.cfg.Seed, Player: r.cfg.Player})
	if err != nil {
		return &TargetError{Err: err}
	}
	r.target = t
	if err := t.Settle(ctx); err != nil {
		return &TargetError{Err: err}
	}
	r.info = t.Info()
	return nil
}

// giveUp ends a run whose target cannot be tested: every execution is inconclusive.
func (r *run) giveUp(err error) {
	r.aborted = err
	for _, e := range r.executions {
		r.settle(e, account{whole: statement{kind: inconclusive, reason: err.Error()}})
	}
	close(r.finished)
}

// cause says why a context ended.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New("the run was interrupted")
}

// waiting says how many of n slow checks may wait at a time. Where waiting moves the target's clock, one: the clock is
// everybody's.
func (r *run) waiting(n int) int {
	if r.info.Config.Sleep != nil {
		return 1
	}
	return max(r.cfg.Procs, min(n, maxWaiting))
}

// maxWaiting bounds how many slow checks wait at a time.
const maxWaiting = 64

// abandonAfter is how long a body may go on after its context has ended.
const abandonAfter = 5 * time.Second

// execute skips what the plan skips and runs the rest: first what disturbs nobody, then what does, each when it can have
// its scope for itself, and at last what waits for lifetimes, all of it at once.
func (r *run) execute(ctx context.Context) {
	var quick, slow []*execution
	for _, e := range r.executions {
		because, why, enable := r.obstacle(e.check)
		switch {
		case because == Broken:
			r.settle(e, account{whole: statement{kind: inconclusive, reason: why}})
		case because != "":
			r.settle(e, account{whole: statement{kind: skipped, reason: why, enable: enable}})
		case e.check.Lane == Slow:
			slow = append(slow, e)
		default:
			quick = append(quick, e)
		}
	}
	r.progress.total = len(quick) + len(slow)
	slices.SortStableFunc(quick, func(a, b *execution) int { return len(a.check.Disturbs) - len(b.check.Disturbs) })
	r.pool(ctx, quick, r.cfg.Procs)
	r.pool(ctx, slow, r.waiting(len(slow)))
}

// pool executes checks in order, procs at a time, and returns when all have ended.
func (r *run) pool(ctx context.Context, executions []*execution, procs int) {
	q := newQueue(executions)
	var workers sync.WaitGroup
	for range min(procs, len(executions)) {
		workers.Go(func() {
			for e := q.next(); e != nil; e = q.next() {
				r.one(ctx, e)
				q.release(e)
			}
		})
	}
	workers.Wait()
}

// one executes one check.
func (r *run) one(ctx context.Context, e *execution) {
	if ctx.Err() != nil {
		r.settle(e, account{whole: statement{kind: inconclusive, reason: cause(ctx).Error() + " before this check began"}})
		return
	}
	if limit := r.limit(e.check); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("the check took longer than %s", limit))
		defer cancel()
	}
	r.settle(e, e.run(ctx, r.target.NewAS, abandonAfter))
}

// limit bounds the time of one check: a dozen requests that all nearly time out. Slow checks are bounded by the run's
// deadline only.
func (r *run) limit(c *Check) time.Duration {
	const requests = 12
	if c.Lane == Slow {
		return 0
	}
	return max(time.Minute, requests*r.info.Config.Timing.Timeout)
}

// settle judges an execution and announces that it is over.
func (r *run) settle(e *execution, a account) {
	e.result = judge(e.check, a, r.declare)
	if r.cfg.Evidence == EvidenceFindings && (e.result.Verdict == reports.Pass || e.result.Verdict == reports.Skip) {
		e.result.Exchanges = []reports.Exchange{}
	}
	close(e.done)
	if r.cfg.Progress == nil || e.result.Verdict == reports.Skip {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.progress.finished++
	r.cfg.Progress(Event{Check: e.result, Finished: r.progress.finished, Total: r.progress.total})
}

// unfinished reports whether the end of the run kept a check from a judgement.
func (r *run) unfinished() bool {
	return slices.ContainsFunc(r.executions, func(e *execution) bool { return e.result.Verdict == reports.Inconclusive })
}

// finish waits for the run's end and returns its report, always the same one.
func (r *run) finish() *reports.Report {
	<-r.finished
	r.finishing.Do(func() {
		r.report = r.assemble()
		if r.target != nil {
			r.target.Close()
		}
	})
	return r.report
}

// assemble makes the report: checks in catalogue order, the requirements that they name, the summary. It is redacted.
func (r *run) assemble() *reports.Report {
	report := &reports.Report{Schema: reports.Schema, Tool: r.cfg.Tool, Checks: []reports.Check{}, Requirements: []reports.Requirement{}}
	report.Run = reports.Run{
		Started: r.started, DurationMS: time.Since(r.started).Milliseconds(), Seed: r.cfg.Seed, Judge: r.cfg.Judge, FailOn: r.cfg.FailOn,
		Lanes: r.cfg.Lanes, Filters: filters(r.cfg.Specs, r.cfg.Include, r.cfg.Exclude), Reproduce: r.cfg.Reproduce,
	}
	if r.cfg.Profile != nil {
		report.Run.Profile = r.cfg.Profile.Name
	}
	if r.aborted != nil {
		report.Run.Aborted = r.aborted.Error()
	}
	if r.target != nil {
		report.Run.Requests = r.target.Requests()
	}
	report.Target = reports.Target{URL: r.cfg.Target.Target, Capabilities: []reports.Capability{}}
	if r.info != nil {
		report.Target = reportTarget(r.info)
	}
	for _, e := range r.executions {
		report.Checks = append(report.Checks, e.result)
	}
	report.Requirements = named(report.Checks)
	report.Summary = reports.Summarize(report.Checks)
	report.Run.ExitStatus = ExitStatus(report, r.cfg.FailOn)
	r.redact(report)
	return report
}

// named lists the requirements that checks name, in catalogue order.
func named(checks []reports.Check) []reports.Requirement {
	used := map[string]bool{}
	for _, c := range checks {
		for _, id := range c.Requirements {
			used[id] = true
		}
	}
	out := []reports.Requirement{}
	for _, req := range profiles.Requirements("") {
		if used[req.ID] {
			out = append(out, reports.Requirement{ID: req.ID, Spec: req.Spec, Section: req.Section, Level: string(req.Level),
				Impact: req.Impact, Says: req.Says, URL: req.URL(), Fix: req.Fix})
		}
	}
	return out
}
