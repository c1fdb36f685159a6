package target

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oauthcheck/oauthcheck/suites/login"
)

// What a target may make the harness hold in memory.
const (
	maxBody     = 1 << 20   // bytes of a response body, before and after decompression
	maxHeader   = 256 << 10 // bytes of a response header
	maxEvidence = 64 << 10  // bytes of a body that an exchange keeps
)

// maxRetryAfter is the longest Retry-After that is waited for.
const maxRetryAfter = 5 * time.Second

// NewTransport makes the bounded transport for a target: config.Transport, else real sockets with the target file's TLS
// settings. It follows no redirects (it is a RoundTripper), does not ask for compression and bounds response headers.
func NewTransport(config *Config) (http.RoundTripper, error) {
	if config.Transport != nil {
		return config.Transport, nil
	}
	tlsConfig, err := config.TLS.clientConfig()
	if err != nil {
		return nil, err
	}
	timeout := config.Timing.timeout()
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: 15 * time.Second}
	kept := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    timeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           128,
		MaxIdleConnsPerHost:    32,
		// Shorter than any server's keep-alive: a POST on a connection that the server has just closed cannot be repeated
		// safely, so it would make a check inconclusive.
		IdleConnTimeout:    2 * time.Second,
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}
	single := kept.Clone()
	single.DisableKeepAlives = true
	return &network{kept: kept, single: single}, nil
}

// network keeps connections until the target shows that it does not bear it. From then on each request has a connection of its
// own. One sign is a connection that is closed under a request, without having been announced: what was sent on it cannot safely
// be sent again, and so every time costs a check its verdict. The other is a request that gets no answer in time: a server that
// binds a worker to each connection has none left once a few are kept open.
type network struct {
	kept, single *http.Transport
	unsteady     atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	if n.unsteady.Load() {
		return n.single.RoundTrip(req)
	}
	var reused atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused.Store(c.Reused) }})
	resp, err := n.kept.RoundTrip(req.WithContext(ctx))
	if err != nil && (reused.Load() && ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded)) {
		n.unsteady.Store(true)
		n.kept.CloseIdleConnections()
	}
	return resp, err
}

// CloseIdleConnections closes what no request uses.
func (n *network) CloseIdleConnections() {
	n.kept.CloseIdleConnections()
	n.single.CloseIdleConnections()
}

func (t Timing) timeout() time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	return DefaultTimeout
}

// clientConfig is the TLS configuration that trusts what the target file says.
func (c TLSConfig) clientConfig() (*tls.Config, error) {
	// A tester has to reach a server that speaks nothing newer than TLS 1.0 or 1.1, to report it; where both sides know more the
	// newest is taken. Certificates are verified unless the target file says otherwise.
	config := &tls.Config{InsecureSkipVerify: c.InsecureSkipVerify, MinVersion: tls.VersionTLS10}
	pem := c.CA
	switch {
	case c.CAFile != "":
		var err error
		if pem, err = os.ReadFile(c.CAFile); err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
	case len(pem) == 0:
		return config, nil
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca_file: %s holds no PEM certificate", c.CAFile)
	}
	return config, nil
}

// ErrHarness marks a request that the harness did not send as it was declared, or must not send: the harness is to blame,
// never the target.
var ErrHarness = errors.New("the harness is to blame, not the target")

// wire is the innermost RoundTripper: it compares what is handed to the network with what the request declared.
type wire struct{ next http.RoundTripper }

type declarationKey struct{}

// declaration is what a Request said would go out.
type declaration struct {
	method, target string
	header         http.Header
	body           []byte
}

