package mockprovider

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the OpenAPI 3.1 document of the administration interface.
func OpenAPI() []byte { return openAPI }

// Admin serves the administration interface on a listener of its own (host:port, port 0 for a free one): everything that a Go test can do to a
// provider, over HTTP, for tests in other languages. Only loopback addresses are taken, unless AllowRemote is given too.
func Admin(address string) Option {
	return func(c *config) error { c.admin = address; return nil }
}

// AdminURL is where the administration interface is, "" without the option Admin.
func (p *Provider) AdminURL() string { return p.top().adminURL }

// startAdmin serves the administration interface.
func (p *Provider) startAdmin(address string, allowRemote bool) error {
	if err := guardAddress(address, allowRemote); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("mock provider: cannot listen on %s for the administration: %w", address, err)
	}
	p.adminURL = "http://" + listener.Addr().String()
	p.admin = &http.Server{Handler: p.AdminHandler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: discardLog}
	go p.admin.Serve(listener)
	return nil
}

// maxWait bounds how long a request of the administration waits for something.
const maxWait = 60 * time.Second

// adminCall is one request of the administration interface.
type adminCall struct {
	p    *Provider // the namespace's, where the path names one
	r    *http.Request
	body any // decoded JSON, nil for none
}

// adminRoute is one operation: openapi.yaml describes it under its method and path, and again for a namespace unless it is for the server only.
type adminRoute struct {
	method, path string
	serverOnly   bool
	do           func(c *adminCall) (any, error) // what it returns is the answer; nil: 204
}

var adminRoutes = []adminRoute{
	{method: "GET", path: "/description", do: (*adminCall).description},
	{method: "POST", path: "/reset", do: (*adminCall).reset},
	{method: "GET", path: "/answers", do: (*adminCall).listAnswers},
	{method: "POST", path: "/answers", do: (*adminCall).addAnswers},
	{method: "DELETE", path: "/answers", do: (*adminCall).forgetAnswers},
	{method: "GET", path: "/deviations", do: (*adminCall).listDeviations},
	{method: "POST", path: "/deviations", do: (*adminCall).addDeviations},
	{method: "DELETE", path: "/deviations", do: (*adminCall).conform},
	{method: "GET", path: "/catalogue", do: (*adminCall).catalogue},
	{method: "POST", path: "/claims", do: (*adminCall).addClaims},
	{method: "DELETE", path: "/claims", do: (*adminCall).forgetClaims},
	{method: "GET", path: "/clock", do: (*adminCall).readClock},
	{method: "POST", path: "/clock", do: (*adminCall).moveClock},
	{method: "POST", path: "/tokens", do: (*adminCall).mintTokens},
	{method: "POST", path: "/revocations", do: (*adminCall).revoke},
	{method: "POST", path: "/authorizations", do: (*adminCall).authorize},
	{method: "GET", path: "/devices", do: (*adminCall).listDevices},
	{method: "POST", path: "/devices", do: (*adminCall).decideDevice},
	{method: "GET", path: "/requests", do: (*adminCall).listRequests},
	{method: "DELETE", path: "/requests", do: (*adminCall).forgetRequests},
	{method: "PUT", path: "/clients/{id}", do: (*adminCall).putClient},
	{method: "DELETE", path: "/clients/{id}", do: (*adminCall).deleteClient},
	{method: "PUT", path: "/users/{id}", do: (*adminCall).putUser},
	{method: "DELETE", path: "/users/{id}", do: (*adminCall).deleteUser},
	{method: "POST", path: "/keys", do: (*adminCall).keys},
	{method: "GET", path: "/latches/{id}", do: (*adminCall).readLatch},
	{method: "POST", path: "/latches/{id}", do: (*adminCall).setLatch},
	{method: "GET", path: "/namespaces", serverOnly: true, do: (*adminCall).listNamespaces},
	{method: "POST", path: "/namespaces", serverOnly: true, do: (*adminCall).addNamespace},
	{method: "DELETE", path: "/namespaces/{id}", serverOnly: true, do: (*adminCall).deleteNamespace},
}

// adminError is an error with its HTTP status.
type adminError struct {
	status int
	error
}

func notFoundError(format string, args ...any) error {
	return adminError{http.StatusNotFound, fmt.Errorf(format, args...)}
}

