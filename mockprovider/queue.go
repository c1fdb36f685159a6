package mockprovider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Answer is what the provider does with one request: it answers in place of the endpoint (Status, Body, JSON, Error), changes what
// the endpoint answers (Header, ContentType, Members, Truncate, Deviations), or decides when and whether it answers (Delay, Latch, Reset). The zero
// Answer lets the endpoint answer as ever, to count requests off: Next(TokenEndpoint, Answer{}, Error(400, "invalid_grant")).
type Answer struct {
	Status      int               `yaml:"status" json:"status,omitempty" doc:"HTTP status"`
	Header      map[string]string `yaml:"header" json:"header,omitempty" doc:"header fields to set"`
	ContentType string            `yaml:"content_type" json:"content_type,omitempty" doc:"the Content-Type"`
	Body        *string           `yaml:"body" json:"body,omitempty" doc:"the whole body, as it is"`
	JSON        any               `yaml:"json" json:"json,omitempty" doc:"the whole body, as JSON"`

	Error       string `yaml:"error" json:"error,omitempty" doc:"OAuth error code: an error answer in the endpoint's own form (JSON, redirect or challenge)"`
	Description string `yaml:"error_description" json:"error_description,omitempty" doc:"error_description of that error"`

	Members    Claims   `yaml:"members" json:"members,omitempty" doc:"members to set in the JSON that the endpoint answers with, an error too; null removes one"`
	Truncate   *int     `yaml:"truncate" json:"truncate,omitempty" doc:"how many bytes of the body are sent before the connection breaks"`
	Deviations []string `yaml:"deviations" json:"deviations,omitempty" doc:"deviations in force for this request, NAME or NAME:param=value"`

	Delay time.Duration `yaml:"delay" json:"delay,omitempty" doc:"how long the answer takes (90s, 250ms, or a number of seconds)"`
	Latch string        `yaml:"latch" json:"latch,omitempty" doc:"name of the latch that holds the request until it is opened"`
	Reset bool          `yaml:"reset" json:"reset,omitempty" doc:"the connection breaks without an answer"`

	User   string   `yaml:"user" json:"user,omitempty" doc:"authorization and device authorization endpoint: this user is signed in and approves, without a page"`
	Scopes []string `yaml:"scopes" json:"scopes,omitempty" doc:"likewise: the user approves only these"`
	Deny   bool     `yaml:"deny" json:"deny,omitempty" doc:"likewise: the user denies"`

	latch *Latch // in place of Latch: one that has no name

	Times int `yaml:"times" json:"times,omitempty" doc:"how many requests are answered so; default 1, -1: all"`
}

// Error answers with an OAuth error in the endpoint's own form: a JSON object at the token endpoint (RFC 6749 section 5.2), a redirect at the
// authorization endpoint (section 4.1.2.1; the status is the redirect's), a challenge at a protected resource (RFC 6750 section 3). Status 0 is the endpoint's usual one.
func Error(status int, code string) Answer { return Answer{Status: status, Error: code} }

// Respond answers with a status, content type and body, as they are.
func Respond(status int, contentType, body string) Answer {
	return Answer{Status: status, ContentType: contentType, Body: &body}
}

// RespondJSON answers with a status and a value as JSON.
func RespondJSON(status int, value any) Answer { return Answer{Status: status, JSON: value} }

// Status answers with a status and nothing else.
func Status(status int) Answer { return Answer{Status: status} }

// RetryAfter answers with 429 Too Many Requests and Retry-After in whole seconds (RFC 6585 section 4).
func RetryAfter(d time.Duration) Answer {
	return Answer{Status: http.StatusTooManyRequests, Error: "temporarily_unavailable", Header: map[string]string{"Retry-After": strconv.Itoa(int(d.Seconds()))}}
}

// Delay answers as ever, but late.
func Delay(d time.Duration) Answer { return Answer{Delay: d} }

// Reset breaks the connection off without an answer.
func Reset() Answer { return Answer{Reset: true} }

// Truncate breaks the connection off after n bytes of the usual body.
func Truncate(n int) Answer { return Answer{Truncate: &n} }

// Members answers as ever, but with these members in the JSON object, also that of an error; nil removes one.
func Members(members Claims) Answer { return Answer{Members: members} }

// Misbehave answers with deviations of the catalogue in force (as Deviate takes them) for the one request.
func Misbehave(deviations ...string) Answer { return Answer{Deviations: deviations} }

