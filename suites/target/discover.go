package target

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/login"
)

// Trouble classifies why a target could not be discovered.
type Trouble string

// The troubles.
const (
	Unreachable  Trouble = "unreachable"   // no connection
	TLSFailure   Trouble = "tls"           // no trusted TLS connection, or TLS where there is none
	Slow         Trouble = "slow"          // no complete answer in time
	Truncated    Trouble = "truncated"     // the answer broke off
	Oversized    Trouble = "oversized"     // the answer does not end within the bounds, or unpacks beyond them
	NotJSON      Trouble = "not-json"      // HTML, nothing or something else where a JSON object is expected
	RedirectLoop Trouble = "redirect-loop" // redirects without end
	NotFound     Trouble = "not-found"     // no document at the place
	NoEndpoints  Trouble = "no-endpoints"  // neither metadata nor configured endpoints
)

// DiscoveryError says why a target could not be discovered, and what to do. The target could not be tested: exit status 3.
type DiscoveryError struct {
	Trouble   Trouble
	URL       string
	Text      string             // what happened, in a sentence
	Fix       string             // what to do
	Exchanges []reports.Exchange // everything that was tried
	Err       error              // the cause, where there is one
}

// Error gives the sentence and what to do.
func (e *DiscoveryError) Error() string {
	out := e.Text
	if e.URL != "" && !strings.Contains(out, e.URL) {
		out = e.URL + ": " + out
	}
	if e.Fix != "" {
		out += "; " + e.Fix
	}
	return out
}

// Unwrap gives the cause.
func (e *DiscoveryError) Unwrap() error { return e.Err }

// The well-known suffixes of RFC 8414 section 3 and OpenID Connect Discovery 1.0 section 4.
const (
	oauthSuffix  = "/.well-known/oauth-authorization-server"
	openidSuffix = "/.well-known/openid-configuration"
)

// maxMetadataRedirects bounds redirects on the way to a metadata document.
const maxMetadataRedirects = 5

// Discover finds out where a target's endpoints are and what it can do: it completes the configuration, reads the metadata
// at the well-known places (RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4.1), lays the configured endpoints
// over what it finds and detects capabilities. A target URL that is a token endpoint itself is recognised. What is odd but
// does not hinder (an issuer that differs, a document at an unusual place) becomes a fact. Errors are of type
// *DiscoveryError, an invalid configuration (see Config.Validate), or the context's.
//
// Only GET requests are made, but for one POST without parameters where the target URL might be a token endpoint.
func Discover(ctx context.Context, config Config) (*Info, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.Complete()
	info := &Info{Config: config, Endpoints: config.Endpoints, Discovered: time.Now()}
	run, err := NewRun(ctx, info, RunOptions{})
	if err != nil {
		return nil, err
	}
	defer run.Close()
	d := &discovery{ctx: ctx, run: run, info: info}
	if err := d.discover(); err != nil {
		var problem *DiscoveryError
		if errors.As(err, &problem) {
			problem.Exchanges = info.Exchanges
		}
		return nil, err
	}
	info.Detect()
	return info, nil
}

// discovery is the work of one Discover.
type discovery struct {
	ctx    context.Context
	run    *Run
	info   *Info
	misses []string // places without a document, with the reason
}

func (d *discovery) fact(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.info.Facts, text) {
		d.info.Facts = append(d.info.Facts, text)
	}
}

// place is where a metadata document may be.
type place struct {
	url              string
	issuer           string // whose document it would be
	openid, appended bool
	elsewhere        bool // of the bare origin, for a target with a path
}

// places lists where to look, the standard ones first. Where the target URL has a path, which may be that of an endpoint
// and not the issuer's, the places of its origin come last.
func places(target string) []place {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil
	}
	root := u.Scheme + "://" + u.Host
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, suffix := range []string{oauthSuffix, openidSuffix} {
		// The target is the document's own URL.
		if before, after, found := strings.Cut(path, suffix); found {
			return []place{{url: target, issuer: root + before + after, openid: suffix == openidSuffix, appended: before != ""}}
		}
	}
	out := []place{
		{url: root + oauthSuffix + path, issuer: target},
		{url: root + path + openidSuffix, issuer: target, openid: true},
	}
	if path != "" {
		out = append(out,
			place{url: root + openidSuffix + path, issuer: target, openid: true},
			place{url: root + path + oauthSuffix, issuer: target, appended: true},
			place{url: root + oauthSuffix, issuer: root, elsewhere: true},
			place{url: root + openidSuffix, issuer: root, openid: true, elsewhere: true},
		)
	}
	return out
}

