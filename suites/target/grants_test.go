package target

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestGrantsThatWorkCheapestFirst(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		want := []Grant{ClientCredentials, Password, AuthorizationCode, RefreshToken}
		if got := as.Grants(); !slices.Equal(got, want) {
			t.Errorf("Grants() = %v, want %v", got, want)
		}
	})
}

func TestEveryGrantIssuesTokens(t *testing.T) {
	run := newRun(t, newServer(t).config())
	for _, grant := range []Grant{ClientCredentials, Password, AuthorizationCode, RefreshToken, TokenExchange} {
		as := mustPass(t, run, func(as *AS) {
			tokens := as.TokensBy(grant)
			if tokens.AccessToken == "" || tokens.Grant != grant || tokens.Client != as.Primary() || tokens.ExpiresIn.Hours() != 1 {
				t.Errorf("%s: %+v", grant, tokens)
			}
			if alive, how := as.Alive(tokens.AccessToken); !alive || how != "the protected resource" {
				t.Errorf("%s: alive %v by %s", grant, alive, how)
			}
		})
		if x := as.Exchanges(); len(x) < 2 || !x[0].Control {
			t.Errorf("%s: the evidence does not begin with the control", grant)
		}
	}
}

func TestControlsAreTriedOncePerRun(t *testing.T) {
	s := newServer(t)
	run := newRun(t, s.config())
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			mustPass(t, run, func(as *AS) { as.Token(Set("extra", "1")) })
		})
	}
	wg.Wait()
	if n := s.count("POST /token"); n != 11 {
		t.Errorf("%d token requests, want one control and 10 probes", n)
	}
}

func TestNegativeProbeNeedsAControlThatIssuesAToken(t *testing.T) {
	s := newServer(t)
	s.token = func(w http.ResponseWriter, r *http.Request) bool {
		s.json(w, 200, map[string]any{"token_type": "Bearer"})
		return true
	}
	config := s.config()
	config.User = User{}
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		if r := as.TokenBy(ClientCredentials); r.Status != 200 || r.IssuesToken() {
			t.Errorf("status %d", r.Status)
		}
	})
	mustEnd(t, run, "inconclusive", "control failed", func(as *AS) { as.TokenBy(ClientCredentials, Omit("grant_type")) })
	mustEnd(t, run, "inconclusive", "no access token was issued", func(as *AS) { as.TokensBy(ClientCredentials) })
}

func TestNoGrantWorks(t *testing.T) {
	s := newServer(t)
	s.token = func(w http.ResponseWriter, r *http.Request) bool {
		s.json(w, 400, map[string]any{"error": "unsupported_grant_type"})
		return true
	}
	run := newRun(t, s.config())
	mustEnd(t, run, "inconclusive", "unsupported_grant_type", func(as *AS) { as.Token() })
}

func TestBasicCredentialsThatTheServerDoesNotDecode(t *testing.T) {
	s := newServer(t)
	s.decodesBasic = false
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) { as.Tokens() })
}

func TestPKCEIsLeftOutWhereItIsRefusedAndSentWhereItIsDemanded(t *testing.T) {
	for name, set := range map[string]func(*server){
		"refused": func(s *server) { s.rejectPKCE = true }, "demanded": func(s *server) { s.requirePKCE = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			set(s)
			run := newRun(t, s.config())
			mustPass(t, run, func(as *AS) {
				code := as.Code()
				if (code.Verifier == "") != (name == "refused") {
					t.Errorf("verifier %q", code.Verifier)
				}
				if r := as.Redeem(code); !r.IssuesToken() {
					t.Errorf("redeem: %s", r.outcome())
				}
				if got := as.Has(PKCE); got != (name == "demanded") {
					t.Errorf("Has(PKCE) = %v", got)
				}
			})
		})
	}
}

func TestScopeIsLeftOutWhereItIsRefused(t *testing.T) {
	s := newServer(t)
	s.noScope = true
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) {
		if code := as.Code(); code.Scope != "" {
			t.Errorf("scope %q", code.Scope)
		}
	})
}