// ApproveAs lets a user approve an authorization request, or at the DeviceAuthorizationEndpoint the device, without a page; with scopes, only those.
func ApproveAs(user string, scopes ...string) Answer { return Answer{User: user, Scopes: scopes} }

// DenyAs lets a user deny an authorization request, or the device, without a page.
func DenyAs(user string) Answer { return Answer{User: user, Deny: true} }

// Repeat is the answer for the next n requests in place of one; n < 0: for all.
func (a Answer) Repeat(n int) Answer { a.Times = n; return a }

// After is the answer, late.
func (a Answer) After(d time.Duration) Answer { a.Delay = d; return a }

// With is the answer with one more header field.
func (a Answer) With(header, value string) Answer {
	fields := map[string]string{header: value}
	for name, v := range a.Header {
		if !strings.EqualFold(name, header) {
			fields[name] = v
		}
	}
	a.Header = fields
	return a
}

// replaces reports whether the answer stands in place of the endpoint's own.
func (a *Answer) replaces() bool {
	return a.Status != 0 || a.Body != nil || a.JSON != nil
}

// String is the answer as a log shows it.
func (a Answer) String() string {
	var parts []string
	add := func(is bool, text string) {
		if is {
			parts = append(parts, text)
		}
	}
	add(a.Delay > 0, "after "+a.Delay.String())
	add(a.Latch != "", "held by latch "+a.Latch)
	add(a.latch != nil, "held")
	add(a.Reset, "reset")
	add(a.Status != 0, strconv.Itoa(a.Status))
	add(a.Error != "", a.Error)
	add(a.Status == 0 && a.replaces(), "body")
	add(a.Truncate != nil, "truncated")
	add(len(a.Members) > 0, "members "+strings.Join(sortedKeys(a.Members), " "))
	add(len(a.Deviations) > 0, strings.Join(a.Deviations, " "))
	add(a.Deny, "denied")
	add(a.User != "", "by "+a.User)
	add(len(a.Scopes) > 0, "only "+strings.Join(a.Scopes, " "))
	if len(parts) == 0 {
		return "as ever"
	}
	return strings.Join(parts, ", ")
}

// queue are the programmed answers of a provider.
type queue struct {
	waiting atomic.Int32 // how many rules there are, so that a provider without any need not look
	mu      sync.Mutex
	rules   []*rule
}

// rule is a matcher with the answers that the requests which fit get, one after the other.
type rule struct {
	text    string
	when    *condition
	matched int
	answers []*programmedAnswer
	routes  bool // it names a path, or other ones than the endpoints': a route of its own
}

type programmedAnswer struct {
	Answer
	left    int     // requests that it still answers; negative: all
	program program // its deviations
}

// Next programs the answers to the next requests at an endpoint (AnyEndpoint: any), one after the other; then the endpoint answers as
// ever. Several calls queue up. A mistake (an unknown endpoint, deviation or user) is an error, and fails the test of a provider that New made.
func (p *Provider) Next(endpoint string, answers ...Answer) error {
	p.tester().Helper()
	return p.On(Match{Endpoint: endpoint}, answers...)
}

// On is Next for the requests that a Match chooses.
func (p *Provider) On(m Match, answers ...Answer) error {
	p.tester().Helper()
	return p.mistake(p.enqueue(m.when(), answers))
}

// enqueue adds a rule. A request that several fit is for the first.
func (p *Provider) enqueue(when map[string]any, answers []Answer) error {
	_, err := p.addRule(when, answers)
	return err
}

func (p *Provider) addRule(when map[string]any, answers []Answer) (*rule, error) {
	const where = "programmed answer"
	if len(answers) == 0 {
		return nil, fmt.Errorf("%s: no answer is given", where)
	}
	for key := range when {
		if slices.Contains([]string{"user", "scope", "error", "refused_by", "token", "format", "replay", "approved", "pkce_method", "times"}, key) {
			return nil, fmt.Errorf("%s: when.%s is not known yet when a request arrives; use a deviation, or for times the answer's own", where, key)
		}
	}
	c, err := compileCondition(where, when)
	if err != nil {
		return nil, err
	}
	r := &rule{when: c, routes: c != nil && (len(c.Path) > 0 || slices.Contains(c.Endpoint, OtherPath))}
	var texts []string
	for i := range answers {
		a := &programmedAnswer{Answer: answers[i], left: answers[i].Times}
		if a.left == 0 {
			a.left = 1
		}
		if err := p.check(a); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		r.answers = append(r.answers, a)
		texts = append(texts, a.String())
	}
	r.text = describeWhen(when) + ": " + strings.Join(texts, "; then ")
	q := &p.root.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = append(q.rules, r)
	q.waiting.Store(int32(len(q.rules)))
	return r, nil
}

