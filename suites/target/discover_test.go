package target

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeServer serves documents by path; the placeholder {self} stands for its own URL.
func fakeServer(t *testing.T, documents map[string]string, more ...func(http.ResponseWriter, *http.Request) bool) *httptest.Server {
	t.Helper()
	var self string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, handle := range more {
			if handle(w, r) {
				return
			}
		}
		if doc, ok := documents[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, strings.ReplaceAll(doc, "{self}", self))
			return
		}
		http.NotFound(w, r)
	}))
	self = server.URL
	t.Cleanup(server.Close)
	return server
}

const plainDocument = `{"issuer":"{self}","authorization_endpoint":"{self}/authorize","token_endpoint":"{self}/token","jwks_uri":"{self}/keys"}`

func discoverAt(t *testing.T, config Config) (*Info, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return Discover(ctx, config)
}

func TestDiscover(t *testing.T) {
	tokenErrors := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_request"}`)
		return true
	}
	redirect := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != oauthSuffix {
			return false
		}
		http.Redirect(w, r, "/real", http.StatusMovedPermanently)
		return true
	}
	for _, test := range []struct {
		name      string
		documents map[string]string
		more      []func(http.ResponseWriter, *http.Request) bool
		path      string // of the target below the server
		endpoints Endpoints
		token     string // expected token endpoint below the server
		issuer    string // expected issuer below the server; "-" for none
		metadata  string // expected place of the document; "" for none
		facts     []string
		noFacts   bool
	}{
		{name: "RFC 8414", documents: map[string]string{oauthSuffix: plainDocument}, token: "/token", metadata: oauthSuffix, noFacts: true},
		{name: "OpenID", documents: map[string]string{openidSuffix: plainDocument}, token: "/token", metadata: openidSuffix, noFacts: true},
		{name: "both, completing each other", documents: map[string]string{
			oauthSuffix:  plainDocument,
			openidSuffix: `{"issuer":"{self}","token_endpoint":"{self}/token","userinfo_endpoint":"{self}/me"}`,
		}, token: "/token", metadata: oauthSuffix, noFacts: true},
		{name: "both, contradicting each other", documents: map[string]string{
			oauthSuffix:  plainDocument,
			openidSuffix: `{"issuer":"{self}","token_endpoint":"{self}/token2"}`,
		}, token: "/token", metadata: oauthSuffix, facts: []string{"token_endpoint is"}},
		{name: "issuer with a path, inserted", documents: map[string]string{oauthSuffix + "/tenant": strings.ReplaceAll(plainDocument, `"{self}"`, `"{self}/tenant"`)},
			path: "/tenant", token: "/token", issuer: "/tenant", metadata: oauthSuffix + "/tenant", noFacts: true},
		{name: "issuer with a path, appended", documents: map[string]string{"/tenant" + oauthSuffix: strings.ReplaceAll(plainDocument, `"{self}"`, `"{self}/tenant"`)},
			path: "/tenant", token: "/token", issuer: "/tenant", metadata: "/tenant" + oauthSuffix, facts: []string{"RFC 8414 section 3.1 puts"}},
		{name: "issuer with a path, OpenID", documents: map[string]string{"/tenant" + openidSuffix: strings.ReplaceAll(plainDocument, `"{self}"`, `"{self}/tenant"`)},
			path: "/tenant/", token: "/token", issuer: "/tenant", metadata: "/tenant" + openidSuffix, facts: []string{"differ by a final slash"}},
		{name: "the document's own URL", documents: map[string]string{oauthSuffix: plainDocument}, path: oauthSuffix, token: "/token", metadata: oauthSuffix, noFacts: true},
		{name: "token endpoint with metadata at the root", documents: map[string]string{openidSuffix: plainDocument}, path: "/token", token: "/token", metadata: openidSuffix,
			facts: []string{"not the place for the target"}},
		{name: "token endpoint alone", more: []func(http.ResponseWriter, *http.Request) bool{tokenErrors}, path: "/oauth/token", token: "/oauth/token", issuer: "-",
			facts: []string{"is taken as the token endpoint"}},
		{name: "configured endpoints alone", endpoints: Endpoints{Token: "/t"}, token: "/t", facts: []string{"no metadata document was found"}},
		{name: "configured endpoint over discovered", documents: map[string]string{oauthSuffix: plainDocument}, endpoints: Endpoints{Token: "/t"}, token: "/t", metadata: oauthSuffix, noFacts: true},
		{name: "configured place", documents: map[string]string{"/meta": plainDocument}, endpoints: Endpoints{Metadata: "/meta"}, token: "/token", metadata: "/meta", noFacts: true},
		{name: "other issuer", documents: map[string]string{oauthSuffix: strings.ReplaceAll(plainDocument, `"{self}"`, `"https://other.example"`)},
			token: "/token", issuer: "https://other.example", metadata: oauthSuffix,
			facts: []string{`is "https://other.example", not "`, "http, while the issuer is https"}},
		{name: "no issuer, odd endpoints", documents: map[string]string{oauthSuffix: `{"token_endpoint":"{self}/token","authorization_endpoint":"/relative","jwks_uri":7,"revocation_endpoint":"https://elsewhere.example/r"}`},
			token: "/token", metadata: oauthSuffix, facts: []string{"names no issuer", "authorization_endpoint in", "jwks_uri in", "revocation_endpoint is at another origin"}},
		{name: "redirect", documents: map[string]string{"/real": plainDocument}, more: []func(http.ResponseWriter, *http.Request) bool{redirect},
			token: "/token", metadata: oauthSuffix, facts: []string{"served after a redirect"}},
		{name: "other JSON first", documents: map[string]string{oauthSuffix: `{"error":"not found"}`, openidSuffix: plainDocument}, token: "/token", metadata: openidSuffix, noFacts: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := fakeServer(t, test.documents, test.more...)
			info, err := discoverAt(t, Config{Target: server.URL + test.path, Endpoints: test.endpoints})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(info.Endpoints.Token, server.URL); got != test.token {
				t.Errorf("token endpoint %s", info.Endpoints.Token)
			}
			issuer := server.URL + test.issuer
			switch {
			case test.issuer == "-":
				issuer = ""
			case strings.Contains(test.issuer, "://"):
				issuer = test.issuer
			}
			if info.Issuer != issuer {
				t.Errorf("issuer %q, want %q", info.Issuer, issuer)
			}
			found := ""
			if info.Metadata != nil {
				found = strings.TrimPrefix(info.Metadata.URL, server.URL)
			}
			if found != test.metadata {
				t.Errorf("metadata at %q", found)
			}
			all := strings.Join(info.Facts, "\n")
			for _, fact := range test.facts {
				if !strings.Contains(all, fact) {
					t.Errorf("the facts lack %q:\n%s", fact, all)
				}
			}
			if test.noFacts && all != "" {
				t.Errorf("unexpected facts:\n%s", all)
			}
			if len(info.Exchanges) == 0 || len(info.Detections) != len(Capabilities()) {
				t.Errorf("%d exchanges, %d detections", len(info.Exchanges), len(info.Detections))
			}
			if test.name == "both, completing each other" && info.Endpoints.Userinfo == "" {
				t.Error("the second document's endpoint is not used")
			}
		})
	}
}

