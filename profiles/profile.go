package profiles

// Profile describes a kind of authorization server: for the mock provider how to behave, for the harness how to talk to it
// and what it declares.
type Profile struct {
	Name       string         `yaml:"name"`
	Title      string         `yaml:"title"`
	Summary    string         `yaml:"summary"`
	Settings   map[string]any `yaml:"settings,omitempty"` // the mock provider's settings that differ from strict (its own vocabulary)
	Dialect    Dialect        `yaml:"dialect,omitempty"`
	Target     map[string]any `yaml:"target,omitempty"` // defaults for the target file: endpoints relative to the base URL, client auth, timing
	Deviations []Declared     `yaml:"deviations,omitempty"`
	Do         Ops            `yaml:"do,omitempty"` // operations on the mock provider's steps by which the server differs from the strict one without breaking a requirement: texts, order, headers
	Masks      []Mask         `yaml:"masks,omitempty"`
	Switches   []Switch       `yaml:"switches,omitempty"`
	Source     string         `yaml:"-"`
}

// Declared is a deviation that a profile declares, with the provenance of that knowledge.
type Declared struct {
	Deviation  string            `yaml:"deviation"`
	Params     map[string]string `yaml:"params,omitempty"`
	Provenance string            `yaml:"provenance,omitempty"` // seed, docs, source, recorded, inferred (with where)
	Why        string            `yaml:"why,omitempty"`
}

// Mask states that one declared deviation hides the finding of another, and why. By is empty where it is something that the
// server lacks that hides it.
type Mask struct {
	Deviation string `yaml:"deviation"`
	Check     string `yaml:"check"`
	By        string `yaml:"by"`
	Why       string `yaml:"why"`
}

// Switch is a documented alternative behaviour of a profile, chosen by name (`mock:oauthsd+body-credentials`).
type Switch struct {
	Name     string         `yaml:"name"`
	Doc      string         `yaml:"doc"`
	Settings map[string]any `yaml:"settings,omitempty"`
	Add      []Declared     `yaml:"add,omitempty"`
	Remove   []string       `yaml:"remove,omitempty"`
	Undo     []string       `yaml:"undo,omitempty"` // steps on which the profile's own operations (do) are dropped
	Do       Ops            `yaml:"do,omitempty"`
	Dialect  Dialect        `yaml:"dialect,omitempty"` // replaces the parts of the profile's that it has
	Target   map[string]any `yaml:"target,omitempty"`
}

// Dialect says how to reach tokens and codes on a server that speaks oddly. It helps the harness's helpers; it never turns
// a finding green.
type Dialect struct {
	TokenResponse TokenDialect `yaml:"token_response,omitempty"`
	Error         ErrorDialect `yaml:"error,omitempty"`
	RequestFormat string       `yaml:"request_format,omitempty"` // form (default) or json
}

// TokenDialect locates the members of a token response.
type TokenDialect struct {
	Unwrap string            `yaml:"unwrap,omitempty"` // the member that holds the response's object
	Rename map[string]string `yaml:"rename,omitempty"` // the server's member name to the RFC's
}

// ErrorDialect locates the error code of an error response.
type ErrorDialect struct {
	Path        string            `yaml:"path,omitempty"`        // dotted path of the code, for example $errors.0.code
	Description string            `yaml:"description,omitempty"` // dotted path of the description
	Codes       map[string]string `yaml:"codes,omitempty"`       // the server's code to the RFC's
}