func withDeclaration(ctx context.Context, d *declaration) context.Context {
	return context.WithValue(ctx, declarationKey{}, d)
}

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	d, ok := req.Context().Value(declarationKey{}).(*declaration)
	if !ok {
		return w.next.RoundTrip(req)
	}
	if err := d.compare(req); err != nil {
		return nil, err
	}
	var sent *sentBody
	if req.Body != nil && req.Body != http.NoBody {
		sent = &sentBody{ReadCloser: req.Body}
		req.Body = sent
	}
	resp, err := w.next.RoundTrip(req)
	if sent != nil && !sent.within(d.body) {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, fmt.Errorf("%w: the body that was sent is not the declared one", ErrHarness)
	}
	return resp, err
}

func (d *declaration) compare(req *http.Request) error {
	_, want, _ := strings.Cut(d.target, "://")
	if i := strings.IndexAny(want, "/?"); i < 0 {
		want += "/"
	} else if want[i] == '?' {
		want = want[:i] + "/" + want[i:] // an empty path goes out as "/"
	}
	got := req.URL.Host + req.URL.RequestURI()
	switch {
	case req.Method != d.method:
		return fmt.Errorf("%w: method %q instead of %q", ErrHarness, req.Method, d.method)
	case got != want:
		return fmt.Errorf("%w: the request target is %q instead of %q", ErrHarness, got, want)
	case len(req.Header) != len(d.header):
		return fmt.Errorf("%w: %d header fields instead of %d", ErrHarness, len(req.Header), len(d.header))
	case (len(d.body) == 0) != (req.Body == nil || req.Body == http.NoBody):
		return fmt.Errorf("%w: body present or absent against the declaration", ErrHarness)
	}
	for name, values := range d.header {
		if strings.Join(values, "\x00") != strings.Join(req.Header[name], "\x00") {
			return fmt.Errorf("%w: header %s is %q instead of %q", ErrHarness, name, req.Header[name], values)
		}
	}
	return nil
}

// sentBody remembers what the transport read of a request body. A server may answer before it has read everything.
type sentBody struct {
	io.ReadCloser
	mu   sync.Mutex
	read bytes.Buffer
}

func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read.Write(p[:n])
	return n, err
}

func (b *sentBody) within(declared []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.HasPrefix(declared, b.read.Bytes())
}

// readBody reads a response body within bounds and undoes its Content-Encoding.
func readBody(resp *http.Response) (body []byte, truncated bool, err error) {
	body, truncated, err = readBounded(resp.Body)
	if err != nil || len(body) == 0 {
		return body, truncated, err
	}
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			r, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	default:
		return body, truncated, nil
	}
	if err != nil {
		return body, truncated, fmt.Errorf("the body is not encoded as Content-Encoding says: %w", err)
	}
	plain, cut, err := readBounded(r)
	if err != nil && !(truncated && errors.Is(err, io.ErrUnexpectedEOF)) {
		return plain, cut, fmt.Errorf("the body is not encoded as Content-Encoding says: %w", err)
	}
	return plain, truncated || cut, nil
}

func readBounded(r io.Reader) (body []byte, truncated bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r, maxBody+1))
	if len(body) > maxBody {
		return body[:maxBody], true, nil
	}
	return body, false, err
}

// breakers stop a run from waiting for an endpoint that is gone: after three transport failures in a row one plain GET
// decides whether it is. Where one is gone the others of its origin may be, too, so each of them is asked as well before its next
// request; and when none of several answered any more, or nothing listens where something answered before, the origin is gone. Other
// origins are not: that nothing listens for plain http, for example, says nothing about https.
type breakers struct {
	mu      sync.Mutex
	by      map[string]*breaker // by URL without query
	origins map[string]*origin
}

// origin is what the endpoints of one origin have in common.
type origin struct {
	gone     atomic.Int64 // endpoints
	since    atomic.Int64 // endpoints that went since the origin answered last
	answered atomic.Bool  // at all
	lost     atomic.Bool  // it is gone

	mu         sync.Mutex
	failed     time.Time // when a request failed for the first time since it answered last
	unanswered []request // that it was sent before, and did not answer
}

// request is what is told of a request that may have been a target's last: what it asked for, the check that sent it, and when.
type request struct {
	what, check string
	sent        time.Time
}

