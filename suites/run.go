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

	main     *stage // the target as it is configured; nil until it was discovered
	opened   sync.Mutex
	further  []*stage // its further set-ups, as far as they were opened, in their order
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
	if r.cfg.Deadline <= 0 {
		r.cfg.Deadline = r.cfg.defaultDeadline(len(r.executions))
	}
	return r, nil
}

// begin discovers the target and starts the pool; each execution's done and finally r.finished are closed as it goes on.
func (r *run) begin(ctx context.Context) {
	r.started = time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Deadline, fmt.Errorf("the run's deadline of %s passed", r.cfg.Deadline))
	ctx, lost := context.WithCancelCause(ctx)
	var err error
	if r.main, err = r.discover(ctx, r.cfg.Target); err == nil {
		err = r.main.reach(ctx, target.RunOptions{Seed: r.cfg.Seed, Player: r.cfg.Player, Lost: lost})
	}
	if err != nil {
		lost(nil)
		cancel()
		r.giveUp(&TargetError{Err: err})
		return
	}
	go func() {
		defer cancel()
		defer lost(nil)
		defer close(r.finished)
		r.execute(ctx)
		if ctx.Err() != nil && r.unfinished() {
			r.aborted = cause(ctx)
		}
	}()
}

// giveUp ends a run whose target cannot be tested: every execution is inconclusive.
func (r *run) giveUp(err error) {
	r.aborted = err
	for _, e := range r.executions {
		r.settle(r.main, e, account{whole: statement{kind: inconclusive, reason: err.Error()}})
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

// brief is the cause in a few words, for each of the checks that it ends.
func brief(ctx context.Context) string { return target.Brief(cause(ctx)) }

// waiting says how many of n slow checks may wait at a time. Where waiting moves the target's clock, one: the clock is
// everybody's.
func (r *run) waiting(on *stage, n int) int {
	if on.info.Config.Sleep != nil {
		return 1
	}
	return max(r.cfg.Procs, min(n, maxWaiting))
}

// maxWaiting bounds how many slow checks wait at a time.
const maxWaiting = 64

// abandonAfter is how long a body may go on after its context has ended.
const abandonAfter = 5 * time.Second

// execute runs the checks on the target as it is configured, and what that leaves untestable on its further set-ups.
func (r *run) execute(ctx context.Context) {
	r.stage(ctx, r.main, r.executions)
	for _, setup := range r.cfg.Setups {
		r.again(ctx, setup)
	}
	for _, e := range r.postponed(nil) {
		r.publish(e)
	}
}

// stage skips what the plan skips and runs the rest: first what disturbs nobody, then what does, each when it can have
// its scope for itself, and at last what waits for lifetimes, all of it at once.
func (r *run) stage(ctx context.Context, on *stage, executions []*execution) {
	var quick, slow []*execution
	var broken []func()
	for _, e := range executions {
		because, why, enable := r.obstacle(on.info, e.check)
		e.offLane = because == OffLane
		switch {
		case because == Broken:
			broken = append(broken, func() { r.settle(on, e, account{whole: statement{kind: inconclusive, reason: why}}) })
		case because != "":
			r.settle(on, e, account{whole: statement{kind: skipped, reason: why, enable: enable}})
		case e.check.Lane == Slow:
			slow = append(slow, e)
		default:
			quick = append(quick, e)
		}
	}
	r.expect(on, len(broken)+len(quick)+len(slow))
	for _, settle := range broken { // counted as well
		settle()
	}
	slices.SortStableFunc(quick, func(a, b *execution) int { return len(a.check.Disturbs) - len(b.check.Disturbs) })
	var doubts doubtful
	r.pool(on.target, quick, r.procs(on, len(quick)), func(e *execution) {
		if a := r.one(ctx, on, e); merits(e.check, a, on.target.Failures() > 0) {
			doubts.add(e, a)
		} else {
			r.settle(on, e, a)
		}
	})
	r.lookAgain(ctx, on, doubts.list)
	r.pool(on.target, slow, r.waiting(on, len(slow)), func(e *execution) { r.settle(on, e, r.one(ctx, on, e)) })
}

// procs says how many of n checks may run at a time: one, where every authorization ends the tokens of those before it.
func (r *run) procs(on *stage, n int) int {
	if n > 1 && on.target.EndsEarlierGrants() {
		return 1
	}
	return r.cfg.Procs
}

// pool executes checks in order, procs at a time, and returns when all have ended. Where the target cannot keep up, fewer at a
// time: half of them after every few requests that it left unanswered.
func (r *run) pool(t *target.Run, executions []*execution, procs int, one func(*execution)) {
	const few = 4
	before := t.Unanswered()
	q := newQueue(executions)
	var workers sync.WaitGroup
	for worker := range min(procs, len(executions)) {
		workers.Go(func() {
			for e := q.next(); e != nil; e = q.next() {
				one(e)
				q.release(e)
				if halvings := (t.Unanswered() - before) / few; worker > 0 && worker >= procs>>min(halvings, 30) {
					return
				}
			}
		})
	}
	workers.Wait()
}

// one executes one check.
func (r *run) one(ctx context.Context, on *stage, e *execution) account {
	if ctx.Err() != nil {
		return account{whole: statement{kind: inconclusive, reason: brief(ctx) + " before this check began"}}
	}
	return r.body(ctx, on, e.check, on.target)
}

// body executes the body of a check within its time.
func (r *run) body(ctx context.Context, on *stage, c *Check, t *target.Run) account {
	if limit := on.limit(c); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("the check took longer than %s", limit))
		defer cancel()
	}
	return newExecution(c).run(ctx, t.NewAS, abandonAfter)
}

// settle judges an execution and announces that it is over, unless a further set-up of the target may have more to say.
func (r *run) settle(on *stage, e *execution, a account) {
	result := judge(e.check, a, r.declare)
	if r.cfg.Evidence == EvidenceFindings && (result.Verdict == reports.Pass || result.Verdict == reports.Skip) {
		result.Exchanges = []reports.Exchange{}
	}
	switch {
	case on == r.main:
		e.result = result
	case result.Verdict == reports.Skip:
		return // what was said of the target as it is configured stands
	default:
		result.Setup = on.setup
		e.result = result
	}
	if e.result.Verdict == reports.Skip && !e.offLane && len(r.cfg.Setups) > 0 && r.aborted == nil {
		e.postponed = true
		return
	}
	r.publish(e)
}

// publish announces that an execution is over.
func (r *run) publish(e *execution) {
	e.postponed = false
	close(e.done)
	if r.cfg.Progress == nil || e.result.Verdict == reports.Skip {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.progress.finished++
	r.cfg.Progress(Event{Check: e.result, Finished: r.progress.finished, Total: r.progress.total})
}

// expect corrects how many checks are to run in all, once it is known for a stage.
func (r *run) expect(on *stage, n int) {
	r.progress.Lock()
	defer r.progress.Unlock()
	if on == r.main {
		r.progress.total = n
		return
	}
	r.progress.total = max(r.progress.total, r.progress.finished+n)
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
		for _, on := range r.stages() {
			on.end()
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
	for _, on := range r.stages() {
		report.Run.Requests += on.requests()
	}
	report.Run.Setups = r.used()
	report.Target = reports.Target{URL: r.cfg.Target.Target, Capabilities: []reports.Capability{}}
	if r.main != nil {
		report.Target = reportTarget(r.main.info)
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
