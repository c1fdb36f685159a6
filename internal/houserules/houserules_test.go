package houserules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/oauthcheck/oauthcheck/"

// source is one parsed Go file of the repository.
type source struct {
	path string // slashes, relative to the root
	dir  string
	test bool
	file *ast.File
}

// imports lists the import paths of the file, this module's own without the module's prefix.
func (s source) imports() []string {
	var out []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, strings.TrimPrefix(p, module))
	}
	return out
}

var fset = token.NewFileSet()

// sources parses every Go file of the repository.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var out []source
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || name == "node_modules" || name != "." && strings.HasPrefix(name, ".") && rel != "." {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && rel != "." {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files were found below %s", len(out), root)
	}
	return out
}

// within reports whether a directory is one of the roots or below it.
func within(dir string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") })
}

// harness are the packages of suites that are no specification's.
var harness = []string{"suites/all", "suites/doctor", "suites/expect", "suites/interop", "suites/login", "suites/matchers", "suites/target"}

// isSpecification reports whether a directory holds the checks of a specification.
func isSpecification(dir string) bool {
	return strings.HasPrefix(dir, "suites/") && !within(dir, harness...)
}

// TestWhoImportsWhom keeps the harness a black-box tester that does not know its own mock, and leaves leaves.
func TestWhoImportsWhom(t *testing.T) {
	rules := []struct {
		what    string
		applies func(source) bool
		allowed []string // packages of ours that may be imported, with all below them
		why     string
	}{
		{"profiles", func(s source) bool { return within(s.dir, "profiles") }, []string{"profiles"}, "profiles is a leaf"},
		{"reports", func(s source) bool { return within(s.dir, "reports") }, []string{"reports"}, "reports is a leaf"},
		{"mockprovider", func(s source) bool { return within(s.dir, "mockprovider") }, []string{"mockprovider", "profiles"}, "the mock does not know the harness"},
		{"specification packages", func(s source) bool { return isSpecification(s.dir) && !s.test },
			[]string{"suites", "suites/target", "suites/matchers"}, "a specification package knows suites, suites/target and suites/matchers"},
		{"suites", func(s source) bool {
			return within(s.dir, "suites") && !isSpecification(s.dir) && !within(s.dir, "suites/interop")
		},
			[]string{"suites", "profiles", "reports"}, "the harness is a black-box tester and does not know its own mock"},
	}
	for _, s := range sources(t) {
		for _, rule := range rules {
			if !rule.applies(s) {
				continue
			}
			for i, p := range s.imports() {
				if !ours(s, i) || within(p, rule.allowed...) && !(isSpecification(s.dir) && !s.test && !slices.Contains(rule.allowed, p)) {
					continue
				}
				t.Errorf("%s imports %s: %s", s.path, p, rule.why)
			}
		}
	}
}

// ours reports whether the i-th import of a file is a package of this module.
func ours(s source, i int) bool {
	p, _ := strconv.Unquote(s.file.Imports[i].Path.Value)
	return strings.HasPrefix(p, module)
}

// TestChecksLeavePlumbingToTheTarget keeps requests, waiting and verdicts where they are controlled and recorded.
func TestChecksLeavePlumbingToTheTarget(t *testing.T) {
	forbiddenImports := map[string]string{
		"net/http":          "send requests through suites/target: it records them, bounds them and checks what went out",
		"net/http/httptest": "checks test a target, not a server of their own",
		"crypto/tls":        "shake hands through suites/target",
		"testing":           "a check judges with the Gomega that it is given",
		"os":                "a check takes everything from the target's configuration",
		"sync":              "requests at the same time are suites/target's (Race)",
	}
	forbiddenCalls := map[string]string{
		"time.Sleep":           "wait through AS.Wait or AS.Settle",
		"time.After":           "wait through AS.Wait or AS.Settle",
		"time.Tick":            "wait through AS.Wait or AS.Settle",
		"time.NewTimer":        "wait through AS.Wait or AS.Settle",
		"time.NewTicker":       "wait through AS.Wait or AS.Settle",
		"time.AfterFunc":       "wait through AS.Wait or AS.Settle",
		"net.Dial":             "connect through suites/target",
		"net.DialTimeout":      "connect through suites/target",
		"net.Listen":           "checks test a target, not a server of their own",
		"context.WithTimeout":  "time-outs are fields of target.Timing",
		"context.WithDeadline": "time-outs are fields of target.Timing",
		"context.Background":   "use AS.Context",
		"g.Eventually":         "retrying hides races: settle once (AS.Settle) and judge",
		"g.Consistently":       "retrying hides races: settle once (AS.Settle) and judge",
	}
	for _, s := range sources(t) {
		if !isSpecification(s.dir) || s.test {
			continue
		}
		for _, p := range s.imports() {
			if why, ok := forbiddenImports[p]; ok {
				t.Errorf("%s imports %s: %s", s.path, p, why)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a check starts no goroutines: requests at the same time are suites/target's (Race)", fset.Position(n.Pos()))
			case *ast.CallExpr:
				if selector, ok := n.Fun.(*ast.SelectorExpr); ok {
					if x, ok := selector.X.(*ast.Ident); ok {
						if why, ok := forbiddenCalls[x.Name+"."+selector.Sel.Name]; ok {
							t.Errorf("%s calls %s.%s: %s", fset.Position(n.Pos()), x.Name, selector.Sel.Name, why)
						}
					}
				}
			}
			return true
		})
	}
}

