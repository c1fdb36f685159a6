package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
)

// junitReport is what a reader of JUnit files sees.
type junitReport struct {
	Suites []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string  `xml:"name,attr"`
			Failure *string `xml:"failure"`
			Error   *string `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJSON(t *testing.T, file string) *reports.Report {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r reports.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return &r
}

// files are the report files of one run.
type files struct{ junit, json, html, markdown, sarif string }

func reportFiles(t *testing.T) (files, []string) {
	dir := t.TempDir()
	f := files{filepath.Join(dir, "junit.xml"), filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html"), filepath.Join(dir, "report.md"), filepath.Join(dir, "report.sarif")}
	return f, []string{"--junit", f.junit, "--json", f.json, "--html", f.html, "--markdown", f.markdown, "--sarif", f.sarif}
}

// mustAgree compares the JUnit report with the JSON report and looks for secrets in all files.
func (f files) mustAgree(t *testing.T, secrets ...string) *reports.Report {
	t.Helper()
	r := readJSON(t, f.json)
	data, err := os.ReadFile(f.junit)
	if err != nil {
		t.Fatal(err)
	}
	var j junitReport
	if err := xml.Unmarshal(data, &j); err != nil {
		t.Fatalf("%s: %v", f.junit, err)
	}
	cases, failures, skips, errs := 0, 0, 0, 0
	for _, s := range j.Suites {
		for _, c := range s.Cases {
			cases++
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errs++
			}
			if c.Skipped != nil {
				skips++
			}
		}
	}
	if cases != len(r.Checks) || failures != r.Summary.Fail || skips != r.Summary.Skip || errs != r.Summary.Inconclusive {
		t.Errorf("JUnit: %d cases, %d failures, %d skipped, %d errors; JSON: %d checks, %+v", cases, failures, skips, errs, len(r.Checks), r.Summary)
	}
	for _, file := range []string{f.junit, f.json, f.html, f.markdown, f.sarif} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(data) == 0 {
			t.Errorf("%s is empty", file)
		}
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("a secret is in %s", filepath.Base(file))
			}
		}
	}
	return r
}

func TestRunAgainstStrictMock(t *testing.T) {
	t.Parallel()
	f, flags := reportFiles(t)
	got := oauthcheck(t, append([]string{"run", "--target", "mock:strict"}, flags...)...)
	got.mustExit(t, 0)
	r := f.mustAgree(t)
	if r.Summary.Pass == 0 || r.Summary.Fail+r.Summary.Warn+r.Summary.Known+r.Summary.Inconclusive != 0 {
		t.Errorf("the strict mock: %+v", r.Summary)
	}
	if r.Run.Aborted != "" || r.Run.ExitStatus != 0 || r.Schema != reports.Schema {
		t.Errorf("run: %+v", r.Run)
	}
}

func TestRunFindsADeviation(t *testing.T) {
	t.Parallel()
	f, flags := reportFiles(t)
	args := []string{"run", "--target", "mock:strict", "--deviation", "token-response-cacheable", "--check", "rfc6749/5.1"}
	got := oauthcheck(t, append(args, flags...)...)
	got.mustExit(t, 1)
	got.mustSay(t, "rfc6749/token-response-no-store", "RFC6749-5.1-13", "https://www.rfc-editor.org/rfc/rfc6749#section-5.1", "curl")
	r := f.mustAgree(t)
	i := slices.IndexFunc(r.Checks, func(c reports.Check) bool { return c.ID == "rfc6749/token-response-no-store" })
	if i < 0 || r.Checks[i].Verdict != reports.Fail || len(r.Checks[i].Exchanges) == 0 {
		t.Errorf("the finding is not in the report, or has no evidence")
	}
	if !strings.Contains(r.Run.Reproduce, "oauthcheck run --target mock:strict") || !strings.Contains(r.Run.Reproduce, "--deviation token-response-cacheable") {
		t.Errorf("reproduce: %s", r.Run.Reproduce)
	}
}

func TestFailOn(t *testing.T) {
	t.Parallel()
	args := []string{"run", "--target", "mock:strict", "--deviation", "token-response-missing-pragma", "--check", "rfc6749/5.1"}
	must := oauthcheck(t, args...)
	should := oauthcheck(t, append(args, "--fail-on", "should")...)
	// The requirement is a MUST of RFC 6749 or, as later texts see it, a SHOULD: in any case --fail-on should is not milder.
	if should.code != 1 || must.code > should.code {
		t.Errorf("exit status %d with --fail-on must, %d with should\n%s", must.code, should.code, should.all())
	}
}

func TestJSONToStandardOutput(t *testing.T) {
	t.Parallel()
	got := oauthcheck(t, "run", "--target", "mock:strict", "--check", "rfc6749/5.1", "--json", "-")
	got.mustExit(t, 0)
	var r reports.Report
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Errorf("the standard output is not JSON alone: %v\n%s", err, got.stdout)
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	loud := oauthcheck(t, "run", "--target", "mock:strict", "--check", "rfc6749/5.1")
	quiet := oauthcheck(t, "run", "--target", "mock:strict", "--check", "rfc6749/5.1", "--quiet")
	quiet.mustExit(t, 0)
	if lines(quiet.stdout+quiet.stderr) >= lines(loud.stdout+loud.stderr) {
		t.Errorf("--quiet prints as much as without:\n%s", quiet.all())
	}
	if quiet.stdout == "" {
		t.Error("--quiet prints no summary")
	}
}

// startMock starts the mock as a process and returns what it says about itself.
func startMock(t *testing.T, args ...string) (*exec.Cmd, description) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := command(ctx, append([]string{"mock", "--addr", "127.0.0.1:0", "--json"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel() // kills it, if it still runs
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the mock says nothing: %v", err)
	}
	var d description
	if err := json.Unmarshal(line, &d); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return cmd, d
}

// description is the line of JSON that the mock prints.
type description struct {
	Issuer    string            `json:"issuer"`
	Admin     string            `json:"admin"`
	Address   string            `json:"address"`
	Endpoints map[string]string `json:"endpoints"`
	Clients   []client          `json:"clients"`
	Users     []user            `json:"users"`
	Shuffle   *int64            `json:"shuffle"`
}

type client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"`
	RedirectURIs []string `json:"redirect_uris"`
}

