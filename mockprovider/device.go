package mockprovider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// deviceGrant is the grant type of RFC 8628.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// userCodeLetters cannot be confused, and spell no words (RFC 8628 section 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// How many wrong user codes may be entered: in a browser session, and in all of them within the lifetime of a code. Of 20^8 codes a
// thousand are as good as none (RFC 8628 section 5.1).
const (
	maxSessionUserCodes = 10
	maxUserCodes        = 1000
)

// slowDown is what slow_down adds to the interval (RFC 8628 section 3.5).
const slowDown = 5 * time.Second

// device is a device that waits for its user (RFC 8628).
type device struct {
	code, userCode string
	client         string
	asked          []string // scope
	resource       []string
	request        params    // the device authorization request, without credentials
	made, expires  time.Time // expires zero: never

	mu       sync.Mutex
	scope    []string       // that was approved
	user     *ResourceOwner // who approved
	authTime time.Time
	denied   bool
	used     bool
	interval time.Duration
	polled   time.Time // the last poll that found it pending
}

// deviceAuthorization is the device authorization endpoint (RFC 8628 section 3.1).
func (x *exchange) deviceAuthorization() {
	d, err := x.authorizeDevice()
	if err != nil {
		x.fail("device_authorization.error", err)
		return
	}
	page := x.url("device")
	o := object{{"device_code", d.code}, {"user_code", d.userCode}, {"verification_uri", page}}
	if x.p.shuffle.keep("device.verification_uri_complete") {
		o = append(o, member{"verification_uri_complete", page + "?user_code=" + url.QueryEscape(d.userCode)})
	}
	o = append(o, member{"expires_in", d.expiresIn()})
	if d.interval != 5*time.Second || x.p.shuffle.keep("device.interval") { // five seconds is what no interval means
		o = append(o, member{"interval", seconds(d.interval)})
	}
	x.uncacheable()
	x.json("device_authorization.response", http.StatusOK, o)
}

// expiresIn is the lifetime in seconds, which the answer has to tell: a hundred years for one that never ends.
func (d *device) expiresIn() int64 {
	if d.expires.IsZero() {
		return 100 * 365 * 24 * 3600
	}
	return seconds(d.expires.Sub(d.made))
}

// seconds are whole ones, not less than a part of one.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// authorizeDevice checks the request and remembers the device.
func (x *exchange) authorizeDevice() (*device, *oauthError) {
	if err := x.clientRequest(); err != nil {
		return nil, err
	}
	if err := x.refuseIf("device_authorization.grant_type.allowed", !x.client.mayUse(deviceGrant), unauthorizedClient, "the client may not use the device grant"); err != nil {
		return nil, err
	}
	scope, err := x.checkScope("device_authorization", x.client)
	if err != nil {
		return nil, err
	}
	x.p.store.sweep(x.now)
	d := &device{client: x.client.ID, asked: scope, resource: x.params.all("resource"), request: x.sent.remove("client_secret").remove("client_assertion"), made: x.now,
		code: x.mint("device_code.generate"), userCode: x.mintUserCode(), interval: x.duration("device_code.interval", x.p.settings.DeviceInterval)}
	if lifetime := x.duration("device_code.lifetime", x.p.settings.Lifetimes.DeviceCode); lifetime != 0 {
		d.expires = x.now.Add(lifetime)
	}
	if x.decision != nil { // a program decided for the user beforehand
		if err := d.settle(x, x.p.user(x.decision.User), x.now, x.decision.Scopes, !x.decision.Deny); err != nil {
			return nil, invalidScope(err.Error())
		}
	}
	x.p.store.devices.put(d.code, d)
	x.p.store.userCodes.put(bareUserCode(d.userCode), d)
	return d, nil
}

// mintUserCode makes a code that people type: 34 bits.
func (x *exchange) mintUserCode() string {
	const step = "user_code.generate"
	random := x.p.random.text
	switch {
	case len(x.program) == 0:
	case x.mode(step, "digits"):
		return random(6, digits)
	case x.mode(step, "short"):
		return random(4, digits)
	case x.mode(step, "counter"):
		return strconv.FormatInt(100000+x.p.counter.Add(1), 10)
	case x.mode(step, "ambiguous"):
		return random(8, "0O1lI8B5S2Z")
	case x.mode(step, "same"):
		return "WDJB-MJHT"
	}
	return x.text(step, random(4, userCodeLetters)+"-"+random(4, userCodeLetters))
}

