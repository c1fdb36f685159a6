package mocktarget

import (
	"context"
	_ "embed"
	"maps"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

//go:embed setups.yaml
var setups []byte

// Setup is a further set-up of the strict mock provider, for checks to which the main one gives nothing to judge.
type Setup struct {
	Name    string         `yaml:"name"`
	Setup   map[string]any `yaml:"setup"` // as in a deviation: settings of the mock, and under target a part of the target file
	Do      profiles.Ops   `yaml:"do"`
	Sockets bool           `yaml:"sockets"` // it is reached over the network, else by a call
}

// Setups are the further set-ups of the strict mock provider, in the order in which they are tried.
func Setups() ([]Setup, error) {
	var out []Setup
	err := profiles.DecodeStrict(setups, "setups.yaml", &out)
	return out, err
}

// Suite makes a set-up one of a run, with further options for the mock provider, that is tried for the checks (empty: for all).
func (s Setup) Suite(checks []string, options ...mockprovider.Option) suites.Setup {
	return suites.Setup{Name: s.Name, Checks: checks, Open: func(context.Context) (target.Config, func(), error) { return s.open(options) }}
}

func (s Setup) open(more []mockprovider.Option) (target.Config, func(), error) {
	var options []mockprovider.Option
	if len(s.Do) > 0 {
		options = append(options, mockprovider.WithDeviation(profiles.Deviation{Do: s.Do}, nil))
	}
	_, c, shut, err := Open([]map[string]any{s.Setup}, s.Sockets, append(options, more...)...)
	return c, shut, err
}

// Open makes the strict mock provider with all that is optional, set up further as deviations say it (Split), and describes it as
// a target. Over sockets it listens on a free port of this machine, else it is a handler that the target's transport calls.
func Open(setups []map[string]any, sockets bool, options ...mockprovider.Option) (p *mockprovider.Provider, c target.Config, shut func(), err error) {
	all := []mockprovider.Option{mockprovider.WithSettings(Optional())}
	for _, setup := range setups {
		settings, _ := Split(setup)
		all = append(all, mockprovider.WithSettings(settings))
	}
	all = append(all, options...)
	shut = func() {}
	if sockets {
		if p, err = mockprovider.Start(all...); err != nil {
			return nil, c, shut, err
		}
		c, shut = Config(p), func() { _ = p.Close() }
	} else {
		if p, err = mockprovider.NewHandler(all...); err != nil {
			return nil, c, shut, err
		}
		c = Handler(p)
	}
	for _, setup := range setups {
		_, overlay := Split(setup)
		if err = Lay(overlay, &c); err != nil {
			shut()
			return nil, c, func() {}, err
		}
	}
	return p, c, shut, nil
}

// Deviations are the setups that the proofs of deviations need, each `NAME` or `NAME:param=value`. They may name the issuer of a
// mock that no socket serves: sockets tells whether one has to.
func Deviations(names []string) (setups []map[string]any, sockets bool) {
	sockets = true
	for _, name := range names {
		name, _, _ = strings.Cut(name, ":")
		d, ok := profiles.LookupDeviation(name)
		if !ok || len(d.Setup) == 0 {
			continue
		}
		setups = append(setups, d.Setup)
		if text, err := yaml.Marshal(d.Setup); err == nil && strings.Contains(string(text), host) {
			sockets = false
		}
	}
	return setups, sockets
}

// Split takes the setup of a deviation apart: settings of the mock provider, and what the key target lays over the target file.
func Split(setup map[string]any) (settings map[string]any, overlay any) {
	settings = maps.Clone(setup)
	delete(settings, "target")
	return settings, setup["target"]
}

// Lay lays a part of a target file over a configuration.
func Lay(overlay any, c *target.Config) error {
	if overlay == nil {
		return nil
	}
	text, err := yaml.Marshal(overlay)
	if err != nil {
		return err
	}
	return profiles.DecodeStrict(text, "setup: target", c)
}
