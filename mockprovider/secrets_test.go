package mockprovider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Nothing secret is in what is printed, and one still sees which value came back where.
func TestRequestsWithoutSecrets(t *testing.T) {
	p := start(t)
	tokens := granted(token(t, p, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"wonderland"}, "client_id": {"web-app"}, "client_secret": {webSecret}, "scope": {"read openid"}}))
	access := text(tokens, "access_token")
	expect(t, p).GET(p.Endpoint("resource")).WithHeader("Authorization", "Bearer "+access).WithHeader("Cookie", "a=b").Expect().Status(200)
	expect(t, p).GET(p.Endpoint("resource")).WithQuery("access_token", access).WithQuery("x", "a b").Expect()
	expect(t, p).POST(p.Endpoint("token")).WithBasicAuth("web-app", webSecret).
		WithForm(map[string]string{"grant_type": "refresh_token", "refresh_token": text(tokens, "refresh_token")}).Expect().Status(200)
	expect(t, p).GET(p.Endpoint("resource")).WithHeader("Authorization", "Digest abc").Expect()
	expect(t, p).GET(p.Endpoint("resource")).WithTransformer(func(r *http.Request) { r.URL.RawQuery = "%61ccess_token=" + access }).Expect()

	raw := p.Requests()
	cut := raw.WithoutSecrets()
	shown, err := json.Marshal(cut)
	if err != nil {
		t.Fatal(err)
	}
	printed := string(shown) + cut.String() + raw.String() + raw[0].String() + cut[2].URL.String() + cut[5].URL.String()
	for _, secret := range []string{"wonderland", webSecret, access, raw[3].Param("refresh_token"), strings.TrimPrefix(raw[3].Header.Get("Authorization"), "Basic "), "a=b", "abc"} {
		if secret == "" || strings.Contains(printed, secret) {
			t.Errorf("%q in %s", secret, printed)
		}
	}
	for got, want := range map[string]string{
		cut[0].Param("client_secret"):          "«client_secret 1»",
		cut[0].Param("password"):               "«password 1»",
		cut[0].Param("username"):               "alice",
		cut[1].Header.Get("Authorization"):     "Bearer «access_token 1»",
		cut[2].URL.RawQuery:                    "access_token=«access_token 1»&x=a+b",
		cut[3].Header.Get("Authorization"):     "Basic web-app:«client_secret 1»",
		cut[3].Param("refresh_token"):          "«refresh_token 1»",
		cut[4].Header.Get("Authorization"):     "Digest «credentials 1»",
		cut[5].URL.RawQuery:                    "%61ccess_token=«access_token 1»",
		cut.WithoutSecrets()[3].String():       cut[3].String(),
		raw[0].Param("password"):               "wonderland",
		raw[1].Header.Get("Authorization")[:7]: "Bearer ",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}

	recorder := httptest.NewRecorder()
	p.AdminHandler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/requests?endpoint=token&secrets=cut", nil))
	if answer := recorder.Body.String(); !strings.Contains(answer, "«password 1»") || strings.Contains(answer, "wonderland") {
		t.Error(answer)
	}
}

// A secret that came back where none belongs has its label there, too, whatever the order; short ones are left in peace.
func TestStraySecrets(t *testing.T) {
	p := start(t)
	access := text(granted(token(t, p, url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"wonderland"}, "client_id": {"web-app"}, "client_secret": {webSecret},
		"note": {webSecret + "-old"}})), "access_token")
	expect(t, p).GET("/nowhere/"+access).WithQuery("t", access).WithHeader("Referer", "https://client.example/?code=x&token="+access).Expect().Status(404)
	expect(t, p).GET(p.Endpoint("resource")).WithHeader("Authorization", "Bearer "+access).Expect().Status(200)
	expect(t, p).POST(p.Endpoint("revocation")).WithForm(map[string]string{"token": "read"}).Expect()

	raw := p.Requests()
	cut := raw.WithoutSecrets()
	for got, want := range map[string]string{
		cut[0].Param("note"):         "«client_secret 1»-old",
		cut[1].URL.Path:              "/nowhere/«access_token 1»",
		cut[1].URL.RawQuery:          "t=«access_token 1»",
		cut[1].Header.Get("Referer"): "https://client.example/?code=x&token=«access_token 1»",
		cut[3].Param("token"):        "«token 1»",
		raw[1].URL.Path:              "/nowhere/" + access,
		raw[0].Param("note"):         webSecret + "-old",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
