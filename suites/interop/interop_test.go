//go:build interop

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Every wait of these tests is bounded by one of these.
const (
	installTimeout = 10 * time.Minute // npm ci, go build, apt-get install
	readyTimeout   = time.Minute      // from start to the first answer
	doctorTimeout  = 2 * time.Minute
	runTimeout     = 8 * time.Minute
)

// inconclusiveShare is the part of the checks that could run that may be inconclusive on a server, each with an
// explanation.
const inconclusiveShare = 0.05

// A lifetimes value is how long codes and access tokens live in one instance of a server.
type lifetimes struct{ code, token string }

var (
	ordinary = lifetimes{"60", "300"}
	short    = lifetimes{"4", "4"} // for the lane that waits for their end
)

// Expectation is what a server is known to give for one check, with the reason.
type Expectation struct {
	Verdict  reports.Verdict `yaml:"verdict"`
	Or       reports.Verdict `yaml:"or"`       // the other verdict, where a race decides
	Variants []string        `yaml:"variants"` // the variants with that verdict; empty: not compared
	Because  string          `yaml:"because"`  // why it is true of the server, or why no judgement is possible
	Triage   string          `yaml:"triage"`   // row in docs/triage.md; required with fail and warn
}

func TestServers(t *testing.T) {
	binary := build(t)
	folders, err := filepath.Glob("servers/*/target.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) == 0 {
		t.Fatal("no servers found under suites/interop/servers")
	}
	for _, file := range folders {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel() // most of the time goes into waiting for lifetimes
			s := server{dir: dir, binary: binary}
			s.install(t)
			var seen []reports.Check
			t.Run("fast", func(t *testing.T) { seen = append(seen, s.conformance(t, ordinary, "fast,race,destructive")...) })
			if s.lifetimesSwitchable(t) {
				t.Run("slow", func(t *testing.T) { seen = append(seen, s.conformance(t, short, "slow")...) })
			}
			t.Run("expected", func(t *testing.T) { s.compare(t, seen) })
		})
	}
}

// build makes the binary as it is released.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "oauthcheck")
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/oauthcheck/oauthcheck/cmd/oauthcheck")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// A server is one folder under servers/.
type server struct {
	dir    string
	binary string
}

func (s server) name() string { return filepath.Base(s.dir) }

// install runs the server's start script without a port.
func (s server) install(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(s.dir, "start")).CombinedOutput(); err != nil {
		t.Fatalf("installing %s: %v\n%s", s.name(), err, out)
	}
}

