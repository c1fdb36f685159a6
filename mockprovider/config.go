package mockprovider

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// configFile is what a configuration file of the provider may hold: all that a profile has, and what only a running provider needs.
type configFile struct {
	profiles.Profile `yaml:",inline"`

	Base       string                `yaml:"profile"` // another profile, over which the rest is laid
	Clients    map[string]any        `yaml:"clients"` // short for settings.clients
	Users      map[string]any        `yaml:"users"`   // short for settings.users
	Claims     []any                 `yaml:"claims"`  // short for settings.claims
	Define     []profiles.Deviation  `yaml:"define"`  // deviations of its own, for `deviations` and later calls
	Answers    []any                 `yaml:"answers"` // programmed answers
	Namespaces map[string]configFile `yaml:"namespaces"`
}

// ConfigFile configures the provider from a YAML file: profile, settings, clients, users, claims, deviations, programmed answers,
// namespaces (docs/mock.md tells of it). Unknown keys are errors that name file, line and the nearest known key.
func ConfigFile(file string) Option {
	return func(c *config) error {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("mock provider: %w", err)
		}
		return ConfigData(data, file)(c)
	}
}

// ConfigData is ConfigFile for YAML (or JSON) at hand. name stands in messages.
func ConfigData(data []byte, name string) Option {
	return func(c *config) error {
		var file configFile
		if err := profiles.DecodeStrict(data, name, &file); err != nil {
			return err
		}
		return file.apply(c, source{name, data}, "")
	}
}

// source is a configuration file's text, which says where an error is.
type source struct {
	name string
	data []byte
}

// layer is what a file said about settings, to tell later in which file a wrong one stands.
type layer struct {
	source
	at       string         // path of this part of the file, with a dot at its end
	settings map[string]any // under `settings`
	short    []string       // settings that stand at the top, without `settings`
}

// locate says in which file a setting stands that is wrong: in the last that has it.
func (c *config) locate(err error) error {
	var wrong *settingError
	if !errors.As(err, &wrong) {
		return err
	}
	first := wrong.path
	if i := strings.IndexAny(first, ".["); i >= 0 {
		first = first[:i]
	}
	for _, l := range slices.Backward(c.layers) {
		path := l.at + wrong.path
		if !slices.Contains(l.short, first) {
			if _, given := l.settings[first]; !given {
				continue
			}
			path = l.at + "settings." + wrong.path
		}
		if l.data == nil { // a profile: a file, or one that is built in
			if l.data, _ = os.ReadFile(l.name); l.data == nil {
				return err
			}
		}
		return profiles.Locate(fmt.Errorf("%s: %w", path, wrong.error), l.data, l.name)
	}
	return err
}

// placedAnswer is a programmed answer of a file, with its place there.
type placedAnswer struct {
	programEntry
	from source
	at   string
}

func (a *placedAnswer) located(err error) error {
	if err == nil {
		return nil
	}
	return profiles.Locate(fmt.Errorf("%s: %w", a.at, err), a.from.data, a.from.name)
}

// apply lays the file's content over what is configured so far. at is the path of this part of the file, for messages.
func (f *configFile) apply(c *config, from source, at string) error {
	return profiles.Locate(f.lay(c, from, at), from.data, from.name)
}

