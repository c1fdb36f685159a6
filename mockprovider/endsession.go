package mockprovider

import (
	"encoding/json"
	"net/http"
	"slices"
)

// endSession signs the user out (OpenID Connect RP-Initiated Logout 1.0) and sends the browser back to where the client asks. Without an
// id_token_hint for the signed-in user, the user is asked first (section 2), unless the setting login is auto.
func (x *exchange) endSession() {
	if err := x.checkMethod(http.MethodGet, http.MethodPost); err != nil {
		x.showError(err)
		return
	}
	posted := x.r.Method == http.MethodPost
	if err := x.readParameters(!posted); err != nil {
		x.showError(err)
		return
	}
	if posted && x.params.has("transaction") {
		x.confirmEndSession()
		return
	}
	request, subject, err := x.endSessionRequest()
	if err != nil {
		x.showError(err)
		return
	}
	x.session = x.currentSession()
	if x.session != nil {
		x.user, _ = x.session.signedIn()
	}
	if x.user == nil || x.user.Sub == subject || x.p.settings.Login == "auto" {
		x.signOut(request.state)
		return
	}
	t := &transaction{request: request}
	x.keepTransaction(t, x.user)
	x.page("end_session.page", http.StatusOK, "end_session.html", pageData{Action: x.url(EndSessionEndpoint), Transaction: t.id, CSRF: t.csrf, User: x.user, Client: request.client})
}

// endSessionRequest checks a logout request; subject is whom the id_token_hint speaks of.
func (x *exchange) endSessionRequest() (request *authorizationRequest, subject string, err *oauthError) {
	if err := x.checkRepeated(); err != nil {
		return nil, "", err
	}
	id := x.params.get("client_id")
	if err := x.guard("end_session.id_token_hint", func() *oauthError {
		hint, given := x.params.lookup("id_token_hint")
		if !given {
			return nil
		}
		x.client = x.p.client(id)
		payload, err := x.p.keys.verify(hint, x.variable("secret", nil))
		var claims struct {
			Issuer string `json:"iss"`
			Sub    string `json:"sub"`
			Aud    any    `json:"aud"`
		}
		if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Issuer != x.issuer() {
			return errorPage(invalidRequest("id_token_hint was not issued by this server"))
		}
		subject = claims.Sub
		audience, _ := claims.Aud.(string)
		if id != "" && audience != id {
			return errorPage(invalidRequest("id_token_hint was issued to another client"))
		}
		id = audience
		return nil
	}); err != nil {
		return nil, "", err
	}
	x.client = x.p.client(id)
	if err := x.guard("end_session.client_id.known", func() *oauthError {
		if id != "" && x.client == nil {
			return errorPage(invalidRequest("client_id is not known"))
		}
		return nil
	}); err != nil {
		return nil, "", err
	}
	uri, given := x.params.lookup("post_logout_redirect_uri")
	if err := x.guard("end_session.post_logout_redirect_uri", func() *oauthError {
		switch {
		case !given:
		case x.client == nil:
			return errorPage(invalidRequest("post_logout_redirect_uri needs an id_token_hint or a client_id"))
		case !slices.Contains(x.client.postLogoutRedirectURIs(), uri):
			return errorPage(invalidRequest("post_logout_redirect_uri is not registered for this client"))
		}
		return nil
	}); err != nil {
		return nil, "", err
	}
	x.redirectURI = uri
	return &authorizationRequest{client: x.client, redirectURI: uri, state: x.params.get("state"), sent: x.sent, params: x.params}, subject, nil
}

// confirmEndSession is where the form of the logout page goes.
func (x *exchange) confirmEndSession() {
	t, err := x.findTransaction("end_session.csrf")
	if err == nil {
		err = x.checkCSRF("end_session.csrf", t)
	}
	if err != nil {
		x.showError(err)
		return
	}
	x.p.store.transactions.delete(t.id)
	if x.form.get("decision") != "logout" {
		x.page("end_session.page", http.StatusOK, "page.html", pageData{Title: "Still signed in", Text: "You were not signed out. You may close this window."})
		return
	}
	x.user = t.user
	x.signOut(t.request.state)
}

// signOut ends the browser's session.
func (x *exchange) signOut(state string) {
	if x.session != nil {
		x.p.store.sessions.delete(x.session.id)
		http.SetCookie(x.w, &http.Cookie{Name: cookieName, Path: x.p.prefix + "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	if x.redirectURI == "" {
		x.page("end_session.page", http.StatusOK, "page.html", pageData{Title: "Signed out", Text: "You are signed out. You may close this window."})
		return
	}
	var ps params
	if state != "" {
		ps = params{{"state", state}}
	}
	x.redirect("end_session.response", ps, "query")
}

// postLogoutRedirectURIs are where the browser may be sent after a logout: what is registered for that or else the redirection URIs.
func (c *RegisteredClient) postLogoutRedirectURIs() []string {
	if len(c.PostLogoutRedirectURIs) > 0 {
		return c.PostLogoutRedirectURIs
	}
	return c.RedirectURIs
}

// endSessionSteps are those of the endpoint for logout.
func endSessionSteps() []Step {
	return slices.Concat(requestSteps(EndSessionEndpoint, "GET or POST"), []Step{
		pageGuard("end_session.id_token_hint", "invalid_request", "id_token_hint is optional, an ID token of this server (it may have expired) for the client of client_id."),
		pageGuard("end_session.client_id.known", "invalid_request", "client_id is optional, and that of a registered client."),
		pageGuard("end_session.post_logout_redirect_uri", "invalid_request", "post_logout_redirect_uri is optional; it is registered, as a string, for the client that id_token_hint or client_id names. Skipped, any URI will do."),
		pageGuard("end_session.csrf", "invalid_request", "The form comes from the page that this browser was shown."),
		step("end_session.page", KindPage, "The page that asks, and the one that says what happened."),
		step("end_session.response", KindRedirect, "The redirect to post_logout_redirect_uri, with state."),
	})
}
