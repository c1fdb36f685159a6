package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Response is an HTTP response as a check judges it. Where the request failed in transport Err is set and Status is 0.
type Response struct {
	Status   int
	Header   http.Header
	Body     []byte            // decompressed and bounded
	Exchange *reports.Exchange // the raw evidence
	Err      error             // the transport failure, if there was no response

	// View is the token or error response as the RFC names it, where a dialect had to translate it; nil means that the
	// body is the view.
	View map[string]any
}

// RawJSON decodes the body as one JSON object, as it came. Numbers are json.Number.
func (r *Response) RawJSON() (map[string]any, error) {
	if r == nil {
		return nil, errors.New("no response")
	}
	if r.Err != nil {
		return nil, r.Err
	}
	var members map[string]any
	if err := decodeJSON(r.Body, &members); err != nil {
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

// Member returns a member of JSON, nil if it is absent, null, or the body is no object.
func (r *Response) Member(name string) any {
	members, err := r.JSON()
	if err != nil {
		return nil
	}
	return members[name]
}

// String returns a member of JSON if it is a string, else "".
func (r *Response) String(name string) string {
	s, _ := r.Member(name).(string)
	return s
}

// ErrorCode is the error member (RFC 6749 section 5.2) of a response, "" if there is none.
func (r *Response) ErrorCode() string { return r.String("error") }

// IssuesToken reports whether the response hands out a token or a code, whatever its status.
func (r *Response) IssuesToken() bool {
	for _, name := range []string{"access_token", "refresh_token", "id_token", "code"} {
		if r.String(name) != "" {
			return true
		}
	}
	return false
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

// decodeJSON decodes exactly one JSON value with numbers kept as they were written.
func decodeJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data after the JSON value")
	}
	return nil
}
