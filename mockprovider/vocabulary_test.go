package mockprovider

import (
	"flag"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
)

var update = flag.Bool("update", false, "write docs/mock-steps.md and docs/faults.md")

// TestStepsDocuments holds the pages that are written from the code and the catalogue to them.
func TestStepsDocuments(t *testing.T) {
	for file, want := range map[string]string{"../docs/mock-steps.md": StepsMarkdown(), "../docs/faults.md": faultsPage()} {
		if strings.Contains(want, " is not on this page.") || strings.Contains(want, "is no deviation of the catalogue") {
			t.Errorf("%s is incomplete", file)
		}
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is out of date: go test ./mockprovider -run TestStepsDocuments -update", file)
		}
	}
}

func TestStepsAreUniqueAndDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Steps() {
		if seen[s.Name] {
			t.Errorf("step %s occurs twice", s.Name)
		}
		seen[s.Name] = true
		if s.Doc == "" || len(opsOfKind[s.Kind]) == 0 {
			t.Errorf("step %s: no doc or unknown kind %q", s.Name, s.Kind)
		}
		modes := map[string]bool{}
		for _, m := range s.Modes {
			if modes[m.Name] || m.Doc == "" {
				t.Errorf("step %s: mode %s occurs twice or has no doc", s.Name, m.Name)
			}
			modes[m.Name] = true
		}
	}
	for name := range redirectComparisons {
		found := false
		for _, m := range redirectModes {
			found = found || m.Name == name
		}
		if !found {
			t.Errorf("redirect comparison %s is not documented", name)
		}
	}
}

// TestStepsAreTaken looks for every step of the table in the source, so that no step is a promise that nothing keeps.
func TestStepsAreTaken(t *testing.T) {
	texts := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") || strings.HasPrefix(f.Name(), "steps") {
			continue
		}
		parsed, err := parser.ParseFile(gotoken.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					texts[s] = true
				}
			}
			return true
		})
	}
	taken := func(name string) bool {
		// Steps are named whole, or put together from an endpoint and a tail, or from a prefix and a tail.
		for i := 0; i <= len(name); i++ {
			head, tail := name[:i], name[i:]
			if (head == "" || texts[head]) && (tail == "" || texts[tail]) && (head != "" || tail != "") {
				return true
			}
			if i > 0 && i < len(name) && name[i] == '.' {
				for j := i + 1; j < len(name); j++ {
					if texts[head] && texts[name[i:j]] && texts[name[j:]] {
						return true
					}
				}
			}
		}
		return false
	}
	for _, s := range Steps() {
		if !taken(s.Name) {
			t.Errorf("step %s is in the table, but no code takes it", s.Name)
		}
		for _, m := range s.Modes {
			if !texts[m.Name] {
				t.Errorf("step %s: mode %s is in the table, but no code asks for it", s.Name, m.Name)
			}
		}
	}
}

func TestCatalogueCompiles(t *testing.T) {
	for _, d := range profiles.Deviations() {
		t.Run(d.Name, func(t *testing.T) {
			if _, err := compile([]declaration{{d, nil}}); err != nil {
				t.Error(err)
			}
			setup := maps.Clone(d.Setup)
			delete(setup, "target") // what the proof's target file says
			if _, err := NewHandler(WithSettings(setup), WithDeviation(d, nil)); err != nil {
				t.Error(err)
			}
		})
	}
}
