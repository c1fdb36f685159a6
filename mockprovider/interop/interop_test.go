package interop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

// taskTimeout bounds one flow of one client, with everything in it.
const taskTimeout = 30 * time.Second

// A Task is what a client is asked to do, and with which provider.
type Task struct {
	Flow    string                                   `json:"flow"`
	Mock    mockprovider.Description                 `json:"mock"`
	Clients map[string]mockprovider.RegisteredClient `json:"clients"` // the registered clients by the part that they play
	Auth    string                                   `json:"auth"`    // how the client authenticates where the flow does not say: basic or post
}

// parts are what the registered clients are for. A vendor's have other identifiers than the strict provider's.
var parts = map[string]func(mockprovider.RegisteredClient) bool{
	"web": func(c mockprovider.RegisteredClient) bool { return !c.Public && c.Kind == "web" },
	"native": func(c mockprovider.RegisteredClient) bool {
		return c.Public && c.Kind == "native" && len(c.RedirectURIs) > 0
	},
	"implicit": func(c mockprovider.RegisteredClient) bool { return slices.Contains(c.Grants, "implicit") },
	"service":  func(c mockprovider.RegisteredClient) bool { return !c.Public && c.Kind == "service" },
	"resource": func(c mockprovider.RegisteredClient) bool { return c.Introspect },
	"device": func(c mockprovider.RegisteredClient) bool {
		return c.Public && slices.Contains(c.Grants, "urn:ietf:params:oauth:grant-type:device_code")
	},
}

func newTask(flow, auth string, mock mockprovider.Description) Task {
	t := Task{flow, mock, map[string]mockprovider.RegisteredClient{}, cmp.Or(auth, "basic")}
	for part, plays := range parts {
		if i := slices.IndexFunc(mock.Clients, plays); i >= 0 {
			t.Clients[part] = mock.Clients[i]
		}
	}
	if _, ok := t.Clients["resource"]; !ok { // where there are no resource servers, clients introspect their own tokens
		t.Clients["resource"] = t.Clients["web"]
	}
	return t
}

// A browser shows a page of the provider to the resource owner. With stay it is content with a page that leads nowhere else.
type browser func(target string, stay bool) (*Landing, error)

// A judge is a client library with a small program around it. What a library leaves to its users to check is not checked by the
// program either: a fault is caught by the library, or in the end by a request that does not work.
type judge struct {
	name      string
	inProcess bool // a Go library: the provider is started as a Go test does; else with `oauthcheck mock`
	discovers bool // it does nothing without OpenID Connect Discovery
	// vendorsOnly: it is made for one kind of server, which vendors.yaml names it for, and cannot talk to any other.
	vendorsOnly bool
	flows       []string
	run         func(ctx context.Context, task Task, open browser) error
}

// flow is something that clients do. The settings are what the provider needs for it.
type flow struct {
	settings map[string]any
	deny     bool // the resource owner refuses
}

// flows by name; README.md says what each is.
var flows = map[string]flow{
	"oidc":               {},
	"hybrid":             {settings: map[string]any{"hybrid": true}},
	"code":               {},
	"post":               {},
	"json":               {},
	"public":             {},
	"form-post":          {},
	"metadata":           {},
	"implicit":           {settings: map[string]any{"implicit": true}},
	"registration":       {},
	"logout":             {},
	"denied":             {deny: true},
	"refused":            {},
	"bad-secret":         {},
	"refresh":            {},
	"client-credentials": {},
	"password":           {},
	"introspection":      {},
	"revocation":         {},
	"token-exchange":     {},
	"jwt-access-token":   {settings: map[string]any{"access_token": map[string]any{"format": "jwt"}}},
}

// shuffles is how many variations of what the specifications leave free the clients meet.
const shuffles = 8

// tally counts for the lines at the end, by client.
type tally struct {
	mu                     sync.Mutex
	flows, caught, ignored map[string]int
	vendors                int
	sections               atomic.Int64 // of the documentation
}

var counts = tally{flows: map[string]int{}, caught: map[string]int{}, ignored: map[string]int{}}

func (c *tally) add(to map[string]int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to[name]++
}

