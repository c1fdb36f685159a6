package target

import (
	"html"
	"net/url"
	"slices"
	"strings"
)

// ConsentForm is what a browser sends when the resource owner approves on a consent page, for checks of its protection against
// cross-site request forgery (RFC 6749 section 10.12).
type ConsentForm struct {
	request       *Request
	authorization *Request // that led to the page
}

// StopAtConsent ends the walk at the consent page, after the owner has signed in: Authorization.Consent is the form.
func StopAtConsent() RequestEdit { return func(r *Request) { r.flow.stopAtConsent = true } }

// Editable reports whether the fields of the form can be told apart.
func (f *ConsentForm) Editable() bool {
	return f.request.rawForm == nil || f.request.Media == FormMediaType
}

// CommonWith is the form without every field, URL parameter and path segment whose value differs from that of another one:
// what somebody knows who saw only the other form.
func (f *ConsentForm) CommonWith(other *ConsentForm) *ConsentForm {
	return f.without(other, func(string) bool { return false })
}

// KnownTo is the form without what somebody cannot know who saw another form, and of this authorization request only its
// beginning, up to the login page.
func (f *ConsentForm) KnownTo(begun *Authorization, other *ConsentForm) *ConsentForm {
	return f.without(other, func(value string) bool { return value != "" && begun.shows(value) })
}

// shows reports whether a value is in a URL, a header field or a page of the walk.
func (a *Authorization) shows(value string) bool {
	spellings := []string{value, url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value)}
	return slices.ContainsFunc(a.Steps, func(step *Response) bool {
		seen := step.Request.Target() + "\n" + step.Header.Get("Location") + "\n" + string(step.Body)
		return slices.ContainsFunc(spellings, func(spelling string) bool { return strings.Contains(seen, spelling) })
	})
}

// without leaves out every field, URL parameter and path segment that is not in the other form and whose value is not known.
func (f *ConsentForm) without(other *ConsentForm, known func(value string) bool) *ConsentForm {
	mine, theirs := f.request, other.request
	common := mine.Clone()
	if mine.rawForm != nil && theirs.rawForm != nil {
		body := encodeParams(commonParams(parseForm(*mine.rawForm), parseForm(*theirs.rawForm), known))
		common.rawForm = &body
	}
	u, err := url.Parse(mine.URL)
	v, otherErr := url.Parse(theirs.URL)
	if err == nil && otherErr == nil {
		segments, others := strings.Split(u.EscapedPath(), "/"), strings.Split(v.EscapedPath(), "/")
		kept := []string{}
		for i, segment := range segments {
			if i < len(others) && others[i] == segment || known(segment) {
				kept = append(kept, segment)
			}
		}
		address := url.URL{Scheme: u.Scheme, Host: u.Host}
		common.URL = address.String() + strings.Join(kept, "/")
		if query := encodeParams(commonParams(parseForm(u.RawQuery), parseForm(v.RawQuery), known)); query != "" {
			common.URL += "?" + query
		}
	}
	return &ConsentForm{common, f.authorization}
}

func commonParams(mine, theirs []Param, known func(value string) bool) []Param {
	return slices.DeleteFunc(slices.Clone(mine), func(p Param) bool {
		return !known(p.Value) && !slices.ContainsFunc(theirs, func(q Param) bool { return q.Name == p.Name && q.Value == p.Value })
	})
}

func encodeParams(params []Param) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = Param{Name: p.Name, Value: p.Value}.encode()
	}
	return strings.Join(parts, "&")
}

// Submit sends a consent form as its page would, and goes on from there.
func (b *Browser) Submit(form *ConsentForm) *Authorization {
	return b.follow(&Authorization{Sent: form.authorization, State: form.authorization.Get("state")}, form.request, flow{})
}

// SubmitUnattended sends a consent form as its page would; nobody enters or presses anything after that.
func (b *Browser) SubmitUnattended(form *ConsentForm) *Authorization {
	return b.follow(&Authorization{Sent: form.authorization, State: form.authorization.Get("state")}, form.request, flow{untouched: true, anyStatus: true})
}

// SubmitFrom sends a consent form as a page of another site makes the browser send it: with that site as Origin and Referer,
// without the cookies that browsers keep back from such requests (SameSite=Lax and Strict) unless withAllCookies says so. Nobody
// enters or presses anything after that.
func (b *Browser) SubmitFrom(site string, form *ConsentForm, withAllCookies bool) *Authorization {
	req := form.request.Clone().Apply(Header("Origin", site), Header("Referer", site+"/"))
	req.foreign = !withAllCookies
	return b.follow(&Authorization{Sent: form.authorization, State: form.authorization.Get("state")}, req, flow{untouched: true})
}
