package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.IsDir() {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(data)
		}
	}
	if len(texts) < 8 {
		t.Fatalf("only %d documents were found", len(texts))
	}
	return texts
}

// Every flag that the documents use with a command exists.
func TestDocumentedFlagsExist(t *testing.T) {
	commandLine := regexp.MustCompile(`oauthcheck (run|doctor|plan|mock|list|explain|coverage|version|healthcheck)\b([^\n|` + "`" + `]*(?:\\\n[^\n]*)*)`)
	flag := regexp.MustCompile(`(?:^|\s)(--[a-z-]+)`)
	help := map[string]string{}
	seen := 0
	for file, text := range documents(t) {
		for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
			command, rest, _ := strings.Cut(m[2], "#")
			_ = rest
			if help[m[1]] == "" {
				help[m[1]] = oauthcheck(t, m[1], "--help").stdout
			}
			for _, f := range flag.FindAllStringSubmatch(command, -1) {
				seen++
				if f[1] == "--help" {
					continue
				}
				if !regexp.MustCompile(regexp.QuoteMeta(f[1]) + `\b`).MatchString(help[m[1]]) {
					t.Errorf("%s: oauthcheck %s has no flag %s", file, m[1], f[1])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d flags were found: the expression no longer fits the documents", seen)
	}
}

// Every id that the documents explain exists.
func TestDocumentedIDsExist(t *testing.T) {
	explained := regexp.MustCompile(`oauthcheck explain ([a-zA-Z0-9][^\s` + "`" + `]*)`)
	for file, text := range documents(t) {
		for _, m := range explained.FindAllStringSubmatch(text, -1) {
			if m[1] == "ID" || m[1] == "NAME" {
				continue
			}
			if got := oauthcheck(t, "explain", m[1]); got.code != 0 {
				t.Errorf("%s: %s", file, got.stderr)
			}
		}
	}
}

// Links between the documents lead somewhere.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for file, text := range documents(t) {
		if filepath.Ext(file) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s: the link %s leads nowhere", file, m[1])
			}
		}
	}
}

// Every flag of the mock is documented.
func TestMockFlagsAreDocumented(t *testing.T) {
	page := documents(t)[filepath.Join(root, "docs", "mock.md")]
	for _, m := range regexp.MustCompile(`(?m)^ +(--[a-z-]+)`).FindAllStringSubmatch(oauthcheck(t, "mock", "--help").stdout, -1) {
		if !strings.Contains(page, "| `"+m[1]) {
			t.Errorf("docs/mock.md does not list %s", m[1])
		}
	}
}

// The configuration files of the documents are files that the mock takes.
func TestDocumentedMockConfigs(t *testing.T) {
	seen := 0
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?ms)^```yaml\n(# mock\\.yaml.*?)^```").FindAllStringSubmatch(text, -1) {
			seen++
			file := filepath.Join(t.TempDir(), "mock.yaml")
			if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Run(filepath.Base(name), func(t *testing.T) { startMock(t, "--config", file) })
		}
	}
	if seen == 0 {
		t.Error("no configuration file was found")
	}
}