// TestFilesAreSections keeps the checks of a section where a reader of the specification looks for them:
// s5_1_token_response.go registers sections of chapter 5 (and what little of other chapters goes with them),
// s4_s5_tokens.go of 4 and 5, appendix_syntax.go appendices. Sections with names have files with any name.
func TestFilesAreSections(t *testing.T) {
	numbered := regexp.MustCompile(`^s\d+(_\d+)*(_s\d+(_\d+)*)*_[a-z]`)
	for _, s := range sources(t) {
		if !isSpecification(s.dir) || s.test {
			continue
		}
		name := path.Base(s.path)
		numbers, appendices := 0, 0
		covered := false
		for _, section := range registeredSections(s.file) {
			switch {
			case section[0] >= '0' && section[0] <= '9':
				numbers++
				covered = covered || covers(name, section)
			case len(section) == 1 || section[1] == '.':
				appendices++
			}
		}
		switch {
		case numbers > 0 && !(numbered.MatchString(name) && covered):
			t.Errorf("%s registers numbered sections: name it after one of them, sN_M_topic.go", s.path)
		case numbers == 0 && appendices > 0 && !strings.HasPrefix(name, "appendix"):
			t.Errorf("%s registers appendices: name it appendix_topic.go", s.path)
		}
	}
}

// registeredSections lists the literal sections of the calls of suites.Section.
func registeredSections(file *ast.File) []string {
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 3 {
			return true
		}
		if selector, ok := call.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "Section" {
			if literal, ok := call.Args[1].(*ast.BasicLit); ok {
				if section, err := strconv.Unquote(literal.Value); err == nil && section != "" {
					out = append(out, section)
				}
			}
		}
		return true
	})
	return out
}

// covers reports whether a file's name names the chapter of the section.
func covers(name, section string) bool {
	chapter, _, _ := strings.Cut(section, ".")
	for _, part := range regexp.MustCompile(`(?:^|_)s(\d+)`).FindAllStringSubmatch(name, -1) {
		if part[1] == chapter {
			return true
		}
	}
	return false
}

// TestAllImportsEverySpecification keeps suites/all complete.
func TestAllImportsEverySpecification(t *testing.T) {
	var imported []string
	specs := map[string]bool{}
	for _, s := range sources(t) {
		if s.dir == "suites/all" && !s.test {
			imported = append(imported, s.imports()...)
		}
		if isSpecification(s.dir) && !s.test && len(registeredSections(s.file)) > 0 {
			specs[s.dir] = true
		}
	}
	for dir := range specs {
		if !slices.Contains(imported, dir) {
			t.Errorf("suites/all does not import %s: its checks would never run", dir)
		}
	}
}

// public are the packages that others import.
var public = []string{"mockprovider", "profiles", "reports", "suites", "suites/all", "suites/doctor", "suites/expect", "suites/login", "suites/matchers", "suites/target"}

// TestPackagesAreDocumented wants a doc comment on every package, and on everything that a public one exports.
func TestPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		if !slices.Contains(public, s.dir) {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no doc comment", fset.Position(decl.Pos()), name)
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

// undocumented lists what a declaration exports without a comment. In a group one comment for all will do, and so does a
// comment at the end of the line.
func undocumented(decl ast.Decl) []string {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && decl.Doc == nil && exportedReceiver(decl) && !wellKnown(decl) {
			return []string{decl.Name.Name}
		}
	case *ast.GenDecl:
		if decl.Doc != nil {
			return nil
		}
		var out []string
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
					out = append(out, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && spec.Doc == nil && spec.Comment == nil {
						out = append(out, name.Name)
					}
				}
			}
		}
		return out
	}
	return nil
}

func exportedReceiver(decl *ast.FuncDecl) bool {
	if decl.Recv == nil {
		return true
	}
	expr := decl.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}

// wellKnown names methods whose interface documents them.
func wellKnown(decl *ast.FuncDecl) bool {
	if decl.Recv == nil {
		return false
	}
	switch decl.Name.Name {
	case "Error", "Unwrap", "String", "Is", "As", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "ServeHTTP", "RoundTrip":
		return true
	}
	return false
}

// TestTheRulesCatch holds the rules themselves to a file that breaks them.
func TestTheRulesCatch(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
func Exported() {}
// Documented is fine.
func Documented() {}
func unexported() {}
type T struct{}
func (T) Method() {}
func (t *T) String() string { return "" }
const (
	A = 1
	B = 2 // is fine
)
// Group is fine.
var ( C, D int )
func init() { suites.Section("RFC 6749", "5.1", func() {}) }
`, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, decl := range file.Decls {
		got = append(got, undocumented(decl)...)
	}
	if s := fmt.Sprint(got); s != "[Exported T Method A]" {
		t.Error(s)
	}
	if s := fmt.Sprint(registeredSections(file)); s != "[5.1]" {
		t.Error(s)
	}
	for name, want := range map[string]bool{"s5_1_x.go": true, "s5_x.go": true, "s4_s5_x.go": true, "s5_2_x.go": true, "s51_x.go": false, "s1_x.go": false, "tokens.go": false} {
		if covers(name, "5.1") != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if !isSpecification("suites/rfc6749") || isSpecification("suites/target") || isSpecification("suites") || isSpecification("reports") {
		t.Error("a specification package is not recognised")
	}
}
