package mockprovider

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrAborted is the transport error of an in-process exchange whose handler broke the connection off.
var ErrAborted = errors.New("mock provider: connection reset")

// ErrRefused is the transport error of an in-process request without TLS to a provider with an https issuer.
var ErrRefused = errors.New("mock provider: connection refused: nothing listens without TLS")

// RoundTripper returns a transport that calls the provider in the same process, without sockets, whatever host the request
// names. It behaves as net/http's client and server do together for what an HTTP/1.1 exchange of this provider needs: a HEAD
// answer has no body, a broken connection is an error, a truncated body ends in io.ErrUnexpectedEOF, the context is heeded.
func (p *Provider) RoundTripper() http.RoundTripper { return roundTripper{p} }

type roundTripper struct{ provider *Provider }

// RoundTrip calls the handler.
func (t roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if request.URL.Scheme == "http" && strings.HasPrefix(t.provider.base, "https:") && !t.provider.connectionMode("plain-http", "") {
		return nil, ErrRefused
	}
	received, err := asReceived(request)
	if err != nil {
		return nil, err
	}
	recorder := &recorder{header: make(http.Header)}
	err = recorder.run(t.provider, received)
	if ctxErr := ctx.Err(); ctxErr != nil { // whatever waits in the handler heeds the context
		return nil, ctxErr
	}
	if err != nil {
		return nil, err
	}
	return recorder.response(request, received), nil
}

// asReceived is the request as a server sees it that received it over HTTP/1.1.
func asReceived(request *http.Request) (*http.Request, error) {
	received := request.Clone(request.Context())
	received.RequestURI = request.URL.RequestURI()
	u, err := request.URL.Parse(received.RequestURI)
	if err != nil {
		return nil, fmt.Errorf("mock provider: request URI %q: %w", received.RequestURI, err)
	}
	u.Scheme, u.Host, u.Fragment, u.User = "", "", "", nil
	received.URL = u
	if received.Host == "" {
		received.Host = request.URL.Host
	}
	received.Proto, received.ProtoMajor, received.ProtoMinor = "HTTP/1.1", 1, 1
	received.RemoteAddr = "127.0.0.1:0"
	if request.URL.Scheme == "https" {
		received.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: request.URL.Hostname()}
	}
	received.Body = http.NoBody
	received.ContentLength = 0
	if request.Body != nil && request.Body != http.NoBody {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		received.Body = io.NopCloser(bytes.NewReader(body))
		received.ContentLength = int64(len(body))
	}
	for name, values := range received.Header { // what a server makes of a header: canonical names, no surrounding space
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			delete(received.Header, name)
			received.Header[canonical] = append(received.Header[canonical], values...)
		}
	}
	if u := request.URL.User; u != nil && received.Header.Get("Authorization") == "" {
		password, _ := u.Password()
		received.SetBasicAuth(u.Username(), password)
	}
	if received.Header.Get("User-Agent") == "" {
		received.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	return received, nil
}

// recorder is the ResponseWriter of the in-process transport.
type recorder struct {
	header  http.Header
	sent    http.Header // as it was when WriteHeader was called
	status  int
	body    bytes.Buffer
	head    bool
	aborted bool // after some of the body was sent
	flushed bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.sent != nil || status < 200 {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
	for name, values := range r.sent {
		if values == nil { // suppressed
			delete(r.sent, name)
		}
	}
	if _, suppressed := r.header["Date"]; !suppressed {
		r.sent.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.sent == nil {
		r.WriteHeader(http.StatusOK)
	}
	if r.head || !bodyAllowed(r.status) {
		if !bodyAllowed(r.status) {
			return 0, http.ErrBodyNotAllowed
		}
		return len(b), nil
	}
	if _, set := r.header["Content-Type"]; !set && r.body.Len() == 0 && len(b) > 0 {
		r.sent.Set("Content-Type", http.DetectContentType(b))
	}
	return r.body.Write(b)
}

// Flush sends what was written so far.
func (r *recorder) Flush() {
	if r.sent == nil {
		r.WriteHeader(http.StatusOK)
	}
	r.flushed = true
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// run calls the handler and turns a broken connection into an error.
func (r *recorder) run(handler http.Handler, request *http.Request) (err error) {
	r.head = request.Method == http.MethodHead
	defer func() {
		switch cause := recover(); {
		case cause == nil:
		case cause == http.ErrAbortHandler && r.flushed:
			r.aborted = true
		case cause == http.ErrAbortHandler:
			err = ErrAborted
		default:
			err = fmt.Errorf("mock provider: the handler panicked: %v", cause) // net/http's server logs it and breaks the connection off
		}
	}()
	handler.ServeHTTP(r, request)
	if r.sent == nil {
		r.WriteHeader(http.StatusOK)
	}
	return nil
}

func (r *recorder) response(request, received *http.Request) *http.Response {
	body := r.body.Bytes()
	length := int64(len(body))
	var reader io.Reader = bytes.NewReader(body)
	if declared, err := strconv.ParseInt(r.sent.Get("Content-Length"), 10, 64); err == nil {
		length = declared
	} else if bodyAllowed(r.status) && !r.head {
		r.sent.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if r.aborted {
		reader = io.MultiReader(reader, failingReader{})
	}
	if r.head {
		reader = bytes.NewReader(nil)
	}
	return &http.Response{
		Status: strconv.Itoa(r.status) + " " + http.StatusText(r.status), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		TLS: received.TLS, Header: r.sent, Body: io.NopCloser(reader), ContentLength: length, Request: request,
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
