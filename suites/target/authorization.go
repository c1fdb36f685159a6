package target

import (
	"net/url"
	"strings"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Authorization is one walk of a browser from an authorization request through login and consent until it leaves the
// authorization server or stops at a page.
type Authorization struct {
	Sent  *Request // the authorization request
	State string   // the state that was sent, "" if none

	// Location is the absolute URI outside of the server's own pages to which the browser was sent, "" if to none.
	Location string
	// Via says how: "location", "refresh", "meta", "form", "script" or "link" (a link waits for a click).
	Via string
	// Form holds the response parameters of a form_post response.
	Form url.Values

	Page  *Response   // the last page, where the browser was not sent anywhere
	Final *Response   // the response that sent the browser away
	Steps []*Response // every response, in order

	LoginShown   bool
	ConsentShown bool

	code *Code // that was delivered, with what its redemption needs
}

// RawQuery is the query of Location as it stands there.
func (a *Authorization) RawQuery() string {
	before, _, _ := strings.Cut(a.Location, "#")
	_, query, _ := strings.Cut(before, "?")
	return query
}

// RawFragment is the fragment of Location as it stands there.
func (a *Authorization) RawFragment() string {
	_, fragment, _ := strings.Cut(a.Location, "#")
	return fragment
}

// In says where the response parameters are: "query", "fragment", "form_post", or "" where there are none.
func (a *Authorization) In() string {
	switch {
	case a.Location == "":
		return ""
	case len(a.Form) > 0:
		return "form_post"
	case hasResponse(a.RawFragment()):
		return "fragment"
	case hasResponse(a.RawQuery()):
		return "query"
	}
	return ""
}

// hasResponse reports whether an encoded string holds a parameter of an authorization response.
func hasResponse(raw string) bool {
	values, _ := url.ParseQuery(raw)
	for _, name := range []string{"code", "access_token", "id_token", "error", "response"} {
		if _, ok := values[name]; ok {
			return true
		}
	}
	return false
}

// Params are the response parameters as delivered, decoded.
func (a *Authorization) Params() url.Values {
	var values url.Values
	switch a.In() {
	case "form_post":
		return a.Form
	case "fragment":
		values, _ = url.ParseQuery(a.RawFragment())
	case "query":
		values, _ = url.ParseQuery(a.RawQuery())
	}
	return values
}

// Param is a response parameter, "" if absent.
func (a *Authorization) Param(name string) string { return a.Params().Get(name) }

// Code is the authorization code that was delivered, "" if none.
func (a *Authorization) Code() string { return a.Param("code") }

// Error is the error code that was delivered, "" if none.
func (a *Authorization) Error() string { return a.Param("error") }

// SentTo reports whether the browser was sent to uri: scheme, host, port and path are equal and every parameter of its
// query is there.
func (a *Authorization) SentTo(uri string) bool {
	got, err := url.Parse(a.Location)
	if err != nil || a.Location == "" {
		return false
	}
	want, err := url.Parse(uri)
	if err != nil {
		return strings.HasPrefix(a.Location, uri)
	}
	if got.Scheme != want.Scheme || got.Host != want.Host || got.EscapedPath() != want.EscapedPath() || got.Opaque != want.Opaque {
		return false
	}
	gotQuery := got.Query()
	for name, values := range want.Query() {
		if len(gotQuery[name]) == 0 || gotQuery[name][0] != values[0] {
			return false
		}
	}
	return true
}

// Exchanges returns the evidence of the walk, in order.
func (a *Authorization) Exchanges() []*reports.Exchange {
	var out []*reports.Exchange
	for _, step := range a.Steps {
		if step != nil && step.Exchange != nil {
			out = append(out, step.Exchange)
		}
	}
	return out
}
