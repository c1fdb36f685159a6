// Package suites is the harness: the registry of checks, the plan of a run and its three runners.
//
// Specification packages (suites/rfc6749 …) register checks from their init functions; registering only records a
// closure, so importing them into a foreign test suite adds nothing to it. A run takes a Config, plans which checks the
// target allows, executes them in a bounded pool and returns a report: see Execute, RunGinkgo, Run and Describe.
package suites

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/oauthcheck/oauthcheck/suites/target"
	"github.com/onsi/gomega"
)

// Body is what a check does: it reaches its starting point through as, acts once and judges with g. A failed assertion
// unwinds it; the runner decides what the failure means.
type Body func(as *target.AS, g gomega.Gomega)

// Lane groups checks by what they cost the target.
type Lane string

// The lanes. Fast is the default and the only one that runs unless Config.Lanes says otherwise.
const (
	Fast        Lane = "fast"
	Slow        Lane = "slow"        // waits for lifetimes
	Race        Lane = "race"        // concurrent requests
	Destructive Lane = "destructive" // could lock an account, revoke real grants, or look like an attack
)

// Lanes lists all lanes.
func Lanes() []Lane { return []Lane{Fast, Slow, Race, Destructive} }

// Scope is what a check can disturb for others that run at the same time.
type Scope string

// The scopes.
const (
	Grant  Scope = "grant"  // what the user granted to the client: codes, tokens, consent (replay, revocation)
	Client Scope = "client" // the client's standing: wrong secrets, rates
	User   Scope = "user"   // the user's account: wrong passwords
)

// Check is a registered check. Its fields are metadata; the requirements' text, level and impact are in the catalogue.
type Check struct {
	ID           string // "rfc6749/token-response-no-store", for ever
	Spec         string // "rfc6749"
	Section      string // "5.1"
	Name         string // "token-response-no-store"
	Requirements []string
	Needs        []target.Capability
	Lane         Lane
	Disturbs     []Scope
	Provisional  string   // since when the check is on trial ("2026-11"); "" once it counts
	Aliases      []string // earlier ids
	Sends        string   // one line: what is sent; default: the requirement's probe
	Variants     []string // names of the variants, where they are known beforehand
	Crosses      []string // requirements of other specifications that the check may name
	title        string
	impact       string
	body         Body
	source       string // file:line of the registration
	misuse       []string
}

// Option is a property of a check.
type Option func(*Check)

// Requires names the requirements that the check judges, by id. All are of one severity class: MUST (NOT), SHOULD (NOT)
// or MAY. At least one is needed.
func Requires(ids ...string) Option {
	return func(c *Check) { c.Requirements = append(c.Requirements, ids...) }
}

// Crosses is Requires for requirements of another specification than the section's: a check of RFC 6749 that also
// settles a sentence of RFC 9700, say. The check stays where it is listed.
func Crosses(ids ...string) Option {
	return func(c *Check) {
		c.Requirements = append(c.Requirements, ids...)
		c.Crosses = append(c.Crosses, ids...)
	}
}

// Needs names the capabilities without which the check is skipped.
func Needs(capabilities ...target.Capability) Option {
	return func(c *Check) { c.Needs = append(c.Needs, capabilities...) }
}

// Disturbs says what the check can disturb; it runs alone in that scope.
func Disturbs(scopes ...Scope) Option {
	return func(c *Check) { c.Disturbs = append(c.Disturbs, scopes...) }
}

// Provisional puts the check on trial since a month ("2026-11"): it runs and is reported, and never turns a run red.
func Provisional(since string) Option { return func(c *Check) { c.Provisional = since } }

// Aliases names earlier ids of the check, with or without the specification, so that baselines and filters go on working.
func Aliases(ids ...string) Option { return func(c *Check) { c.Aliases = append(c.Aliases, ids...) } }

// Title is a sentence that names the check; the default is what its first requirement says.
func Title(title string) Option { return func(c *Check) { c.title = title } }

