package target

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/login"
)

// maxSteps bounds the requests of one walk of a browser, redirects included.
const maxSteps = 40

// maxRedirects bounds redirects without a page between them.
const maxRedirects = 20

// Browser is a browser with a cookie jar: a session at the authorization server. It is not safe for concurrent use.
type Browser struct {
	as     *AS
	jar    http.CookieJar
	player login.Player
	// sameSite are the SameSite attributes of the cookies that were set, by their names.
	sameSite map[string]http.SameSite
	// refused tells of a cookie that browsers do not take from the host that set it, "" if there was none.
	refused string
}

// NewBrowser opens a browser without cookies.
func (as *AS) NewBrowser() *Browser {
	jar, _ := cookiejar.New(nil) // never fails
	return &Browser{as: as, jar: jar, player: as.run.player, sameSite: map[string]http.SameSite{}}
}

// Authorize is AS.Authorize in this browser.
func (b *Browser) Authorize(edits ...RequestEdit) *Authorization {
	return b.Open(b.as.AuthorizationRequest(edits...))
}

// Code is AS.Code in this browser.
func (b *Browser) Code(edits ...RequestEdit) *Code { return b.as.CodeOf(b.Authorize(edits...)) }

// Open plays the browser from any request, as Authorize does.
func (b *Browser) Open(req *Request) *Authorization { return b.walk(req, req.flow) }

// Join goes on in this browser with an authorization request that another one began and left at the login page (StopAtLogin):
// it opens that page by its URL, as somebody does who was sent the link, signs in, and stops at the consent page. Where the
// request belongs to the other browser, the walk ends without a consent form.
func (b *Browser) Join(begun *Authorization) *Authorization {
	page := b.as.NewRequest(http.MethodGet, begun.Page.Request.Target())
	page.Media = ""
	return b.follow(&Authorization{Sent: begun.Sent, State: begun.State}, page, flow{stopAtConsent: true, joined: true, anyStatus: true})
}

// Request shows what the browser gets for one request, its cookies sent along, without following anything.
func (b *Browser) Request(req *Request) *Response {
	resp := b.fetch(req)
	b.as.demandAnswer(resp, req.flow.anyStatus)
	return resp
}

// fetch sends one request with the browser's cookies and keeps those that come back.
func (b *Browser) fetch(req *Request) *Response {
	u, err := url.Parse(req.Target())
	if err == nil {
		req = req.Clone()
		req.Header.Del("Cookie")
		for _, c := range b.jar.Cookies(jarURL(u)) {
			if req.foreign && (b.sameSite[c.Name] == http.SameSiteLaxMode || b.sameSite[c.Name] == http.SameSiteStrictMode) {
				continue // a browser keeps it back where another site made the request
			}
			if old := req.Header.Get("Cookie"); old != "" {
				req.Header.Set("Cookie", old+"; "+c.Name+"="+c.Value)
			} else {
				req.Header.Set("Cookie", c.Name+"="+c.Value)
			}
		}
		if _, set := req.Header["Accept"]; !set {
			req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		}
	}
	resp := b.as.exchange(req)
	if err == nil && resp.Err == nil {
		cookies := (&http.Response{Header: resp.Header}).Cookies()
		b.jar.SetCookies(jarURL(u), cookies)
		for _, c := range cookies {
			b.sameSite[c.Name] = c.SameSite
			if !takes(u.Hostname(), c.Domain) {
				b.refused = fmt.Sprintf("the server sets the cookie %s for the domain %q, which browsers refuse from the host %q: reach the server by a name of that domain", c.Name, c.Domain, u.Hostname())
			}
		}
	}
	return resp
}

// takes reports whether a browser takes a cookie with a Domain attribute from a host (RFC 6265 section 5.3).
func takes(host, domain string) bool {
	host, bare := strings.ToLower(host), strings.ToLower(strings.TrimPrefix(domain, "."))
	return domain == "" || host == strings.ToLower(domain) || net.ParseIP(host) == nil && (host == bare || strings.HasSuffix(host, "."+bare))
}

// jarURL lets Secure cookies work over plain http, as browsers do for localhost: a test instance without TLS would
// otherwise lose its session.
func jarURL(u *url.URL) *url.URL {
	secure := *u
	secure.Scheme = "https"
	return &secure
}

// walk follows a request until the browser leaves the authorization server or the resource owner has nothing to do.
func (b *Browser) walk(req *Request, f flow) *Authorization {
	as := b.as
	if err := as.run.OwnerStuck(); err != nil {
		as.Inconclusive("the resource owner cannot sign in, which is not tried again: %v", err)
	}
	return b.follow(&Authorization{Sent: req, State: req.Get("state")}, req, f)
}