// AdminHandler is the administration interface, for whoever serves it himself. It must not be reachable by the clients under test.
func (p *Provider) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range adminRoutes {
		mux.HandleFunc(route.method+" "+route.path, func(w http.ResponseWriter, r *http.Request) { p.administer(w, r, route, p) })
		if route.serverOnly {
			continue
		}
		mux.HandleFunc(route.method+" /namespaces/{namespace}"+route.path, func(w http.ResponseWriter, r *http.Request) {
			ns := p.namespaces()[r.PathValue("namespace")]
			if ns == nil {
				answerAdmin(w, nil, notFoundError("no namespace %q%s", r.PathValue("namespace"), suggestion(r.PathValue("namespace"), sortedKeys(p.namespaces()))))
				return
			}
			p.administer(w, r, route, ns)
		})
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { p.health(w) })
	mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Write(openAPI)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		allowed := methodsAt(mux, r)
		if len(allowed) == 0 {
			answerAdmin(w, nil, notFoundError("nothing answers %s %s; GET /openapi.yaml lists what does", r.Method, printable(r.URL.Path)))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		answerAdmin(w, nil, adminError{http.StatusMethodNotAllowed, fmt.Errorf("%s answers %s, not %s; GET /openapi.yaml tells of each", printable(r.URL.Path), strings.Join(allowed, ", "), printable(r.Method))})
	})
	return mux
}

// methodsAt are the methods that something answers at the path of a request.
func methodsAt(mux *http.ServeMux, r *http.Request) []string {
	var methods []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPost, http.MethodPut} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" && pattern != "" {
			methods = append(methods, method)
		}
	}
	return methods
}

// administer does one operation.
func (p *Provider) administer(w http.ResponseWriter, r *http.Request, route adminRoute, on *Provider) {
	c := &adminCall{p: on, r: r}
	if err := c.read(w); err != nil {
		answerAdmin(w, nil, err)
		return
	}
	result, err := route.do(c)
	answerAdmin(w, result, err)
}

// read reads the body, and refuses what a page in a browser could send unasked.
func (c *adminCall) read(w http.ResponseWriter) error {
	if origin := c.r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != c.r.Host {
			return adminError{http.StatusForbidden, errors.New("requests of pages of other origins are refused")}
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxBody))
	if err != nil {
		return adminError{http.StatusRequestEntityTooLarge, fmt.Errorf("the body cannot be read: %w", err)}
	}
	if len(body) == 0 {
		return nil
	}
	if mediaType, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return adminError{http.StatusUnsupportedMediaType, errors.New("a body is JSON, with Content-Type: application/json")}
	}
	if err := json.Unmarshal(body, &c.body); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return nil
}

// decode fills a struct from the body, strictly.
func (c *adminCall) decode(into any) error {
	if c.body == nil {
		return errors.New("a JSON object is missing in the body")
	}
	return decode("body", c.body, into)
}

// answerAdmin writes a result or an error.
func answerAdmin(w http.ResponseWriter, result any, err error) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
		if e, ok := errors.AsType[adminError](err); ok {
			status = e.status
		}
		result = map[string]any{"error": err.Error()}
	}
	if result == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := json.Marshal(result)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	header.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

func (c *adminCall) description() (any, error) { return c.p.Describe(), nil }

func (c *adminCall) reset() (any, error) { return nil, c.p.Reset() }

func (c *adminCall) listAnswers() (any, error) {
	pending := c.p.Pending()
	if pending == nil {
		pending = []string{}
	}
	return map[string]any{"pending": pending}, nil
}

func (c *adminCall) addAnswers() (any, error) {
	var e programEntry
	if err := c.decode(&e); err != nil {
		return nil, err
	}
	return nil, c.p.enqueue(e.When, e.Then)
}

func (c *adminCall) forgetAnswers() (any, error) {
	c.p.ForgetAnswers()
	return nil, nil
}

func (c *adminCall) listDeviations() (any, error) {
	inForce := c.p.Describe().Deviations
	if inForce == nil {
		inForce = []string{}
	}
	return map[string]any{"deviations": inForce}, nil
}

