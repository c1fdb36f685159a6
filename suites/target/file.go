package target

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/suites/login"
)

// maxFile bounds a target file.
const maxFile = 1 << 20

// LoadConfig reads a target file. It refuses unknown keys, takes secrets from the environment variables that the file
// names, and resolves key and CA files against the file's directory. All faults are reported at once, each as
// `file:line: key: what is wrong`. The result is as Validate wants it. What is laid over the file (a command line's flags)
// is so before anything is found missing.
func LoadConfig(path string, overlay ...func(*Config)) (Config, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Config{}, fmt.Errorf("the target file cannot be read: %w", err)
	case info.Size() > maxFile:
		return Config{}, fmt.Errorf("the target file %s is larger than %d bytes", path, maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("the target file cannot be read: %w", err)
	}
	return ParseConfig(data, path, os.LookupEnv, overlay...)
}

// ParseConfig is LoadConfig for the content of a file; lookup finds environment variables. file serves messages and, by
// its directory, the resolution of file names.
func ParseConfig(data []byte, file string, lookup func(name string) (string, bool), overlay ...func(*Config)) (Config, error) {
	var c Config
	if err := profiles.DecodeStrict(data, file, &c); err != nil {
		return Config{}, err
	}
	var found []Problem
	for _, client := range c.Clients.named() {
		if client.KeyFile != "" && !filepath.IsAbs(client.KeyFile) {
			client.KeyFile = filepath.Join(filepath.Dir(file), client.KeyFile)
		}
		if client.SecretEnv == "" {
			continue
		}
		path := client.Path()
		if client.Secret != "" {
			found = append(found, Problem{Path: path + ".secret_env", Text: "secret and secret_env exclude each other"})
		} else if client.Secret = fromEnvironment(client.SecretEnv, lookup); client.Secret == "" {
			found = append(found, Problem{Path: path + ".secret_env", Text: unsetVariable(client.SecretEnv)})
		}
	}
	if c.TLS.CAFile != "" && !filepath.IsAbs(c.TLS.CAFile) {
		c.TLS.CAFile = filepath.Join(filepath.Dir(file), c.TLS.CAFile)
	}
	if c.User.PasswordEnv != "" {
		if c.User.Password != "" {
			found = append(found, Problem{Path: "user.password_env", Text: "password and password_env exclude each other"})
		} else if c.User.Password = fromEnvironment(c.User.PasswordEnv, lookup); c.User.Password == "" {
			found = append(found, Problem{Path: "user.password_env", Text: unsetVariable(c.User.PasswordEnv)})
		}
	}
	for _, lay := range overlay {
		lay(&c)
	}
	found = append(found, c.problems()...)
	if len(found) == 0 {
		return c, nil
	}
	var document yaml.Node
	_ = yaml.Unmarshal(data, &document) // has been decoded above
	lines := map[string]int{}
	index(&document, "", lines)
	var errs []error
	for _, p := range found {
		errs = append(errs, fmt.Errorf("%s:%d: %w", file, lineOf(p.Path, lines), p))
	}
	return Config{}, errors.Join(errs...)
}

// fromEnvironment drops the line end that files and shells leave behind a secret.
func fromEnvironment(name string, lookup func(string) (string, bool)) string {
	value, _ := lookup(name)
	return strings.TrimRight(value, "\r\n")
}

func unsetVariable(name string) string {
	return fmt.Sprintf("the environment variable %s is not set, or empty; export %s=…", name, name)
}

// index notes the line of every key and list element of a document by its path.
func index(node *yaml.Node, path string, lines map[string]int) {
	if path != "" && lines[path] == 0 {
		lines[path] = node.Line
	}
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			index(child, path, lines)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+node.Content[i].Value, ".")
			lines[key] = node.Content[i].Line
			index(node.Content[i+1], key, lines)
		}
	case yaml.SequenceNode:
		for i, child := range node.Content {
			index(child, fmt.Sprintf("%s[%d]", path, i), lines)
		}
	}
}