type user struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// flags describe the mock's first confidential client and its first user to a run.
func (d description) flags(t *testing.T) []string {
	t.Helper()
	for _, c := range d.Clients {
		if c.ID == "web-app" && len(d.Users) > 0 {
			return []string{
				"--target", d.Issuer, "--client-id", c.ID, "--client-secret", c.Secret, "--scope", "openid read",
				"--redirect-uri", c.RedirectURIs[0], "--redirect-uri", c.RedirectURIs[1],
				"--username", d.Users[0].Username, "--password", d.Users[0].Password,
			}
		}
	}
	t.Fatalf("no client web-app in %+v", d)
	return nil
}

func TestMockProcess(t *testing.T) {
	t.Parallel()
	cmd, d := startMock(t)
	if d.Endpoints["token"] == "" || d.Endpoints["authorize"] == "" || len(d.Clients) < 3 || len(d.Users) < 2 {
		t.Errorf("%+v", d)
	}
	resp, err := http.Get(d.Issuer + "/.well-known/oauth-authorization-server")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&metadata); err != nil || metadata.Issuer != d.Issuer {
		t.Errorf("metadata: %+v, %v", metadata, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("SIGTERM does not end the mock cleanly: %v", err)
	}
}

func TestMockForPeople(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := command(ctx, "mock", "--addr", "127.0.0.1:0", "--deviation", "token-response-cacheable")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := ""
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		text += scanner.Text() + "\n"
		if strings.Contains(scanner.Text(), "Ctrl-C") {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C does not end the mock cleanly: %v\n%s", err, rest)
	}
	for _, word := range []string{"http://127.0.0.1:", "token", "web-app", "alice", "wonderland", "token-response-cacheable", "not an identity provider"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// A run against the mock as another process finds the same as the built-in one.
func TestRunAgainstMockProcess(t *testing.T) {
	t.Parallel()
	_, d := startMock(t)
	f, files := reportFiles(t)
	doctor := oauthcheck(t, append([]string{"doctor"}, d.flags(t)...)...)
	doctor.mustExit(t, 0)
	plan := oauthcheck(t, append([]string{"plan"}, d.flags(t)...)...)
	plan.mustExit(t, 0)
	plan.mustSay(t, "clients.second", "login")
	got := oauthcheck(t, slices.Concat([]string{"run"}, d.flags(t), files)...)
	got.mustExit(t, 0)
	secrets := []string{d.Clients[0].Secret}
	r := f.mustAgree(t, secrets...)
	if r.Summary.Pass == 0 || r.Summary.Fail != 0 || r.Summary.Skip == 0 {
		t.Errorf("%+v", r.Summary)
	}
	if strings.Contains(r.Run.Reproduce, d.Clients[0].Secret) || strings.Contains(r.Run.Reproduce, d.Users[0].Password) {
		t.Errorf("a secret is in the command line: %s", r.Run.Reproduce)
	}
}

// What is wrong with our set-up is no violation of the target's.
func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	_, d := startMock(t)
	for name, change := range map[string][2]string{
		"client secret": {"--client-secret", secret},
		"client id":     {"--client-id", "nobody"},
		"redirect uri":  {"--redirect-uri", "https://elsewhere.example/callback"},
		"password":      {"--password", secret},
		"user":          {"--username", "mallory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := append(d.flags(t), change[:]...) // the last value of a flag counts
			if change[0] == "--redirect-uri" {
				flags = replace(d.flags(t), change[0], change[1])
			}
			doctor := oauthcheck(t, append([]string{"doctor"}, flags...)...)
			doctor.mustExit(t, 3)
			f, files := reportFiles(t)
			got := oauthcheck(t, slices.Concat([]string{"run"}, flags, files)...)
			got.mustExit(t, 3)
			got.mustSay(t, "doctor")
			if r := f.mustAgree(t, secret); r.Summary.Fail+r.Summary.Warn > 0 {
				t.Errorf("the target is blamed: %+v", r.Summary)
			}
		})
	}
}

