package mockprovider

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// Provider is a running fake authorization server. It is an http.Handler; all its methods may be called from any goroutine.
type Provider struct {
	settings    Settings
	base        string // the issuer
	origin      string // scheme and authority of the issuer
	prefix      string // path of the issuer, "" for none
	clock       *Clock
	random      *randomSource
	shuffle     *shuffle
	keys        *keySet
	store       store
	log         requestLog
	parent      *Provider // of a namespace
	name        string    // of a namespace
	opts        []Option  // that made it
	spaces      atomic.Pointer[map[string]*Provider]
	slash       string // "/" where the issuer identifier ends in one
	seeds       Seeds
	routes      map[string]*endpoint
	patterns    map[string]*endpoint // routes with a * in them
	root        *Provider            // the provider itself or, for a further tenant, the first: it has the log, the clients and the deviations
	tenants     []*Provider          // further ones
	counter     atomic.Int64
	generations atomic.Int64 // of keys, in all namespaces
	queue       queue

	claimRules atomic.Pointer[[]*claimRule]
	program    atomic.Pointer[program]

	mu        sync.Mutex
	latches   map[string]*Latch
	tb        testing.TB // the test that it was made for, or nil
	closed    bool
	done      chan struct{}     // closed with the provider
	transport http.RoundTripper // of HTTPClient
	declared  []declaration
	defined   map[string]profiles.Deviation // deviations of its own, by name; replaced, never changed
	userMap   atomic.Pointer[map[string]*ResourceOwner]
	clientMap atomic.Pointer[map[string]*RegisteredClient]

	authority *authority // with the setting tls
	server    *http.Server
	admin     *http.Server
	adminURL  string
	listen    net.Listener
}

// endpoint is one place of the provider: its name, which is the first part of its steps' names, and what it does.
type endpoint struct {
	name   string
	handle func(x *exchange)
}

// endpoints are all places that a path can lead to.
func endpoints() map[string]*endpoint {
	list := []*endpoint{
		{"authorize", (*exchange).authorize}, {"login", (*exchange).login}, {"consent", (*exchange).consent},
		{"token", (*exchange).tokenEndpoint}, {"userinfo", (*exchange).userinfo}, {"tokeninfo", (*exchange).tokeninfo}, {"resource", (*exchange).resource},
		{"introspection", (*exchange).introspection}, {"revocation", (*exchange).revocation},
		{"registration", (*exchange).registration}, {"client_configuration", (*exchange).clientConfiguration},
		{"device_authorization", (*exchange).deviceAuthorization}, {"device", (*exchange).devicePage},
		{"end_session", (*exchange).endSession}, {"metadata", (*exchange).metadata}, {"openid_configuration", (*exchange).openidConfiguration}, {"jwks", (*exchange).jwks},
	}
	m := make(map[string]*endpoint, len(list))
	for _, e := range list {
		m[e.name] = e
	}
	return m
}

// endpointNames are the names of endpoints.
var endpointNames = func() map[string]bool {
	names := make(map[string]bool)
	for _, name := range []string{"authorize", "login", "consent", "token", "userinfo", "tokeninfo", "resource", "introspection", "revocation",
		"registration", "client_configuration", "device_authorization", "device", "end_session", "metadata", "openid_configuration", "jwks"} {
		names[name] = true
	}
	return names
}()

func endpointList() []string { return sortedKeys(endpointNames) }

// New starts a provider on a free loopback port and closes it when the test ends. A wrong option fails the test.
func New(tb testing.TB, opts ...Option) *Provider {
	tb.Helper()
	p, err := Start(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	p.attend(tb)
	return p
}

// attend ties the provider to a test: it ends with it, and says what it was asked if the test failed.
func (p *Provider) attend(tb testing.TB) {
	p.mu.Lock()
	p.tb = tb
	p.mu.Unlock()
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Log(p.protocol())
		}
		if err := p.Close(); err != nil {
			tb.Errorf("closing the mock provider: %v", err)
		}
	})
}

// protocolSize is how many requests are shown when a test fails.
const protocolSize = 30

