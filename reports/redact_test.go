package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// encodings are the ways in which a hostile server gives a secret back.
var encodings = []struct {
	name   string
	encode func(string) string
}{
	{"plain", func(s string) string { return s }},
	{"query", url.QueryEscape},
	{"path", url.PathEscape},
	{"percent", eachByte("%%%02X")},
	{"percent lower case", eachByte("%%%02x")},
	{"percent every other", func(s string) string { return everyOther(s, "%%%02x") }},
	{"percent twice", func(s string) string { return url.QueryEscape(eachByte("%%%02x")(s)) }},
	{"percent five times", func(s string) string {
		for range 5 {
			s = strings.ReplaceAll(eachByte("%%%02X")(s[:1])+s[1:], "%", "%25")
		}
		return s
	}},
	{"JSON", jsonString},
	{"JSON unicode", eachUnit(`\u%04x`)},
	{"JSON unicode capitals", eachUnit(`\u%04X`)},
	{"JSON in JSON", func(s string) string { return jsonString(`{"t":"` + jsonString(s) + `"}`) }},
	{"JSON in JSON in JSON", func(s string) string {
		return jsonString(`{"t":"` + jsonString(`{"u":"`+eachUnit(`\u%04x`)(s)+`"}`) + `"}`)
	}},
	{"JavaScript", eachByte(`\x%02x`)},
	{"HTML", html.EscapeString},
	{"HTML decimal", eachRune("&#%d;")},
	{"HTML hexadecimal", eachRune("&#x%x;")},
	{"HTML padded, no semicolon", eachRune("&#0%d ")},
	{"HTML of percent", func(s string) string { return eachRune("&#%d;")(eachByte("%%%02x")(s)) }},
	{"percent of HTML", func(s string) string { return url.QueryEscape(eachRune("&#x%X;")(s)) }},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64url", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64 shifted by one", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("\x01" + s + "\xff")) }},
	{"base64 shifted by two", func(s string) string { return base64.URLEncoding.EncodeToString([]byte("id" + s + "zz")) }},
	{"base64 of JSON", func(s string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x","t":"` + jsonString(s) + `"}`))
	}},
	{"base64 of percent", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a=" + eachByte("%%%02x")(s))) }},
	{"base64 twice", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("x: " + base64.StdEncoding.EncodeToString([]byte("y: "+s))))
	}},
	{"base64 in lines", func(s string) string {
		e := base64.StdEncoding.EncodeToString([]byte(s))
		return e[:len(e)/2] + "\r\n" + e[len(e)/2:]
	}},
	{"base64 in a URL", func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) }},
	{"Basic", func(s string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("web-app:"+url.QueryEscape(s)))
	}},
	{"hexadecimal", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hexadecimal capitals", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"JWT payload", func(s string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"x","t":"`+jsonString(s)+`"}`)) + "."
	}},
	{"upper case", func(s string) string {
		return strings.Map(func(c rune) rune {
			if 'a' <= c && c <= 'z' {
				return c - 'a' + 'A'
			}
			return c
		}, s)
	}},
	{"lower case", strings.ToLower},
	{"broken by spaces", func(s string) string { return s[:5] + " \t\n" + s[5:] }},
	{"broken by zero-width spaces", func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") }},
	{"first half", func(s string) string { return s[:max(len(s)/2, 12)] }},
	{"second half", func(s string) string { return s[min(len(s)/2, len(s)-12):] }},
	{"shortened at the end", func(s string) string { return s[:8] + "…" }},
	{"shortened at the beginning", func(s string) string { return "..." + s[len(s)-9:] }},
	{"shortened at both ends", func(s string) string { return `"...` + s[6:14] + `..."` }},
}

func eachByte(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, format, s[i])
		}
		return b.String()
	}
}

