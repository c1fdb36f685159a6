package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/login"
)

// do sends one request once: within the rate, to an endpoint that is alive, never with a secret to another origin, and
// within the time that a request may take. It never returns nil; what went wrong is in Err.
func (run *Run) do(ctx context.Context, r *Request) *Response {
	resp := &Response{Header: http.Header{}, Request: r, run: run}
	x := &reports.Exchange{Request: reports.Request{Method: r.Method, URL: r.Target(), Headers: http.Header{}, Body: evidence(r.Body())}}
	resp.Exchange = x
	fail := func(err error) *Response {
		resp.Err, x.Error = err, err.Error()
		return resp
	}
	if err := run.mayReceive(r); err != nil {
		return fail(err)
	}
	breaker := run.breakers.of(r.Target())
	alive := func() error {
		err := run.ping(ctx, r.Target())
		if breaker.at.answered.Load() {
			switch {
			case down(err):
				err = run.restarted(ctx, r.Target())
			case err != nil && isTimeout(err): // perhaps it was busy with what this run asked of it at the same time, which is over by now
				err = run.ping(ctx, r.Target())
			}
		}
		if ctx.Err() != nil {
			return nil // that says nothing about the endpoint
		}
		return err
	}
	if err := breaker.check(alive); err != nil {
		if breaker.at.lost.Load() && run.lost != nil && login.Origin(r.Target()) == run.home {
			run.lost(breaker.at.loss())
		}
		return fail(err)
	}
	if run.limiter != nil {
		if err := run.limiter.Wait(ctx); err != nil {
			return fail(fmt.Errorf("waiting for the request rate: %w", err))
		}
	}
	timed, cancel := context.WithTimeout(ctx, run.info.Config.Timing.timeout())
	defer cancel()
	req, err := r.httpRequest(timed)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrHarness, err))
	}
	x.Request.Headers = req.Header.Clone()
	if req.Host != req.URL.Host {
		x.Request.Headers.Set("Host", req.Host)
	}
	req = req.WithContext(withDeclaration(timed, &declaration{r.Method, r.Target(), req.Header.Clone(), r.Body()}))

	run.requests.Add(1)
	start := time.Now()
	raw, err := run.transport.RoundTrip(req)
	if err == nil {
		resp.receive(raw)
		err = resp.Err
	}
	x.DurationMS = time.Since(start).Milliseconds()
	if err != nil {
		if !errors.Is(err, ErrHarness) && ctx.Err() == nil {
			breaker.report(described(ctx, r, start), err)
			run.failed.Add(1)
		}
		if ctx.Err() == nil && errors.Is(timed.Err(), context.DeadlineExceeded) {
			run.silent.Add(1)
		}
		return fail(transportError(err, timed, ctx, run.info.Config.Timing.timeout()))
	}
	breaker.report(request{}, nil)
	if resp.Status >= 500 || resp.Status == http.StatusTooManyRequests {
		run.failed.Add(1)
	}
	return resp
}

// receive takes over what came back.
func (resp *Response) receive(raw *http.Response) {
	defer func() { _ = raw.Body.Close() }()
	resp.Status, resp.Header, resp.Proto = raw.StatusCode, raw.Header, raw.Proto
	if raw.TLS != nil {
		resp.TLS = raw.TLS
	}
	resp.Body, resp.Truncated, resp.Err = readBody(raw)
	resp.Exchange.Response = reports.Response{Status: raw.StatusCode, Headers: raw.Header.Clone(), Body: evidence(resp.Body)}
	if resp.Err != nil {
		resp.Err = fmt.Errorf("the response (status %d) broke off or cannot be read: %w", raw.StatusCode, resp.Err)
		resp.Status = 0
		return
	}
	members, err := decodeObject(resp.Body) // once: checks ask for members again and again
	resp.decoded = &decoded{members, err}
	resp.view()
	resp.run.collectSecrets(resp)
}

// transportError says in plain words what went wrong.
func transportError(err error, timed, ctx context.Context, limit time.Duration) error {
	if ctx.Err() == nil && errors.Is(timed.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no complete response within %s (timing.timeout): %w", limit, err)
	}
	return err
}

