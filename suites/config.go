package suites

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/login"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// The values of Config.Judge.
const (
	JudgeProfile = "profile" // what the profile declares is known (default)
	JudgeStrict  = "strict"  // nothing is forgiven; the profile's dialect still helps the helpers
)

// The values of Config.FailOn.
const (
	FailOnMust   = "must" // default
	FailOnShould = "should"
)

// The values of Config.Evidence.
const (
	EvidenceAll      = "all"      // every check's exchanges are in the report (default)
	EvidenceFindings = "findings" // only those of checks that came to something else than pass or skip
)

// Defaults of a run.
const (
	DefaultProcs    = 16
	DefaultDeadline = 10 * time.Minute
	DefaultSeed     = 1
)

// Config says what a run tests and how. The zero value of everything but Target is a sensible run.
type Config struct {
	Target  target.Config
	Profile *profiles.Profile // what the target declares; nil: nothing
	Judge   string            // JudgeProfile or JudgeStrict

	Specs   []string // specifications to test ("rfc6749"); empty: all
	Include []string // checks to run, see the patterns of the command line; empty: all
	Exclude []string // checks to leave out
	Lanes   []string // lanes to run; empty: fast; "all": every lane
	FailOn  string   // FailOnMust or FailOnShould

	Evidence string // EvidenceAll or EvidenceFindings

	Procs    int           // checks at a time; default DefaultProcs
	Deadline time.Duration // of the whole run; default: DefaultDeadline, and what waiting and Target.Rate add to it
	Seed     int64         // of everything random; default DefaultSeed

	Setups []Setup // further ways to set the target up, for checks that Target leaves nothing to judge

	Transport http.RoundTripper // replaces the network; nil: real network. Also settable as Target.Transport
	Player    login.Player      // plays the resource owner; nil: by Target.Login and Target.User
	Progress  func(Event)       // called for every finished check, one at a time; may be nil
	Tool      reports.Tool      // who writes the report
	Reproduce string            // the command line that repeats the run, without secrets
	Registry  *Registry         // the checks; nil: those of the specification packages
}

// Event tells that a check is finished.
type Event struct {
	Check    reports.Check // not redacted: for the verdict and the id, not for its evidence
	Finished int           // checks finished so far, this one included
	Total    int           // checks that run
}

// withDefaults fills defaults in and reports values that do not exist, as *UsageError.
func (cfg Config) withDefaults() (Config, error) {
	word := func(field *string, name, fallback string, words ...string) error {
		if *field == "" {
			*field = fallback
		}
		if slices.Contains(words, *field) {
			return nil
		}
		return unknown(name, *field, words)
	}
	if err := word(&cfg.Judge, "judge", JudgeProfile, JudgeProfile, JudgeStrict); err != nil {
		return cfg, err
	}
	if err := word(&cfg.FailOn, "fail-on", FailOnMust, FailOnMust, FailOnShould); err != nil {
		return cfg, err
	}
	if err := word(&cfg.Evidence, "evidence", EvidenceAll, EvidenceAll, EvidenceFindings); err != nil {
		return cfg, err
	}
	lanes := laneNames()
	cfg.Lanes = slices.Clone(cfg.Lanes)
	for _, lane := range cfg.Lanes {
		if lane != "all" && !slices.Contains(lanes, lane) {
			return cfg, unknown("lane", lane, append(lanes, "all"))
		}
	}
	switch {
	case slices.Contains(cfg.Lanes, "all"):
		cfg.Lanes = lanes
	case len(cfg.Lanes) == 0:
		cfg.Lanes = []string{string(Fast)}
	}
	if cfg.Procs <= 0 {
		cfg.Procs = DefaultProcs
	}
	if cfg.Seed == 0 {
		cfg.Seed = DefaultSeed
	}
	if cfg.Transport != nil {
		cfg.Target.Transport = cfg.Transport
	}
	complete, err := cfg.Target.WithProfile(cfg.Profile)
	if err == nil {
		err = complete.Validate()
	}
	if err != nil {
		return cfg, &UsageError{Text: err.Error()}
	}
	cfg.Target = complete
	if cfg.Registry == nil {
		cfg.Registry = standard
	}
	if cfg.Tool.Name == "" {
		cfg.Tool.Name = "oauthcheck"
	}
	return cfg, nil
}

// defaultDeadline is how long a run of so many checks may take. The slow lane waits for lifetimes, all checks at the same time,
// unless that moves a clock.
func (cfg Config) defaultDeadline(checks int) time.Duration {
	const (
		longestWait  = 25 * time.Minute // of a check, where the target file names no longer lifetime
		beyond       = 5 * time.Minute  // that a check waits after a lifetime
		requestsEach = 10
	)
	deadline := DefaultDeadline
	if slices.Contains(cfg.Lanes, string(Slow)) && cfg.Target.Sleep == nil {
		deadline += max(longestWait, 2*cfg.Target.Timing.CodeLifetime+beyond, cfg.Target.Timing.RotationGrace+beyond)
	}
	if rate := cfg.Target.Rate; rate > 0 {
		deadline += time.Duration(float64(checks*requestsEach) / rate * float64(time.Second))
	}
	return deadline.Round(time.Minute)
}

func laneNames() []string {
	var out []string
	for _, lane := range Lanes() {
		out = append(out, string(lane))
	}
	return out
}

func unknown(name, value string, words []string) error {
	text := fmt.Sprintf("there is no %s %q; choose from %s", name, value, strings.Join(words, ", "))
	if near := profiles.Nearest(value, words); near != "" {
		text = fmt.Sprintf("there is no %s %q; did you mean %s?", name, value, near)
	}
	return &UsageError{Text: text}
}
