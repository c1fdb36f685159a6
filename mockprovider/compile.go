package mockprovider

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
	"gopkg.in/yaml.v3"
)

// opArgs are the arguments of an operation. Which of them a step takes depends on its kind (see opsOfKind).
type opArgs struct {
	// guards
	Skip   bool     `yaml:"skip"`
	Always bool     `yaml:"always"`
	Refuse *refusal `yaml:"refuse"`

	// guards and values
	Mode    []string      `yaml:"mode"`
	Set     any           `yaml:"set"`
	Names   []string      `yaml:"names"`
	Length  int           `yaml:"length"`
	Charset string        `yaml:"charset"`
	Window  time.Duration `yaml:"window"`

	// answers
	Status      int                 `yaml:"status"`
	Header      headerEdit          `yaml:"header"`
	ContentType *string             `yaml:"content_type"`
	Body        *string             `yaml:"body"`
	Append      string              `yaml:"append"`
	Encoding    string              `yaml:"encoding"`
	Members     memberEdit          `yaml:"members"`
	Duplicate   []string            `yaml:"duplicate"`
	Format      string              `yaml:"format"`
	Params      paramEdit           `yaml:"params"`
	In          string              `yaml:"in"`
	Via         string              `yaml:"via"`
	To          string              `yaml:"to"`
	Escape      map[string]string   `yaml:"escape"`
	Transform   map[string][]string `yaml:"transform"`
	DropQuery   bool                `yaml:"drop_query"`
	Joiner      string              `yaml:"joiner"`
	Fragment    string              `yaml:"fragment"`

	// challenges
	Scheme string  `yaml:"scheme"`
	Value  *string `yaml:"value"`
	Remove bool    `yaml:"remove"`

	// claims
	Key       string `yaml:"key"`
	Alg       string `yaml:"alg"`
	Signature string `yaml:"signature"`

	// transport
	Latch    string        `yaml:"latch"`
	Delay    time.Duration `yaml:"delay"`
	Trickle  time.Duration `yaml:"trickle"` // between the lines of the header
	Drip     time.Duration `yaml:"drip"`    // between pieces of the body
	Reset    bool          `yaml:"reset"`
	Truncate *int          `yaml:"truncate"`
	Redirect string        `yaml:"redirect"`
}

// refusal changes the error that a guard refuses with.
type refusal struct {
	Error       *string `yaml:"error"`
	Status      int     `yaml:"status"`
	Description *string `yaml:"description"`
	URI         *string `yaml:"uri"`
	Redirect    *bool   `yaml:"redirect"`
	Page        *bool   `yaml:"page"`
}

func (r *refusal) apply(x *exchange, e *oauthError) {
	if r == nil {
		return
	}
	x.err = e // for templates
	if r.Error != nil {
		e.Code = x.expand(*r.Error)
	}
	if r.Status != 0 {
		e.Status = r.Status
	}
	if r.Description != nil {
		e.Description = x.expand(*r.Description)
	}
	if r.URI != nil {
		e.URI = x.expand(*r.URI)
	}
	if r.Redirect != nil {
		e.Redirect = *r.Redirect
		e.Page = e.Page && !*r.Redirect
	}
	if r.Page != nil {
		e.Page = *r.Page
	}
}

// headerEdit changes the header of an answer.
type headerEdit struct {
	Set    map[string]string   `yaml:"set"`
	Add    map[string][]string `yaml:"add"`
	Remove []string            `yaml:"remove"`
	Inject string              `yaml:"inject"` // text whose lines after the first become header fields (a template with a request parameter)
}

func (e *headerEdit) empty() bool {
	return len(e.Set)+len(e.Add)+len(e.Remove) == 0 && e.Inject == ""
}

// memberEdit changes the members of a JSON object. A name that begins with a slash is a path into nested values
// (/keys/0/use, /keys/*/use).
type memberEdit struct {
	Set      map[string]any    `yaml:"set"`
	Default  map[string]any    `yaml:"default"` // only where the member is absent
	Replace  map[string]any    `yaml:"replace"` // only where the member is present
	Raw      map[string]string `yaml:"raw"`     // the member's JSON text, as it is
	Remove   []string          `yaml:"remove"`
	Keep     []string          `yaml:"keep"` // removes all others
	Rename   map[string]string `yaml:"rename"`
	ToString []string          `yaml:"to_string"`
	ToNumber []string          `yaml:"to_number"`
	ToArray  []string          `yaml:"to_array"` // a space-delimited string to its words, anything else to an array of one
	ToObject []string          `yaml:"to_object"`
	ToNull   []string          `yaml:"to_null"`
	Join     string            `yaml:"join"`      // for to_joined
	ToJoined []string          `yaml:"to_joined"` // an array, or the words of a string, to one string joined with join (default a comma)
	Wrap     string            `yaml:"wrap"`      // puts the whole object into one member of a new one
	Beside   map[string]any    `yaml:"beside"`    // members that stand before it there
	Order    []string          `yaml:"order"`     // these come first, in this order
}

