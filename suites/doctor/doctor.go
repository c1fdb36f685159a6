// Package doctor finds what is wrong with the set-up of a run before anything is judged: endpoints that do not answer, clients
// whose credentials are refused, redirection URIs that are not registered, a login that does not succeed, a protected
// resource that does not take the tokens. Each problem comes with what to do about it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// State is what became of an examination.
type State string

// The states.
const (
	OK      State = "ok"
	Problem State = "problem" // keeps checks from being made
	Note    State = "note"    // worth knowing; checks can be made
	Absent  State = "absent"  // not configured and not needed for a run
)

// Finding is the outcome of one examination.
type Finding struct {
	Subject string `json:"subject"` // "metadata", "token endpoint", "clients.primary"
	State   State  `json:"state"`
	Says    string `json:"says"`
	Fix     string `json:"fix,omitempty"` // what to do about a problem
}

// Examine looks at everything that the target file (or the flags) tells of a target. It sends requests that a working set-up
// answers, and one login for each redirection URI. An error means that the context ended or the configuration is of no
// use; what is wrong with the target is a finding.
func Examine(ctx context.Context, cfg suites.Config) ([]Finding, error) {
	if cfg.Transport != nil {
		cfg.Target.Transport = cfg.Transport
	}
	e := &examination{ctx: ctx}
	info, err := target.Discover(ctx, cfg.Target)
	if err != nil {
		says, fix := err.Error(), "correct the target file or the flags"
		var trouble *target.DiscoveryError
		if errors.As(err, &trouble) {
			says, fix = trouble.Text, trouble.Fix
			if trouble.URL != "" && !strings.Contains(says, trouble.URL) {
				says = trouble.URL + ": " + says
			}
		}
		e.problem("target", says, fix)
		return e.findings, ctx.Err()
	}
	run, err := target.NewRun(ctx, info, target.RunOptions{Seed: cfg.Seed, Player: cfg.Player})
	if err != nil {
		return nil, err
	}
	defer run.Close()
	e.run, e.info = run, info
	e.metadata()
	e.endpoints()
	e.clients()
	e.tokens()
	e.clean()
	return e.findings, ctx.Err()
}

// Problems counts the findings that keep checks from being made.
func Problems(findings []Finding) int {
	n := 0
	for _, f := range findings {
		if f.State == Problem {
			n++
		}
	}
	return n
}

type examination struct {
	ctx      context.Context
	run      *target.Run
	info     *target.Info
	findings []Finding
	tokenOf  *target.Tokens // of the first grant that worked
}

func (e *examination) add(subject string, state State, says, fix string) {
	e.findings = append(e.findings, Finding{Subject: subject, State: state, Says: says, Fix: fix})
}

func (e *examination) ok(subject, format string, args ...any) {
	e.add(subject, OK, fmt.Sprintf(format, args...), "")
}

func (e *examination) problem(subject, says, fix string) { e.add(subject, Problem, says, fix) }

// clean keeps secrets out of what the findings say: servers quote what they were sent.
func (e *examination) clean() {
	secrets := e.run.Secrets()
	for i := range e.findings {
		for _, s := range secrets {
			if len(s.Value) < 4 {
				continue
			}
			f := &e.findings[i]
			f.Says = strings.ReplaceAll(f.Says, s.Value, "«"+s.Kind+"»")
		}
	}
}

// attempt runs a step with the helpers of package target and returns why it could not be made, "" if it was.
func (e *examination) attempt(name string, step func(as *target.AS)) (why string) {
	defer func() {
		if r := recover(); r != nil {
			stopped, ok := r.(stop)
			if !ok {
				panic(r)
			}
			why = string(stopped)
		}
	}()
	if err := e.ctx.Err(); err != nil {
		return "not examined: " + context.Cause(e.ctx).Error()
	}
	step(e.run.NewAS(e.ctx, "doctor "+name, judge{}))
	return ""
}

// stop unwinds a step of an examination.
type stop string

// judge is the target.Judge of a step: whatever would end a check ends the step.
type judge struct{}

func (judge) Note(string)                         {}
func (judge) Skip(enable, reason string)          { panic(stop(reason)) }
func (judge) Inconclusive(reason string)          { panic(stop(reason)) }
func (judge) Fail(reason string)                  { panic(stop(reason)) }
func (judge) Variant(string, func(gomega.Gomega)) { panic(stop("the doctor has no variants")) }

func (e *examination) metadata() {
	if e.info.Metadata == nil {
		e.add("metadata", Note, "no document at the well-known places; endpoints come from the target file", "")
	} else {
		e.ok("metadata", "found at %s", e.info.Metadata.URL)
		e.clock()
	}
	for _, fact := range e.info.Facts {
		e.add("metadata", Note, fact, "")
	}
}