// ping asks the endpoint for anything at all.
func (run *Run) ping(ctx context.Context, rawURL string) error {
	base, _, _ := strings.Cut(rawURL, "?")
	timed, cancel := context.WithTimeout(ctx, run.info.Config.Timing.timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(timed, http.MethodGet, base, nil)
	if err != nil {
		return err
	}
	run.requests.Add(1)
	resp, err := run.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// restartTime is how long a target that answered before, and takes no connections any more, may take to come back: whoever watches over
// it may start it again.
const restartTime = 5 * time.Second

// restarted waits until the endpoint answers again, or restartTime (timing.timeout where that is less) is over.
func (run *Run) restarted(ctx context.Context, rawURL string) error {
	bounded, cancel := context.WithTimeout(ctx, min(restartTime, run.info.Config.Timing.timeout()))
	defer cancel()
	again := time.NewTicker(restartTime / 25)
	defer again.Stop()
	for {
		err := run.ping(ctx, rawURL)
		if !down(err) {
			return err
		}
		select {
		case <-bounded.Done():
			return err
		case <-again.C:
		}
	}
}

// checkKey is the key of the context's value that names the check that a request is sent for.
type checkKey struct{}

// described is a request without its parameters.
func described(ctx context.Context, r *Request, sent time.Time) request {
	base, _, _ := strings.Cut(r.Target(), "?")
	check, _ := ctx.Value(checkKey{}).(string)
	return request{r.Method + " " + base, check, sent}
}

// mayReceive refuses to send what the run keeps secret to an origin that is not the target's.
func (run *Run) mayReceive(r *Request) error {
	u, err := url.Parse(r.Target())
	if err != nil || run.trusted(u) {
		return nil // an unparsable URL is not sent at all
	}
	text := r.Target() + "\n" + string(r.Body())
	for name, values := range r.Header {
		if name == "Authorization" || name == "Cookie" {
			return fmt.Errorf("%w: %s would go to %s, which is no origin of the target", ErrHarness, name, login.Origin(u.String()))
		}
		text += "\n" + strings.Join(values, "\n")
	}
	for _, secret := range run.Secrets() {
		if len(secret.Value) < 4 {
			continue
		}
		if strings.Contains(text, secret.Value) || strings.Contains(text, url.QueryEscape(secret.Value)) {
			return fmt.Errorf("%w: the %s would go to %s, which is no origin of the target", ErrHarness, secret.Kind, login.Origin(u.String()))
		}
	}
	return nil
}

// trusted reports whether a URL is the target's: of one of its origins, or one of its endpoints under the other scheme
// or port (so that a check can find out whether an endpoint also answers without TLS).
func (run *Run) trusted(u *url.URL) bool {
	if slices.Contains(run.origins, login.Origin(u.String())) || slices.Contains(run.resources, login.Origin(u.String())) {
		return true
	}
	for _, e := range append(run.info.Endpoints.all(), run.info.Config.Resource.URL) {
		endpoint, err := url.Parse(e)
		if err == nil && strings.EqualFold(endpoint.Hostname(), u.Hostname()) && endpoint.Path == u.Path && u.Path != "" && endpoint.Scheme != u.Scheme {
			return true
		}
	}
	return false
}

// evidence is a body as an exchange keeps it.
func evidence(body []byte) string {
	if len(body) <= maxEvidence {
		return string(body)
	}
	return string(body[:maxEvidence]) + fmt.Sprintf("… (%d more bytes)", len(body)-maxEvidence)
}

// Send sends a request and records the exchange. Redirects are not followed. What is no answer (a broken connection, a
// time-out, 429 after one retry, a 5xx that tells of a failure) ends the check as inconclusive unless the request carries AnyStatus.
func (as *AS) Send(req *Request) *Response {
	resp := as.exchange(req)
	as.demandAnswer(resp, req.flow.anyStatus)
	return resp
}

// exchange sends and records, once more where the target asks to come back within a few seconds.
func (as *AS) exchange(req *Request) *Response {
	resp := as.run.do(as.ctx, req)
	as.record(resp.Exchange)
	if wait, ok := retryAfter(resp); ok {
		if err := sleepReal(as.ctx, wait); err == nil {
			resp = as.run.do(as.ctx, req)
			as.record(resp.Exchange)
		}
	}
	return resp
}

// demandAnswer ends the check where the target did not answer.
func (as *AS) demandAnswer(resp *Response, anyStatus bool) {
	where := resp.Exchange.Request.Method + " " + endpointOf(resp.Exchange.Request.URL)
	switch {
	case errors.Is(resp.Err, ErrHarness):
		as.Inconclusive("%s: %v", where, resp.Err)
	case as.ctx.Err() != nil:
		as.Inconclusive("%s: the check was stopped: %s", where, Brief(context.Cause(as.ctx)))
	case anyStatus:
	case resp.Err != nil:
		as.Inconclusive("%s: no answer: %v", where, resp.Err)
	case resp.Status == http.StatusTooManyRequests:
		as.Inconclusive("%s: the target limits the rate of requests (429); a lower rate or a longer wait is needed", where)
	case resp.Failed():
		as.Inconclusive("%s: the target failed with status %d", where, resp.Status)
	}
}

func endpointOf(rawURL string) string {
	base, _, _ := strings.Cut(rawURL, "?")
	return base
}

// retryAfter is the time after which a 429 or 503 asks to come back, if it is short.
func retryAfter(resp *Response) (time.Duration, bool) {
	if resp.Status != http.StatusTooManyRequests && resp.Status != http.StatusServiceUnavailable {
		return 0, false
	}
	field := resp.Header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.Atoi(field); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(field); err == nil {
		wait = max(time.Until(at), 0)
	} else {
		return 0, false
	}
	return wait, wait >= 0 && wait <= maxRetryAfter
}

func sleepReal(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
