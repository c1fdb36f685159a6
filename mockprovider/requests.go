package mockprovider

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// logSize is how many requests the log keeps.
const logSize = 512

// Request is what the provider remembers of a request.
type Request struct {
	Time       time.Time // by the provider's clock
	Endpoint   string    // name of the endpoint, "other" for none
	Method     string
	URL        *url.URL
	Header     http.Header // as received; not to be changed
	Params     url.Values  // the parameters that the endpoint read
	ClientID   string      // the client that was recognised
	Status     int         // of the answer, 0 if there was none
	Error      string      // error code of the answer
	RefusedBy  string      // name of the step that refused
	Deviations []string    // deviations that acted on the request
}

// requestLog keeps the last requests.
type requestLog struct {
	mu   sync.Mutex
	ring []entry
	next int
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
	status     int
	err        *oauthError
	deviations []string
}

func (l *requestLog) add(x *exchange) {
	e := entry{x.now, x.endpoint, x.r.URL, x.r.Header, x.r.Method, x.sent, x.client, x.status, x.err, x.firedBy}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < logSize {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % logSize
}

// Requests returns the last requests that the provider received (at most 512), oldest first.
func (p *Provider) Requests() []Request {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	list := make([]Request, 0, len(p.log.ring))
	for i := range p.log.ring {
		e := &p.log.ring[(p.log.next+i)%len(p.log.ring)]
		r := Request{Time: e.time, Endpoint: e.endpoint, Method: e.method, URL: e.url, Header: e.header, Params: url.Values{}, Status: e.status, Deviations: e.deviations}
		for _, param := range e.sent {
			r.Params.Add(param.name, param.value)
		}
		if e.client != nil {
			r.ClientID = e.client.ID
		}
		if e.err != nil {
			r.Error, r.RefusedBy = e.err.Code, e.err.Step
		}
		list = append(list, r)
	}
	return list
}
