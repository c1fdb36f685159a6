package target

import (
	"fmt"
	"net/url"
	"slices"
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

	// Consent is the approving form of the consent page, where StopAtConsent ended the walk there.
	Consent *ConsentForm

	LoginShown   bool
	ConsentShown bool

	elsewhere bool

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
	return slices.ContainsFunc(parseForm(raw), func(p Param) bool {
		return slices.Contains([]string{"code", "access_token", "id_token", "error", "response"}, p.Name)
	})
}

// Params are the response parameters as delivered, decoded.
func (a *Authorization) Params() url.Values {
	switch a.In() {
	case "form_post":
		return a.Form
	case "fragment":
		return values(a.RawFragment())
	case "query":
		return values(a.RawQuery())
	}
	return url.Values{}
}

// values decodes a query leniently: what cannot be decoded stays as it is.
func values(raw string) url.Values {
	out := url.Values{}
	for _, p := range parseForm(raw) {
		out.Add(p.Name, p.Value)
	}
	return out
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
	if a.Location == "" || bare(a.Location) != bare(uri) && !sameResource(bare(a.Location), bare(uri)) {
		return false
	}
	rest, _, _ := strings.Cut(uri, "#")
	_, query, _ := strings.Cut(rest, "?")
	got := values(a.RawQuery())
	for name, wanted := range values(query) {
		if len(got[name]) == 0 || got[name][0] != wanted[0] {
			return false
		}
	}
	return true
}

// Elsewhere reports whether the browser was sent to an origin that is not known as one of the authorization server's, neither to a
// redirection URI nor with a response: to a login service that login.origins does not list, for example.
func (a *Authorization) Elsewhere() bool { return a.elsewhere }

// issues reports whether the response delivers a code or a token.
func (a *Authorization) issues() bool {
	params := a.Params()
	return slices.ContainsFunc([]string{"code", "access_token", "id_token", "response"}, func(name string) bool { return params.Get(name) != "" })
}

// outcome says in one line how the authorization ended.
func (a *Authorization) outcome() string {
	switch {
	case a.Error() != "":
		out := "the browser was sent to " + bare(a.Location) + " with error " + a.Error()
		if text := a.Param("error_description"); text != "" {
			out += " (" + shorten(text) + ")"
		}
		return out
	case a.Location != "":
		return "the browser was sent to " + bare(a.Location)
	case a.Page == nil:
		return "nothing came back"
	case a.Page.Err != nil:
		return "no answer: " + a.Page.Err.Error()
	}
	out := fmt.Sprintf("it stopped at a page of the server with status %d", a.Page.Status)
	if text := a.Page.page().Summary(); text != "" {
		out += fmt.Sprintf(" that says %q", shorten(text))
	} else if code := a.Page.ErrorCode(); code != "" {
		out += " and error " + code
	}
	return out
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
