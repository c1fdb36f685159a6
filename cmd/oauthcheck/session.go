package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// targetFlags are the flags that run, doctor and plan share: which target, how to talk to it, what to test.
type targetFlags struct {
	target, config, profile string
	deviations              []string

	clientID, clientSecret, clientAuth string
	redirectURIs, scopes               []string
	username, password                 string

	specs, checks, skips, lanes []string
	judge, failOn               string

	timeout, deadline time.Duration
	rate              float64
	procs             int
	seed              int64
	insecure          bool
	caFile            string
}

// groups declares the flags under the titles that the help shows.
func (f *targetFlags) groups() []flagGroup {
	what := newFlagSet()
	what.StringVar(&f.target, "target", "", "issuer, base `URL` or token endpoint of the server; or mock:PROFILE for the built-in mock\nprovider, for example mock:strict")
	what.StringVar(&f.config, "config", "", "target `FILE` (YAML): endpoints, clients, user; flags win over it")
	what.StringVar(&f.profile, "profile", "", "how to talk to the server and which deviations are known of it: a `NAME` (see oauthcheck\nlist profiles) or a YAML file (default: the target file's, the mock's, else rfc6749)")
	what.StringArrayVar(&f.deviations, "deviation", nil, "with a mock target: let the mock deviate, `NAME[:param=value]` (repeatable)")

	client := newFlagSet()
	client.StringVar(&f.clientID, "client-id", "", "the primary client's `ID`")
	client.Var(secretFlag{&f.clientSecret}, "client-secret", "its secret: env:NAME reads an environment variable, @FILE a file")
	f.clientAuth = ""
	client.Var(choice{&f.clientAuth, "METHOD", authMethods()}, "client-auth", "how it authenticates: "+strings.Join(authMethods(), ", ")+"\n(default: client_secret_basic with a secret, none without)")
	client.StringArrayVar(&f.redirectURIs, "redirect-uri", nil, "a registered redirection `URI` (repeatable); nothing needs to listen there")
	client.StringArrayVar(&f.scopes, "scope", nil, "`SCOPES` to ask for, separated by spaces")
	client.StringVar(&f.username, "username", "", "the test user's `NAME`")
	client.Var(secretFlag{&f.password}, "password", "the test user's password; env:NAME and @FILE as above")

	which := newFlagSet()
	which.Var(choices{&f.specs, "SPECS", specSlugs}, "spec", "only these specifications, separated by commas, for example rfc6749,rfc8693")
	which.StringArrayVar(&f.checks, "check", nil, "only checks that match `PATTERN`: an id, a glob (rfc6749/*redirect*), a section (rfc6749/5.1);\nrepeatable")
	which.StringArrayVar(&f.skips, "skip", nil, "leave out checks that match `PATTERN` (repeatable)")
	which.Var(choices{&f.lanes, "LANES", laneNames}, "lane", "fast, slow, race, destructive, or all (default fast)")
	f.judge, f.failOn = "profile", "must"
	which.Var(choice{&f.judge, "WHAT", []string{"profile", "strict"}}, "judge", "profile: what the profile declares is known; strict: nothing is forgiven")
	which.Var(choice{&f.failOn, "LEVEL", []string{"must", "should"}}, "fail-on", "must: only a violated MUST makes the run red; should: a violated SHOULD, too")

	how := newFlagSet()
	how.Var(duration{&f.timeout}, "timeout", "for one request, for example 10s (default: the target file's, else 10s)")
	how.Var(duration{&f.deadline}, "deadline", "for the whole run (default: 10m, longer with the slow lane and with --rate)")
	how.Float64Var(&f.rate, "rate", 0, "at most `N` requests a second (default: no limit)")
	how.IntVar(&f.procs, "procs", 0, fmt.Sprintf("`N` checks at the same time (default %d)", suites.DefaultProcs))
	how.Int64Var(&f.seed, "seed", suites.DefaultSeed, "seed `N` of all random values that are sent")
	how.BoolVar(&f.insecure, "insecure-skip-verify", false, "accept any TLS certificate")
	how.StringVar(&f.caFile, "ca-file", "", "trust the certificates in this PEM `FILE`, too")

	return []flagGroup{{"The server", what}, {"Client and user", client}, {selection, which}, {"How", how}}
}

// selection titles the flags that select checks.
const selection = "What is tested"

func authMethods() []string {
	return []string{string(target.Basic), string(target.Post), string(target.SecretJWT), target.PrivateKeyJWT, string(target.NoClientAuth)}
}

func laneNames() []string {
	names := []string{"all"}
	for _, l := range suites.Lanes() {
		names = append(names, string(l))
	}
	return names
}

// session is a configured run and what must be closed after it.
type session struct {
	suites.Config
	mock       *mockprovider.Provider // nil unless the target is mock:…
	mockTarget target.Config          // its description
}

func (s *session) close() {
	if s.mock != nil {
		_ = s.mock.Close()
	}
}

// open reads files and flags into the configuration of a run. Every error is a usage error.
func (f *targetFlags) open(cmd *cobra.Command) (*session, error) {
	s := &session{}
	if err := f.fill(s, cmd); err != nil {
		s.close()
		return nil, usage(err)
	}
	return s, nil
}

