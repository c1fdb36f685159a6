package mockprovider

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cookieName is the session cookie.
const cookieName = "mock_session"

// session is a browser's session with the provider.
type session struct {
	id      string
	expires time.Time

	mu          sync.Mutex
	user        *ResourceOwner // who is signed in, or nil
	authTime    time.Time
	transaction string // the last one, for deviations that forget which form was sent

	wrongUserCodes atomic.Int32 // that were entered on the verification page
}

func (s *session) signedIn() (*ResourceOwner, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user, s.authTime
}

func (s *session) remember(transaction string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transaction = transaction
}

func (s *session) lastTransaction() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transaction
}

// transaction is an authorization request on its way through login and consent. It never changes once it is stored, apart from
// being deleted when it is done.
type transaction struct {
	id          string
	request     *authorizationRequest
	redirectURI string // where the response goes
	session     string // id of the browser session that it belongs to
	csrf        string
	user        *ResourceOwner // set when the login is done
	authTime    time.Time
	expires     time.Time
}

// currentSession is the session that the request's cookie names, or nil.
func (x *exchange) currentSession() *session {
	cookie, err := x.r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s, ok := x.p.store.sessions.get(cookie.Value)
	if !ok || x.now.After(s.expires) {
		return nil
	}
	return s
}

// newSession starts a session and sets its cookie.
func (x *exchange) newSession() *session {
	x.p.store.sweep(x.now)
	s := &session{id: x.mint("session.generate"), expires: x.now.Add(x.p.settings.Lifetimes.Session)}
	x.p.store.sessions.put(s.id, s)
	path := x.p.prefix + "/"
	cookie := &http.Cookie{Name: cookieName, Value: s.id, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(x.base, "https:")}
	switch {
	case x.mode("session.cookie", "no-samesite"):
		cookie.SameSite = 0
	case x.mode("session.cookie", "samesite-none"):
		cookie.SameSite = http.SameSiteNoneMode
	}
	if x.mode("session.cookie", "no-httponly") {
		cookie.HttpOnly = false
	}
	if x.mode("session.cookie", "not-secure") {
		cookie.Secure = false
	}
	http.SetCookie(x.w, cookie)
	return s
}

// signIn is the step between a good authorization request and the consent: who is the user?
func (x *exchange) signIn(t *transaction) {
	a := t.request
	if x.planned != nil && x.planned.Error != "" {
		x.refuseAuthorization(a, &oauthError{Code: x.planned.Error, Description: x.planned.Description, Step: "programmed"})
		return
	}
	if x.decision != nil {
		x.decide(t, x.decision)
		return
	}
	x.session = x.currentSession()
	if x.session != nil {
		x.user, t.authTime = x.session.signedIn()
	}
	if x.user == nil && x.p.settings.Login == "auto" {
		x.user, t.authTime = x.p.user(x.p.settings.AutoUser), x.now
	}
	needed := x.guard("authorize.login", func() *oauthError {
		stale := a.maxAge >= 0 && x.now.Sub(t.authTime) > time.Duration(a.maxAge)*time.Second
		if x.user == nil || (slices.Contains(a.prompt, "login") || stale) && x.p.settings.Login != "auto" {
			return &oauthError{Code: "login_required", Description: "the user is not signed in"}
		}
		return nil
	})
	switch {
	case needed == nil && x.user == nil: // a deviation takes the user for granted
		x.user, t.authTime = x.p.user(x.p.settings.AutoUser), x.now
		x.askConsent(t)
	case needed == nil:
		x.askConsent(t)
	case slices.Contains(a.prompt, "none") || needed.Code != "login_required":
		x.refuseAuthorization(a, needed)
	default:
		if x.session == nil {
			x.session = x.newSession()
		}
		x.keepTransaction(t, nil)
		if x.unbound() {
			x.goOn("login", t)
			return
		}
		x.showLogin(t, "", "")
	}
}

// keepTransaction stores a transaction under a new identifier.
func (x *exchange) keepTransaction(t *transaction, user *ResourceOwner) *transaction {
	if t.id != "" {
		x.p.store.transactions.delete(t.id)
	}
	t.id = x.p.random.text(32, base64URL)
	t.csrf = x.p.random.text(32, base64URL)
	t.session = x.session.id
	t.redirectURI = x.redirectURI
	t.user = user
	t.expires = x.now.Add(10 * time.Minute)
	x.p.store.transactions.put(t.id, t)
	x.session.remember(t.id)
	return t
}

