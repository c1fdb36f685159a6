package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares output with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (if that is meant: go test ./cmd/oauthcheck -update):\n%s", file, got)
	}
}

func TestHelp(t *testing.T) {
	for name, args := range map[string][]string{
		"help":             nil,
		"help-run":         {"run", "--help"},
		"help-doctor":      {"doctor", "--help"},
		"help-plan":        {"plan", "--help"},
		"help-mock":        {"mock", "--help"},
		"help-healthcheck": {"healthcheck", "--help"},
		"help-list":        {"list", "--help"},
		"help-explain":     {"explain", "--help"},
		"help-coverage":    {"coverage", "--help"},
		"help-version":     {"version", "--help"},
	} {
		got := oauthcheck(t, args...)
		got.mustExit(t, 0)
		if got.stderr != "" {
			t.Errorf("%s writes to the standard error stream: %s", name, got.stderr)
		}
		golden(t, name, got.stdout)
	}
}

func TestExplain(t *testing.T) {
	for _, id := range []string{"rfc6749/token-response-no-store", "RFC6749-5.1-13", "token-response-cacheable"} {
		got := oauthcheck(t, "explain", id)
		got.mustExit(t, 0)
		golden(t, "explain-"+strings.ReplaceAll(id, "/", "-"), got.stdout)
	}
	lower := oauthcheck(t, "explain", "rfc6749-5.1-13")
	lower.mustExit(t, 0)
	lower.mustSay(t, "RFC6749-5.1-13")
}

// Every check, requirement and deviation can be explained; the bare help of a lookup is that it always answers.
func TestExplainEverything(t *testing.T) {
	for kind, key := range map[string]string{"checks": "id", "deviations": "name", "requirements": "id"} {
		rows := listJSON(t, kind)
		for i, row := range rows {
			if i%25 != 0 { // a sample: the code is the same for all
				continue
			}
			id := row[key].(string)
			got := oauthcheck(t, "explain", id)
			got.mustExit(t, 0)
			got.mustSay(t, id)
		}
	}
}

func listJSON(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	args = append([]string{"list"}, args...)
	if args[1] == "coverage" {
		args = args[1:]
	}
	got := oauthcheck(t, append(args, "--json")...)
	got.mustExit(t, 0)
	var rows []map[string]any
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	if err := decoder.Decode(&rows); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%v: an empty list", args)
	}
	return rows
}

// The members of the JSON are part of the interface.
func TestListJSON(t *testing.T) {
	for kind, members := range map[string]string{
		"checks":       "deviations id impact lane level needs provisional requirements section spec title",
		"deviations":   "breaks checks implies kind name params requirements stands_for summary",
		"faults":       "breaks checks implies kind name params requirements stands_for summary",
		"requirements": "checks endpoint id impact level says section spec testable",
		"profiles":     "deviations name summary switches title",
		"coverage":     "black_box black_box_checked conditional conditional_checked not_testable server spec",
	} {
		for _, row := range listJSON(t, kind) {
			if got := strings.Join(slices.Sorted(maps.Keys(row)), " "); got != members {
				t.Fatalf("%s: members %s, want %s", kind, got, members)
			}
			for name, value := range row {
				if value == nil {
					t.Fatalf("%s: %s is null in %v", kind, name, row)
				}
			}
		}
	}
}

// Deviations and checks point at each other through the requirements.
func TestListIsConsistent(t *testing.T) {
	checks := map[string]map[string]any{}
	for _, c := range listJSON(t, "checks") {
		checks[c["id"].(string)] = c
	}
	for _, d := range listJSON(t, "deviations") {
		for _, id := range d["checks"].([]any) {
			if !slices.Contains(checks[id.(string)]["deviations"].([]any), d["name"]) {
				t.Errorf("the deviation %v names the check %v, but not the reverse", d["name"], id)
			}
		}
	}
}

func TestListText(t *testing.T) {
	got := oauthcheck(t, "list")
	got.mustExit(t, 0)
	lines := strings.Split(got.stdout, "\n")
	if got := strings.Fields(lines[0]); !slices.Equal(got, []string{"CHECK", "SECTION", "LEVEL", "IMPACT", "LANE", "TITLE"}) {
		t.Errorf("head: %q", got)
	}
	row := ""
	for _, line := range lines {
		if strings.HasPrefix(line, "rfc6749/token-response-no-store ") {
			row = strings.Join(strings.Fields(line), " ")
		}
	}
	golden(t, "list-row", row+"\n")
}

