package reports

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"time"
)

// The secrets of the sample, each of which a hostile server reflects.
const (
	sampleClientSecret = "s3cr3t-of-web-app/0000+1111=2222"
	samplePassword     = "wonder land&<\"42\">"
	sampleAccessToken  = "at_9fK2.mPq~7Zx-Lw3_TuV5sYb8"
	sampleRefreshToken = "rt-QmFzZTY0_Zm9v.YmFyIGJheg"
	sampleCode         = "SplxlOBeZQQYbYS6WxSbIA"
	sampleVerifier     = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	sampleCookie       = "8f14e45fceea167a5a36dedd4bea2543"
	samplePIN          = "4711"
	hostile            = "\x1b[31mred\x1b[0m \u009b2J \u202Egnp.exe\u202C <script>alert(1)</script> \x00\x01 ]]> &amp; `|` 'q' \"d\" $(id) !x \xff"
)

func sampleKnown() []Secret {
	return []Secret{{"client_secret", sampleClientSecret}, {"password", samplePassword}}
}

func sampleSecrets() []string {
	return []string{sampleClientSecret, samplePassword, sampleAccessToken, sampleRefreshToken, sampleCode, sampleVerifier, sampleCookie}
}

// Sample is a report, not yet redacted, with every verdict, from a target that puts its secrets and hostile text
// wherever it can.
func Sample() *Report {
	token := sampleTokenExchange()
	r := &Report{
		Schema: Schema,
		Tool:   Tool{Name: "oauthcheck", Version: "1.2.3", URL: "https://github.com/oauthcheck/oauthcheck"},
		Run: Run{
			Started: time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC), DurationMS: 4217, Requests: 1840, Seed: 1, Profile: "strict",
			Judge: "profile", FailOn: "must", Lanes: []string{"fast"}, ExitStatus: 1,
			Reproduce: "oauthcheck run --target https://as.example --client-id web-app",
			Setups:    []Setup{{Name: "the implicit grant is off", URL: "https://other.example", Checks: 1}},
		},
		Target: Target{
			URL: "https://as.example", Issuer: "https://as.example",
			Endpoints: map[string]string{"authorization": "https://as.example/authorize", "token": "https://as.example/token"},
			Capabilities: []Capability{
				{Name: "authorization_code", Available: true, Because: "the metadata lists response_type code"},
				{Name: "client_credentials", Available: true, Because: "the metadata lists the grant"},
				{Name: "second_client", Because: "no second client is configured", Enable: "clients: {second: {id: …, secret: …}}"},
				{Name: "token_exchange", Because: "the metadata does not list the grant " + hostile, Enable: "token_exchange: {subject_token_types: […]}"},
			},
		},
		Requirements: []Requirement{
			{ID: "RFC6749-3.1.2.3-02", Spec: "rfc6749", Section: "3.1.2.3", Level: "MUST", Impact: "high",
				Says: "The redirect_uri of a request is compared with the registered one as a string; one that differs is not redirected to.",
				URL:  "https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.3",
				Fix:  "Compare the whole redirect_uri as a string with the registered values, before the login, and show an error page if none equals it."},
			{ID: "RFC6749-5.1-13", Spec: "rfc6749", Section: "5.1", Level: "MUST", Impact: "medium",
				Says: "A response that holds a token or another secret carries Cache-Control: no-store.",
				URL:  "https://www.rfc-editor.org/rfc/rfc6749#section-5.1", Fix: "Send Cache-Control: no-store with every response of the token endpoint."},
			{ID: "RFC6749-5.2-09", Spec: "rfc6749", Section: "5.2", Level: "SHOULD", Impact: "low",
				Says: "The error_description helps the developer of a client.", URL: "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"},
			{ID: "RFC6749-6-04", Spec: "rfc6749", Section: "6", Level: "MAY", Impact: "low", Says: "A new refresh token may be issued.",
				URL: "https://www.rfc-editor.org/rfc/rfc6749#section-6"},
			{ID: "RFC8693-2.1-01", Spec: "rfc8693", Section: "2.1", Level: "MUST", Impact: "medium", Says: "subject_token is required.",
				URL: "https://www.rfc-editor.org/rfc/rfc8693#section-2.1"},
		},
	}
	authorize := Exchange{
		Request: Request{Method: "GET", URL: "https://as.example/authorize?response_type=code&client_id=web-app&state=af0ifjsldkj" +
			"&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback%2Fx&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
			Headers: http.Header{"Cookie": {"sid=" + sampleCookie + "; pin=" + samplePIN}}},
		Response: Response{Status: 302, Headers: http.Header{"Location": {"https://client.example/callback/x?code=" + sampleCode + "&state=af0ifjsldkj"},
			"Set-Cookie": {"sid=" + sampleCookie + "; Path=/; HttpOnly"}}},
		DurationMS: 12, Decisive: true,
	}
	redirected := "the browser was sent to https://client.example/callback/x with a code: …" + sampleCode[14:]
	anotherHost := "the browser was sent to https://attacker.example/?code=" + url.QueryEscape(sampleCode)
	expected := []string{"an error page of the authorization server", "a refusal (4xx) without a redirect"}
	r.Checks = []Check{
		{ID: "rfc6749/redirect-uri-compared-as-string", Spec: "rfc6749", Section: "3.1.2.3", Title: "redirect_uri is compared as a string", Level: "MUST",
			Impact: "high", Requirements: []string{"RFC6749-3.1.2.3-02"}, Lane: "fast", Verdict: Fail,
			Variants: []Variant{
				{Name: "path-appended", Verdict: Fail, Expected: expected, Actual: redirected},
				{Name: "query-appended", Verdict: Fail, Expected: expected, Actual: redirected},
				{Name: "another-host", Verdict: Fail, Expected: expected, Actual: anotherHost},
				{Name: "fragment-appended", Verdict: Pass},
				{Name: "another-scheme", Verdict: Inconclusive, Message: "the control failed"},
			},
			Message: "3 of 5 variants: path-appended, query-appended, another-host", Sent: "GET /authorize with redirect_uri in other spellings",
			Expected: expected, Actual: redirected, Notes: []string{"1 of 5 variants could not be judged: another-scheme"}, DurationMS: 310,
			Exchanges: []Exchange{token, authorize}},
		{ID: "rfc6749/token-response-no-store", Spec: "rfc6749", Section: "5.1", Title: "Token responses are not stored", Level: "MUST", Impact: "medium",
			Requirements: []string{"RFC6749-5.1-13"}, Lane: "fast", Verdict: Fail, Variants: nil,
			Expected: []string{"Cache-Control with no-store"}, Actual: "Cache-Control: private " + hostile + " in the answer with " + sampleAccessToken,
			Sent: "POST /token with a working grant", DurationMS: 40, Exchanges: []Exchange{token}},
		{ID: "rfc6749/error-description", Spec: "rfc6749", Section: "5.2", Title: "Errors are described", Level: "SHOULD", Impact: "low",
			Requirements: []string{"RFC6749-5.2-09"}, Lane: "fast", Verdict: Warn, Expected: []string{"an error_description"}, Actual: "none",
			Exchanges: []Exchange{sampleReflection()}, DurationMS: 8},
		{ID: "rfc6749/refresh-token-rotated", Spec: "rfc6749", Section: "6", Title: "Refresh tokens are rotated", Level: "MAY", Impact: "low",
			Requirements: []string{"RFC6749-6-04"}, Lane: "slow", Verdict: Note, Setup: "the implicit grant is off", Notes: []string{"the refresh token stays the same: " + sampleRefreshToken}, DurationMS: 90},
		{ID: "rfc6749/token-response-pragma", Spec: "rfc6749", Section: "5.1", Title: "Token responses carry Pragma", Level: "MUST", Impact: "low",
			Requirements: []string{"RFC6749-5.1-13"}, Lane: "fast", Verdict: Known, Declared: []string{"token-response-without-pragma"}, Actual: "no Pragma", DurationMS: 1},
		{ID: "rfc6749/token-type", Spec: "rfc6749", Section: "5.1", Title: "token_type is there", Level: "MUST", Impact: "medium",
			Requirements: []string{"RFC6749-5.1-13"}, Lane: "fast", Verdict: Pass, DurationMS: 3, Exchanges: []Exchange{token}},
		{ID: "rfc6749/new-check", Spec: "rfc6749", Section: "5.1", Title: "On trial", Level: "MUST", Impact: "medium", Provisional: true,
			Requirements: []string{"RFC6749-5.1-13"}, Lane: "fast", Verdict: Note, Actual: "something", DurationMS: 3},
		{ID: "rfc8693/subject-token-required", Spec: "rfc8693", Section: "2.1", Title: "subject_token is required", Level: "MUST", Impact: "medium",
			Requirements: []string{"RFC8693-2.1-01"}, Lane: "fast", Verdict: Skip, Message: "the target does not exchange tokens " + hostile,
			Enable: "token_exchange: {subject_token_types: […]}"},
		{ID: "rfc8693/subject-token-validated", Spec: "rfc8693", Section: "2.1", Title: "subject_token is validated", Level: "MUST", Impact: "medium",
			Requirements: []string{"RFC8693-2.1-01"}, Lane: "fast", Verdict: Inconclusive, Message: "the target answered 503 to the control", DurationMS: 10000,
			Exchanges: []Exchange{{Request: Request{Method: "POST", URL: "https://as.example/token"}, Error: "timeout after 10s"}}},
	}
	r.Summary = Summarize(r.Checks)
	return r
}

