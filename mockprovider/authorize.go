package mockprovider

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// authorizationRequest is a checked authorization request (RFC 6749 section 4.1.1).
type authorizationRequest struct {
	client           *RegisteredClient
	redirectURI      string
	redirectURIGiven bool
	responseType     []string // sorted words: code, id_token, token
	mode             string   // response_mode in force
	scope            []string // asked for, or the default
	state            string
	challenge        string
	challengeMethod  string
	nonce            string
	prompt           []string
	maxAge           int // seconds; -1: not asked for
	resource         []string
	device           *device // that waits for the decision, in place of a redirect (RFC 8628)
	sent, params     params  // the request's parameters, which the steps after login and consent see
}

// authorize is the authorization endpoint (RFC 6749 section 3.1).
func (x *exchange) authorize() {
	a, err := x.authorizationRequest()
	if err != nil {
		x.refuseAuthorization(a, err)
		return
	}
	x.signIn(&transaction{request: a})
}

// authorizationRequest reads and checks the request. With an error the request is as far as it is known: without a redirectURI
// the error is shown on a page.
func (x *exchange) authorizationRequest() (*authorizationRequest, *oauthError) {
	a := &authorizationRequest{maxAge: -1}
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		return a, err
	}
	if err := x.readParameters(x.r.Method != http.MethodPost); err != nil {
		return a, x.redirectable(a, err)
	}
	a.sent, a.params = x.sent, x.params
	if err := x.checkClient(a); err != nil {
		return a, err
	}
	if err := x.checkRedirectURI(a); err != nil {
		return a, err
	}
	// From here on errors are the client's to know (section 4.1.2.1).
	a.state = x.params.get("state")
	a.responseType = words(x.params.get("response_type"))
	a.mode = defaultMode(a.responseType)
	if err := x.checkRepeated(); err != nil {
		if len(x.params.all("state")) > 1 {
			a.state = ""
		}
		return a, err
	}
	if err := x.checkResponseMode(a); err != nil {
		return a, err
	}
	err := x.p.shuffle.check(
		func() *oauthError { return x.checkResponseType(a) },
		func() *oauthError { return x.checkAuthorizationScope(a) },
		func() *oauthError { return x.checkChallenge(a) },
		func() *oauthError { return x.checkState(a) },
		func() *oauthError { return x.checkOpenID(a) },
	)
	return a, err
}

// redirectable lets an early error go to the client where its redirect_uri is right all the same.
func (x *exchange) redirectable(a *authorizationRequest, err *oauthError) *oauthError {
	if x.checkClient(a) != nil || x.checkRedirectURI(a) != nil {
		a.redirectURI, x.redirectURI = "", ""
		return err
	}
	a.state = x.params.get("state")
	a.mode = defaultMode(words(x.params.get("response_type")))
	return err
}

// defaultMode is where a response goes without a response_mode: query for a code, fragment for tokens.
func defaultMode(responseType []string) string {
	if slices.Contains(responseType, "token") || slices.Contains(responseType, "id_token") {
		return "fragment"
	}
	return "query"
}

func (x *exchange) checkClient(a *authorizationRequest) *oauthError {
	if err := x.guard("authorize.repeated_parameter", func() *oauthError {
		for _, name := range []string{"client_id", "redirect_uri"} {
			if len(x.params.all(name)) > 1 {
				return errorPage(invalidRequest(name + " occurs more than once"))
			}
		}
		return nil
	}); err != nil {
		return err
	}
	id := x.params.get("client_id")
	if err := x.guard("authorize.client_id.required", func() *oauthError {
		if !x.params.has("client_id") {
			return errorPage(invalidRequest("client_id is missing"))
		}
		return nil
	}); err != nil {
		return err
	}
	x.client = x.p.client(id)
	if err := x.guard("authorize.client_id.known", func() *oauthError {
		if x.client == nil {
			return errorPage(&oauthError{Code: "invalid_request", Description: "client_id is not known"})
		}
		return nil
	}); err != nil {
		return err
	}
	if x.client == nil { // a deviation let it pass
		x.client = x.anyClient(id)
	}
	a.client = x.client
	return nil
}

