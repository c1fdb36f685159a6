package matchers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// answer makes a response from a status, header lines "Name: value" and a body.
func answer(status int, body string, header ...string) *target.Response {
	h := http.Header{}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return &target.Response{Status: status, Header: h, Body: []byte(body)}
}

// tokenAnswer is a conforming token response (RFC 6749 section 5.1).
func tokenAnswer() *target.Response {
	return answer(200, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"scope":"read write","refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}`,
		"Content-Type: application/json;charset=UTF-8", "Cache-Control: no-store", "Pragma: no-cache")
}

func refusal(status int, code string) *target.Response {
	return answer(status, `{"error":"`+code+`","error_description":"no"}`, "Content-Type: application/json")
}

// sent is an authorization that ended with a redirect to a location.
func sent(location string) *target.Authorization {
	return &target.Authorization{State: "S", Location: location, Via: "location", Final: answer(302, "", "Location: "+location)}
}

// stayed is an authorization that ended at a page.
func stayed(page *target.Response) *target.Authorization {
	return &target.Authorization{State: "S", Page: page, Steps: []*target.Response{page}}
}

const callback = "https://client.example/callback"

func viaLink(location string) *target.Authorization {
	a := sent(location)
	a.Via = "link"
	return a
}

func posted(values url.Values) *target.Authorization {
	a := sent(callback)
	a.Via, a.Form = "form", values
	return a
}

var errorPage = answer(400, "<html><head><title>Error</title></head><body><h1>Unknown client</h1></body></html>", "Content-Type: text/html")