func (d *discovery) discover() error {
	config := d.info.Config
	configured := config.Endpoints.Token != "" || config.Endpoints.Authorization != ""
	var candidates []place
	switch {
	case config.Endpoints.Metadata != "":
		candidates = []place{{url: config.Endpoints.Metadata, issuer: config.Target, openid: strings.Contains(config.Endpoints.Metadata, openidSuffix)}}
	case config.Target != "":
		candidates = places(config.Target)
	}
	for _, p := range candidates {
		// The places of the bare origin serve a target with a path only where nothing else was found.
		if p.elsewhere && len(d.info.Documents) > 0 {
			break
		}
		doc, problem := d.read(p)
		switch {
		case d.ctx.Err() != nil:
			return context.Cause(d.ctx)
		case problem == nil:
			d.info.Documents = append(d.info.Documents, doc)
			continue
		case config.Endpoints.Metadata != "":
			problem.Fix = cmp.Or(problem.Fix, "correct endpoints.metadata")
			return problem
		}
		d.misses = append(d.misses, fmt.Sprintf("%s (%s)", p.url, problem.Text))
		switch problem.Trouble {
		case Unreachable, TLSFailure, Slow:
			if !configured && len(d.info.Documents) == 0 {
				return problem
			}
		case NotFound, NotJSON:
			continue
		}
		// Of a server that behaves like that one more look would not tell more.
		d.fact("reading metadata from %s failed: %s", p.url, problem.Text)
		if problem.Trouble == Unreachable || problem.Trouble == TLSFailure || problem.Trouble == Slow {
			break
		}
	}
	d.adopt()
	if d.info.Endpoints.Token == "" && len(d.info.Documents) == 0 {
		if err := d.tryTokenEndpoint(); err != nil {
			return err
		}
	}
	d.settleIssuer()
	d.judgeEndpoints()
	if len(d.info.Endpoints.all()) == 0 {
		return &DiscoveryError{Trouble: NoEndpoints, URL: config.Target,
			Text: "no metadata document was found and no endpoint is configured; looked at " + strings.Join(d.misses, ", "),
			Fix:  "correct target, or set endpoints: {authorization: …, token: …}"}
	}
	return nil
}

