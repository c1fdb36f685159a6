package profiles

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles/internal/compact"
)

// Strict is the name of the built-in profile that deviates in nothing.
const Strict = "strict"

// Names returns the built-in profiles: "strict" and "rfc6749" first, then the vendors by name.
func Names() []string {
	first := []string{Strict, "rfc6749"}
	var rest []string
	for _, file := range generatedFiles("vendors") {
		if name := baseName(file); !slices.Contains(first, name) {
			rest = append(rest, name)
		}
	}
	return append(first, rest...)
}

// Load returns a profile: a built-in one by its name ("oauthsd"), one with switches applied in the order given
// ("oauthsd+body-credentials+jwt"), or one from a YAML file ("./my-server.yaml", also with switches). The profile is the
// caller's own copy. An unknown name or switch is an error that names the nearest, a fault in a file one with file, line
// and key.
func Load(nameOrFile string) (*Profile, error) {
	name, switches, _ := strings.Cut(nameOrFile, "+")
	var profile *Profile
	var err error
	switch {
	case slices.Contains(Names(), name):
		profile, err = builtIn(name)
	case looksLikeFile(nameOrFile):
		if _, statErr := os.Stat(nameOrFile); statErr == nil { // a file whose name holds a plus sign
			name, switches = nameOrFile, ""
		}
		profile, err = readProfile(name)
	default:
		hint := suggestion(name, Names())
		if hint == "" {
			hint = "; built in are " + strings.Join(Names(), ", ") + "; a file's name ends in .yaml or holds a slash"
		}
		return nil, fmt.Errorf("unknown profile %q%s", name, hint)
	}
	if err != nil {
		return nil, err
	}
	if switches == "" {
		return profile, nil
	}
	for word := range strings.SplitSeq(switches, "+") {
		if err := profile.apply(word); err != nil {
			return nil, err
		}
	}
	profile.Name = name + "+" + switches
	if looksLikeFile(name) {
		profile.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) + "+" + switches
	}
	return profile, nil
}

