package doctor

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/login"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

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
	subject := client.Path()
	if client.Confidential() && e.info.Endpoints.Token != "" && !e.credentials(subject, client) {
		return // nothing else can work
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

// probe is a token request that shows what the server makes of a client's credentials, beside what it asks for.
type probe struct {
	name string
	with []target.RequestEdit
}

// probes lists requests for grants that the client may use, the most telling first: one that can succeed, then ones whose
// grant is made up and refused by whoever accepts the client.
func (e *examination) probes(client *target.Client) []probe {
	var out []probe
	if client.MayUse("client_credentials") {
		out = append(out, probe{"client_credentials", []target.RequestEdit{target.Set("grant_type", "client_credentials")}})
	}
	if client.MayUse("refresh_token") && !client.MayUse(target.AuthorizationCode) {
		out = append(out, probe{"a made-up refresh token", []target.RequestEdit{
			target.Set("grant_type", "refresh_token"), target.Set("refresh_token", madeUp)}})
	}
	return append(out, probe{"a made-up code", []target.RequestEdit{
		target.Set("grant_type", target.AuthorizationCode), target.Set("code", madeUp),
		target.Set("redirect_uri", first(client.RedirectURIs, "https://client.example/callback")), target.Set("code_verifier", strings.Repeat(madeUp, 2))}})
}

const madeUp = "oauthcheck-doctor-made-this-up"

// ask sends a probe as a client.
func (e *examination) ask(p probe, client *target.Client, more ...target.RequestEdit) (resp *target.Response, why string) {
	why = e.attempt("credentials", func(as *target.AS) {
		req := as.NewRequest(http.MethodPost, e.info.Endpoints.Token).Apply(p.with...)
		if p.name == "client_credentials" {
			if scope := as.UsualScope(target.ClientCredentials, client); scope != "" { // some servers demand it (RFC 6749 section 3.3)
				req.Apply(target.Set("scope", scope))
			}
		}
		for name, value := range e.info.Config.TokenParams {
			req.Apply(target.Set(name, value))
		}
		if e.info.Config.Dialect.RequestFormat == "json" {
			req.Apply(target.JSONBody())
		}
		resp = as.Send(req.Apply(target.As(client), target.AnyStatus()).Apply(more...))
	})
	if why == "" && resp.Err != nil {
		why = resp.Err.Error()
	}
	return resp, why
}

// refusesClient reports whether a response refuses the client itself, and not what it asks for (RFC 6749 section 5.2).
func refusesClient(resp *target.Response) bool {
	return !resp.Success() && (resp.Status == http.StatusUnauthorized || resp.ErrorCode() == "invalid_client")
}

// credentials finds out whether the server accepts the client's credentials and, as the control of that, refuses wrong
// ones. It reports false if nothing else can work with the client.
func (e *examination) credentials(subject string, client *target.Client) bool {
	probes := e.probes(client)
	var right *target.Response
	var used probe
	for _, used = range probes {
		var why string
		if right, why = e.ask(used, client); why != "" {
			e.problem(subject, "no answer to a token request: "+why, "see the token endpoint")
			return false
		}
		// Some servers refuse a client by invalid_client that only may not use the grant: the next probe tells.
		if !refusesClient(right) {
			break
		}
	}
	if refusesClient(right) {
		return e.refused(subject, client, used, right)
	}
	if right.Success() && right.String("access_token") != "" {
		e.keep(&target.Tokens{AccessToken: right.String("access_token"), Grant: target.ClientCredentials, Client: client, Response: right})
	}
	e.control(subject, client, used, right)
	e.grantRefused(subject, client, used, right)
	return true
}

// control sends the request once more with a wrong secret.
func (e *examination) control(subject string, client *target.Client, used probe, right *target.Response) {
	verdict := "its credentials are accepted"
	if !right.Success() {
		verdict = fmt.Sprintf("its credentials are not refused (%s to %s)", answer(right), used.name)
	}
	if client.Secret == "" {
		e.ok(subject, "%s", verdict)
		return
	}
	wrong, why := e.ask(used, wrongSecret(client))
	switch {
	case why != "":
		e.add(subject, Note, verdict+"; with a wrong secret the server does not answer: "+why, "")
	case wrong.Success():
		e.add(subject, Note, fmt.Sprintf("%s, and so is a wrong secret (%s to %s): the server does not verify it", verdict, answer(wrong), used.name), "")
	case right.Success(), refusesClient(wrong):
		e.ok(subject, "%s, a wrong secret is refused (%s)", verdict, answer(wrong))
	default:
		e.ok(subject, "%s; a wrong secret gets the same kind of answer, so that only a working grant can prove them", verdict)
	}
}

// wrongSecret is the client with another secret, as long as its own at least: one that signs must not be too short for that.
func wrongSecret(client *target.Client) *target.Client {
	wrong := *client
	half := len(client.Secret) / 2
	wrong.Secret = "wrong-" + client.Secret[:half] + strings.Repeat("x", len(client.Secret)-half)
	return &wrong
}

// grantRefused says that the client may not use client_credentials, where that was tried.
func (e *examination) grantRefused(subject string, client *target.Client, used probe, right *target.Response) {
	if used.name != "client_credentials" || right.Success() {
		return
	}
	says := fmt.Sprintf("client_credentials does not work: %s", answer(right))
	switch {
	case right.ErrorCode() == "invalid_scope" && len(client.Grants) == 0:
		e.add(subject, Note, says, fmt.Sprintf("list what the client may use in %s.grants, and what it may ask for in %s.scopes", subject, subject))
	case right.ErrorCode() == "invalid_scope":
		e.problem(subject, says, fmt.Sprintf("see which scopes the client may ask for, and list them in %s.scopes", subject))
	case len(client.Grants) > 0:
		e.problem(subject, says, fmt.Sprintf("allow the client the grant at the server, or take it out of %s.grants", subject))
	default:
		e.add(subject, Note, says, fmt.Sprintf("list what the client may use in %s.grants", subject))
	}
}

// refused finds out why credentials are refused: by another way of sending them, and by comparison with what the server
// says to a wrong secret and to a client that does not exist.
func (e *examination) refused(subject string, client *target.Client, used probe, right *target.Response) bool {
	for _, method := range []target.AuthMethod{target.Basic, target.Post} {
		if method == client.AuthOrDefault() || client.Secret == "" {
			continue
		}
		other := *client
		other.Auth = method
		if resp, why := e.ask(used, &other); why == "" && !refusesClient(resp) {
			e.problem(subject, fmt.Sprintf("the server refuses its credentials sent by %s, but not by %s", client.AuthOrDefault(), method),
				fmt.Sprintf("set %s.auth: %s", subject, method))
			return false
		}
	}
	stranger := *client
	stranger.ID = "oauthcheck-no-such-client"
	unknown, why := e.ask(used, &stranger)
	known := why == "" && answer(unknown) != answer(right) || e.knownAtAuthorization(client, &stranger)
	says := fmt.Sprintf("the server refuses its credentials, sent by %s: %s", client.AuthOrDefault(), answer(right))
	switch {
	case known:
		e.problem(subject, says+"; it knows the client", fmt.Sprintf("correct %s.secret; if the secret is right, see that the client may authenticate by %s and use the token endpoint", subject, client.AuthOrDefault()))
	default:
		e.problem(subject, says+", as it does for a client that does not exist", fmt.Sprintf("compare %s.id, then its secret, with the registration", subject))
	}
	return false
}

// knownAtAuthorization reports whether the authorization endpoint treats the client otherwise than one that does not
// exist: the one gets to a login page or is redirected, the other is refused.
func (e *examination) knownAtAuthorization(client, stranger *target.Client) bool {
	if e.info.Endpoints.Authorization == "" || len(client.RedirectURIs) == 0 {
		return false
	}
	goesOn := func(c *target.Client) (on bool) {
		why := e.attempt("authorization endpoint", func(as *target.AS) {
			a := as.NewBrowser().Open(as.NewRequest(http.MethodGet, e.info.Endpoints.Authorization).Apply(
				target.ParamsInQuery(), target.Set("response_type", "code"), target.Set("client_id", c.ID),
				target.Set("redirect_uri", client.RedirectURIs[0]), target.Set("state", as.State()),
				target.AnyStatus(), target.StopAtPage()))
			on = a.Error() == "" && (a.Location != "" || a.Page != nil && a.Page.Success())
		})
		return on && why == ""
	}
	return goesOn(client) && !goesOn(stranger)
}

// stuck reports whether the resource owner cannot sign in, and says so when that shows.
func (e *examination) stuck() bool {
	err := e.run.OwnerStuck()
	if err != nil && !e.stuckTold {
		e.stuckTold = true
		e.problem("user", "cannot sign in: "+err.Error(), "sign in as this user with a browser, and compare")
	}
	return err != nil
}

// redirectURI plays a whole authorization code grant with one redirection URI.
func (e *examination) redirectURI(subject string, client *target.Client, uri string) {
	where := subject + " " + uri
	var a *target.Authorization
	why := e.attempt(where, func(as *target.AS) {
		a = as.Authorize(target.As(client), target.RedirectURI(uri), target.NoControl(), target.AnyStatus())
	})
	switch {
	case why != "" && e.stuck():
		e.add(where, Absent, "not examined, because the user cannot sign in", "")
		return
	case why != "":
		e.problem(where, "no authorization code: "+why, "see that user and login are right, by signing in with a browser if need be")
		return
	}
	var code *target.Code
	if why = e.attempt(where, func(as *target.AS) { code = as.CodeOf(a) }); why != "" {
		if insecure(uri) && slices.ContainsFunc(client.RedirectURIs, func(u string) bool { return !insecure(u) }) {
			e.add(where, Note, "no code for an http URI of another host, which a server should refuse (RFC 6749 section 10.5): "+why, "")
			return
		}
		if client == e.info.Config.Clients.Implicit && len(client.Grants) == 0 && (a.Error() == "unauthorized_client" || a.Error() == "unsupported_response_type") {
			e.ok(where, "the server knows it; this client may not use the authorization code grant")
			return
		}
		e.problem(where, "no authorization code: "+why, e.authorizationFix(subject, client, a, uri))
		return
	}
	var tokens *target.Tokens
	why = e.attempt(where, func(as *target.AS) { tokens = as.TokensOf(as.Redeem(code, target.NoControl())) })
	if why != "" {
		says := "a code is delivered, but it yields no tokens: " + why
		if method := e.otherMethod(client, uri); method != "" {
			e.problem(where, fmt.Sprintf("%s; it does where the client's credentials are sent by %s", says, method), fmt.Sprintf("set %s.auth: %s", subject, method))
			return
		}
		e.problem(where, says,
			fmt.Sprintf("compare %s.id, its secret and auth with the registration; see that the client may use the authorization_code grant", subject))
		return
	}
	e.keep(tokens)
	if e.userOf == nil {
		e.userOf = tokens
	}
	steps := "code and tokens work"
	if a.ConsentShown {
		steps = "consent, " + steps
	}
	if a.LoginShown {
		steps = "login, " + steps
	}
	// The helpers find out by trial what the server wants; a person should know what they had to leave out.
	wanted := client.Scopes
	if len(wanted) == 0 {
		wanted = e.info.Config.Scopes
	}
	switch {
	case len(wanted) > 0 && a.Sent.Get("scope") == "":
		e.add(where, Note, steps+", but only without a scope: the server refuses "+strings.Join(wanted, " "),
			fmt.Sprintf("take out of scopes what the client may not ask for, or list what it may in %s.scopes", subject))
	case a.Sent.Get("code_challenge") == "":
		e.add(where, Note, steps+", but only without PKCE: checks of it are skipped", "")
	default:
		e.ok(where, "%s", steps)
	}
}

// insecure reports whether a redirection URI takes codes over the network without TLS.
func insecure(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// otherMethod is another way of sending the client's password by which a code yields tokens; "" if there is none.
func (e *examination) otherMethod(client *target.Client, uri string) target.AuthMethod {
	for _, method := range []target.AuthMethod{target.Basic, target.Post} {
		if method == client.AuthOrDefault() || client.Secret == "" {
			continue
		}
		other := *client
		other.Auth = method
		why := e.attempt("other client authentication", func(as *target.AS) {
			code := as.Code(target.As(&other), target.RedirectURI(uri), target.NoControl())
			as.TokensOf(as.Redeem(code, target.NoControl()))
		})
		if why == "" {
			return method
		}
	}
	return ""
}

// authorizationFix says what to do about an authorization that ended without a code.
func (e *examination) authorizationFix(subject string, client *target.Client, a *target.Authorization, uri string) string {
	page := ""
	if a.Page != nil {
		page = strings.ToLower(string(a.Page.Body))
	}
	switch {
	case a.Elsewhere():
		return fmt.Sprintf("%s is neither an origin of the target nor a redirection URI of the client; if the server's own pages are there, list it: login.origins: [%s]",
			login.Origin(a.Location), login.Origin(a.Location))
	case a.Error() == "invalid_scope":
		return fmt.Sprintf("take out of scopes what the client may not ask for, or list what it may in %s.scopes", subject)
	case a.Error() == "unauthorized_client" || a.Error() == "unsupported_response_type":
		return fmt.Sprintf("allow the client the authorization_code grant at the server, or take it out of %s.grants", subject)
	case a.Error() == "access_denied":
		return "see that the user may use the client and the scopes; if a consent button was misread, set login.approve"
	case strings.HasSuffix(a.Error(), "_required"):
		return "take prompt: none out of authorize_params"
	case a.Error() != "":
		return "see what the error means; authorize_params may add what the server wants"
	case strings.Contains(page, "redirect"):
		return fmt.Sprintf("register exactly %s for client %q, or correct %s.redirect_uris", uri, client.ID, subject)
	case strings.Contains(page, "client"):
		return fmt.Sprintf("compare %s.id (%q) and its redirection URIs with the registration", subject, client.ID)
	}
	return fmt.Sprintf("in this order: compare %s.id with the registration; register exactly this redirection URI; sign in with a browser to see the page", subject)
}

// keep remembers the first tokens for later steps.
func (e *examination) keep(tokens *target.Tokens) {
	if e.tokenOf == nil {
		e.tokenOf = tokens
	}
}
