package mockprovider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Decision is what a resource owner decides about an authorization request.
type Decision struct {
	User   string   // login name; default: the user of the setting auto_user (alice)
	Scopes []string // approves only these of the scope that was asked for; none: all
	Deny   bool     // denies

	callback *Callback   // the outcome
	refused  *oauthError // why there is none
}

// Callback is what the browser brings to the client's redirect_uri: the authorization response (RFC 6749 section 4.1.2, 4.2.2).
type Callback struct {
	URL    string     `json:"url"`    // the redirect_uri with the response in its query or fragment
	Params url.Values `json:"params"` // the parameters of the response, wherever they are (form_post: the form)
	Code   string     `json:"code,omitempty"`
	State  string     `json:"state,omitempty"`
	Error  string     `json:"error,omitempty"`
}

// Approve lets a user sign in and approve an authorization request without a browser: authorizeURL is where the client sends the
// browser. With scopes, only those are granted. A test whose request the provider refuses with a page ends here.
func (p *Provider) Approve(tb testing.TB, authorizeURL, user string, scopes ...string) Callback {
	tb.Helper()
	return p.mustAuthorize(tb, authorizeURL, Decision{User: user, Scopes: scopes})
}

// Deny is Approve for a user who denies: the callback has the error access_denied.
func (p *Provider) Deny(tb testing.TB, authorizeURL, user string) Callback {
	tb.Helper()
	return p.mustAuthorize(tb, authorizeURL, Decision{User: user, Deny: true})
}

func (p *Provider) mustAuthorize(tb testing.TB, authorizeURL string, d Decision) Callback {
	tb.Helper()
	callback, err := p.Authorize(tb.Context(), authorizeURL, d)
	if err != nil {
		tb.Fatal(err)
	}
	return *callback
}

// decisionKey is the context key of a decision; only this package can set it.
type decisionKey struct{}

// Authorize is Approve and Deny without a test. The error says why the provider refused the request with a page.
func (p *Provider) Authorize(ctx context.Context, authorizeURL string, d Decision) (*Callback, error) {
	if d.User == "" {
		d.User = p.settings.AutoUser
	}
	if p.user(d.User) == nil {
		return nil, fmt.Errorf("mock provider: no user %q%s", d.User, suggestion(d.User, p.userNames()))
	}
	request, err := http.NewRequestWithContext(context.WithValue(ctx, decisionKey{}, &d), http.MethodGet, authorizeURL, nil)
	if err != nil {
		return nil, fmt.Errorf("mock provider: authorization request: %w", err)
	}
	if e, ok := p.tenantAt(request.URL.Path).at(request.URL.Path); !ok || e.name != AuthorizationEndpoint {
		return nil, fmt.Errorf("mock provider: %s is not the authorization endpoint; that is %s", request.URL.Path, p.Endpoint(AuthorizationEndpoint))
	}
	recorder := &recorder{header: make(http.Header)}
	received, err := asReceived(request)
	if err != nil {
		return nil, err
	}
	if err := recorder.run(p, received); err != nil {
		return nil, err
	}
	if d.callback == nil {
		return nil, d.failure(recorder.response(request, received))
	}
	return d.callback, nil
}

// failure says why there is no callback.
func (d *Decision) failure(response *http.Response) error {
	if d.refused != nil {
		return fmt.Errorf("mock provider: the authorization request was refused with a page: %s: %s", d.refused.Code, d.refused.Description)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return errors.New("mock provider: the authorization request was answered with a broken page")
	}
	return fmt.Errorf("mock provider: the authorization request was answered with %d and no redirect: %s", response.StatusCode, short(strings.TrimSpace(string(body)), 200))
}

// decide ends an authorization request as a program decided, without a page.
func (x *exchange) decide(t *transaction, d *Decision) {
	x.user, t.authTime = x.p.user(d.User), x.now
	if d.Deny {
		x.deny(t)
		return
	}
	request := *t.request
	if len(d.Scopes) > 0 {
		if more := without(d.Scopes, request.scope); len(more) > 0 {
			x.showError(errorPage(detailed(invalidRequest("the program approves a scope that was not asked for: "+printable(strings.Join(more, " "))), more...)))
			return
		}
		request.scope = intersect(request.scope, d.Scopes)
	}
	t.request = &request
	x.p.store.consents.put(consentKey(x.user, &request), true)
	x.respondAuthorization(t)
}

// called keeps the authorization response for whoever decided.
func (d *Decision) called(target string, ps params) {
	if d == nil {
		return
	}
	c := &Callback{URL: target, Params: url.Values{}, Code: ps.get("code"), State: ps.get("state"), Error: ps.get("error")}
	for _, p := range ps {
		c.Params.Add(p.name, p.value)
	}
	d.callback = c
}