// unbound reports whether an authorization request belongs to whoever knows its identifier, in place of a browser.
func (x *exchange) unbound() bool {
	return x.mode("session.binding", "none") || x.mode("session.binding", "after-login")
}

// goOn sends the browser to the page of a transaction.
func (x *exchange) goOn(endpoint string, t *transaction) {
	header := x.w.Header()
	header.Set("Location", x.url(endpoint)+"?transaction="+url.QueryEscape(t.id))
	header.Set("Cache-Control", "no-store")
	x.send(&answer{status: http.StatusSeeOther, header: header})
}

func (x *exchange) showLogin(t *transaction, username, message string) {
	x.page("authorize.page", http.StatusOK, "login.html", pageData{Action: x.url("login"), Transaction: t.id, CSRF: t.csrf, Client: t.request.client,
		Username: username, Error: message})
}

// transaction finds the transaction that a form or a link names, and makes sure that it belongs to this browser.
func (x *exchange) findTransaction(step string) (*transaction, *oauthError) {
	x.session = x.currentSession()
	id := x.params.get("transaction")
	lax := x.skipped(step) || x.unbound()
	if id == "" && lax && x.session != nil {
		id = x.session.lastTransaction()
	}
	t, ok := x.p.store.transactions.get(id)
	if !ok || x.now.After(t.expires) {
		return nil, errorPage(invalidRequest("this page has expired"))
	}
	x.client, x.redirectURI = t.request.client, t.redirectURI
	x.form, x.sent, x.params = x.params, t.request.sent, t.request.params
	if x.session == nil {
		if !lax {
			return nil, errorPage(invalidRequest("your browser sent no session cookie"))
		}
		x.session = x.newSession()
	}
	return t, nil
}

// checkCSRF makes sure that a form was sent from the page that this browser was shown (RFC 6749 section 10.12).
func (x *exchange) checkCSRF(step string, t *transaction) *oauthError {
	return x.guard(step, func() *oauthError {
		if x.unbound() {
			return nil
		}
		if t.session != x.session.id || subtle.ConstantTimeCompare([]byte(t.csrf), []byte(x.form.get("csrf_token"))) != 1 {
			return errorPage(&oauthError{Code: "invalid_request", Description: "this form was not sent from the page of this server", Status: http.StatusForbidden})
		}
		return nil
	})
}

// login is where the login form goes.
func (x *exchange) login() {
	methods := []string{http.MethodPost}
	if x.unbound() {
		methods = append(methods, http.MethodGet)
	}
	if err := x.checkMethod(methods...); err != nil {
		x.showError(err)
		return
	}
	posted := x.r.Method == http.MethodPost
	if err := x.readParameters(!posted); err != nil {
		x.showError(err)
		return
	}
	t, err := x.findTransaction("login.csrf")
	if err == nil && posted {
		err = x.checkCSRF("login.csrf", t)
	}
	if err != nil {
		x.showError(err)
		return
	}
	if !posted {
		x.showLogin(t, "", "")
		return
	}
	if x.form.get("decision") == "cancel" {
		x.deny(t)
		return
	}
	username := x.form.get("username")
	user := x.p.user(username)
	if err := x.guard("login.credentials", func() *oauthError {
		if user == nil || subtle.ConstantTimeCompare([]byte(user.Password), []byte(x.form.get("password"))) != 1 {
			return &oauthError{Code: "access_denied", Description: "user name or password is wrong"}
		}
		return nil
	}); err != nil {
		if err.Redirect {
			x.refuseAuthorization(t.request, err)
			return
		}
		x.showLogin(t, username, "User name or password is wrong.")
		return
	}
	if user == nil { // a deviation lets everybody in
		user = x.p.user(x.p.settings.AutoUser)
	}
	x.p.store.sessions.delete(x.session.id) // a new identifier after the login, against session fixation
	x.session = x.newSession()
	x.session.mu.Lock()
	x.session.user, x.session.authTime = user, x.now
	x.session.mu.Unlock()
	x.user = user
	next := *t
	next.authTime = x.now
	if x.consentNeeded(&next) == nil {
		x.p.store.transactions.delete(t.id)
		x.respondAuthorization(&next)
		return
	}
	if x.mode("session.binding", "none") {
		next.user = user
		x.p.store.transactions.put(next.id, &next)
	} else {
		x.keepTransaction(&next, user)
		x.p.store.transactions.delete(t.id)
	}
	x.goOn("consent", &next)
}

