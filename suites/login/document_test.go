package login

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func htmlPage(body string) *Page {
	return &Page{URL: origin + "/dir/here?q=1#f", Status: 200, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(body)}
}

// first is the step of a fresh visit to a page.
func first(t *testing.T, body string, choice Choice) string {
	t.Helper()
	step, err := begin(t, options(), choice).Next(htmlPage(body))
	if err != nil {
		return "error " + err.Error()
	}
	return describe(step)
}

func TestRefresh(t *testing.T) {
	for value, want := range map[string]string{
		"0;url=/next":                           "/next 0s",
		"3; URL='/next?a=1'":                    "/next?a=1 3s",
		`0;url="https://client.example/cb?c=1"`: "https://client.example/cb?c=1 0s",
		"5, /next":                              "/next 5s",
		"1.5;url=next":                          "/dir/next 1s",
		"0; com.example.app:/cb?code=1":         "com.example.app:/cb?code=1 0s",
		"300":                                   "none",
		"0;url=":                                "none",
		"0;url=javascript:alert(1)":             "none",
		"99999999999999999999;url=/x":           "/x 24h0m0s",
		"":                                      "none",
		"x":                                     "none",
	} {
		page := htmlPage("<p>wait</p>")
		page.Header.Set("Refresh", value)
		got := "none"
		if r := Parse(page).Refresh; r != nil {
			got = strings.TrimPrefix(r.URL, origin) + " " + r.Delay.String()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	page := htmlPage("")
	page.Header.Set("Refresh", "600;url=/timeout")
	if step, err := begin(t, options(), Choice{}).Next(page); step != nil || err != nil {
		t.Errorf("a refresh after ten minutes is followed: %s, %v", describe(step), err)
	}
	page.Header = http.Header{"Refresh": {"1;url=/next"}, "Content-Type": {"application/json"}}
	if step, _ := begin(t, options(), Choice{}).Next(page); describe(step) != "automatic GET /next via refresh" {
		t.Errorf("Refresh of a page that is not HTML: %s", describe(step))
	}
	if refreshLimit > time.Minute {
		t.Error("a page that times out counts as one that goes on")
	}
}

// TestStructure holds how pages are read: what belongs to which form, where it goes, what a script submits.
func TestStructure(t *testing.T) {
	for _, test := range []struct {
		name, body string
		choice     Choice
		want       string
	}{
		{name: "GET form", body: `<form action="/login?old=1"><input name=user value=x><input type=password name=pw><button name=go value=1>Log in</button></form>`,
			want: "login GET /login?user=alice&pw=wonder%26land&go=1"},
		{name: "relative action", body: `<form action="../up" method=post><input name=user><input type=password name=pw></form>`, want: "login POST /up user=alice|pw=wonder&land"},
		{name: "empty action is the page, not the base", body: `<base href="/elsewhere/"><form action="" method=post><input name=user><input type=password name=pw></form>`,
			want: "login POST /dir/here?q=1 user=alice|pw=wonder&land"},
		{name: "base", body: `<base href="/elsewhere/"><base href="/no/"><form action=in method=post><input name=user><input type=password name=pw></form>`, want: "login POST /elsewhere/in user=alice|pw=wonder&land"},
		{name: "button's own target and method", body: `<form action=/a><input name=user><input type=password name=pw><button formaction=/b formmethod=post>Log in</button></form>`,
			want: "login POST /b user=alice|pw=wonder&land"},
		{name: "login with consent, approved", body: `<form action=/a method=post><input name=user><input type=password name=pw><button name=d value=no>Deny</button><button name=d value=yes>Allow</button></form>`,
			want: "login POST /a user=alice|pw=wonder&land|d=yes"},
		{name: "login with consent, denied", body: `<form action=/a method=post><input name=user><input type=password name=pw><button name=d value=no>Deny</button><button name=d value=yes>Allow</button></form>`,
			choice: Choice{Deny: true}, want: "login POST /a user=alice|pw=wonder&land|d=no"},
		{name: "named form submitted", body: `<form action=/a method=post name=one><input type=hidden name=x value=1></form><form action=/b method=post id=two><input type=hidden name=y value=2></form><script>document.getElementById("two").submit();</script>`,
			want: "automatic POST /b y=2"},
		{name: "onload with a button", body: `<body onload="document.forms[0].submit()"><form action=https://client.example/cb method=post><input type=hidden name=code value=1><button>Go on</button><button>Stay</button></form>`,
			want: "automatic POST https://client.example/cb code=1"},
		{name: "onload does not submit what asks", body: `<body onload="document.forms[0].submit()"><form action=/q method=post><input name=comment><button>Save</button></form>`, want: "nothing"},
		{name: "submitted by a function that onload calls", body: `<body onload="go()"><form action=/b method=post><input type=hidden name=y value=2></form><script>function go() { document.forms[0].submit(); }</script>`,
			want: "automatic POST /b y=2"},
		{name: "custom scheme", body: `<meta http-equiv=refresh content="0;url=com.example.app:/cb?code=1">`, want: "automatic GET com.example.app:/cb?code=1 via meta"},
		{name: "nested forms", body: `<form action=/a method=post><form action=/b><input name=user><input type=password name=pw></form></form>`, want: "login POST /a user=alice|pw=wonder&land"},
		{name: "commented and in scripts", body: `<!-- <form action=/x><input type=password name=a></form> --><script>"<form action=/y><input type=password name=b>"</script><form action=/z method=post><input name=user><input type=password name=c></form>`,
			want: "login POST /z user=alice|c=wonder&land"},
		{name: "in noscript", body: `<noscript><form action=/z method=post><input name=user><input type=password name=c></form></noscript>`, want: "login POST /z user=alice|c=wonder&land"},
		{name: "dialog", body: `<form method=dialog><button>OK</button></form>`, want: "nothing"},
		{name: "javascript action", body: `<form action="javascript:go()"><input name=user><input type=password name=c></form>`, want: "nothing"},
		{name: "plain text", body: `<form action=/t method=post enctype=text/plain><input name=user><input type=password name=c></form>`, want: "login POST /t user=alice|c=wonder&land"},
		{name: "hidden until a script shows it", body: `<div style="display: none"><form action=/z method=post><input name=email><input type=password name=c></form></div>`, want: "login POST /z email=alice|c=wonder&land"},
		{name: "continue by a link", body: `<p>You are signed in.</p><a href="/next?a=1">Weiter</a> <a href="https://elsewhere.example/">Continue</a>`, want: "continue GET /next?a=1 via link"},
		{name: "account by a link", body: `<a href="/as?u=2">alice@example.com</a><a href="/as?u=3">Use another account</a>`, want: "continue GET /as?u=2 via link"},
		{name: "deny by a button with a script", body: `<form action=/c method=post><button>Allow</button><button type=button onclick="window.location.href='/no'">Cancel</button></form>`,
			choice: Choice{Deny: true}, want: "consent GET /no via script"},
		{name: "nothing refuses", body: `<form action=/c method=post><button>Allow</button></form>`, choice: Choice{Deny: true}, want: "error login at"},
	} {
		if got := first(t, test.body, test.choice); got != test.want && !strings.HasPrefix(got, test.want+" http") {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestAlerts(t *testing.T) {
	d := Parse(htmlPage(`<title>Sign in</title><div class="error-box"><ul><li>One.<li>Two.</ul></div><p class="alert">Three.<p>Not this.
		<span role=alert hidden>Nor this.</span><div id="kc-feedback"><b>Four</b></div><style>.error{}</style>`))
	if got := strings.Join(d.Alerts, "|"); got != "One. Two.|Three.|Four" {
		t.Errorf("alerts %q", got)
	}
	if d.Title != "Sign in" || strings.Contains(d.Text, "{") {
		t.Errorf("title %q, text %q", d.Title, d.Text)
	}
	long := Parse(htmlPage("<p>" + strings.Repeat("words and \x1b[31mmore\u0000 words ", 5000)))
	if strings.ContainsAny(long.Summary(), "\x1b\x00") || len(long.Text) > 2*maxText {
		t.Error("control characters or an unbounded text")
	}
}

func BenchmarkParse(b *testing.B) {
	page := testPage(b, "keycloak_login.html")
	for b.Loop() {
		Parse(page)
	}
}
