package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/login"
)

// Run is the state of one run against one target that all checks share: transport, controls, secrets, counters. It is
// safe for concurrent use.
type Run struct {
	ctx       context.Context // outlives single checks
	info      *Info
	seed      int64
	player    login.Player
	transport http.RoundTripper
	owned     *network // that Close closes; nil where the target file's owner brought a transport
	limiter   *rate.Limiter
	breakers  *breakers
	requests  atomic.Int64
	failed    atomic.Int64 // answered by 5xx or 429, or not at all
	silent    atomic.Int64 // not answered in time
	serial    atomic.Int64
	lost      func(error)
	home      string   // the origin without which there is nothing to test
	origins   []string // of the authorization server's own pages
	resources []string // origins of protected resources, which get tokens and nothing else

	baselines  memo[baselineKey, *baseline]
	guards     memo[string, bool]
	challenges memo[challengeKey, *challengeTrial]
	sources    memo[string, *source]
	samples    samples
	skipped    atomic.Int64 // what Config.Sleep skipped of real time, in nanoseconds
	resource   resourceGrant
	earlier    struct {
		once sync.Once
		end  bool
	}

	mu         sync.Mutex
	secrets    map[Secret]bool
	clientWays map[*Client]ways
	issuedTo   map[string]*Client // clients by the tokens that they got
	keys       map[*Client]*jose.JSONWebKey
	// wrongCredentials are the failures of the resource owner's login since it succeeded last.
	wrongCredentials []error
	ownerSignedIn    bool // it has succeeded in this run
}

// RunOptions configure a run.
type RunOptions struct {
	Seed int64
	// Player plays the resource owner; nil means one that the target file's login and user sections configure.
	Player login.Player
	// Lost is called when the target does not answer any more, with what it was asked last. It may be called again.
	Lost func(error)
}

// Secret is a value that must not reach a report, with the name of the parameter that it is known by.
type Secret = reports.Secret

// NewRun starts a run against a target. ctx bounds everything that outlives a single check (shared controls).
func NewRun(ctx context.Context, info *Info, options RunOptions) (*Run, error) {
	if info == nil {
		return nil, errors.New("a run needs what discovery found (Info)")
	}
	config := &info.Config
	config.Clients.name()
	transport, err := NewTransport(config)
	if err != nil {
		return nil, err
	}
	run := &Run{
		ctx: ctx, info: info, seed: options.Seed, player: options.Player, lost: options.Lost, transport: wire{transport}, breakers: &breakers{},
		secrets: map[Secret]bool{}, clientWays: map[*Client]ways{}, issuedTo: map[string]*Client{}, keys: map[*Client]*jose.JSONWebKey{},
	}
	if config.Transport == nil {
		run.owned, _ = transport.(*network)
	}
	if config.Rate > 0 {
		run.limiter = rate.NewLimiter(rate.Limit(config.Rate), max(1, int(config.Rate)))
	}
	for _, u := range append(info.Endpoints.all(), append([]string{info.Issuer, config.Target}, config.Login.Origins...)...) {
		if o := login.Origin(u); o != "" && !slices.Contains(run.origins, o) {
			run.origins = append(run.origins, o)
		}
	}
	run.home = login.Origin(cmp.Or(info.Endpoints.Token, info.Endpoints.Authorization, config.Target))
	if o := login.Origin(config.Resource.URL); o != "" {
		run.resources = append(run.resources, o)
	}
	for _, client := range config.Clients.All() {
		run.AddSecret("client_secret", client.Secret)
	}
	run.AddSecret("password", config.User.Password)
	if run.player == nil {
		if run.player, err = run.newPlayer(nil); err != nil {
			return nil, err
		}
	}
	return run, nil
}

// Again starts another run against the same target, with values of its own. It does not try again what the first found gone.
func (run *Run) Again(ctx context.Context, options RunOptions) (*Run, error) {
	again, err := NewRun(ctx, run.info, options)
	if err == nil {
		again.breakers = run.breakers
		if run.earlier.end {
			again.controls()
		}
	}
	return again, err
}

