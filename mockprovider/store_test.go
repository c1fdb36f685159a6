package mockprovider

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// entries is how much the provider remembers.
func (p *Provider) entries() map[string]int {
	s := &p.store
	return map[string]int{"codes": len(s.codes.entries), "tokens": len(s.tokens.entries), "sessions": len(s.sessions.entries),
		"transactions": len(s.transactions.entries), "devices": len(s.devices.entries), "user codes": len(s.userCodes.entries), "order of tokens": len(s.tokens.order), "requests": len(p.log.ring)}
}

// What has expired is dropped, and the request log is a ring: a provider that runs for ever does not grow.
func TestMemoryIsBounded(t *testing.T) {
	p, err := NewHandler(WithSettings(map[string]any{"lifetimes": map[string]any{"refresh_token": "1h"}}))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: p.RoundTripper(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(endpoint, form string) {
		t.Helper()
		response, err := client.Post(p.Endpoint(endpoint), "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatal(endpoint, response.Status)
		}
	}
	authorize := p.Endpoint(AuthorizationEndpoint) + "?" + url.Values{"response_type": {"code"}, "client_id": {"web-app"}, "redirect_uri": {"https://client.example/callback"}, "scope": {"read"}}.Encode()
	day := func() {
		t.Helper()
		for range 300 {
			post(TokenEndpoint, "grant_type=password&username=alice&password=wonderland&client_id=web-app&client_secret=not-a-secret.web-app.0123456789abcdef")
			post(DeviceAuthorizationEndpoint, "client_id=tv-app")
			p.Approve(t, authorize, "alice")
			response, err := client.Get(authorize) // begins a session
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
	day()
	first := p.entries()
	if first["tokens"] != 600 || first["devices"] != 300 || first["sessions"] != 300 || first["codes"] != 300 || first["requests"] != logSize {
		t.Fatal(first)
	}
	for range 3 {
		p.Clock().Advance(24 * time.Hour)
		day()
		for what, n := range p.entries() {
			if n > first[what] {
				t.Errorf("%s: %d after a day, %d before", what, n, first[what])
			}
		}
	}
	if len(p.Requests()) != logSize {
		t.Errorf("%d requests", len(p.Requests()))
	}
}

// What does not expire is bounded, too: the oldest is forgotten.
func TestTableIsBounded(t *testing.T) {
	var table table[int]
	for i := range 3*maxEntries + 100 {
		table.put(fmt.Sprint(i), i)
		if i%3 == 0 {
			table.delete(fmt.Sprint(i))
		}
	}
	if len(table.entries) > maxEntries || len(table.order) > 2*maxEntries+16 {
		t.Errorf("%d entries, an order of %d", len(table.entries), len(table.order))
	}
	if _, ok := table.get(fmt.Sprint(3*maxEntries + 98)); !ok {
		t.Error("the latest is gone")
	}
	if _, ok := table.get("1"); ok {
		t.Error("the oldest is there")
	}
}

// Guessing is bounded within a window, and for good where the window has no end.
func TestAttempts(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for window, later := range map[time.Duration]int{time.Hour: 0, 0: 1} {
		var a attempts
		a.count(begin, window)
		if now, then := a.within(begin, window), a.within(begin.Add(time.Hour), window); now != 1 || then != later {
			t.Errorf("window %v: %d, an hour later %d, want 1 and %d", window, now, then, later)
		}
	}
}
