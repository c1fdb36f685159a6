package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

type mockFlags struct {
	profile, config, addr, issuer string
	admin, issuerFrom, autoLogin  string
	deviations, cors              []string
	tls, freshKeys                bool
	tlsCert, tlsKey, tlsCA        string
	shuffle                       optionalSeed
	seed                          int64
	seeded                        bool
	allowRemote, asJSON           bool
}

func newMock() *cobra.Command {
	var f mockFlags
	cmd := &cobra.Command{
		Use:   "mock",
		Short: "Start an authorization server for tests: strict, a vendor's double, or faulty on request",
		Long: `mock starts an authorization server for the tests of clients. It conforms strictly unless told otherwise, keeps
everything in memory, and prints its endpoints, ready-made clients and users. Ctrl-C ends it.

It is not an identity provider: its keys and secrets are published, and anybody gets tokens. It listens on this machine
only, unless --allow-remote is given.`,
		Example: `  oauthcheck mock
  oauthcheck mock --addr 127.0.0.1:0 --json
  oauthcheck mock --profile oauthsd
  oauthcheck mock --config mock.yaml --admin 127.0.0.1:9090
  oauthcheck mock --deviation token-response-cacheable --deviation code-not-bound-to-client`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.seeded = cmd.Flags().Changed("seed")
			return f.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.profile, "profile", "strict", "which server it plays: a `NAME` (see oauthcheck list profiles), also with switches\n(NAME+SWITCH), or a YAML file")
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "`ADDRESS` to listen on; port 0 picks a free one")
	flags.StringArrayVar(&f.deviations, "deviation", nil, "deviate in one named way, `NAME[:param=value]`; repeatable (see oauthcheck list deviations)")
	flags.Var(&f.shuffle, "shuffle", "vary all that the specifications leave free; --shuffle=SEED repeats a variation, --shuffle=random\ntakes another one each time and says which")
	flags.Lookup("shuffle").NoOptDefVal = "1"
	flags.Int64Var(&f.seed, "seed", 0, "make codes, tokens and identifiers repeatable, from the seed `N`")
	flags.StringVar(&f.config, "config", "", "a YAML `FILE` with settings, clients, users, claims, deviations and programmed answers, laid over the profile")
	flags.StringVar(&f.admin, "admin", "", "serve the administration interface (programmed answers, tokens, requests, clock …) at `ADDRESS`")
	flags.StringVar(&f.issuer, "issuer", "", "the issuer, where clients reach the server by another `URL` than it listens on")
	flags.StringVar(&f.issuerFrom, "issuer-from", "", "let issuer and URLs follow the request: `SOURCE` host (Host field) or forwarded (also X-Forwarded-…)")
	flags.StringVar(&f.autoLogin, "auto-login", "", "sign in and approve without pages, as `USER`")
	flags.StringArrayVar(&f.cors, "cors", nil, "let scripts of `ORIGIN` (* for any part) read answers, with credentials; repeatable")
	flags.BoolVar(&f.tls, "tls", false, "serve https with certificates of its own, for any name that it is asked for")
	flags.StringVar(&f.tlsCA, "tls-ca", "", "write the certificate that clients have to trust to `FILE` (with --tls; --json tells it too)")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "serve https with the certificate in `FILE` (PEM), in place of --tls")
	flags.StringVar(&f.tlsKey, "tls-key", "", "the private key of --tls-cert: a `FILE` (PEM)")
	flags.BoolVar(&f.freshKeys, "fresh-keys", false, "sign with new keys, not with the published ones")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen on an address that other machines can reach")
	flags.BoolVar(&f.asJSON, "json", false, "print one line of JSON: issuer, endpoints, clients, users")
	return cmd
}

// optionalSeed is a flag that may stand without a value.
type optionalSeed struct {
	set  bool
	seed int64
}

func (o *optionalSeed) Type() string { return "SEED" }

func (o *optionalSeed) String() string {
	if !o.set {
		return ""
	}
	return strconv.FormatInt(o.seed, 10)
}

func (o *optionalSeed) Set(text string) error {
	o.set = true
	if text == "random" {
		o.seed = rand.Int64N(1_000_000) // short enough to be typed
		return nil
	}
	seed, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errors.New(`neither a whole number nor "random"`)
	}
	o.seed = seed
	return nil
}

// run serves until the context ends.
func (f *mockFlags) run(ctx context.Context, stdout io.Writer) error {
	if err := f.checkAddrs(); err != nil {
		return usage(err)
	}
	options, err := f.options()
	if err != nil {
		return usage(err)
	}
	provider, err := mockprovider.Start(options...)
	if err != nil {
		var network *net.OpError
		if errors.As(err, &network) {
			err = fmt.Errorf("%w; --addr 127.0.0.1:0 picks a free port", err)
		}
		return usage(err)
	}
	if err := f.writeCA(provider.CertificateAuthority()); err != nil {
		return errors.Join(usage(err), provider.Close())
	}
	err = f.announce(stdout, provider.Describe())
	if err == nil {
		beSmall(ctx)
	}
	return errors.Join(err, provider.Close())
}