// anyClient stands for a client that a deviation lets pass although it is not registered.
func (x *exchange) anyClient(id string) *RegisteredClient {
	if id == "" {
		if owner := x.clientOfRedirectURI(x.params.get("redirect_uri")); owner != nil {
			return owner
		}
	}
	c := &RegisteredClient{ID: id, Name: id, Kind: "web", Public: true}
	if uri := x.params.get("redirect_uri"); uri != "" {
		c.RedirectURIs = []string{uri}
	}
	return c
}

func (x *exchange) clientOfRedirectURI(uri string) *RegisteredClient {
	for _, c := range x.p.clients() {
		if c.hasRedirectURI(uri) {
			return c
		}
	}
	return nil
}

func (x *exchange) checkRedirectURI(a *authorizationRequest) *oauthError {
	requested, given := x.params.lookup("redirect_uri")
	registered := a.client.RedirectURIs
	if err := x.guard("authorize.redirect_uri.required", func() *oauthError {
		if !given && (len(registered) != 1 || x.p.settings.RequireRedirect) {
			return errorPage(invalidRequest("redirect_uri is missing"))
		}
		return nil
	}); err != nil {
		return err
	}
	if !given {
		if len(registered) == 0 {
			return errorPage(invalidRequest("redirect_uri is missing"))
		}
		requested = registered[0]
		if x.mode("authorize.redirect_uri.required", "last") {
			requested = registered[len(registered)-1]
		}
	}
	if given {
		if err := x.guard("authorize.redirect_uri.syntax", func() *oauthError { return x.checkRedirectSyntax(requested) }); err != nil {
			return err
		}
		if err := x.guard("authorize.redirect_uri.match", func() *oauthError {
			mode := func(name string) bool { return x.mode("authorize.redirect_uri.match", name) }
			if len(registered) == 0 && mode("none-registered") {
				return nil
			}
			for _, r := range registered {
				if matchRedirectURI(r, requested, a.client.Kind == "native", mode) {
					return nil
				}
			}
			return errorPage(invalidRequest("redirect_uri is not registered for this client"))
		}); err != nil {
			return err
		}
	}
	if err := x.guard("authorize.redirect_uri.secure", func() *oauthError {
		if a.client.hasRedirectURI(requested) && insecureRedirectURI(requested) {
			return errorPage(invalidRequest("redirect_uri is an http URI of another host"))
		}
		return nil
	}); err != nil {
		return err
	}
	a.redirectURI, a.redirectURIGiven = requested, given
	x.redirectURI = x.text("authorize.redirect_uri.target", requested)
	switch {
	case x.mode("authorize.redirect_uri.target", "first-registered") && len(registered) > 0:
		x.redirectURI = registered[0]
	case x.mode("authorize.redirect_uri.target", "last-registered") && len(registered) > 0:
		x.redirectURI = registered[len(registered)-1]
	case x.mode("authorize.redirect_uri.target", "normalised"):
		x.redirectURI = normalise(requested)
	case x.mode("authorize.redirect_uri.target", "decoded"):
		x.redirectURI = unescape(requested)
	case x.mode("authorize.redirect_uri.target", "last-repeated"):
		all := x.params.all("redirect_uri")
		x.redirectURI = all[len(all)-1]
	}
	return nil
}