// paramEdit changes the parameters of a redirect or of a challenge.
type paramEdit struct {
	Set     map[string]any    `yaml:"set"`
	Add     map[string]any    `yaml:"add"` // one more, even if there is one
	Replace map[string]any    `yaml:"replace"`
	Remove  []string          `yaml:"remove"`
	Keep    []string          `yaml:"keep"`
	Rename  map[string]string `yaml:"rename"`
	Repeat  []string          `yaml:"repeat"`
	Raw     map[string]string `yaml:"raw"`   // written without any encoding
	Order   []string          `yaml:"order"` // these come first, in this order
}

// The arguments that each kind of step takes.
var opsOfKind = map[Kind][]string{
	KindGuard:     {"skip", "always", "refuse", "mode", "names", "window", "length"},
	KindValue:     {"set", "mode", "names", "length", "charset", "window"},
	KindResponse:  {"status", "header", "content_type", "body", "append", "encoding", "members", "duplicate", "format", "delay"},
	KindRedirect:  {"status", "header", "content_type", "body", "append", "params", "in", "via", "to", "escape", "transform", "drop_query", "joiner", "fragment"},
	KindPage:      {"status", "header", "content_type", "body", "append", "encoding"},
	KindChallenge: {"scheme", "params", "value", "remove", "duplicate"},
	KindClaims:    {"members"},
	KindSign:      {"key", "alg", "signature"},
	KindTransport: {"delay", "reset", "truncate", "status", "header", "content_type", "body", "redirect", "latch", "trickle", "drip"},
}

// maxPause bounds a single delay: a typing mistake must not hang a test for a day.
const maxPause = 10 * time.Minute

// The words that some arguments are limited to.
var opWords = map[string][]string{
	"format":    {"form", "html", "text", "array", "xml", "empty"},
	"encoding":  {"bom", "utf-16", "latin1", "gzip"},
	"in":        {"query", "fragment", "form_post", "both"},
	"via":       {"location", "refresh", "meta", "script", "form", "link", "page"},
	"key":       {"wrong", "unpublished", "none", "hs256-secret", "hs256-public-key", "mismatched"},
	"signature": {"empty", "truncated", "flipped"},
	"escape":    {"raw", "plus", "percent", "double", "html", "latin1"},
}

// declaration is a deviation with the values of its parameters. What a profile does beside its deviations is one without a name.
type declaration struct {
	profiles.Deviation
	params map[string]string
}

// place says in messages where a declaration stands.
func (d *declaration) place() string {
	switch {
	case d.Name == "":
		return d.Source
	case d.Source == "":
		return "deviation " + d.Name
	}
	return d.Source + ": deviation " + d.Name
}

// compile turns deviations into a program. Every error names the deviation's file, the deviation, the step and the operation.
func compile(declared []declaration) (program, error) {
	if len(declared) == 0 {
		return nil, nil
	}
	p := make(program)
	var errs []error
	for _, d := range declared {
		where := d.place()
		values, narrow, err := parameterValues(where, d)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(d.Do) == 0 {
			errs = append(errs, fmt.Errorf("%s: does nothing: `do` is empty", where))
		}
		for _, raw := range d.Do {
			o, err := compileOp(where, raw, values, narrow)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			o.deviation = d.Name
			for _, name := range o.places(toText(substitute(raw.At, values))) {
				p[name] = append(p[name], o)
			}
		}
	}
	return p, errors.Join(errs...)
}

// parameterValues are the values of a declaration's own parameters and, as a part of `when`, those that every deviation takes (profiles.Matchers).
func parameterValues(where string, d declaration) (values map[string]string, narrow map[string]any, err error) {
	values = make(map[string]string, len(d.Params))
	var known []string
	for _, p := range d.Params {
		values[p.Name] = p.Default
		known = append(known, p.Name)
	}
	var matchers []string
	for _, m := range profiles.Matchers() {
		matchers = append(matchers, m.Name)
	}
	for _, name := range sortedKeys(d.params) {
		value := d.params[name]
		_, own := values[name]
		switch {
		case own:
			values[name] = value
		case slices.Contains(matchers, name):
			if narrow == nil {
				narrow = make(map[string]any)
			}
			narrow[name] = value
		default:
			return nil, nil, fmt.Errorf("%s: no parameter %q%s", where, name, suggestion(name, append(known, matchers...)))
		}
	}
	return values, narrow, nil
}

// everyTransport is where an operation stands that acts on the connections of all endpoints, and counts their requests together.
const everyTransport = "*.transport"

// places are the steps on which an operation acts.
func (o *op) places(at string) []string {
	if at != everyTransport {
		return []string{o.step.Name}
	}
	var all []string
	for _, s := range stepTable() {
		if s.Kind == KindTransport {
			all = append(all, s.Name)
		}
	}
	return all
}