func looksLikeFile(name string) bool {
	base, _, _ := strings.Cut(name, "+")
	return strings.ContainsAny(name, `/\`) || isYAML(base) || isYAML(name)
}

func isYAML(name string) bool { return filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml" }

// builtIn decodes an embedded profile; each call yields a copy.
func builtIn(name string) (*Profile, error) {
	file := path.Join("generated", "vendors", name+".bin")
	data, err := generated.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	var profile Profile
	if err := compact.Unmarshal(string(data), &profile); err != nil {
		return nil, fmt.Errorf("profile %s: %w: run go generate ./profiles", name, err)
	}
	profile.Source = "built-in"
	return &profile, nil
}

func readProfile(file string) (*Profile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return DecodeProfile(data, file)
}

// DecodeProfile reads a profile from YAML, strictly (DecodeStrict), and checks the deviations that it declares (Validate).
// A profile without a name is called like the file. file is otherwise only used in messages and kept as Source.
func DecodeProfile(data []byte, file string) (*Profile, error) {
	var profile Profile
	if err := DecodeStrict(data, file, &profile); err != nil {
		return nil, err
	}
	if profile.Name == "" {
		profile.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	profile.Source = file
	if err := profile.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &profile, nil
}

// Validate reports every declaration, mask and switch that refers to nothing: unknown deviations (with the nearest) and
// parameters, masks and removals of deviations that are not declared, switches without or of the same name.
func (p *Profile) Validate() error { return p.ValidateAgainst(deviations()) }

// ValidateAgainst is Validate with deviations other than the built-in ones, by name.
func (p *Profile) ValidateAgainst(known map[string]Deviation) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	declared := map[string]bool{}
	add := func(list []Declared, where string) {
		for _, d := range list {
			declared[d.Deviation] = true
			if err := d.check(known); err != nil {
				complain("%s: %w", where, err)
			}
		}
	}
	add(p.Deviations, "deviations")
	names := map[string]bool{}
	for i, s := range p.Switches {
		switch {
		case s.Name == "" || strings.Contains(s.Name, "+"):
			complain("switches[%d]: a switch needs a name without a plus sign", i)
		case names[s.Name]:
			complain("switches[%d]: a second switch %s", i, s.Name)
		}
		names[s.Name] = true
		add(s.Add, "switch "+s.Name)
	}
	own := slices.Sorted(maps.Keys(declared))
	for _, s := range p.Switches {
		for _, step := range s.Undo {
			if !slices.ContainsFunc(p.Do, func(o Op) bool { return o.At == step }) {
				complain("switch %s: undoes operations on %s, of which the profile has none", s.Name, step)
			}
		}
		for _, name := range s.Remove {
			if !declared[name] {
				complain("switch %s: removes %s, which the profile does not declare%s", s.Name, name, suggestion(name, own))
			}
		}
	}
	for i, m := range p.Masks {
		for _, name := range []string{m.Deviation, m.By} {
			if !declared[name] && (name != "" || m.Deviation == "") {
				complain("masks[%d]: the profile does not declare %q%s", i, name, suggestion(name, own))
			}
		}
		if m.Check == "" || m.Why == "" {
			complain("masks[%d]: a mask names the check and says why", i)
		}
	}
	return errors.Join(errs...)
}

// apply turns a switch on: settings, dialect and target are merged, operations of its own are dropped and added, deviations added and removed.
func (p *Profile) apply(name string) error {
	for _, s := range p.Switches {
		if s.Name != name {
			continue
		}
		p.Settings = merge(p.Settings, s.Settings)
		p.Target = merge(p.Target, s.Target)
		p.Do = slices.DeleteFunc(p.Do, func(o Op) bool { return slices.Contains(s.Undo, o.At) })
		p.Do = append(p.Do, s.Do...)
		p.Dialect = p.Dialect.with(s.Dialect)
		p.Deviations = slices.DeleteFunc(p.Deviations, func(d Declared) bool { return slices.Contains(s.Remove, d.Deviation) })
		for _, added := range s.Add { // a second declaration replaces the first: parameters may differ
			p.Deviations = slices.DeleteFunc(p.Deviations, func(d Declared) bool { return d.Deviation == added.Deviation })
			p.Deviations = append(p.Deviations, added)
		}
		p.Masks = slices.DeleteFunc(p.Masks, func(m Mask) bool {
			return slices.Contains(s.Remove, m.Deviation) || slices.Contains(s.Remove, m.By)
		})
		return nil
	}
	var names []string
	for _, s := range p.Switches {
		names = append(names, s.Name)
	}
	hint := suggestion(name, names)
	if hint == "" && len(names) > 0 {
		hint = "; it has " + strings.Join(names, ", ")
	}
	if len(names) == 0 {
		hint = "; it has no switches"
	}
	return fmt.Errorf("profile %s: unknown switch %q%s", p.Name, name, hint)
}

// with returns the dialect with the parts replaced that over has.
func (d Dialect) with(over Dialect) Dialect {
	if over.TokenResponse.Unwrap != "" || len(over.TokenResponse.Rename) > 0 {
		d.TokenResponse = over.TokenResponse
	}
	if over.Error.Path != "" || over.Error.Description != "" || len(over.Error.Codes) > 0 {
		d.Error = over.Error
	}
	if over.RequestFormat != "" {
		d.RequestFormat = over.RequestFormat
	}
	return d
}

// merge returns base with the values of over put in; mappings in both are merged in turn, everything else is replaced.
// Neither argument is changed.
func merge(base, over map[string]any) map[string]any {
	if len(over) == 0 {
		return base
	}
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range over {
		inner, isMap := value.(map[string]any)
		existing, wasMap := merged[key].(map[string]any)
		if isMap && wasMap {
			merged[key] = merge(existing, inner)
		} else {
			merged[key] = value
		}
	}
	return merged
}

// ParseDeviation reads a deviation with its parameters as written on the command line: `name`, or
// `name:param=value,param2=value`. A comma or backslash inside a value is preceded by a backslash. Unknown names and
// parameters are errors that name the nearest.
func ParseDeviation(arg string) (Declared, error) {
	declared, err := splitDeviation(arg)
	if err != nil {
		return Declared{}, err
	}
	return declared, declared.check(deviations())
}

// paramName is what parameters are called: $name in an operation.
var paramName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// splitDeviation is the syntax of ParseDeviation.
func splitDeviation(arg string) (Declared, error) {
	name, params, hasParams := strings.Cut(arg, ":")
	if name = strings.TrimSpace(name); name == "" {
		return Declared{}, fmt.Errorf("deviation %q: the name is missing; write name or name:param=value", arg)
	}
	declared := Declared{Deviation: name}
	if !hasParams {
		return declared, nil
	}
	declared.Params = map[string]string{}
	for _, pair := range splitUnescaped(params) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || !paramName.MatchString(key) {
			return Declared{}, fmt.Errorf("deviation %s: %q is no parameter; write %s:param=value,param2=value", name, pair, name)
		}
		if _, twice := declared.Params[key]; twice {
			return Declared{}, fmt.Errorf("deviation %s: parameter %s is given twice", name, key)
		}
		declared.Params[key] = value
	}
	return declared, nil
}

// splitUnescaped splits at commas; a backslash takes the following comma or backslash literally.
func splitUnescaped(s string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == ',' || s[i+1] == '\\'):
			i++
			part.WriteByte(s[i])
		case s[i] == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(s[i])
		}
	}
	return append(parts, part.String())
}

// String writes the declaration as ParseDeviation reads it, parameters by name.
func (d Declared) String() string {
	if len(d.Params) == 0 {
		return d.Deviation
	}
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(d.Params)) {
		pairs = append(pairs, key+"="+escape.Replace(d.Params[key]))
	}
	return d.Deviation + ":" + strings.Join(pairs, ",")
}

// check reports a deviation or parameter that is not among the known.
func (d Declared) check(known map[string]Deviation) error {
	deviation, ok := known[d.Deviation]
	if !ok {
		return fmt.Errorf("unknown deviation %q%s", d.Deviation, suggestion(d.Deviation, slices.Sorted(maps.Keys(known))))
	}
	return deviation.checkParams(d.Params)
}

// Matchers are the parameters that every deviation takes beside its own: they narrow it to some requests. `id-token-expired:times=2`
// is for the next two ID tokens.
func Matchers() []Param {
	return []Param{
		{Name: "client", Doc: "only requests of this client (a glob; ! before it: of all others)"},
		{Name: "grant", Doc: "only token requests with this grant_type"},
		{Name: "method", Doc: "only requests with this HTTP method"},
		{Name: "nth", Doc: "only the nth request of those that fit, counted from 1"},
		{Name: "times", Doc: "only the first n requests of those that fit"},
	}
}

// checkParams reports parameters that the deviation does not have.
func (d Deviation) checkParams(params map[string]string) error {
	var own, names []string
	for _, p := range d.Params {
		own = append(own, p.Name)
	}
	for _, m := range Matchers() {
		names = append(names, m.Name)
	}
	names = append(own, names...)
	for _, key := range slices.Sorted(maps.Keys(params)) {
		if slices.Contains(names, key) {
			continue
		}
		hint := suggestion(key, names)
		if hint == "" {
			hint = "; it has " + strings.Join(names, ", ")
			if len(own) == 0 {
				hint = "; it has none of its own, only " + strings.Join(names, ", ")
			}
		}
		return fmt.Errorf("deviation %s: unknown parameter %q%s", d.Name, key, hint)
	}
	return nil
}

// DecodeDeviations reads deviations and faults that a user wrote, from YAML in the form of the catalogue's own files
// (`deviations: [{name, summary, do, …}]`), strictly (DecodeStrict). Their operations are the mock provider's vocabulary and
// checked there. file is used in messages and kept as Source.
func DecodeDeviations(data []byte, file string) ([]Deviation, error) {
	var content DeviationsFile
	if err := DecodeStrict(data, file, &content); err != nil {
		return nil, err
	}
	var errs []error
	for i := range content.Deviations {
		d := &content.Deviations[i]
		d.Source = file
		switch _, taken := LookupDeviation(d.Name); {
		case d.Name == "":
			errs = append(errs, fmt.Errorf("%s: deviations[%d]: name is missing", file, i))
		case taken:
			errs = append(errs, fmt.Errorf("%s: deviation %s: the catalogue has one of this name; choose another", file, d.Name))
		case len(d.Do) == 0:
			errs = append(errs, fmt.Errorf("%s: deviation %s: do is missing: an operation such as {at: token.response, header: {remove: [Pragma]}}", file, d.Name))
		}
		if d.Breaks == "" {
			continue
		}
		if _, known := LookupRequirement(d.Breaks); !known {
			hint := ""
			if near := NearestRequirement(d.Breaks); near != "" {
				hint = "; did you mean " + near + "?"
			}
			errs = append(errs, fmt.Errorf("%s: deviation %s: breaks: no requirement %s%s", file, d.Name, d.Breaks, hint))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return content.Deviations, nil
}

// Resolve returns the value of every parameter: the default, or what params says.
func (d Deviation) Resolve(params map[string]string) map[string]string {
	values := make(map[string]string, len(d.Params))
	for _, p := range d.Params {
		values[p.Name] = p.Default
	}
	maps.Copy(values, params)
	return values
}
