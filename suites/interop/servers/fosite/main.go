// Command fosite serves an authorization server made of ory/fosite with its in-memory store, one login and one consent
// page, and a protected resource that validates tokens with the library. Usage: fosite PORT
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
	"golang.org/x/crypto/bcrypt"
)

var (
	loginPage = template.Must(template.New("login").Parse(`<!doctype html><html lang="en"><head><title>Sign in</title></head><body>
<h1>Sign in</h1>{{if .Wrong}}<p>Wrong user name or password.</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="request" value="{{.Request}}">
<label>User name <input name="username"></label> <label>Password <input name="password" type="password"></label>
<button type="submit">Sign in</button></form></body></html>`))
	consentPage = template.Must(template.New("consent").Parse(`<!doctype html><html lang="en"><head><title>Allow access?</title></head><body>
<h1>Allow {{.Client}} access?</h1><form method="post" action="/consent"><input type="hidden" name="request" value="{{.Request}}">
<button type="submit" name="decision" value="allow">Allow</button> <button type="submit" name="decision" value="deny">Deny</button></form></body></html>`))
)

// server is the glue that the library leaves to its user: pages, sessions and routes.
type server struct {
	issuer   string
	oauth    fosite.OAuth2Provider
	users    map[string]storage.MemoryUserRelation
	mu       sync.Mutex
	sessions map[string]string // session cookie to user name
}

func (s *server) session(user string) *openid.DefaultSession {
	now := time.Now()
	return &openid.DefaultSession{
		Claims:   &jwt.IDTokenClaims{Issuer: s.issuer, Subject: user, IssuedAt: now, RequestedAt: now, AuthTime: now, ExpiresAt: now.Add(5 * time.Minute)},
		Headers:  &jwt.Headers{},
		Subject:  user,
		Username: user,
	}
}

func (s *server) signedIn(r *http.Request) string {
	cookie, err := r.Cookie("session")
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[cookie.Value]
}

// authorize validates the request first and asks the user afterwards.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	ar, err := s.oauth.NewAuthorizeRequest(r.Context(), r)
	if err != nil {
		s.oauth.WriteAuthorizeError(r.Context(), w, ar, err)
		return
	}
	request := r.Form.Encode()
	if s.signedIn(r) == "" {
		render(w, http.StatusOK, loginPage, map[string]any{"Request": request})
		return
	}
	render(w, http.StatusOK, consentPage, map[string]any{"Request": request, "Client": ar.GetClient().GetID()})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	name, password, request := r.PostFormValue("username"), r.PostFormValue("password"), r.PostFormValue("request")
	if user, ok := s.users[name]; !ok || user.Password != password {
		render(w, http.StatusForbidden, loginPage, map[string]any{"Request": request, "Wrong": true})
		return
	}
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id] = name
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/authorize?"+request, http.StatusSeeOther)
}

func (s *server) consent(w http.ResponseWriter, r *http.Request) {
	user := s.signedIn(r)
	if user == "" {
		http.Error(w, "signed out", http.StatusForbidden)
		return
	}
	ctx, decision := r.Context(), r.PostFormValue("decision")
	// The page carries the authorization request; it is validated once more as it was sent.
	again, err := http.NewRequestWithContext(ctx, http.MethodGet, "/authorize?"+r.PostFormValue("request"), nil)
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	ar, err := s.oauth.NewAuthorizeRequest(ctx, again)
	if err == nil && decision != "allow" {
		err = fosite.ErrAccessDenied
	}
	if err != nil {
		s.oauth.WriteAuthorizeError(ctx, w, ar, err)
		return
	}
	for _, scope := range ar.GetRequestedScopes() {
		ar.GrantScope(scope)
	}
	resp, err := s.oauth.NewAuthorizeResponse(ctx, ar, s.session(user))
	if err != nil {
		s.oauth.WriteAuthorizeError(ctx, w, ar, err)
		return
	}
	s.oauth.WriteAuthorizeResponse(ctx, w, ar, resp)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	ar, err := s.oauth.NewAccessRequest(ctx, r, s.session(""))
	if err != nil {
		s.oauth.WriteAccessError(ctx, w, ar, err)
		return
	}
	// Grants without a consent page: what was asked for and passed the client's scopes is granted.
	if ar.GetGrantTypes().ExactOne("client_credentials") || ar.GetGrantTypes().ExactOne("password") {
		for _, scope := range ar.GetRequestedScopes() {
			ar.GrantScope(scope)
		}
	}
	resp, err := s.oauth.NewAccessResponse(ctx, ar)
	if err != nil {
		s.oauth.WriteAccessError(ctx, w, ar, err)
		return
	}
	s.oauth.WriteAccessResponse(ctx, w, ar, resp)
}