// checkRedirectSyntax: an absolute URI without a fragment (RFC 6749 section 3.1.2).
func (x *exchange) checkRedirectSyntax(requested string) *oauthError {
	step := "authorize.redirect_uri.syntax"
	u, err := url.Parse(requested)
	for _, r := range []byte(requested) {
		if r <= 0x20 || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", rune(r)) {
			err = strconv.ErrSyntax
		}
	}
	switch {
	case err != nil && !x.mode(step, "characters"):
		return errorPage(invalidRequest("redirect_uri is not a URI"))
	case err == nil && u.Scheme == "" && !x.mode(step, "relative"):
		return errorPage(invalidRequest("redirect_uri is not an absolute URI"))
	case strings.HasSuffix(requested, "#") && strings.Count(requested, "#") == 1 && x.mode(step, "bare-hash"):
	case strings.Contains(requested, "#") && !x.mode(step, "fragment"):
		return errorPage(invalidRequest("redirect_uri has a fragment"))
	case x.mode(step, "https-only") && err == nil && u.Scheme != "https":
		return errorPage(invalidRequest("redirect_uri is not https"))
	}
	return nil
}

func (x *exchange) checkResponseMode(a *authorizationRequest) *oauthError {
	mode, given := x.params.lookup("response_mode")
	if !given {
		return nil
	}
	if err := x.refuseIf("authorize.response_mode.known", !slices.Contains(x.p.settings.ResponseModes, mode), invalidRequest, "response_mode is not supported"); err != nil {
		return err
	}
	if err := x.refuseIf("authorize.response_mode.safe", mode == "query" && a.mode == "fragment", invalidRequest, "response_mode query would put a token into the query"); err != nil {
		return err
	}
	if slices.Contains([]string{"query", "fragment", "form_post"}, mode) {
		a.mode = mode
	}
	return nil
}

// responseTypes are what the provider supports.
func (p *Provider) responseTypes() []string {
	var types []string
	if slices.Contains(p.settings.Grants, "authorization_code") {
		types = append(types, "code")
	}
	if p.settings.Implicit {
		types = append(types, "token")
	}
	if p.settings.Hybrid { // OAuth 2.0 Multiple Response Type Encoding Practices section 3 to 5
		for _, composite := range []string{"code id_token", "code token", "code id_token token", "id_token"} {
			code, idToken := strings.Contains(composite, "code"), strings.Contains(composite, "id_token")
			if (!code || slices.Contains(types, "code")) && (!idToken || p.settings.OpenID) {
				types = append(types, composite)
			}
		}
	}
	return append(types, p.settings.ResponseTypes...)
}

// sortedWords is a response type with its words in one order, since the order does not matter (RFC 6749 section 3.1.1).
func sortedWords(responseType string) string {
	list := strings.Split(responseType, " ")
	slices.Sort(list)
	return strings.Join(list, " ")
}

// supports reports whether the provider supports a response type, whatever the order of its words.
func (p *Provider) supports(responseType string) bool {
	return slices.ContainsFunc(p.responseTypes(), func(known string) bool { return sortedWords(known) == sortedWords(responseType) })
}

func (x *exchange) checkResponseType(a *authorizationRequest) *oauthError {
	value, given := x.params.lookup("response_type")
	if err := x.refuseIf("authorize.response_type.required", !given, invalidRequest, "response_type is missing"); err != nil {
		return err
	}
	const known = "authorize.response_type.known"
	if x.mode(known, "case-insensitive") {
		value = strings.ToLower(value)
	}
	if x.mode(known, "separators") {
		value = cut(cut(value, ";"), ",")
	}
	if x.mode(known, "trim") {
		value = strings.TrimSpace(value)
	}
	if err := x.guard(known, func() *oauthError {
		if given && (!x.p.supports(value) || x.mode(known, "ordered") && !slices.Contains(x.p.responseTypes(), value)) {
			return &oauthError{Code: "unsupported_response_type", Description: "response_type is not supported"}
		}
		return nil
	}); err != nil {
		return err
	}
	a.responseType = x.issues(value)
	return x.guard("authorize.response_type.allowed", func() *oauthError {
		for _, grantType := range grantsOf(a.responseType) {
			if !a.client.mayUse(grantType) {
				return unauthorizedClient("the client may not use this response_type")
			}
		}
		return nil
	})
}

