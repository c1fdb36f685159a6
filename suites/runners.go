package suites

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
)

// reached names the spec, or subtest, that fails when the target could not be tested.
const reached = "the-target-could-be-tested"

// Run tests a target inside a host's own test: a subtest for each check, named as its id, that fails exactly when the
// verdict counts, and one more that fails if the target could not be tested. It may be called any number of times in a
// process. A run that cannot begin, or that executed nothing, fails t. Checks whose subtests `go test -run` leaves out are
// not executed. The returned report is complete and redacted.
func Run(t *testing.T, cfg Config) *reports.Report {
	t.Helper()
	r, err := prepare(cfg)
	if err != nil {
		t.Fatalf("oauthcheck: %v", err)
	}
	if f := flag.Lookup("test.run"); f != nil {
		r.executions = slices.DeleteFunc(r.executions, func(e *execution) bool { return !runs(f.Value.String(), t.Name()+"/"+e.check.ID) })
	}
	r.begin(t.Context())
	for _, e := range r.executions {
		t.Run(e.check.ID, func(t *testing.T) {
			<-e.done
			r.tell(e, listener{log: func(s string) { t.Log(s) }, skip: func(s string) { t.Skip(s) }, fail: func(s string) { t.Fatal(s) }})
		})
	}
	report := r.finish()
	t.Run(reached, func(t *testing.T) {
		if why := untested(report); why != "" {
			t.Fatal(why)
		}
	})
	return report
}

// runs reports whether the pattern of `go test -run` may select a subtest: its elements match those of the name, as far as
// there are any. In doubt it may.
func runs(pattern, name string) bool {
	elements := strings.Split(name, "/")
	for i, element := range strings.Split(pattern, "/") {
		if i == len(elements) {
			break
		}
		expression, err := regexp.Compile(element)
		if err != nil {
			return true // a slash inside of the expression
		}
		if !expression.MatchString(elements[i]) {
			return strings.ContainsAny(pattern, "|()[]")
		}
	}
	return true
}

// ginkgoRan keeps RunGinkgo from running into Ginkgo's own refusal, which ends the process.
var ginkgoRan atomic.Bool

// RunGinkgo is Execute through Ginkgo, inside this process and without a word on the console: a spec for each check, by
// specification and section. Ginkgo has one tree of specs per process, so a second call is an error; a process that is
// a Ginkgo suite itself uses Describe instead.
func RunGinkgo(ctx context.Context, cfg Config) (*reports.Report, error) {
	r, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	if ginkgoRan.Swap(true) {
		return nil, errors.New("a process has one Ginkgo tree, and it has run: use Execute, or Run inside of tests")
	}
	r.begin(ctx)
	r.mount(func() {})

	stdout, stderr := formatter.ColorableStdOut, formatter.ColorableStdErr
	formatter.ColorableStdOut, formatter.ColorableStdErr = io.Discard, io.Discard
	defer func() { formatter.ColorableStdOut, formatter.ColorableStdErr = stdout, stderr }()
	suite, _ := ginkgo.GinkgoConfiguration()
	suite.RandomSeed = r.cfg.Seed
	suite.RandomizeAllSpecs = false
	suite.ParallelProcess, suite.ParallelTotal = 1, 1
	suite.OutputInterceptorMode = "none"
	suite.Timeout = r.cfg.Deadline + time.Hour // the run ends by itself
	ginkgo.RunSpecs(silent{}, "oauthcheck", suite, types.ReporterConfig{NoColor: true, Succinct: true})
	return r.finish(), nil
}

// silent stands for the testing.T of a suite whose outcome is told by the report.
type silent struct{}

func (silent) Fail() {}