// newPlayer plays the resource owner as the target file says, with further fields filled in.
func (run *Run) newPlayer(fields map[string]string) (login.Player, error) {
	config := run.info.Config
	all := map[string]string{}
	for _, set := range []map[string]string{fields, config.Login.Fields} {
		for name, value := range set {
			all[name] = value
		}
	}
	return login.New(login.Options{
		Method: config.Login.Method, Username: config.User.Username, Password: config.User.Password, Fields: all,
		Approve: config.Login.Approve, Deny: config.Login.Deny, Origins: run.origins,
	})
}

// Close frees connections.
func (run *Run) Close() {
	if run.owned != nil {
		run.owned.CloseIdleConnections()
	}
}

// Info is what is known of the target.
func (run *Run) Info() *Info { return run.info }

// Requests counts the requests that were sent.
func (run *Run) Requests() int { return int(run.requests.Load()) }

// Failures counts the requests that were answered by 5xx or 429, or not at all.
func (run *Run) Failures() int { return int(run.failed.Load()) }

// Unanswered counts the requests that were not answered within timing.timeout.
func (run *Run) Unanswered() int { return int(run.silent.Load()) }

// Transport is the bounded transport of the run; what it sends is not recorded.
func (run *Run) Transport() http.RoundTripper { return run.transport }

// unique is a value that no other call of this run, nor another run at another time, returns.
func (run *Run) unique() string {
	return strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.FormatInt(run.serial.Add(1), 36)
}

