// Package profiles is the catalogue: what the specifications demand (requirements), the named ways of breaking them
// (deviations) and of misbehaving beyond them (faults), and the descriptions of kinds of authorization servers (profiles).
//
// YAML is the source that people edit; `go generate ./profiles` validates it and writes compact data that is embedded and
// decoded on first use. The package imports nothing else of this module.
package profiles

// Level is the normative strength of a requirement, in the words of RFC 2119.
type Level string

// The levels of RFC 2119 section 1 to 5.
const (
	Must      Level = "MUST"
	MustNot   Level = "MUST NOT"
	Should    Level = "SHOULD"
	ShouldNot Level = "SHOULD NOT"
	May       Level = "MAY"
)

// Testability says whether a requirement can be judged from outside.
type Testability string

// The three kinds of testability.
const (
	BlackBox    Testability = "black-box"   // every target shows it
	Conditional Testability = "conditional" // only under a condition that the target file can supply
	NotTestable Testability = "no"          // nothing observable
)

// Requirement is one normative statement of a specification, in our own words.
type Requirement struct {
	ID          string      `yaml:"id"`      // "RFC6749-5.1-13", for ever
	Spec        string      `yaml:"-"`       // "rfc6749": the slug of the specification
	Section     string      `yaml:"section"` // "5.1"
	Level       Level       `yaml:"level"`
	Impact      string      `yaml:"impact,omitempty"`   // "high", "medium", "low": what a violation costs
	Keyword     string      `yaml:"keyword,omitempty"`  // "implied" where the RFC has no RFC 2119 word
	Endpoint    string      `yaml:"endpoint,omitempty"` // "token", "authorization", …, "client" (does not bind the server)
	Says        string      `yaml:"says"`
	Testable    Testability `yaml:"testable"`
	Condition   string      `yaml:"condition,omitempty"`
	WhyNot      string      `yaml:"why_not,omitempty"`
	Probe       string      `yaml:"probe,omitempty"` // what is sent
	Pass        string      `yaml:"pass,omitempty"`  // every permitted outcome
	Fail        string      `yaml:"fail,omitempty"`  // every outcome that is a violation
	Needs       []string    `yaml:"needs,omitempty"`
	Destructive bool        `yaml:"destructive,omitempty"`
	Fault       string      `yaml:"fault,omitempty"` // name of the deviation that breaks it
	Fix         string      `yaml:"fix,omitempty"`   // one sentence to the server's author: how to repair a violation
	SameAs      string      `yaml:"same_as,omitempty"`
	Errata      string      `yaml:"errata,omitempty"`
}

// Implication is a requirement that a deviation breaks as a consequence, with the reason.
type Implication struct {
	Requirement string `yaml:"requirement"`
	Reason      string `yaml:"reason"`
}

// Op is one operation on a named step of the mock provider's pipeline. The keys beside `at` and `when` are the mock
// provider's vocabulary (see mockprovider's list of steps); this package keeps them as plain data.
type Op struct {
	At   string         // "token.response"
	When map[string]any // restricts the operation: grant, client, endpoint …
	Args map[string]any // everything else: skip, header, members, set, …
}

// Deviation is a named way for an authorization server to break exactly one requirement (Breaks), or, where Fault is
// true, a misbehaviour that no requirement forbids.
type Deviation struct {
	Name     string         `yaml:"name"`
	Summary  string         `yaml:"summary"`
	Breaks   string         `yaml:"breaks,omitempty"`
	Implies  []Implication  `yaml:"implies,omitempty"`
	Params   []Param        `yaml:"params,omitempty"`
	Variants []string       `yaml:"variants,omitempty"`   // globs of the check variants it can cause; empty: any
	Stands   string         `yaml:"stands_for,omitempty"` // the real client or server bug that it stands for
	Setup    map[string]any `yaml:"setup,omitempty"`      // settings of the mock provider that its proof needs, and under target what its target file says (not part of the deviation)
	Sockets  bool           `yaml:"sockets,omitempty"`    // the proof needs real sockets (transport faults, races)
	Proof    string         `yaml:"proof,omitempty"`      // "pending": not yet reported by a check
	Do       Ops            `yaml:"do"`
	Fault    bool           `yaml:"fault,omitempty"`
	Source   string         `yaml:"-"` // file it came from
}

// Param is a parameter of a deviation: `name:param=value` on the command line, `$param` in its operations.
type Param struct {
	Name    string `yaml:"name"`
	Default string `yaml:"default"`
	Doc     string `yaml:"doc"`
}
