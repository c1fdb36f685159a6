package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests of this package run the program that users run: it is built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oauthcheck-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "oauthcheck")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build the program:", err)
		return 1
	}
	return m.Run()
}

// result is what one call of the program left behind.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) all() string { return "stdout:\n" + r.stdout + "\nstderr:\n" + r.stderr }

// oauthcheck runs the program with arguments, without a terminal and without input.
func oauthcheck(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	return wait(t, command(ctx, args...))
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=")
	return cmd
}

func wait(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustBeClean fails the test where the output holds what it never may: a secret, a stack trace, a raw control character.
func (r result) mustBeClean(t *testing.T) {
	t.Helper()
	all := r.stdout + r.stderr
	if strings.Contains(all, secret) {
		t.Errorf("a secret is printed:\n%s", r.all())
	}
	for _, sign := range []string{"goroutine ", "panic:", "runtime error", "%!"} {
		if strings.Contains(all, sign) {
			t.Errorf("%q is in the output:\n%s", sign, r.all())
		}
	}
	if strings.ContainsAny(all, "\x1b\x07\x00") {
		t.Errorf("control characters are in the output:\n%q", r.all())
	}
}

func (r result) mustExit(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit status %d, want %d\n%s", r.code, code, r.all())
	}
	r.mustBeClean(t)
}

func (r result) mustSay(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("%q is not in the output:\n%s", w, r.all())
		}
	}
}

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
