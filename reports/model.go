// Package reports holds the report of a conformance run, the shape that every output format is written from, and the
// writers: console, JUnit, JSON, HTML, Markdown. It imports nothing else of this module.
package reports

import (
	"net/http"
	"time"
)

// Schema names the version of the JSON report.
const Schema = "oauthcheck/report/v1"

// Verdict is the outcome of one check.
type Verdict string

// The seven verdicts; their meaning for runners, JUnit and exit status is documented in the README.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail" // a MUST is violated
	Warn         Verdict = "warn" // a SHOULD is violated
	Note         Verdict = "note" // worth knowing, breaks no normative statement
	Known        Verdict = "known"
	Skip         Verdict = "skip"
	Inconclusive Verdict = "inconclusive"
)

// Report is a run's verdicts, evidence and metadata.
type Report struct {
	Schema       string        `json:"schema"`
	Tool         Tool          `json:"tool"`
	Run          Run           `json:"run"`
	Target       Target        `json:"target"`
	Summary      Summary       `json:"summary"`
	Requirements []Requirement `json:"requirements"`
	Checks       []Check       `json:"checks"` // in catalogue order
}

// Tool identifies the program that wrote the report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"url,omitempty"`
}

// Run describes how the run was made and how it ended.
type Run struct {
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"duration_ms"`
	Requests   int       `json:"requests"`
	Seed       int64     `json:"seed"`
	Profile    string    `json:"profile,omitempty"`
	Judge      string    `json:"judge,omitempty"` // profile or strict
	FailOn     string    `json:"fail_on,omitempty"`
	Lanes      []string  `json:"lanes,omitempty"`
	Filters    []string  `json:"filters,omitempty"`
	Aborted    string    `json:"aborted,omitempty"` // why the run ended early
	ExitStatus int       `json:"exit_status"`
	Reproduce  string    `json:"reproduce,omitempty"` // the command line, without secrets
	Setups     []Setup   `json:"setups,omitempty"`    // further set-ups of the target that checks ran in, in their order
}

// Setup is a further way in which the target was set up, for checks that the first left nothing to judge.
type Setup struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Checks int    `json:"checks"` // that were judged in it
}

// Target describes the authorization server as the run found it.
type Target struct {
	URL          string            `json:"url"`
	Issuer       string            `json:"issuer,omitempty"`
	Endpoints    map[string]string `json:"endpoints,omitempty"`
	Capabilities []Capability      `json:"capabilities"`
}

// Capability is one thing that checks need of a target, with the reason for the finding.
type Capability struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Because   string `json:"because"`
	Enable    string `json:"enable,omitempty"` // the line of configuration that would make it available
}

// Summary counts the verdicts; all seven are always written.
type Summary struct {
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Warn         int `json:"warn"`
	Note         int `json:"note"`
	Known        int `json:"known"`
	Skip         int `json:"skip"`
	Inconclusive int `json:"inconclusive"`
}

// Requirement is a statement that the run judged.
type Requirement struct {
	ID      string `json:"id"`
	Spec    string `json:"spec"`
	Section string `json:"section"`
	Level   string `json:"level"`
	Impact  string `json:"impact"`
	Says    string `json:"says"`
	URL     string `json:"url"`
	Fix     string `json:"fix,omitempty"`
}

// Check is the outcome of one check with its evidence.
type Check struct {
	ID           string     `json:"id"`
	Spec         string     `json:"spec"`
	Section      string     `json:"section"`
	Title        string     `json:"title"`
	Level        string     `json:"level"`
	Impact       string     `json:"impact"`
	Requirements []string   `json:"requirements"`
	Lane         string     `json:"lane"`
	Provisional  bool       `json:"provisional,omitempty"`
	Verdict      Verdict    `json:"verdict"`
	Setup        string     `json:"setup,omitempty"` // the further set-up of the target that it was judged in
	Variants     []Variant  `json:"variants"`
	Message      string     `json:"message,omitempty"`
	Sent         string     `json:"sent,omitempty"` // one line: what was sent
	Expected     []string   `json:"expected,omitempty"`
	Actual       string     `json:"actual,omitempty"`
	Notes        []string   `json:"notes,omitempty"`
	Enable       string     `json:"enable,omitempty"`
	Declared     []string   `json:"declared,omitempty"` // deviations of the profile that make a finding known
	DurationMS   int64      `json:"duration_ms"`
	Exchanges    []Exchange `json:"exchanges"`
}

// Variant is one manipulation inside a check and what came of it.
type Variant struct {
	Name     string   `json:"name"`
	Verdict  Verdict  `json:"verdict"`
	Message  string   `json:"message,omitempty"`
	Expected []string `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
}

// Exchange is one recorded HTTP request and response. Inside a finished report it is redacted.
type Exchange struct {
	Request    Request  `json:"request"`
	Response   Response `json:"response"`
	DurationMS int64    `json:"duration_ms"`
	Curl       string   `json:"curl,omitempty"`
	Error      string   `json:"error,omitempty"`    // the transport failure, where there was no response
	Decisive   bool     `json:"decisive,omitempty"` // the exchange that the verdict rests on
	Control    bool     `json:"control,omitempty"`  // the same request without the defect
}

// Request is the request of an exchange.
type Request struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body,omitempty"`
}

// Response is the response of an exchange.
type Response struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body,omitempty"`
}