func TestRefreshTokenOnlyForOfflineAccess(t *testing.T) {
	s := newServer(t)
	s.offlineRequired = true
	config := s.config()
	config.Scopes = []string{"openid", "offline_access"}
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		tokens := as.Refreshable()
		if r := as.Refresh(tokens); !r.IssuesToken() {
			t.Errorf("refresh: %s", r.outcome())
		}
	})
}

func TestAnotherClientNeedsAControlOfItsOwn(t *testing.T) {
	s := newServer(t)
	config := s.config()
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		if r := as.Redeem(as.Code(), As(as.Second())); r.ErrorCode() != "invalid_grant" || r.IssuesToken() {
			t.Errorf("redeemed by another client: %s", r.outcome())
		}
	})
	config.Clients.Second = &Client{ID: "second", Secret: "not-the-secret", RedirectURIs: []string{"https://client.example/cb"}}
	run = newRun(t, config)
	mustEnd(t, run, "inconclusive", "clients.second", func(as *AS) { as.Redeem(as.Code(), As(as.Second())) })
}

func TestAsPlaysInTheWholeGrant(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		tokens := as.TokensBy(AuthorizationCode, As(as.Public()))
		if tokens.Client != as.Public() || tokens.Code.Client != as.Public() {
			t.Errorf("client %v", tokens.Client)
		}
		if r := as.Refresh(tokens); !r.IssuesToken() {
			t.Errorf("refresh: %s", r.outcome())
		}
	})
}

func TestWithoutPKCEInTheWholeGrant(t *testing.T) {
	run := newRun(t, newServer(t).config())
	mustPass(t, run, func(as *AS) {
		tokens := as.TokensBy(AuthorizationCode, WithoutPKCE())
		if tokens.Code.Verifier != "" || tokens.Code.Authorization.Sent.Has("code_challenge") {
			t.Error("PKCE parameters were sent")
		}
	})
}

func TestIntrospectableTokens(t *testing.T) {
	s := newServer(t)
	hidden := true
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, _, _ := r.BasicAuth(); r.URL.Path == "/introspect" && hidden && id != "second" {
			s.json(w, 200, map[string]any{"active": false})
			return
		}
		inner.ServeHTTP(w, r)
	})
	config := s.config()
	config.Clients.Service = &Client{ID: "second", Secret: secondSecret, Grants: []string{"client_credentials"}}
	config.Introspection.Client = "service"
	config.Endpoints.Userinfo = ""
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		tokens := as.IntrospectableTokens()
		if tokens.Client.ID != "second" {
			t.Errorf("client %s", tokens.Client.ID)
		}
		if alive, how := as.Alive(tokens.AccessToken); !alive || how != "introspection" {
			t.Errorf("alive %v by %s", alive, how)
		}
	})
	config.Introspection.Client = ""
	run = newRun(t, config)
	mustPass(t, run, func(as *AS) {
		if tokens := as.IntrospectableTokens(As(as.Public())); tokens.Client != as.Public() && tokens.Client.ID != "second" {
			t.Errorf("client %s", tokens.Client.ID)
		}
	})
}

// Userinfo wants tokens for a user; where introspection tells of any token, that is asked.
func TestAliveWhereUserinfoWantsOpenID(t *testing.T) {
	s := newServer(t)
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/userinfo" {
			s.json(w, 401, map[string]any{"error": "invalid_token"})
			return
		}
		inner.ServeHTTP(w, r)
	})
	run := newRun(t, s.config())
	run.info.Metadata = &Metadata{Members: map[string]any{"scopes_supported": []any{"openid", "read"}}}
	run.info.Detect()
	mustPass(t, run, func(as *AS) {
		if alive, how := as.Alive(as.TokensBy(ClientCredentials).AccessToken); !alive || how != "introspection" {
			t.Errorf("alive %v by %s", alive, how)
		}
	})
}

