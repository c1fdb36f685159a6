package profiles

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const example = `
title: An example
summary: One of everything.
settings:
  token: {lifetime: 60, format: opaque}
  pkce: required
dialect:
  token_response: {unwrap: $data}
  error: {path: $errors.0.code, codes: {bad: invalid_grant}}
  request_format: json
target:
  endpoints: {token: /t, authorization: /a}
deviations:
  - token-response-cacheable
  - deviation: token-response-wrong-content-type
    params: {type: text/plain}
    provenance: docs, section 3
masks:
  - {deviation: token-response-cacheable, check: rfc6749/x, by: token-response-wrong-content-type, why: it does}
switches:
  - name: tidy
    doc: The server's next release.
    settings: {token: {lifetime: 3600}}
    target: {endpoints: {token: /token}}
    remove: [token-response-cacheable]
    add: ["token-response-wrong-content-type:type=text/csv", missing-token-type]
  - {name: optional-pkce, doc: As the manual advises., settings: {pkce: optional}}
`

func writeProfile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "example.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNamesBeginWithTheStrictOnes(t *testing.T) {
	names := Names()
	if len(names) < 2 || names[0] != "strict" || names[1] != "rfc6749" {
		t.Errorf("names: %v", names)
	}
	for _, name := range names {
		p, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Name != name || p.Title == "" || p.Summary == "" || p.Source != "built-in" {
			t.Errorf("%s: incomplete: %+v", name, p)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, s := range p.Switches {
			if _, err := Load(name + "+" + s.Name); err != nil {
				t.Errorf("%s+%s: %v", name, s.Name, err)
			}
		}
	}
}

func TestStrictDeviatesInNothing(t *testing.T) {
	for _, name := range []string{"strict", "rfc6749"} {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Deviations) != 0 || len(p.Settings) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestLoadGivesACopy(t *testing.T) {
	p, _ := Load("strict")
	p.Title = "changed"
	if again, _ := Load("strict"); again.Title == "changed" {
		t.Error("two loads share memory")
	}
}

func TestLoadFile(t *testing.T) {
	p, err := Load(writeProfile(t, example))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "example" || p.Dialect.TokenResponse.Unwrap != "$data" || p.Dialect.Error.Codes["bad"] != "invalid_grant" || p.Dialect.RequestFormat != "json" {
		t.Errorf("read %+v", p)
	}
	want := []Declared{
		{Deviation: "token-response-cacheable"},
		{Deviation: "token-response-wrong-content-type", Params: map[string]string{"type": "text/plain"}, Provenance: "docs, section 3"},
	}
	if !reflect.DeepEqual(p.Deviations, want) {
		t.Errorf("deviations %+v, want %+v", p.Deviations, want)
	}
}

func TestSwitchesAreApplied(t *testing.T) {
	file := writeProfile(t, example)
	p, err := Load(file + "+tidy+optional-pkce")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "example+tidy+optional-pkce" {
		t.Errorf("name %q", p.Name)
	}
	settings := map[string]any{"token": map[string]any{"lifetime": 3600, "format": "opaque"}, "pkce": "optional"}
	if !reflect.DeepEqual(p.Settings, settings) {
		t.Errorf("settings %v, want %v", p.Settings, settings)
	}
	target := map[string]any{"endpoints": map[string]any{"token": "/token", "authorization": "/a"}}
	if !reflect.DeepEqual(p.Target, target) {
		t.Errorf("target %v, want %v", p.Target, target)
	}
	want := []Declared{
		{Deviation: "token-response-wrong-content-type", Params: map[string]string{"type": "text/csv"}},
		{Deviation: "missing-token-type"},
	}
	if !reflect.DeepEqual(p.Deviations, want) {
		t.Errorf("deviations %+v, want %+v", p.Deviations, want)
	}
	if len(p.Masks) != 0 {
		t.Errorf("the mask of a removed deviation stayed: %+v", p.Masks)
	}
}

func TestLoadRefuses(t *testing.T) {
	file := writeProfile(t, example)
	for name, test := range map[string]struct{ arg, want string }{
		"misspelt name":          {"strickt", `unknown profile "strickt"; did you mean strict?`},
		"unknown name":           {"keycloak-enterprise", "built in are strict, rfc6749"},
		"empty":                  {"", "unknown profile"},
		"switch of a switchless": {"strict+x", "it has no switches"},
		"misspelt switch":        {file + "+tidi", `unknown switch "tidi"; did you mean tidy?`},
		"unknown switch":         {file + "+entirely-different", "it has tidy, optional-pkce"},
		"missing file":           {"./absent.yaml", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(test.arg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a message with %q", err, test.want)
			}
		})
	}
}

