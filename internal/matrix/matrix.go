// Package matrix proves the checks with the mock provider, and the mock provider with the checks: on a strict server no
// check reports anything, and every deviation of the catalogue is reported, by checks of the requirements that it says it
// breaks and by no others. This is the only place, beside the command line, where the two halves of the project meet.
//
//	go test ./internal/matrix                                           # everything
//	go test ./internal/matrix -short                                    # each deviation against the checks of its requirements only
//	go test ./internal/matrix -run TestMatrix -deviation 'token-*,code-*' -v   # some deviations, with what their checks say
//	go test ./internal/matrix -update                                   # write the golden files anew (with -deviation: those lines)
//	go test ./internal/matrix -run TestPage -update                     # write docs/matrix.md from the golden files
//
// Every run uses a mock that has all that the strict one leaves out by choice (see base). A deviation's `setup` is what its
// proof needs beside it: settings of the mock provider and, under the key `target`, a part of the target file. The same setup
// without the deviation has to be silent as well.
//
// What a server may do that neither the strict mock nor its shuffle mode shows is proven to be accepted by tests of this
// package, accepts_SPEC_test.go: see accept.
package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all" // the checks
)

// Behaviour is a way for the mock provider to be.
type Behaviour struct {
	Setup      map[string]any       // settings of the mock provider, and under the key target a part of the target file
	Deviations []profiles.Deviation // in force
	Params     map[string]string    // of the deviations, in place of their defaults
	Declared   []profiles.Declared  // by the run's profile, so that their findings are known
	Vendor     string               // the profile that the mock provider and the run follow; "" for strict
	Judge      string               // suites.JudgeProfile (also "") or suites.JudgeStrict
	Shuffle    int64                // seeds the mode in which everything varies that the specifications leave free; 0 is off
	Sockets    bool                 // the mock is reached over the network
	Include    []string             // limits the checks; empty means all
}

// timeout bounds one request. Without sockets an answer takes a millisecond; a busy machine takes its time.
const timeout = 5 * time.Second

// base is what the strict mock can do but leaves out by choice; and it signs quickly.
func base() map[string]any {
	return map[string]any{"implicit": true, "id_token": map[string]any{"algorithm": "ES256"},
		"users": map[string]any{"alice": map[string]any{"may_act": "web-app"}}}
}

// Run executes the checks of all lanes against a provider with the behaviour.
func Run(ctx context.Context, b Behaviour) (*reports.Report, error) {
	cfg := suites.Config{Judge: b.Judge, Lanes: []string{"all"}, Include: b.Include, Procs: 4, Deadline: 2 * time.Minute,
		Evidence: suites.EvidenceFindings}
	options, err := b.options()
	if err != nil {
		return nil, err
	}
	if b.Sockets {
		p, err := mockprovider.Start(options...)
		if err != nil {
			return nil, err
		}
		defer p.Close()
		cfg.Target = mocktarget.Config(p) // also here lifetimes pass on the mock's clock
	} else {
		p, err := mockprovider.NewHandler(append([]mockprovider.Option{mockprovider.Issuer(mocktarget.InProcess)}, options...)...) // a setup may say otherwise
		if err != nil {
			return nil, err
		}
		cfg.Target = mocktarget.Handler(p)
	}
	cfg.Target.Timing.Timeout = timeout
	_, overlay := mocktarget.Split(b.Setup)
	if err := mocktarget.Lay(overlay, &cfg.Target); err != nil {
		return nil, err
	}
	cfg.Profile = &profiles.Profile{Name: "declared", Deviations: b.Declared}
	if b.Vendor != "" {
		if cfg.Profile, err = profiles.Load(b.Vendor); err != nil {
			return nil, err
		}
		if cfg.Target, err = cfg.Target.WithProfile(cfg.Profile); err != nil {
			return nil, err
		}
	}
	return suites.Execute(ctx, cfg)
}

// options are those of the mock provider.
func (b Behaviour) options() ([]mockprovider.Option, error) {
	var options []mockprovider.Option
	if b.Vendor != "" {
		options = append(options, mockprovider.Profile(b.Vendor))
	}
	if b.Vendor == "" {
		options = append(options, mockprovider.WithSettings(base()))
	}
	if settings, _ := mocktarget.Split(b.Setup); len(settings) > 0 {
		options = append(options, mockprovider.WithSettings(settings))
	}
	for _, d := range b.Deviations {
		options = append(options, mockprovider.WithDeviation(d, d.Resolve(b.Params)))
	}
	if b.Shuffle != 0 {
		options = append(options, mockprovider.Shuffle(b.Shuffle))
	}
	return options, nil
}

// Findings are the checks that reported something, whatever its verdict, in the report's order.
func Findings(r *reports.Report) []reports.Check {
	var out []reports.Check
	for _, c := range r.Checks {
		if suites.Reported(c) {
			out = append(out, c)
		}
	}
	return out
}

// Describe says what a check came to, with its variants, for the message of a test.
func Describe(c reports.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.ID, c.Verdict)
	for _, text := range []string{c.Message, strings.Join(c.Expected, " | "), c.Actual, strings.Join(c.Notes, "; ")} {
		if text != "" {
			b.WriteString("\n      " + text)
		}
	}
	for _, v := range c.Variants {
		if v.Verdict != reports.Pass {
			fmt.Fprintf(&b, "\n      %s: %s %s %s", v.Name, v.Verdict, v.Message, v.Actual)
		}
	}
	return b.String()
}

// remarks are the notes of checks, to be compared with those of another run.
func remarks(r *reports.Report) map[string]string {
	out := map[string]string{}
	for _, c := range r.Checks {
		if c.Verdict == reports.Note {
			out[c.ID] = strings.Join(c.Notes, "\n")
		}
	}
	return out
}

// checksOf lists the checks that judge one of the requirements.
func checksOf(requirements ...string) []string {
	var out []string
	for _, c := range suites.Checks() {
		if slices.ContainsFunc(c.Requirements, func(id string) bool { return suites.SameRequirement(id, requirements...) }) {
			out = append(out, c.ID)
		}
	}
	return out
}

// named lists the requirements that a deviation breaks, itself and by implication.
func named(d profiles.Deviation) []string {
	out := []string{d.Breaks}
	for _, i := range d.Implies {
		out = append(out, i.Requirement)
	}
	return out
}