func (s server) targetFile(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "target.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// lifetimesSwitchable reports whether the server's lifetimes can be made short enough to wait for.
func (s server) lifetimesSwitchable(t *testing.T) bool {
	return strings.Contains(s.targetFile(t), "{code_lifetime}")
}

// start serves on a free port until the test ends, and returns the port.
func (s server) start(t *testing.T, l lifetimes) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()

	var log bytes.Buffer // read after the process has ended
	cmd := exec.Command(filepath.Join(s.dir, "start"), port)
	cmd.Env = append(os.Environ(), "INTEROP_CODE_SECONDS="+l.code, "INTEROP_TOKEN_SECONDS="+l.token)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what the script starts ends with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		if t.Failed() {
			t.Logf("the end of %s's log:\n%s", s.name(), tail(log.String(), 4000))
		}
	})

	ctx, cancel := context.WithTimeout(t.Context(), readyTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return port
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended before it listened: %v", s.name(), err)
		case <-ctx.Done():
			t.Fatalf("%s does not listen after %v", s.name(), readyTimeout)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// conformance starts the server, runs doctor and a run of the lanes, and returns the outcome of every check.
func (s server) conformance(t *testing.T, l lifetimes, lanes string) []reports.Check {
	t.Helper()
	port := s.start(t, l)
	dir := t.TempDir()
	target := filepath.Join(dir, "target.yaml")
	content := strings.NewReplacer("{port}", port, "{code_lifetime}", l.code+"s", "{token_lifetime}", l.token+"s").Replace(s.targetFile(t))
	if err := os.WriteFile(target, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}

	if code, out := s.oauthcheck(t, doctorTimeout, "doctor", "--config", target); code != 0 {
		t.Fatalf("doctor exits %d:\n%s", code, out)
	}

	jsonFile, junitFile := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.xml")
	code, out := s.oauthcheck(t, runTimeout, "run", "--config", target, "--lane", lanes, "--json", jsonFile, "--junit", junitFile)
	report := readReport(t, jsonFile, out)
	keep(t, s.name()+"-"+strings.ReplaceAll(lanes, ",", "-"), jsonFile)

	want := 0
	if report.Summary.Fail > 0 {
		want = 1
	}
	if code != want {
		t.Errorf("the run exits %d instead of %d:\n%s", code, want, tail(out, 4000))
	}
	if report.Run.Aborted != "" {
		t.Errorf("the run was aborted: %s", report.Run.Aborted)
	}
	if ran := len(report.Checks) - report.Summary.Skip; ran == 0 {
		t.Errorf("no check ran:\n%s", tail(out, 4000))
	}
	checkJUnit(t, junitFile, report)
	checkSecrets(t, content, out, jsonFile, junitFile)
	t.Logf("%s, lanes %s: %+v, %d requests in %d ms", s.name(), lanes, report.Summary, report.Run.Requests, report.Run.DurationMS)
	return report.Checks
}

// oauthcheck runs the binary and returns its exit status and output.
func (s server) oauthcheck(t *testing.T, timeout time.Duration, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("oauthcheck %s takes longer than %v:\n%s", args[0], timeout, tail(string(out), 4000))
	case err != nil && !errors.As(err, &exit):
		t.Fatalf("oauthcheck %s: %v", args[0], err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// compare holds the outcome of all lanes against the server's expected.yaml, in both directions.
func (s server) compare(t *testing.T, checks []reports.Check) {
	expected := map[string]Expectation{}
	data, err := os.ReadFile(filepath.Join(s.dir, "expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&expected); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("expected.yaml: %v", err)
	}

	rows, err := os.ReadFile(filepath.Join("..", "..", "docs", "triage.md"))
	if err != nil {
		t.Fatal(err)
	}
	triage := string(rows)

	ran, inconclusive := 0, 0
	met := map[string]bool{}
	for _, c := range merge(checks) {
		switch c.Verdict {
		case reports.Skip:
		case reports.Inconclusive:
			inconclusive++
			fallthrough
		default:
			ran++
		}
		want, listed := expected[c.ID]
		met[c.ID] = met[c.ID] || listed
		switch finding := c.Verdict == reports.Fail || c.Verdict == reports.Warn || c.Verdict == reports.Inconclusive; {
		case finding && !listed:
			t.Errorf("unexpected %s of %s:\n%s", c.Verdict, c.ID, describe(c))
		case listed && c.Verdict != want.Verdict && (want.Or == "" || c.Verdict != want.Or):
			t.Errorf("%s: expected.yaml says %s, the run says %s:\n%s", c.ID, want.Verdict, c.Verdict, describe(c))
		case listed && len(want.Variants) > 0:
			if got := variants(c, want.Verdict); !slices.Equal(got, slices.Sorted(slices.Values(want.Variants))) {
				t.Errorf("%s: expected.yaml says %s of the variants %q, the run of %q:\n%s", c.ID, want.Verdict, want.Variants, got, describe(c))
			}
		}
	}
	for id, want := range expected {
		if !met[id] {
			t.Errorf("expected.yaml names %s, but no such check ran", id)
		}
		if want.Because == "" {
			t.Errorf("expected.yaml gives no reason for %s", id)
		}
		if (want.Verdict == reports.Fail || want.Verdict == reports.Warn) && !strings.Contains(triage, "\n### "+want.Triage+"\n") {
			t.Errorf("expected.yaml names no row of docs/triage.md for %s: %q", id, want.Triage)
		}
	}
	if float64(inconclusive) > inconclusiveShare*float64(ran) {
		t.Errorf("%d of %d checks that ran are inconclusive, more than %.0f %%", inconclusive, ran, 100*inconclusiveShare)
	}
}

// merge leaves one outcome of each check: where one lane's run skipped it, that of the other's.
func merge(checks []reports.Check) []reports.Check {
	var merged []reports.Check
	at := map[string]int{}
	for _, c := range checks {
		i, again := at[c.ID]
		switch {
		case !again:
			at[c.ID] = len(merged)
			merged = append(merged, c)
		case merged[i].Verdict == reports.Skip:
			merged[i] = c
		}
	}
	return merged
}

func variants(c reports.Check, verdict reports.Verdict) []string {
	var names []string
	for _, v := range c.Variants {
		if v.Verdict == verdict {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names
}

// describe shows a check's evidence to the person who triages it.
func describe(c reports.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", c.Title)
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %s: %s\n", label, text)
		}
	}
	line("message", c.Message)
	line("sent", c.Sent)
	line("expected", strings.Join(c.Expected, " | "))
	line("actual", c.Actual)
	for _, v := range c.Variants {
		if v.Verdict != reports.Pass {
			line("variant "+v.Name, fmt.Sprintf("%s %s; expected %s; actual %s", v.Verdict, v.Message, strings.Join(v.Expected, " | "), v.Actual))
		}
	}
	for _, e := range c.Exchanges {
		if e.Decisive {
			line("exchange", fmt.Sprintf("%s → %d %s %s", e.Curl, e.Response.Status, e.Error, tail(e.Response.Body, 500)))
		}
	}
	return b.String()
}

func readReport(t *testing.T, file, out string) *reports.Report {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("no JSON report: %v\n%s", err, tail(out, 4000))
	}
	var report reports.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatalf("the JSON report cannot be read: %v", err)
	}
	return &report
}

// checkJUnit parses the JUnit report as XML and compares its number of test cases with the JSON report.
func checkJUnit(t *testing.T, file string, report *reports.Report) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := 0
	for decoder := xml.NewDecoder(f); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the JUnit report is not well-formed: %v", err)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "testcase" {
			cases++
		}
	}
	if cases != len(report.Checks) {
		t.Errorf("the JUnit report has %d test cases, the JSON report %d checks", cases, len(report.Checks))
	}
}

