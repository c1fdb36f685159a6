package suites_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// violating is a run whose checks come to every verdict.
func violating() suites.Config {
	r := new(suites.Registry)
	bad := func(as *target.AS, g gomega.Gomega) { g.Expect("got").To(gomega.Equal("want")) }
	r.Section("RFC 6749", "5.1", func(s *suites.S) {
		s.Check("passes", suites.Requires("RFC6749-5.1-13"), func(as *target.AS, g gomega.Gomega) {})
		s.Check("fails", suites.Requires("RFC6749-5.1-13"), bad)
		s.Check("warns", suites.Requires("RFC6749-5.1-05"), bad)
		s.Check("skips", suites.Requires("RFC6749-5.1-13"), suites.Needs(target.TLS), bad)
		s.Check("open", suites.Requires("RFC6749-5.1-13"), func(as *target.AS, g gomega.Gomega) { as.Inconclusive("no answer") })
	})
	r.Section("RFC 6750", "3", func(s *suites.S) {
		s.Check("notes", suites.Requires("RFC6750-3-01"), func(as *target.AS, g gomega.Gomega) { as.Note("odd") })
	})
	return suites.Config{Registry: r, Transport: desert{}, Target: target.Config{Target: "http://as.test", Endpoints: target.Endpoints{Token: "http://as.test/token"}}}
}

// desert is a target at which nothing is found.
type desert struct{}

func (desert) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// openOnly is a run in which nothing is judged.
func openOnly() suites.Config {
	cfg := violating()
	cfg.Include = []string{"rfc6749/open"}
	return cfg
}

// verdicts lists a report's verdicts.
func verdicts(r *reports.Report) string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, c.ID+" "+string(c.Verdict))
	}
	return strings.Join(out, ", ")
}

const everyVerdict = "rfc6749/passes pass, rfc6749/fails fail, rfc6749/warns warn, rfc6749/skips skip, rfc6749/open inconclusive, rfc6750/notes note"

// child runs a test of this file in a process of its own: Ginkgo has one tree per process, and failures of a host's tests
// must not be failures of ours.
func child(t *testing.T, test string) (output string, exit int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "OAUTHCHECK_CHILD="+test)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	return out.String(), cmd.ProcessState.ExitCode()
}

// inChild skips a test that only makes sense as a child's.
func inChild(t *testing.T) {
	t.Helper()
	if os.Getenv("OAUTHCHECK_CHILD") != t.Name() {
		t.SkipNow()
	}
}

func TestRunGinkgo(t *testing.T) {
	out, exit := child(t, "TestChildRunGinkgo")
	if exit != 0 {
		t.Fatalf("exit %d\n%s", exit, out)
	}
	_, out, _ = strings.Cut(out, "begin\n")
	report, rest, _ := strings.Cut(out, "\n")
	var got reports.Report
	if err := json.Unmarshal([]byte(report), &got); err != nil {
		t.Fatalf("Ginkgo wrote to the console: %v\n%s", err, out)
	}
	if v := verdicts(&got); v != everyVerdict || got.Run.ExitStatus != 1 {
		t.Errorf("%s; exit status %d", v, got.Run.ExitStatus)
	}
	if !strings.HasPrefix(rest, "again: a process has one Ginkgo tree") {
		t.Errorf("a second call: %s", rest)
	}
}