func TestCoverageAddsUp(t *testing.T) {
	for _, row := range listJSON(t, "coverage") {
		n := func(member string) int { return int(row[member].(float64)) }
		if n("server") != n("black_box")+n("conditional")+n("not_testable") {
			t.Errorf("%v does not add up", row)
		}
		if n("black_box_checked") > n("black_box") || n("conditional_checked") > n("conditional") {
			t.Errorf("%v: more checked than there are", row)
		}
	}
	text := oauthcheck(t, "coverage")
	text.mustExit(t, 0)
	text.mustSay(t, "rfc6749", "BLACK BOX", "all")
}

func TestVersionIsQuick(t *testing.T) {
	best := time.Hour
	for range 10 {
		start := time.Now()
		got := oauthcheck(t, "version")
		best = min(best, time.Since(start))
		got.mustExit(t, 0)
		got.mustSay(t, "oauthcheck ", "go1.")
	}
	if best > 50*time.Millisecond {
		t.Errorf("oauthcheck version takes %v: something heavy happens at start", best)
	}
	var v map[string]string
	if err := json.Unmarshal([]byte(oauthcheck(t, "version", "--json").stdout), &v); err != nil || v["version"] == "" || v["report_schema"] == "" {
		t.Errorf("version --json: %v, %v", v, err)
	}
}

