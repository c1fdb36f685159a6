package mockprovider_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

// person is somebody with a browser and a device of his own, who talks to the provider over sockets.
type person struct {
	p      *mockprovider.Provider
	name   string
	client *http.Client
}

// do sends a request and reads the answer.
func (u *person) do(method, target string, form url.Values, header ...string) (*http.Response, string, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := u.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, string(content), err
}

// document is do for an answer with a JSON object.
func (u *person) document(method, target string, form url.Values, header ...string) (map[string]any, error) {
	response, body, err := u.do(method, target, form, header...)
	if err != nil {
		return nil, err
	}
	o := map[string]any{}
	if response.StatusCode != http.StatusOK || json.Unmarshal([]byte(body), &o) != nil {
		return nil, fmt.Errorf("%s %s: %s %s", method, target, response.Status, body)
	}
	return o, nil
}

// walk goes from a page through login and consent until the browser leaves the provider or there is no form.
func (u *person) walk(method, target string, form url.Values) (*url.URL, string, error) {
	for range 8 {
		response, body, err := u.do(method, target, form)
		if err != nil {
			return nil, "", err
		}
		if location := response.Header.Get("Location"); location != "" {
			if !strings.HasPrefix(location, u.p.Issuer()) {
				at, err := url.Parse(location)
				return at, "", err
			}
			method, target, form = http.MethodGet, location, nil
			continue
		}
		method, form = http.MethodPost, url.Values{"username": {u.name}, "password": {"password of " + u.name}, "decision": {"approve"}}
		for _, m := range formField.FindAllStringSubmatch(body, -1) {
			form.Set(m[1], m[2])
		}
		switch {
		case strings.Contains(body, `name="password"`):
			form.Del("decision")
			target = u.p.Endpoint("login")
		case strings.Contains(body, `value="approve"`):
			target = u.p.Endpoint("consent")
		default:
			return nil, body, nil
		}
	}
	return nil, "", fmt.Errorf("%s goes in circles", u.name)
}

// login is everything that a client does for a user; whatever is somebody else's is an error.
func (u *person) login() error {
	p, confidential := u.p, url.Values{"client_id": {"web-app"}, "client_secret": {webSecret}}
	with := func(pairs ...string) url.Values {
		form := url.Values{}
		for name, values := range confidential {
			form[name] = values
		}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return form
	}
	at, page, err := u.walk(http.MethodGet, p.Endpoint("authorize")+"?"+url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {callback}, "scope": {"openid read"}, "state": {u.name}}.Encode(), nil)
	if err != nil {
		return err
	}
	if at == nil || at.Query().Get("state") != u.name {
		return fmt.Errorf("%s ends at %v %s", u.name, at, page)
	}
	tokens, err := u.document(http.MethodPost, p.Endpoint("token"), with("grant_type", "authorization_code", "code", at.Query().Get("code"), "redirect_uri", callback))
	if err != nil {
		return err
	}
	for range 2 {
		if tokens, err = u.document(http.MethodPost, p.Endpoint("token"), with("grant_type", "refresh_token", "refresh_token", fmt.Sprint(tokens["refresh_token"]))); err != nil {
			return err
		}
	}
	if err := u.owns(tokens["access_token"]); err != nil {
		return err
	}
	device, err := u.document(http.MethodPost, p.Endpoint("device_authorization"), url.Values{"client_id": {"tv-app"}, "scope": {"openid"}})
	if err != nil {
		return err
	}
	if _, page, err = u.walk(http.MethodPost, p.Endpoint("device"), url.Values{"user_code": {fmt.Sprint(device["user_code"])}}); err != nil || !strings.Contains(page, "Device connected") {
		return fmt.Errorf("%s cannot connect a device: %w %s", u.name, err, page)
	}
	tokens, err = u.document(http.MethodPost, p.Endpoint("token"), url.Values{"grant_type": {deviceGrant}, "device_code": {fmt.Sprint(device["device_code"])}, "client_id": {"tv-app"}})
	if err != nil {
		return err
	}
	if err := u.owns(tokens["access_token"]); err != nil {
		return err
	}
	_, _, err = u.do(http.MethodPost, p.Endpoint("revocation"), url.Values{"token": {fmt.Sprint(tokens["refresh_token"])}, "client_id": {"tv-app"}})
	return err
}

// owns compares whom an access token is about.
func (u *person) owns(access any) error {
	info, err := u.document(http.MethodGet, u.p.Endpoint("userinfo"), nil, "Authorization", "Bearer "+fmt.Sprint(access))
	if err == nil && (info["sub"] != "user-"+u.name || info["of"] != u.name) {
		err = fmt.Errorf("%s has a token of %v", u.name, info)
	}
	return err
}

// 32 users sign in at the same time at one server, in browsers and on devices, while a program changes it: everybody gets his own tokens, and the race
// detector has nothing to say.
func TestParallelLoginsOfManyUsers(t *testing.T) {
	t.Parallel()
	p := mockprovider.New(t, mockprovider.SignWith("ES256"))
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	var logins, program sync.WaitGroup
	for i := range 32 {
		name := fmt.Sprint("user", i)
		p.AddUsers(mockprovider.ResourceOwner{Username: name, Password: "password of " + name, Sub: "user-" + name, Claims: mockprovider.Claims{"of": name}})
		logins.Go(func() {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Error(err)
				return
			}
			u := &person{p, name, &http.Client{Transport: transport, Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
			if err := u.login(); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	program.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			p.Next(mockprovider.JWKSEndpoint, mockprovider.Status(503))
			p.ForgetAnswers()
			p.SetClaims(mockprovider.Match{User: "nobody"}, mockprovider.Claims{"i": i})
			p.ForgetClaims()
			p.Deviate("token-response-cacheable")
			p.Conform()
			p.RotateKeys()
			p.RetireKeys()
			p.Clock().Advance(time.Millisecond)
			p.Mint(t, mockprovider.Claims{"sub": "alice"})
			p.Revoke("alice", "")
			p.PendingDevices()
			p.Describe()
			_ = p.Requests().String()
		}
	})
	logins.Wait()
	close(done)
	program.Wait()
}
