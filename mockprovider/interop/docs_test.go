package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDocs does what docs/fake-idp.md says. Each section begins in an empty directory: the files that it shows are written, its
// commands are run, in one shell, and print what it shows (… stands for anything).
func TestDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "fake-idp.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := 0
	for _, section := range strings.Split(string(page), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		commands := steps(t, ownPorts(t, section))
		if len(commands) == 0 {
			continue
		}
		sections++
		t.Run(strings.ReplaceAll(strings.ToLower(title), " ", "-"), func(t *testing.T) {
			t.Parallel()
			follow(t, commands)
			counts.sections.Add(1)
		})
	}
	if sections < 3 {
		t.Errorf("%d sections: the expressions no longer fit the page", sections)
	}
}

// command is a command of a page with what it prints.
type command struct{ line, prints string }

var fenced = regexp.MustCompile("(?ms)(?:^<!-- file: (\\S+) -->\n)?^```(\\w+)\n(.*?)^```$")

// steps are what a page does. A file that it shows is a command that copies it from a place of the test's.
func steps(t *testing.T, page string) (commands []command) {
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		switch name, language, text := block[1], block[2], block[3]; {
		case name != "":
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			commands = append(commands, command{line: "cp " + file + " " + name})
		case language == "console":
			commands = append(commands, parse(text)...)
		}
	}
	return commands
}

// follow runs commands and compares what they print.
func follow(t *testing.T, commands []command) {
	for i, got := range shell(t, commands) {
		c := commands[i]
		want := "^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(c.prints)), "…", "(?s:.*)") + "$"
		if got = strings.TrimSpace(got); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("$ %s\n%s\nbut the page says\n%s", c.line, got, c.prints)
		}
	}
}

// parse takes the text of a console apart.
func parse(text string) (out []command) {
	continued := false
	for line := range strings.Lines(text) {
		switch rest, is := strings.CutPrefix(line, "$ "); {
		case is:
			out = append(out, command{line: rest})
		case continued:
			out[len(out)-1].line += line
		default:
			out[len(out)-1].prints += line
		}
		continued = strings.HasSuffix(line, "\\\n")
	}
	return out
}

// ownPorts replaces the ports of a page by free ones.
func ownPorts(t *testing.T, page string) string {
	for _, port := range []string{"8080", "9090"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, free, _ := net.SplitHostPort(l.Addr().String())
		_ = l.Close()
		page = strings.ReplaceAll(page, port, free)
		page = strings.ReplaceAll(page, "oauthcheck mock --auto-login", "oauthcheck mock --addr 127.0.0.1:"+free+" --auto-login")
	}
	return page
}

// shell runs the commands in one shell and returns what each prints. The released binary is on the path, and this module's
// checkout stands for the published one.
func shell(t *testing.T, commands []command) []string {
	const mark = "@@@@"
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	fmt.Fprintf(&script, "set -m; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n")
	for _, c := range commands {
		line := strings.TrimSuffix(c.line, "\n")
		if strings.Contains(line, "go mod init") {
			line += " 2>/dev/null && go mod edit -replace github.com/oauthcheck/oauthcheck=" + root
		}
		if strings.Contains(line, "go mod tidy") {
			line += " 2>/dev/null" // tells what it downloads
		}
		if strings.HasPrefix(line, "python3") {
			line = fromEnvironment(t, "CLIENTS_PYTHON") + strings.TrimPrefix(line, "python3") // the one that has requests
		}
		fmt.Fprintf(&script, "%s\nprintf '\\n%s\\n'\n", line, mark)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(fromEnvironment(t, "OAUTHCHECK"))+":"+os.Getenv("PATH"), "GOFLAGS=", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	out := strings.Split(stdout.String(), mark)
	if err != nil || len(out) != len(commands)+1 {
		last := min(len(out), len(commands)) - 1
		t.Fatalf("%v at\n$ %s\n%s\n%s", err, commands[last].line, out[last], stderr.String())
	}
	return out[:len(commands)]
}