// follow is walk from any request on that belongs to an authorization.
func (b *Browser) follow(a *Authorization, req *Request, f flow) *Authorization {
	as := b.as
	visit := b.player.Begin(login.Choice{Deny: f.deny, AtLogin: f.denyAtLogin})
	defer func() { a.LoginShown, a.ConsentShown = visit.LoginShown(), visit.ConsentShown() }()
	exit := as.exitFor(a.Sent)
	leave := func(resp *Response, to, via string, step *login.Step) *Authorization {
		a.leave(resp, to, via, step)
		if visit.LoginShown() && a.issues() {
			as.run.noteSignedIn()
		}
		a.elsewhere = a.In() == "" && !exit.isRedirectURI(to)
		return a
	}
	var inside *Response // a page behind the login that asks for no decision
	signedIn := false
	redirects := 0
	for len(a.Steps) < maxSteps {
		resp := b.fetch(req)
		a.Steps = append(a.Steps, resp)
		as.demandAnswer(resp, f.anyStatus || redirects > 0 && isErrorPage(resp))
		if resp.Err != nil {
			a.Page = resp
			return a
		}
		if to, ok := location(resp); ok {
			if exit.leads(to) {
				return leave(resp, to, "location", nil)
			}
			if redirects++; redirects > maxRedirects {
				break
			}
			req = redirected(req, resp, to)
			continue
		}
		redirects = 0
		if f.stopAtPage {
			a.Page = resp
			return a
		}
		step, err := visit.Next(resp.asPage())
		if f.untouched && (err != nil || step != nil && step.Kind != login.Automatic) {
			a.Page = resp
			return a
		}
		if inside != nil && loginAgain(err) { // the way on from there led out again: that page was the end
			a.Page = inside
			return a
		}
		if err != nil && f.joined {
			a.Page = resp
			return a
		}
		if err != nil && !b.acceptable(err, resp, exit) {
			b.blame(err)
		}
		if step == nil {
			if to, via, ok := exit.offered(resp); ok {
				return leave(resp, to, via, nil)
			}
			a.Page = resp
			return a
		}
		if exit.leads(step.URL) {
			if step.Secret {
				as.Inconclusive("the login page would send the password to %s, which is no origin of the target; if it is, list it in login.origins", login.Origin(step.URL))
			}
			return leave(resp, step.URL, step.Via, step)
		}
		if f.stopAtLogin && step.Kind == login.Login {
			a.Page = resp
			return a
		}
		switch {
		case step.Secret:
			signedIn = true
		case signedIn && step.Kind == login.Continue:
			inside = resp
		}
		req = as.press(step, resp)
		if f.stopAtConsent && step.Kind == login.Consent {
			a.Page, a.Consent = resp, &ConsentForm{request: req, authorization: a.Sent}
			return a
		}
	}
	as.Inconclusive("the browser was still under way after %d requests, %d of them redirects in a row; the last was for %s",
		len(a.Steps), redirects, endpointOf(req.Target()))
	return nil
}

// isErrorPage reports whether a page that the server redirected to tells of a refusal, whatever its status: its URL names the error
// (RFC 6749 section 4.1.2.1). Servers have been seen to show such pages with status 500, which is no outage.
func isErrorPage(resp *Response) bool {
	u, err := url.Parse(resp.Request.Target())
	if err != nil || resp.Err != nil {
		return false
	}
	code := u.Query().Get("error")
	return code != "" && code != "server_error" && code != "temporarily_unavailable"
}

// acceptable reports whether what keeps the owner from going on is only that the page is an error page.
func (b *Browser) acceptable(err error, resp *Response, exit *exit) bool {
	var trouble *login.Error
	if !errors.As(err, &trouble) {
		return false
	}
	if _, _, leaves := exit.offered(resp); leaves {
		return true
	}
	return resp.Status >= 400 && slices.Contains([]login.Reason{login.NoChoice, login.ScriptOnly}, trouble.Reason)
}

// blame ends the check with the reason why the resource owner cannot go on.
func (b *Browser) blame(err error) {
	if loginAgain(err) {
		if b.refused != "" {
			err = fmt.Errorf("%w; %s", err, b.refused)
		}
		b.as.run.noteWrongCredentials(err)
	}
	b.as.Inconclusive("the resource owner's part cannot be played: %v", err)
}

// loginAgain reports whether the login page came back after the credentials were sent.
func loginAgain(err error) bool {
	var trouble *login.Error
	return errors.As(err, &trouble) && trouble.Reason == login.WrongCredentials
}

// press is the request that a form or link on a page makes.
func (as *AS) press(step *login.Step, page *Response) *Request {
	r := as.NewRequest(step.Method, step.URL)
	if step.Method == http.MethodPost {
		body := string(step.Body)
		r.rawForm, r.Media = &body, step.ContentType
		r.Header.Set("Origin", login.Origin(page.Request.Target()))
	} else {
		r.Media = ""
	}
	r.Header.Set("Referer", endpointOf(page.Request.Target()))
	return r
}

// redirected is the request that follows a redirect (RFC 9110 section 15.4): 307 and 308 keep method and body.
func redirected(req *Request, resp *Response, to string) *Request {
	keep := resp.Status == http.StatusTemporaryRedirect || resp.Status == http.StatusPermanentRedirect
	next := req.Clone()
	next.URL, next.Params, next.Query, next.rawQuery, next.InQuery = to, nil, nil, nil, false
	next.Header, next.foreign = http.Header{}, false
	if keep && req.Method != http.MethodGet && req.Method != http.MethodHead {
		body := string(req.Body())
		next.rawForm, next.JSON, next.Document = &body, false, nil
		return next
	}
	next.Method, next.Media, next.rawForm, next.Document, next.JSON = http.MethodGet, "", nil, nil, false
	return next
}