// read fetches and reads the document of one place.
func (d *discovery) read(p place) (*Metadata, *DiscoveryError) {
	resp, problem := d.get(p.url)
	if problem != nil {
		return nil, problem
	}
	fail := func(trouble Trouble, format string, args ...any) (*Metadata, *DiscoveryError) {
		return nil, &DiscoveryError{Trouble: trouble, URL: p.url, Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case resp.Status/100 != 2: // that it has to be 200 is for a check to say (RFC 8414 section 3.2)
		return fail(NotFound, "status %d", resp.Status)
	case resp.Truncated:
		return fail(Oversized, "the body is larger than %d bytes", maxBody)
	case len(strings.TrimSpace(string(resp.Body))) == 0:
		return fail(NotJSON, "the body is empty")
	}
	members, err := resp.RawJSON()
	if err != nil {
		if strings.Contains(resp.ContentType(), "html") {
			return fail(NotJSON, "an HTML page, not a JSON document")
		}
		return fail(NotJSON, "%v", err)
	}
	doc := &Metadata{URL: p.url, OpenID: p.openid, Appended: p.appended, Members: members, Exchange: resp.Exchange}
	if doc.String("issuer") == "" && doc.String("token_endpoint") == "" && doc.String("authorization_endpoint") == "" {
		return fail(NotJSON, "a JSON object without issuer and endpoints")
	}
	if p.appended && !p.openid {
		d.fact("the metadata is at %s; RFC 8414 section 3.1 puts the well-known part before the issuer's path", p.url)
	}
	if p.elsewhere {
		d.fact("the metadata is at %s, which is not the place for the target %s", p.url, d.info.Config.Target)
	}
	return doc, nil
}

// get fetches a URL, following a few redirects, which must not lead from https to http.
func (d *discovery) get(rawURL string) (*Response, *DiscoveryError) {
	seen := map[string]bool{}
	for at := rawURL; ; {
		seen[at] = true
		resp := d.run.do(d.ctx, &Request{Method: http.MethodGet, URL: at, Header: http.Header{"Accept": {"application/json"}}})
		d.info.Exchanges = append(d.info.Exchanges, *resp.Exchange)
		if resp.Err != nil {
			return nil, classify(at, resp.Err, d.info.Config.Timing.Timeout)
		}
		location := resp.Header.Get("Location")
		if resp.Status < 300 || resp.Status > 399 || location == "" {
			if at != rawURL && resp.Status == http.StatusOK {
				d.fact("the metadata at %s is served after a redirect to %s", rawURL, at)
			}
			return resp, nil
		}
		base, err := url.Parse(at)
		if err != nil {
			return resp, nil
		}
		next, err := base.Parse(location)
		switch {
		case err != nil || next.Scheme != "http" && next.Scheme != "https":
			return nil, &DiscoveryError{Trouble: NotFound, URL: rawURL, Text: fmt.Sprintf("a redirect to %q", location)}
		case base.Scheme == "https" && next.Scheme == "http":
			return nil, &DiscoveryError{Trouble: NotFound, URL: rawURL, Text: "a redirect from https to http, which is not followed"}
		case len(seen) > maxMetadataRedirects || seen[next.String()]:
			return nil, &DiscoveryError{Trouble: RedirectLoop, URL: rawURL, Text: fmt.Sprintf("redirects without end (%d, then to %s)", len(seen), next),
				Fix: "set endpoints.metadata to the document's URL, or configure endpoints"}
		}
		at = next.String()
	}
}

// classify says what a transport error means and what to do about it.
func classify(rawURL string, err error, timeout time.Duration) *DiscoveryError {
	problem := &DiscoveryError{URL: rawURL, Text: err.Error(), Err: err}
	var (
		dns        *net.DNSError
		authority  x509.UnknownAuthorityError
		host       x509.HostnameError
		invalid    x509.CertificateInvalidError
		record     tls.RecordHeaderError
		alert      tls.AlertError
		verify     *tls.CertificateVerificationError
		networking *net.OpError
	)
	trust := "trust its certificate with --ca-file (tls.ca_file), or, against a test server, use --insecure-skip-verify (tls.insecure_skip_verify)"
	switch text := err.Error(); {
	case errors.As(err, &authority):
		problem.Trouble, problem.Text, problem.Fix = TLSFailure, "the server's certificate is signed by an authority that is not trusted", trust
	case errors.As(err, &host):
		problem.Trouble, problem.Text, problem.Fix = TLSFailure, "the server's certificate is for another host: "+host.Error(), "use the host name of the certificate, or "+trust
	case errors.As(err, &invalid), errors.As(err, &verify):
		problem.Trouble, problem.Text, problem.Fix = TLSFailure, "the server's certificate is not valid: "+text, trust
	case errors.As(err, &record), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		problem.Trouble, problem.Text, problem.Fix = TLSFailure, "the server does not speak TLS at this port", "write http:// instead of https://, or correct the port"
	case errors.As(err, &alert), strings.Contains(text, "tls: "):
		problem.Trouble, problem.Text, problem.Fix = TLSFailure, "the TLS handshake failed: "+text, "check the server's TLS settings"
	case strings.Contains(text, "malformed HTTP"):
		problem.Trouble, problem.Text, problem.Fix = Truncated, "the answer is not HTTP: "+text, "if the server speaks TLS at this port, write https:// instead of http://"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		problem.Trouble, problem.Text = Slow, fmt.Sprintf("no complete answer within %s", timeout)
		problem.Fix = "check that the server is up; if it is that slow, raise --timeout (timing.timeout)"
	case errors.As(err, &dns):
		problem.Trouble, problem.Text, problem.Fix = Unreachable, "the host name "+dns.Name+" cannot be resolved", "correct target"
	case errors.Is(err, syscall.ECONNREFUSED):
		problem.Trouble, problem.Text, problem.Fix = Unreachable, "the connection is refused", "start the server, or correct host and port of target"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), strings.Contains(text, "broke off"):
		problem.Trouble, problem.Text, problem.Fix = Truncated, "the answer broke off: "+text, "look into the server's log"
	case errors.As(err, &networking):
		problem.Trouble, problem.Text, problem.Fix = Unreachable, "no connection: "+text, "check network and target"
	default:
		problem.Trouble, problem.Text, problem.Fix = Truncated, "the answer cannot be read: "+text, "look into the server's log"
	}
	return problem
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// adopt takes endpoints from the documents: configured ones stand, then the first document's, then what only others have.
func (d *discovery) adopt() {
	for i, doc := range d.info.Documents {
		if i == 0 {
			d.info.Metadata = doc
		} else if a, b := d.info.Metadata.String("issuer"), doc.String("issuer"); a != b {
			d.fact("%s names the issuer %q, %s names %q", d.info.Metadata.URL, a, doc.URL, b)
			continue
		}
		for _, e := range d.info.Endpoints.list() {
			raw, given := doc.Members[e.member]
			if !given || raw == nil {
				continue
			}
			s, ok := raw.(string)
			u, err := url.Parse(s)
			switch {
			case !ok || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
				d.fact("%s in %s is no absolute http or https URL, and is not used", e.member, doc.URL)
			case *e.url == "":
				*e.url = s
			case i > 0 && *e.url != s && d.info.Metadata.String(e.member) != "":
				d.fact("%s is %s in %s and %s in %s", e.member, d.info.Metadata.String(e.member), d.info.Metadata.URL, s, doc.URL)
			}
		}
	}
	if d.info.Metadata != nil {
		d.info.Endpoints.Metadata = d.info.Metadata.URL
	}
}

// tryTokenEndpoint finds out whether the target URL is the token endpoint: such an endpoint answers a POST without
// parameters with an error in a JSON object (RFC 6749 section 5.2).
func (d *discovery) tryTokenEndpoint() error {
	target := d.info.Config.Target
	if target == "" {
		return nil
	}
	resp := d.run.do(d.ctx, &Request{Method: http.MethodPost, URL: target, Media: FormMediaType, Header: http.Header{"Accept": {"application/json"}}})
	d.info.Exchanges = append(d.info.Exchanges, *resp.Exchange)
	if resp.Err != nil {
		if d.ctx.Err() != nil {
			return context.Cause(d.ctx)
		}
		if len(d.info.Endpoints.all()) == 0 {
			return classify(target, resp.Err, d.info.Config.Timing.Timeout)
		}
		return nil
	}
	_, err := resp.RawJSON()
	if err == nil && resp.Status >= 400 && resp.Status < 500 && (resp.Status != http.StatusNotFound || resp.ErrorCode() != "") {
		d.info.Endpoints.Token = target
		d.fact("%s is taken as the token endpoint: there is no metadata, and it answers a POST without parameters with a JSON error (%d)", target, resp.Status)
	} else {
		d.misses = append(d.misses, fmt.Sprintf("a POST to %s (status %d, no JSON error as a token endpoint would send)", target, resp.Status))
	}
	return nil
}

// settleIssuer decides on the issuer identifier and notes where the document's is not the one it was found by.
func (d *discovery) settleIssuer() {
	target := d.info.Config.Target
	if target != d.info.Endpoints.Token {
		d.info.Issuer = target
	}
	if d.info.Metadata == nil {
		if d.info.Config.Target != "" && d.info.Endpoints.Token != target {
			d.fact("no metadata document was found; endpoints are those that are configured")
		}
		return
	}
	issuer := d.info.Metadata.String("issuer")
	if issuer == "" {
		d.fact("%s names no issuer", d.info.Metadata.URL)
		return
	}
	d.info.Issuer = issuer
	expected := target
	for _, p := range places(target) {
		if p.url == d.info.Metadata.URL {
			expected = p.issuer
		}
	}
	switch {
	case expected == "" || issuer == expected || d.info.Config.Endpoints.Metadata != "" && target == "":
	case strings.TrimRight(issuer, "/") == strings.TrimRight(expected, "/"):
		d.fact("the issuer is %q, the target was given as %q: they differ by a final slash", issuer, expected)
	default:
		d.fact("the issuer in %s is %q, not %q", d.info.Metadata.URL, issuer, expected)
	}
}

// judgeEndpoints notes endpoints that lie elsewhere than expected.
func (d *discovery) judgeEndpoints() {
	home := login.Origin(cmp.Or(d.info.Issuer, d.info.Config.Target))
	for _, e := range d.info.Endpoints.list() {
		if *e.url == "" || home == "" || e.member == "" {
			continue
		}
		switch origin := login.Origin(*e.url); {
		case strings.HasPrefix(home, "https:") && strings.HasPrefix(origin, "http:"):
			d.fact("%s is %s: http, while the issuer is https", e.member, *e.url)
		case origin != home:
			d.fact("%s is at another origin than the issuer: %s", e.member, *e.url)
		}
	}
}
