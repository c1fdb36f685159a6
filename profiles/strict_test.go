package profiles

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type inlined struct {
	Extra string `yaml:"extra"`
}

type strictExample struct {
	Name    string         `yaml:"name"`
	Number  int            `yaml:"number"`
	On      bool           `yaml:"on"`
	Nested  *strictExample `yaml:"nested"`
	Many    []inlined      `yaml:"many"`
	ByName  map[string]inlined
	Free    map[string]any `yaml:"free"`
	Do      Ops            `yaml:"do"`
	inlined `yaml:",inline"`
}

func TestDecodeStrictReportsFileLineKeyAndNearest(t *testing.T) {
	for _, test := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown key", "name: a\nnumbr: 1\n", []string{"f.yaml:2: numbr: unknown key; did you mean number?"}},
		{"unknown key far from all", "zzzzzzzz: 1\n", []string{"f.yaml:1: zzzzzzzz: unknown key; known here: ", "byname, do, extra, free, many, name, nested, number, on"}},
		{"nested", "nested:\n  nmae: x\n", []string{"f.yaml:2: nested.nmae: unknown key; did you mean name?"}},
		{"in a list", "many:\n  - extra: x\n  - xtra: y\n", []string{"f.yaml:3: many[1].xtra: unknown key; did you mean extra?"}},
		{"in a map", "byname:\n  one: {extar: y}\n", []string{"f.yaml:2: byname.one.extar: unknown key; did you mean extra?"}},
		{"several", "nmae: 1\nnumbr: 2\n", []string{"f.yaml:1: nmae", "\nf.yaml:2: numbr"}},
		{"behind an alias", "many:\n  - &a {xtra: y}\nnested: {many: [*a]}\n", []string{"f.yaml:2: many[0].xtra"}},
		{"behind a merge", "free: &a {nmae: 1}\nnested:\n  <<: *a\n", []string{"f.yaml:1: nested.nmae"}},
		{"repeated", "name: a\nname: b\n", []string{"f.yaml:2: name: key repeated (first in line 1)"}},
		{"wrong type", "number: many\n", []string{"f.yaml:1: ", "`many` stands where a whole number is expected"}},
		{"wrong type of bool", "on: maybe\n", []string{"`maybe` stands where true or false is expected"}},
		{"list for mapping", "nested: [a]\n", []string{"f.yaml:1: ", "!!seq stands where a mapping is expected"}},
		{"syntax", "name: [\n", []string{"f.yaml:", "did not find expected"}},
		{"second document", "name: a\n---\nname: b\n", []string{"f.yaml:2: a second YAML document"}},
		{"operation without a step", "do: {skip: true}\n", []string{"f.yaml:1: an operation needs `at`, the name of a step"}},
		{"operation with an odd when", "do:\n  - at: x\n    when: refresh\n", []string{"f.yaml:2: `when` of the operation at x is a mapping"}},
		{"not a mapping", "just text", []string{"f.yaml:1: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got strictExample
			err := DecodeStrict([]byte(test.yaml), "f.yaml", &got)
			if err == nil {
				t.Fatalf("no error, read %+v", got)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("message %q lacks %q", err, part)
				}
			}
		})
	}
}

func TestDecodeStrictAccepts(t *testing.T) {
	source := `
name: a
number: 7
on: true
extra: e
nested: {name: b}
many: [{extra: x}]
byname: {one: {extra: y}}
free: {anything: {goes: [1, true, 1.5, text]}}
do:
  - {at: token.response, when: {grant: refresh_token}, status: 201, header: {remove: [Pragma]}}
  - {at: token.error}
`
	want := strictExample{
		Name: "a", Number: 7, On: true, inlined: inlined{"e"}, Nested: &strictExample{Name: "b"}, Many: []inlined{{"x"}},
		ByName: map[string]inlined{"one": {"y"}},
		Free:   map[string]any{"anything": map[string]any{"goes": []any{1, true, 1.5, "text"}}},
		Do: Ops{
			{At: "token.response", When: map[string]any{"grant": "refresh_token"}, Args: map[string]any{"status": 201, "header": map[string]any{"remove": []any{"Pragma"}}}},
			{At: "token.error"},
		},
	}
	var got strictExample
	if err := DecodeStrict([]byte(source), "f.yaml", &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
	for _, empty := range []string{"", "# only a comment\n", "---\n"} {
		if err := DecodeStrict([]byte(empty), "f.yaml", &got); err != nil {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestOneOperationMayStandForAList(t *testing.T) {
	var got strictExample
	if err := DecodeStrict([]byte("do: {at: token.method, skip: true}"), "f.yaml", &got); err != nil {
		t.Fatal(err)
	}
	want := Ops{{At: "token.method", Args: map[string]any{"skip": true}}}
	if !reflect.DeepEqual(got.Do, want) {
		t.Errorf("read %+v, want %+v", got.Do, want)
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, seed := range []string{
		"name: a", "do: {at: x}", "do: [{at: x, when: {a: b}}]", "a: &a [*a]", "a: &a {<<: *a}", "many: [{extra: x}]", "{", "--- \n---\n", "? [a]\n: b", "byname: {one: {extra: 1}}",
		"deviations: [token-response-cacheable]", "!!binary x: y", "1: 2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, into := range []any{&strictExample{}, &Profile{}, &DeviationsFile{}, &RequirementsFile{}} {
			if err := DecodeStrict([]byte(source), "f.yaml", into); err != nil && !strings.Contains(err.Error(), "f.yaml") {
				t.Errorf("the message %q does not name the file", err)
			}
		}
	})
}

func TestLocate(t *testing.T) {
	const data = "name: a\nsettings:\n  issuers:\n    https://as.example: &as\n      ttl: 1\n  list:\n    - x\n    - {y: 1}\n  same: *as\n"
	for path, line := range map[string]int{
		"name":                                1,
		"settings":                            2,
		"settings.issuers.https://as.example": 4,
		"settings.issuers.https://as.example.ttl": 5,
		"settings.list[1].y":                      8,
		"settings.list[1].gone":                   8, // as far as it goes
		"settings.list[7]":                        6,
		"settings.same.ttl":                       5,
	} {
		err := Locate(errors.Join(fmt.Errorf("%s: wrong", path), errors.New("elsewhere")), []byte(data), "f.yaml")
		if want := fmt.Sprintf("f.yaml:%d: %s: wrong\nf.yaml: elsewhere", line, path); err == nil || err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	if err := Locate(nil, []byte(data), "f.yaml"); err != nil {
		t.Error(err)
	}
	if err := Locate(errors.New("a: b"), []byte("["), "f.yaml"); err.Error() != "f.yaml: a: b" {
		t.Error(err)
	}
}