// print says what was done, and returns how many clients did something.
func (c *tally) print() (clients int) {
	flows, caught, ignored := 0, 0, 0
	for _, j := range judges() {
		if c.flows[j.name]+c.caught[j.name] == 0 {
			continue // not asked for
		}
		clients++
		flows, caught, ignored = flows+c.flows[j.name], caught+c.caught[j.name], ignored+c.ignored[j.name]
		fmt.Printf("%-18s %4d flows, %3d faults caught, %3d not looked for: %s\n", j.name, c.flows[j.name], c.caught[j.name], c.ignored[j.name], strings.Join(j.flows, " "))
	}
	fmt.Printf("clients: %d clients, %d flows gone through (strict, %d signature algorithms, %d shuffles, %d vendor profiles), %d faults caught, %d not looked for\n",
		clients, flows, len(signatures), shuffles, c.vendors, caught, ignored)
	return clients
}

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && counts.print() == 0 && counts.sections.Load() == 0 {
		fmt.Println("no client of that name")
		code = 1
	}
	os.Exit(code)
}

// judges are all clients.
func judges() []judge {
	return slices.Concat(goJudges, processJudges)
}

// TestStrict: every client gets through all its flows with the strict provider.
func TestStrict(t *testing.T) {
	forEach(t, stock, func(t *testing.T, j judge) {
		for _, name := range j.flows {
			t.Run(name, func(t *testing.T) { mustPass(t, j, name, mockOf{}) })
		}
	})
}

// TestShuffle: and when the provider varies all that the specifications leave free.
func TestShuffle(t *testing.T) {
	forEach(t, stock, func(t *testing.T, j judge) {
		for seed := range shuffles {
			t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
				for _, name := range j.flows {
					t.Run(name, func(t *testing.T) { mustPass(t, j, name, mockOf{shuffle: int64(seed + 1)}) })
				}
			})
		}
	})
}

// A vendor is a profile that the clients meet beside the strict one.
type vendor struct {
	Profile  string            `yaml:"profile"`
	Auth     string            `yaml:"auth"`     // how clients authenticate: basic (default) or post
	Config   map[string]any    `yaml:"config"`   // what the integrator of such a server would add for these clients, laid over the profile
	Clients  []string          `yaml:"clients"`  // who can talk to it; empty: every stock client
	Flows    []string          `yaml:"flows"`    // what a server of that kind has, with stock clients
	Stumbles map[string]string `yaml:"stumbles"` // client/flow: part of the error; because the vendor is like that
}

// knows reports whether a client can talk to the vendor's server.
func (v vendor) knows(j judge) bool {
	return slices.Contains(v.Clients, j.name) || len(v.Clients) == 0 && stock(j)
}

// signatures are the algorithms of tokens that clients are asked to verify.
var signatures = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// unverified are the signatures that a client cannot verify, with part of its error.
var unverified = map[string]string{
	"authlib/EdDSA": `Invalid claim "at_hash"`, // it looks for a hash function called shaDSA
}

// TestSignatures: ID tokens and JWT access tokens verify, whatever algorithm they are signed with.
func TestSignatures(t *testing.T) {
	forEach(t, stock, func(t *testing.T, j judge) {
		for _, algorithm := range signatures {
			t.Run(algorithm, func(t *testing.T) {
				settings := map[string]any{"id_token": map[string]any{"algorithm": algorithm}, "access_token": map[string]any{"algorithm": algorithm}}
				for _, name := range []string{"oidc", "jwt-access-token"} {
					if slices.Contains(j.flows, name) {
						t.Run(name, func(t *testing.T) {
							mustPassOrStumble(t, j, name, mockOf{config: map[string]any{"settings": settings}}, unverified[j.name+"/"+algorithm])
						})
					}
				}
			})
		}
	})
}

// TestVendors: and when it plays a vendor's server, the flows that such a server has.
func TestVendors(t *testing.T) {
	list := read[vendor](t, "vendors.yaml")
	counts.vendors = len(list)
	forEach(t, everybody, func(t *testing.T, j judge) {
		for _, v := range list {
			if !v.knows(j) {
				continue
			}
			t.Run(v.Profile, func(t *testing.T) {
				for _, name := range j.flows {
					if !slices.Contains(v.Flows, name) || j.discovers && !slices.Contains(v.Flows, "oidc") {
						continue
					}
					t.Run(name, func(t *testing.T) {
						mustPassOrStumble(t, j, name, mockOf{profile: v.Profile, auth: v.Auth, config: v.Config}, v.Stumbles[j.name+"/"+name])
					})
				}
			})
		}
	})
}