func (f *targetFlags) fill(s *session, cmd *cobra.Command) error {
	if err := f.limits(cmd.Flags()); err != nil {
		return err
	}
	var err error
	if f.clientSecret, err = resolveSecret("client-secret", f.clientSecret); err != nil {
		return err
	}
	if f.password, err = resolveSecret("password", f.password); err != nil {
		return err
	}
	var mock string // the profile of a mock target
	if name, ok := strings.CutPrefix(f.target, "mock:"); ok {
		mock = cmp.Or(name, profiles.Strict)
	}
	switch {
	case mock != "":
		if err := f.start(s, mock); err != nil {
			return err
		}
	case len(f.deviations) > 0:
		return errors.New("--deviation works with the built-in mock only (--target mock:strict); a real server deviates by itself")
	}
	if err := f.describe(s); err != nil {
		return err
	}
	if s.Profile, err = profiles.Load(cmp.Or(f.profile, s.Target.Profile, mock, "rfc6749")); err != nil {
		return err
	}
	if s.Target, err = s.Target.WithProfile(s.Profile); err != nil {
		return err
	}
	if err := errors.Join(s.Target.Validate(), checkCAFile(s.Target.TLS.CAFile)); err != nil {
		return err
	}
	s.Judge, s.FailOn = f.judge, f.failOn
	s.Specs, s.Include, s.Exclude = f.specs, f.checks, f.skips
	s.Lanes = f.lanes
	s.Procs, s.Deadline, s.Seed = f.procs, f.deadline, f.seed
	s.Tool = tool()
	s.Reproduce = reproduce(cmd)
	return nil
}

// start starts the mock of a mock target. The strict one is set up for its deviations, and further set-ups stand by for the checks
// that it leaves nothing to judge: with deviations those that judge what they break.
func (f *targetFlags) start(s *session, profile string) (err error) {
	deviations := mockprovider.Deviations(f.deviations...)
	if profile != profiles.Strict {
		if s.mock, err = mockprovider.Start(mockprovider.Profile(profile), deviations); err == nil {
			s.mockTarget = mocktarget.Config(s.mock)
		}
		return err
	}
	setups, sockets := mocktarget.Deviations(f.deviations)
	if s.mock, s.mockTarget, _, err = mocktarget.Open(setups, sockets, deviations); err != nil {
		return err
	}
	checks := checksOf(f.deviations)
	if len(f.deviations) > 0 && len(checks) == 0 {
		return nil
	}
	further, err := mocktarget.Setups()
	for _, setup := range further {
		s.Setups = append(s.Setups, setup.Suite(checks, deviations))
	}
	return err
}

// checksOf are the ids of the checks that judge what deviations break, themselves or by implication.
func checksOf(deviations []string) []string {
	var broken []string
	for _, name := range deviations {
		name, _, _ = strings.Cut(name, ":")
		d, _ := profiles.LookupDeviation(name)
		broken = append(broken, d.Breaks)
		for _, i := range d.Implies {
			broken = append(broken, i.Requirement)
		}
	}
	var out []string
	for _, c := range suites.Checks() {
		if slices.ContainsFunc(c.Requirements, func(id string) bool { return suites.SameRequirement(id, broken...) }) {
			out = append(out, c.ID)
		}
	}
	return out
}

// describe fills in the target: the target file's content, what is left open of it by the mock, and the flags over both.
func (f *targetFlags) describe(s *session) error {
	overlay := func(t *target.Config) {
		if s.mock != nil {
			complete(t, s.mockTarget)
		}
		f.overlay(t)
	}
	if f.config != "" {
		var err error
		s.Target, err = target.LoadConfig(f.config, overlay)
		return withoutOp(err)
	}
	overlay(&s.Target)
	if p := s.Target.Clients.Primary; p != nil && p.ID == "" {
		return errors.New("--client-id is missing: a secret, a method and a redirection URI belong to a client")
	}
	return checkTarget(&s.Target)
}

// complete makes the mock the target, described by itself where the target file says nothing.
func complete(t *target.Config, mock target.Config) {
	if t.Clients.Primary != nil { // clients belong together
		mock.Introspection = target.IntrospectionConfig{}
	} else {
		t.Clients = target.Clients{}
	}
	t.Target, t.Sleep, t.Transport = "", nil, nil
	given, from := reflect.ValueOf(t).Elem(), reflect.ValueOf(mock)
	for i := range given.NumField() {
		if given.Field(i).IsZero() {
			given.Field(i).Set(from.Field(i))
		}
	}
	// The rest of sections that the file has.
	t.Timing.CodeLifetime, t.TLS.CA = mock.Timing.CodeLifetime, mock.TLS.CA
	t.TLS.PlainHTTPCredentials = t.TLS.PlainHTTPCredentials || mock.TLS.PlainHTTPCredentials
	t.Login.Consent = cmp.Or(t.Login.Consent, mock.Login.Consent)
	t.Dialect.RequestFormat = cmp.Or(t.Dialect.RequestFormat, mock.Dialect.RequestFormat)
	t.Declares.PKCE = cmp.Or(t.Declares.PKCE, mock.Declares.PKCE)
	t.Declares.IssParameter = t.Declares.IssParameter || mock.Declares.IssParameter
	t.Declares.RevocationJSONP = t.Declares.RevocationJSONP || mock.Declares.RevocationJSONP
}