// skewTolerance is a difference of clocks that no lifetime is shorter than.
const skewTolerance = 30 * time.Second

// clock compares the server's clock with ours, by the Date field of an answer.
func (e *examination) clock() {
	x := e.info.Metadata.Exchange
	if x == nil {
		return
	}
	date, err := http.ParseTime(x.Response.Headers.Get("Date"))
	if err != nil {
		return
	}
	if skew := e.info.Discovered.Sub(date).Abs(); skew > skewTolerance {
		e.add("clock", Note, fmt.Sprintf("the server's clock and this machine's differ by %s: signed tokens and lifetimes may look wrong", skew.Round(time.Second)),
			"set both clocks by a time server")
	}
}

// endpoints sends each endpoint a request without parameters: any answer but 404 means that something is there.
func (e *examination) endpoints() {
	known := e.info.Endpoints
	for _, endpoint := range []struct{ name, method, url string }{
		{"authorization", http.MethodGet, known.Authorization},
		{"token", http.MethodPost, known.Token},
		{"revocation", http.MethodPost, known.Revocation},
		{"introspection", http.MethodPost, known.Introspection},
		{"userinfo", http.MethodGet, known.Userinfo},
		{"jwks", http.MethodGet, known.JWKS},
	} {
		subject := endpoint.name + " endpoint"
		if endpoint.url == "" {
			e.missingEndpoint(endpoint.name)
			continue
		}
		fix := fmt.Sprintf("correct endpoints.%s in the target file, or the server's metadata", endpoint.name)
		var resp *target.Response
		why := e.attempt(subject, func(as *target.AS) {
			req := as.NewRequest(endpoint.method, endpoint.url)
			target.AnyStatus()(req)
			resp = as.Send(req)
		})
		switch {
		case why != "":
			e.problem(subject, endpoint.url+": "+why, fix)
		case resp.Err != nil:
			e.problem(subject, fmt.Sprintf("%s does not answer: %v", endpoint.url, resp.Err), fix)
		case resp.Status == http.StatusNotFound && endpoint.name != "authorization":
			e.problem(subject, fmt.Sprintf("%s answers 404 to %s", endpoint.url, endpoint.method), fix)
		case resp.Status >= 500:
			e.add(subject, Note, fmt.Sprintf("%s answers %d to a request without parameters", endpoint.url, resp.Status), "")
		default:
			e.ok(subject, "%s answers (%d to a request without parameters)", endpoint.url, resp.Status)
		}
	}
}

func (e *examination) missingEndpoint(name string) {
	switch name {
	case "token":
		e.problem("token endpoint", "none is known", "add endpoints: {token: https://…} to the target file")
	case "authorization":
		e.add("authorization endpoint", Absent, "none is known; checks of the authorization code grant are skipped", "add endpoints: {authorization: https://…} if the server has one")
	default:
		e.add(name+" endpoint", Absent, "none is known; its checks are skipped", "")
	}
}

// clients examines every configured client.
func (e *examination) clients() {
	all := e.info.Config.Clients.All()
	if len(all) == 0 {
		e.problem("clients", "no client is configured, so that hardly anything can be tested",
			"register a client at the server and add clients: {primary: {id: …, secret_env: …, redirect_uris: […]}} (or --client-id and so on)")
		return
	}
	for _, client := range all {
		e.client(client)
	}
	if e.info.Config.Clients.Second == nil {
		e.add("clients.second", Absent, "not configured; checks that play two clients are skipped", "add clients: {second: {…}}")
	}
	if e.info.Config.Clients.Public == nil {
		e.add("clients.public", Absent, "not configured; checks of public clients are skipped", "add clients: {public: {…}}")
	}
}

func (e *examination) client(client *target.Client) {
	subject := "clients." + client.Name
	if client.Confidential() && !e.credentials(subject, client) {
		return // nothing else can work
	}
	if client.MayUse("client_credentials") && client.Confidential() && e.info.Has(target.ClientCredentialsGrant) {
		e.clientCredentials(subject, client)
	}
	if !client.MayUse(target.AuthorizationCode) || e.info.Endpoints.Authorization == "" {
		return
	}
	if len(client.RedirectURIs) == 0 {
		if len(client.Grants) > 0 {
			e.problem(subject, "it may use the authorization code grant, but has no redirection URI", fmt.Sprintf("add redirect_uris: […] to %s", subject))
		}
		return
	}
	for _, uri := range client.RedirectURIs {
		e.redirectURI(subject, client, uri)
	}
}