// Mistakes in the command line exit 2 and name what was meant.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	typo := write("typo.yaml", "target: http://127.0.0.1:1\nclients:\n  primary:\n    id: app\n    secrt: "+secret+"\n")
	broken := write("broken.yaml", "target: [\n")
	wrongKind := write("kind.yaml", "target: http://127.0.0.1:1\nscopes: {a: b}\n")
	empty := write("empty", "\n")
	for _, test := range []struct {
		args []string
		says []string
	}{
		{[]string{"rnu"}, []string{`unknown command "rnu"`, "run"}},
		{[]string{"run", "extra"}, []string{"takes no arguments", "extra"}},
		{[]string{"run"}, []string{"no target", "--target", "mock:strict"}},
		{[]string{"run", "--traget", "x"}, []string{"--traget", "did you mean --target?"}},
		{[]string{"run", "--target", "as.example"}, []string{"did you mean https://as.example?"}},
		{[]string{"run", "--target", "localhost:8080"}, []string{"did you mean http://localhost:8080?"}},
		{[]string{"run", "--target", "mock"}, []string{"did you mean mock:strict?"}},
		{[]string{"run", "--target", "oauthsd"}, []string{"did you mean mock:oauthsd?"}},
		{[]string{"run", "--target", "mock:strict", "--timeout", "5"}, []string{"--timeout", "did you mean 5s?"}},
		{[]string{"run", "--target", "mock:strict", "--timeout", "soon"}, []string{"--timeout", "not a duration such as 10s"}},
		{[]string{"run", "--target", "ftp://as.example"}, []string{"neither an http or https URL"}},
		{[]string{"run", "--target", "https://app:" + secret + "@as.example"}, []string{"holds credentials", "--client-secret"}},
		{[]string{"run", "--target", "://" + secret + "@x y"}, []string{"neither"}},
		{[]string{"run", "--target", "mock:strct"}, []string{`"strct"`, "strict"}},
		{[]string{"run", "--target", "mock:strict", "--profile", "strct"}, []string{`"strct"`, "strict"}},
		{[]string{"run", "--target", "mock:strict", "--deviation", "token-response-cachable"}, []string{"token-response-cacheable"}},
		{[]string{"run", "--target", "http://127.0.0.1:1", "--deviation", "token-response-cacheable"}, []string{"mock"}},
		{[]string{"run", "--target", "mock:strict", "--judge", "strickt"}, []string{"--judge", "did you mean strict?"}},
		{[]string{"run", "--target", "mock:strict", "--fail-on", "shuold"}, []string{"did you mean should?"}},
		{[]string{"run", "--target", "mock:strict", "--lane", "fats"}, []string{"did you mean fast?"}},
		{[]string{"run", "--target", "mock:strict", "--spec", "rfc6748"}, []string{"did you mean rfc6749?"}},
		{[]string{"run", "--target", "mock:strict", "--client-auth", "client_secret_pots"}, []string{"did you mean client_secret_post?"}},
		{[]string{"run", "--target", "mock:strict", "--check", "rfc6749/token-response-no-stor"}, []string{"did you mean", "rfc6749/token-response-no-store"}},
		{[]string{"run", "--target", "mock:strict", "--check", "rfc6749/99.9"}, []string{"no check matches", "rfc6749/99.9"}},
		{[]string{"run", "--target", "mock:strict", "--skip", "rfc6749/nonesuch"}, []string{"no check matches"}},
		{[]string{"run", "--target", "mock:strict", "--skip", "*"}, []string{"no check"}},
		{[]string{"run", "--target", "mock:strict", "--timeout", "soon"}, []string{"--timeout"}},
		{[]string{"run", "--target", "mock:strict", "--timeout", "0s"}, []string{"--timeout must be more than 0"}},
		{[]string{"run", "--target", "mock:strict", "--deadline", "-1s"}, []string{"--deadline must be more than 0"}},
		{[]string{"run", "--target", "mock:strict", "--rate", "-1"}, []string{"--rate"}},
		{[]string{"run", "--target", "mock:strict", "--junit", filepath.Join(dir, "no", "junit.xml")}, []string{"--junit", "does not exist"}},
		{[]string{"run", "--target", "mock:strict", "--json", dir}, []string{"--json", "is a directory"}},
		{[]string{"run", "--target", "mock:strict", "--json", filepath.Join(dir, "r"), "--html", filepath.Join(dir, "r")}, []string{"both write to"}},
		{[]string{"run", "--config", filepath.Join(dir, "none.yaml")}, []string{"none.yaml", "no such file"}},
		{[]string{"run", "--config", typo}, []string{"typo.yaml:5", "secrt", "secret"}},
		{[]string{"run", "--config", broken}, []string{"broken.yaml:"}},
		{[]string{"run", "--config", wrongKind}, []string{"kind.yaml:2"}},
		{[]string{"run", "--config", empty}, []string{"target: is missing"}},
		{[]string{"run", "--target", "https://as.example", "--client-id", "a", "--client-secret", "env:OAUTHCHECK_TEST_UNSET"}, []string{"--client-secret", "OAUTHCHECK_TEST_UNSET", "not set"}},
		{[]string{"run", "--target", "https://as.example", "--client-id", "a", "--client-secret", "@" + filepath.Join(dir, "none")}, []string{"--client-secret", "no such file"}},
		{[]string{"run", "--target", "https://as.example", "--client-id", "a", "--client-secret", "@" + empty}, []string{"--client-secret", "is empty"}},
		{[]string{"run", "--target", "https://as.example", "--client-secret", secret}, []string{"--client-id is missing"}},
		{[]string{"run", "--target", "https://as.example", "--ca-file", filepath.Join(dir, "none.pem")}, []string{"none.pem"}},
		{[]string{"run", "--target", "https://as.example", "--ca-file", empty}, []string{"empty", "certificate"}},
		{[]string{"doctor"}, []string{"no target"}},
		{[]string{"plan"}, []string{"no target"}},
		{[]string{"list", "chekcs"}, []string{"did you mean checks?"}},
		{[]string{"list", "checks", "profiles"}, []string{"one kind"}},
		{[]string{"explain"}, []string{"explain needs one id"}},
		{[]string{"explain", "rfc6749/token-response-no-stor"}, []string{"did you mean rfc6749/token-response-no-store?"}},
		{[]string{"mock", "--deviation", "token-response-cachable"}, []string{"token-response-cacheable"}},
		{[]string{"mock", "--profile", "strct"}, []string{"strict"}},
		{[]string{"mock", "--config", typo}, []string{"typo.yaml:"}},
		{[]string{"mock", "--addr", "127.0.0.1"}, []string{"HOST:PORT"}},
		{[]string{"mock", "--addr", "0.0.0.0:0"}, []string{"--allow-remote"}},
		{[]string{"mock", "--addr", ":0"}, []string{"--allow-remote"}},
		{[]string{"mock", "--shuffle=x"}, []string{"--shuffle", "whole number"}},
		{[]string{"healthcheck"}, []string{"needs one URL"}},
		{[]string{"healthcheck", "localhost"}, []string{"is not an http or https URL"}},
	} {
		name := strings.ReplaceAll(strings.Join(test.args, " "), dir, "")
		t.Run(strings.ReplaceAll(name, secret, "SECRET"), func(t *testing.T) {
			t.Parallel()
			got := oauthcheck(t, test.args...)
			got.mustExit(t, 2)
			got.mustSay(t, test.says...)
			if !strings.HasPrefix(got.stderr, "oauthcheck: ") {
				t.Errorf("the message does not begin with the program's name:\n%s", got.stderr)
			}
			if got.stdout != "" {
				t.Errorf("a mistake writes to the standard output: %s", got.stdout)
			}
		})
	}
}

func TestHealthcheck(t *testing.T) {
	good := oauthcheck(t, "healthcheck", answer("text/plain", "ok")(t))
	good.mustExit(t, 0)
	bad := oauthcheck(t, "healthcheck", status(503)(t))
	bad.mustExit(t, 1)
	bad.mustSay(t, "503")
	gone := oauthcheck(t, "healthcheck", refused(t))
	gone.mustExit(t, 1)
	quiet := oauthcheck(t, "healthcheck", "--timeout", "200ms", silent(t))
	quiet.mustExit(t, 1)
}

// lines counts the lines of a text.
func lines(text string) int { return bytes.Count([]byte(text), []byte("\n")) }