// consentNeeded decides whether the user is asked.
func (x *exchange) consentNeeded(t *transaction) *oauthError {
	return x.guard("authorize.consent", func() *oauthError {
		a := t.request
		switch {
		case a.device != nil && x.p.settings.Consent != "auto": // always asked, against phishing (RFC 8628 section 5.4)
		case x.mode("authorize.consent", "remembered") && x.approvedBeforeBy(a):
			return nil
		case slices.Contains(a.prompt, "consent"):
		case x.p.settings.Consent == "auto":
			return nil
		case x.p.settings.Consent == "once" && !a.client.Public && x.approvedBeforeBy(a):
			return nil
		}
		return &oauthError{Code: "consent_required", Description: "the user has to approve"}
	})
}

// askConsent is the step after the login.
func (x *exchange) askConsent(t *transaction) {
	err := x.consentNeeded(t)
	switch {
	case err == nil:
		x.respondAuthorization(t)
	case slices.Contains(t.request.prompt, "none") || err.Code != "consent_required":
		x.refuseAuthorization(t.request, err)
	default:
		if x.session == nil {
			x.session = x.newSession()
		}
		x.keepTransaction(t, x.user)
		x.showConsent(t)
	}
}

func (x *exchange) showConsent(t *transaction) {
	host := ""
	if u, err := url.Parse(t.request.redirectURI); err == nil {
		host = u.Host
	}
	x.page("consent.page", http.StatusOK, "consent.html", pageData{Action: x.url("consent"), Transaction: t.id, CSRF: t.csrf,
		Client: t.request.client, Host: host, User: t.user, Scopes: t.request.scope, Links: x.clientLinks(t.request.client), Logo: x.clientLogo(t.request.client),
		UserCode: t.request.device.shown()})
}

// consent shows the consent page (GET) and takes its form (POST).
func (x *exchange) consent() {
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		x.showError(err)
		return
	}
	posted := x.r.Method == http.MethodPost
	if err := x.readParameters(!posted); err != nil {
		x.showError(err)
		return
	}
	t, err := x.findTransaction("consent.csrf")
	if err == nil && !posted && t.session != x.session.id && !x.unbound() {
		err = errorPage(invalidRequest("this page belongs to another browser"))
	}
	if err == nil && posted {
		err = x.checkCSRF("consent.csrf", t)
	}
	if err == nil && t.user == nil {
		err = errorPage(invalidRequest("nobody is signed in"))
	}
	if err != nil {
		x.showError(err)
		return
	}
	x.user = t.user
	if x.skipped("consent.csrf") { // whoever is signed in approves, whatever form was sent
		if user, _ := x.session.signedIn(); user != nil {
			x.user = user
		}
	}
	switch {
	case !posted:
		x.showConsent(t)
	case x.form.get("decision") != "approve":
		x.deny(t)
	default:
		x.p.store.transactions.delete(t.id)
		x.p.store.consents.put(consentKey(x.user, t.request), true)
		x.respondAuthorization(t)
	}
}

// deny ends a transaction that the user does not approve.
func (x *exchange) deny(t *transaction) {
	x.p.store.transactions.delete(t.id)
	err := x.guard("consent.denied", func() *oauthError {
		return &oauthError{Code: "access_denied", Description: "the resource owner denied the request"}
	})
	if err == nil { // a deviation takes no for yes
		if x.user == nil {
			x.user = x.p.user(x.p.settings.AutoUser)
		}
		x.respondAuthorization(t)
		return
	}
	if t.request.device != nil {
		x.err = err
		x.decideDevice(t, false)
		return
	}
	x.refuseAuthorization(t.request, err)
}

func consentKey(user *ResourceOwner, a *authorizationRequest) string {
	scope := slices.Clone(a.scope)
	slices.Sort(scope)
	return user.Username + "\x00" + a.client.ID + "\x00" + strings.Join(scope, " ")
}

func (x *exchange) approvedBeforeBy(a *authorizationRequest) bool {
	if x.user == nil {
		return false
	}
	approved, _ := x.p.store.consents.get(consentKey(x.user, a))
	return approved
}

// approvedBefore is approvedBeforeBy for `when: {approved:}`.
func (x *exchange) approvedBefore() bool {
	if x.client == nil {
		return false
	}
	return x.approvedBeforeBy(&authorizationRequest{client: x.client, scope: x.scopes()})
}
