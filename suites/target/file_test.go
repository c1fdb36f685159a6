package target

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
)

func noEnv(string) (string, bool) { return "", false }

func anyEnv(name string) (string, bool) { return "value of " + name + "\n", true }

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig([]byte(`
target: https://as.example
endpoints: {token: /token, jwks: keys}
clients:
  primary: {id: a, secret_env: A, redirect_uris: ['https://a.example/cb', 'com.example.app:/cb'], grants: [authorization_code, token_exchange]}
  second: {id: b, auth: private_key_jwt, key_file: b.pem}
  public: {id: p}
  others: {more: {id: o, secret: s}}
user: {username: alice, password_env: P}
scopes: [openid, profile]
authorize_params: {prompt: consent}
timing: {timeout: 3s, code_lifetime: 10m}
tls: {ca_file: ca.pem}
baseline: {anything: [1, 2]}
dpop:
`), "dir/target.yaml", anyEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Clients.Primary.Secret != "value of A" || c.User.Password != "value of P" {
		t.Errorf("environment: %q, %q", c.Clients.Primary.Secret, c.User.Password)
	}
	if c.Clients.Second.KeyFile != filepath.Join("dir", "b.pem") || c.TLS.CAFile != filepath.Join("dir", "ca.pem") {
		t.Errorf("files: %s, %s", c.Clients.Second.KeyFile, c.TLS.CAFile)
	}
	if c.Timing.Timeout != 3*time.Second || c.Timing.CodeLifetime != 10*time.Minute {
		t.Errorf("timing: %+v", c.Timing)
	}
	if got := c.Unread(); !reflect.DeepEqual(got, []string{"baseline"}) {
		t.Errorf("unread: %v", got)
	}
	done := c.Complete()
	if done.Endpoints.Token != "https://as.example/token" || done.Endpoints.JWKS != "https://as.example/keys" || c.Endpoints.Token != "/token" {
		t.Errorf("endpoints: %+v", done.Endpoints)
	}
	if g := done.Clients.Primary.Grants[1]; g != tokenExchangeGrant || c.Clients.Primary.Grants[1] != TokenExchange {
		t.Errorf("grant %s; of the original %s", g, c.Clients.Primary.Grants[1])
	}
	var auth []AuthMethod
	for _, client := range done.Clients.All() {
		auth = append(auth, client.AuthOrDefault())
	}
	if want := []AuthMethod{Basic, PrivateKeyJWT, NoClientAuth, Basic}; !reflect.DeepEqual(auth, want) {
		t.Errorf("authentication: %v", auth)
	}
	if done.Clients.ByName("more").Name != "more" || done.Login.Method != "auto" {
		t.Errorf("defaults: %+v", done)
	}
}