// protocol is what a failed test shows.
func (p *Provider) protocol() string {
	var b strings.Builder
	requests := p.Requests()
	fmt.Fprintf(&b, "mock provider %s received %d requests", p.base, len(requests))
	if len(requests) > protocolSize {
		requests = requests[len(requests)-protocolSize:]
		fmt.Fprintf(&b, ", the last %d of them", protocolSize)
	}
	fmt.Fprintf(&b, ":\n%s", requests)
	if pending := p.Pending(); len(pending) > 0 {
		fmt.Fprintf(&b, "\nprogrammed answers that nobody asked for:\n  %s", strings.Join(pending, "\n  "))
	}
	if repeat := p.seeds.String(); repeat != "" {
		fmt.Fprintf(&b, "\nto repeat it: %s", repeat)
	}
	return b.String()
}

// Start starts a provider on a loopback address (127.0.0.1 and a free port unless Listen says otherwise). The caller closes it.
func Start(opts ...Option) (*Provider, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	address := c.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	if err := guardAddress(address, c.allowRemote); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot listen on %s: %w", address, err)
	}
	scheme := "http://"
	if c.settings.TLS {
		scheme = "https://"
	}
	p, err := c.provider(scheme + nameOf(listener.Addr()))
	if err != nil {
		listener.Close()
		return nil, err
	}
	if p.authority != nil {
		listener = &secureListener{listener, p, p.tlsConfig()}
	}
	p.listen = listener
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 18, ErrorLog: discardLog}
	go p.server.Serve(listener)
	if c.admin != "" {
		if err := p.startAdmin(c.admin, c.allowRemote); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// nameOf is an address that a client on this machine can use: a listener on all interfaces is localhost.
func nameOf(address net.Addr) string {
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return address.String()
}

// guardAddress refuses addresses that other machines can reach: everybody knows the provider's keys and secrets.
func guardAddress(address string, allowed bool) error {
	if allowed {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("mock provider: listen address %q: want host:port: %w", address, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("mock provider: %q is not a loopback address: the keys and secrets of the mock are public, so it listens for other machines only with the option AllowRemote", address)
}

// NewHandler makes a provider without a socket, for in-process transports. Its issuer is http://mock.test (https with the
// setting tls) unless the option Issuer says otherwise.
func NewHandler(opts ...Option) (*Provider, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	if c.settings.TLS {
		return c.provider("https://mock.test")
	}
	return c.provider("http://mock.test")
}

// slash is what the issuer identifier has at its end beyond the base of the endpoints.
func (c *config) slash() string {
	if strings.HasSuffix(c.settings.Issuer, "/") {
		return "/"
	}
	return ""
}

// provider builds the provider; defaultIssuer is used where the settings name none.
func (c *config) provider(defaultIssuer string) (*Provider, error) {
	p := &Provider{settings: c.settings, clock: newClock(c.now), random: c.random, shuffle: c.shuffle, opts: c.opts, parent: c.parent, name: c.name, seeds: c.seeds, slash: c.slash(), done: make(chan struct{})}
	p.root = p
	if c.clock != nil {
		p.clock = c.clock
	}
	if p.random == nil {
		p.random = &randomSource{}
	}
	number := &p.top().generations
	p.keys = newKeySet(c.freshKeys, func() int { return int(number.Add(1)) - 1 }, c.settings.IDToken.Algorithm, c.settings.AccessToken.Algorithm)
	if p.settings.TLS && p.parent == nil {
		authority, err := newAuthority(c.certificate)
		if err != nil {
			return nil, err
		}
		p.authority = authority
	}
	p.base = strings.TrimSuffix(p.settings.Issuer, "/")
	if p.base == "" {
		p.base = defaultIssuer
	}
	if p.shuffle != nil {
		p.shuffle.paths(p.settings.Endpoints)
	}
	if err := p.settle(p.settings.Tenants); err != nil {
		return nil, err
	}
	if err := p.populate(c); err != nil {
		return nil, err
	}
	if c.parent == nil {
		for _, name := range sortedKeys(c.namespaces) {
			if _, err := p.AddNamespace(name, c.namespaces[name]); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// settle gives the provider its place under the issuer and makes the tenants beside it.
func (p *Provider) settle(tenants []string) error {
	for _, name := range tenants[min(1, len(tenants)):] {
		t := &Provider{settings: p.settings, base: p.base + "/" + name, clock: p.clock, random: p.random, keys: p.keys, shuffle: p.shuffle, root: p}
		if err := t.settle(nil); err != nil {
			return err
		}
		p.tenants = append(p.tenants, t)
	}
	if len(tenants) > 0 {
		p.base += "/" + tenants[0]
	}
	u, err := url.Parse(p.base)
	if err != nil || u.Scheme == "" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("mock provider: issuer %q is not an absolute URL without query and fragment (RFC 8414 section 2)", p.base)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("mock provider: issuer %q is not an http or https URL", p.base)
	}
	p.origin, p.prefix = u.Scheme+"://"+u.Host, u.Path
	p.route()
	return nil
}

// route works out which path leads where.
func (p *Provider) route() {
	all := endpoints()
	p.routes, p.patterns = make(map[string]*endpoint), make(map[string]*endpoint)
	for name, path := range p.settings.Endpoints {
		path, _, _ = strings.Cut(path, "?")
		p.routes[p.prefix+path] = all[name]
	}
	for path, name := range p.settings.Aliases {
		if strings.Contains(path, "*") {
			p.patterns[p.prefix+path] = all[name]
			continue
		}
		p.routes[p.prefix+path] = all[name]
	}
	// RFC 8414 section 3.1 inserts the well-known part before the issuer's path, OpenID Connect Discovery appends it. Both documents at both places.
	for _, place := range []struct{ suffix, name string }{{"oauth-authorization-server", "metadata"}, {"openid-configuration", "openid_configuration"}} {
		if place.name == "openid_configuration" && !p.settings.OpenID {
			continue
		}
		p.routes["/.well-known/"+place.suffix+p.prefix] = all[place.name]
		if p.prefix != "" && place.name == "openid_configuration" {
			p.routes[p.prefix+"/.well-known/"+place.suffix] = all[place.name]
		}
	}
}

// find is where a request goes. Deviations may move the well-known documents.
func (p *Provider) find(x *exchange) (*endpoint, bool) {
	e, ok := p.at(x.r.URL.Path)
	if len(x.program) == 0 {
		return e, ok
	}
	for suffix, name := range map[string]string{"oauth-authorization-server": "metadata", "openid-configuration": "openid_configuration"} {
		modes, moved := x.program[name+".location"]
		if !moved || len(modes) == 0 {
			continue
		}
		x.endpoint = name
		if x.wellKnown(name+".location", suffix) {
			return endpoints()[name], true
		}
		if ok && e.name == name && !x.mode(name+".location", "any-issuer") {
			return nil, false
		}
	}
	return e, ok
}

// at is the endpoint at a path.
func (p *Provider) at(requested string) (*endpoint, bool) {
	if e, ok := p.routes[requested]; ok {
		return e, true
	}
	for pattern, e := range p.patterns {
		if ok, err := path.Match(pattern, requested); ok && err == nil {
			return e, true
		}
	}
	return nil, false
}

// tenantAt is the provider that a path belongs to.
func (p *Provider) tenantAt(requested string) *Provider {
	for _, t := range p.tenants {
		if _, ok := t.at(requested); ok || strings.HasPrefix(requested, t.prefix+"/") {
			return t
		}
	}
	return p
}

// wellKnown reports whether a deviation puts a well-known document at the request's path.
func (x *exchange) wellKnown(step, suffix string) bool {
	if x.mode(step, "nowhere") {
		return false
	}
	path, prefix := x.r.URL.Path, x.p.prefix
	inserted, appended := "/.well-known/"+suffix+prefix, prefix+"/.well-known/"+suffix
	return x.mode(step, "appended") && path == appended ||
		x.mode(step, "host-wide") && path == "/.well-known/"+suffix ||
		x.mode(step, "trailing-slash") && path == inserted+"/" ||
		x.mode(step, "unregistered-suffix") && path == "/.well-known/oauth2-authorization-server"+prefix ||
		x.mode(step, "any-issuer") && strings.HasPrefix(path, "/.well-known/"+suffix)
}

// Issuer is the issuer identifier (RFC 8414 section 2). It ends in a slash only if the option Issuer says so.
func (p *Provider) Issuer() string { return p.base + p.slash }

// Clock is the provider's clock, which a test may move.
func (p *Provider) Clock() *Clock { return p.clock }

// Address is where the provider listens (host:port), whatever its issuer is; "" for one without a socket (NewHandler).
func (p *Provider) Address() string {
	listener := p.top().listen
	if listener == nil {
		return ""
	}
	return listener.Addr().String()
}

// Endpoint returns the URL of an endpoint by its name, or "" if there is none (see Description.Endpoints).
func (p *Provider) Endpoint(name string) string {
	path, ok := p.settings.Endpoints[name]
	switch {
	case ok:
		return p.base + path
	case name == MetadataEndpoint && !p.hidden("metadata.location"):
		return p.origin + "/.well-known/oauth-authorization-server" + p.prefix
	case name == OpenIDConfigurationEndpoint && p.settings.OpenID && !p.hidden("openid_configuration.location"):
		return p.base + "/.well-known/openid-configuration"
	}
	return ""
}

// Deviate makes the provider misbehave from the next request on: deviations of the catalogue, as name or name:param=value.
// An unknown name or parameter is an error that names the nearest, and fails the test of a provider that New made.
func (p *Provider) Deviate(args ...string) error {
	p.tester().Helper()
	added, err := lookupAll(p.own(), args)
	if err == nil {
		err = p.deviate(added)
	}
	return p.mistake(err)
}

// Define makes a deviation that is not in the catalogue known by its name, for Deviate and Misbehave.
func (p *Provider) Define(d profiles.Deviation) error {
	p.tester().Helper()
	if d.Name == "" {
		return p.mistake(errors.New("a deviation needs a name"))
	}
	if _, err := compile([]declaration{{Deviation: d}}); err != nil {
		return p.mistake(err)
	}
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(p.defined)
	if next == nil {
		next = make(map[string]profiles.Deviation)
	}
	next[d.Name] = d
	p.defined = next
	return nil
}

// own are the deviations that Define and the configuration made known.
func (p *Provider) own() map[string]profiles.Deviation {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.defined
}

// DeviateWith is Deviate for a deviation that is not in the catalogue.
func (p *Provider) DeviateWith(d profiles.Deviation, params map[string]string) error {
	p.tester().Helper()
	return p.mistake(p.deviate([]declaration{{Deviation: d, params: params}}))
}

// Conform drops all deviations, those of the profile included.
func (p *Provider) Conform() {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	p.declared = slices.DeleteFunc(slices.Clone(p.declared), func(d declaration) bool { return d.Name != "" }) // how a profile words things is none
	kept := make(program)
	for step, ops := range *p.program.Load() {
		if ops = slices.DeleteFunc(slices.Clone(ops), func(o *op) bool { return o.deviation != "" }); len(ops) > 0 {
			kept[step] = ops
		}
	}
	p.program.Store(&kept)
}

func (p *Provider) deviate(added []declaration) error {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	compiled, err := compile(added)
	if err != nil {
		return err
	}
	next := maps.Clone(*p.program.Load()) // what is in force stays as it is, and goes on counting requests
	if next == nil {
		next = make(program)
	}
	for step, ops := range compiled {
		next[step] = slices.Concat(next[step], ops)
	}
	p.declared = slices.Concat(p.declared, added)
	p.program.Store(&next)
	return nil
}

// Close stops the server. Requests that are held or delayed end; it does not wait for them.
func (p *Provider) Close() error {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	latches := slices.Collect(maps.Values(p.latches))
	p.mu.Unlock()
	for _, l := range latches {
		l.Open()
	}
	if !again {
		close(p.done) // ends every wait
	}
	if p.parent != nil {
		p.parent.removeNamespace(p.name)
		return nil
	}
	for _, ns := range p.namespaces() {
		if err := ns.Close(); err != nil {
			return err
		}
	}
	if t, ok := p.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	if p.admin != nil {
		p.admin.Close()
	}
	if p.server == nil {
		return nil
	}
	err := p.server.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if ns := p.spaceAt(r.URL.Path); ns != nil {
		ns.ServeHTTP(w, r)
		return
	}
	p = p.tenantAt(r.URL.Path)
	x := &exchange{p: p, w: w, r: r, program: *p.root.program.Load(), now: p.clock.Now(), base: p.baseFor(r)}
	x.decision, _ = r.Context().Value(decisionKey{}).(*Decision)
	for name, value := range p.settings.Headers {
		w.Header().Set(name, value)
	}
	if r.URL.Path == "/healthz" && p.routes["/healthz"] == nil {
		p.health(w)
		return
	}
	e, ok := p.find(x)
	if !ok {
		x.endpoint = OtherPath
		defer p.root.log.add(x)
		if p.root.queue.waiting.Load() == 0 || !x.cors() && !x.programmed() {
			x.notFound()
		}
		return
	}
	x.endpoint = e.name
	defer p.root.log.add(x)
	if r.TLS == nil && p.root.refusesPlainHTTP(e.name) {
		panic(http.ErrAbortHandler)
	}
	if x.cors() || x.programmed() || x.intercept() {
		return
	}
	e.handle(x)
}

// health answers health checks: a provider that answers at all is well.
func (p *Provider) health(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte("ok\n"))
}

// notFound answers a request for a path that leads nowhere.
func (x *exchange) notFound() {
	header := x.w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	a := &answer{http.StatusNotFound, header, []byte("404 not found\n")}
	if ops := x.ops("other.page"); len(ops) > 0 {
		x.edit(a, ops, nil)
	}
	x.send(a)
}

func (p *Provider) client(id string) *RegisteredClient {
	if c, ok := (*p.root.clientMap.Load())[id]; ok {
		return c
	}
	if r, ok := p.root.store.registered.get(id); ok {
		return r.client
	}
	return nil
}

// clients are all clients but those that registered themselves, the ready-made first.
func (p *Provider) clients() []*RegisteredClient {
	m := *p.root.clientMap.Load()
	list := make([]*RegisteredClient, 0, len(m))
	for _, c := range m {
		list = append(list, c)
	}
	slices.SortFunc(list, compareClients)
	return list
}

// Register adds clients, or replaces those with the same identifier, while the provider runs. What cannot be (an unknown grant type, a redirect URI that is no
// URI) fails the test of a provider that New made.
func (p *Provider) Register(clients ...RegisteredClient) {
	p.tester().Helper()
	p = p.root
	for _, c := range clients {
		if key, err := c.check(); err != nil {
			p.mistake(&settingError{"clients." + c.ID + key, err})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.clientMap.Load()) // copied on write, so that readers need no lock
	for _, c := range clients {
		next[c.ID] = &c
	}
	p.clientMap.Store(&next)
}

// AddUsers adds users, or replaces those with the same login name, while the provider runs.
func (p *Provider) AddUsers(users ...ResourceOwner) {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.userMap.Load())
	for _, u := range users {
		next[u.Username] = u.named(u.Username)
	}
	p.userMap.Store(&next)
}

// user is the user with a login name, or nil.
func (p *Provider) user(name string) *ResourceOwner { return p.users()[name] }

// users are all users by login name; not to be changed.
func (p *Provider) users() map[string]*ResourceOwner { return *p.root.userMap.Load() }

func (p *Provider) userNames() []string { return sortedKeys(p.users()) }

// issuer is the issuer identifier as this request is told it.
func (x *exchange) issuer() string { return x.base + x.p.slash }

// url is the URL of an endpoint as this request is told it, "" if there is none.
func (x *exchange) url(endpoint string) string {
	path, ok := x.p.settings.Endpoints[endpoint]
	if !ok {
		return ""
	}
	return x.base + path
}

func (p *Provider) realm() string { return p.settings.Realm }

// invalidClientStatus is 401 where the client attempted HTTP authentication, elsewhere 400 or 401 (RFC 6749 section 5.2).
func (p *Provider) invalidClientStatus(e *oauthError) int {
	switch {
	case e.Challenge:
		return http.StatusUnauthorized
	case p.shuffle != nil && p.shuffle.invalidClient400:
		return http.StatusBadRequest
	}
	return p.settings.InvalidClient
}