// bareUserCode is a user code as it is compared: without punctuation and in upper case (RFC 8628 section 6.1).
func bareUserCode(entered string) string {
	return strings.ToUpper(keep(entered, func(r rune) bool { return strings.ContainsRune(alnum, r) }))
}

// devicePage is the verification page (RFC 8628 section 3.3): it asks for the user code, then the user signs in and decides.
func (x *exchange) devicePage() {
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		x.showError(err)
		return
	}
	posted := x.r.Method == http.MethodPost
	err := x.readParameters(!posted)
	if err == nil {
		err = x.checkRepeated()
	}
	if err != nil {
		x.showError(errorPage(err))
		return
	}
	x.session = x.currentSession()
	entered := short(x.params.get("user_code"), 64)
	if !posted && !(entered != "" && x.mode("device.complete", "auto")) {
		if x.session == nil {
			x.session = x.newSession()
		}
		x.askUserCode(http.StatusOK, entered, "")
		return
	}
	if x.session == nil && posted {
		x.showError(errorPage(invalidRequest("your browser sent no session cookie")))
		return
	}
	if x.refuseIf("device.user_code.attempts", x.tooManyUserCodes(), tooMany, "too many wrong codes") != nil {
		x.askUserCode(http.StatusTooManyRequests, "", "Too many wrong codes. Close your browser and try again later.")
		return
	}
	d := x.deviceByUserCode(entered)
	if x.refuseIf("device.user_code.known", d == nil, invalidRequest, "the code is not known or has expired") != nil || d == nil {
		x.p.store.wrongUserCodes.count(x.now, x.p.settings.Lifetimes.DeviceCode)
		if x.session != nil {
			x.session.wrongUserCodes.Add(1)
		}
		x.askUserCode(http.StatusOK, entered, "This code is not known, or has expired.")
		return
	}
	x.client = x.p.client(d.client)
	if x.client == nil {
		x.showError(errorPage(invalidRequest("the application of the device is not known any more")))
		return
	}
	x.sent, x.params = d.request, d.request
	x.signIn(&transaction{request: &authorizationRequest{client: x.client, scope: d.asked, maxAge: -1, device: d, sent: d.request, params: d.request}})
}

func tooMany(description string) *oauthError {
	return &oauthError{Code: "access_denied", Description: description, Status: http.StatusTooManyRequests}
}

func (x *exchange) tooManyUserCodes() bool {
	return x.session != nil && x.session.wrongUserCodes.Load() >= maxSessionUserCodes ||
		x.p.store.wrongUserCodes.within(x.now, x.p.settings.Lifetimes.DeviceCode) >= maxUserCodes
}

// attempts counts in windows of time, so that guessing is bounded whatever cookies a browser drops. A window of 0 has no end.
type attempts struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

func (a *attempts) count(now time.Time, window time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now, window)
	a.n++
}

func (a *attempts) within(now time.Time, window time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now, window)
	return a.n
}

func (a *attempts) roll(now time.Time, window time.Duration) {
	if age := now.Sub(a.since); age < 0 || window > 0 && age >= window {
		a.since, a.n = now, 0
	}
}

func (a *attempts) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.n = time.Time{}, 0
}

// deviceByUserCode finds the device that waits under a user code; nil if there is none.
func (x *exchange) deviceByUserCode(entered string) *device {
	d, ok := x.p.store.userCodes.get(bareUserCode(entered))
	if !ok || x.mode("device.user_code", "exact") && entered != d.userCode || d.expired(x.now) || !d.pending() {
		return nil
	}
	return d
}

func (d *device) expired(now time.Time) bool { return !d.expires.IsZero() && !now.Before(d.expires) }

// shown is the user code for the consent page, "" where no device is concerned.
func (d *device) shown() string {
	if d == nil {
		return ""
	}
	return d.userCode
}

func (d *device) pending() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waits()
}

// waits is pending for whoever holds the lock.
func (d *device) waits() bool { return d.user == nil && !d.denied && !d.used }

func (x *exchange) askUserCode(status int, entered, message string) {
	data := pageData{Title: "Connect a device", Action: x.url("device"), UserCode: entered, Error: message}
	if x.mode("device.entry", "no-form") {
		data.Action = ""
	}
	x.page("device.form", status, "device.html", data)
}