func eachRune(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range s {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

// eachUnit formats the UTF-16 code units, as JSON escapes them.
func eachUnit(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range utf16.Encode([]rune(s)) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

func everyOther(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		if i%2 == 0 {
			fmt.Fprintf(&b, format, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

// places are the parts of a report where text of the target can stand.
var places = []struct {
	name string
	put  func(*Report, string)
}{
	{"run.aborted", func(r *Report, s string) { r.Run.Aborted = s }},
	{"run.reproduce", func(r *Report, s string) { r.Run.Reproduce = "oauthcheck run " + s }},
	{"target.endpoints", func(r *Report, s string) { r.Target.Endpoints = map[string]string{"token": "https://as.example/" + s} }},
	{"capability.because", func(r *Report, s string) { r.Target.Capabilities[0].Because = "it said " + s }},
	{"check.message", func(r *Report, s string) { r.Checks[0].Message = "it said " + s + ", which is wrong" }},
	{"check.sent", func(r *Report, s string) { r.Checks[0].Sent = "POST with " + s }},
	{"check.expected", func(r *Report, s string) { r.Checks[0].Expected = []string{"not " + s} }},
	{"check.actual", func(r *Report, s string) { r.Checks[0].Actual = "Expected\n    <string>: " + s + "\nto equal" }},
	{"check.notes", func(r *Report, s string) { r.Checks[0].Notes = []string{s} }},
	{"check.enable", func(r *Report, s string) { r.Checks[0].Enable = s }},
	{"variant.name", func(r *Report, s string) { r.Checks[0].Variants[0].Name = "v:" + s }},
	{"variant.message", func(r *Report, s string) { r.Checks[0].Variants[0].Message = s }},
	{"variant.actual", func(r *Report, s string) { r.Checks[0].Variants[0].Actual = "got [" + s + "]" }},
	{"variant.expected", func(r *Report, s string) { r.Checks[0].Variants[0].Expected = []string{s} }},
	{"exchange.error", func(r *Report, s string) { r.Checks[0].Exchanges[0].Error = `Post "https://x/?t=` + s + `": refused` }},
	{"request.url", func(r *Report, s string) {
		r.Checks[0].Exchanges[0].Request.URL = "https://as.example/x?unknown=" + s + "&z=1"
	}},
	{"request.header", func(r *Report, s string) { r.Checks[0].Exchanges[0].Request.Headers.Set("X-Anything", s) }},
	{"request.body", func(r *Report, s string) { r.Checks[0].Exchanges[0].Request.Body = "a=b&unknown=" + s }},
	{"response.header", func(r *Report, s string) { r.Checks[0].Exchanges[0].Response.Headers.Set("X-Anything", "a, "+s+"; b") }},
	{"response.location", func(r *Report, s string) {
		r.Checks[0].Exchanges[0].Response.Headers.Set("Location", "https://x.example/"+s+"?a=1#"+s)
	}},
	{"response.refresh", func(r *Report, s string) {
		r.Checks[0].Exchanges[0].Response.Headers.Set("Refresh", "0; url=https://x.example/?q="+s)
	}},
	{"response.json", func(r *Report, s string) { r.Checks[0].Exchanges[0].Response.Body = `{"a":[{"b":{"c":"` + s + `"}}]}` }},
	{"response.html", func(r *Report, s string) {
		r.Checks[0].Exchanges[0].Response.Body = `<input value="` + s + `" name=other><p>` + s + `</p>`
	}},
	{"response.cut off", func(r *Report, s string) {
		r.Checks[0].Exchanges[0].Response.Body = strings.Repeat("x ", MaxBody/2-12) + s + strings.Repeat(" y", 200)
	}},
}

// plainReport is a small report into which places put text.
func plainReport() *Report {
	return &Report{Schema: Schema, Tool: Tool{Name: "oauthcheck"}, Target: Target{URL: "https://as.example", Capabilities: []Capability{{Name: "pkce"}}},
		Checks: []Check{{ID: "rfc6749/x", Spec: "rfc6749", Section: "5.1", Level: "MUST", Verdict: Fail,
			Variants: []Variant{{Name: "v", Verdict: Fail}},
			Exchanges: []Exchange{{Request: Request{Method: "POST", URL: "https://as.example/t", Headers: http.Header{"Content-Type": {formType}}},
				Response: Response{Status: 200, Headers: http.Header{}}}}}}}
}

// formats renders a report in every format, keyed by name.
func formats(t testing.TB, r *Report) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, write := range writers() {
		var b bytes.Buffer
		if err := write(&b, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = b.String()
	}
	return out
}

// leaks looks for a secret in a text with means of its own: the standard library's decoders, layer by layer.
func leaks(text, secret string) string {
	for layer := 0; layer < 8; layer++ {
		for _, s := range []string{secret, url.QueryEscape(secret), html.EscapeString(secret), jsonString(secret), hex.EncodeToString([]byte(secret))} {
			if strings.Contains(text, s) {
				return s
			}
		}
		for shift := range 3 {
			e := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + secret))
			core := strings.TrimRight(e, "=")
			core = core[(shift*8+5)/6 : len(core)-1]
			if strings.Contains(strings.NewReplacer("-", "+", "_", "/").Replace(text), core) {
				return core
			}
		}
		next := html.UnescapeString(text)
		if decoded, err := url.PathUnescape(next); err == nil {
			next = decoded
		}
		next = strings.NewReplacer(`\"`, `"`, `\/`, `/`, `\\`, `\`).Replace(next)
		if next == text {
			break
		}
		text = next
	}
	return ""
}

func TestSecretsSurviveNowhere(t *testing.T) {
	for _, secret := range []string{
		"Xk7-2pQz_9LmR4.tVb8~Wn3", "p@ss w0rd & <\"quoted\"> + %41 \\ 'x'", "ünïcødé-pässwörd-ß", "0123456789abcdef0123456789abcdef",
	} {
		for _, enc := range encodings {
			for _, place := range places {
				encoded := enc.encode(secret)
				if encoded == "" {
					continue
				}
				r := plainReport()
				place.put(r, encoded)
				NewRedactor([]Secret{{"password", secret}}).Redact(r)
				b, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				out := string(b)
				if found := leaks(out, secret); found != "" {
					t.Errorf("%q in %s as %s: %q survives", secret, place.name, enc.name, found)
				}
				if strings.Contains(out, jsonString(encoded)) || strings.Contains(out, encoded) {
					t.Errorf("%q in %s as %s survives: %.200q", secret, place.name, enc.name, encoded)
				}
				if !strings.Contains(out, "«") && place.name != "response.cut off" {
					t.Errorf("%q in %s as %s: no label", secret, place.name, enc.name)
				}
			}
		}
	}
}

func TestSampleLeaksNothing(t *testing.T) {
	for name, out := range formats(t, redactedSample()) {
		for _, secret := range sampleSecrets() {
			if found := leaks(out, secret); found != "" {
				t.Errorf("%s: %q survives as %q", name, secret, found)
			}
		}
	}
}

func TestSecretsAreLearntByPosition(t *testing.T) {
	jwt := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
	tests := []struct {
		name string
		e    Exchange
		want string // anywhere in the JSON
		gone string
	}{
		{"form", Exchange{Request: Request{Headers: http.Header{"Content-Type": {formType}}, Body: "code=ab1&grant_type=authorization_code"}}, "code=«code 1»&grant_type=authorization_code", "ab1"},
		{"form, name escaped", Exchange{Request: Request{Headers: http.Header{"Content-Type": {formType}}, Body: "client%5Fsecret=ab1"}}, "client%5Fsecret=«client_secret 1»", "ab1"},
		{"form, odd value", Exchange{Request: Request{Headers: http.Header{"Content-Type": {formType}}, Body: `password=a b"<;#c&x=1`}}, "password=«password 1»&x=1", `<;#c`},
		{"query", Exchange{Request: Request{URL: "https://h/cb?state=st4te&code=ab1#x"}}, "state=st4te&code=«code 1»#x", "ab1"},
		{"fragment", Exchange{Response: Response{Headers: http.Header{"Location": {"https://h/cb#access_token=ab1&token_type=bearer"}}}}, "#access_token=«access_token 1»&token_type=bearer", "ab1"},
		{"nested URL", Exchange{Request: Request{URL: "https://h/login?return=https%3A%2F%2Fh%2Fcb%3Fcode%3Dab1%26x%3D1"}}, "code%3D«code 1»%26x", "ab1"},
		{"userinfo", Exchange{Request: Request{URL: "https://bob:ab1@h/x"}}, "https://bob:«password 1»@h/x", "ab1"},
		{"JSON", Exchange{Response: Response{Body: `{"x":{"y":[{"refresh_token" : "ab1"}]}}`}}, `\"refresh_token\" : \"«refresh_token 1»\"`, "ab1"},
		{"JSON number", Exchange{Response: Response{Body: `{"user_code":871237}`}}, `«user_code 1»`, "871237"},
		{"JSON list", Exchange{Response: Response{Body: `{"access_token":["ab1", "ab2"]}`}}, `[\"«access_token 1»\", \"«access_token 2»\"]`, "ab2"},
		{"JSON in JSON", Exchange{Response: Response{Body: `{"d":"{\"id_token\":\"ab1\"}"}`}}, `«id_token 1»`, "ab1"},
		{"JSON, cut off", Exchange{Response: Response{Body: `{"access_token":"ab1`}}, `«access_token 1»`, "ab1"},
		{"JSON, camel case", Exchange{Response: Response{Body: `{"accessToken":"ab1"}`}}, `«access_token 1»`, "ab1"},
		{"JSON in base64", Exchange{Response: Response{Body: base64.StdEncoding.EncodeToString([]byte(`{"access_token":"ab1ab1"}`))}}, `«access_token 1»`, "YWIxYWIx"},
		{"hidden input", Exchange{Response: Response{Body: `<form><input type=hidden name="code" value="ab1"></form>`}}, `value=\"«code 1»\"`, "ab1"},
		{"hidden input, reversed", Exchange{Response: Response{Body: `<INPUT value='ab1' name='id_token' />`}}, `'«id_token 1»'`, "ab1"},
		{"password field", Exchange{Response: Response{Body: `<input type="password" name="p" value="ab1">`}}, `«password 1»`, "ab1"},
		{"meta", Exchange{Response: Response{Body: `<meta name="csrf-token" content="ab1">`}}, `«csrf_token 1»`, "ab1"},
		{"script", Exchange{Response: Response{Body: `<script>var access_token = 'ab1';</script>`}}, `«access_token 1»`, "ab1"},
		{"Basic", Exchange{Request: Request{Headers: http.Header{"Authorization": {"basic d2ViOmFiMQ=="}}}}, "basic base64(web:«client_secret 1»)", "d2ViOmFiMQ"},
		{"Basic, malformed", Exchange{Request: Request{Headers: http.Header{"Authorization": {"Basic ab1"}}}}, "Basic «credentials 1»", "ab1"},
		{"Bearer", Exchange{Request: Request{Headers: http.Header{"Authorization": {"Bearer ab1"}}}}, "Bearer «access_token 1»", "ab1"},
		{"no scheme", Exchange{Request: Request{Headers: http.Header{"Authorization": {"ab1ab1ab1"}}}}, "«credentials 1»", "ab1ab1"},
		{"Cookie", Exchange{Request: Request{Headers: http.Header{"Cookie": {`a=x1; b="x2"; x3`}}}}, `a=«cookie 1»; b=\"«cookie 2»\"; «cookie 3»`, "x2"},
		{"Set-Cookie", Exchange{Response: Response{Headers: http.Header{"Set-Cookie": {"a=x1; Path=/; HttpOnly"}}}}, "a=«cookie 1»; Path=/; HttpOnly", "x1"},
		{"secret header", Exchange{Request: Request{Headers: http.Header{"X-Api-Key": {"ab1"}}}}, "«api_key 1»", "ab1"},
		{"DPoP", Exchange{Request: Request{Headers: http.Header{"Dpop": {jwt}}}}, "«dpop_proof 1»", "c2lnbmF0dXJl"},
		{"JWT anywhere", Exchange{Response: Response{Body: "<p>" + jwt + "</p>"}}, "«jwt 1»", "c2lnbmF0dXJl"},
		{"request_uri", Exchange{Response: Response{Body: `{"request_uri":"urn:ietf:params:oauth:request_uri:ab1"}`}}, "urn:ietf:params:oauth:request_uri:«request_uri 1»", ":ab1"},
		{"PKCE", Exchange{Request: Request{URL: "https://h/?code_challenge=challenge-0123456789", Headers: http.Header{"Content-Type": {formType}}, Body: "code_verifier=ab1"}}, "code_verifier=«code_verifier 1»", "ab1"},
		{"made twice", Exchange{Response: Response{Body: `{"access_token":"T0k-2345678"}`, Headers: http.Header{"X": {"T0k-2345678"}}}}, `"X":["«access_token 1»"]`, "T0k-"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := plainReport()
			r.Checks[0].Exchanges = []Exchange{test.e}
			NewRedactor(nil).Redact(r)
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(r); err != nil {
				t.Fatal(err)
			}
			if out := b.String(); !strings.Contains(out, test.want) || strings.Contains(out, test.gone) {
				t.Errorf("want %s and no %s in\n%s", test.want, test.gone, out)
			}
		})
	}
}

func TestWhatIsNotSecretStays(t *testing.T) {
	for _, text := range []string{
		"grant_type=password&client_id=web-app&response_type=code&scope=openid%20profile",
		`{"error":"invalid_grant","error_description":"The code is expired"}`,
		`{"error":{"code":"invalid_request"},"code":400}`,
		`{"grant_types_supported":["password","authorization_code","urn:ietf:params:oauth:grant-type:token-exchange"]}`,
		`{"request_uri_parameter_supported":true,"token_endpoint":"https://as.example/token","token_type":"Bearer"}`,
		"state=af0ifjsldkj-0123456789&nonce=n-0S6_WzA2Mj&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		"the authorization code is bound to the client; a Bearer token with Basic authentication",
		"HTTP 400, Content-Type: application/json;charset=UTF-8, Cache-Control: no-store",
		"token_type_hint=access_token, issued_token_type=urn:ietf:params:oauth:token-type:access_token",
		"client_secret_expires_at: 0, session_state=xyz, code=invalid_request",
		"client_secret= (empty) and code=<fresh code>",
	} {
		r := plainReport()
		r.Checks[0].Actual = text
		r.Checks[0].Exchanges[0].Response.Body = text
		// A server whose secrets are the words of the protocol, and a cookie that holds an address.
		r.Checks[0].Exchanges[0].Response.Headers.Set("Set-Cookie", "return=https%3A%2F%2Fas.example")
		NewRedactor([]Secret{{"password", "password"}, {"client_secret", "authorization_code"}, {"client_secret", "abc"}, {"client_secret", ""}}).Redact(r)
		if got := r.Checks[0].Actual; got != text {
			t.Errorf("%s became %s", text, got)
		}
		if got := r.Checks[0].Exchanges[0].Response.Body; got != text {
			t.Errorf("in a body %s became %s", text, got)
		}
	}
}

// TestMadeUpValuesDoNotSpoilTheReport sends what no server issued: it is no secret, and its words stand elsewhere, too.
func TestMadeUpValuesDoNotSpoilTheReport(t *testing.T) {
	r := plainReport()
	r.Checks[0].Message = "unregistered-client is unknown, so is oauthcheck-wrong-secret; attacker took nothing"
	r.Checks[0].Exchanges[0].Request.Headers.Set("Authorization", "Bearer oauthcheck-wrong-secret-0123456789")
	r.Checks[0].Exchanges[0].Request.Body = "code=attacker&client_secret=unregistered-client&refresh_token=made-up-token-1"
	want := r.Checks[0].Message
	NewRedactor(nil).Redact(r)
	if got := r.Checks[0].Message; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := r.Checks[0].Exchanges[0].Request.Body, "code=«code 1»&client_secret=«client_secret 1»&refresh_token=«refresh_token 1»"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPublicValuesStayReadable(t *testing.T) {
	code := "https://client.example/callback|web-app|8271"
	r := plainReport()
	r.Checks[0].Message = "sent to https://client.example/callback with " + code
	r.Checks[0].Exchanges[0].Response.Body = `{"id_token":"` + code + `"}`
	redactor := NewRedactor(nil)
	redactor.Public("https://client.example/callback", "web-app")
	redactor.Redact(r)
	if got, want := r.Checks[0].Message, "sent to https://client.example/callback with «id_token 1»"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLabelsFollowTheReport(t *testing.T) {
	r := plainReport()
	r.Checks[0].Message = "second-secret, then first-secret, then second-secret"
	redactor := NewRedactor([]Secret{{"client_secret", "first-secret"}, {"client_secret", "second-secret"}, {"password", "never-shown"}})
	redactor.Redact(r)
	if got, want := r.Checks[0].Message, "«client_secret 1», then «client_secret 2», then «client_secret 1»"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := redactor.String("later: first-secret"), "later: «client_secret 2»"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheIssuingMemberNamesAToken(t *testing.T) {
	r := plainReport()
	r.Checks[0].Exchanges = []Exchange{
		{Request: Request{URL: "https://h/i", Headers: http.Header{"Content-Type": {formType}}, Body: "token=T0ken-1234567890&refresh_token=T0ken-0987654321"}},
		{Response: Response{Body: `{"access_token":"T0ken-1234567890","id_token":"T0ken-0987654321"}`}},
	}
	NewRedactor(nil).Redact(r)
	if got, want := r.Checks[0].Exchanges[0].Request.Body, "token=«access_token 1»&refresh_token=«id_token 1»"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRedactionIsIdempotent(t *testing.T) {
	once := redactedSample()
	twice := redactedSample()
	NewRedactor(sampleKnown()).Redact(twice)
	if !reflect.DeepEqual(once, twice) {
		a, _ := json.MarshalIndent(once, "", " ")
		b, _ := json.MarshalIndent(twice, "", " ")
		i := firstDifference(a, b)
		t.Errorf("a second redaction changes %q to %q", around(a, i), around(b, i))
	}
}

func TestRedactionLeavesItsInputsAlone(t *testing.T) {
	headers := http.Header{"Set-Cookie": {"sid=0123456789abcdef"}}
	expected := []string{"no 0123456789abcdef"}
	r := plainReport()
	r.Checks[0].Expected = expected
	r.Checks[0].Exchanges[0].Response.Headers = headers
	NewRedactor(nil).Redact(r)
	if headers.Get("Set-Cookie") != "sid=0123456789abcdef" || expected[0] != "no 0123456789abcdef" {
		t.Error("maps and lists that others may hold were changed in place")
	}
}

func TestRedactCheck(t *testing.T) {
	redactor := NewRedactor([]Secret{{"client_secret", "first-secret"}})
	for i, want := range []string{"«client_secret 1» and «access_token 1»", "«access_token 2» and «client_secret 1»"} {
		c := Check{Message: []string{"first-secret and t0ken-of-the-1st", "t0ken-of-the-2nd and first-secret"}[i],
			Exchanges: []Exchange{{Response: Response{Body: []string{`{"access_token":"t0ken-of-the-1st"}`, `{"access_token":"t0ken-of-the-2nd"}`}[i]}}}}
		redactor.RedactCheck(&c)
		if c.Message != want {
			t.Errorf("got %s, want %s", c.Message, want)
		}
	}
}

func TestHostileInputIsBounded(t *testing.T) {
	secret := "Xk7-2pQz_9LmR4.tVb8~Wn3"
	for name, body := range map[string]string{
		"escaped escapes": strings.Repeat("%25", 100_000),
		"many values":     strings.Repeat("code=aaaaaaaa1&", 30_000),
		"many fragments":  strings.Repeat(secret[:12]+" ", 30_000),
		"open tags":       strings.Repeat("<input name=", 30_000),
		"many members":    strings.Repeat(`"token":[`, 30_000),
		"half a JWT":      strings.Repeat("eyJhbGciOiJub25lIn0.", 20_000),
		"one long secret": `{"access_token":"` + strings.Repeat("abcdefg1", 60_000) + `"}`,
		"closed tag":      strings.Repeat("<input name=a value='", 20_000) + ">",
		"headers":         strings.Repeat("authorization:", 30_000),
		"ellipses":        strings.Repeat(secret[3:10]+"...", 20_000),
		"slashes":         strings.Repeat("QUE/", 50_000),
		"nested base64":   base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("QUE/", 50_000))))),
		"references":      strings.Repeat("&#", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			r := plainReport()
			r.Checks[0].Exchanges[0].Response.Body = body
			NewRedactor([]Secret{{"password", secret}}).Redact(r)
			if n := len(r.Checks[0].Exchanges[0].Response.Body); n > MaxBody+128 {
				t.Errorf("the body has %d bytes", n)
			}
		})
	}
}

// FuzzRedact puts a secret, encoded, into every place of a report and looks for it in every format.
func FuzzRedact(f *testing.F) {
	f.Add("Xk7-2pQz_9LmR4", "", "", uint8(0), uint8(0))
	f.Add("p@ss w0rd & <\"quoted\">", "%", "\\", uint8(3), uint8(5))
	f.Add("0123456789abcdef", "{\"a\":\"", "\"}", uint8(9), uint8(21))
	f.Add("p%41ss-w%%rd&amp;", "eyJ", "%2", uint8(14), uint8(18))
	f.Fuzz(func(t *testing.T, secret, before, after string, encoding, place uint8) {
		id := foldString(canonical(secret))
		if len(id) < 12 || vocabulary[id] || len(secret) > 200 || len(before)+len(after) > 400 || strings.Contains(words, strings.ToLower(secret)) ||
			strings.Contains("«password 1…»", secret) || len(secret) < 14 {
			t.Skip("not a secret that is searched for")
		}
		enc := encodings[int(encoding)%len(encodings)]
		at := places[int(place)%len(places)]
		encoded := enc.encode(secret)
		if part := strings.Contains(enc.name, "half") || strings.Contains(enc.name, "shortened"); part && len(foldString(encoded)) < minFragment+len("......") {
			t.Skip("too short a part")
		}
		r, clean := plainReport(), plainReport()
		at.put(r, before+encoded+after)
		at.put(clean, before+after)
		NewRedactor([]Secret{{"password", secret}}).Redact(r)
		for name, out := range formats(t, r) {
			if strings.Contains(out, encoded) && !strings.Contains(formats(t, clean)[name], encoded) && !strings.Contains(before+after, encoded) {
				t.Errorf("%s: %q, as %s in %s between %q and %q, survives as it was", name, secret, enc.name, at.name, before, after)
			}
		}
	})
}

// benchmarkReport is a run of the usual size: 2000 exchanges with several hundred secrets.
func benchmarkReport() *Report {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	r := plainReport()
	r.Checks = nil
	page := strings.Repeat(`<div class="row"><label for="username">User &amp; name</label><input id="username" name="username"></div>`, 20)
	var code, access, refresh, session string
	for i := range 500 {
		if i%4 == 0 { // checks share what they need not spoil
			code, access, refresh, session = random(24), random(32), random(32), random(24)
			if i%3 == 0 {
				access = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9." + random(300) + "." + random(64)
			}
		}
		cookie := http.Header{"Cookie": {"sid=" + session}}
		r.Checks = append(r.Checks, Check{ID: fmt.Sprintf("rfc6749/check-%d", i), Spec: "rfc6749", Section: "5.1", Verdict: Pass,
			Actual: "the browser was sent to https://client.example/callback?code=" + code,
			Exchanges: []Exchange{
				{Request: Request{Method: "GET", URL: "https://as.example/authorize?response_type=code&client_id=web-app&state=" + random(24) + "&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback&scope=openid%20profile&code_challenge=" + random(32)},
					Response: Response{Status: 200, Headers: http.Header{"Set-Cookie": {"sid=" + session + "; Path=/"}, "Content-Type": {"text/html"}, "Cache-Control": {"no-store"}}, Body: page + session}},
				{Request: Request{Method: "POST", URL: "https://as.example/login", Headers: cookie, Body: "username=alice&password=wonderland"},
					Response: Response{Status: 303, Headers: http.Header{"Location": {"https://client.example/callback?code=" + code + "&state=x"}}}},
				{Request: Request{Method: "POST", URL: "https://as.example/token", Headers: http.Header{"Content-Type": {formType}, "Authorization": {"Basic d2ViLWFwcDpzM2NyM3Qtb2Ytd2ViLWFwcC0wMDAwMDA="}}, Body: "grant_type=authorization_code&code=" + code},
					Response: Response{Status: 200, Headers: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
						Body: `{"access_token":"` + access + `","token_type":"Bearer","expires_in":3600,"refresh_token":"` + refresh + `"}`}},
				{Request: Request{Method: "GET", URL: "https://as.example/userinfo", Headers: http.Header{"Authorization": {"Bearer " + access}}},
					Response: Response{Status: 200, Headers: http.Header{"Content-Type": {"application/json"}}, Body: `{"sub":"alice"}`}},
			}})
	}
	return r
}

// BenchmarkRedactCheck redacts the checks one by one, as a test framework hears of them.
func BenchmarkRedactCheck(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := benchmarkReport()
		b.StartTimer()
		redactor := NewRedactor([]Secret{{"client_secret", "s3cr3t-of-web-app-000000"}, {"password", "wonderland"}})
		for i := range r.Checks {
			redactor.RedactCheck(&r.Checks[i])
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := benchmarkReport()
		b.StartTimer()
		NewRedactor([]Secret{{"client_secret", "s3cr3t-of-web-app-000000"}, {"password", "wonderland"}}).Redact(r)
	}
}
