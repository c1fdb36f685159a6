package mockprovider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gavv/httpexpect/v2"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// asked is a fresh device authorization of tv-app.
func askedDevice(t *testing.T, p *mockprovider.Provider, more ...string) *httpexpect.Object {
	t.Helper()
	form := map[string]string{"client_id": "tv-app", "scope": "openid read"}
	for i := 0; i < len(more); i += 2 {
		form[more[i]] = more[i+1]
	}
	r := expect(t, p).POST(p.Endpoint("device_authorization")).WithForm(form).Expect().Status(200)
	r.Header("Cache-Control").IsEqual("no-store")
	return r.JSON().Object()
}

func poll(t *testing.T, p *mockprovider.Provider, code string, more ...string) *httpexpect.Response {
	t.Helper()
	form := url.Values{"grant_type": {deviceGrant}, "device_code": {code}, "client_id": {"tv-app"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return token(t, p, form)
}

// enter types a user code into the verification page, signs in and approves; it returns the last page.
func enter(t *testing.T, p *mockprovider.Provider, code string) string {
	t.Helper()
	b := newBrowser(t, p)
	if page := bodyOf(t, b.get(p.Endpoint("device"))); !strings.Contains(page, `name="user_code"`) {
		t.Fatal(page)
	}
	_, page := b.follow(b.post(p.Endpoint("device"), url.Values{"user_code": {code}}))
	return page
}

func text(o *httpexpect.Object, name string) string { return o.Value(name).String().Raw() }

func TestDeviceAuthorization(t *testing.T) {
	p := start(t)
	metadata := expect(t, p).GET(p.Describe().Endpoints["metadata"]).Expect().JSON().Object()
	metadata.HasValue("device_authorization_endpoint", p.Endpoint("device_authorization")).Value("grant_types_supported").Array().ContainsAll(deviceGrant)
	o := askedDevice(t, p)
	o.HasValue("verification_uri", p.Endpoint("device")).HasValue("expires_in", 600).HasValue("interval", 5)
	o.Value("user_code").String().Match(`^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$`)
	code := text(o, "device_code")
	refused := func(r *httpexpect.Response, code string) {
		t.Helper()
		r.Status(400).JSON().Object().HasValue("error", code).NotContainsKey("access_token")
	}
	refused(poll(t, p, code), "authorization_pending")
	refused(poll(t, p, code), "slow_down")
	p.Clock().Advance(6 * time.Second)
	refused(poll(t, p, code), "slow_down") // ten seconds by now
	p.Clock().Advance(16 * time.Second)
	refused(poll(t, p, code), "authorization_pending")
	if page := enter(t, p, strings.ToLower(strings.ReplaceAll(text(o, "user_code"), "-", ""))); !strings.Contains(page, "Device connected") {
		t.Fatal(page)
	}
	refused(poll(t, p, code, "client_id", "web-app-2", "client_secret", web2Secret), "invalid_grant")
	granted(poll(t, p, code)).ContainsKey("refresh_token").ContainsKey("id_token").HasValue("scope", "openid read")
	refused(poll(t, p, code), "invalid_grant")
	if page := enter(t, p, text(o, "user_code")); !strings.Contains(page, "not known") {
		t.Error("a user code works twice:", page)
	}
	refused(poll(t, p, "nonsense"), "invalid_grant")
	refused(token(t, p, url.Values{"grant_type": {deviceGrant}, "client_id": {"tv-app"}}), "invalid_request")
}

func TestDeviceDeniedAndExpired(t *testing.T) {
	p := start(t)
	o := askedDevice(t, p)
	b := newBrowser(t, p)
	complete, err := url.Parse(text(o, "verification_uri_complete"))
	if err != nil {
		t.Fatal(err)
	}
	if page := bodyOf(t, b.get(complete.String())); !strings.Contains(page, `value="`+text(o, "user_code")+`"`) || !strings.Contains(page, "Is this the code") {
		t.Error(page)
	}
	b.signIn(b.post(p.Endpoint("device"), url.Values{"user_code": {text(o, "user_code")}}))
	consent := bodyOf(t, b.get(b.last))
	if !strings.Contains(consent, text(o, "user_code")) || !strings.Contains(consent, "App on a television") {
		t.Error(consent)
	}
	form := url.Values{"decision": {"deny"}}
	for _, m := range formField.FindAllStringSubmatch(consent, -1) {
		form.Set(m[1], m[2])
	}
	if page := bodyOf(t, b.post(p.Endpoint("consent"), form)); !strings.Contains(page, "You refused access") {
		t.Error(page)
	}
	poll(t, p, text(o, "device_code")).Status(400).JSON().Object().HasValue("error", "access_denied")

	late := askedDevice(t, p)
	p.Clock().Advance(11 * time.Minute)
	poll(t, p, text(late, "device_code")).Status(400).JSON().Object().HasValue("error", "expired_token")
	if page := enter(t, p, text(late, "user_code")); !strings.Contains(page, "expired") {
		t.Error(page)
	}
}

func TestDeviceRequestRefused(t *testing.T) {
	p := start(t)
	ask := func(form map[string]string) *httpexpect.Object {
		t.Helper()
		return expect(t, p).POST(p.Endpoint("device_authorization")).WithForm(form).Expect().StatusRange(httpexpect.Status4xx).JSON().Object().NotContainsKey("device_code")
	}
	ask(map[string]string{}).HasValue("error", "invalid_client")
	ask(map[string]string{"client_id": "nobody"}).HasValue("error", "invalid_client")
	ask(map[string]string{"client_id": "web-app"}).HasValue("error", "invalid_client")
	ask(map[string]string{"client_id": "web-app", "client_secret": "wrong"}).HasValue("error", "invalid_client")
	ask(map[string]string{"client_id": "native-app"}).HasValue("error", "unauthorized_client")
	ask(map[string]string{"client_id": "tv-app", "scope": "telepathy"}).HasValue("error", "invalid_scope")
	expect(t, p).GET(p.Endpoint("device_authorization")).Expect().Status(405)
	expect(t, p).POST(p.Endpoint("device_authorization")).WithForm(map[string]string{"client_id": "web-app", "client_secret": webSecret, "x_unknown": "1", "scope": ""}).Expect().Status(200)

	b := newBrowser(t, p)
	b.get(p.Endpoint("device")).Body.Close()
	status := 0
	for range 12 {
		r := b.post(p.Endpoint("device"), url.Values{"user_code": {"BBBB-BBBB"}})
		r.Body.Close()
		status = r.StatusCode
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("twelve wrong codes: %d", status)
	}
	without := start(t, mockprovider.WithSettings(document{"grants": []string{"authorization_code"}}))
	if without.Endpoint("device_authorization") != "" || without.Endpoint("device") != "" {
		t.Error("endpoints without the grant")
	}
	without = start(t, mockprovider.WithSettings(document{"endpoints": document{"device_authorization": nil}}))
	expect(t, without).GET(without.Describe().Endpoints["metadata"]).Expect().JSON().Object().NotContainsKey("device_authorization_endpoint").
		Value("grant_types_supported").Array().NotContainsAny(deviceGrant)
}

// Guessing is bounded whatever a browser does with its cookies; the bound ends with the codes that it protects.
func TestUserCodeGuessing(t *testing.T) {
	p := start(t)
	guess := func() int {
		b := newBrowser(t, p)
		b.get(p.Endpoint("device")).Body.Close()
		r := b.post(p.Endpoint("device"), url.Values{"user_code": {"BBBB-BBBB"}})
		r.Body.Close()
		return r.StatusCode
	}
	for range 1000 {
		if status := guess(); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	if status := guess(); status != http.StatusTooManyRequests {
		t.Errorf("a thousand guesses later: %d", status)
	}
	p.Clock().Advance(10 * time.Minute)
	if status := guess(); status != http.StatusOK {
		t.Errorf("ten minutes later: %d", status)
	}
}

// A program decides in place of the user: for the device with a code, or before the device asks.
func TestDeviceDecidedByProgram(t *testing.T) {
	p := start(t)
	o := askedDevice(t, p)
	waiting := p.PendingDevices()
	if len(waiting) != 1 || waiting[0].UserCode != text(o, "user_code") || waiting[0].Client != "tv-app" || strings.Join(waiting[0].Scopes, " ") != "openid read" || waiting[0].Expires.Sub(p.Clock().Now()).Round(time.Minute) != 10*time.Minute {
		t.Errorf("%+v", waiting)
	}
	p.ApproveDevice(t, strings.ToLower(text(o, "user_code")), "bob", "read")
	access := granted(poll(t, p, text(o, "device_code"))).HasValue("scope", "read").NotContainsKey("id_token")
	introspected(t, p, text(access, "access_token")).HasValue("username", "bob").HasValue("client_id", "tv-app")

	o = askedDevice(t, p)
	p.DenyDevice(t, "", "alice")
	refused(poll(t, p, text(o, "device_code")), 400, "access_denied")

	first, second := askedDevice(t, p), askedDevice(t, p)
	for code, says := range map[string]string{
		"":                       "which device",
		"BBBB-BBBB":              text(second, "user_code"),
		text(o, "user_code"):     "no device waits",
		text(first, "user_code"): "not asked for: email",
	} {
		if err := p.DecideDevice(code, mockprovider.Decision{Scopes: []string{"email"}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", code, err)
		}
	}
	if err := p.DecideDevice(text(first, "user_code"), mockprovider.Decision{User: "alicia"}); err == nil || !strings.Contains(err.Error(), `"alice"`) {
		t.Error(err)
	}
	p.Clock().Advance(10 * time.Minute)
	if len(p.PendingDevices()) != 0 {
		t.Error("expired devices wait")
	}

	p.Next(mockprovider.DeviceAuthorizationEndpoint, mockprovider.ApproveAs("bob"), mockprovider.DenyAs("bob"), mockprovider.Error(400, "invalid_scope"))
	granted(poll(t, p, text(askedDevice(t, p), "device_code")))
	refused(poll(t, p, text(askedDevice(t, p), "device_code")), 400, "access_denied")
	expect(t, p).POST(p.Endpoint("device_authorization")).WithForm(map[string]string{"client_id": "tv-app"}).Expect().Status(400).JSON().Object().HasValue("error", "invalid_scope")
}

// Of many polls at the same time one gets the tokens.
func TestDeviceCodeOnce(t *testing.T) {
	p := start(t)
	o := askedDevice(t, p)
	p.ApproveDevice(t, "", "alice")
	form := url.Values{"grant_type": {deviceGrant}, "device_code": {text(o, "device_code")}, "client_id": {"tv-app"}}
	statuses := make(chan int)
	for range 16 {
		go func() {
			response, err := (&http.Client{Transport: p.RoundTripper()}).PostForm(p.Endpoint("token"), form)
			if err != nil {
				statuses <- 0
				return
			}
			response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	counts := map[int]int{}
	for range 16 {
		counts[<-statuses]++
	}
	if counts[200] != 1 || counts[400] != 15 {
		t.Error(counts)
	}
}

// Claims may take what the device asked for.
func TestDeviceRequestInClaims(t *testing.T) {
	p := start(t)
	p.SetClaims(mockprovider.Match{Grant: deviceGrant}, mockprovider.Claims{"place": "${request:place}"})
	o := expect(t, p).POST(p.Endpoint("device_authorization")).WithForm(map[string]string{"client_id": "web-app", "client_secret": webSecret, "place": "kitchen", "scope": "read"}).Expect().Status(200).JSON().Object()
	p.ApproveDevice(t, "", "alice")
	tokens := granted(poll(t, p, text(o, "device_code"), "client_id", "web-app", "client_secret", webSecret))
	introspected(t, p, text(tokens, "access_token")).HasValue("place", "kitchen")
}

func TestDeviceDeviations(t *testing.T) {
	with := func(ops ...profiles.Op) *mockprovider.Provider {
		return start(t, mockprovider.WithDeviation(deviation("d", ops...), nil))
	}
	for mode, pattern := range map[string]string{"digits": `^[0-9]{6}$`, "short": `^[0-9]{4}$`, "counter": `^10000[0-9]$`, "same": `^WDJB-MJHT$`, "ambiguous": `^[0O1lI8B5S2Z]{8}$`} {
		askedDevice(t, with(op("user_code.generate", "mode", mode))).Value("user_code").String().Match(pattern)
	}
	hasty := with(op("token.device_code.pending", "skip", true))
	granted(poll(t, hasty, text(askedDevice(t, hasty), "device_code")))
	unknown := with(op("token.device_code.known", "refuse", document{"error": "authorization_pending"}))
	poll(t, unknown, "nonsense").Status(400).JSON().Object().HasValue("error", "authorization_pending")
	anything := with(op("token.device_code.known", "skip", true))
	granted(poll(t, anything, "nonsense"))
	endless := with(op("token.device_code.slow_down", "always", true))
	poll(t, endless, text(askedDevice(t, endless), "device_code")).Status(400).JSON().Object().HasValue("error", "slow_down")

	exact := with(op("device.user_code", "mode", "exact"))
	o := askedDevice(t, exact)
	if page := enter(t, exact, strings.ToLower(text(o, "user_code"))); !strings.Contains(page, "not known") {
		t.Error(page)
	}
	reusable := with(op("token.device_code.used", "skip", true))
	o = askedDevice(t, reusable)
	enter(t, reusable, text(o, "user_code"))
	granted(poll(t, reusable, text(o, "device_code")))
	granted(poll(t, reusable, text(o, "device_code")))

	automatic := with(op("device.complete", "mode", "auto"), op("authorize.consent", "when", document{"endpoint": []string{"device", "login"}}, "skip", true))
	o = askedDevice(t, automatic)
	if _, page := newBrowser(t, automatic).follow(newBrowser(t, automatic).get(text(o, "verification_uri_complete"))); strings.Contains(page, "Device connected") {
		t.Error("approved without a session") // the second browser has no cookie of the first
	}
	b := newBrowser(t, automatic)
	if _, page := b.follow(b.get(text(o, "verification_uri_complete"))); !strings.Contains(page, "Device connected") {
		t.Error(page)
	}
	granted(poll(t, automatic, text(o, "device_code")))

	if page := bodyOf(t, newBrowser(t, with(op("device.entry", "mode", "no-form"))).get("http://mock.test/device")); strings.Contains(page, "<form") {
		t.Error(page)
	}
	forgetful := with(op("token.device_code.denied", "skip", true))
	o = askedDevice(t, forgetful)
	b = newBrowser(t, forgetful)
	b.get(forgetful.Endpoint("device")).Body.Close()
	b.post(forgetful.Endpoint("device"), url.Values{"user_code": {text(o, "user_code")}}).Body.Close()
	poll(t, forgetful, text(o, "device_code")).Status(400).JSON().Object().HasValue("error", "authorization_pending")
}