func replace(flags []string, name, value string) []string {
	out := slices.Clone(flags)
	out[slices.Index(out, name)+1] = value
	return out
}

// A run that is interrupted, or whose target dies, still writes its reports.
func TestRunEndsEarly(t *testing.T) {
	for name, end := range map[string]func(run, mock *exec.Cmd) error{
		"interrupted":      func(run, _ *exec.Cmd) error { return run.Process.Signal(os.Interrupt) },
		"the target dies":  func(_, mock *exec.Cmd) error { return mock.Process.Kill() },
		"the target hangs": func(_, mock *exec.Cmd) error { return mock.Process.Signal(syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mock, d := startMock(t)
			f, files := reportFiles(t)
			args := slices.Concat([]string{"run", "--rate", "40", "--timeout", "1s", "--deadline", "60s"}, d.flags(t), files)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			run := command(ctx, args...)
			stderr, err := run.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stdout bytes.Buffer
			run.Stdout = &stdout
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stderr)
			said := ""
			for lines.Scan() {
				said += lines.Text() + "\n"
				if strings.Contains(lines.Text(), " checks") { // a quarter is done
					break
				}
			}
			if err := end(run, mock); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(stderr)
			err = run.Wait()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			got := result{run.ProcessState.ExitCode(), stdout.String(), said + string(rest)}
			got.mustExit(t, 3)
			r := f.mustAgree(t)
			if r.Summary.Fail > 0 {
				t.Errorf("the target is blamed: %+v\n%s", r.Summary, got.all())
			}
			if r.Summary.Pass == 0 {
				t.Errorf("what was known is not in the report: %+v", r.Summary)
			}
		})
	}
}

// Every way of configuring the mock, seen from outside.
func TestMockFlags(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "mock.yaml")
	yaml := "settings:\n  users:\n    carol: {password: sesame}\n  clients:\n    shop: {secret: shop-secret, redirect_uris: [https://shop.example/callback]}\n"
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	_, d := startMock(t, "--config", config, "--issuer", "http://idp.example/tenant", "--shuffle", "--seed", "7", "--deviation", "token-response-cacheable")
	if d.Issuer != "http://idp.example/tenant" {
		t.Errorf("issuer %s", d.Issuer)
	}
	if !slices.ContainsFunc(d.Users, func(u user) bool { return u.Username == "carol" && u.Password == "sesame" }) {
		t.Errorf("the file's user is missing: %+v", d.Users)
	}
	if !slices.ContainsFunc(d.Clients, func(c client) bool { return c.ID == "shop" && c.Secret == "shop-secret" }) {
		t.Errorf("the file's client is missing: %+v", d.Clients)
	}
	_, a := startMock(t, "--shuffle=3")
	_, b := startMock(t, "--shuffle=4")
	if strings.TrimPrefix(a.Endpoints["token"], a.Issuer) == strings.TrimPrefix(b.Endpoints["token"], b.Issuer) {
		t.Errorf("two shuffles have the same paths: %s, %s", a.Endpoints["token"], b.Endpoints["token"])
	}
	_, c := startMock(t, "--shuffle=random")
	if c.Shuffle == nil {
		t.Fatal("the random seed is not said")
	}
	_, again := startMock(t, fmt.Sprintf("--shuffle=%d", *c.Shuffle))
	if strings.TrimPrefix(c.Endpoints["token"], c.Issuer) != strings.TrimPrefix(again.Endpoints["token"], again.Issuer) {
		t.Errorf("the seed %d does not repeat the paths: %s, %s", *c.Shuffle, c.Endpoints["token"], again.Endpoints["token"])
	}
	shuffled := oauthcheck(t, slices.Concat([]string{"run"}, a.flags(t), []string{"--quiet"})...)
	shuffled.mustExit(t, 0)

	taken := oauthcheck(t, "mock", "--addr", strings.TrimPrefix(a.Issuer, "http://"))
	taken.mustExit(t, 2)
	taken.mustSay(t, "in use", "127.0.0.1:0")
}