// lineOf is the line of a path, or of the nearest thing around it; 1 for what the file lacks altogether.
func lineOf(path string, lines map[string]int) int {
	for path != "" {
		if line := lines[path]; line > 0 {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// Problem is something wrong with a configuration.
type Problem struct {
	Path string // the key: "clients.primary.auth"
	Text string // what is wrong and what to write instead
}

// Error gives key and text.
func (p Problem) Error() string { return p.Path + ": " + p.Text }

// Validate checks a configuration, wherever it comes from, without asking the network. The error joins one Problem for
// each fault.
func (c Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// Unread names the reserved sections that are filled in and have no effect. (dpop and resource_indicators have one: they say
// that the target supports it.)
func (c Config) Unread() []string {
	var out []string
	for name, value := range c.Reserved.sections() {
		if value != nil && name != "dpop" && name != "resource_indicators" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (r Reserved) sections() map[string]any {
	return map[string]any{
		"baseline": r.Baseline, "dpop": r.DPoP, "par": r.PAR, "mtls": r.MTLS, "device": r.Device, "logout": r.Logout,
		"resource_indicators": r.ResourceIndicators, "jwt_bearer": r.JWTBearer,
	}
}

// problems is the list behind Validate, in the order of the file format.
func (c Config) problems() []Problem {
	c = c.clone() // naming the clients must not show outside
	var found validator
	found.target(c)
	found.endpoints(c)
	found.clients(c)
	found.owner(c)
	found.uses(c)
	for _, wait := range []struct {
		name string
		d    time.Duration
	}{
		{"timeout", c.Timing.Timeout}, {"settle", c.Timing.Settle}, {"code_lifetime", c.Timing.CodeLifetime},
		{"token_lifetime", c.Timing.TokenLifetime}, {"rotation_grace", c.Timing.RotationGrace},
	} {
		if wait.d < 0 {
			found.add("timing."+wait.name, "is negative")
		}
	}
	return found
}

type validator []Problem

func (v *validator) add(path, format string, args ...any) {
	*v = append(*v, Problem{path, fmt.Sprintf(format, args...)})
}

// oneOf reports a word that is not in a list, with the nearest that is.
func (v *validator) oneOf(path, word string, known ...string) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	hint := "; known are " + strings.Join(known, ", ")
	if near := profiles.Nearest(word, known); near != "" {
		hint = "; did you mean " + near + "?"
	}
	v.add(path, "%q is not known%s", word, hint)
}

// url reports what is no absolute URL of a server.
func (v *validator) url(path, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		v.add(path, "%q is not a URL", raw)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		v.add(path, "%q is not an absolute http or https URL", raw)
	case u.User != nil:
		v.add(path, "the URL holds credentials, which would show in reports; use clients and user")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		v.add(path, "%q has a fragment", raw)
	}
}

func (v *validator) target(c Config) {
	switch {
	case c.Target != "":
		v.url("target", c.Target)
	case c.Endpoints == Endpoints{}:
		v.add("target", "is missing; write the issuer, the base URL or the token endpoint, for example target: https://as.example")
	}
}

func (v *validator) endpoints(c Config) {
	for _, e := range c.Endpoints.list() {
		switch {
		case *e.url == "":
		case strings.Contains(*e.url, "://"):
			v.url("endpoints."+e.name, *e.url)
		case c.Target == "":
			v.add("endpoints."+e.name, "%q is relative, and there is no target that it is relative to", *e.url)
		default:
			if u, err := url.Parse(*e.url); err != nil || u.Scheme != "" {
				v.add("endpoints."+e.name, "%q is neither an http or https URL nor a path", *e.url)
			}
		}
	}
}

var authMethods = []string{string(Basic), string(Post), string(SecretJWT), PrivateKeyJWT, string(NoClientAuth)}

// grantTypes are the names that a client's grants may hold besides URIs; the values are what they stand for.
var grantTypes = map[string]string{
	AuthorizationCode: AuthorizationCode, "implicit": "implicit", string(Password): string(Password),
	string(ClientCredentials): string(ClientCredentials), string(RefreshToken): string(RefreshToken),
	TokenExchange: Grant(TokenExchange).Type(), JWTBearer: Grant(JWTBearer).Type(), string(DeviceCode): DeviceCode.Type(),
}

func (v *validator) clients(c Config) {
	names := make([]string, 0, len(grantTypes))
	for name := range grantTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, special := range specialClients {
		if c.Clients.Others[special] != nil {
			v.add("clients.others."+special, "is a name with a meaning of its own; write clients.%s or choose another", special)
		}
	}
	for _, client := range c.Clients.named() {
		path := client.Path()
		if client.ID == "" {
			v.add(path+".id", "is missing")
		}
		v.oneOf(path+".auth", string(client.Auth), authMethods...)
		switch auth := client.AuthOrDefault(); {
		case auth == PrivateKeyJWT && !client.hasKey():
			v.add(path+".key_file", "is missing; private_key_jwt signs with it")
		case (auth == Basic || auth == Post || auth == SecretJWT) && client.Secret == "" && client.SecretEnv == "" && !client.EmptySecret:
			v.add(path+".secret", "is missing; %s needs it (or secret_env, or empty_secret)", auth)
		case auth == NoClientAuth && client.Secret != "":
			v.add(path+".auth", "none excludes a secret")
		}
		for i, raw := range client.RedirectURIs {
			at := fmt.Sprintf("%s.redirect_uris[%d]", path, i)
			u, err := url.Parse(raw)
			switch {
			case err != nil || !u.IsAbs():
				v.add(at, "%q is not an absolute URI", raw)
			case strings.Contains(raw, "#"):
				v.add(at, "%q has a fragment, which no redirection URI may have", raw)
			}
		}
		for i, grant := range client.Grants {
			if !strings.Contains(grant, ":") {
				v.oneOf(fmt.Sprintf("%s.grants[%d]", path, i), grant, names...)
			}
		}
		v.scopes(path+".scopes", client.Scopes)
	}
	if first, second := c.Clients.Primary, c.Clients.Second; first != nil && second != nil && first.ID == second.ID && first.ID != "" {
		v.add("clients.second.id", "is the primary client's; the second client is another one")
	}
}

// scopes reports what is no scope-token (RFC 6749 section 3.3).
func (v *validator) scopes(path string, scopes []string) {
	for i, s := range scopes {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case s == "":
			v.add(at, "is empty")
		case strings.ContainsAny(s, " \t"):
			v.add(at, "%q holds a space; write a list: [%s]", s, strings.Join(strings.Fields(s), ", "))
		case strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' || r == '"' || r == '\\' }):
			v.add(at, "%q is no scope: only printable ASCII without quotes and backslashes", s)
		}
	}
}

func (v *validator) owner(c Config) {
	switch {
	case c.User.Username == "" && c.User.Password != "":
		v.add("user.username", "is missing")
	case c.User.Username != "" && c.User.Password == "" && c.User.PasswordEnv == "":
		v.add("user.password", "is missing (or password_env)")
	}
	v.oneOf("login.method", c.Login.Method, "auto", "form", "none")
	v.oneOf("login.consent", c.Login.Consent, "always")
	v.oneOf("declares.pkce", c.Declares.PKCE, "required", "required-of-public", "optional", "unsupported")
	for i, o := range c.Login.Origins {
		if at := fmt.Sprintf("login.origins[%d]", i); login.Origin(o) == "" {
			v.add(at, "%q is no origin such as https://login.example", o)
		}
	}
	v.scopes("scopes", c.Scopes)
}

// flowParams are set by the tester in every authorization or token request.
var flowParams = []string{"response_type", "client_id", "redirect_uri", "state", "nonce", "scope", "code_challenge", "code_challenge_method",
	"grant_type", "code", "code_verifier", "client_secret", "username", "password", "refresh_token"}

func (v *validator) uses(c Config) {
	for _, name := range flowParams {
		if _, given := c.AuthorizeParams[name]; given {
			v.add("authorize_params."+name, "is set by every check itself")
		}
		if _, given := c.TokenParams[name]; given {
			v.add("token_params."+name, "is set by every check itself")
		}
	}
	if c.Resource.URL != "" {
		v.url("resource.url", c.Resource.URL)
	}
	if strings.ContainsFunc(c.Resource.Method, func(r rune) bool { return r < 'A' || r > 'z' }) {
		v.add("resource.method", "%q is no HTTP method", c.Resource.Method)
	}
	v.scopes("resource.scopes", c.Resource.Scopes)
	if known := c.Clients.names(); len(known) > 0 {
		v.oneOf("introspection.client", c.Introspection.Client, known...)
		v.oneOf("token_exchange.client", c.TokenExchange.Client, known...)
	}
	v.oneOf("dialect.request_format", c.Dialect.RequestFormat, "form", "json")
}

// named is All with the clients' names filled in.
func (c Clients) named() []*Client {
	c.name()
	return c.All()
}

// Path is the client's key in the target file.
func (c *Client) Path() string {
	if slices.Contains(specialClients, c.Name) {
		return "clients." + c.Name
	}
	return "clients.others." + c.Name
}