// catalogueEntry is a deviation that can be ordered by its name.
type catalogueEntry struct {
	Name      string           `json:"name"`
	Kind      string           `json:"kind"` // deviation: breaks a requirement; fault: for testers of clients
	Summary   string           `json:"summary"`
	Breaks    string           `json:"breaks,omitempty"`
	StandsFor string           `json:"stands_for,omitempty"`
	Params    []catalogueParam `json:"params"`
}

type catalogueParam struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

// catalogue lists what can be ordered: the deviations and faults of the catalogue, and those that were defined here.
func (c *adminCall) catalogue() (any, error) {
	wanted := c.r.URL.Query().Get("kind")
	if kinds := []string{"", "deviation", "fault"}; !slices.Contains(kinds, wanted) {
		return nil, fmt.Errorf("kind: no kind %q%s", wanted, suggestion(wanted, kinds[1:]))
	}
	list := []catalogueEntry{}
	own := c.p.own()
	all := profiles.Deviations()
	for _, name := range sortedKeys(own) {
		all = append(all, own[name])
	}
	for _, d := range all {
		e := catalogueEntry{Name: d.Name, Kind: "deviation", Summary: d.Summary, Breaks: d.Breaks, StandsFor: d.Stands, Params: []catalogueParam{}}
		if d.Fault || d.Breaks == "" {
			e.Kind = "fault"
		}
		if wanted != "" && e.Kind != wanted {
			continue
		}
		for _, p := range d.Params {
			e.Params = append(e.Params, catalogueParam(p))
		}
		list = append(list, e)
	}
	return map[string]any{"catalogue": list}, nil
}

