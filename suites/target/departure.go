package target

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/login"
)

// exit tells when a browser leaves the authorization server: for another origin, or for a redirection URI, which may
// well lie under the server's own origin. Such a URI is recorded and never requested.
type exit struct {
	origins   []string
	redirects []string // redirection URIs, requested or registered, without query and fragment
}

// exitFor is the exit of the walk that an authorization request starts.
func (as *AS) exitFor(req *Request) *exit {
	e := &exit{origins: as.run.origins}
	add := func(uri string) {
		if uri != "" {
			e.redirects = append(e.redirects, bare(uri))
		}
	}
	for _, p := range append(slices.Clone(req.Params), req.Query...) {
		if p.Name == "redirect_uri" {
			add(p.Value)
		}
	}
	if req.client != nil {
		for _, uri := range req.client.RedirectURIs {
			add(uri)
		}
	}
	return e
}

// bare is a URI without query and fragment.
func bare(uri string) string {
	uri, _, _ = strings.Cut(uri, "#")
	uri, _, _ = strings.Cut(uri, "?")
	return uri
}

// leads reports whether a browser that goes to an absolute URL leaves the authorization server.
func (e *exit) leads(to string) bool {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return true
	}
	return e.isRedirectURI(to) || !slices.Contains(e.origins, login.Origin(to))
}

func (e *exit) isRedirectURI(to string) bool {
	return slices.ContainsFunc(e.redirects, func(uri string) bool { return uri == bare(to) || sameResource(uri, bare(to)) })
}

// offered finds a way to a redirection URI on a page that does nothing by itself: a link, or a script that the harness does
// not run.
func (e *exit) offered(resp *Response) (to, via string, ok bool) {
	doc := resp.page()
	if doc.Script != nil && e.isRedirectURI(doc.Script.URL) {
		return doc.Script.URL, "script", true
	}
	for _, link := range doc.Links {
		if e.isRedirectURI(link.URL) {
			return link.URL, "link", true
		}
	}
	return "", "", false
}

// location is the absolute target of a redirect. What cannot be resolved is returned as it stands.
func location(resp *Response) (to string, ok bool) {
	field := resp.Header.Get("Location")
	if resp.Status < 300 || resp.Status > 399 || resp.Status == http.StatusNotModified || field == "" {
		return "", false
	}
	base, err := url.Parse(resp.Request.Target())
	if err != nil {
		return field, true
	}
	ref, err := url.Parse(field)
	if err != nil || ref.IsAbs() {
		return field, true
	}
	return base.ResolveReference(ref).String(), true
}

// leave records where and how the browser left. step is the form that took it there, if one did.
func (a *Authorization) leave(resp *Response, to, via string, step *login.Step) *Authorization {
	a.Final, a.Location, a.Via = resp, to, via
	if step != nil && step.Method == http.MethodPost {
		a.Form = url.Values{}
		for _, p := range step.Params {
			a.Form.Add(p.Name, p.Value)
		}
	}
	if resp.run != nil {
		for name, values := range a.Params() {
			if slices.Contains(issuedMembers, name) {
				for _, value := range values {
					resp.run.AddSecret(name, value)
				}
			}
		}
	}
	if value := a.Code(); value != "" {
		sent := a.Sent
		a.code = &Code{
			Value: value, Client: sent.client, RedirectURI: sent.Get("redirect_uri"), State: a.State, Nonce: sent.Get("nonce"),
			Scope: sent.Get("scope"), Authorization: a,
		}
		if sent.Has("code_challenge") {
			a.code.Verifier = sent.verifier
		}
	}
	return a
}

// sameResource compares two URIs as a browser does: scheme and host without regard to case, the default port left out, an
// empty path as "/".
func sameResource(a, b string) bool {
	u, err := url.Parse(a)
	if err != nil {
		return false
	}
	v, err := url.Parse(b)
	if err != nil {
		return false
	}
	path := func(u *url.URL) string {
		if p := u.EscapedPath(); p != "" || u.Host == "" {
			return p
		}
		return "/"
	}
	return strings.EqualFold(u.Scheme, v.Scheme) && u.Opaque == v.Opaque && login.Origin(a) == login.Origin(b) &&
		u.User.String() == v.User.String() && path(u) == path(v)
}
