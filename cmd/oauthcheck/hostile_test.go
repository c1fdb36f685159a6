package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// secret is what must never be printed.
const secret = "topsecret-0123456789-0123456789-abcdef"

// hostile lists servers that are no authorization servers, or bad ones. A run against each ends within its deadline with
// exit 3 and a message that says what to do: never a panic, a hang, a leaked secret, or a violation that blames the
// target for what kept it from being tested.
var hostile = []struct {
	name  string
	serve func(t *testing.T) string // returns the target's URL
	says  []string                  // one of these is in the message
}{
	{"connection refused", refused, []string{"refused"}},
	{"unknown host", func(*testing.T) string { return "http://does-not-exist.invalid" }, []string{"does-not-exist.invalid"}},
	{"untrusted certificate", untrusted, []string{"--ca-file", "--insecure-skip-verify"}},
	{"plain HTTP behind https", plainBehindTLS, []string{"http"}},
	{"HTML everywhere", answer("text/html", "<html><body><h1>It works!</h1></body></html>"), []string{"endpoint", "metadata"}},
	{"HTML called JSON", answer("application/json", "<html></html>"), []string{"endpoint", "metadata"}},
	{"empty", answer("application/json", ""), []string{"endpoint", "metadata"}},
	{"JSON that is no object", answer("application/json", `["issuer"]`), []string{"endpoint", "metadata"}},
	{"control characters", answer("application/json", "\x1b[2J\x1b]0;owned\x07{"), []string{"endpoint", "metadata"}},
	{"endless body", endless, []string{"endpoint", "metadata"}},
	{"slow body", slow, []string{"endpoint", "metadata", "time"}},
	{"truncated body", truncated, []string{"endpoint", "metadata", "EOF"}},
	{"redirect loop", redirectLoop, []string{"endpoint", "metadata", "redirect"}},
	{"gzip bomb", gzipBomb, []string{"endpoint", "metadata"}},
	{"says nothing", silent, []string{"time"}},
	{"hangs up", hangsUp, []string{"endpoint", "metadata", "EOF", "reset"}},
	{"500 everywhere", status(500), []string{"500", "endpoint", "metadata"}},
	{"404 everywhere", status(404), []string{"endpoint", "metadata"}},
	{"metadata of another host", strangeMetadata, nil},
}

func TestHostileTargets(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			target := h.serve(t)
			junit := t.TempDir() + "/junit.xml"
			for _, command := range []string{"run", "doctor", "plan"} {
				args := []string{
					command, "--target", target, "--client-id", "app", "--client-secret", secret,
					"--redirect-uri", "https://client.example/callback", "--username", "alice", "--password", secret,
					"--timeout", "1s", "--deadline", "15s",
				}
				if command == "run" {
					args = append(args, "--junit", junit)
				}
				start := time.Now()
				got := oauthcheck(t, args...)
				if d := time.Since(start); d > 25*time.Second {
					t.Errorf("%s took %v", command, d)
				}
				if got.code != 3 && !(command == "plan" && h.name == "metadata of another host") { // a plan sends nothing there
					t.Errorf("%s: exit status %d, want 3\n%s", command, got.code, got.all())
				}
				got.mustBeClean(t)
				if len(h.says) > 0 && !containsAny(got.all(), h.says) {
					t.Errorf("%s: none of %q in the message:\n%s", command, h.says, got.all())
				}
			}
		})
	}
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func untrusted(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quietLog()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func plainBehindTLS(t *testing.T) string {
	return strings.Replace(serve(t, http.NotFound), "http:", "https:", 1)
}

func answer(contentType, body string) func(*testing.T) string {
	return func(t *testing.T) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		})
	}
}

func status(code int) func(*testing.T) string {
	return func(t *testing.T) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
}

func endless(t *testing.T) string {
	chunk := []byte(strings.Repeat("a", 64<<10))
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"`)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
}

func slow(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
			}
		}
	})
}

func truncated(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "5000")
		_, _ = io.WriteString(w, `{"issuer":"https://as.exam`)
	})
}

func redirectLoop(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"/x", http.StatusFound)
	})
}

// gzipBomb answers with 1 GiB of spaces in 1 MiB.
func gzipBomb(t *testing.T) string {
	var bomb bytes.Buffer
	zw := gzip.NewWriter(&bomb)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range 256 {
		if _, err := zw.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
}

func silent(t *testing.T) string {
	return serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

func hangsUp(t *testing.T) string {
	return serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// strangeMetadata names endpoints that lead nowhere.
func strangeMetadata(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, ".well-known") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":"http://%s","token_endpoint":"http://127.0.0.1:1/token","authorization_endpoint":"http://127.0.0.1:1/authorize","response_types_supported":["code"]}`, r.Host)
	})
}