func (c *adminCall) addDeviations() (any, error) {
	var in struct {
		Deviations []string `yaml:"deviations"`
		Define     []any    `yaml:"define"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Deviations)+len(in.Define) == 0 {
		return nil, errors.New("body: deviations or define is missing")
	}
	for i, data := range in.Define {
		d, err := decodeDeviation(fmt.Sprintf("body.define[%d]", i), data)
		if err == nil {
			err = c.p.Define(d)
		}
		if err != nil {
			return nil, err
		}
	}
	added, err := lookupAll(c.p.own(), in.Deviations)
	if err != nil {
		return nil, err
	}
	return nil, c.p.deviate(added)
}

// decodeDeviation reads the definition of a deviation from plain data.
func decodeDeviation(where string, data any) (profiles.Deviation, error) {
	var d profiles.Deviation
	text, err := yaml.Marshal(data)
	if err != nil {
		return d, fmt.Errorf("%s: %w", where, err)
	}
	if err := profiles.DecodeStrict(text, where, &d); err != nil {
		return d, err
	}
	if d.Name == "" || len(d.Do) == 0 {
		return d, fmt.Errorf("%s: a deviation needs a name and operations (do)", where)
	}
	return d, nil
}

func (c *adminCall) conform() (any, error) {
	c.p.Conform()
	return nil, nil
}

func (c *adminCall) addClaims() (any, error) {
	var in struct {
		When map[string]any `yaml:"when"`
		Set  Claims         `yaml:"set"`
		Once bool           `yaml:"once"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return nil, c.p.addClaims(ClaimRule{in.When, in.Set}, in.Once)
}

func (c *adminCall) forgetClaims() (any, error) {
	c.p.ForgetClaims()
	return nil, nil
}

func (c *adminCall) readClock() (any, error) {
	return map[string]any{"now": c.p.clock.Now().UTC().Format(time.RFC3339Nano)}, nil
}

func (c *adminCall) moveClock() (any, error) {
	var in struct {
		Advance time.Duration `yaml:"advance"`
		Set     string        `yaml:"set"`
		Reset   bool          `yaml:"reset"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Reset:
		c.p.clock.Reset()
	case in.Set != "":
		at, err := time.Parse(time.RFC3339, in.Set)
		if err != nil {
			return nil, fmt.Errorf("body.set: expected a time such as 2026-01-31T12:00:00Z, found %q", in.Set)
		}
		c.p.clock.Set(at)
	case in.Advance == 0:
		return nil, errors.New("body: advance, set or reset is missing")
	}
	c.p.clock.Advance(in.Advance)
	return c.readClock()
}

func (c *adminCall) mintTokens() (any, error) {
	var i Issuance
	if c.body != nil {
		if err := c.decode(&i); err != nil {
			return nil, err
		}
	}
	return c.p.Issue(i)
}

func (c *adminCall) revoke() (any, error) {
	var in struct {
		User   string `yaml:"user"`
		Client string `yaml:"client"`
	}
	if c.body != nil {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	return map[string]any{"revoked": c.p.Revoke(in.User, in.Client)}, nil
}

func (c *adminCall) authorize() (any, error) {
	var in struct {
		URL    string   `yaml:"url"`
		User   string   `yaml:"user"`
		Scopes []string `yaml:"scopes"`
		Deny   bool     `yaml:"deny"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.URL == "" {
		return nil, fmt.Errorf("body.url: the authorization request is missing: the URL that the client sends the browser to, %s?…", c.p.Endpoint(AuthorizationEndpoint))
	}
	return c.p.Authorize(c.r.Context(), in.URL, Decision{User: in.User, Scopes: in.Scopes, Deny: in.Deny})
}

func (c *adminCall) listDevices() (any, error) {
	return map[string]any{"devices": c.p.PendingDevices()}, nil
}

func (c *adminCall) decideDevice() (any, error) {
	var in struct {
		UserCode string   `yaml:"user_code"`
		User     string   `yaml:"user"`
		Scopes   []string `yaml:"scopes"`
		Deny     bool     `yaml:"deny"`
	}
	if c.body != nil {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	return nil, c.p.DecideDevice(in.UserCode, Decision{User: in.User, Scopes: in.Scopes, Deny: in.Deny})
}

// count reads a query parameter that counts.
func count(name, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: expected a whole number, found %q", name, value)
	}
	return n, nil
}

// listRequests answers with recorded requests, after so many have come as the query asks for.
func (c *adminCall) listRequests() (any, error) {
	q := c.r.URL.Query()
	m := Match{Param: map[string]string{}, Header: map[string]string{}}
	n, timeout, cutSecrets := 0, 5*time.Second, false
	for name, values := range q {
		value := values[0]
		var err error
		switch {
		case name == "endpoint":
			if m.Endpoint = value; !strings.ContainsAny(value, "*?!") && !endpointNames[value] && value != OtherPath {
				err = fmt.Errorf("endpoint: no endpoint %q%s", value, suggestion(value, endpointList()))
			}
		case name == "method":
			m.Method = value
		case name == "path":
			m.Path = value
		case name == "client":
			m.Client = value
		case name == "grant":
			m.Grant = value
		case name == "user":
			m.User = value
		case name == "nth":
			m.Nth, err = count(name, value)
		case name == "wait":
			n, err = count(name, value)
		case name == "timeout":
			if timeout, err = toDuration(value); err != nil {
				err = fmt.Errorf("timeout: %w", err)
			}
		case name == "secrets":
			if cutSecrets = value == "cut"; !cutSecrets && value != "shown" {
				err = fmt.Errorf("secrets: %q%s", value, suggestion(value, []string{"shown", "cut"}))
			}
		case strings.HasPrefix(name, "param."):
			m.Param[strings.TrimPrefix(name, "param.")] = value
		case strings.HasPrefix(name, "header."):
			m.Header[strings.TrimPrefix(name, "header.")] = value
		default:
			known := []string{"endpoint", "method", "path", "client", "grant", "user", "nth", "wait", "timeout", "secrets", "param.NAME", "header.NAME"}
			err = fmt.Errorf("no query parameter %q%s", name, suggestion(name, known))
		}
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), min(timeout, maxWait))
	defer cancel()
	found, err := c.p.WaitFor(ctx, n, m)
	if err != nil {
		return nil, adminError{http.StatusRequestTimeout, err}
	}
	if cutSecrets {
		found = found.WithoutSecrets()
	}
	out := make([]recordedRequest, len(found))
	for i, r := range found {
		out[i] = recordedRequest{r, r.URL.RequestURI()}
	}
	return map[string]any{"requests": out}, nil
}

// recordedRequest is a Request as JSON.
type recordedRequest struct {
	Request
	Target string `json:"target"` // request URI
}

func (c *adminCall) forgetRequests() (any, error) {
	c.p.ForgetRequests()
	return nil, nil
}

func (c *adminCall) putClient() (any, error) {
	client := RegisteredClient{Kind: "web"}
	if err := c.decode(&client); err != nil {
		return nil, err
	}
	if key, err := client.check(); err != nil {
		return nil, fmt.Errorf("body%s: %w", key, err)
	}
	client.ID = c.r.PathValue("id")
	client.Public = client.Public || client.Secret == "" && client.JWKS == nil && client.PrivateKey == ""
	if client.Name == "" {
		client.Name = client.ID
	}
	c.p.Register(client)
	return c.p.client(client.ID), nil
}

func (c *adminCall) deleteClient() (any, error) {
	id := c.r.PathValue("id")
	if !c.p.Unregister(id) {
		return nil, notFoundError("no client %q", id)
	}
	return nil, nil
}

func (c *adminCall) putUser() (any, error) {
	var user ResourceOwner
	if err := c.decode(&user); err != nil {
		return nil, err
	}
	user.Username = c.r.PathValue("id")
	c.p.AddUsers(user)
	return c.p.user(user.Username), nil
}

func (c *adminCall) deleteUser() (any, error) {
	name := c.r.PathValue("id")
	if !c.p.RemoveUser(name) {
		return nil, notFoundError("no user %q%s", name, suggestion(name, c.p.userNames()))
	}
	return nil, nil
}

func (c *adminCall) keys() (any, error) {
	var in struct {
		Action string `yaml:"action"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch in.Action {
	case "rotate":
		c.p.RotateKeys()
	case "retire":
		c.p.RetireKeys()
	default:
		return nil, fmt.Errorf("body.action: %q%s", in.Action, suggestion(in.Action, []string{"rotate", "retire"}))
	}
	return nil, nil
}

func (c *adminCall) readLatch() (any, error) {
	l := c.p.Latch(c.r.PathValue("id"))
	q := c.r.URL.Query()
	if q.Has("held") {
		n, err := count("held", q.Get("held"))
		if err != nil {
			return nil, err
		}
		timeout := 5 * time.Second
		if q.Has("timeout") {
			if timeout, err = toDuration(q.Get("timeout")); err != nil {
				return nil, fmt.Errorf("timeout: %w", err)
			}
		}
		ctx, cancel := context.WithTimeout(c.r.Context(), min(timeout, maxWait))
		defer cancel()
		if err := l.arrived(ctx, n, c.p.root.done); err != nil {
			return nil, adminError{http.StatusRequestTimeout, err}
		}
	}
	return map[string]any{"held": l.Held()}, nil
}

func (c *adminCall) setLatch() (any, error) {
	var in struct {
		Action string `yaml:"action"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	l := c.p.Latch(c.r.PathValue("id"))
	switch in.Action {
	case "open":
		l.Open()
	case "shut":
		l.Shut()
	default:
		return nil, fmt.Errorf("body.action: %q%s", in.Action, suggestion(in.Action, []string{"open", "shut"}))
	}
	return nil, nil
}

func (c *adminCall) listNamespaces() (any, error) {
	list := map[string]string{}
	for name, ns := range c.p.namespaces() {
		list[name] = ns.Issuer()
	}
	return map[string]any{"namespaces": list}, nil
}

func (c *adminCall) addNamespace() (any, error) {
	m, ok := c.body.(map[string]any)
	if !ok {
		return nil, errors.New("body: a JSON object with the name of the namespace is expected")
	}
	name, _ := m["name"].(string)
	var opts []Option
	if config, ok := m["config"]; ok {
		text, err := yaml.Marshal(config)
		if err != nil {
			return nil, fmt.Errorf("body.config: %w", err)
		}
		opts = append(opts, ConfigData(text, "body.config"))
	}
	for key := range m {
		if key != "name" && key != "config" {
			return nil, fmt.Errorf("body: unknown key %q%s", key, suggestion(key, []string{"name", "config"}))
		}
	}
	ns, err := c.p.AddNamespace(name, opts...)
	if err != nil {
		return nil, err
	}
	return ns.Describe(), nil
}

func (c *adminCall) deleteNamespace() (any, error) {
	name := c.r.PathValue("id")
	ns := c.p.namespaces()[name]
	if ns == nil {
		return nil, notFoundError("no namespace %q%s", name, suggestion(name, sortedKeys(c.p.namespaces())))
	}
	return nil, ns.Close()
}
