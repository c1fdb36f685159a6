package target

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// rendezvous answers nobody before n requests have been read completely, which only concurrent ones can reach.
func rendezvous(t *testing.T, n int) http.HandlerFunc {
	var mu sync.Mutex
	arrived, all := 0, make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		if arrived++; arrived == n {
			close(all)
		}
		mu.Unlock()
		select {
		case <-all:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"x"}`)
		case <-time.After(5 * time.Second):
			w.WriteHeader(500)
		}
	}
}

func TestRaceOverSockets(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"tcp": httptest.NewServer, "tls": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			s := start(rendezvous(t, 8))
			t.Cleanup(s.Close)
			run := newRun(t, Config{Target: s.URL, Endpoints: Endpoints{Token: s.URL + "/token"}, TLS: TLSConfig{InsecureSkipVerify: true}})
			as := mustPass(t, run, func(as *AS) {
				req := as.NewRequest("POST", as.Endpoint(TokenEndpoint)).Apply(Set("a", "b"))
				for i, r := range as.Race(8, req) {
					if r.Status != 200 || !r.IssuesToken() {
						t.Errorf("response %d: %s", i, r.outcome())
					}
				}
			})
			if len(as.Exchanges()) != 8 || run.Requests() != 8 {
				t.Errorf("%d exchanges, %d requests", len(as.Exchanges()), run.Requests())
			}
		})
	}
}

func TestRaceOfRequestsWithoutBody(t *testing.T) {
	s := httptest.NewServer(rendezvous(t, 4))
	t.Cleanup(s.Close)
	run := newRun(t, Config{Target: s.URL, Endpoints: Endpoints{Token: s.URL + "/token"}})
	mustPass(t, run, func(as *AS) {
		for _, r := range as.Race(4, as.NewRequest("GET", as.Endpoint(TokenEndpoint))) {
			if r.Status != 200 {
				t.Error(r.outcome())
			}
		}
	})
}

// direct is an in-process transport.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func TestRaceInProcess(t *testing.T) {
	run := newRun(t, Config{Target: "http://as.test", Endpoints: Endpoints{Token: "http://as.test/token"}, Transport: direct{rendezvous(t, 8)}})
	mustPass(t, run, func(as *AS) {
		for _, r := range as.Race(8, as.NewRequest("POST", as.Endpoint(TokenEndpoint)).Apply(Set("a", "b"))) {
			if r.Status != 200 {
				t.Error(r.outcome())
			}
		}
	})
}

func TestRaceAgainstNobody(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	run := newRun(t, Config{Target: s.URL, Endpoints: Endpoints{Token: s.URL + "/token"}})
	mustEnd(t, run, "inconclusive", "none of 3", func(as *AS) { as.Race(3, as.NewRequest("POST", as.Endpoint(TokenEndpoint))) })
}

func TestARunInProcess(t *testing.T) {
	s := newServer(t)
	config := s.config()
	handler := s.Config.Handler
	s.Close()
	config.Transport = direct{handler}
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		as.TokensBy(AuthorizationCode)
		as.Refresh(as.Refreshable())
	})
}