// read reads a list from a YAML file.
func read[T any](t *testing.T, file string) []T {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []T
	if err := profiles.DecodeStrict(data, file, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// A fault is a misbehaviour of the provider, and the clients that must notice it.
type fault struct {
	Name     string            `yaml:"name"`
	Flow     string            `yaml:"flow"`
	Mock     map[string]any    `yaml:"mock"`      // a file for `oauthcheck mock --config`
	CaughtBy map[string]string `yaml:"caught_by"` // name of a client: part of the error that it gives
}

// TestFaults: the clients that look for a fault catch it, with the error that tells so; for the others the provider still works.
func TestFaults(t *testing.T) {
	faults := read[fault](t, "faults.yaml")
	for _, f := range faults {
		if len(f.CaughtBy) == 0 {
			t.Errorf("%s: no client catches it, so it proves nothing", f.Name)
		}
		for name := range f.CaughtBy {
			if !slices.ContainsFunc(judges(), func(j judge) bool { return j.name == name && slices.Contains(j.flows, f.Flow) }) {
				t.Errorf("%s: no client %s does the flow %s", f.Name, name, f.Flow)
			}
		}
	}
	forEach(t, stock, func(t *testing.T, j judge) {
		for _, f := range faults {
			if slices.Contains(j.flows, f.Flow) {
				t.Run(f.Name, func(t *testing.T) { mustCatch(t, j, f) })
			}
		}
	})
}

// stock are clients of any OAuth server, everybody also those of one vendor's.
func stock(j judge) bool   { return !j.vendorsOnly }
func everybody(judge) bool { return true }

// forEach runs a test for every client of a kind, side by side.
func forEach(t *testing.T, kind func(judge) bool, test func(*testing.T, judge)) {
	for _, j := range judges() {
		if !kind(j) {
			continue
		}
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			test(t, j)
		})
	}
}

func mustPass(t *testing.T, j judge, flow string, m mockOf) {
	t.Helper()
	if err := do(t, j, flow, m); err != nil {
		t.Fatalf("%s cannot do this: %v", j.name, err)
	}
	counts.add(counts.flows, j.name)
}

// mustPassOrStumble is for clients that are known to have difficulties, with words of theirs.
func mustPassOrStumble(t *testing.T, j judge, flow string, m mockOf, words string) {
	t.Helper()
	if words == "" {
		mustPass(t, j, flow, m)
		return
	}
	mustStumble(t, j, do(t, j, flow, m), words)
}

func mustCatch(t *testing.T, j judge, f fault) {
	t.Helper()
	err := do(t, j, f.Flow, mockOf{config: f.Mock})
	words, catches := f.CaughtBy[j.name]
	switch {
	case !catches && err != nil:
		t.Fatalf("%s is not known to notice this, and stops: %v", j.name, err)
	case !catches:
		counts.add(counts.ignored, j.name)
	default:
		mustStumble(t, j, err, words)
		counts.add(counts.caught, j.name)
	}
}

// mustStumble wants an error with these words.
func mustStumble(t *testing.T, j judge, err error, words string) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatalf("%s notices nothing", j.name)
	case !strings.Contains(err.Error(), words):
		t.Fatalf("%s stops with another error than %q: %v", j.name, words, err)
	}
	t.Log(strings.SplitN(err.Error(), "\n", 2)[0])
}

// do lets a client do a flow with a provider of its own. The error is the client's or the resource owner's; ours fail the test.
func do(t *testing.T, j judge, name string, m mockOf) error {
	t.Helper()
	f, known := flows[name]
	if !known {
		t.Fatalf("no flow is called %s", name)
	}
	m.merge(f.settings)
	task := newTask(name, m.auth, m.start(t, j.inProcess))
	user := task.Mock.Users[0]
	owner, err := resourceOwner{username: user.Username, password: user.Password, deny: f.deny}.withBrowser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), taskTimeout)
	defer cancel()
	var stuck error // where the resource owner got no further; the client learns nothing of it
	err = j.run(ctx, task, func(target string, stay bool) (*Landing, error) {
		landing, err := owner.visit(ctx, target, stay)
		if err != nil {
			stuck = fmt.Errorf("the resource owner at %s: %w", target, err)
			return nil, stuck
		}
		return landing, nil
	})
	if ctx.Err() != nil {
		t.Fatalf("%s is not done after %v: %v", j.name, taskTimeout, err)
	}
	return errors.Join(err, stuck)
}