// TestDiscoverTrouble holds what is said of servers that do not answer as they should; none may take long.
func TestDiscoverTrouble(t *testing.T) {
	zip := func(n int) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		chunk := make([]byte, 1<<16)
		for range n {
			_, _ = w.Write(chunk)
		}
		_ = w.Close()
		return b.Bytes()
	}
	bomb := zip(64) // 4 MiB
	type handler = func(http.ResponseWriter, *http.Request) bool
	for _, test := range []struct {
		name    string
		handle  handler
		trouble Trouble
		says    string
	}{
		{"404", func(http.ResponseWriter, *http.Request) bool { return false }, NoEndpoints, "status 404"},
		{"html", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>Login</title>")
			return true
		}, NoEndpoints, "an HTML page, not a JSON document"},
		{"empty", func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(200); return true }, NoEndpoints, "the body is empty"},
		{"array", func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "[1]"); return true }, NoEndpoints, "no JSON object"},
		{"redirect loop", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
			return true
		}, NoEndpoints, "redirects without end"},
		{"endless", func(w http.ResponseWriter, r *http.Request) bool {
			chunk := bytes.Repeat([]byte(" "), 1<<16)
			for r.Context().Err() == nil {
				if _, err := w.Write(chunk); err != nil {
					return true
				}
			}
			return true
		}, NoEndpoints, "larger than"},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
			return true
		}, NoEndpoints, ""},
		{"truncated", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"issuer":`)
			return true
		}, "", "broke off"},
		{"reset", func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return true
		}, "", "broke off"},
		{"not HTTP", func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("SSH-2.0-OpenSSH\r\n"))
				_ = conn.Close()
			}
			return true
		}, "", "not HTTP"},
		{"slow", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }, Slow, "--timeout"},
		{"trickling", func(w http.ResponseWriter, r *http.Request) bool {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil {
					return true
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
			return true
		}, Slow, "no complete answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := fakeServer(t, nil, test.handle)
			_, err := discoverAt(t, Config{Target: server.URL, Timing: Timing{Timeout: 300 * time.Millisecond}})
			var problem *DiscoveryError
			if !errors.As(err, &problem) {
				t.Fatalf("got %v", err)
			}
			if test.trouble != "" && problem.Trouble != test.trouble || !strings.Contains(err.Error(), test.says) || problem.Fix == "" {
				t.Errorf("%s: %v", problem.Trouble, err)
			}
			if len(problem.Exchanges) == 0 {
				t.Error("no exchanges recorded")
			}
			// With endpoints configured such a server can be tested all the same.
			info, err := discoverAt(t, Config{Target: server.URL, Endpoints: Endpoints{Token: "/token"}, Timing: Timing{Timeout: 300 * time.Millisecond}})
			if err != nil || info.Endpoints.Token != server.URL+"/token" {
				t.Errorf("with configured endpoints: %v", err)
			}
		})
	}
}

func TestDiscoverConnection(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	plain := fakeServer(t, map[string]string{oauthSuffix: plainDocument})
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self := "https://" + r.Host
		fmt.Fprint(w, strings.ReplaceAll(plainDocument, "{self}", self))
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for _, test := range []struct {
		name, target string
		trouble      Trouble
		says         string
	}{
		{"refused", closed.URL, Unreachable, "start the server"},
		{"no such host", "http://no-such-host.invalid", Unreachable, "correct target"},
		{"unknown authority", secure.URL, TLSFailure, "--ca-file (tls.ca_file)"},
		{"https to http", strings.Replace(plain.URL, "http:", "https:", 1), TLSFailure, "write http://"},
	} {
		_, err := discoverAt(t, Config{Target: test.target, Timing: Timing{Timeout: 3 * time.Second}})
		var problem *DiscoveryError
		if !errors.As(err, &problem) || problem.Trouble != test.trouble || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, trust := range []TLSConfig{{CAFile: ca}, {InsecureSkipVerify: true}} {
		if info, err := discoverAt(t, Config{Target: secure.URL, TLS: trust}); err != nil || !info.Has(TLS) {
			t.Errorf("%+v: %v", trust, err)
		}
	}
	if _, err := discoverAt(t, Config{Target: secure.URL, TLS: TLSConfig{CAFile: ca + "x"}}); err == nil || !strings.Contains(err.Error(), "tls.ca_file") {
		t.Errorf("a missing CA file: %v", err)
	}
	if _, err := discoverAt(t, Config{}); err == nil || !strings.Contains(err.Error(), "target: is missing") {
		t.Errorf("an empty configuration: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Discover(ctx, Config{Target: plain.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled discovery: %v", err)
	}
}

// metadataOf makes an Info as discovery would from a document.
func metadataOf(t *testing.T, config Config, document string) *Info {
	t.Helper()
	info := &Info{Config: config.Complete(), Endpoints: config.Endpoints}
	if document != "" {
		info.Metadata = &Metadata{URL: "https://as.example" + oauthSuffix}
		if err := json.Unmarshal([]byte(document), &info.Metadata.Members); err != nil {
			t.Fatal(err)
		}
		d := &discovery{info: info}
		info.Documents = []*Metadata{info.Metadata}
		d.adopt()
	}
	info.Detect()
	return info
}

func TestDetect(t *testing.T) {
	confidential := func() *Client { return &Client{ID: "a", Secret: "s", RedirectURIs: []string{"https://c.example/cb"}} }
	with := func(c *Client, grants ...string) *Client { c.Grants = grants; return c }
	alice := User{Username: "alice", Password: "p"}
	both := Endpoints{Authorization: "https://as.example/a", Token: "https://as.example/t"}
	const document = `{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t"`
	for _, test := range []struct {
		name     string
		config   Config
		document string
		want     map[Capability]State
		because  map[Capability]string
	}{
		{
			name:   "nothing known but a client",
			config: Config{Endpoints: both, Clients: Clients{Primary: confidential()}, User: alice},
			want: map[Capability]State{
				AuthorizationCode: Likely, ClientCredentialsGrant: Likely, PasswordGrant: Likely, RefreshTokenGrant: Likely, AnyTokenGrant: Likely,
				ImplicitGrant: Missing, ConfidentialClient: Available, PublicClient: Missing, SecondClient: Missing, SecondRedirectURI: Missing,
				PKCE: Likely, OpenID: Missing, MetadataDocument: Missing, TLS: Available, ProtectedResource: Missing, Introspection: Missing,
				TokenExchange: Missing, CodeLifetime: Missing, JWTAccessToken: Likely, UserConsent: Likely,
			},
			because: map[Capability]string{SecondClient: "clients.second is not configured", Introspection: "not announced and not configured"},
		},
		{
			name:   "listed grants decide",
			config: Config{Endpoints: both, Clients: Clients{Primary: with(confidential(), "authorization_code", "refresh_token")}, User: alice},
			want: map[Capability]State{AuthorizationCode: Available, RefreshTokenGrant: Available, ClientCredentialsGrant: Missing,
				PasswordGrant: Missing, AnyTokenGrant: Available},
			because: map[Capability]string{AuthorizationCode: "clients.primary.grants lists authorization_code"},
		},
		{
			name: "metadata without grant_types_supported", document: document + `}`,
			config: Config{Clients: Clients{Primary: confidential()}, User: alice},
			want:   map[Capability]State{AuthorizationCode: Likely, ClientCredentialsGrant: Missing, RefreshTokenGrant: Likely, MetadataDocument: Available, PKCE: Likely},
			because: map[Capability]string{ClientCredentialsGrant: "stands for authorization_code and implicit only",
				AuthorizationCode: "stands for authorization_code and implicit"},
		},
		{
			name: "rich metadata",
			document: document + `,"grant_types_supported":["client_credentials","urn:ietf:params:oauth:grant-type:token-exchange"],"response_types_supported":["code","token"],
				"introspection_endpoint":"https://as.example/i","revocation_endpoint":"https://as.example/r","registration_endpoint":"https://as.example/reg",
				"device_authorization_endpoint":"https://as.example/d","pushed_authorization_request_endpoint":"https://as.example/par","userinfo_endpoint":"https://as.example/me",
				"code_challenge_methods_supported":["S256"],"dpop_signing_alg_values_supported":["ES256"],"client_id_metadata_document_supported":true,"scopes_supported":["openid"]}`,
			config: Config{Clients: Clients{Primary: confidential(), Public: &Client{ID: "p", RedirectURIs: []string{"https://p.example/1", "https://p.example/2"}}, Second: &Client{ID: "b", Secret: "s"}}, User: alice},
			want: map[Capability]State{AuthorizationCode: Missing, ClientCredentialsGrant: Likely, TokenExchange: Likely, ImplicitGrant: Likely, Introspection: Available, Revocation: Available,
				Registration: Available, DeviceAuthorization: Available, PushedAuthorization: Available, ProtectedResource: Missing, PKCE: Missing, DPoP: Available,
				ClientIDMetadata: Available, OpenID: Missing, PublicClient: Available, SecondClient: Available, SecondRedirectURI: Available, InsufficientScope: Missing},
			because: map[Capability]string{AuthorizationCode: "metadata does not list authorization_code in grant_types_supported", OpenID: "the target file's scopes do not",
				Introspection: "endpoint is known"},
		},
		{
			name: "configuration enables",
			config: Config{Endpoints: both, Scopes: []string{"openid"}, User: alice, Resource: Resource{URL: "https://api.example/", InsufficientScope: "x"},
				Clients: Clients{Primary: &Client{ID: "a", Auth: PrivateKeyJWT, KeyFile: "k", RedirectURIs: []string{"https://c.example/cb"}}, Implicit: &Client{ID: "i", RedirectURIs: []string{"https://i.example/"}},
					Service: with(&Client{ID: "s", Secret: "s"}, "client_credentials")},
				TokenExchange: TokenExchangeConfig{Client: "primary", Delegation: true, SubjectTokenTypes: []string{"urn:ietf:params:oauth:token-type:saml2"}},
				Timing:        Timing{CodeLifetime: time.Minute}, Reserved: Reserved{DPoP: map[string]any{}, ResourceIndicators: []any{}}},
			want: map[Capability]State{OpenID: Available, ProtectedResource: Available, InsufficientScope: Available, PrivateKeyJWT: Available, ImplicitGrant: Available,
				ClientCredentialsGrant: Available, TokenExchange: Available, Delegation: Available, SAML: Available, CodeLifetime: Available, DPoP: Available, ResourceIndicators: Available},
		},
		{
			name:   "no user, no login",
			config: Config{Endpoints: both, Clients: Clients{Primary: confidential()}, Login: Login{Method: "none"}},
			want:   map[Capability]State{AuthorizationCode: Likely, PasswordGrant: Missing, UserConsent: Missing},
		},
		{
			name:   "only a public client over http",
			config: Config{Endpoints: Endpoints{Token: "http://as.example/t"}, Clients: Clients{Public: &Client{ID: "p"}}},
			want: map[Capability]State{ConfidentialClient: Missing, ClientCredentialsGrant: Missing, AuthorizationCode: Missing, TLS: Missing, PublicClient: Available,
				RefreshTokenGrant: Likely},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			info := metadataOf(t, test.config, test.document)
			for capability, want := range test.want {
				d := info.Detection(capability)
				if d.State != want {
					t.Errorf("%s: %s (%s), want %s", capability, d.State, d.Because, want)
				}
				if d.Because == "" || (d.State == Missing) && d.Enable == "" {
					t.Errorf("%s lacks a reason or a way to enable it: %+v", capability, d)
				}
			}
			for capability, want := range test.because {
				if d := info.Detection(capability); !strings.Contains(d.Because, want) {
					t.Errorf("%s: because %q, want %q", capability, d.Because, want)
				}
			}
		})
	}
}