// Describe mounts a run into the host's own Ginkgo tree: an ordered container with a spec for each check that the
// filters leave, which fails exactly when the verdict counts, and a last spec that fails if the target could not be
// tested. Call it while the tree is built, at the top level or inside a container that is not ordered. Nothing is sent
// before Ginkgo enters the container. A mistake in cfg becomes a failing spec.
func Describe(cfg Config) {
	r, err := prepare(cfg)
	if err != nil {
		ginkgo.It("oauthcheck is configured", func() { ginkgo.Fail(err.Error()) })
		return
	}
	r.mount(func() {
		// Not the context of this node, which ends with it: the run goes on while its specs are told.
		ctx, cancel := context.WithCancel(context.Background())
		ginkgo.DeferCleanup(func() {
			cancel()
			r.finish()
		})
		r.begin(ctx)
	})
}

// mount builds the specs of a run; begin is called when Ginkgo enters them.
func (r *run) mount(begin func()) {
	ginkgo.Describe("oauthcheck", ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		ginkgo.BeforeAll(begin)
		for _, spec := range group(r.executions, func(c *Check) string { return c.Spec }) {
			ginkgo.Describe(specName(spec[0].check.Spec), func() {
				for _, section := range group(spec, func(c *Check) string { return c.Section }) {
					ginkgo.Describe(section[0].check.Section, func() {
						for _, e := range section {
							r.it(e)
						}
					})
				}
			})
		}
		ginkgo.It(reached, func(ctx ginkgo.SpecContext) {
			if !wait(ctx, r.finished) {
				return
			}
			if why := untested(r.finish()); why != "" {
				ginkgo.Fail(why)
			}
		})
	})
}

// it is the spec of one check: it awaits the verdict and tells it.
func (r *run) it(e *execution) {
	ginkgo.It(e.check.Name, ginkgo.Label(string(e.check.Level()), string(e.check.Lane)), func(ctx ginkgo.SpecContext) {
		if !wait(ctx, e.done) {
			return
		}
		r.tell(e, listener{
			log: func(s string) {
				ginkgo.AddReportEntry(e.check.ID, ginkgo.ReportEntryVisibilityFailureOrVerbose, s)
			},
			skip: func(s string) { ginkgo.Skip(s) },
			fail: func(s string) { ginkgo.Fail(s) },
		})
	})
}

// wait reports whether ready came before the spec was interrupted.
func wait(ctx context.Context, ready <-chan struct{}) bool {
	select {
	case <-ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// group splits executions, which are in catalogue order, into runs of equal keys.
func group(executions []*execution, key func(*Check) string) [][]*execution {
	var out [][]*execution
	for i, e := range executions {
		if i == 0 || key(executions[i-1].check) != key(e.check) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], e)
	}
	return out
}

func specName(slug string) string {
	if spec, ok := profiles.LookupSpec(slug); ok {
		return spec.Name
	}
	return slug
}

// listener is the part of a test framework that hears a verdict.
type listener struct{ log, skip, fail func(string) }

// tell tells a finished execution's verdict: a violation that counts fails, what was not judged is skipped (whether too
// much was is told at the end), everything else passes.
func (r *run) tell(e *execution, to listener) {
	c := e.result
	switch {
	case Counts(c, r.cfg.FailOn):
		text := r.text(c)
		to.log(text)
		to.fail(text)
	case c.Verdict == reports.Skip:
		text := c.Message
		if c.Enable != "" {
			text += "; to run it: " + c.Enable
		}
		to.skip(text)
	case c.Verdict == reports.Inconclusive:
		to.skip(r.text(c))
	case c.Verdict != reports.Pass:
		to.log(r.text(c))
	}
}

// untested says why a report does not count as a test of the target; "" if it does. Violations are a result, too.
func untested(report *reports.Report) string {
	if report.Run.ExitStatus != StatusUntested {
		return ""
	}
	s := report.Summary
	text := fmt.Sprintf("the target could not be tested: %d of %d checks are inconclusive, %d are skipped", s.Inconclusive, len(report.Checks), s.Skip)
	if report.Run.Aborted != "" {
		text += "; the run ended early: " + report.Run.Aborted
	}
	return text
}