// Impact is "high", "medium" or "low" for a check that judges only the letter of a requirement, such as the code of a
// refusal, whose danger another check judges. The default is the highest impact of the check's requirements.
func Impact(grade string) Option { return func(c *Check) { c.impact = grade } }

// Sends says in one line what is sent; the default is the first requirement's probe.
func Sends(line string) Option { return func(c *Check) { c.Sends = line } }

// Variants names the check's variants for lists and plans. A body that runs others is at fault (inconclusive).
func Variants(names ...string) Option {
	return func(c *Check) { c.Variants = append(c.Variants, names...) }
}

// Registry holds checks in the order of their registration. The package has one that Section writes to; a project with
// checks of its own may use another (Config.Registry). It is safe for concurrent use.
type Registry struct {
	mu     sync.Mutex
	checks []*Check
}

// standard is the registry of the specification packages. Like the drivers of database/sql it is written to by init
// functions only.
var standard = new(Registry)

// Section registers the checks of one section of a specification: `suites.Section("RFC 6749", "5.1", func(s *S) {…})`. The
// specification is given by its name ("RFC 6749") or its slug ("rfc6749", "oauth21").
func Section(spec, section string, register func(*S)) { standard.Section(spec, section, register) }

// Section is the function Section for this registry.
func (r *Registry) Section(spec, section string, register func(*S)) {
	register(&S{registry: r, spec: slug(spec), section: section})
}

// slug turns "RFC 6749" into "rfc6749" and leaves slugs alone.
func slug(spec string) string { return strings.ToLower(strings.ReplaceAll(spec, " ", "")) }

// S registers the checks of one section.
type S struct {
	registry      *Registry
	spec, section string
}

// Check registers a check under "spec/name". parts are any of: options (Requires, Needs …), a Lane, and exactly one body
// func(*target.AS, gomega.Gomega). Nothing is refused here: Verify and every plan report what is wrong with a
// registration, with its place.
func (s *S) Check(name string, parts ...any) {
	c := &Check{ID: s.spec + "/" + name, Spec: s.spec, Section: s.section, Name: name, Lane: Fast, source: caller()}
	for _, part := range parts {
		switch part := part.(type) {
		case Option:
			part(c)
		case Lane:
			c.Lane = part
		case Body:
			c.setBody(part)
		case func(*target.AS, gomega.Gomega):
			c.setBody(part)
		default:
			c.misuse = append(c.misuse, fmt.Sprintf("a %T is neither an option nor a body func(*target.AS, gomega.Gomega)", part))
		}
	}
	if c.body == nil {
		c.misuse = append(c.misuse, "it has no body func(*target.AS, gomega.Gomega)")
	}
	for i, alias := range c.Aliases {
		if !strings.Contains(alias, "/") {
			c.Aliases[i] = c.Spec + "/" + alias
		}
	}
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.registry.checks = append(s.registry.checks, c)
}

func (c *Check) setBody(body Body) {
	if c.body != nil {
		c.misuse = append(c.misuse, "it has two bodies")
	}
	c.body = body
}

// caller is the place of the registration, for messages to the check's author.
func caller() string {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return "unknown place"
	}
	return fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(file)), filepath.Base(file), line)
}

// Checks returns the registered checks in catalogue order: specifications and sections in the order of the catalogue,
// checks of one section in the order of registration.
func Checks() []Check { return standard.Checks() }

// Checks is the function Checks for this registry.
func (r *Registry) Checks() []Check {
	var out []Check
	for _, c := range r.sorted() {
		out = append(out, *c)
	}
	return out
}

// sorted returns the registered checks in catalogue order.
func (r *Registry) sorted() []*Check {
	r.mu.Lock()
	checks := slices.Clone(r.checks)
	r.mu.Unlock()
	order := newOrder()
	slices.SortStableFunc(checks, order.compare)
	return checks
}
