package target

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serving starts a run against a handler that answers every endpoint.
func serving(t testing.TB, timeout time.Duration, handler http.HandlerFunc) *Run {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return newRun(t, Config{
		Target: s.URL, Endpoints: Endpoints{Token: s.URL + "/token", Authorization: s.URL + "/authorize"},
		Clients: Clients{Primary: &Client{ID: "web", Secret: webSecret, RedirectURIs: []string{"https://client.example/cb"}}},
		User:    User{Username: "alice", Password: "wonderland"}, Timing: Timing{Timeout: timeout},
	})
}

func get(as *AS, edits ...RequestEdit) *Response {
	return as.Send(as.NewRequest("POST", as.Endpoint(TokenEndpoint)).Apply(edits...))
}

func TestBodiesAreBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	for name, handler := range map[string]http.HandlerFunc{
		"long": func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
		"bomb": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := serving(t, 5*time.Second, handler)
			mustPass(t, run, func(as *AS) {
				r := get(as)
				if len(r.Body) != maxBody || !r.Truncated || len(r.Exchange.Response.Body) > maxEvidence+100 {
					t.Errorf("%d bytes, truncated %v, %d in evidence", len(r.Body), r.Truncated, len(r.Exchange.Response.Body))
				}
			})
		})
	}
}

func TestCompressedBodiesAreReadable(t *testing.T) {
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("compression was asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`{"access_token":"x"}`))
		_ = z.Close()
	})
	mustPass(t, run, func(as *AS) {
		if r := get(as); r.String("access_token") != "x" || !r.IssuesToken() {
			t.Errorf("body %q", r.Body)
		}
	})
}

func TestWhatIsNoAnswerIsInconclusive(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		text    string
	}{
		"hangs": {hang, "no complete response within"},
		"slow body": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			hang(w, r)
		}, "no complete response within"},
		"reset": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "no answer"},
		"truncated": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("{"))
		}, "broke off"},
		"500": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, "status 500"},
		"503": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, "status 503"},
		"429": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, "429"},
		"header bomb": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "no answer"},
		"no gzip": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("plain"))
		}, "Content-Encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := 10 * time.Second
			if test.text == "no complete response within" {
				timeout = 100 * time.Millisecond
			}
			run := serving(t, timeout, test.handler)
			mustEnd(t, run, "inconclusive", test.text, func(as *AS) { get(as) })
			mustPass(t, run, func(as *AS) {
				r := get(as, AnyStatus())
				if (r.Err == nil) == (r.Status == 0) || r.Err != nil && r.Exchange.Error == "" {
					t.Errorf("status %d, err %v, evidence %q", r.Status, r.Err, r.Exchange.Error)
				}
			})
		})
	}
}

func TestRetryAfterIsHonouredOnce(t *testing.T) {
	var n atomic.Int64
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		}
	})
	as := mustPass(t, run, func(as *AS) {
		if r := get(as); r.Status != 200 {
			t.Errorf("status %d", r.Status)
		}
	})
	if len(as.Exchanges()) != 2 {
		t.Errorf("%d exchanges", len(as.Exchanges()))
	}
}

func TestRedirectsAreNotFollowedAtTheTokenEndpoint(t *testing.T) {
	var n atomic.Int64
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
	})
	mustPass(t, run, func(as *AS) {
		if r := get(as); r.Status != 307 || n.Load() != 1 {
			t.Errorf("status %d after %d requests", r.Status, n.Load())
		}
	})
}

func TestRedirectLoop(t *testing.T) {
	var n atomic.Int64
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		http.Redirect(w, r, fmt.Sprintf("/hop%d", n.Load()%2), http.StatusFound)
	})
	mustEnd(t, run, "inconclusive", "redirects in a row", func(as *AS) { as.Authorize(NoControl(), StopAtPage()) })
	if n.Load() > 300 {
		t.Errorf("%d requests", n.Load())
	}
}