// grantsOf are the grant types that a client needs for a response type. An ID token that comes with a code needs no more than the code.
func grantsOf(responseType []string) []string {
	var grants []string
	code := slices.Contains(responseType, "code")
	if code {
		grants = append(grants, "authorization_code")
	}
	if slices.Contains(responseType, "token") || !code {
		grants = append(grants, "implicit")
	}
	return grants
}

// issues is what a response type stands for, sorted; whatever a deviation let pass is treated as code.
func (x *exchange) issues(responseType string) []string {
	var kinds []string
	for _, kind := range []string{"code", "id_token", "token"} {
		if slices.Contains(words(responseType), kind) && (kind != "id_token" || x.p.supports(responseType) || x.p.settings.Hybrid && x.p.settings.OpenID) {
			kinds = append(kinds, kind)
		}
	}
	if kinds == nil {
		kinds = []string{"code"}
	}
	return kinds
}

func (x *exchange) checkAuthorizationScope(a *authorizationRequest) *oauthError {
	var err *oauthError
	a.scope, err = x.checkScope("authorize", a.client)
	return err
}

func (x *exchange) checkState(a *authorizationRequest) *oauthError {
	return x.guard("authorize.state", func() *oauthError {
		switch state, given := x.params.lookup("state"); {
		case !given && x.p.settings.RequireState:
			return invalidRequest("state is missing")
		case given && x.mode("authorize.state", "session-id") && (len(state) > 128 || keep(state, func(r rune) bool { return isAlnum(r) || r == ',' || r == '-' }) != state):
			return invalidRequest("state is not made of 1 to 128 letters, digits, commas and hyphens")
		case keep(state, func(r rune) bool { return r >= 0x20 && r <= 0x7e }) != state:
			return invalidRequest("state has characters that RFC 6749 appendix A.5 does not allow")
		}
		return nil
	})
}