func (f *configFile) lay(c *config, from source, at string) error {
	if f.Name == "" {
		f.Name = from.name
	}
	if f.Base != "" {
		if err := Profile(f.Base)(c); err != nil {
			return fmt.Errorf("%sprofile: %w", at, err)
		}
	}
	var errs []error
	for i, d := range f.Define {
		if d.Name == "" {
			errs = append(errs, fmt.Errorf("%sdefine[%d]: a deviation needs a name", at, i))
			continue
		}
		d.Source = from.name
		if _, err := compile([]declaration{{Deviation: d}}); err != nil {
			errs = append(errs, fmt.Errorf("%sdefine[%d]: %w", at, i, err))
			continue
		}
		c.define(d)
	}
	errs = append(errs, c.applyProfile(&f.Profile, at))
	if f.Clients != nil {
		errs = append(errs, decode(at+"clients", f.Clients, &c.settings.Clients))
	}
	if f.Users != nil {
		errs = append(errs, decode(at+"users", f.Users, &c.settings.Users))
	}
	if f.Claims != nil {
		errs = append(errs, decode(at+"claims", f.Claims, &c.settings.Claims))
	}
	l := layer{source: from, at: at, settings: f.Settings}
	for name, given := range map[string]bool{"clients": f.Clients != nil, "users": f.Users != nil, "claims": f.Claims != nil} {
		if given {
			l.short = append(l.short, name)
		}
	}
	c.layers = append(c.layers, l)
	for i, entry := range f.Answers {
		place := fmt.Sprintf("%sanswers[%d]", at, i)
		program, err := decodeProgram(place, entry)
		errs = append(errs, err)
		c.answers = append(c.answers, placedAnswer{program, from, place})
	}
	for space, inner := range f.Namespaces {
		within := at + "namespaces." + space
		if len(inner.Namespaces) > 0 {
			errs = append(errs, fmt.Errorf("%s.namespaces: a namespace has no namespaces", within))
			continue
		}
		if c.namespaces == nil {
			c.namespaces = make(map[string]Option)
		}
		c.namespaces[space] = func(c *config) error { return inner.apply(c, from, within+".") }
	}
	return errors.Join(errs...)
}

// programEntry is a programmed answer as data: the condition, and the answers to the requests that fit, one after the other.
type programEntry struct {
	When map[string]any `yaml:"when" json:"when,omitempty"`
	Then []Answer       `yaml:"then" json:"then"`
}

func decodeProgram(where string, data any) (programEntry, error) {
	var e programEntry
	err := decode(where, data, &e)
	return e, err
}

// define makes a deviation known by its name.
func (c *config) define(d profiles.Deviation) {
	if c.defined == nil {
		c.defined = make(map[string]profiles.Deviation)
	}
	c.defined[d.Name] = d
}

// lookupAll resolves arguments such as name:param=value against deviations of the provider's own and those of the catalogue.
func lookupAll(own map[string]profiles.Deviation, args []string) ([]declaration, error) {
	var found []declaration
	var errs []error
	for _, arg := range args {
		name, rest, _ := strings.Cut(arg, ":")
		if d, ok := own[name]; ok {
			values, err := parseParams(name, rest)
			errs = append(errs, err)
			found = append(found, declaration{d, values})
			continue
		}
		declared, err := profiles.ParseDeviation(arg)
		if err != nil {
			errs = append(errs, withOwn(own, name, err))
			continue
		}
		d, err := lookup(own, declared)
		errs = append(errs, err)
		found = append(found, d)
	}
	return found, errors.Join(errs...)
}

// withOwn adds the nearest of the provider's own deviations to an error about an unknown one.
func withOwn(own map[string]profiles.Deviation, name string, err error) error {
	if near := profiles.Nearest(name, sortedKeys(own)); near != "" {
		return fmt.Errorf("%w (or %q, which is defined here?)", err, near)
	}
	return err
}

// parseParams reads param=value,param=value.
func parseParams(name, text string) (map[string]string, error) {
	values := make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		if pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("deviation %s: parameter %q: want name=value", name, pair)
		}
		values[key] = value
	}
	return values, nil
}

func lookup(own map[string]profiles.Deviation, declared profiles.Declared) (declaration, error) {
	if d, ok := own[declared.Deviation]; ok {
		return declaration{d, declared.Params}, nil
	}
	d, ok := profiles.LookupDeviation(declared.Deviation)
	if !ok {
		hint := ""
		if near := profiles.NearestDeviation(declared.Deviation); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return declaration{}, withOwn(own, declared.Deviation, fmt.Errorf("no deviation %q%s", declared.Deviation, hint))
	}
	return declaration{d, declared.Params}, nil
}