// report notes that a request was answered, or not.
func (o *origin) report(r request, err error) {
	if err == nil {
		o.since.Store(0)
		o.answered.Store(true)
	} else if refused(err) {
		return // it was not sent
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.failed, o.unanswered = time.Time{}, o.unanswered[:0]
		return
	}
	if o.failed.IsZero() {
		o.failed = time.Now()
	}
	if r.sent.Before(o.failed) && len(o.unanswered) < maxUnanswered { // what was sent later was not the cause
		o.unanswered = append(o.unanswered, r)
	}
}

// maxUnanswered is how many requests a report names that may have been the last ones of a target.
const maxUnanswered = 16

// LostError says that the target stopped answering in the middle of a run.
type LostError struct {
	unanswered []request
}

const lostInBrief = "the target stopped answering"

// Brief is why something was stopped, in a few words where err has many.
func Brief(err error) string {
	var lost *LostError
	if errors.As(err, &lost) {
		return lostInBrief
	}
	return err.Error()
}

func (e *LostError) Error() string {
	if len(e.unanswered) == 0 {
		return lostInBrief + " between two requests; was it stopped, or does something before it shut this machine out?"
	}
	var whats []string
	checks := map[string][]string{}
	for _, r := range e.unanswered {
		if _, known := checks[r.what]; !known {
			whats = append(whats, r.what)
		}
		if check := cmp.Or(r.check, "a control"); !slices.Contains(checks[r.what], check) {
			checks[r.what] = append(checks[r.what], check)
		}
	}
	for i, what := range whats {
		whats[i] = fmt.Sprintf("%s (%s)", what, strings.Join(checks[what], ", "))
	}
	return lostInBrief + "; the last requests, one of which may have been too much for it: " + strings.Join(whats, ", ")
}

// loss says how an origin was lost.
func (o *origin) loss() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &LostError{slices.Clone(o.unanswered)}
}

// down reports whether a connection ended as it does when a server dies, or is not there.
func down(err error) bool {
	return refused(err) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

// refused reports whether nothing listens where a request was to go.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

type breaker struct {
	at *origin

	mu       sync.Mutex
	failures int
	asked    int64 // how many endpoints were gone when this one was asked last
	dead     error
}

const breakerLimit = 3

func (b *breakers) of(rawURL string) *breaker {
	key, _, _ := strings.Cut(rawURL, "?")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by, b.origins = map[string]*breaker{}, map[string]*origin{}
	}
	if b.by[key] == nil {
		name := login.Origin(key)
		if b.origins[name] == nil {
			b.origins[name] = &origin{}
		}
		b.by[key] = &breaker{at: b.origins[name]}
	}
	return b.by[key]
}

// check returns an error if the endpoint is gone. probe is called when that is to be decided.
func (b *breaker) check(probe func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := b.at.gone.Load()
	if b.dead != nil || b.failures < breakerLimit && b.asked == gone {
		return b.dead
	}
	if b.at.lost.Load() || b.at.since.Load() >= breakerLimit {
		b.at.lost.Store(true)
		b.dead = errors.New("no endpoint there answers any more; nothing is sent to them in the rest of this run")
		return b.dead
	}
	err := probe()
	if err == nil {
		b.at.since.Store(0)
	} else {
		why := fmt.Sprintf("the endpoint failed %d times in a row and once more", b.failures)
		if b.failures < breakerLimit {
			why = "another endpoint is gone, and this one gave no answer"
		}
		b.dead = fmt.Errorf("%s for a plain GET (%w); it is not tried again in this run", why, err)
		b.at.gone.Add(1)
		b.at.since.Add(1)
		if refused(err) && b.at.answered.Load() {
			b.at.lost.Store(true)
		}
	}
	b.failures, b.asked = 0, gone
	return b.dead
}

// report notes that a request was answered (nil), or not.
func (b *breaker) report(r request, err error) {
	b.at.report(r, err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures = 0
		return
	}
	b.failures++
}
