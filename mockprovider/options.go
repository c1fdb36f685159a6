package mockprovider

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
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
	opts        []Option                      // that made it
	parent      *Provider                     // of a namespace
	name        string                        // of a namespace
	defined     map[string]profiles.Deviation // deviations of its own, by name
	answers     []placedAnswer
	layers      []layer // files that settings come from
	namespaces  map[string]Option
	certificate *tls.Certificate // for TLS, in place of the provider's own
	admin       string           // address of the administration
	seeds       Seeds
}

func configure(opts []Option) (*config, error) {
	c := &config{settings: strictSettings(), opts: opts}
	var errs []error
	for i, option := range opts {
		if option == nil {
			errs = append(errs, fmt.Errorf("mock provider: option %d of %d is nil; leave it out", i+1, len(opts)))
			continue
		}
		errs = append(errs, option(c))
	}
	errs = append(errs, c.locate(c.settings.check()))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Issuer sets the issuer identifier, for clients that reach the provider by another URL than it listens on; endpoints lie under it. A slash at the end
// stays part of the identifier.
func Issuer(url string) Option {
	return func(c *config) error { c.settings.Issuer = url; return nil }
}

// IssuerFrom lets the issuer and all URLs follow the request, for clients that reach the provider by several names: "host" takes the Host
// field, "forwarded" also what a proxy says of it (X-Forwarded-Proto, -Host, -Port, -Prefix, or Forwarded, RFC 7239), "fixed" is the default. A
// token's iss is the issuer that the client which got it was told.
func IssuerFrom(source string) Option {
	return func(c *config) error { c.settings.IssuerFrom = source; return nil }
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
	return func(c *config) error {
		if change == nil {
			return errors.New("mock provider: the option Configure needs a function")
		}
		change(&c.settings)
		return nil
	}
}

// Client registers a client: with a secret a confidential one, without ("") a public one, which needs PKCE (RFC 7636). It may use every grant
// type and scope of the provider; WithClient says more. The ready-made clients stay beside it.
func Client(id, secret string, redirectURIs ...string) Option {
	return WithClient(RegisteredClient{ID: id, Secret: secret, Public: secret == "", RedirectURIs: redirectURIs, Kind: "web"})
}

// WithClient registers a client with all that can be said of one.
func WithClient(client RegisteredClient) Option {
	return func(c *config) error {
		if client.ID == "" {
			return errors.New("mock provider: a client needs an identifier")
		}
		c.settings.Clients[client.ID] = client
		return nil
	}
}

// User adds a resource owner with a login name, a password and claims: those of OpenID Connect (name, email …) are told at userinfo by
// scope, all others are also in every token; sub is the subject identifier.
func User(username, password string, claims Claims) Option {
	return WithUser(ResourceOwner{Username: username, Password: password, Claims: claims})
}

// WithUser adds a resource owner with all that can be said of one.
func WithUser(user ResourceOwner) Option {
	return func(c *config) error {
		if user.Username == "" {
			return errors.New("mock provider: a user needs a login name")
		}
		c.settings.Users[user.Username] = user
		return nil
	}
}

// AutoLogin lets users through without pages: whoever comes to the authorization endpoint is signed in as the user and approves.
func AutoLogin(username string) Option {
	return func(c *config) error {
		c.settings.Login, c.settings.Consent, c.settings.AutoUser = "auto", "auto", username
		return nil
	}
}

// TLS serves https with certificates of the provider's own, good for whatever name or address a client knows it by. HTTPClient trusts them;
// CertificateAuthority is for other clients.
func TLS() Option {
	return func(c *config) error { c.settings.TLS = true; return nil }
}

// Certificate is TLS with a certificate at hand, for clients that trust it or its issuer already.
func Certificate(certificate tls.Certificate) Option {
	return func(c *config) error {
		if len(certificate.Certificate) == 0 || certificate.PrivateKey == nil {
			return errors.New("mock provider: the option Certificate needs a certificate and its private key, as tls.LoadX509KeyPair returns them")
		}
		c.settings.TLS, c.certificate = true, &certificate
		return nil
	}
}

// JWTAccessTokens makes access tokens JWTs (RFC 9068); without it they are opaque.
func JWTAccessTokens() Option {
	return func(c *config) error { c.settings.AccessToken.Format = "jwt"; return nil }
}

// SignWith chooses the algorithm of ID tokens and JWT access tokens (RFC 7518 section 3.1): RS256, the default, to RS512, PS256 to PS512,
// ES256 to ES512, EdDSA, or HS256 with the client's secret. ES256 and EdDSA are several times as fast as RS256.
func SignWith(algorithm string) Option {
	return func(c *config) error {
		c.settings.AccessToken.Algorithm, c.settings.IDToken.Algorithm = algorithm, algorithm
		return nil
	}
}

// Deviations makes the provider misbehave: deviations of the catalogue, each as name or name:param=value,param=value.
func Deviations(args ...string) Option {
	return func(c *config) error {
		declared, err := lookupAll(c.defined, args)
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
		if p == nil {
			return errors.New("mock provider: the option WithProfile needs a profile")
		}
		err := c.applyProfile(p, "")
		if err == nil {
			c.layers = append(c.layers, layer{source: source{name: p.Source}, settings: p.Settings})
			return nil
		}
		if data, unread := os.ReadFile(p.Source); unread == nil {
			return profiles.Locate(err, data, p.Source)
		}
		return fmt.Errorf("profile %s: %w", p.Name, err)
	}
}

// applyProfile lays a profile over what is configured so far. at is the path of the profile within the file, for messages.
func (c *config) applyProfile(p *profiles.Profile, at string) error {
	var errs []error
	if len(p.Settings) > 0 {
		errs = append(errs, decode(at+"settings", p.Settings, &c.settings))
	}
	for i, declared := range p.Deviations {
		d, err := lookup(c.defined, declared)
		if err != nil {
			err = fmt.Errorf("%sdeviations[%d]: %w", at, i, err)
		}
		errs = append(errs, err)
		c.declared = append(c.declared, d)
	}
	if len(p.Do) > 0 { // after the deviations: it says in which words the server does what they do
		c.declared = append(c.declared, declaration{Deviation: profiles.Deviation{Source: "profile " + p.Name + ": do", Do: p.Do}})
	}
	return errors.Join(errs...)
}

// Shuffle varies everything that the specifications leave free, from a seed.
func Shuffle(seed int64) Option {
	return func(c *config) error {
		c.shuffle = newShuffle(seed)
		c.seeds.Shuffle = &seed
		return nil
	}
}

// Seed makes all random output repeatable: tokens, codes and identifiers are the same in every run with the same requests in
// the same order. Signatures of RS256 repeat too, those of ES256 do not.
func Seed(seed int64) Option {
	return func(c *config) error {
		c.random = seededRandom(seed)
		c.seeds.Seed = &seed
		return nil
	}
}

// Now sets the source of the time.
func Now(source func() time.Time) Option {
	return func(c *config) error { c.now = source; return nil }
}

// WithClock lets several providers share a clock.
func WithClock(clock *Clock) Option {
	return func(c *config) error { c.clock = clock; return nil }
}

// FreshKeys makes new signing keys instead of the published ones. For RSA that takes about a tenth of a second, when they are first needed.
func FreshKeys() Option {
	return func(c *config) error { c.freshKeys = true; return nil }
}

// discardLog swallows net/http's messages about aborted connections, which deviations cause on purpose.
var discardLog = log.New(io.Discard, "", 0)
