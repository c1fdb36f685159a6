package mockprovider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

const clientCredentials = "grant_type=client_credentials&client_id=service&client_secret=not-a-secret.service.0123456789abcdef"

// measure sends client_credentials requests over one kept-alive connection, and over 32 at the same time.
func measure(b *testing.B, url string) {
	b.Helper()
	for _, connections := range []int{1, 32} {
		b.Run(strconv.Itoa(connections), func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			var workers sync.WaitGroup
			b.ResetTimer()
			for range connections {
				workers.Go(func() {
					for left.Add(-1) >= 0 {
						if err := requestToken(client, url); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			workers.Wait()
		})
	}
}

func requestToken(client *http.Client, url string) error {
	response, err := client.Post(url, "application/x-www-form-urlencoded", strings.NewReader(clientCredentials))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// bare is net/http with a handler that makes a body of about the same size and does nothing else: the ceiling.
func bare(b *testing.B, body func() []byte) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		w.Write(body())
	}))
	defer server.Close()
	measure(b, server.URL)
}

func BenchmarkBareHandler(b *testing.B) {
	body := []byte(`{"access_token":"TtqbK0vZm4hCjYb7dMXoT7XG1IGM9Zkq3dK1b6ZyYwE","token_type":"Bearer","expires_in":900,"scope":"read"}`)
	bare(b, func() []byte { return body })
}

func BenchmarkOpaque(b *testing.B) {
	measure(b, mockprovider.New(b).Endpoint("token"))
}

// BenchmarkOpaqueDeviated has a deviation in force, so that steps are looked up.
func BenchmarkOpaqueDeviated(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithDeviation(deviation("x", op("token.response", "header", map[string]any{"remove": "Pragma"})), nil))
	measure(b, p.Endpoint("token"))
}

// bareToken is the response with the JWT that the mock makes too, put together as a handler with nothing else to do would.
func bareToken(b *testing.B, algorithm string, signer crypto.Signer) func() []byte {
	type claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Client   string `json:"client_id"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
		ID       string `json:"jti"`
		Scope    string `json:"scope"`
	}
	type response struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	encoded := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			b.Error(err)
		}
		return text
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + algorithm + `","typ":"at+jwt","kid":"test-key-1"}`))
	return func() []byte {
		id, now := make([]byte, 16), time.Now().Unix()
		rand.Read(id)
		input := header + "." + base64.RawURLEncoding.EncodeToString(encoded(claims{"http://127.0.0.1:18081", "service", "http://127.0.0.1:18081/resource",
			"service", now, now + 900, base64.RawURLEncoding.EncodeToString(id), "read"}))
		sum := sha256.Sum256([]byte(input))
		signature, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			b.Error(err)
		}
		return encoded(response{input + "." + base64.RawURLEncoding.EncodeToString(signature), "Bearer", 900, "read"})
	}
}

func BenchmarkBareRS256(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	bare(b, bareToken(b, "RS256", key))
}

func BenchmarkRS256(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt"}}))
	measure(b, p.Endpoint("token"))
}

func BenchmarkBareES256(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	bare(b, bareToken(b, "ES256", key))
}

func BenchmarkES256(b *testing.B) {
	p := mockprovider.New(b, mockprovider.WithSettings(map[string]any{"access_token": map[string]any{"format": "jwt", "algorithm": "ES256"}}))
	measure(b, p.Endpoint("token"))
}

// programs are the mock as a process, and a program that is net/http and nothing else.
var programs = []struct {
	name, source string
	args         []string
}{
	{"bare", "./testdata/bareserver", nil},
	{"mock", "../cmd/oauthcheck", []string{"mock", "--json", "--addr", "127.0.0.1:0"}},
	{"mock-jwt", "../cmd/oauthcheck", []string{"mock", "--json", "--addr", "127.0.0.1:0", "--config", "testdata/jwt.yaml"}},
}

// BenchmarkProcessStart is the time from the start of the process to its first whole answer to a request for metadata.
func BenchmarkProcessStart(b *testing.B) {
	for _, program := range programs {
		b.Run(program.name, func(b *testing.B) {
			binary := build(b, program.source)
			b.ResetTimer()
			for range b.N {
				p := startProgram(b, binary, program.args)
				if response, err := http.Get(p.Endpoints["metadata"]); err != nil {
					b.Error(err)
				} else {
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				b.StopTimer()
				p.stop()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkProcessMemory is the resident memory of the process after 1,000 tokens.
func BenchmarkProcessMemory(b *testing.B) {
	for _, program := range programs {
		b.Run(program.name, func(b *testing.B) {
			p := startProgram(b, build(b, program.source), program.args)
			defer p.stop()
			for range 1000 {
				if err := requestToken(http.DefaultClient, p.Endpoints["token"]); err != nil {
					b.Fatal(err)
				}
			}
			out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(p.cmd.Process.Pid)).Output()
			if err != nil {
				b.Fatal(err)
			}
			resident, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(resident/1024, "MiB")
			b.ReportMetric(0, "ns/op") // says nothing here
		})
	}
}

func build(b *testing.B, source string) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// runningProgram is a process that has said where it serves.
type runningProgram struct {
	cmd       *exec.Cmd
	Endpoints map[string]string `json:"endpoints"`
}

func startProgram(b *testing.B, binary string, args []string) *runningProgram {
	b.Helper()
	p := &runningProgram{cmd: exec.Command(binary, args...)}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if err := json.NewDecoder(stdout).Decode(p); err != nil {
		p.stop()
		b.Fatal(err)
	}
	return p
}

func (p *runningProgram) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// BenchmarkStart is the time from nothing to the first answer.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		p, err := mockprovider.Start()
		if err != nil {
			b.Fatal(err)
		}
		response, err := http.Get(p.Describe().Endpoints["metadata"])
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandler is a request through the in-process transport.
func BenchmarkHandler(b *testing.B) {
	p := start(b)
	client := &http.Client{Transport: p.RoundTripper()}
	b.ReportAllocs()
	for range b.N {
		response, err := client.Post(p.Endpoint("token"), "application/x-www-form-urlencoded", strings.NewReader(clientCredentials))
		if err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	}
}
