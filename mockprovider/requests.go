package mockprovider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// logSize is how many requests the log keeps.
const logSize = 512

// Request is what the provider remembers of a request.
type Request struct {
	Time       time.Time   `json:"time"`     // by the provider's clock
	Endpoint   string      `json:"endpoint"` // name of the endpoint, OtherPath for none
	Method     string      `json:"method"`
	URL        *url.URL    `json:"-"`
	Header     http.Header `json:"header"`               // as received; not to be changed
	Params     url.Values  `json:"params"`               // the parameters that the endpoint read
	ClientID   string      `json:"client_id,omitempty"`  // the client that was recognised
	User       string      `json:"user,omitempty"`       // login name of the resource owner, where one was known
	Status     int         `json:"status"`               // of the answer, 0 if there was none
	Error      string      `json:"error,omitempty"`      // error code of the answer
	Reason     string      `json:"reason,omitempty"`     // why it was refused, in words
	RefusedBy  string      `json:"refused_by,omitempty"` // name of the step that refused
	Deviations []string    `json:"deviations,omitempty"` // deviations that acted on the request
	Programmed string      `json:"programmed,omitempty"` // the programmed answer that it got, in words
}

// Param is the value of a parameter that the endpoint read, or "".
func (r Request) Param(name string) string { return r.Params.Get(name) }

// String is the request in one line, without its secrets (see WithoutSecrets).
func (r Request) String() string { return Requests{r}.WithoutSecrets()[0].line() }

func (r Request) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Method, r.URL.Path)
	for _, name := range slices.Sorted(keysOf(r.Params)) {
		if name == "client_id" && r.ClientID != "" {
			continue
		}
		for _, value := range r.Params[name] {
			fmt.Fprintf(&b, " %s=%s", name, short(value, 40))
		}
	}
	if r.ClientID != "" {
		fmt.Fprintf(&b, " [client %s]", r.ClientID)
	}
	if r.User != "" {
		fmt.Fprintf(&b, " [user %s]", r.User)
	}
	fmt.Fprintf(&b, " -> %d", r.Status)
	if r.Error != "" {
		b.WriteString(" " + r.Error)
	}
	if r.Reason != "" {
		b.WriteString(": " + r.Reason)
	}
	if r.RefusedBy != "" && r.RefusedBy != "programmed" {
		b.WriteString(" (" + r.RefusedBy + ")")
	}
	if len(r.Deviations) > 0 {
		b.WriteString(" [deviating: " + strings.Join(r.Deviations, ", ") + "]")
	}
	if r.Programmed != "" {
		b.WriteString(" [programmed: " + r.Programmed + "]")
	}
	return b.String()
}

func keysOf(v url.Values) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range v {
			if !yield(name) {
				return
			}
		}
	}
}

// short cuts a value to n characters.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Requests are recorded requests, oldest first.
type Requests []Request

// Matching are the requests that a match chooses; with Nth, the one.
func (rs Requests) Matching(m Match) Requests {
	var out Requests
	for i := range rs {
		if m.fits(&rs[i]) {
			out = append(out, rs[i])
		}
	}
	if m.Nth > 0 {
		if m.Nth > len(out) {
			return nil
		}
		return out[m.Nth-1 : m.Nth]
	}
	return out
}

// To are the requests to an endpoint.
func (rs Requests) To(endpoint string) Requests { return rs.Matching(Match{Endpoint: endpoint}) }

// By are the requests of a client.
func (rs Requests) By(client string) Requests { return rs.Matching(Match{Client: client}) }

// With are the requests that had a parameter with a value (a glob: "*" for any).
func (rs Requests) With(param, value string) Requests {
	return rs.Matching(Match{Param: map[string]string{param: value}})
}

// Refused are the requests that were answered with an error.
func (rs Requests) Refused() Requests {
	return slices.DeleteFunc(slices.Clone(rs), func(r Request) bool { return r.Status < 400 && r.Error == "" })
}

// One is the only request there is; a test with none or several of them ends here, and says what came.
func (rs Requests) One(tb testing.TB) Request {
	tb.Helper()
	rs.Exactly(tb, 1)
	return rs[0]
}

// Exactly ends the test unless there are n requests.
func (rs Requests) Exactly(tb testing.TB, n int) Requests {
	tb.Helper()
	if len(rs) != n {
		tb.Fatalf("the mock provider received %d requests of that kind, want %d:\n%s", len(rs), n, rs)
	}
	return rs
}

// Last is the latest request, the zero Request if there is none.
func (rs Requests) Last() Request {
	if len(rs) == 0 {
		return Request{}
	}
	return rs[len(rs)-1]
}

// String is a line for each request, without the secrets (see WithoutSecrets).
func (rs Requests) String() string {
	if len(rs) == 0 {
		return "  (none)"
	}
	lines := make([]string, len(rs))
	for i, r := range rs.WithoutSecrets() {
		lines[i] = "  " + r.line()
	}
	return strings.Join(lines, "\n")
}

// requestLog keeps the last requests.
type requestLog struct {
	mu      sync.Mutex
	ring    []entry
	next    int
	total   int
	changed chan struct{} // closed when a request is added; nil if nobody waits
}

// entry is a request as it is kept: turned into a Request only when somebody asks.
type entry struct {
	time       time.Time
	endpoint   string
	url        *url.URL
	header     http.Header
	method     string
	sent       params
	client     *RegisteredClient
	user       *ResourceOwner
	status     int
	err        *oauthError
	deviations []string
	planned    *programmedAnswer
}

func (l *requestLog) add(x *exchange) {
	e := x.entry()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	if len(l.ring) < logSize {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % logSize
}

// entry is what is known of the request by now.
func (x *exchange) entry() entry {
	return entry{x.now, x.endpoint, x.r.URL, x.r.Header, x.r.Method, x.sent, x.client, x.user, x.status, x.err, x.firedBy, x.planned}
}

// wait returns a channel that is closed when the next request is added.
func (l *requestLog) wait() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

// Requests returns the last requests that the provider answered (at most 512), oldest first.
func (p *Provider) Requests() Requests {
	l := &p.root.log
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make(Requests, 0, len(l.ring))
	for i := range l.ring {
		list = append(list, l.ring[(l.next+i)%len(l.ring)].request())
	}
	return list
}

func (e *entry) request() Request {
	r := Request{Time: e.time, Endpoint: e.endpoint, Method: e.method, URL: e.url, Header: e.header, Params: url.Values{}, Status: e.status, Deviations: e.deviations}
	for _, param := range e.sent {
		r.Params.Add(param.name, param.value)
	}
	if e.client != nil {
		r.ClientID = e.client.ID
	}
	if e.user != nil {
		r.User = e.user.Username
	}
	if e.err != nil {
		r.Error, r.Reason, r.RefusedBy = e.err.Code, e.err.Description, e.err.Step
	}
	if e.planned != nil {
		r.Programmed = e.planned.String()
	}
	return r
}

// ForgetRequests empties the log.
func (p *Provider) ForgetRequests() {
	l := &p.root.log
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next, l.total = nil, 0, 0
}

// WaitFor waits until the provider has answered n requests that the match chooses, those before the call included, and returns
// them. The error says what came instead when ctx ends.
func (p *Provider) WaitFor(ctx context.Context, n int, m Match) (Requests, error) {
	for {
		changed := p.root.log.wait()
		found := p.Requests().Matching(m)
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return found, fmt.Errorf("mock provider: %d of %d requests came (%s): %w; received:\n%s", len(found), n, m, ctx.Err(), p.Requests())
		}
	}
}
