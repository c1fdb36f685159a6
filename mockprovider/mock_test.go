package mockprovider_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

// browser plays the resource owner through the provider's pages.
type browser struct {
	t      testing.TB
	p      *mockprovider.Provider
	client *http.Client
	last   string // where the last redirect that was not followed leads
}

func newBrowser(t testing.TB, p *mockprovider.Provider) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, p: p, client: &http.Client{Transport: p.RoundTripper(), Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var formField = regexp.MustCompile(`name="(transaction|csrf_token)" value="([^"]*)"`)

// authorize sends an authorization request, signs in, approves, and returns where the browser was sent, or the last page.
func (b *browser) authorize(params url.Values) (*url.URL, string) {
	b.t.Helper()
	return b.follow(b.get(b.p.Endpoint("authorize") + "?" + params.Encode()))
}

func (b *browser) get(target string) *http.Response {
	b.t.Helper()
	response, err := b.client.Get(target)
	if err != nil {
		b.t.Fatal(err)
	}
	return response
}

func (b *browser) post(target string, form url.Values) *http.Response {
	b.t.Helper()
	response, err := b.client.PostForm(target, form)
	if err != nil {
		b.t.Fatal(err)
	}
	return response
}

func (b *browser) follow(response *http.Response) (*url.URL, string) {
	b.t.Helper()
	for range 10 {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		response.Body.Close()
		if location := response.Header.Get("Location"); location != "" {
			u, err := url.Parse(location)
			if err != nil {
				b.t.Fatal(err)
			}
			if !strings.HasPrefix(location, b.p.Issuer()) {
				return u, string(body)
			}
			response = b.get(location)
			continue
		}
		form := url.Values{}
		for _, m := range formField.FindAllStringSubmatch(string(body), -1) {
			form.Set(m[1], m[2])
		}
		switch {
		case strings.Contains(string(body), `name="password"`):
			form.Set("username", "alice")
			form.Set("password", "wonderland")
			response = b.post(b.p.Endpoint("login"), form)
		case strings.Contains(string(body), `value="approve"`):
			form.Set("decision", "approve")
			response = b.post(b.p.Endpoint("consent"), form)
		default:
			return nil, string(body)
		}
	}
	b.t.Fatal("too many pages")
	return nil, ""
}

// signIn submits the login form on a page and remembers where it leads.
func (b *browser) signIn(page *http.Response) {
	b.t.Helper()
	form := url.Values{"username": {"alice"}, "password": {"wonderland"}}
	for _, m := range formField.FindAllStringSubmatch(bodyOf(b.t, page), -1) {
		form.Set(m[1], m[2])
	}
	response := b.post(b.p.Endpoint("login"), form)
	response.Body.Close()
	b.last = response.Header.Get("Location")
}

func bodyOf(t testing.TB, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func start(t testing.TB, opts ...mockprovider.Option) *mockprovider.Provider {
	t.Helper()
	p, err := mockprovider.NewHandler(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCodeFlow(t *testing.T) {
	p := start(t)
	b := newBrowser(t, p)
	location, page := b.authorize(url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {"https://client.example/callback"},
		"scope": {"openid read"}, "state": {"xyz"}})
	if location == nil {
		t.Fatal(page)
	}
	q := location.Query()
	if q.Get("code") == "" || q.Get("state") != "xyz" || q.Get("iss") != p.Issuer() {
		t.Fatal(location)
	}
	response := b.post(p.Endpoint("token"), url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")},
		"redirect_uri": {"https://client.example/callback"}, "client_id": {"web-app"}, "client_secret": {"not-a-secret.web-app.0123456789abcdef"}})
	body, _ := io.ReadAll(response.Body)
	t.Log(string(body))
	if response.StatusCode != 200 {
		t.Fatal(response.Status)
	}
}

// deviation makes a deviation of operations.
func deviation(name string, ops ...profiles.Op) profiles.Deviation {
	return profiles.Deviation{Name: name, Do: ops}
}

// op makes an operation of a step and pairs of arguments; the argument "when" is its condition.
func op(at string, pairs ...any) profiles.Op {
	o := profiles.Op{At: at, Args: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "when" {
			o.When = pairs[i+1].(map[string]any)
			continue
		}
		o.Args[pairs[i].(string)] = pairs[i+1]
	}
	return o
}