// checkSecrets looks for the target file's secrets in everything that the run wrote.
func checkSecrets(t *testing.T, target, out string, files ...string) {
	t.Helper()
	var config struct {
		Clients yaml.Node `yaml:"clients"`
		User    struct {
			Password string `yaml:"password"`
		} `yaml:"user"`
	}
	if err := yaml.Unmarshal([]byte(target), &config); err != nil {
		t.Fatal(err)
	}
	written := map[string]string{"the console": out}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		written[filepath.Base(file)] = string(data)
	}
	for _, secret := range append(secrets(&config.Clients), config.User.Password) {
		for where, text := range written {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("a secret of the target file stands in %s", where)
			}
		}
	}
}

// secrets collects the values of all keys called secret.
func secrets(node *yaml.Node) []string {
	var found []string
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && node.Content[i-1].Value == "secret" {
			found = append(found, child.Value)
		}
		found = append(found, secrets(child)...)
	}
	return found
}

// keep copies a report to the folder that INTEROP_REPORTS names, for a person to read.
func keep(t *testing.T, name, file string) {
	t.Helper()
	dir := os.Getenv("INTEROP_REPORTS")
	if dir == "" {
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// tail is the end of a text, at most n bytes.
func tail(text string, n int) string {
	if len(text) > n {
		return "…" + text[len(text)-n:]
	}
	return text
}
