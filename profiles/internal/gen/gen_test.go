package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/profiles/internal/compact"
)

const packageDirectory = "../.."

func TestGeneratedFilesAreInStepWithTheSources(t *testing.T) {
	c, err := readSources(os.DirFS(packageDirectory))
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "run go generate ./profiles"
	for name, data := range want {
		got, err := os.ReadFile(filepath.Join(packageDirectory, "generated", name))
		switch {
		case err != nil:
			t.Errorf("%v: %s", err, remedy)
		case !bytes.Equal(got, data):
			t.Errorf("generated/%s is older than its source: %s", name, remedy)
		}
	}
	present, _ := filepath.Glob(filepath.Join(packageDirectory, "generated", "*", "*"))
	for _, file := range present {
		name, _ := filepath.Rel(filepath.Join(packageDirectory, "generated"), file)
		if _, wanted := want[filepath.ToSlash(name)]; !wanted {
			t.Errorf("generated/%s has no source: %s", name, remedy)
		}
	}
}

// sound is a catalogue without a fault; the tests replace a file of it.
func sound() fstest.MapFS {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	return fstest.MapFS{
		"requirements/rfc1.yaml": file(`spec: RFC 1
title: T
url: https://example.com/rfc1
requirements:
- id: RFC1-1-01
  section: '1'
  level: MUST
  impact: high
  endpoint: token
  says: S
  testable: black-box
  probe: P
  pass: A
  fail: B
  fault: first-fault
  fix: F
- id: RFC1-1-02
  section: '1'
  level: MAY
  endpoint: client
  says: S
  testable: 'no'
  why_not: W
- id: RFC1-1-03
  section: '1'
  level: SHOULD
  endpoint: token
  says: S
  testable: black-box
  same_as: RFC1-1-01
`),
		"deviations/rfc1_s1.yaml": file(`deviations:
- name: first-fault
  summary: S
  breaks: RFC1-1-01
  implies: [{requirement: RFC1-1-02, reason: because}]
  params: [{name: x, default: "1", doc: D}]
  do: {at: step, set: $x}
- name: slow
  summary: S
  fault: true
  do: [{at: step, delay: 1s}]
`),
		"vendors/acme.yaml": file(`name: acme
title: T
summary: S
deviations:
- {deviation: first-fault, provenance: "docs, page 3"}
`),
	}
}

func TestSoundSourcesPassAndRoundTrip(t *testing.T) {
	c, err := readSources(sound())
	if err != nil {
		t.Fatal(err)
	}
	files, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	var requirements profiles.RequirementsFile
	if err := compact.Unmarshal(string(files["requirements/rfc1.bin"]), &requirements); err != nil {
		t.Fatal(err)
	}
	if got := requirements.Requirements[2]; got.SameAs != "RFC1-1-01" || got.Fix != "F" {
		t.Errorf("a repetition does not take over the remedy: %+v", got)
	}
	var got profiles.DeviationsFile
	if err := compact.Unmarshal(string(files["deviations/rfc1_s1.bin"]), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Deviations) != 2 || got.Deviations[0].Do[0].Args["set"] != "$x" || !got.Deviations[1].Fault {
		t.Errorf("read %+v", got)
	}
}