// checkOpenID checks the parameters of OpenID Connect Core section 3.1.2.1 and 6.
func (x *exchange) checkOpenID(a *authorizationRequest) *oauthError {
	a.nonce = x.params.get("nonce")
	a.prompt = words(x.params.get("prompt"))
	a.resource = x.params.all("resource")
	if value := x.params.get("max_age"); value != "" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return invalidRequest("max_age is not a number of seconds")
		}
		a.maxAge = n
	}
	if value := x.params.get("response_type"); slices.Contains(words(value), "id_token") && x.p.supports(value) {
		if err := x.guard("authorize.id_token.scope", func() *oauthError {
			if !slices.Contains(words(x.params.get("scope")), "openid") {
				return invalidScope("an ID token needs the scope openid")
			}
			return nil
		}); err != nil {
			return err
		}
		if err := x.guard("authorize.id_token.nonce", func() *oauthError {
			if a.nonce == "" {
				return invalidRequest("nonce is missing")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if err := x.guard("authorize.request_object", func() *oauthError {
		switch {
		case x.params.has("request"):
			return &oauthError{Code: "request_not_supported", Description: "request objects are not supported"}
		case x.params.has("request_uri"):
			return &oauthError{Code: "request_uri_not_supported", Description: "request_uri is not supported"}
		}
		return nil
	}); err != nil {
		return err
	}
	return x.refuseIf("authorize.prompt", len(a.prompt) > 1 && slices.Contains(a.prompt, "none"), invalidRequest, "prompt none goes with no other value")
}

// refuseAuthorization answers with an error: to the client where its redirect_uri is known to be right (RFC 6749 section
// 4.1.2.1, 4.2.2.1), on a page elsewhere.
func (x *exchange) refuseAuthorization(a *authorizationRequest, err *oauthError) {
	x.err = err
	if err.Redirect && x.redirectURI == "" {
		x.redirectURI = x.params.get("redirect_uri")
		if a.mode == "" {
			a.mode = defaultMode(words(x.params.get("response_type")))
		}
		if a.state == "" {
			a.state = x.params.get("state")
		}
	}
	if err.Page || err.Allow != "" || x.redirectURI == "" || !x.p.settings.ErrorRedirects && !err.Redirect {
		x.showError(err)
		return
	}
	ps := params{{"error", err.Code}}
	// Of PKCE errors a description is more than optional (RFC 7636 section 4.4.1).
	if err.Description != "" && (strings.HasPrefix(err.Step, "authorize.pkce.") || x.p.shuffle.keep("error_description")) {
		ps = append(ps, param{"error_description", err.Description})
	}
	if err.URI != "" {
		ps = append(ps, param{"error_uri", err.URI})
	}
	x.redirect("authorize.error", x.withStateAndIssuer(ps, a), a.mode)
}

func (x *exchange) withStateAndIssuer(ps params, a *authorizationRequest) params {
	if a.state != "" {
		ps = append(ps, param{"state", a.state})
	}
	if x.p.settings.IssParameter {
		ps = append(ps, param{"iss", x.issuer()})
	}
	return ps
}

// showError shows an error to the user.
func (x *exchange) showError(err *oauthError) {
	if x.decision != nil {
		x.decision.refused = err
	}
	status := err.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if err.Allow != "" {
		x.w.Header().Set("Allow", err.Allow)
	}
	if x.p.settings.ErrorPages == "json" {
		x.err, x.status = err, status
		x.uncacheable()
		x.json("authorize.error_json", status, x.errorObject(err))
		return
	}
	x.page("authorize.error_page", status, "error.html", pageData{Title: "This request cannot be answered",
		Text: "The application sent a request that this server refuses: " + err.Description + ".", Code: err.Code})
}

// respondAuthorization issues what was asked for and sends the browser back (RFC 6749 section 4.1.2, 4.2.2).
func (x *exchange) respondAuthorization(t *transaction) {
	a := t.request
	if a.device != nil {
		x.decideDevice(t, true)
		return
	}
	x.granted = x.grantedBy(a.scope)
	if !x.flag("authorize.earlier_grants", true) {
		x.p.store.endGrants(a.client, x.user)
	}
	g := x.newGrant(a.client, x.user, x.granted)
	g.nonce = a.nonce
	g.authTime = t.authTime
	g.audience = a.resource
	g.request = a.sent
	var ps params
	var code, access string
	if slices.Contains(a.responseType, "code") {
		code = x.issueCode(a, g)
		ps = append(ps, param{"code", code})
	}
	if slices.Contains(a.responseType, "token") {
		ps = append(ps, x.issueToFragment(a, g)...)
		access = ps.get("access_token")
	}
	if slices.Contains(a.responseType, "id_token") {
		ps = append(ps, param{"id_token", x.idToken(g, access, code)})
	}
	x.redirect("authorize.response", x.withStateAndIssuer(ps, a), a.mode)
}

func (x *exchange) issueCode(a *authorizationRequest, g *grant) string {
	x.p.store.sweep(x.now)
	c := &code{grant: g, redirectURI: a.redirectURI, redirectURIGiven: a.redirectURIGiven, challenge: a.challenge, challengeMethod: a.challengeMethod}
	x.code = c
	if lifetime := x.duration("code.lifetime", x.p.settings.Lifetimes.Code); lifetime != 0 {
		c.expires = x.now.Add(lifetime)
	}
	if x.text("code.format", x.p.settings.Code.Format) == "jwt" {
		c.id = x.identifier("code.id")
		c.value = x.jwtCode(c)
	} else {
		c.value = x.mint("code.generate")
	}
	x.p.store.codes.put(c.value, c)
	return c.value
}

func (x *exchange) issueToFragment(a *authorizationRequest, g *grant) params {
	t := x.issueAccess(g, x.granted)
	ps := params{{"access_token", t.value}, {"token_type", "Bearer"}}
	if !t.expires.IsZero() {
		ps = append(ps, param{"expires_in", strconv.FormatInt(x.remaining(t), 10)})
	}
	if asked := x.params.get("scope"); asked == "" || x.tellsScope(asked, t.scope) {
		ps = append(ps, param{"scope", strings.Join(t.scope, " ")})
	}
	return ps
}
