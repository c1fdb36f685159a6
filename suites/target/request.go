package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// FormMediaType is the media type of form-encoded request bodies (RFC 6749 appendix B).
const FormMediaType = "application/x-www-form-urlencoded"

// Param is one request parameter. Name and Value are decoded: the harness encodes them exactly once, so that the decoded
// value "%2F" goes out as "%252F". Raw, if set, is sent in place of the pair as it stands.
type Param struct {
	Name, Value string
	Raw         string
}

// encode is the parameter in application/x-www-form-urlencoded form.
func (p Param) encode() string {
	if p.Raw != "" {
		return p.Raw
	}
	return url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
}

// Request is an HTTP request as a check declares it. Parameters are an ordered list; they may repeat.
type Request struct {
	Method string
	// URL is the endpoint. A query of its own is kept and stays first; a fragment is not sent.
	URL string
	// Params are the request parameters: in the body, or in the query with InQuery.
	Params  []Param
	InQuery bool
	// Query holds further parameters, always sent in the query, before Params.
	Query  []Param
	Header http.Header
	// Media is the Content-Type of the body; "" sends none.
	Media string
	// JSON sends Params as a JSON object instead of a form. A repeated name makes a repeated member.
	JSON bool
	// Document is sent as the body in place of Params, if not nil (client registration, for example).
	Document []byte

	rawQuery, rawForm *string // sent as they stand

	run    *Run
	client *Client // whose authentication the request carries
	flow   flow
	// scratch marks a request on which edits are applied only to learn what they say about the flow around it.
	scratch bool
	// identifies marks an authorization request: it names its client by client_id and carries no authentication.
	identifies bool
	// foreign marks a request that a page of another site made: cookies that browsers keep back then are not sent.
	foreign bool
	// authParams are the names of the parameters that client authentication put there.
	authParams []string
	broken     error // why the request cannot be made

	// What a successful answer to the request belongs to.
	grant    Grant
	code     *Code
	scope    string
	verifier string // of the code_challenge that the harness made
}

// flow is what edits say about more than the one request.
type flow struct {
	client       *Client // plays in the whole grant, nil = the usual one
	responseType string  // of the authorization request, "" = code
	scope        *string // of the grant, nil = the usual one
	withoutPKCE  bool
	noControl    bool
	anyStatus    bool
	deny         bool
	denyAtLogin  bool
	stopAtPage   bool
	// stopAtLogin ends the walk where the owner would sign in.
	stopAtLogin bool
	// joined: another browser began the request, so that nothing follows from a login that leads nowhere.
	joined bool
	// stopAtConsent ends the walk where the owner would approve or deny.
	stopAtConsent bool
	// untouched: nobody enters or presses anything; pages that go on by themselves are followed.
	untouched bool
	authorize []RequestEdit // edits of the grant's authorization request
}

// edits reports whether the flow differs from the usual one by more than its client and response type.
func (f flow) edits() bool {
	return f.scope != nil || f.withoutPKCE || f.deny || len(f.authorize) > 0
}

// flowOf learns what edits say about the flow around the request.
func (run *Run) flowOf(edits []RequestEdit) flow {
	scratch := &Request{Method: http.MethodPost, Header: http.Header{}, Media: FormMediaType, run: run, scratch: true}
	scratch.Apply(edits...)
	return scratch.flow
}

// Apply applies edits in their order.
func (r *Request) Apply(edits ...RequestEdit) *Request {
	for _, edit := range edits {
		if edit != nil {
			edit(r)
		}
	}
	return r
}

// Clone returns an independent copy.
func (r *Request) Clone() *Request {
	c := *r
	c.Params, c.Query = slices.Clone(r.Params), slices.Clone(r.Query)
	c.Header = r.Header.Clone()
	c.authParams = slices.Clone(r.authParams)
	return &c
}

// Client is the client whose authentication the request carries; nil if none.
func (r *Request) Client() *Client { return r.client }