// overlay lays the flags over the target file.
func (f *targetFlags) overlay(t *target.Config) {
	if t.Sleep == nil { // not the mock
		t.Target = cmp.Or(f.target, t.Target)
	}
	if f.clientID != "" || f.clientSecret != "" || f.clientAuth != "" || len(f.redirectURIs) > 0 {
		if t.Clients.Primary == nil {
			t.Clients.Primary = &target.Client{}
		}
		p := t.Clients.Primary
		p.ID = cmp.Or(f.clientID, p.ID)
		p.Secret = cmp.Or(f.clientSecret, p.Secret)
		p.Auth = cmp.Or(target.AuthMethod(f.clientAuth), p.Auth)
		if len(f.redirectURIs) > 0 {
			p.RedirectURIs = f.redirectURIs
		}
	}
	t.User.Username = cmp.Or(f.username, t.User.Username)
	t.User.Password = cmp.Or(f.password, t.User.Password)
	if len(f.scopes) > 0 {
		t.Scopes = strings.Fields(strings.ReplaceAll(strings.Join(f.scopes, " "), ",", " "))
	}
	t.Timing.Timeout = cmp.Or(f.timeout, t.Timing.Timeout)
	t.TLS.InsecureSkipVerify = t.TLS.InsecureSkipVerify || f.insecure
	t.TLS.CAFile = cmp.Or(f.caFile, t.TLS.CAFile)
	if f.rate > 0 {
		t.Rate = f.rate
	}
}

// limits refuses numbers that make no sense.
func (f *targetFlags) limits(flags *pflag.FlagSet) error {
	switch {
	case f.timeout < 0 || flags.Changed("timeout") && f.timeout == 0:
		return errors.New("--timeout must be more than 0, for example 10s")
	case f.deadline < 0 || flags.Changed("deadline") && f.deadline == 0:
		return errors.New("--deadline must be more than 0, for example 10m")
	case f.rate < 0:
		return errors.New("--rate must not be negative")
	case f.procs < 0:
		return errors.New("--procs must not be negative")
	}
	return nil
}

// checkTarget refuses what is not the URL of a server in the words of the command line; Config.Validate does the rest.
func checkTarget(t *target.Config) error {
	if t.Target == "" {
		if t.Endpoints == (target.Endpoints{}) {
			return errors.New("no target: give --target URL, --config FILE with a target in it, or --target mock:strict to try it out")
		}
		return nil
	}
	u, err := url.Parse(t.Target)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the target %q is neither an http or https URL nor mock:PROFILE%s", withoutUserinfo(t.Target), meant(t.Target))
	case u.User != nil:
		return fmt.Errorf("the target %s holds credentials: give them with --client-id and --client-secret or in the target file", u.Redacted())
	}
	return nil
}

// meant is what somebody most likely meant by a target without a scheme.
func meant(target string) string {
	word := "https://" + target
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		host = target
	}
	switch ip := net.ParseIP(host); {
	case strings.ContainsAny(target, "@ ") || strings.Contains(target, "://"):
		return ""
	case target == "mock":
		word = "mock:" + profiles.Strict
	case slices.Contains(profiles.Names(), target):
		word = "mock:" + target
	case host == "localhost", ip != nil && ip.IsLoopback():
		word = "http://" + target
	}
	return fmt.Sprintf(" (did you mean %s?)", word)
}

// checkCAFile makes sure that there are certificates in the file.
func checkCAFile(file string) error {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--ca-file: %w", withoutOp(err))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return fmt.Errorf("--ca-file: there is no certificate in %s (PEM: -----BEGIN CERTIFICATE-----)", file)
	}
	return nil
}

// withoutUserinfo hides what may be a password in something that is no URL.
func withoutUserinfo(raw string) string {
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

// reproduce is the command line for a report: without secrets, quoted for a shell.
func reproduce(cmd *cobra.Command) string {
	words := []string{"oauthcheck", cmd.Name()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch v := f.Value.(type) {
		case secretFlag:
			shown := *v.value
			if !strings.HasPrefix(shown, "env:") && !strings.HasPrefix(shown, "@") {
				shown = "env:" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			}
			words = append(words, "--"+f.Name, shellQuote(shown))
		case pflag.SliceValue:
			for _, value := range v.GetSlice() {
				words = append(words, "--"+f.Name, shellQuote(value))
			}
		default:
			if f.Value.Type() == "bool" {
				words = append(words, "--"+f.Name)
				break
			}
			words = append(words, "--"+f.Name, shellQuote(f.Value.String()))
		}
	})
	return strings.Join(words, " ")
}

// shellQuote quotes a word for a POSIX shell where it needs it.
func shellQuote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,@%+="
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
