package mockprovider

import (
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// Option configures a provider.
type Option func(*config) error

// config is what the options collect.
type config struct {
	settings    Settings
	declared    []declaration
	random      *randomSource
	shuffle     *shuffle
	now         func() time.Time
	clock       *Clock
	address     string
	allowRemote bool
	freshKeys   bool
}

func configure(opts []Option) (*config, error) {
	c := &config{settings: strictSettings()}
	var errs []error
	for _, option := range opts {
		errs = append(errs, option(c))
	}
	errs = append(errs, c.settings.check())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Issuer sets the issuer identifier; endpoints lie under it.
func Issuer(url string) Option {
	return func(c *config) error { c.settings.Issuer = url; return nil }
}

// Listen sets the address to listen on (host:port, port 0 for a free one). Only loopback addresses are taken, unless AllowRemote is given too.
func Listen(address string) Option {
	return func(c *config) error { c.address = address; return nil }
}

// AllowRemote lets the provider listen on an address that other machines can reach. Its keys and secrets are public.
func AllowRemote() Option {
	return func(c *config) error { c.allowRemote = true; return nil }
}

// WithSettings merges settings (see Settings for the vocabulary) over those before it.
func WithSettings(values map[string]any) Option {
	return func(c *config) error { return decode("mock provider settings", values, &c.settings) }
}

// Configure changes the settings by code.
func Configure(change func(*Settings)) Option {
	return func(c *config) error { change(&c.settings); return nil }
}

// Deviations makes the provider misbehave: deviations of the catalogue, each as name or name:param=value,param=value.
func Deviations(args ...string) Option {
	return func(c *config) error {
		declared, err := lookupAll(args)
		c.declared = append(c.declared, declared...)
		return err
	}
}

// WithDeviation adds a deviation that is not in the catalogue, with the values of its parameters.
func WithDeviation(d profiles.Deviation, params map[string]string) Option {
	return func(c *config) error {
		c.declared = append(c.declared, declaration{Deviation: d, params: params})
		return nil
	}
}

// Profile makes the provider behave like a kind of server: a built-in profile by name (with +switch), or a YAML file.
func Profile(nameOrFile string) Option {
	return func(c *config) error {
		p, err := profiles.Load(nameOrFile)
		if err != nil {
			return err
		}
		return WithProfile(p)(c)
	}
}

// WithProfile is Profile for a profile at hand.
func WithProfile(p *profiles.Profile) Option {
	return func(c *config) error {
		if len(p.Settings) > 0 {
			if err := decode("profile "+p.Name+": settings", p.Settings, &c.settings); err != nil {
				return err
			}
		}
		var errs []error
		for _, declared := range p.Deviations {
			d, err := lookup(declared)
			if err != nil {
				err = fmt.Errorf("profile %s: %w", p.Name, err)
			}
			errs = append(errs, err)
			c.declared = append(c.declared, d)
		}
		if len(p.Do) > 0 { // after the deviations: it says in which words the server does what they do
			c.declared = append(c.declared, declaration{Deviation: profiles.Deviation{Source: "profile " + p.Name + ": do", Do: p.Do}})
		}
		return errors.Join(errs...)
	}
}

// Shuffle varies everything that the specifications leave free, from a seed.
func Shuffle(seed int64) Option {
	return func(c *config) error { c.shuffle = newShuffle(seed); return nil }
}

// Seed makes all random output repeatable: tokens, codes and identifiers are the same in every run with the same requests in
// the same order. Signatures of RS256 repeat too, those of ES256 do not.
func Seed(seed int64) Option {
	return func(c *config) error { c.random = seededRandom(seed); return nil }
}

// Now sets the source of the time.
func Now(source func() time.Time) Option {
	return func(c *config) error { c.now = source; return nil }
}

// WithClock lets several providers share a clock.
func WithClock(clock *Clock) Option {
	return func(c *config) error { c.clock = clock; return nil }
}

// FreshKeys makes new signing keys instead of the published ones. That takes about a tenth of a second.
func FreshKeys() Option {
	return func(c *config) error { c.freshKeys = true; return nil }
}

// discardLog swallows net/http's messages about aborted connections, which deviations cause on purpose.
var discardLog = log.New(io.Discard, "", 0)
