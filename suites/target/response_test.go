package target

import (
	"net/http"
	"slices"
	"testing"
)

func TestIssuesToken(t *testing.T) {
	sent := &Request{Method: "POST", URL: "https://as.example/token", Params: []Param{{Name: "refresh_token", Value: "sent-refresh"}, {Name: "code", Value: "sent-code"}}}
	for name, test := range map[string]struct {
		status             int
		body, media, moved string
		want               bool
	}{
		"success":           {200, `{"access_token":"a"}`, "application/json", "", true},
		"whatever status":   {400, `{"error":"x","access_token":"a"}`, "application/json", "", true},
		"refresh only":      {200, `{"refresh_token":"a"}`, "application/json", "", true},
		"id token":          {200, `{"id_token":"a"}`, "application/json", "", true},
		"envelope":          {200, `{"data":{"access_token":"a"}}`, "application/json", "", true},
		"camel case":        {200, `{"accessToken":"a"}`, "application/json", "", true},
		"wrong media type":  {200, `{"access_token":"a"}`, "text/html", "", true},
		"empty":             {200, `{"access_token":""}`, "application/json", "", false},
		"not a string":      {200, `{"access_token":1}`, "application/json", "", false},
		"error":             {400, `{"error":"invalid_grant","code":"400"}`, "application/json", "", false},
		"code member":       {200, `{"code":"a"}`, "application/json", "", true},
		"echo":              {400, `{"error":"invalid_grant","request":{"refresh_token":"sent-refresh"}}`, "application/json", "", false},
		"code in Location":  {302, "", "", "https://c.example/cb?code=a", true},
		"token in fragment": {302, "", "", "https://c.example/cb#access_token=a", true},
		"error in Location": {302, "", "", "https://c.example/cb?error=a&code=", false},
		"echo in Location":  {302, "", "", "https://c.example/cb?code=sent-code", false},
		"form post":         {200, `<form method=post action=x><input type=hidden name=code value=a></form>`, "text/html", "", true},
		"form":              {200, `<form method=post action=x><input name=password></form>`, "text/html", "", false},
	} {
		r := &Response{Status: test.status, Body: []byte(test.body), Header: http.Header{}, Request: sent}
		if test.media != "" {
			r.Header.Set("Content-Type", test.media)
		}
		if test.moved != "" {
			r.Header.Set("Location", test.moved)
		}
		if got := r.IssuesToken(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	var none *Response
	if none.IssuesToken() || none.String("x") != "" || none.ContentType() != "" || none.Success() {
		t.Error("a response that is not there has content")
	}
}

func TestDuplicateMembers(t *testing.T) {
	r := &Response{Body: []byte(`{"a":1,"b":{"c":1,"c":2},"d":[{"e":1},{"e":2,"e":3}],"a":2}`)}
	if got := r.DuplicateMembers(); !slices.Equal(got, []string{"b.c", "d.e", "a"}) {
		t.Errorf("%v", got)
	}
	if got := (&Response{Body: []byte(`{"a":1`)}).DuplicateMembers(); got != nil {
		t.Errorf("%v", got)
	}
}

// BenchmarkRequest and BenchmarkBare show what one request of the harness costs over one of net/http.
func BenchmarkRequest(b *testing.B) {
	run := newRun(b, newServer(b).config())
	mustPass(b, run, func(as *AS) { as.Token() })
	b.ReportAllocs()
	b.ResetTimer()
	mustPass(b, run, func(as *AS) {
		for b.Loop() {
			as.recorded = nil
			as.TokenBy(ClientCredentials)
		}
	})
}

func BenchmarkBare(b *testing.B) {
	s := newServer(b)
	run := newRun(b, s.config())
	as := run.NewAS(b.Context(), "bare", silent{})
	b.ReportAllocs()
	for b.Loop() {
		req, err := as.grantRequest(ClientCredentials, as.Primary(), manner{}, flow{}).httpRequest(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := readBody(resp); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}