func TestSettle(t *testing.T) {
	info := metadataOf(t, Config{Endpoints: Endpoints{Token: "https://as.example/t"}, Clients: Clients{Primary: &Client{ID: "a", Secret: "s"}}}, "")
	if !info.Has(ClientCredentialsGrant) {
		t.Fatal("what is likely counts as there until it is tried")
	}
	info.Settle(ClientCredentialsGrant, false, "the server answers unauthorized_client")
	d := info.Detection(ClientCredentialsGrant)
	if info.Has(ClientCredentialsGrant) || d.Enable == "" || !strings.Contains(d.Because, "unauthorized_client") {
		t.Errorf("%+v", d)
	}
	for _, r := range info.Report() {
		if r.Name == string(ClientCredentialsGrant) && (r.Available || r.Because != d.Because) {
			t.Errorf("%+v", r)
		}
	}
	if info.Has("bogus") {
		t.Error("an undefined capability is there")
	}
}

// TestCapabilityRegistry: names are unique, each is documented, and every word that the catalogue uses is one.
func TestCapabilityRegistry(t *testing.T) {
	seen := map[Capability]bool{}
	for _, d := range Capabilities() {
		if seen[d.Capability] || d.Doc == "" || d.Enable == "" || d.detect == nil {
			t.Errorf("%+v", d)
		}
		seen[d.Capability] = true
	}
	words := []string{"authorization_code", "resource_server", "metadata", "any_token_grant", "token_exchange", "refresh_token", "confidential_client",
		"registration", "introspection", "dpop", "public_client", "client_credentials", "revocation", "device", "tls", "jwt_access_token", "implicit", "par",
		"pkce", "second_client", "cimd", "private_key_jwt", "jwt_bearer", "resource_indicators", "password", "openid", "second_redirect_uri", "saml"}
	for _, word := range words {
		if _, ok := LookupCapability(word); !ok {
			t.Errorf("no capability answers to %s", word)
		}
	}
}

func TestClientFor(t *testing.T) {
	primary := &Client{ID: "a", Secret: "s", Grants: []string{"authorization_code"}}
	service := &Client{ID: "s", Secret: "s"}
	public := &Client{ID: "p"}
	other := &Client{ID: "o", Secret: "s", Grants: []string{"password"}}
	c := Config{Clients: Clients{Primary: primary, Public: public, Service: service, Others: map[string]*Client{"o": other}}}
	for grant, want := range map[string]*Client{
		"authorization_code": primary, "client_credentials": service, "refresh_token": public, "password": public,
	} {
		if got := c.ClientFor(grant); got != want {
			t.Errorf("%s: %+v", grant, got)
		}
	}
	public.Grants = []string{"authorization_code"}
	if got := c.ClientFor("password"); got != other {
		t.Errorf("password: %+v", got)
	}
	if got := c.ClientFor("implicit"); got != nil {
		t.Errorf("implicit: %+v", got)
	}
	if names := (Clients{Primary: primary, Others: c.Clients.Others}).names(); !slices.Equal(names, []string{"primary", "o"}) {
		t.Errorf("names %v", names)
	}
}
