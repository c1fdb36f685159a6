package login

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const origin = "https://as.test"

func testPage(t testing.TB, file string) *Page {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return &Page{URL: origin + "/here?q=1", Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: body}
}

func options() Options {
	return Options{Username: "alice", Password: "wonder&land", Origins: []string{origin + ":443/some/path"}}
}

func begin(t testing.TB, o Options, c Choice) Visit {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p.Begin(c)
}

// describe renders a step in one line: kind, method, URL, and the parameters of its body.
func describe(s *Step) string {
	if s == nil {
		return "nothing"
	}
	out := string(s.Kind) + " " + s.Method + " " + strings.TrimPrefix(s.URL, origin)
	if s.Method == "POST" {
		pairs := make([]string, len(s.Params))
		for i, p := range s.Params {
			pairs[i] = p.Name + "=" + p.Value
		}
		out += " " + strings.Join(pairs, "|")
	}
	if s.Via != "form" {
		out += " via " + s.Via
	}
	return out
}

// TestPages holds what the resource owner does on the pages of real servers, as far as their structure goes.
func TestPages(t *testing.T) {
	for _, test := range []struct {
		page, approve, deny string
		consent             bool
	}{
		{page: "keycloak_login.html", approve: "login POST /realms/acme/login-actions/authenticate?session_code=s1&execution=e1&client_id=web&tab_id=t1 username=alice|password=wonder&land|credentialId=|login="},
		{page: "keycloak_consent.html", consent: true,
			approve: "consent POST /realms/acme/login-actions/consent?session_code=s3 code=c1|accept=Yes",
			deny:    "consent POST /realms/acme/login-actions/consent?session_code=s3 code=c1|cancel=No"},
		{page: "keycloak_error.html", approve: "nothing"},
		{page: "oidc_provider_login.html", approve: "login POST /interaction/abc prompt=login|login=alice|password=wonder&land"},
		{page: "oidc_provider_consent.html", consent: true,
			approve: "consent POST /interaction/abc prompt=consent",
			deny:    "consent GET /interaction/abc/abort via link"},
		{page: "hydra_login.html", approve: "login POST /login _csrf=csrf1|challenge=ch1|email=alice|password=wonder&land|submit=Log in"},
		{page: "hydra_consent.html", consent: true,
			approve: "consent POST /consent challenge=ch2|_csrf=csrf2|grant_scope=openid|grant_scope=offline|submit=Allow access",
			deny:    "consent POST /consent challenge=ch2|_csrf=csrf2|submit=Deny access"},
		{page: "authlib_playground.html", consent: true,
			approve: "consent POST /here?q=1 confirm=on",
			deny:    "consent POST /here?q=1 "},
		{page: "single_step.html", approve: "login POST /here?q=1 username=alice|password=wonder&land|agree=yes"},
		{page: "zitadel_example.html", approve: "login POST /login/username id=req-1|username=alice|password=wonder&land"},
		{page: "spring_login.html", approve: "login POST /login username=alice|password=wonder&land|_csrf=csrf3"},
		{page: "spring_consent.html", consent: true,
			approve: "consent POST /oauth2/authorize client_id=web|state=st1|scope=read|scope=write",
			deny:    "consent POST /oauth2/authorize client_id=web|state=st1"},
		{page: "identityserver_login.html",
			approve: "login POST /Account/Login?handler=x Input.ReturnUrl=/connect/authorize/callback?client_id=web|Input.Username=alice|Input.Password=wonder&land|Input.Button=login|__RequestVerificationToken=rv1|Input.RememberLogin=false"},
		{page: "identityserver_consent.html", consent: true,
			approve: "consent POST /Consent Input.ReturnUrl=/connect/authorize/callback|Input.ScopesConsented=openid|Input.ScopesConsented=api|Input.Description=|Input.RememberConsent=true|Input.Button=yes|__RequestVerificationToken=rv2",
			deny:    "consent POST /Consent Input.ReturnUrl=/connect/authorize/callback|Input.ScopesConsented=openid|Input.ScopesConsented=api|Input.Description=|Input.RememberConsent=true|Input.Button=no|__RequestVerificationToken=rv2"},
		{page: "django_login.html", approve: "login POST /accounts/login/ csrfmiddlewaretoken=m1|username=alice|password=wonder&land|next=/o/authorize/?client_id=web&state=a%26b"},
		{page: "django_consent.html", consent: true,
			approve: "consent POST /here?q=1 csrfmiddlewaretoken=m2|redirect_uri=https://client.example/callback|scope=read write|allow=Authorize",
			deny:    "consent POST /here?q=1 csrfmiddlewaretoken=m2|redirect_uri=https://client.example/callback|scope=read write"},
		{page: "german_two_forms.html", consent: true, approve: "consent POST /app/zustimmung/ja t=2", deny: "consent POST /app/zustimmung/nein t=1"},
		{page: "identifier_first.html", approve: "login POST /u/login/identifier?state=s state=s|username=alice|website=|action=default"},
		{page: "password_second.html", approve: "login POST /u/login/password?state=s state=s|username=alice|password=wonder&land|action=default"},
		{page: "login_and_register.html", approve: "login POST /session email=alice|pw=wonder&land"},
		{page: "radio_consent.html", consent: true, approve: "consent POST /decide _csrf=x|scope.read=true", deny: "consent POST /decide _csrf=x|scope.read=false"},
		{page: "link_consent.html", consent: true, approve: "consent GET /consent?d=1&x=2 via link", deny: "consent GET /consent?d=0 via link"},
		{page: "account_chooser.html", approve: "continue POST /select account=2"},
		{page: "mfa_notice.html", approve: "continue POST /passkey x=skip"},
		{page: "form_post.html", approve: "automatic POST https://client.example/callback state=a&b|code=c9"},
		{page: "meta_refresh.html", approve: "automatic GET /next?a=1&b=2 via meta"},
		{page: "script_redirect.html", approve: "automatic GET https://client.example/callback?code=c1&state=s via script"},
		{page: "tables.html", approve: "login POST /login.do j_username=alice|j_password=wonder&land|go.x=1|go.y=1"},
		{page: "fieldset_multipart.html", approve: "login POST /login/now note=line1\r\nline2|tenant=acme|login_name=alice|login_secret=wonder&land"},
	} {
		t.Run(test.page, func(t *testing.T) {
			for _, choice := range []Choice{{}, {Deny: true}} {
				want := test.approve
				if choice.Deny && test.deny != "" {
					want = test.deny
				}
				visit := begin(t, options(), choice)
				step, err := visit.Next(testPage(t, test.page))
				if err != nil {
					t.Fatalf("deny=%v: %v", choice.Deny, err)
				}
				if got := describe(step); got != want {
					t.Errorf("deny=%v:\n got %s\nwant %s", choice.Deny, got, want)
				}
				if visit.ConsentShown() != test.consent {
					t.Errorf("ConsentShown = %v", visit.ConsentShown())
				}
				if login := strings.HasPrefix(want, "login"); visit.LoginShown() != login {
					t.Errorf("LoginShown = %v", visit.LoginShown())
				} else if login && strings.Contains(want, "wonder") != step.Secret {
					t.Errorf("Secret = %v", step.Secret)
				}
			}
		})
	}
}