func (s *server) introspect(w http.ResponseWriter, r *http.Request) {
	ir, err := s.oauth.NewIntrospectionRequest(r.Context(), r, s.session(""))
	if err != nil {
		s.oauth.WriteIntrospectionError(r.Context(), w, err)
		return
	}
	s.oauth.WriteIntrospectionResponse(r.Context(), w, ir)
}

func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	s.oauth.WriteRevocationResponse(r.Context(), w, s.oauth.NewRevocationRequest(r.Context(), r))
}

func (s *server) par(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	ar, err := s.oauth.NewPushedAuthorizeRequest(ctx, r)
	if err != nil {
		s.oauth.WritePushedAuthorizeError(ctx, w, ar, err)
		return
	}
	resp, err := s.oauth.NewPushedAuthorizeResponse(ctx, ar, s.session(""))
	if err != nil {
		s.oauth.WritePushedAuthorizeError(ctx, w, ar, err)
		return
	}
	s.oauth.WritePushedAuthorizeResponse(ctx, w, ar, resp)
}

// resource is a protected resource: the library finds and validates the token, the answer is written here (RFC 6750
// section 3), since the library has no writer for it.
func (s *server) resource(w http.ResponseWriter, r *http.Request) {
	token := fosite.AccessTokenFromRequest(r)
	if token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="interop"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	use, ar, err := s.oauth.IntrospectToken(r.Context(), token, fosite.AccessToken, s.session(""), "read")
	switch {
	case errors.Is(err, fosite.ErrInvalidScope):
		w.Header().Set("WWW-Authenticate", `Bearer realm="interop", error="insufficient_scope", scope="read"`)
		w.WriteHeader(http.StatusForbidden)
	case err != nil || use != fosite.AccessToken:
		w.Header().Set("WWW-Authenticate", `Bearer realm="interop", error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		writeJSON(w, map[string]any{"sub": ar.GetSession().GetSubject()})
	}
}

// metadata is written here: the library publishes none.
func (s *server) metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer":                                s.issuer,
		"authorization_endpoint":                s.issuer + "/authorize",
		"token_endpoint":                        s.issuer + "/token",
		"introspection_endpoint":                s.issuer + "/introspect",
		"revocation_endpoint":                   s.issuer + "/revoke",
		"pushed_authorization_request_endpoint": s.issuer + "/par",
		"response_types_supported":              []string{"code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"},
		"grant_types_supported":                 []string{"authorization_code", "implicit", "refresh_token", "client_credentials", "password"},
		"scopes_supported":                      []string{"openid", "offline", "read", "write"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":      []string{"S256"},
	})
}

func render(w http.ResponseWriter, status int, page *template.Template, data any) {
	for name, value := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; form-action *; frame-ancestors 'none'",
		"X-Frame-Options":         "DENY",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
	} {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	if err := page.Execute(w, data); err != nil {
		log.Print(err)
	}
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

// seconds reads a lifetime from the environment.
func seconds(name string, otherwise int) time.Duration {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		otherwise = n
	}
	return time.Duration(otherwise) * time.Second
}

func newStore() (*storage.MemoryStore, error) {
	store := storage.NewMemoryStore()
	store.Users["alice"] = storage.MemoryUserRelation{Username: "alice", Password: "wonderland"}
	store.Users["jörg"] = storage.MemoryUserRelation{Username: "jörg", Password: "wonder %&+£€ land"}
	for id, secret := range map[string]string{
		"https://odd.example/app": "odd secret+100%/:&=0123456789abcdef",
		"web-app":                 "web-app-secret-0123456789abcdef0123456789",
		"web-app-2":               "web-app-2-secret-0123456789abcdef01234567",
		"service-app":             "service-app-secret-0123456789abcdef012345",
		"native-app":              "",
		"implicit-app":            "",
	} {
		client := &fosite.DefaultClient{ID: id, Scopes: []string{"openid", "offline", "read", "write"}, Public: secret == ""}
		method := "none"
		switch id {
		case "web-app":
			method = "client_secret_basic"
			client.RedirectURIs = []string{"https://client.example/callback", "https://client.example/other", "https://client.example/query?tenant=one"}
			client.ResponseTypes = []string{"code", "code id_token"}
			client.GrantTypes = []string{"authorization_code", "refresh_token", "client_credentials", "password", "implicit"}
		case "web-app-2":
			method = "client_secret_post"
			client.RedirectURIs = []string{"https://second.example/callback"}
			client.ResponseTypes = []string{"code"}
			client.GrantTypes = []string{"authorization_code", "refresh_token", "client_credentials"}
		case "https://odd.example/app":
			method = "client_secret_basic"
			client.GrantTypes = []string{"client_credentials"}
		case "service-app":
			method = "client_secret_basic"
			client.RedirectURIs = []string{"https://service.example/callback"}
			client.GrantTypes = []string{"client_credentials"}
		case "native-app":
			client.RedirectURIs = []string{"https://native.example/callback", "http://127.0.0.1/callback"}
			client.ResponseTypes = []string{"code"}
			client.GrantTypes = []string{"authorization_code", "refresh_token"}
		case "implicit-app":
			client.RedirectURIs = []string{"https://implicit.example/callback"}
			client.ResponseTypes = []string{"token", "id_token", "id_token token"}
			client.GrantTypes = []string{"implicit"}
		}
		if secret != "" {
			hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
			if err != nil {
				return nil, err
			}
			client.Secret = hash
		}
		store.Clients[id] = &fosite.DefaultOpenIDConnectClient{DefaultClient: client, TokenEndpointAuthMethod: method}
	}
	return store, nil
}

func run(port string) error {
	issuer := (&url.URL{Scheme: "http", Host: "127.0.0.1:" + port}).String()
	store, err := newStore()
	if err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	config := &fosite.Config{
		GlobalSecret:                []byte("interop-global-secret-32-bytes-ok"),
		IDTokenIssuer:               issuer,
		AccessTokenIssuer:           issuer,
		TokenURL:                    issuer + "/token",
		AuthorizeCodeLifespan:       seconds("INTEROP_CODE_SECONDS", 60),
		AccessTokenLifespan:         seconds("INTEROP_TOKEN_SECONDS", 300),
		RefreshTokenLifespan:        time.Hour,
		EnforcePKCEForPublicClients: true,
		ScopeStrategy:               fosite.ExactScopeStrategy,
		HashCost:                    bcrypt.MinCost,
	}
	getKey := func(context.Context) (any, error) { return key, nil }
	s := &server{issuer: issuer, users: store.Users, sessions: map[string]string{}}
	s.oauth = compose.Compose(config, store,
		&compose.CommonStrategy{
			CoreStrategy:               compose.NewOAuth2HMACStrategy(config),
			OpenIDConnectTokenStrategy: compose.NewOpenIDConnectStrategy(getKey, config),
			Signer:                     &jwt.DefaultSigner{GetPrivateKey: getKey},
		},
		compose.OAuth2AuthorizeExplicitFactory, compose.OAuth2AuthorizeImplicitFactory, compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2RefreshTokenGrantFactory, compose.OAuth2ResourceOwnerPasswordCredentialsFactory,
		compose.OpenIDConnectExplicitFactory, compose.OpenIDConnectImplicitFactory, compose.OpenIDConnectHybridFactory, compose.OpenIDConnectRefreshFactory,
		compose.OAuth2TokenIntrospectionFactory, compose.OAuth2TokenRevocationFactory, compose.OAuth2PKCEFactory, compose.PushedAuthorizeHandlerFactory,
	)
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", s.authorize)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /consent", s.consent)
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/introspect", s.introspect)
	mux.HandleFunc("/revoke", s.revoke)
	mux.HandleFunc("/par", s.par)
	mux.HandleFunc("/resource", s.resource)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
	fmt.Println("listening on", issuer)
	return http.ListenAndServe("127.0.0.1:"+port, mux)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: fosite PORT")
	}
	log.Fatal(run(os.Args[1]))
}
