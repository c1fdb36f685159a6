package target

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/login"
)

// Response is an HTTP response as a check judges it. Where the request failed in transport Err is set and Status is 0.
type Response struct {
	Status    int
	Proto     string // "HTTP/1.1"
	Header    http.Header
	Body      []byte            // decompressed and bounded
	Truncated bool              // the body was longer than the harness reads (1 MiB)
	Exchange  *reports.Exchange // the raw evidence
	Request   *Request          // what it answers
	TLS       *tls.ConnectionState
	Err       error // the transport failure, if there was no response

	// View is the token or error response as the RFC names it, where a dialect had to translate it; nil means that the
	// body is the view.
	View map[string]any

	run     *Run
	decoded *decoded // what RawJSON returns, once a response was received
}

// decoded is a body as one JSON object, or why it is none.
type decoded struct {
	members map[string]any
	err     error
}

// RawJSON is the body as one JSON object, as it came; it is not to be changed. Numbers are json.Number.
func (r *Response) RawJSON() (map[string]any, error) {
	switch {
	case r == nil:
		return nil, errors.New("no response")
	case r.Err != nil:
		return nil, r.Err
	case r.decoded != nil:
		return r.decoded.members, r.decoded.err
	}
	return decodeObject(r.Body)
}

func decodeObject(body []byte) (map[string]any, error) {
	var members map[string]any
	if err := decodeJSON(body, &members); err != nil {
		return nil, fmt.Errorf("the body is no JSON object: %w", err)
	}
	if members == nil {
		return nil, errors.New("the body is the JSON value null, no object")
	}
	return members, nil
}

// JSON is the object of a token or error response: RawJSON, or what the target's dialect makes of it.
func (r *Response) JSON() (map[string]any, error) {
	if r != nil && r.View != nil {
		return r.View, nil
	}
	return r.RawJSON()
}

// Member returns a member of JSON, nil if it is absent, null, or the body is no object. Numbers are json.Number.
func (r *Response) Member(name string) any {
	members, err := r.JSON()
	if err != nil {
		return nil
	}
	return members[name]
}

// Has reports whether JSON has the member, be it null.
func (r *Response) Has(name string) bool {
	members, _ := r.JSON()
	_, ok := members[name]
	return ok
}

// String returns a member of JSON if it is a string, else "".
func (r *Response) String(name string) string {
	s, _ := r.Member(name).(string)
	return s
}

// ErrorCode is the error member (RFC 6749 section 5.2) of a response, "" if there is none.
func (r *Response) ErrorCode() string { return r.String("error") }

// Success reports whether the response is a 2xx without an error member.
func (r *Response) Success() bool {
	return r != nil && r.Err == nil && r.Status >= 200 && r.Status < 300 && !r.Has("error")
}

// Failed reports whether the response tells of a failure of the server, not of the request: a 5xx. 501 with an error code is
// none: it is how some servers refuse a grant or response type that they do not know, and never a sign of load.
func (r *Response) Failed() bool {
	return r != nil && r.Status >= 500 && (r.Status != http.StatusNotImplemented || r.ErrorCode() == "")
}

// IssuesToken reports whether the response hands out a token or a code, whatever its status: as a JSON member at any
// depth, in the Location header, or as a field of a form in an HTML page. Values that the request itself contained are
// echoes, not issues.
func (r *Response) IssuesToken() bool {
	if r == nil || r.Err != nil {
		return false
	}
	if r.issuesIn(r.View, 0) {
		return true
	}
	// Error responses often have a numeric or textual "code" that is no authorization code.
	if r.Success() && r.issued("code", r.String("code")) {
		return true
	}
	var body any
	if decodeJSON(r.Body, &body) == nil && r.issuesIn(body, 0) {
		return true
	}
	if r.issuesInURI(r.Header.Get("Location")) {
		return true
	}
	for _, form := range r.page().Forms {
		for _, c := range form.Controls {
			if r.issued(c.Name, c.Value) {
				return true
			}
		}
	}
	return false
}

// page is the body as a browser reads it; of a body that is no HTML it is empty.
func (r *Response) page() *login.Document { return login.Parse(r.asPage()) }

func (r *Response) asPage() *login.Page {
	page := &login.Page{Status: r.Status, Header: r.Header, Body: r.Body}
	if r.Request != nil {
		page.URL = r.Request.Target()
	}
	return page
}

// tokenNames are the JSON members that hand out tokens, without underscores and in lower case.
var tokenNames = []string{"accesstoken", "refreshtoken", "idtoken"}

func (r *Response) issuesIn(value any, depth int) bool {
	if depth > 8 {
		return false
	}
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if s, ok := member.(string); ok {
				plain := strings.ToLower(strings.ReplaceAll(name, "_", ""))
				if s != "" && slices.Contains(tokenNames, plain) && !r.sent(s) {
					return true
				}
			} else if r.issuesIn(member, depth+1) {
				return true
			}
		}
	case []any:
		for _, element := range value {
			if r.issuesIn(element, depth+1) {
				return true
			}
		}
	}
	return false
}

func (r *Response) issuesInURI(uri string) bool {
	before, fragment, _ := strings.Cut(uri, "#")
	_, query, _ := strings.Cut(before, "?")
	for _, p := range append(parseForm(query), parseForm(fragment)...) {
		if r.issued(p.Name, p.Value) {
			return true
		}
	}
	return false
}

func (r *Response) issued(name, value string) bool {
	return value != "" && slices.Contains([]string{"code", "access_token", "refresh_token", "id_token"}, name) && !r.sent(value)
}

// sent reports whether a parameter of the request had the value.
func (r *Response) sent(value string) bool {
	if r.Request == nil {
		return false
	}
	_, query := r.Request.split()
	params := append(slices.Clone(r.Request.Params), parseForm(query)...)
	if r.Request.rawForm != nil {
		params = append(params, parseForm(*r.Request.rawForm)...)
	}
	return slices.ContainsFunc(params, func(p Param) bool { return p.Value == value })
}

// ContentType is the media type of the body in lower case without parameters; "" where the field is absent or malformed.
func (r *Response) ContentType() string {
	if r == nil {
		return ""
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return mediaType
}

// DuplicateMembers lists JSON members that occur more than once in one object of the body, as dotted paths.
func (r *Response) DuplicateMembers() []string {
	if r == nil || r.Err != nil {
		return nil
	}
	var out []string
	d := json.NewDecoder(bytes.NewReader(withoutMark(r.Body)))
	d.UseNumber()
	_ = walkJSON(d, "", func(path string) { out = append(out, path) })
	return out
}

// walkJSON reads one JSON value and reports the repeated members of its objects.
func walkJSON(d *json.Decoder, path string, duplicate func(string)) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		inner := path
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			inner = strings.TrimPrefix(path+"."+name, ".")
			if seen[name] {
				duplicate(inner)
			}
			seen[name] = true
		}
		if err := walkJSON(d, inner, duplicate); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// withoutMark is a JSON text without the byte order mark that a reader may ignore (RFC 8259 section 8.1).
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// decodeJSON decodes exactly one JSON value with numbers kept as they were written.
func decodeJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(withoutMark(data)))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data after the JSON value")
	}
	return nil
}

// parseForm decodes an application/x-www-form-urlencoded string leniently and in order: what cannot be decoded stays as
// it is.
func parseForm(raw string) []Param {
	var out []Param
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		out = append(out, Param{Name: unescape(name), Value: unescape(value), Raw: pair})
	}
	return out
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