// credentials sends an invented code as the client: any refusal but that of the client itself shows that the server knows
// it. Some servers look at the code first; then the redemption of a real code decides, later.
func (e *examination) credentials(subject string, client *target.Client) bool {
	if e.info.Endpoints.Token == "" {
		return true
	}
	var resp *target.Response
	why := e.attempt(subject, func(as *target.AS) {
		req := as.NewRequest(http.MethodPost, e.info.Endpoints.Token)
		for _, edit := range []target.RequestEdit{
			target.Set("grant_type", target.AuthorizationCode), target.Set("code", as.Random(32)),
			target.Set("redirect_uri", first(client.RedirectURIs, "https://client.example/callback")),
			target.As(client), target.AnyStatus(),
		} {
			edit(req)
		}
		resp = as.Send(req)
	})
	switch {
	case why != "":
		e.problem(subject, why, "see the token endpoint")
		return false
	case resp.Err != nil:
		e.problem(subject, "no answer to a token request: "+resp.Err.Error(), "see the token endpoint")
		return false
	case resp.Status == http.StatusUnauthorized || resp.ErrorCode() == "invalid_client":
		e.problem(subject, fmt.Sprintf("the server refuses its credentials (%s, sent by %s)", answer(resp), client.AuthOrDefault()),
			fmt.Sprintf("compare %s.id and its secret with the registration; if the server wants another method, set %s.auth, for example client_secret_post", subject, subject))
		return false
	}
	e.ok(subject, "its credentials are not refused (%s to an invented code)", answer(resp))
	return true
}

func (e *examination) clientCredentials(subject string, client *target.Client) {
	listed := len(client.Grants) > 0
	why := e.attempt(subject, func(as *target.AS) { e.keep(as.TokensBy(target.ClientCredentials, target.As(client))) })
	switch {
	case why == "":
		e.ok(subject, "gets tokens by client_credentials")
	case listed:
		e.problem(subject, "client_credentials does not work: "+why, fmt.Sprintf("allow the grant at the server, or take it out of %s.grants", subject))
	default:
		e.add(subject, Note, "client_credentials does not work: "+why, fmt.Sprintf("list what it may use in %s.grants", subject))
	}
}

// redirectURI plays a whole authorization code grant with one redirection URI.
func (e *examination) redirectURI(subject string, client *target.Client, uri string) {
	where := subject + " " + uri
	var code *target.Code
	why := e.attempt(where, func(as *target.AS) {
		code = as.Code(target.As(client), target.RedirectURI(uri), target.NoControl())
	})
	if why != "" {
		e.problem(where, "no authorization code: "+why,
			fmt.Sprintf("in this order: register exactly this redirection URI for client %q; see that user and login are right; see that scopes asks for nothing that the client may not have", client.ID))
		return
	}
	why = e.attempt(where, func(as *target.AS) { e.keep(as.TokensOf(as.Redeem(code, target.NoControl()))) })
	if why != "" {
		e.problem(where, "a code is delivered, but it yields no tokens: "+why,
			fmt.Sprintf("compare %s.id, its secret and auth with the registration; see that the client may use the authorization_code grant", subject))
		return
	}
	e.ok(where, "login, code and tokens work")
}

// keep remembers the first tokens for later steps.
func (e *examination) keep(tokens *target.Tokens) {
	if e.tokenOf == nil {
		e.tokenOf = tokens
	}
}

// tokens examines what tokens are good for.
func (e *examination) tokens() {
	if e.tokenOf == nil {
		e.problem("grants", "no grant yields tokens, so that hardly anything can be tested", "put the problems above right first")
		return
	}
	if !e.info.Has(target.ProtectedResource) {
		e.add("resource", Absent, "none is known; checks of protected resources are skipped", "add resource: {url: https://…}")
		return
	}
	var resp *target.Response
	why := e.attempt("resource", func(as *target.AS) {
		tokens := e.tokenOf
		if e.info.Config.Resource.URL == "" { // userinfo wants tokens of a user
			tokens = as.TokensBy(target.AuthorizationCode)
		}
		resp = as.Resource(tokens.AccessToken, target.AnyStatus())
	})
	fix := "correct resource.url and resource.scopes (what its tokens need) in the target file"
	switch {
	case why != "":
		e.add("resource", Note, "not examined: "+why, fix)
	case resp.Err != nil:
		e.problem("resource", "no answer: "+resp.Err.Error(), fix)
	case !resp.Success():
		e.problem("resource", fmt.Sprintf("it refuses a fresh access token: %s", answer(resp)), fix)
	default:
		e.ok("resource", "takes a fresh access token (%d)", resp.Status)
	}
}

// answer names a response by status and error code.
func answer(resp *target.Response) string {
	text := fmt.Sprintf("%d %s", resp.Status, http.StatusText(resp.Status))
	if code := resp.ErrorCode(); code != "" {
		text += " " + code
	}
	return text
}

func first(list []string, fallback string) string {
	if len(list) > 0 {
		return list[0]
	}
	return fallback
}