func TestChildRunGinkgo(t *testing.T) {
	inChild(t)
	fmt.Println("begin")
	report, err := suites.RunGinkgo(t.Context(), violating())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(report)
	fmt.Println(string(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = suites.RunGinkgo(t.Context(), violating())
	fmt.Println("again:", err)
}

func TestDescribe(t *testing.T) {
	out, exit := child(t, "TestChildDescribe")
	if exit != 1 {
		t.Errorf("a host whose target violates a MUST exits with %d\n%s", exit, out)
	}
	for _, want := range []string{
		"SPEC host is asked passed", "SPEC RFC 6749 5.1 passes passed", "SPEC RFC 6749 5.1 fails failed", "SPEC RFC 6749 5.1 warns passed",
		"SPEC RFC 6749 5.1 skips skipped", "SPEC RFC 6749 5.1 open skipped", "SPEC RFC 6750 3 notes passed",
		"SPEC the-target-could-be-tested passed",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestChildDescribe(t *testing.T) {
	inChild(t)
	ginkgo.Describe("host", func() { ginkgo.It("is asked", func() {}) })
	suites.Describe(violating())
	runHost(t)
}

func TestDescribeOfAnUntestedTarget(t *testing.T) {
	out, exit := child(t, "TestChildDescribeUntested")
	if exit != 1 || !strings.Contains(out, "SPEC the-target-could-be-tested failed\n") || !strings.Contains(out, "SPEC RFC 6749 5.1 open skipped\n") {
		t.Errorf("exit %d\n%s", exit, out)
	}
}

func TestChildDescribeUntested(t *testing.T) {
	inChild(t)
	suites.Describe(openOnly())
	runHost(t)
}

func TestDescribeOfAMistake(t *testing.T) {
	out, exit := child(t, "TestChildDescribeMistake")
	if exit != 1 || !strings.Contains(out, "SPEC is configured failed\n") || !strings.Contains(out, `no check matches "rfc6749/fials"; did you mean rfc6749/fails`) {
		t.Errorf("exit %d\n%s", exit, out)
	}
}

func TestChildDescribeMistake(t *testing.T) {
	inChild(t)
	cfg := violating()
	cfg.Include = []string{"rfc6749/fials"}
	suites.Describe(cfg)
	runHost(t)
}

// The packages of all specifications are imported by this file.
func TestForeignSuiteSeesNothing(t *testing.T) {
	if len(suites.Checks()) == 0 {
		t.Fatal("no check is registered")
	}
	out, exit := child(t, "TestChildForeign")
	if exit != 0 || strings.Count(out, "SPEC ") != 1 || !strings.Contains(out, "SPEC host is alone passed\n") {
		t.Errorf("exit %d\n%s", exit, out)
	}
}

func TestChildForeign(t *testing.T) {
	inChild(t)
	ginkgo.Describe("host", func() { ginkgo.It("is alone", func() {}) })
	runHost(t)
}

// runHost runs the host's Ginkgo suite and prints a line for each spec.
func runHost(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.ReportAfterSuite("print", func(r types.Report) {
		for _, s := range r.SpecReports {
			if s.LeafNodeType == types.NodeTypeIt {
				fmt.Printf("SPEC %s %s\n", strings.TrimPrefix(s.FullText(), "oauthcheck "), s.State)
			}
		}
	})
	ginkgo.RunSpecs(t, "host")
}

func TestRunInsideGoTest(t *testing.T) {
	out, exit := child(t, "TestChildRun")
	if exit != 1 {
		t.Errorf("exit %d", exit)
	}
	for _, want := range []string{
		"--- PASS: TestChildRun/rfc6749/passes", "--- FAIL: TestChildRun/rfc6749/fails", "--- PASS: TestChildRun/rfc6749/warns",
		"--- SKIP: TestChildRun/rfc6749/skips", "--- SKIP: TestChildRun/rfc6749/open", "--- PASS: TestChildRun/rfc6750/notes",
		"--- PASS: TestChildRun/the-target-could-be-tested", "--- FAIL: TestChildRun/rfc6749/fails#01", everyVerdict, "to run it: target: https://…",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestChildRun(t *testing.T) {
	inChild(t)
	fmt.Println(verdicts(suites.Run(t, violating())))
	suites.Run(t, violating())
}

func TestRunOfAnUntestedTarget(t *testing.T) {
	out, exit := child(t, "TestChildRunUntested")
	if exit != 1 || !strings.Contains(out, "--- FAIL: TestChildRunUntested/the-target-could-be-tested") {
		t.Errorf("exit %d\n%s", exit, out)
	}
}

func TestChildRunUntested(t *testing.T) {
	inChild(t)
	suites.Run(t, openOnly())
}

func TestRunOfOneSubtest(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildRunOne$/rfc6749/^passes$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "OAUTHCHECK_CHILD=TestChildRunOne")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "report: rfc6749/passes pass\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestChildRunOne(t *testing.T) {
	inChild(t)
	fmt.Println("report:", verdicts(suites.Run(t, violating())))
}