// drop takes a rule away that no request has used up yet.
func (q *queue) drop(r *rule) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = slices.DeleteFunc(q.rules, func(other *rule) bool { return other == r })
	q.waiting.Store(int32(len(q.rules)))
}

// describeWhen is a condition as a log shows it.
func describeWhen(when map[string]any) string {
	var parts []string
	for _, key := range sortedKeys(when) {
		parts = append(parts, key+"="+toText(when[key]))
	}
	if len(parts) == 0 {
		return "any request"
	}
	return strings.Join(parts, " ")
}

// check refuses answers that have no meaning, and compiles the deviations.
func (p *Provider) check(a *programmedAnswer) error {
	if a.Delay < 0 || a.Delay > maxPause {
		return fmt.Errorf("delay %v is not between 0 and %v", a.Delay, maxPause)
	}
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		return fmt.Errorf("status %d is not between 200 and 599", a.Status)
	}
	if a.Body != nil && a.JSON != nil {
		return errors.New("body and json exclude each other")
	}
	if a.Error != "" && (a.Body != nil || a.JSON != nil) {
		return errors.New("error and body (or json) exclude each other")
	}
	if a.User != "" && p.user(a.User) == nil {
		return fmt.Errorf("no user %q%s", a.User, suggestion(a.User, p.userNames()))
	}
	if a.User == "" && (a.Deny || len(a.Scopes) > 0) {
		a.User = p.settings.AutoUser
	}
	declared, err := lookupAll(p.own(), a.Deviations)
	if err != nil {
		return err
	}
	a.program, err = compile(declared)
	return err
}

// take is the programmed answer to a request, or nil.
func (q *queue) take(x *exchange) *programmedAnswer {
	if q.waiting.Load() == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range q.rules {
		if x.endpoint == OtherPath && !r.routes { // a browser's favicon.ico is not the request that a test waits for
			continue
		}
		if r.when != nil {
			if !r.when.matches(x) {
				continue
			}
			r.matched++
			if r.when.Nth != 0 && r.matched < r.when.Nth {
				continue
			}
		}
		a := r.answers[0]
		if a.left > 0 {
			a.left--
		}
		if a.left == 0 {
			r.answers = r.answers[1:]
		}
		if len(r.answers) == 0 {
			q.rules = slices.Delete(q.rules, i, i+1)
			q.waiting.Store(int32(len(q.rules)))
		}
		return a
	}
	return nil
}

// Pending lists the programmed answers that no request has used up yet, in words.
func (p *Provider) Pending() []string {
	q := &p.root.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []string
	for _, r := range q.rules {
		list = append(list, r.text)
	}
	return list
}

// ForgetAnswers drops all programmed answers.
func (p *Provider) ForgetAnswers() {
	q := &p.root.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = nil
	q.waiting.Store(0)
}