func (f *mockFlags) options() ([]mockprovider.Option, error) {
	options := []mockprovider.Option{mockprovider.Profile(f.profile), mockprovider.Listen(f.addr)}
	if f.config != "" {
		options = append(options, mockprovider.ConfigFile(f.config))
	}
	options = append(options, mockprovider.Deviations(f.deviations...))
	if f.issuer != "" {
		options = append(options, mockprovider.Issuer(f.issuer))
	}
	if f.seeded {
		options = append(options, mockprovider.Seed(f.seed))
	}
	if f.shuffle.set {
		options = append(options, mockprovider.Shuffle(f.shuffle.seed))
	}
	if f.admin != "" {
		options = append(options, mockprovider.Admin(f.admin))
	}
	if f.issuerFrom != "" {
		options = append(options, mockprovider.IssuerFrom(f.issuerFrom))
	}
	if f.autoLogin != "" {
		options = append(options, mockprovider.AutoLogin(f.autoLogin))
	}
	if len(f.cors) > 0 {
		options = append(options, mockprovider.CORS(f.cors...))
	}
	if f.tls {
		options = append(options, mockprovider.TLS())
	}
	if f.tlsCert != "" || f.tlsKey != "" {
		certificate, err := f.certificate()
		if err != nil {
			return nil, err
		}
		options = append(options, mockprovider.Certificate(certificate))
	}
	if f.freshKeys {
		options = append(options, mockprovider.FreshKeys())
	}
	if f.allowRemote {
		options = append(options, mockprovider.AllowRemote())
	}
	return options, nil
}

// certificate is that of --tls-cert and --tls-key.
func (f *mockFlags) certificate() (tls.Certificate, error) {
	if f.tlsCert == "" || f.tlsKey == "" {
		return tls.Certificate{}, errors.New("--tls-cert and --tls-key go together: the certificate and its private key")
	}
	certificate, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", f.tlsCert, f.tlsKey, err)
	}
	return certificate, nil
}

// writeCA writes the certificate that clients have to trust, before the line that says that the server is there.
func (f *mockFlags) writeCA(pem []byte) error {
	if f.tlsCA == "" {
		return nil
	}
	if pem == nil {
		return errors.New("--tls-ca needs --tls: without TLS there is nothing to trust")
	}
	if err := os.WriteFile(f.tlsCA, pem, 0o644); err != nil {
		return fmt.Errorf("--tls-ca: %w", err)
	}
	return nil
}

// credentials are what a client authenticates with, for people.
func credentials(c mockprovider.RegisteredClient) string {
	switch {
	case c.Public:
		return "(public)"
	case c.PrivateKey != "" || c.JWKS != nil:
		return "(a private key; --json shows it)"
	case c.Secret == "":
		return "(the empty secret)"
	}
	return c.Secret
}

// checkAddrs keeps the mock on this machine unless it is told otherwise.
func (f *mockFlags) checkAddrs() error {
	return errors.Join(f.checkAddr("--addr", f.addr), f.checkAddr("--admin", f.admin))
}

func (f *mockFlags) checkAddr(flag, addr string) error {
	if flag == "--admin" && addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: %q is not of the form HOST:PORT, for example 127.0.0.1:8080", flag, addr)
	}
	ip := net.ParseIP(host)
	if f.allowRemote || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s %s can be reached by other machines, and anybody gets tokens from a mock; if that is meant, add --allow-remote", flag, addr)
}

// announce says where the server is and who may use it, in a line of JSON for programs or a page for people.
func (f *mockFlags) announce(w io.Writer, d mockprovider.Description) error {
	if f.asJSON {
		return json.NewEncoder(w).Encode(d)
	}
	return table(w, func(w io.Writer) {
		fmt.Fprintf(w, "oauthcheck mock, profile %s: %s\n", f.profile, d.Issuer)
		fmt.Fprintln(w, "A test double, not an identity provider: its keys and secrets are published.")
		if d.Admin != "" {
			fmt.Fprintf(w, "Administration: %s (%s/openapi.yaml)\n", d.Admin, d.Admin)
		}
		if d.CertificateAuthority != "" && f.tlsCA == "" && f.tlsCert == "" {
			fmt.Fprintln(w, "Clients have to trust its certificate: --tls-ca FILE writes it.")
		}
		if d.Shuffle != nil {
			fmt.Fprintf(w, "Shuffled; to repeat it: --shuffle=%d\n", *d.Shuffle)
		}
		if len(d.Deviations) > 0 {
			fmt.Fprintln(w, "\nDeviations")
			for _, name := range d.Deviations {
				fmt.Fprintf(w, "  %s\n", name)
			}
		}
		fmt.Fprintln(w, "\nEndpoints")
		for _, name := range slices.Sorted(maps.Keys(d.Endpoints)) {
			fmt.Fprintf(w, "  %s\t%s\n", name, d.Endpoints[name])
		}
		fmt.Fprintln(w, "\nClients")
		for _, c := range d.Clients {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", c.ID, credentials(c), strings.Join(c.RedirectURIs, " "))
		}
		fmt.Fprintln(w, "\nUsers")
		for _, u := range d.Users {
			fmt.Fprintf(w, "  %s\t%s\n", u.Username, u.Password)
		}
		fmt.Fprintln(w, "\nCtrl-C ends it.")
	})
}