// AddSecret keeps a value out of reports.
func (run *Run) AddSecret(kind, value string) {
	if value == "" {
		return
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	run.secrets[Secret{Kind: kind, Value: value}] = true
}

// Secrets are the values that the run knew or was issued, in no particular order.
func (run *Run) Secrets() []Secret {
	run.mu.Lock()
	defer run.mu.Unlock()
	out := make([]Secret, 0, len(run.secrets))
	for s := range run.secrets {
		out = append(out, s)
	}
	return out
}

// clientOf is the client that a token was issued to in this run; nil if unknown.
func (run *Run) clientOf(token string) *Client {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.issuedTo[token]
}

// issuedMembers are the members and parameters that hand out secrets.
var issuedMembers = []string{"access_token", "refresh_token", "id_token", "code", "device_code", "user_code", "client_secret",
	"registration_access_token", "request_uri"}

// collectSecrets keeps what a response issues out of reports, and remembers to whom it was issued.
func (run *Run) collectSecrets(resp *Response) {
	if members, err := resp.JSON(); err == nil {
		for _, name := range issuedMembers {
			if s, ok := members[name].(string); ok {
				run.AddSecret(name, s)
			}
		}
		for _, name := range []string{"access_token", "refresh_token"} {
			if token, ok := members[name].(string); ok && resp.Request.grant != "" {
				run.mu.Lock()
				run.issuedTo[token] = resp.Request.client
				run.mu.Unlock()
			}
		}
	}
	if u, err := url.Parse(resp.Header.Get("Location")); err == nil {
		for _, p := range append(parseForm(u.RawQuery), parseForm(u.EscapedFragment())...) {
			if slices.Contains(issuedMembers, p.Name) {
				run.AddSecret(p.Name, p.Value)
			}
		}
	}
}

// Has reports whether the target has a capability. Grants, refresh tokens and PKCE that are only likely are tried once.
func (run *Run) Has(capability Capability) bool {
	run.mu.Lock()
	state := run.info.Detection(capability).State
	run.mu.Unlock()
	if state != Likely {
		return state == Available
	}
	found, because, tried := run.try(capability)
	if !tried {
		return true
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	run.info.Settle(capability, found, because)
	return found
}

// Settle tries what is only likely so that a plan can rely on it: the grants that tokens come from, refresh tokens, the
// implicit grant, a consent page, PKCE, the form of access tokens.
func (run *Run) Settle(ctx context.Context) error {
	for _, capability := range []Capability{AuthorizationCode, ClientCredentialsGrant, PasswordGrant, RefreshTokenGrant,
		AnyTokenGrant, ImplicitGrant, UserConsent, PKCE, JWTAccessToken, TokenExchange} {
		if ctx.Err() != nil {
			return fmt.Errorf("trying what the target can do: %w", context.Cause(ctx))
		}
		run.Has(capability)
	}
	return nil
}

// try finds out by trial whether the target has a capability; tried is false where there is no trial for it.
func (run *Run) try(capability Capability) (found bool, because string, tried bool) {
	grant := func(g Grant) (bool, string, bool) {
		b := run.grantBaseline(g, run.info.Config.ClientFor(g.Type()))
		if b.issued {
			return true, "a trial issued a token", true
		}
		return false, "a trial failed: " + b.why, true
	}
	switch capability {
	case AuthorizationCode, TokenExchange:
		return grant(Grant(capability))
	case ClientCredentialsGrant:
		return grant(ClientCredentials)
	case PasswordGrant:
		return grant(Password)
	case RefreshTokenGrant:
		return grant(RefreshToken)
	case AnyTokenGrant:
		var why string
		for _, g := range tokenGrants {
			client := run.info.Config.ClientFor(g.Type())
			if client == nil || !run.Has(Capability(g)) {
				continue
			}
			found, because, _ := grant(g)
			if found {
				return true, "a trial of " + string(g) + " issued a token", true
			}
			why = "; " + string(g) + ": " + because
		}
		return false, "no grant works" + why, true
	case ImplicitGrant:
		b := run.authorizeBaseline(run.info.Config.ClientFor("implicit"), "token")
		if b.issued {
			return true, "a trial issued a token", true
		}
		return false, "a trial failed: " + b.why, true
	case UserConsent:
		return run.tryConsent()
	case PKCE:
		return run.tryPKCE()
	case JWTAccessToken:
		return run.tryJWTAccessToken()
	}
	return false, "", false
}

// tryJWTAccessToken looks at the access token of the cheapest grant.
func (run *Run) tryJWTAccessToken() (found bool, because string, tried bool) {
	why := attempt(func() {
		found = JWTHeader(run.NewAS(run.ctx, "trial of access tokens", silent{}).Tokens().AccessToken) != nil
	})
	switch {
	case why != "":
		return false, "a trial failed: " + why, true
	case found:
		return true, "a trial issued a JWT", true
	}
	return false, "a trial issued an access token that is no JWT", true
}

// tryConsent looks whether an ordinary authorization request leads to a consent page. A server need not have one: the
// decision may be established by other means (RFC 6749 section 4.1.1).
func (run *Run) tryConsent() (found bool, because string, tried bool) {
	why := attempt(func() {
		a := run.NewAS(run.ctx, "trial of consent", silent{}).Authorize(NoControl())
		found, because = a.ConsentShown, "a trial showed a consent page"
		if !found {
			because = "a trial showed no consent page"
		}
	})
	if why != "" {
		return false, "a trial failed: " + why, true
	}
	return found, because, true
}

// tryPKCE redeems a code with a wrong code_verifier: a target that supports PKCE refuses.
func (run *Run) tryPKCE() (found bool, because string, tried bool) {
	if b := run.grantBaseline(AuthorizationCode, run.info.Config.ClientFor(AuthorizationCode)); !b.issued {
		return false, "the authorization code grant does not work: " + b.why, true
	}
	why := attempt(func() {
		as := run.NewAS(run.ctx, "trial of PKCE", silent{})
		code := as.Code(NoControl())
		if code.Verifier == "" {
			because = "codes are issued only without PKCE parameters"
			return
		}
		found = !as.Redeem(code, Set("code_verifier", as.Verifier()), NoControl()).IssuesToken()
		because = "a trial redeemed a code with a wrong code_verifier"
		if found {
			because = "a trial with a wrong code_verifier was refused"
		}
	})
	if why != "" {
		return false, "a trial failed: " + why, true
	}
	return found, because, true
}

// sleep waits for a lifetime: through the target's hook (tests move a clock), else in real time.
func (run *Run) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if hook := run.info.Config.Sleep; hook != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := hook(d); err != nil {
			return err
		}
		run.skipped.Add(int64(d))
		return nil
	}
	return sleepReal(ctx, d)
}

// Now is the time on the target's clock as far as the tester can know: the tester's own, and what waiting skipped.
func (as *AS) Now() time.Time { return as.run.now() }

func (run *Run) now() time.Time { return time.Now().Add(time.Duration(run.skipped.Load())) }