// preview reads what conditions look at before the endpoint does: parameters and the client. The body stays readable. The function
// that it returns takes everything back.
func (x *exchange) preview() (undo func()) {
	before := *x
	x.query, _ = parseForm(x.r.URL.RawQuery, formDialect{})
	x.sent = x.query
	if x.r.Body != nil && x.r.Body != http.NoBody {
		body, err := io.ReadAll(io.LimitReader(x.r.Body, maxBody+1))
		rest := io.Reader(x.r.Body)
		if err != nil {
			rest = brokenReader{err}
		}
		x.r.Body = readCloser{io.MultiReader(bytes.NewReader(body), rest), x.r.Body}
		x.bodyLength = len(body)
		if form, _ := parseForm(string(body), formDialect{}); !isJSON(x.r.Header.Get("Content-Type")) && x.r.Method != http.MethodGet {
			x.sent = form
		} else if ps, ok := parseJSONParameters(body); ok {
			x.sent = ps
		}
	}
	x.params = x.sent
	id := x.sent.get("client_id")
	if name, _, ok := x.r.BasicAuth(); ok {
		if decoded, good := (formDialect{}).decode(name); good {
			id = decoded
		}
		if p := x.p.client(name); p != nil {
			id = name
		}
	}
	if x.client = x.p.client(id); x.client == nil && id != "" {
		x.client = &RegisteredClient{ID: id}
	}
	return func() {
		x.query, x.sent, x.params, x.client, x.bodyLength = before.query, before.sent, before.params, before.client, before.bodyLength
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// programmed lets the answer that is programmed for the request take effect. True means that it answered.
func (x *exchange) programmed() bool {
	if x.p.root.queue.waiting.Load() == 0 {
		return false
	}
	undo := x.preview()
	a := x.p.root.queue.take(x)
	if a == nil {
		undo()
		return false
	}
	x.planned = a
	x.adopt(a)
	x.hold(a)
	switch {
	case a.Reset:
		x.reset()
	case a.Error != "" && x.endpoint != AuthorizationEndpoint:
		x.failAs(a)
		return true
	case a.replaces() && a.Error == "":
		x.respond(a)
		return true
	}
	undo()
	return false
}

// adopt puts the answer's changes to the usual answer into the program of the request.
func (x *exchange) adopt(a *programmedAnswer) {
	if a.User != "" {
		x.decision = &Decision{User: a.User, Scopes: a.Scopes, Deny: a.Deny}
	}
	next := make(program, len(x.program)+len(a.program)+2)
	for _, p := range []program{x.program, a.program} {
		for name, ops := range p {
			next[name] = slices.Concat(next[name], ops)
		}
	}
	add := func(step string, kind Kind, args opArgs) {
		if s, ok := stepByName(x.endpoint + step); ok && s.Kind == kind {
			next[s.Name] = append(slices.Clone(next[s.Name]), &op{opArgs: args, step: s})
		}
	}
	var transport opArgs
	transport.Truncate = a.Truncate
	if !a.replaces() || a.Error != "" {
		transport.Header.Set = a.Header
		if a.ContentType != "" {
			transport.ContentType = &a.ContentType
		}
	}
	if transport.Truncate != nil || len(transport.Header.Set) > 0 || transport.ContentType != nil {
		add(".transport", KindTransport, transport)
	}
	if len(a.Members) > 0 {
		var members opArgs
		members.Members.Set = make(map[string]any)
		for name, value := range a.Members {
			if value == nil {
				members.Members.Remove = append(members.Members.Remove, name)
				continue
			}
			members.Members.Set[name] = value
		}
		for _, step := range []string{".response", ".inactive", ".error"} {
			add(step, KindResponse, members)
		}
	}
	x.program = next
}

// hold waits for the latch and the delay, but not longer than the client does.
func (x *exchange) hold(a *programmedAnswer) {
	switch {
	case a.latch != nil:
		x.waitAt(a.latch)
	case a.Latch != "":
		x.waitAt(x.p.root.Latch(a.Latch))
	}
	x.pause(a.Delay)
}

// respond answers in place of the endpoint.
func (x *exchange) respond(a *programmedAnswer) {
	header := x.w.Header()
	var body []byte
	switch {
	case a.Body != nil:
		body = []byte(*a.Body)
		header.Set("Content-Type", "text/plain; charset=utf-8")
	case a.JSON != nil:
		body = encodeValue(plain(a.JSON))
		header.Set("Content-Type", "application/json")
	}
	if a.ContentType != "" {
		header.Set("Content-Type", a.ContentType)
	}
	for name, value := range a.Header {
		header.Set(name, headerSafe(value))
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	x.send(&answer{status, header, body})
}

// failAs answers with an OAuth error in the endpoint's own form.
func (x *exchange) failAs(a *programmedAnswer) {
	err := &oauthError{Code: a.Error, Description: a.Description, Status: a.Status, Step: "programmed"}
	switch x.endpoint {
	case UserinfoEndpoint, ResourceEndpoint:
		x.challengeBearer(err)
	case "login", "consent", DevicePage, EndSessionEndpoint:
		x.showError(err)
	default:
		x.fail(x.endpoint+".error", err)
	}
}

// tester is what a call that a test makes reports to: the test of a provider that New made, as long as the provider is open, else nobody.
// Each such call is one of its helpers, so that a mistake is reported at the line of the test.
func (p *Provider) tester() tester {
	root := p.root
	root.mu.Lock()
	defer root.mu.Unlock()
	if root.tb == nil || root.closed {
		return nobody{}
	}
	return root.tb
}

type tester interface {
	Helper()
	Errorf(format string, args ...any)
}

type nobody struct{}

func (nobody) Helper()               {}
func (nobody) Errorf(string, ...any) {}

// mistake passes an error of a programming call on and, so that nobody has to look at it in a test, fails the test of a provider that New made.
func (p *Provider) mistake(err error) error {
	if err == nil {
		return nil
	}
	t := p.tester()
	t.Helper()
	text := err.Error()
	if !strings.HasPrefix(text, "mock provider") {
		text = "mock provider: " + text
	}
	t.Errorf("%s", text)
	return err
}