func TestEncoding(t *testing.T) {
	step, err := begin(t, Options{Username: "jürgen", Password: "ключ", Origins: []string{origin}}, Choice{}).Next(testPage(t, "latin1_login.html"))
	if err != nil {
		t.Fatal(err)
	}
	// A page in ISO 8859-1 (windows-1252 to browsers) is answered in it; what it lacks goes as character references.
	if got, want := string(step.Body), "_charset_=windows-1252&b=j%FCrgen&k=%26%231082%3B%26%231083%3B%26%231102%3B%26%231095%3B&gr%FCn=%FC"; got != want {
		t.Errorf("body %s\nwant %s", got, want)
	}
	if step.ContentType != formMediaType {
		t.Errorf("content type %s", step.ContentType)
	}
	step, err = begin(t, options(), Choice{}).Next(testPage(t, "fieldset_multipart.html"))
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("POST", step.URL, strings.NewReader(string(step.Body)))
	req.Header.Set("Content-Type", step.ContentType)
	if got := req.PostFormValue("login_secret"); got != "wonder&land" {
		t.Errorf("multipart body carries %q", got)
	}
}

// TestTrouble holds the pages on which the owner cannot go on, and what is said about them.
func TestTrouble(t *testing.T) {
	for _, test := range []struct {
		name, page string
		edit       func(*Options)
		status     int
		before     string // a page of the same visit
		reason     Reason
		says       string
	}{
		{name: "wrong password", page: "keycloak_wrong.html", before: "keycloak_login.html", reason: WrongCredentials, says: "Invalid username or password."},
		{name: "wrong password, 401", page: "spring_wrong.html", before: "spring_login.html", status: 401, reason: WrongCredentials, says: `"Bad credentials"`},
		{name: "wrong password, no markup", page: "single_step_wrong.html", before: "single_step.html", reason: WrongCredentials, says: "Wrong name or password."},
		{name: "unknown user", page: "identifier_first.html", before: "identifier_first.html", reason: WrongCredentials, says: "came back"},
		{name: "no user", page: "single_step.html", edit: func(o *Options) { o.Username, o.Password = "", "" }, reason: NoCredentials, says: "user: {username"},
		{name: "login none", page: "single_step.html", edit: func(o *Options) { o.Method = "none" }, reason: LoginDisabled, says: "login.method"},
		{name: "captcha", page: "captcha.html", reason: Captcha, says: "g-recaptcha"},
		{name: "script only", page: "spa.html", reason: ScriptOnly, says: "JavaScript"},
		{name: "second factor", page: "totp.html", reason: SecondFactor, says: "login.fields"},
		{name: "foreign origin", page: "foreign.html", reason: ForeignOrigin, says: "login.origins: [https://evil.example]"},
		{name: "unclear", page: "unclear_consent.html", reason: NoChoice, says: `"Sure thing", "Cancel", "Vielleicht"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options()
			if test.edit != nil {
				test.edit(&o)
			}
			visit := begin(t, o, Choice{})
			if test.before != "" {
				if _, err := visit.Next(testPage(t, test.before)); err != nil {
					t.Fatal(err)
				}
			}
			page := testPage(t, test.page)
			if test.status != 0 {
				page.Status = test.status
			}
			step, err := visit.Next(page)
			var problem *Error
			if !errors.As(err, &problem) {
				t.Fatalf("got step %s, error %v", describe(step), err)
			}
			if problem.Reason != test.reason || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %s: %v", problem.Reason, err)
			}
			if strings.Contains(err.Error(), o.Password) && o.Password != "" {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestOptionsOverrideGuesses(t *testing.T) {
	o := options()
	o.Approve, o.Deny = "Vielleicht", "sure thing"
	o.Fields = map[string]string{"otp": "123456", "note": "n", "tenant": "beta", "scope.read": "false"}
	for _, test := range []struct {
		page   string
		choice Choice
		want   string
	}{
		{"unclear_consent.html", Choice{}, "consent POST /d a=3"},
		{"unclear_consent.html", Choice{Deny: true}, "consent POST /d a=1"},
		{"totp.html", Choice{}, "continue POST /otp otp=123456"},
		{"fieldset_multipart.html", Choice{}, "login POST /login/now note=n|tenant=b|login_name=alice|login_secret=wonder&land"},
		{"radio_consent.html", Choice{}, "consent POST /decide _csrf=x|scope.read=false"},
		{"identityserver_login.html", Choice{Deny: true, AtLogin: true}, "consent POST /Account/Login?handler=x Input.ReturnUrl=/connect/authorize/callback?client_id=web|Input.Username=|Input.Password=|Input.Button=cancel|__RequestVerificationToken=rv1|Input.RememberLogin=false"},
		{"oidc_provider_login.html", Choice{Deny: true, AtLogin: true}, "consent GET /interaction/abc/abort via link"},
	} {
		step, err := begin(t, o, test.choice).Next(testPage(t, test.page))
		if got := describe(step); err != nil || got != test.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", test.page, got, err, test.want)
		}
	}
}

func TestStepsAreBounded(t *testing.T) {
	visit := begin(t, options(), Choice{})
	for range MaxSteps {
		if _, err := visit.Next(testPage(t, "meta_refresh.html")); err != nil {
			t.Fatal(err)
		}
	}
	var problem *Error
	if _, err := visit.Next(testPage(t, "meta_refresh.html")); !errors.As(err, &problem) || problem.Reason != TooManySteps {
		t.Errorf("got %v", err)
	}
}

// TestNotPages: what is no page of the owner's ends the walk without an error.
func TestNotPages(t *testing.T) {
	for name, page := range map[string]*Page{
		"json":          {URL: origin, Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"error":"invalid_request"}`)},
		"empty":         {URL: origin, Status: 200, Header: http.Header{}},
		"no url":        {Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<form><input></form>")},
		"script error":  {URL: origin, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<script src=a.js></script><h1>Invalid redirect_uri</h1>")},
		"click handler": {URL: origin, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(`<p>The request cannot be processed by this server, because its client is unknown here.</p><script>document.querySelector('a').addEventListener('click', function () { location.href = '/home'; }); function go() { location.href = "https://client.example/"; }</script>`)},
		"logout form":   {URL: origin, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(`<form id=lo action=/logout method=post><button>Log out</button></form><script>function out() { document.getElementById('lo').submit() }</script>`)},
		"error, 400":    {URL: origin, Status: 400, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(`<form action=/home><button>Continue</button></form>`)},
		"cookie banner": {URL: origin, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(`<form class="cookie-banner" action="/cookies"><button>Accept all</button><button>Reject</button></form>Error`)},
	} {
		if step, err := begin(t, options(), Choice{}).Next(page); step != nil || err != nil {
			t.Errorf("%s: %s, %v", name, describe(step), err)
		}
	}
}

func TestMeaning(t *testing.T) {
	for text, want := range map[string]meaning{
		"Allow": approves, "Yes, Allow": approves, "Autoriser": approves, "Zugriff erlauben": approves, "Sí": approves, "ALLOW ACCESS": approves, "Allow (no expiry)": approves,
		"Deny": denies, "No, Do Not Allow": denies, "Don't allow": denies, "Ne pas autoriser": denies, "Zugriff nicht erlauben": denies, "No permitir": denies, "Annuler": denies, "Abbrechen": denies, "Rechazar": denies,
		"Sign in": proceeds, "Log in": proceeds, "Weiter": proceeds, "Se connecter": proceeds,
		"Sign up": leaves, "Log out": leaves, "Forgot password?": leaves, "Zurück": leaves, "Continue with Google": leaves,
		"Bogus": unknown, "": unknown,
	} {
		if got := meaningOf(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for raw, want := range map[string]string{
		"https://As.Test:443/x": "https://as.test", "http://as.test:80": "http://as.test", "http://as.test:8080/": "http://as.test:8080",
		"https://[::1]:8443": "https://[::1]:8443", "no-origin": "", "mailto:a@b": "", "https://user:pw@as.test/": "https://as.test",
	} {
		if got := Origin(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	if _, err := New(Options{Method: "browser"}); err == nil {
		t.Error("an unknown method is accepted")
	}
}

// FuzzPage: no page makes the owner panic, send the password elsewhere, or name an unusable request.
func FuzzPage(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.html")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "", false)
	}
	f.Add([]byte("<form method=post action=//evil.example><input type=password name=p>"), "0;url=//x", true)
	f.Fuzz(func(t *testing.T, body []byte, refresh string, deny bool) {
		page := &Page{URL: origin + "/", Status: 200, Header: http.Header{"Content-Type": {"text/html"}, "Refresh": {refresh}}, Body: body}
		visit := begin(t, options(), Choice{Deny: deny})
		for range 2 {
			step, err := visit.Next(page)
			if err != nil || step == nil {
				return
			}
			if step.Method != "GET" && step.Method != "POST" || !strings.Contains(step.URL, ":") {
				t.Fatalf("unusable step %+v", step)
			}
			if strings.Contains(string(step.Body)+step.URL, "wonder") && Origin(step.URL) != origin {
				t.Fatalf("the password goes to %s", step.URL)
			}
		}
	})
}

func TestHostilePages(t *testing.T) {
	for name, body := range map[string]string{
		"deep":       strings.Repeat("<div class=error>", 200000),
		"forms":      strings.Repeat("<form action=/a method=post><input type=password name=p></form>", 10000),
		"controls":   "<form action=/a method=post>" + strings.Repeat("<input name=a><input type=password name=b>", 20000),
		"labels":     "<form>" + strings.Repeat("<label><input id=a name=a>", 30000),
		"scripts":    strings.Repeat("<script>location.href='/a';{{{{</script>", 20000),
		"options":    "<form><select name=a>" + strings.Repeat("<option>", 100000),
		"entities":   strings.Repeat("&#x1F600;&#0;&bogus;", 40000),
		"unclosed":   "<form action='/a' method=post><input type=password name=p value='" + strings.Repeat("x", 1<<20),
		"nul":        "<form\x00 action=/a><input\x00 type=password name=p>\x00",
		"utf-16":     "\xff\xfe<\x00f\x00o\x00r\x00m\x00>\x00",
		"attributes": "<form " + strings.Repeat("a=b ", 200000) + ">",
	} {
		page := &Page{URL: origin + "/", Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(body)}
		_, err := begin(t, options(), Choice{}).Next(page)
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
	}
}