// TestRefusedFiles holds what is said about wrong files: the line, the key, and what to write.
func TestRefusedFiles(t *testing.T) {
	for _, test := range []struct{ yaml, want string }{
		{"target: https://as.example\nclint: {}\n", "t.yaml:2: clint: unknown key; did you mean clients?"},
		{"target: https://as.example\nclients:\n  primary:\n    id: a\n    redirect_uri: [x]\n", "t.yaml:5: clients.primary.redirect_uri: unknown key; did you mean redirect_uris?"},
		{"target: https://as.example\ntiming: {timeout: 10}\n", "`10` stands where a duration such as 10s is expected"},
		{"target: https://as.example\ntiming:\n  settle: -1s\n", "t.yaml:3: timing.settle: is negative"},
		{"scopes: [a]\n", "t.yaml:1: target: is missing"},
		{"\ntarget: as.example\n", "t.yaml:2: target: \"as.example\" is not an absolute http or https URL"},
		{"target: https://u:p@as.example\n", "t.yaml:1: target: the URL holds credentials"},
		{"target: https://as.example/#x\n", "has a fragment"},
		{"endpoints: {token: /token}\n", "t.yaml:1: endpoints.token: \"/token\" is relative"},
		{"target: https://as.example\nendpoints: {token: 'ftp:x'}\n", "endpoints.token: \"ftp:x\" is neither"},
		{"target: https://as.example\nclients:\n  primary: {secret: x}\n", "t.yaml:3: clients.primary.id: is missing"},
		{"target: https://as.example\nclients:\n  primary:\n    id: a\n    secret: s\n    auth: client_secret_basik\n", "t.yaml:6: clients.primary.auth: \"client_secret_basik\" is not known; did you mean client_secret_basic?"},
		{"target: https://as.example\nclients:\n  primary: {id: a, auth: client_secret_post}\n", "clients.primary.secret: is missing; client_secret_post needs it"},
		{"target: https://as.example\nclients:\n  primary: {id: a, auth: none, secret: s}\n", "clients.primary.auth: none excludes a secret"},
		{"target: https://as.example\nclients:\n  primary: {id: a, auth: private_key_jwt}\n", "clients.primary.key_file: is missing"},
		{"target: https://as.example\nclients:\n  primary:\n    id: a\n    secret_env: NOT_SET\n", "t.yaml:5: clients.primary.secret_env: the environment variable NOT_SET is not set, or empty; export NOT_SET=…"},
		{"target: https://as.example\nclients:\n  primary: {id: a, secret: s, secret_env: A}\n", "exclude each other"},
		{"target: https://as.example\nclients:\n  primary:\n    id: a\n    redirect_uris:\n    - https://ok.example/\n    - /relative\n", "t.yaml:7: clients.primary.redirect_uris[1]: \"/relative\" is not an absolute URI"},
		{"target: https://as.example\nclients:\n  primary: {id: a, redirect_uris: ['https://a.example/#f']}\n", "no redirection URI may have"},
		{"target: https://as.example\nclients:\n  primary: {id: a, grants: [client_credential]}\n", "did you mean client_credentials?"},
		{"target: https://as.example\nclients:\n  primary: {id: a, scopes: ['a b']}\n", "write a list: [a, b]"},
		{"target: https://as.example\nclients:\n  primary: {id: a}\n  second: {id: a}\n", "t.yaml:4: clients.second.id: is the primary client's"},
		{"target: https://as.example\nclients:\n  others: {public: {id: a}}\n", "t.yaml:3: clients.others.public: is a name with a meaning of its own"},
		{"target: https://as.example\nuser: {username: a}\n", "user.password: is missing"},
		{"target: https://as.example\nuser: {password: a}\n", "user.username: is missing"},
		{"target: https://as.example\nuser: {username: a, password_env: B}\n", "user.password_env: the environment variable B is not set"},
		{"target: https://as.example\nlogin: {method: brwoser, origins: [nowhere]}\n", "login.method: \"brwoser\" is not known; known are auto, form, none"},
		{"target: https://as.example\nlogin: {origins: [nowhere]}\n", "login.origins[0]: \"nowhere\" is no origin"},
		{"target: https://as.example\nauthorize_params: {state: x}\n", "authorize_params.state: is set by every check itself"},
		{"target: https://as.example\nresource: {url: /me, method: 'G T'}\n", "resource.url: \"/me\" is not an absolute"},
		{"target: https://as.example\nclients: {primary: {id: a}}\nintrospection: {client: primry}\n", "t.yaml:3: introspection.client: \"primry\" is not known; did you mean primary?"},
		{"target: https://as.example\ndialect: {request_format: xml}\n", "dialect.request_format: \"xml\" is not known"},
		{"target: [a]\n", "t.yaml:1: "},
		{"target: a: b\n", "t.yaml"},
	} {
		_, err := ParseConfig([]byte(test.yaml), "t.yaml", noEnv)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\n got %v\nwant %s", test.yaml, err, test.want)
		}
	}
	// All at once.
	_, err := ParseConfig([]byte("target: x\nscopes: ['a b']\ntiming: {timeout: -1s}\n"), "t.yaml", noEnv)
	if err == nil || strings.Count(err.Error(), "t.yaml:") != 3 {
		t.Errorf("not every fault is reported: %v", err)
	}
}

func TestLoadConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "target.yaml")
	if _, err := LoadConfig(file); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a missing file: %v", err)
	}
	for _, name := range []string{"OAUTHCHECK_SECRET", "OAUTHCHECK_SECOND_SECRET", "OAUTHCHECK_PASSWORD"} {
		t.Setenv(name, "from the environment")
	}
	// The example is right as it stands, and with everything that it shows switched on.
	everything := regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:)`).ReplaceAllString(ExampleConfig(), "$1$2")
	for _, text := range []string{ExampleConfig(), everything} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if c.Clients.Second.Secret != "from the environment" {
			t.Errorf("secret %q", c.Clients.Second.Secret)
		}
	}
	if !strings.Contains(everything, "\ntoken_exchange:") {
		t.Error("the commented sections were not switched on")
	}
}

func TestValidateFlags(t *testing.T) {
	if err := (Config{}).Validate(); err == nil || !strings.Contains(err.Error(), "target: is missing") {
		t.Errorf("an empty configuration: %v", err)
	}
	client := &Client{ID: "a", Secret: "s"}
	if err := (Config{Target: "https://as.example", Clients: Clients{Primary: client}}).Validate(); err != nil {
		t.Error(err)
	}
	if client.Name != "" {
		t.Error("Validate changes what it looks at")
	}
}

func TestWithProfile(t *testing.T) {
	c := Config{Target: "https://as.example/tenant", Clients: Clients{Primary: &Client{ID: "a", Secret: "s"}}, AuthorizeParams: map[string]string{"a": "mine"}, Endpoints: Endpoints{Token: "/t"}}
	got, err := c.WithProfile(&profiles.Profile{
		Name: "odd",
		Target: map[string]any{
			"endpoints":        map[string]any{"authorization": "oauth2/v1/auth/", "token": "oauth2/v1/token"},
			"clients":          map[string]any{"primary": map[string]any{"auth": "client_secret_post"}, "second": map[string]any{"auth": "none"}},
			"authorize_params": map[string]any{"a": "theirs", "b": "theirs"},
			"timing":           map[string]any{"settle": "1s"},
		},
		Dialect: profiles.Dialect{RequestFormat: "json"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got = got.Complete()
	if got.Endpoints.Authorization != "https://as.example/tenant/oauth2/v1/auth/" || got.Endpoints.Token != "https://as.example/t" {
		t.Errorf("endpoints %+v", got.Endpoints)
	}
	if got.Clients.Primary.Auth != Post || got.Clients.Primary.ID != "a" || got.Clients.Second != nil {
		t.Errorf("clients %+v", got.Clients)
	}
	if got.AuthorizeParams["a"] != "mine" || got.AuthorizeParams["b"] != "theirs" || got.Timing.Settle != time.Second || got.Dialect.RequestFormat != "json" {
		t.Errorf("rest %+v", got)
	}
	if c.Clients.Primary.Auth != "" || c.AuthorizeParams["b"] != "" {
		t.Error("the original changed")
	}
	if _, err := c.WithProfile(&profiles.Profile{Name: "bad", Target: map[string]any{"endpoint": "x"}}); err == nil {
		t.Error("an unknown key in a profile's target is accepted")
	}
}

// TestDocumented holds the reference of the target file against the structs: every key is there, and no other.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/target-file.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.*]+)`").FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = true
	}
	for _, path := range keys(reflect.TypeFor[Config](), "") {
		if !documented[path] {
			t.Errorf("docs/target-file.md lacks %s", path)
		}
		delete(documented, path)
	}
	for path := range documented {
		t.Errorf("docs/target-file.md describes %s, which does not exist", path)
	}
}

// keys lists the paths of the leaves below a struct; the clients' own keys are listed once, under `clients.*`.
func keys(t reflect.Type, prefix string) []string {
	var out []string
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch inner := field.Type; {
		case name == "-":
		case options == "inline":
			out = append(out, keys(inner, prefix)...)
		case inner.Kind() == reflect.Struct:
			out = append(out, keys(inner, prefix+name+".")...)
		default:
			out = append(out, prefix+name)
		}
	}
	if t == reflect.TypeFor[Clients]() {
		out = append(out, keys(reflect.TypeFor[Client](), prefix+"*.")...)
	}
	return out
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(ExampleConfig()))
	f.Add([]byte("clients: {primary: &a {id: *a}}"))
	f.Add([]byte("clients: {others: {x: }}\nendpoints: {token: '%'}\ntarget: 'http://['"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data, "t.yaml", anyEnv)
		if err == nil {
			c.Complete()
			if err := c.Validate(); err != nil {
				t.Fatalf("accepted, but not valid: %v", err)
			}
		}
	})
}

// TestBuiltInProfiles: what the built-in profiles say of their targets is understood.
func TestBuiltInProfiles(t *testing.T) {
	for _, name := range profiles.Names() {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Config{Target: "https://as.example", Clients: Clients{Primary: &Client{ID: "a", Secret: "s"}}}.WithProfile(p)
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