func sampleTokenExchange() Exchange {
	form := "grant_type=authorization_code&code=" + sampleCode + "&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback&code_verifier=" + sampleVerifier
	basic := base64.StdEncoding.EncodeToString([]byte("web-app:" + url.QueryEscape(sampleClientSecret)))
	return Exchange{
		Request: Request{Method: "POST", URL: "https://as.example/token", Headers: http.Header{"Authorization": {"Basic " + basic},
			"Content-Type": {formType}, "Accept": {"application/json"}}, Body: form},
		Response: Response{Status: 200, Headers: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"private"}},
			Body: `{"access_token":"` + sampleAccessToken + `","token_type":"Bearer","expires_in":3600,"refresh_token":"` + sampleRefreshToken + `","scope":"read"}`},
		DurationMS: 21, Control: true,
	}
}

// sampleReflection is a server that gives back everything it was told, encoded in every way it knows.
func sampleReflection() Exchange {
	return Exchange{
		Request: Request{Method: "POST", URL: "https://as.example/token?$(touch%20x)", Headers: http.Header{"Content-Type": {formType}, "X-Odd": {"'; rm -rf / #\x1b[2J"}},
			Body: "grant_type=password&username=alice&password=" + url.QueryEscape(samplePassword) + "&client_id=web-app&client_secret=" + url.QueryEscape(sampleClientSecret)},
		Response: Response{Status: 400, Headers: http.Header{"Content-Type": {"text/html"}, "X-Echo": {samplePassword, base64.URLEncoding.EncodeToString([]byte(sampleClientSecret))},
			"Www-Authenticate": {`Bearer error_description="` + sampleAccessToken[:14] + `…"`}, "X-" + sampleCookie: {"1"}},
			Body: "<p>" + hostile + "</p><p>wonder land&amp;&lt;&#34;42&#x22;&gt;</p><pre>" + url.PathEscape(sampleClientSecret) + "</pre>" +
				base64.StdEncoding.EncodeToString([]byte(`{"t":"`+sampleAccessToken+`"}`)) + " " + sampleRefreshToken + "\u200b" + sampleCode[:10] + "\n" + sampleCode[10:]},
		DurationMS: 8, Decisive: true,
	}
}

func redactedSample() *Report {
	r := Sample()
	NewRedactor(sampleKnown()).Redact(r)
	return r
}