func TestFaultsOfSourcesAreReportedWithFileAndLine(t *testing.T) {
	const requirements, deviations, vendor = "requirements/rfc1.yaml", "deviations/rfc1_s1.yaml", "vendors/acme.yaml"
	for name, test := range map[string]struct{ file, old, new, want string }{
		"unknown key":              {requirements, "  probe: P", "  prob: P", "requirements/rfc1.yaml:12: requirements[0].prob: unknown key; did you mean probe?"},
		"wrong level":              {requirements, "level: MAY", "level: MIGHT", `requirements/rfc1.yaml:19: level: "MIGHT" is none of MUST, `},
		"wrong testable":           {requirements, "testable: 'no'", "testable: blackbox", `requirements/rfc1.yaml:22: testable: "blackbox" is none of black-box, conditional, no; did you mean black-box?`},
		"wrong impact":             {requirements, "impact: high", "impact: huge", "requirements/rfc1.yaml:8: impact"},
		"wrong endpoint":           {requirements, "endpoint: client", "endpoint: clients", "did you mean client?"},
		"repeated id":              {requirements, "id: RFC1-1-02", "id: RFC1-1-01", "requirements/rfc1.yaml:17: id: RFC1-1-01 is used twice, first at requirements/rfc1.yaml:5"},
		"malformed id":             {requirements, "id: RFC1-1-02", "id: rfc1", "does not look like"},
		"dangling same_as":         {requirements, "same_as: RFC1-1-01", "same_as: RFC1-1-04", "requirements/rfc1.yaml:30: same_as: no requirement RFC1-1-04; did you mean"},
		"same_as of itself":        {requirements, "same_as: RFC1-1-01", "same_as: RFC1-1-03", "refers to itself"},
		"testable without a pass":  {requirements, "  pass: A\n", "", "requirements/rfc1.yaml:5: RFC1-1-01: pass is missing"},
		"testable without a fix":   {requirements, "  fix: F\n", "", "requirements/rfc1.yaml:5: RFC1-1-01: fix is missing"},
		"untestable without why":   {requirements, "  why_not: W\n", "", "RFC1-1-02: why_not is missing"},
		"no title":                 {requirements, "title: T\n", "", "spec, title and url are needed"},
		"fault not in kebab-case":  {requirements, "fault: first-fault", "fault: First_fault", "kebab-case"},
		"unknown operation key":    {deviations, "  breaks: RFC1-1-01", "  break: RFC1-1-01", "deviations/rfc1_s1.yaml:4: deviations[0].break: unknown key; did you mean breaks?"},
		"dangling breaks":          {deviations, "breaks: RFC1-1-01", "breaks: RFC1-1-1", "deviations/rfc1_s1.yaml:4: breaks: no requirement RFC1-1-1; did you mean RFC1-1-01?"},
		"breaks a repetition":      {deviations, "breaks: RFC1-1-01", "breaks: RFC1-1-03", "repeats RFC1-1-01; name that one"},
		"dangling implies":         {deviations, "requirement: RFC1-1-02", "requirement: RFC2-1-02", "deviations/rfc1_s1.yaml:5: implies: no requirement RFC2-1-02"},
		"implies what it breaks":   {deviations, "requirement: RFC1-1-02", "requirement: RFC1-1-01", "is named already"},
		"implies without reason":   {deviations, "reason: because", "reason: ''", "without a reason"},
		"repeated name":            {deviations, "name: slow", "name: first-fault", "used twice, first at deviations/rfc1_s1.yaml:2"},
		"not the fault's name":     {deviations, "name: first-fault", "name: other", "deviations/rfc1_s1.yaml:2: name: other should be called first-fault (the fault of RFC1-1-01)"},
		"another's fault":          {deviations, "breaks: RFC1-1-01", "breaks: RFC1-1-02", "is the fault of RFC1-1-01, which this deviation does not break"},
		"neither breaks nor fault": {deviations, "  fault: true\n", "", "one of the two"},
		"both breaks and fault":    {deviations, "fault: true", "fault: true\n  breaks: RFC1-1-02", "one of the two"},
		"no operation":             {deviations, "  do: [{at: step, delay: 1s}]\n", "", "deviations/rfc1_s1.yaml:8: slow: do is missing"},
		"no summary":               {deviations, "- name: slow\n  summary: S", "- name: slow", "slow: summary is missing"},
		"undeclared parameter":     {deviations, "set: $x", "set: $x$y", "$y is no parameter"},
		"unused parameter":         {deviations, "set: $x", "set: 1", "no operation uses $x"},
		"undocumented parameter":   {deviations, ", doc: D", "", "a parameter has a name"},
		"wrong proof":              {deviations, "fault: true", "fault: true\n  proof: soon", `proof: "soon" is none of pending`},
		"file of another name":     {vendor, "name: acme", "name: acne", `vendors/acme.yaml:1: name: "acne" differs`},
		"undeclared deviation":     {vendor, "deviation: first-fault", "deviation: first-fautl", "vendors/acme.yaml:4: deviations: unknown deviation \"first-fautl\"; did you mean first-fault?"},
		"wrong provenance":         {vendor, "docs, page 3", "rumour", "vendors/acme.yaml:5: provenance"},
		"no vendor title":          {vendor, "title: T\n", "", "title and summary are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			sources := sound()
			content := string(sources[test.file].Data)
			if !strings.Contains(content, test.old) {
				t.Fatalf("%s lacks %q", test.file, test.old)
			}
			sources[test.file] = &fstest.MapFile{Data: []byte(strings.Replace(content, test.old, test.new, 1))}
			_, err := readSources(sources)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant a message with %q", err, test.want)
			}
		})
	}
}

func TestRunWritesOnlyWhatChangesAndRemovesWhatHasNoSource(t *testing.T) {
	directory := t.TempDir()
	for name, file := range sound() {
		target := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stale := filepath.Join(directory, "generated", "vendors", "gone.bin")
	if err := os.MkdirAll(filepath.Dir(stale), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(directory); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a file without a source stayed: %v", err)
	}
	file := filepath.Join(directory, "generated", "vendors", "acme.bin")
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(directory); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(file); after == nil || !after.ModTime().Equal(before.ModTime()) {
		t.Error("an unchanged file was written again")
	}
}