func TestControlAgain(t *testing.T) {
	s := newServer(t)
	run := newRun(t, s.config())
	mustPass(t, run, func(as *AS) { as.ControlAgain(ClientCredentials) })
	s.token = func(w http.ResponseWriter, r *http.Request) bool {
		s.json(w, 401, map[string]any{"error": "invalid_client"})
		return true
	}
	mustEnd(t, run, "inconclusive", "at the end", func(as *AS) { as.ControlAgain(ClientCredentials) })
}

func TestDialect(t *testing.T) {
	s := newServer(t)
	s.wrap = "$data"
	config := s.config()
	config.Dialect.TokenResponse.Unwrap = "$data"
	config.Dialect.Error.Codes = map[string]string{"invalid_grant": "invalid_request"}
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		r := as.Token()
		if r.String("access_token") == "" || !r.IssuesToken() {
			t.Errorf("not unwrapped: %s", r.Body)
		}
		if raw, err := r.RawJSON(); err != nil || raw["access_token"] != nil || raw["$data"] == nil {
			t.Errorf("RawJSON() = %v, %v", raw, err)
		}
		if code := as.TokenBy(AuthorizationCode, Set("code", "wrong")).ErrorCode(); code != "invalid_request" {
			t.Errorf("error code %q", code)
		}
	})
}

func TestJSONRequests(t *testing.T) {
	s := newServer(t)
	var body, media string
	s.token = func(w http.ResponseWriter, r *http.Request) bool {
		buf := make([]byte, 1000)
		n, _ := r.Body.Read(buf)
		body, media = string(buf[:n]), r.Header.Get("Content-Type")
		s.json(w, 200, map[string]any{"access_token": s.issueAccess()})
		return true
	}
	config := s.config()
	config.Clients.Primary.Auth = Post
	config.Clients.Primary.Secret = `quote" \ & <`
	config.Dialect.RequestFormat = "json"
	config.TokenParams = map[string]string{"realm": "r"}
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) { as.TokenBy(ClientCredentials, Scope("")) })
	if want := `{"grant_type":"client_credentials","realm":"r","client_id":"web","client_secret":"quote\" \\ & <"}`; body != want || media != "application/json" {
		t.Errorf("sent %s as %s", body, media)
	}
}

func TestSecretsAreKnown(t *testing.T) {
	run := newRun(t, newServer(t).config())
	var tokens *Tokens
	mustPass(t, run, func(as *AS) { tokens = as.TokensBy(AuthorizationCode) })
	known := map[string]bool{}
	for _, s := range run.Secrets() {
		known[s.Value] = true
	}
	for _, s := range []string{webSecret, "wonderland", tokens.AccessToken, tokens.RefreshToken, tokens.Code.Value, tokens.Code.Verifier} {
		if !known[s] {
			t.Errorf("%q is not among the secrets", s)
		}
	}
}

func TestSettleDecidesWhatIsLikely(t *testing.T) {
	run := newRun(t, newServer(t).config())
	if err := run.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Capability{AuthorizationCode, ClientCredentialsGrant, PasswordGrant, RefreshTokenGrant, AnyTokenGrant, PKCE, UserConsent} {
		if d := run.Info().Detection(c); d.State != Available || !strings.Contains(d.Because, "trial") {
			t.Errorf("%s: %s because %s", c, d.State, d.Because)
		}
	}
	if d := run.Info().Detection(JWTAccessToken); d.State != Missing {
		t.Errorf("%s: %s because %s", d.Capability, d.State, d.Because)
	}
}

func TestRandomIsRepeatable(t *testing.T) {
	a, b := newRandom(1, "x"), newRandom(1, "x")
	if x, y := a.letters(40), b.letters(40); x != y || len(x) != 40 {
		t.Errorf("%s and %s", x, y)
	}
	if newRandom(1, "x").letters(40) == newRandom(1, "y").letters(40) || newRandom(1, "x").letters(40) == newRandom(2, "x").letters(40) {
		t.Error("seed and name do not matter")
	}
}