// decideDevice records what the user decided and shows it.
func (x *exchange) decideDevice(t *transaction, approved bool) {
	if err := t.request.device.settle(x, x.user, t.authTime, t.request.scope, approved); err != nil {
		x.showError(errorPage(invalidRequest(err.Error())))
		return
	}
	data := pageData{Title: "Device connected", Text: "You can close this window and go on at your device."}
	if !approved {
		data = pageData{Title: "Device not connected", Text: "You refused access. You can close this window."}
	}
	x.page("device.done", http.StatusOK, "page.html", data)
}

// settle records a decision about a device that waits: scope is what is approved of what was asked for, all of it if empty.
func (d *device) settle(x *exchange, user *ResourceOwner, authTime time.Time, scope []string, approved bool) error {
	if len(scope) == 0 {
		scope = d.asked
	}
	if more := without(scope, d.asked); len(more) > 0 {
		return fmt.Errorf("a scope is approved that was not asked for: %s", printable(strings.Join(more, " ")))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.expired(x.now):
		return errors.New("the user code has expired")
	case !d.waits():
		return errors.New("the user code was decided about before")
	case approved:
		d.user, d.authTime, d.scope = user, authTime, intersect(d.asked, scope)
	case !x.skipped("token.device_code.denied"):
		d.denied = true
	}
	return nil
}

// grantDeviceCode is the device access token request (RFC 8628 section 3.4).
func (x *exchange) grantDeviceCode() *oauthError {
	const step = "token.device_code"
	value, given := x.params.lookup("device_code")
	if err := x.refuseIf(step+".required", !given, invalidRequest, "device_code is missing"); err != nil {
		return err
	}
	d, found := x.p.store.devices.get(value)
	if err := x.refuseIf(step+".known", !found, invalidGrant, "the device code is not known"); err != nil {
		return err
	}
	if !found { // a deviation let it pass
		d = &device{client: x.client.ID, asked: x.p.settings.DefaultScope, scope: x.p.settings.DefaultScope, user: x.p.user(x.p.settings.AutoUser), authTime: x.now}
	}
	if err := x.refuseIf(step+".client_binding", d.client != x.client.ID, invalidGrant, "the device code was issued to another client"); err != nil {
		return err
	}
	if err := x.guard(step+".expired", func() *oauthError {
		if d.expired(x.now) {
			return &oauthError{Code: "expired_token", Description: "the device code has expired"}
		}
		return nil
	}); err != nil {
		return err
	}
	g, err := x.redeemDevice(d)
	if err != nil {
		return err
	}
	t := x.issue(g, g.scope)
	t.asked = strings.Join(d.asked, " ")
	x.respondToken(t)
	return nil
}

// redeemDevice uses a device code up that the user approved, once.
func (x *exchange) redeemDevice(d *device) (*grant, *oauthError) {
	const step = "token.device_code"
	d.mu.Lock()
	defer d.mu.Unlock()
	x.user, x.replay = d.user, d.used
	if err := x.waitsForUser(d); err != nil {
		return nil, err
	}
	if err := x.refuseIf(step+".used", d.used, invalidGrant, "the device code was used before"); err != nil {
		return nil, err
	}
	d.used = true
	if d.user == nil { // a deviation does not wait for the user
		d.user, d.authTime, d.scope = x.p.user(x.p.settings.AutoUser), x.now, d.asked
	}
	x.user = d.user
	x.granted = x.grantedBy(d.scope)
	g := x.newGrant(x.client, d.user, x.granted)
	g.authTime, g.audience, g.request = d.authTime, d.resource, d.request
	return g, nil
}

// waitsForUser answers polls until the user has decided (RFC 8628 section 3.5). It is called with the device's lock held.
func (x *exchange) waitsForUser(d *device) *oauthError {
	const step = "token.device_code"
	if err := x.guard(step+".denied", func() *oauthError {
		if d.denied {
			return &oauthError{Code: "access_denied", Description: "the user refused"}
		}
		return nil
	}); err != nil || d.user != nil {
		return err
	}
	if err := x.guard(step+".slow_down", func() *oauthError {
		early := !d.polled.IsZero() && x.now.Sub(d.polled) < d.interval
		d.polled = x.now
		if early {
			d.interval += slowDown
			return &oauthError{Code: "slow_down", Description: "the device asks too often: wait five seconds longer"}
		}
		return nil
	}); err != nil {
		return err
	}
	return x.guard(step+".pending", func() *oauthError {
		return &oauthError{Code: "authorization_pending", Description: "the user has not decided yet"}
	})
}
