package target

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Race sends n copies of a request at the same instant and returns the responses in no particular order of arrival. The
// connections are open and all of each request but its last byte is sent before the last bytes are released together.
func (as *AS) Race(n int, req *Request) []*Response {
	requests := make([]*Request, n)
	for i := range requests {
		requests[i] = req.Clone()
	}
	return as.RaceAll(requests...)
}

// RaceAll is Race for different requests. A request that could not be sent or was not answered has its Err set; where none
// was answered the check is inconclusive.
func (as *AS) RaceAll(requests ...*Request) []*Response {
	ctx, cancel := context.WithTimeout(as.ctx, 2*as.Timing().timeout())
	defer cancel()
	gate := &gate{release: make(chan struct{})}
	gate.ready.Add(len(requests))
	responses := make([]*Response, len(requests))
	var done sync.WaitGroup
	for i, req := range requests {
		done.Go(func() {
			responses[i] = as.run.raceOne(ctx, req, gate)
		})
	}
	gate.open(ctx)
	done.Wait()
	answered := 0
	for _, resp := range responses {
		as.record(resp.Exchange)
		if errors.Is(resp.Err, ErrHarness) {
			as.Inconclusive("%v", resp.Err)
		}
		if resp.Err == nil {
			answered++
		}
	}
	if answered == 0 && len(responses) > 0 {
		as.Inconclusive("none of %d concurrent requests was answered: %v", len(responses), responses[0].Err)
	}
	return responses
}

// gate holds racers back until all are ready.
type gate struct {
	ready   sync.WaitGroup
	release chan struct{}
}

// arrive waits for the release. It is called exactly once by every racer, also by one that failed before.
func (g *gate) arrive(ctx context.Context) {
	g.ready.Done()
	select {
	case <-g.release:
	case <-ctx.Done():
	}
}

// open releases all once all are ready.
func (g *gate) open(ctx context.Context) {
	all := make(chan struct{})
	go func() {
		g.ready.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-ctx.Done():
	}
	close(g.release)
}

// raceOne sends one of the requests.
func (run *Run) raceOne(ctx context.Context, r *Request, g *gate) *Response {
	x := &reports.Exchange{Request: reports.Request{Method: r.Method, URL: r.Target(), Headers: http.Header{}, Body: evidence(r.Body())}}
	resp := &Response{Header: http.Header{}, Request: r, run: run, Exchange: x}
	fail := func(err error) *Response {
		resp.Err, x.Error = err, err.Error()
		return resp
	}
	req, err := r.httpRequest(ctx)
	if err == nil {
		err = run.mayReceive(r)
	} else {
		err = fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if err != nil {
		g.arrive(ctx)
		return fail(err)
	}
	x.Request.Headers = req.Header.Clone()
	run.requests.Add(1)
	start := time.Now()
	var raw *http.Response
	if run.info.Config.Transport != nil {
		req = req.WithContext(withDeclaration(ctx, &declaration{r.Method, r.Target(), req.Header.Clone(), r.Body()}))
		g.arrive(ctx)
		raw, err = run.transport.RoundTrip(req)
	} else {
		var conn net.Conn
		conn, raw, err = run.raceOverSocket(ctx, req, g)
		if conn != nil {
			defer func() { _ = conn.Close() }()
		}
	}
	x.DurationMS = time.Since(start).Milliseconds()
	if err != nil {
		return fail(err)
	}
	if resp.receive(raw); resp.Err != nil {
		return fail(resp.Err)
	}
	return resp
}

// raceOverSocket sends a request over a connection of its own with the last byte withheld until the gate opens.
func (run *Run) raceOverSocket(ctx context.Context, req *http.Request, g *gate) (net.Conn, *http.Response, error) {
	arrived := false
	defer func() {
		if !arrived {
			g.arrive(ctx)
		}
	}()
	req.Close = true
	var message bytes.Buffer
	if err := req.Write(&message); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrHarness, err)
	}
	conn, err := run.dial(ctx, req.URL)
	if err != nil {
		return nil, nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	last := message.Len() - 1
	if _, err := conn.Write(message.Bytes()[:last]); err != nil {
		return conn, nil, fmt.Errorf("sending: %w", err)
	}
	arrived = true
	g.arrive(ctx)
	if _, err := conn.Write(message.Bytes()[last:]); err != nil {
		return conn, nil, fmt.Errorf("sending the last byte: %w", err)
	}
	bounded := io.LimitReader(conn, maxHeader+maxBody+1)
	raw, err := http.ReadResponse(bufio.NewReader(bounded), req)
	if err != nil {
		return conn, nil, fmt.Errorf("reading the response: %w", err)
	}
	return conn, raw, nil
}

// dial opens a connection for HTTP/1.1.
func (run *Run) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	address := net.JoinHostPort(u.Hostname(), port)
	dialer := &net.Dialer{Timeout: run.info.Config.Timing.timeout()}
	if u.Scheme != "https" {
		return dialer.DialContext(ctx, "tcp", address)
	}
	config, err := run.info.Config.TLS.clientConfig()
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"http/1.1"}
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
}