func TestTheBreakerStopsWaitingForADeadEndpoint(t *testing.T) {
	var n atomic.Int64
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		panic(http.ErrAbortHandler)
	})
	for range 10 {
		mustEnd(t, run, "inconclusive", "", func(as *AS) { get(as) })
	}
	// Go's transport may repeat the probe, a GET, on a fresh connection.
	if n.Load() < 4 || n.Load() > 5 {
		t.Errorf("%d requests, want three and one probe", n.Load())
	}
	mustEnd(t, run, "inconclusive", "not tried again", func(as *AS) { get(as) })
}

func TestTheBreakerLetsAnEndpointLiveThatAnswersPlainRequests(t *testing.T) {
	run := serving(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			panic(http.ErrAbortHandler)
		}
	})
	for range 10 {
		mustPass(t, run, func(as *AS) {
			if r := get(as, AnyStatus()); r.Err == nil || strings.Contains(r.Err.Error(), "not tried again") {
				t.Errorf("err %v", r.Err)
			}
		})
	}
}

func TestSecretsDoNotGoToAnotherOrigin(t *testing.T) {
	received := false
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { received = true }))
	t.Cleanup(thief.Close)
	run := newRun(t, newServer(t).config())
	for name, edits := range map[string][]RequestEdit{
		"basic":  {Auth(Basic)},
		"post":   {Auth(Post)},
		"query":  {Auth(Post), ParamsInQuery()},
		"header": {Header("X", "wonderland")},
		"bearer": {Bearer("anything")},
	} {
		mustEnd(t, run, "inconclusive", "no origin of the target", func(as *AS) {
			r := as.NewRequest("POST", thief.URL)
			r.client = as.Primary()
			as.Send(r.Apply(edits...))
			t.Errorf("%s: sent", name)
		})
	}
	if received {
		t.Error("the other origin received a request")
	}
	mustPass(t, run, func(as *AS) { as.Send(as.NewRequest("GET", thief.URL+"?x=1")) })
}

func TestACancelledCheckEnds(t *testing.T) {
	run := serving(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	why := attempt(func() { get(run.NewAS(ctx, "test", silent{}), AnyStatus()) })
	if !strings.Contains(why, "stopped") {
		t.Errorf("ended with %q", why)
	}
}

func TestHostilePagesDoNotConfuseTheWalk(t *testing.T) {
	pages := []string{
		"", "\x00\xff\xfe", strings.Repeat("<div>", 100000), "<form>", "<form method=post action='\x01:'><button>Allow</button></form>",
		"<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<script>location='" + strings.Repeat("x", 1<<16) + "'</script>",
		"<form method=post><input type=password name=p><input name=u></form>", "{\"error\":\"invalid_request\"}",
	}
	for i, page := range pages {
		run := serving(t, 2*time.Second, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(page))
		})
		v, _ := check(run, func(as *AS) { as.Authorize(NoControl()) })
		if v.kind != "pass" && v.kind != "inconclusive" {
			t.Errorf("page %d: %v", i, v)
		}
	}
}

func TestARunMayBeUsedConcurrently(t *testing.T) {
	run := newRun(t, newServer(t).config())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			check(run, func(as *AS) {
				switch i % 4 {
				case 0:
					as.TokenBy(AuthorizationCode, Omit("code"))
				case 1:
					as.Refresh(as.Refreshable())
				case 2:
					as.Authorize(Deny())
				default:
					as.Alive(as.Tokens().AccessToken)
					_ = run.Secrets()
					as.Has(PKCE)
				}
			})
		})
	}
	wg.Wait()
	if run.Requests() == 0 {
		t.Error("no requests were counted")
	}
}

// A server that closes kept connections under requests costs one answer, not one of every few.
func TestUnsteadyConnectionsAreNotKept(t *testing.T) {
	var mu sync.Mutex
	used := map[string]bool{}
	run := serving(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		again := used[r.RemoteAddr]
		used[r.RemoteAddr] = true
		mu.Unlock()
		if again {
			panic(http.ErrAbortHandler)
		}
	})
	mustPass(t, run, func(as *AS) {
		lost := 0
		for range 10 {
			if get(as, AnyStatus(), Set("grant_type", "x")).Err != nil {
				lost++
			}
		}
		if lost != 1 {
			t.Errorf("%d of 10 requests have no answer, expected 1", lost)
		}
	})
}