func TestMatchers(t *testing.T) {
	const (
		yes  = "matches"
		no   = "does not match"
		open = "cannot judge"
	)
	dead := &target.Response{Err: errTimeout{}}
	tests := []struct {
		name    string
		matcher types.GomegaMatcher
		actual  any
		want    string
		says    string // what the failure's Actual, or the reason for not judging, contains
	}{
		{"IssueToken: token response", IssueToken(), tokenAnswer(), yes, ""},
		{"IssueToken: refusal", IssueToken(), refusal(400, "invalid_grant"), no, `status 400, application/json, error="invalid_grant"`},
		{"IssueToken: whatever the status", IssueToken(), answer(400, `{"access_token":"x"}`), yes, ""},
		{"IssueToken: empty token", IssueToken(), answer(200, `{"access_token":""}`), no, ""},
		{"IssueToken: fragment", IssueToken(), sent(callback + "#access_token=x"), yes, ""},
		{"IssueToken: code response", IssueToken(), sent(callback + "?code=x"), no, ""},
		{"IssueToken: no response", IssueToken(), dead, open, "there was no response: time-out"},
		{"IssueToken: nil", IssueToken(), (*target.Response)(nil), open, "there was no response"},
		{"IssueToken: something else", IssueToken(), "text", open, "not string"},

		{"RefuseToken: refusal", RefuseToken(), refusal(401, "invalid_client"), yes, ""},
		{"RefuseToken: token", RefuseToken(), tokenAnswer(), no, "with access_token"},
		{"RefuseToken: token in a 4xx", RefuseToken(), answer(400, `{"access_token":"x"}`), no, ""},
		{"RefuseToken: a page", RefuseToken(), answer(200, "<p>Hello", "Content-Type: text/html"), open, "neither a token nor a refusal"},
		{"RefuseToken: a redirect", RefuseToken(), answer(302, "", "Location: /login"), open, "Location: /login"},

		{"RefuseWith: the code", RefuseWith("invalid_grant", "invalid_request"), refusal(400, "invalid_request"), yes, ""},
		{"RefuseWith: another", RefuseWith("invalid_grant"), refusal(400, "invalid_client"), no, "invalid_client"},
		{"RefuseWith: any", RefuseWith(), refusal(400, "x"), yes, ""},
		{"RefuseWith: none", RefuseWith(), answer(400, "{}"), no, ""},
		{"RefuseWith: 200", RefuseWith("invalid_grant"), refusal(200, "invalid_grant"), no, "status 200"},

		{"HaveErrorCode: the code", HaveErrorCode("invalid_grant"), refusal(200, "invalid_grant"), yes, ""},
		{"HaveErrorCode: nested", HaveErrorCode(), answer(400, `{"error":{"code":"invalid_grant"}}`), no, `error={"code":"invalid_grant"}`},

		{"HaveStatus", HaveStatus(400, 401), refusal(401, "invalid_client"), yes, ""},
		{"HaveStatus: another", HaveStatus(200), answer(201, "{}"), no, "status 201"},
		{"HaveStatusClass", HaveStatusClass(2), answer(204, ""), yes, ""},
		{"HaveStatusClass: another", HaveStatusClass(2, 4), answer(302, ""), no, "status 302"},

		{"HaveMediaType: any case and parameters", HaveMediaType("application/json"), answer(200, "", "Content-Type: Application/JSON ; Charset=utf-8"), yes, ""},
		{"HaveMediaType: malformed parameter", HaveMediaType("application/json"), answer(200, "", "Content-Type: application/json; charset"), yes, ""},
		{"HaveMediaType: another", HaveMediaType("application/json"), answer(200, "", "Content-Type: application/problem+json"), no, "Content-Type: application/problem+json"},
		{"HaveMediaType: none", HaveMediaType("application/json"), answer(200, "{}"), no, "no Content-Type"},

		{"BeUncacheable", BeUncacheable(), tokenAnswer(), yes, ""},
		{"BeUncacheable: any case, in a list", BeUncacheable(), answer(200, "", "Cache-Control: private, No-Store , max-age=0"), yes, ""},
		{"BeUncacheable: several lines", BeUncacheable(), answer(200, "", "Cache-Control: no-cache", "Cache-Control: no-store"), yes, ""},
		{"BeUncacheable: no-cache", BeUncacheable(), answer(200, "", "Cache-Control: no-cache"), no, "Cache-Control: no-cache"},
		{"BeUncacheable: a part of a word", BeUncacheable(), answer(200, "", `Cache-Control: x-no-store, private="no-store"`), no, ""},
		{"BeUncacheable: absent", BeUncacheable(), answer(200, ""), no, "no Cache-Control"},
		{"HaveCacheDirective", HaveCacheDirective("private", "no-store"), answer(200, "", `Cache-Control: Private="x-a, x-b"`), yes, ""},
		{"HavePragmaNoCache", HavePragmaNoCache(), answer(200, "", "Pragma: No-Cache"), yes, ""},
		{"HavePragmaNoCache: another", HavePragmaNoCache(), answer(200, "", "Pragma: x"), no, "Pragma: x"},
		{"HavePragmaNoCache: absent", HavePragmaNoCache(), answer(200, ""), no, "no Pragma"},

		{"HaveHeader", HaveHeader("allow"), answer(405, "", "Allow: POST"), yes, ""},
		{"HaveHeader: value", HaveHeader("Allow", "POST"), answer(405, "", "Allow: POST"), yes, ""},
		{"HaveHeader: another value", HaveHeader("Allow", gomega.ContainSubstring("POST")), answer(405, "", "Allow: GET"), no, "Allow: GET"},
		{"HaveHeader: absent", HaveHeader("Allow"), answer(405, ""), no, "no header field Allow"},

		{"BeJSONObject", BeJSONObject(), answer(200, " {\"a\":1}\n"), yes, ""},
		{"BeJSONObject: byte order mark", BeJSONObject(), answer(200, "\ufeff{}"), yes, ""},
		{"BeJSONObject: array", BeJSONObject(), answer(200, "[]"), no, "an array, no object"},
		{"BeJSONObject: null", BeJSONObject(), answer(200, "null"), no, "null, no object"},
		{"BeJSONObject: empty", BeJSONObject(), answer(200, " "), no, "an empty body"},
		{"BeJSONObject: two values", BeJSONObject(), answer(200, "{}{}"), no, "more data"},
		{"BeJSONObject: form", BeJSONObject(), answer(200, "access_token=x"), no, "no JSON"},
		{"BeJSONObject: Latin-1", BeJSONObject(), answer(200, "{\"a\":\"\xe4\"}"), no, "UTF-8"},

		{"HaveTopLevelMembers", HaveTopLevelMembers("access_token"), tokenAnswer(), yes, ""},
		{"HaveTopLevelMembers: envelope", HaveTopLevelMembers("access_token"), answer(200, `{"data":{"access_token":"x"}}`), no, "its members: data"},

		{"HaveMember", HaveMember("scope"), tokenAnswer(), yes, ""},
		{"HaveMember: equal", HaveMember("token_type", "Bearer"), tokenAnswer(), yes, ""},
		{"HaveMember: other value", HaveMember("token_type", BeOneOf("DPoP")), tokenAnswer(), no, `"Bearer"`},
		{"HaveMember: null", HaveMember("scope"), answer(200, `{"scope":null}`), no, "scope is null"},
		{"HaveMember: absent", HaveMember("scope"), answer(200, `{}`), no, "scope is absent"},
		{"HaveMember: no object", HaveMember("scope"), answer(200, `[]`), open, "no JSON object"},
		{"HaveMember: wrong type for a matcher", HaveMember("scope", gomega.ContainSubstring("read")), answer(200, `{"scope":["read"]}`), no, "an array"},
		{"HaveOptionalMember: absent", HaveOptionalMember("scope", BeString()), answer(200, `{}`), yes, ""},
		{"HaveOptionalMember: null", HaveOptionalMember("scope", BeString()), answer(200, `{"scope":null}`), yes, ""},
		{"HaveOptionalMember: wrong", HaveOptionalMember("scope", BeString()), answer(200, `{"scope":["read"]}`), no, `an array, no string: ["read"]`},
		{"HaveStringMember", HaveStringMember("access_token"), tokenAnswer(), yes, ""},
		{"HaveStringMember: empty", HaveStringMember("access_token"), answer(200, `{"access_token":""}`), no, "an empty string"},
		{"HaveStringMember: number", HaveStringMember("access_token"), answer(200, `{"access_token":7}`), no, "a number, no string: 7"},
		{"OmitMember", OmitMember("refresh_token"), answer(200, `{"refresh_token":null}`), yes, ""},
		{"OmitMember: there", OmitMember("refresh_token"), tokenAnswer(), no, "refresh_token is a string"},
		{"HaveUniqueMembers", HaveUniqueMembers(), answer(200, `{"a":{"b":1},"b":[{"a":1},{"a":2}]}`), yes, ""},
		{"HaveUniqueMembers: twice", HaveUniqueMembers(), answer(200, `{"scope":"a","scope":"a"}`), no, `"scope" occurs more than once`},
		{"HaveUniqueMembers: deep", HaveUniqueMembers(), answer(200, `{"a":[{"b":1,"b":2}]}`), no, `"b"`},
		{"HaveUniqueMembers: escaped", HaveUniqueMembers(), answer(200, `{"a":1,"\u0061":2}`), no, `"a"`},

		{"BeNonNegativeInteger: 0", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":0}`), yes, ""},
		{"BeNonNegativeInteger: 3600.0", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":3600.0}`), yes, ""},
		{"BeNonNegativeInteger: 3.6e3", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":3.6e3}`), yes, ""},
		{"BeNonNegativeInteger: string", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":"3600"}`), no, `a string: "3600"`},
		{"BeNonNegativeInteger: fraction", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":3600.5}`), no, "3600.5"},
		{"BeNonNegativeInteger: negative", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":-1}`), no, "-1"},
		{"BeNonNegativeInteger: absurd", HaveMember("expires_in", BeNonNegativeInteger()), answer(200, `{"expires_in":1e999999999}`), no, ""},
		{"BeBoolean", BeBoolean(), false, yes, ""},
		{"BeBoolean: string", BeBoolean(), "false", no, `a string: "false"`},
		{"BeListOfStrings", BeListOfStrings(), []any{"a", "b"}, yes, ""},
		{"BeListOfStrings: string", BeListOfStrings(), "a b", no, ""},
		{"BeListOfStrings: mixed", BeListOfStrings(), []any{"a", 1.0}, no, ""},

		{"MatchCharset", MatchCharset(NQCHAR), "read", yes, ""},
		{"MatchCharset: outside", MatchCharset(NQCHAR), "re ad", no, `"re ad"`},
		{"MatchCharset: no string", MatchCharset(NQCHAR), 7.0, no, "a number, no string"},
		{"MatchCharset: nil", MatchCharset(NQCHAR), nil, no, "nothing"},
		{"BeURIReference", BeURIReference(), "/errors#invalid_grant", yes, ""},
		{"BeAbsoluteURI", BeAbsoluteURI(), "urn:ietf:params:oauth:token-type:jwt", yes, ""},
		{"BeAbsoluteURI: relative", BeAbsoluteURI(), "/errors", no, ""},

		{"ChallengeWith", ChallengeWith("Basic"), answer(401, "", `WWW-Authenticate: Bearer error="x", basic realm="r"`), yes, ""},
		{"ChallengeWith: another", ChallengeWith("Basic"), answer(401, "", `WWW-Authenticate: Bearer realm="Basic, really"`), no, "WWW-Authenticate: Bearer"},
		{"ChallengeWith: absent", ChallengeWith("Basic"), answer(401, ""), no, "no WWW-Authenticate"},
		{"HaveChallenge", HaveChallenge(), answer(401, "", "WWW-Authenticate: nonsense="), yes, ""},
		{"HaveWellFormedChallenges", HaveWellFormedChallenges(), answer(401, "", `WWW-Authenticate: Bearer realm="a", error=invalid_token`), yes, ""},
		{"HaveWellFormedChallenges: no comma", HaveWellFormedChallenges(), answer(401, "", `WWW-Authenticate: Bearer realm="a" error="b"`), no, "a comma is expected"},
		{"HaveChallengeParam", HaveChallengeParam("Bearer", "error", "invalid_token"), answer(401, "", `WWW-Authenticate: Basic realm=x, Bearer ERROR="invalid_token"`), yes, ""},
		{"HaveChallengeParam: of another scheme", HaveChallengeParam("Bearer", "realm"), answer(401, "", `WWW-Authenticate: Basic realm=x, Bearer error=y`), no, ""},

		{"HaveReadableBody", HaveReadableBody(), errorPage, yes, ""},
		{"HaveReadableBody: JSON", HaveReadableBody(), refusal(400, "x"), yes, ""},
		{"HaveReadableBody: title only", HaveReadableBody(), answer(400, "<title>Error</title><script>x()</script><p> </p>", "Content-Type: text/html"), no, "show no text"},
		{"HaveReadableBody: empty", HaveReadableBody(), answer(400, "\n"), no, "status 400"},

		{"ForbidFraming: deny", ForbidFraming(), answer(200, "", "X-Frame-Options: Deny"), yes, ""},
		{"ForbidFraming: frame-ancestors", ForbidFraming(), answer(200, "", "Content-Security-Policy: default-src *; Frame-Ancestors 'self' https://a.example"), yes, ""},
		{"ForbidFraming: any ancestor", ForbidFraming(), answer(200, "", "X-Frame-Options: DENY", "Content-Security-Policy: frame-ancestors *"), no, ""},
		{"ForbidFraming: bare scheme", ForbidFraming(), answer(200, "", "Content-Security-Policy: frame-ancestors https:"), no, ""},
		{"ForbidFraming: allow-from", ForbidFraming(), answer(200, "", "X-Frame-Options: ALLOW-FROM https://a.example"), no, ""},
		{"ForbidFraming: nothing", ForbidFraming(), answer(200, ""), no, "X-Frame-Options: (absent)"},

		{"DeliverCode", DeliverCode(), sent(callback + "?code=x&state=S"), yes, ""},
		{"DeliverCode: fragment", DeliverCode(), sent(callback + "#code=x"), yes, ""},
		{"DeliverCode: form_post", DeliverCode(), posted(url.Values{"code": {"x"}}), yes, ""},
		{"DeliverCode: error", DeliverCode(), sent(callback + "?error=access_denied"), no, `error="access_denied" in the query`},
		{"DeliverCode: page", DeliverCode(), stayed(errorPage), no, "the browser stayed at the server: status 400, text/html"},
		{"DeliverCode: a response", DeliverCode(), tokenAnswer(), open, "needs a *target.Authorization"},
		{"DeliverCodeOrToken", DeliverCodeOrToken(), sent(callback + "#id_token=x"), yes, ""},
		{"DeliverCodeOrToken: error", DeliverCodeOrToken(), sent(callback + "#error=x"), no, ""},
		{"DeliverError", DeliverError("invalid_scope"), sent(callback + "?error=invalid_scope"), yes, ""},
		{"DeliverError: any", DeliverError(), sent(callback + "#error=x"), yes, ""},
		{"DeliverError: another", DeliverError("invalid_scope"), sent(callback + "?error=server_error"), no, "server_error"},
		{"DeliverError: empty", DeliverError(), sent(callback + "?error="), no, ""},
		{"KeepState", KeepState(), sent(callback + "?code=x&state=S"), yes, ""},
		{"KeepState: missing", KeepState(), sent(callback + "?code=x"), no, `no state (sent: "S")`},
		{"KeepState: altered", KeepState(), sent(callback + "?code=x&state=s"), no, `state="s" (sent: "S")`},
		{"KeepState: twice, once altered", KeepState(), sent(callback + "?code=x&state=S&state=s"), no, ""},
		{"KeepState: page", KeepState(), stayed(errorPage), open, "stayed at the server"},
		{"BeSentTo", BeSentTo(callback), sent(callback + "?code=x"), yes, ""},
		{"BeSentTo: another path", BeSentTo(callback), sent(callback + "/x?code=x"), no, "https://client.example/callback/x"},
		{"NotLeaveFor: page", NotLeaveFor("https://evil.example/"), stayed(errorPage), yes, ""},
		{"NotLeaveFor: elsewhere", NotLeaveFor("https://evil.example/"), sent(callback + "?error=x"), yes, ""},
		{"NotLeaveFor: link", NotLeaveFor("https://evil.example/"), viaLink("https://evil.example/"), yes, ""},
		{"NotLeaveFor: there", NotLeaveFor("https://evil.example/"), sent("https://evil.example/?error=x"), no, "https://evil.example/"},
		{"ShowErrorPage", ShowErrorPage(), stayed(errorPage), yes, ""},
		{"ShowErrorPage: redirect", ShowErrorPage(), sent(callback), no, "without any response parameter"},
		{"ShowErrorPage: empty", ShowErrorPage(), stayed(answer(400, "")), no, "empty body"},
		{"HaveResponseIn", HaveResponseIn("query"), sent(callback + "?code=x"), yes, ""},
		{"HaveResponseIn: another", HaveResponseIn("query"), sent(callback + "#code=x"), no, "in the fragment"},
		{"HaveParam", HaveParam("iss", "https://as.example"), sent(callback + "?code=x&iss=https%3A%2F%2Fas.example"), yes, ""},
		{"HaveParam: absent", HaveParam("iss"), sent(callback + "?code=x"), no, "no parameter iss"},
		{"HaveParam: other", HaveParam("iss", "https://as.example"), sent(callback + "?code=x&iss=x"), no, `iss="x"`},
		{"OmitParam", OmitParam("refresh_token"), sent(callback + "#access_token=x"), yes, ""},
		{"OmitParam: there", OmitParam("refresh_token"), sent(callback + "#access_token=x&refresh_token="), no, ""},
		{"HaveUniqueParams", HaveUniqueParams(), sent(callback + "?code=x&state=S"), yes, ""},
		{"HaveUniqueParams: twice", HaveUniqueParams(), sent(callback + "?code=x&code=x"), no, "code occurs 2 times"},

		{"AnyOf", AnyOf(HaveStatus(401), HaveErrorCode("invalid_client")), refusal(400, "invalid_client"), yes, ""},
		{"AnyOf: none", AnyOf(HaveStatus(401), HaveErrorCode("invalid_client")), refusal(400, "invalid_grant"), no, "invalid_grant"},
		{"AnyOf: dead", AnyOf(HaveStatus(401), HaveStatus(400)), dead, open, "time-out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ok, err := test.matcher.Match(test.actual)
			got, text := no, ""
			switch {
			case err != nil:
				got = "error"
				if why, is := Unjudgeable(err.Error()); is {
					got, text = open, why
				}
			case ok:
				got = yes
			default:
				message := test.matcher.FailureMessage(test.actual)
				f := ParseFailure(message)
				if len(f.Expected) == 0 || f.Actual == "" || f.String() != message {
					t.Errorf("the message cannot be split: %s", message)
				}
				text = f.Actual
			}
			if got != test.want || !strings.Contains(text, test.says) {
				t.Errorf("%s: %q (%v), want %s %q", got, text, err, test.want, test.says)
			}
			if err == nil {
				if f := ParseFailure(test.matcher.NegatedFailureMessage(test.actual)); len(f.Expected) == 0 || f.Actual == "" {
					t.Errorf("the negated message cannot be split: %+v", f)
				}
			}
		})
	}
}

type errTimeout struct{}

func (errTimeout) Error() string { return "time-out" }

func TestExpectedListsEveryOutcome(t *testing.T) {
	f := ParseFailure(RefuseWith("invalid_grant", "invalid_request").FailureMessage(tokenAnswer()))
	if strings.Join(f.Expected, "|") != "a refusal (4xx) with error=invalid_grant|a refusal (4xx) with error=invalid_request" {
		t.Errorf("%q", f.Expected)
	}
	f = ParseFailure(AnyOf(HaveStatus(400), HaveStatus(401)).FailureMessage(tokenAnswer()))
	if strings.Join(f.Expected, "|") != "status 400|status 401" {
		t.Errorf("%q", f.Expected)
	}
	f = ParseFailure(HaveMember("token_type", gomega.BeElementOf("a", "b")).FailureMessage(tokenAnswer()))
	if len(f.Expected) != 1 || !strings.HasPrefix(f.Expected[0], "member token_type to be an element of") {
		t.Errorf("%q", f.Expected)
	}
	f = ParseFailure(IssueToken().NegatedFailureMessage(tokenAnswer()))
	if strings.Join(f.Expected, "|") != "no token is issued (any refusal)" {
		t.Errorf("%q", f.Expected)
	}
}

func TestDescriptionsKeepSecrets(t *testing.T) {
	for _, text := range []string{
		DescribeResponse(tokenAnswer()),
		DescribeAuthorization(sent(callback + "?code=SplxlOBeZQQYbYS6WxSbIA&state=S")),
		IssueToken().NegatedFailureMessage(tokenAnswer()),
		OmitMember("refresh_token").FailureMessage(tokenAnswer()),
	} {
		for _, secret := range []string{"2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "SplxlOBeZQQYbYS6WxSbIA"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows %s", text, secret)
			}
		}
	}
}

func TestFailure(t *testing.T) {
	for _, f := range []Failure{
		{Expected: []string{"a"}, Actual: "b"},
		{Context: "after the second\nattempt", Expected: []string{"a", "two\nlines", ""}, Actual: "three\n\nlines\n"},
		{Expected: []string{"Actual:", "  - x"}, Actual: "Expected any of:\n  - y\nActual:\nz"},
	} {
		if got := ParseFailure(f.String()); got.String() != f.String() || got.Actual != f.Actual || got.Context != f.Context || len(got.Expected) != len(f.Expected) {
			t.Errorf("got %+v, want %+v", got, f)
		}
	}

	message := ""
	g := gomega.NewGomega(func(m string, _ ...int) { message = m })
	g.Expect(tokenAnswer()).To(HaveStatus(400), "round %d", 2)
	if f := ParseFailure(message); f.Context != "round 2" || f.Expected[0] != "status 400" || !strings.HasPrefix(f.Actual, "status 200") {
		t.Errorf("with an annotation: %+v", f)
	}
	g.Expect("x").To(gomega.Equal("y"), "compared")
	if f := ParseFailure(message); f.Context != "compared" || len(f.Expected) != 1 || f.Expected[0] != "to equal <string>: y" || f.Actual != "<string>: x" {
		t.Errorf("of Gomega's own: %+v", f)
	}
	if f := ParseFailure("just words"); f.Actual != "just words" || f.Expected != nil {
		t.Errorf("words: %+v", f)
	}
}

func TestCharsets(t *testing.T) {
	for _, test := range []struct {
		set     Charset
		in, out []string
	}{
		{VSCHAR, []string{"a b~", " "}, []string{"", "ä", "\x7f", "a\tb", "\n"}},
		{NQSCHAR, []string{"a b!", "[]"}, []string{"", `a"b`, `a\b`, "\r\n", "é"}},
		{NQCHAR, []string{"a!~", "https://x/?y"}, []string{"", "a b", `"`, `\`}},
		{UNICODECHARNOCRLF, []string{"", "ä€😀", "a\tb", `"\`}, []string{"a\nb", "\r", "\x00", "\x7f", "\xff"}},
		{NameChar, []string{"a-b.c_d9"}, []string{"", "a b", "a:b", "ä"}},
		{ResponseTypeName, []string{"code", "code id_token"}, []string{"", "code  token", " code", "code ", "code,token", "co-de"}},
		{ScopeList, []string{"read", "read write:all"}, []string{"", "read  write", " read", "read ", `re"ad`, "r\té"}},
		{B64Token, []string{"abc._~+/-=="}, []string{"", "=", "a=b", "a b", "a,b", "a%20"}},
		{Digits, []string{"0", "3600"}, []string{"", "-1", "3.6", "3e3", "+1"}},
		{URIReference, []string{"", "/x", "https://e.example/a?b#c", "../x", "urn:a:b", "a%20b"}, []string{"a b", `"`, "a%2", "a#b#c", "é", "://", "\\"}},
		{AbsoluteURI, []string{"https://e.example/", "urn:a:b", "com.example:/x"}, []string{"", "/x", "x", "https:", "a b:c"}},
		{TokenTypeOrURI, []string{"Bearer", "https://e.example/t"}, []string{"", "Bearer ", "to ken"}},
		{GrantTypeNameOrURI, []string{"password", "urn:ietf:params:oauth:grant-type:device_code"}, []string{"", "pass word"}},
		{CodeChallengeString, []string{strings.Repeat("a", 43), strings.Repeat("~", 128)}, []string{strings.Repeat("a", 42), strings.Repeat("a", 129), strings.Repeat("a", 42) + "="}},
		{"no such set", nil, []string{"a"}},
	} {
		for _, s := range test.in {
			if !test.set.In(s) {
				t.Errorf("%s does not contain %q", test.set, s)
			}
		}
		for _, s := range test.out {
			if test.set.In(s) {
				t.Errorf("%s contains %q", test.set, s)
			}
		}
	}
}

func TestParseCacheControl(t *testing.T) {
	got := ParseCacheControl([]string{`Private="x-a, no-store", MAX-AGE=0,, no-cache`, "s-maxage = \"10\""})
	for name, want := range map[string]string{"private": "x-a, no-store", "max-age": "0", "no-cache": "", "s-maxage": "10"} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s: %q, %v", name, value, ok)
		}
	}
	if len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestParseChallenges(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string // scheme(name=value;…) …
		fault string
	}{
		{[]string{`Bearer`}, "Bearer()", ""},
		{[]string{`Bearer realm="example"`}, "Bearer(realm=example)", ""},
		{[]string{`bearer error=invalid_token, error_description="The \"token\", expired"`}, `bearer(error=invalid_token;error_description=The "token", expired)`, ""},
		{[]string{`Basic realm="a, Bearer b", Bearer realm = c , scope="x y"`}, "Basic(realm=a, Bearer b) Bearer(realm=c;scope=x y)", ""},
		{[]string{`Basic realm=a`, `DPoP algs="ES256 RS256"`}, "Basic(realm=a) DPoP(algs=ES256 RS256)", ""},
		{[]string{`Negotiate a87421000492aa874209af8bc028==, Basic realm=x`}, "Negotiate[a87421000492aa874209af8bc028==] Basic(realm=x)", ""},
		{[]string{`Negotiate, Basic`}, "Negotiate() Basic()", ""},
		{[]string{`, Bearer error=x, , realm=y ,`}, "Bearer(error=x;realm=y)", ""},
		{[]string{``}, "", ""},
		{[]string{`error="invalid_token"`}, "", "a scheme is missing"},
		{[]string{`Bearer error=`}, "Bearer()", `the parameter "error" has no value`},
		{[]string{`Bearer realm="x`}, "Bearer()", "a quoted string does not end"},
		{[]string{`Bearer realm="x" error="y"`}, "Bearer(realm=x)", "a comma is expected"},
		{[]string{`Bearer error_description=The token`}, "Bearer(error_description=The)", "a comma is expected"},
		{[]string{`Bearer realm`, `Basic realm=x`}, "Bearer[realm] Basic(realm=x)", ""},
		{[]string{`Bearer realm, scope=x`}, "Bearer[realm]", "follows the token68 form"},
		{[]string{`Bearer "x"`}, "Bearer()", "a parameter is expected"},
		{[]string{`Bearer realm x`}, "Bearer()", "a comma or = is expected"},
		{[]string{`Bearer@x`}, "Bearer()", "a blank is expected"},
	} {
		got, err := ParseChallenges(test.lines)
		var words []string
		for _, c := range got {
			if c.Token68 != "" {
				words = append(words, c.Scheme+"["+c.Token68+"]")
				continue
			}
			var params []string
			for _, p := range c.Params {
				params = append(params, p.Name+"="+p.Value)
			}
			words = append(words, c.Scheme+"("+strings.Join(params, ";")+")")
		}
		if s := strings.Join(words, " "); s != test.want {
			t.Errorf("%q: %s, want %s", test.lines, s, test.want)
		}
		if (err != nil) != (test.fault != "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%q: %v, want %q", test.lines, err, test.fault)
		}
	}
	c := Challenge{Scheme: "bearer", Params: []Param{{Name: "Realm", Value: "a"}, {Name: "realm", Value: "b"}}}
	if v, ok := c.Get("REALM"); !c.Is("Bearer") || !ok || v != "a" || c.Count("realm") != 2 || c.Count("scope") != 0 {
		t.Error("a challenge is not compared without case")
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{`Basic realm="a"`, `Bearer error="x, y", scope=z`, `Negotiate YQ==, Basic`, `a="`, `x y=z\`, "Bearer\tb=\"\\\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		challenges, err := ParseChallenges([]string{line})
		for _, c := range challenges {
			if c.Scheme == "" || c.Token68 != "" && len(c.Params) > 0 {
				t.Errorf("%q: %+v", line, c)
			}
			for _, p := range c.Params {
				if p.Name == "" || p.Value == "" && !p.Quoted {
					t.Errorf("%q: %+v", line, p)
				}
			}
		}
		if err == nil && len(challenges) == 0 && strings.Trim(line, " \t,") != "" {
			t.Errorf("%q: nothing found and no fault", line)
		}
	})
}

// What a parameter is to be is said in words, by whichever matcher.
func TestExpectsOfParameters(t *testing.T) {
	for want, m := range map[string]Matcher{
		`parameter iss="x"`: HaveParam("iss", "x"),
		"parameter token_type that is a non-empty string": HaveParam("token_type", BeNonEmptyString()),
		"parameter token_type that satisfies NotMatcher":  HaveParam("token_type", gomega.Not(gomega.BeEmpty())),
		`parameter iss that satisfies "x"`:                HaveParam("iss", gomega.Equal("x")),
	} {
		if got := m.Expects(); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