func compileOp(where string, raw profiles.Op, values map[string]string, narrow map[string]any) (*op, error) {
	raw.At = toText(substitute(raw.At, values))
	if raw.At == everyTransport {
		raw.At = TokenEndpoint + ".transport" // one of them
	}
	step, ok := stepByName(raw.At)
	if !ok {
		return nil, fmt.Errorf("%s: no step %q%s (docs/mock-steps.md lists them)", where, raw.At, suggestion(raw.At, stepNames()))
	}
	where += ", step " + raw.At
	allowed := opsOfKind[step.Kind]
	if len(raw.Args) == 0 {
		return nil, fmt.Errorf("%s: no operation; a %s step takes %s", where, step.Kind, strings.Join(allowed, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(raw.Args)) {
		if !slices.Contains(allowed, key) {
			return nil, fmt.Errorf("%s: no operation %q on a %s step%s", where, key, step.Kind, suggestion(key, allowed))
		}
	}
	o := &op{step: step}
	args, _ := substitute(raw.Args, values).(map[string]any)
	if err := decode(where, args, &o.opArgs); err != nil {
		return nil, err
	}
	if err := checkTemplates(where, args); err != nil {
		return nil, err
	}
	for _, mode := range o.Mode {
		if !slices.ContainsFunc(step.Modes, func(m Mode) bool { return m.Name == mode }) {
			var known []string
			for _, m := range step.Modes {
				known = append(known, m.Name)
			}
			if len(known) == 0 {
				return nil, fmt.Errorf("%s: no mode %q; this step has none", where, mode)
			}
			return nil, fmt.Errorf("%s: no mode %q%s", where, mode, suggestion(mode, known))
		}
	}
	if err := o.checkWords(where); err != nil {
		return nil, err
	}
	if step.Kind == KindValue && o.Set != nil && step.duration {
		if _, err := toDuration(o.Set); err != nil && !strings.Contains(toText(o.Set), "${") {
			return nil, fmt.Errorf("%s, set: %w", where, err)
		}
	}
	if step.Kind == KindValue && o.Set == nil && len(o.Mode) == 0 && o.Length == 0 && o.Charset == "" {
		return nil, fmt.Errorf("%s: a value step needs set, mode, length or charset", where)
	}
	if step.Kind == KindGuard && !o.Skip && !o.Always && o.Refuse == nil && len(o.Mode) == 0 {
		return nil, fmt.Errorf("%s: a guard step needs skip, always, refuse or mode", where)
	}
	if step.Name == "connection.tls" && len(raw.When)+len(narrow) > 0 {
		return nil, fmt.Errorf("%s: takes no `when`: it acts on whole connections", where)
	}
	for name, pause := range map[string]time.Duration{"delay": o.Delay, "trickle": o.Trickle, "drip": o.Drip} {
		if pause < 0 || pause > maxPause {
			return nil, fmt.Errorf("%s, %s: %v is not between 0 and %v", where, name, pause, maxPause)
		}
	}
	when, err := narrowed(where, substitute(raw.When, values).(map[string]any), narrow)
	if err != nil {
		return nil, err
	}
	o.when, err = compileCondition(where, when)
	return o, err
}

// narrowed is the condition of an operation with those of its declaration.
func narrowed(where string, when, narrow map[string]any) (map[string]any, error) {
	if len(narrow) == 0 {
		return when, nil
	}
	both := maps.Clone(narrow)
	for key, value := range when {
		if _, twice := both[key]; twice {
			return nil, fmt.Errorf("%s: %s cannot be narrowed, the operation has a `when` with it already (%v)", where, key, value)
		}
		both[key] = value
	}
	return both, nil
}

func (o *op) checkWords(where string) error {
	check := func(argument, word string) error {
		if word == "" || slices.Contains(opWords[argument], word) {
			return nil
		}
		return fmt.Errorf("%s: %s %q%s", where, argument, word, suggestion(word, opWords[argument]))
	}
	errs := []error{check("format", o.Format), check("encoding", o.Encoding), check("in", o.In), check("via", o.Via),
		check("key", o.Key), check("signature", o.Signature)}
	for _, way := range o.Escape {
		errs = append(errs, check("escape", way))
	}
	for _, names := range o.Transform {
		for _, name := range names {
			if _, err := transformer(name); err != nil {
				errs = append(errs, fmt.Errorf("%s: transform: %w", where, err))
			}
		}
	}
	return errors.Join(errs...)
}

// substitute replaces $name by the value of the deviation's parameter in every string. A string that is nothing but a
// parameter becomes what its value is in YAML, so that a number stays one.
func substitute(v any, values map[string]string) any {
	switch v := v.(type) {
	case string:
		if len(values) == 0 || !strings.Contains(v, "$") {
			return v
		}
		if value, ok := values[strings.TrimPrefix(v, "$")]; ok && v[0] == '$' {
			var scalar any
			if yaml.Unmarshal([]byte(value), &scalar) == nil {
				switch scalar.(type) {
				case int, float64, bool:
					return scalar
				}
			}
			return value
		}
		names := slices.SortedFunc(maps.Keys(values), func(a, b string) int { return len(b) - len(a) }) // longest first: $name before $n
		for _, name := range names {
			v = strings.ReplaceAll(v, "$"+name, values[name])
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = substitute(v[i], values)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[toText(substitute(key, values))] = substitute(item, values)
		}
		return out
	}
	return v
}