// Get is the value of the first parameter of that name; "" if there is none.
func (r *Request) Get(name string) string {
	if i := r.index(name); i >= 0 {
		return r.Params[i].Value
	}
	return ""
}

// Has reports whether there is a parameter of that name.
func (r *Request) Has(name string) bool { return r.index(name) >= 0 }

func (r *Request) index(name string) int {
	return slices.IndexFunc(r.Params, func(p Param) bool { return p.Name == name })
}

// set gives the parameter one value: in the place of the first of that name, else at the end.
func (r *Request) set(p Param) {
	i := r.index(p.Name)
	if i < 0 {
		r.Params = append(r.Params, p)
		return
	}
	rest := slices.DeleteFunc(slices.Clone(r.Params[i+1:]), func(q Param) bool { return q.Name == p.Name })
	r.Params = append(append(r.Params[:i:i], p), rest...)
}

func (r *Request) omit(names ...string) {
	r.Params = slices.DeleteFunc(slices.Clone(r.Params), func(p Param) bool { return slices.Contains(names, p.Name) })
}

// Target is the absolute URL that goes out, query included, exactly as it stands on the wire.
func (r *Request) Target() string {
	base, query := r.split()
	if query == "" && !strings.HasSuffix(base, "?") {
		return base
	}
	return base + "?" + query
}

// split returns the URL without query and fragment, and the whole query.
func (r *Request) split() (base, query string) {
	base, _, _ = strings.Cut(r.URL, "#")
	base, own, _ := strings.Cut(base, "?")
	if r.rawQuery != nil {
		return base, *r.rawQuery
	}
	parts := []string{}
	if own != "" {
		parts = append(parts, own)
	}
	for _, p := range r.Query {
		parts = append(parts, p.encode())
	}
	if r.InQuery {
		for _, p := range r.Params {
			parts = append(parts, p.encode())
		}
	}
	return base, strings.Join(parts, "&")
}

// Body is the request body as it goes out.
func (r *Request) Body() []byte {
	switch {
	case r.rawForm != nil:
		return []byte(*r.rawForm)
	case r.Document != nil:
		return r.Document
	case r.InQuery:
		return nil
	case r.JSON:
		return jsonObject(r.Params)
	}
	parts := make([]string, len(r.Params))
	for i, p := range r.Params {
		parts[i] = p.encode()
	}
	return []byte(strings.Join(parts, "&"))
}

// jsonObject writes parameters as a JSON object of strings, in order; a repeated name makes a repeated member.
func jsonObject(params []Param) []byte {
	quote := func(s string) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(s) // a string can always be encoded
		return strings.TrimSuffix(b.String(), "\n")
	}
	members := make([]string, len(params))
	for i, p := range params {
		members[i] = quote(p.Name) + ":" + quote(p.Value)
		if p.Raw != "" {
			members[i] = p.Raw
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// httpRequest builds the request for the transport.
func (r *Request) httpRequest(ctx context.Context) (*http.Request, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	base, query := r.split()
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the endpoint URL %q cannot be parsed: %w", base, err)
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is no absolute http or https URL", base)
	}
	u.RawQuery = query
	body := r.Body()
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), reader)
	if err != nil {
		return nil, err
	}
	req.URL = u
	req.Header = r.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	for name, values := range req.Header {
		for _, value := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
				return nil, fmt.Errorf("the header field %q: %q cannot be sent", name, value)
			}
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	hasBody := len(body) > 0 || (r.Method != http.MethodGet && r.Method != http.MethodHead)
	if r.Media != "" && hasBody {
		req.Header["Content-Type"] = []string{r.Media}
	}
	if _, set := req.Header["User-Agent"]; !set {
		req.Header.Set("User-Agent", "oauthcheck")
	}
	if _, set := req.Header["Accept"]; !set {
		req.Header.Set("Accept", "*/*")
	}
	return req, nil
}