func TestLoadReportsFaultsOfAFile(t *testing.T) {
	for name, test := range map[string]struct{ yaml, want string }{
		"unknown key":         {"titel: x", "example.yaml:1: titel: unknown key; did you mean title?"},
		"unknown deviation":   {"deviations: [token-response-cachable]", "did you mean token-response-cacheable?"},
		"unknown parameter":   {"deviations: ['token-response-wrong-content-type:typ=x']", `unknown parameter "typ"; did you mean type?`},
		"no parameters":       {"deviations: ['token-response-cacheable:typography=x']", "none of its own, only client, grant"},
		"malformed deviation": {"deviations: ['token-response-cacheable:typ']", "is no parameter"},
		"dangling mask":       {"deviations: [missing-token-type]\nmasks: [{deviation: missing-token-typ, check: x, by: missing-token-type, why: y}]", "did you mean missing-token-type?"},
		"mask without why":    {"deviations: [missing-token-type]\nmasks: [{deviation: missing-token-type, check: x, by: missing-token-type}]", "says why"},
		"dangling removal":    {"switches: [{name: a, remove: [missing-token-type]}]", "does not declare"},
		"nameless switch":     {"switches: [{doc: a}]", "a switch needs a name"},
		"two switches":        {"switches: [{name: a}, {name: a}]", "a second switch a"},
		"switch's deviation":  {"switches: [{name: a, add: [nonsense-and-more]}]", `switch a: unknown deviation "nonsense-and-more"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(writeProfile(t, test.yaml))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "example.yaml") {
				t.Errorf("got %v, want a message with the file and %q", err, test.want)
			}
		})
	}
}

func TestParseDeviation(t *testing.T) {
	for _, test := range []struct {
		arg  string
		want Declared
	}{
		{"token-response-cacheable", Declared{Deviation: "token-response-cacheable"}},
		{" token-response-cacheable ", Declared{Deviation: "token-response-cacheable"}},
		{"token-response-wrong-content-type:type=text/plain", Declared{Deviation: "token-response-wrong-content-type", Params: map[string]string{"type": "text/plain"}}},
		{`token-response-wrong-content-type:type=a\,b\\c=d:e`, Declared{Deviation: "token-response-wrong-content-type", Params: map[string]string{"type": `a,b\c=d:e`}}},
		{"token-response-wrong-content-type:type=", Declared{Deviation: "token-response-wrong-content-type", Params: map[string]string{"type": ""}}},
	} {
		got, err := ParseDeviation(test.arg)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %+v, %v, want %+v", test.arg, got, err, test.want)
		}
	}
	for _, test := range []struct{ arg, want string }{
		{"", "the name is missing"},
		{":a=b", "the name is missing"},
		{"token-response-cachable", "did you mean token-response-cacheable?"},
		{"token-response-wrong-content-type:typ=a", "did you mean type?"},
		{"token-response-wrong-content-type:zzzzzzz=a", "it has type"},
		{"token-response-wrong-content-type:type=a,type=b", "given twice"},
		{"token-response-wrong-content-type:", "is no parameter"},
		{"token-response-wrong-content-type:type=a,", "is no parameter"},
	} {
		if _, err := ParseDeviation(test.arg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want a message with %q", test.arg, err, test.want)
		}
	}
}

func TestResolveFillsDefaults(t *testing.T) {
	d, ok := LookupDeviation("token-response-wrong-content-type")
	if !ok {
		t.Fatal("no such deviation")
	}
	if got := d.Resolve(nil)["type"]; !strings.HasPrefix(got, "text/html") {
		t.Errorf("default %q", got)
	}
	if got := d.Resolve(map[string]string{"type": "x/y"}); !maps.Equal(got, map[string]string{"type": "x/y"}) {
		t.Errorf("resolved %v", got)
	}
}

func TestDecodeDeviations(t *testing.T) {
	got, err := DecodeDeviations([]byte("deviations: [{name: my-server, summary: S, breaks: RFC6749-5.1-13, do: {at: token.response, status: 418}}]"), "my.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Source != "my.yaml" || got[0].Do[0].Args["status"] != 418 {
		t.Errorf("read %+v", got)
	}
	for name, test := range map[string]struct{ yaml, want string }{
		"unknown key":         {"deviations: [{name: a, summery: b}]", "my.yaml:1: deviations[0].summery: unknown key; did you mean summary?"},
		"no name":             {"deviations: [{do: {at: x}}]", "deviations[0]: name is missing"},
		"no operation":        {"deviations: [{name: a}]", "deviation a: do is missing"},
		"taken":               {"deviations: [{name: missing-token-type, do: {at: x}}]", "choose another"},
		"unknown requirement": {"deviations: [{name: a, breaks: rfc6749-5.1-13, do: {at: x}}]", "did you mean RFC6749-5.1-13?"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := DecodeDeviations([]byte(test.yaml), "my.yaml"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a message with %q", err, test.want)
			}
		})
	}
}

func FuzzParseDeviation(f *testing.F) {
	for _, seed := range []string{"a", "a:b=c", `a:b=\,,c=\\`, "a:b", ":", ",", "a:=", "token-response-wrong-content-type:type=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		_, _ = ParseDeviation(arg)
		split, err := splitDeviation(arg)
		if err != nil {
			return
		}
		again, err := splitDeviation(split.String())
		if err != nil || split.String() != again.String() || len(split.Params) != len(again.Params) {
			t.Errorf("%q reads as %+v, its String %q as %+v (%v)", arg, split, split.String(), again, err)
		}
		for _, key := range slices.Sorted(maps.Keys(split.Params)) {
			if split.Params[key] != again.Params[key] {
				t.Errorf("%q: %s is %q, then %q", arg, key, split.Params[key], again.Params[key])
			}
		}
	})
}
