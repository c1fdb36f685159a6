package mockprovider

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// registered is a client that registered itself, with what the registration was answered.
type registered struct {
	client      *RegisteredClient
	metadata    object // members of the answer, without the registration access token
	accessToken string // registration access token (RFC 7592)
	issued      int64  // when the identifier was issued
}

// The client metadata that the mock knows (RFC 7591 section 2, OpenID Connect Registration section 2), in the order in which
// it answers. Other members are ignored.
var (
	textMetadata = []string{"token_endpoint_auth_method", "client_name", "client_uri", "logo_uri", "scope", "tos_uri", "policy_uri", "jwks_uri",
		"software_id", "software_version", "application_type", "software_statement"}
	listMetadata = []string{"redirect_uris", "grant_types", "response_types", "contacts"}
	linkMetadata = []string{"client_uri", "logo_uri", "tos_uri", "policy_uri"}
	answerOrder  = []string{"client_name", "application_type", "redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types", "scope",
		"contacts", "client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri", "jwks", "software_id", "software_version", "software_statement"}
)

// registration is the client registration endpoint (RFC 7591).
func (x *exchange) registration() {
	r, err := x.register()
	if err != nil {
		x.failRegistration("registration", err)
		return
	}
	x.uncacheable()
	x.json("registration.response", http.StatusCreated, r.answer(x))
}

// answer is the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3).
func (r *registered) answer(x *exchange) object {
	return append(slices.Clone(r.metadata), member{"registration_access_token", r.accessToken},
		member{"registration_client_uri", x.url("client_configuration") + "?client_id=" + url.QueryEscape(r.client.ID)})
}

// failRegistration answers with an error (RFC 7591 section 3.2.2); a bad token is challenged as RFC 6750 section 3 says.
func (x *exchange) failRegistration(endpoint string, err *oauthError) {
	if err.Status == http.StatusUnauthorized {
		ps := params{{"realm", x.p.realm()}}
		if err.Code != "" {
			ps = append(ps, param{"error", err.Code})
		}
		x.challenge(endpoint+".challenge", "Bearer", ps)
	}
	x.fail(endpoint+".error", err)
}

func invalidMetadata(description string) *oauthError {
	return &oauthError{Code: "invalid_client_metadata", Description: description}
}

func invalidRedirectURI(description string) *oauthError {
	return &oauthError{Code: "invalid_redirect_uri", Description: description}
}

// register checks a registration request and keeps the client.
func (x *exchange) register() (*registered, *oauthError) {
	if err := x.checkMethod(http.MethodPost); err != nil {
		return nil, err
	}
	if err := x.checkInitialAccessToken(); err != nil {
		return nil, err
	}
	m, err := x.readMetadata()
	if err != nil {
		return nil, err
	}
	if m, err = x.checkMetadata(m); err != nil {
		return nil, err
	}
	return x.keepClient(m, &registered{client: x.client, accessToken: x.p.random.text(43, base64URL)}), nil
}

// checkMetadata makes a client of metadata, x.client, if they are what a client may register.
func (x *exchange) checkMetadata(m metadata) (metadata, *oauthError) {
	m, err := x.softwareStatement(m)
	if err != nil {
		return nil, err
	}
	if err := x.checkMetadataTypes(m); err != nil {
		return nil, err
	}
	m.setDefaults(x)
	x.client = m.client()
	for _, check := range []func(metadata) *oauthError{x.checkRegisteredMethod, x.checkRegisteredGrants, x.checkRegisteredURIs, x.checkRegisteredLinks,
		x.checkRegisteredKeys, x.checkRegisteredScope} {
		if err := check(m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// checkInitialAccessToken: with the setting registration.access token the request needs one (RFC 7591 section 3); where it is
// open a wrong token is refused all the same.
func (x *exchange) checkInitialAccessToken() *oauthError {
	return x.guard("registration.initial_access_token", func() *oauthError {
		s := &x.p.settings.Registration
		header := x.r.Header.Get("Authorization")
		scheme, token, _ := strings.Cut(header, " ")
		switch {
		case header == "" && s.Access == "open":
			return nil
		case header == "":
			return &oauthError{Status: http.StatusUnauthorized} // no error code (RFC 6750 section 3.1)
		case strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(s.InitialAccessToken)) == 1:
			return nil
		}
		return invalidToken("the initial access token is wrong")
	})
}

// metadata are the members of a registration request.
type metadata map[string]any

func (m metadata) text(name string) string {
	s, _ := m[name].(string)
	return s
}

func (m metadata) list(name string) []string {
	items, _ := m[name].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

func (m metadata) setList(name string, values []string) {
	items := make([]any, len(values))
	for i := range values {
		items[i] = values[i]
	}
	m[name] = items
}

// readMetadata reads the JSON object of the request. Its strings are the request's parameters for conditions and templates, a
// list is a repeated parameter.
func (x *exchange) readMetadata() (metadata, *oauthError) {
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, &oauthError{Code: "invalid_client_metadata", Description: "request body too large", Status: http.StatusRequestEntityTooLarge}
		}
		return nil, invalidMetadata("request body could not be read")
	}
	x.bodyLength = len(body)
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	form := strings.EqualFold(mediaType, "application/x-www-form-urlencoded")
	if err := x.guard("registration.content_type", func() *oauthError {
		if form && x.mode("registration.content_type", "form") || mediaType == "application/json" && !x.mode("registration.content_type", "form-only") {
			return nil
		}
		return invalidMetadata("the content type is application/json")
	}); err != nil {
		return nil, err
	}
	var m metadata
	parseErr := json.Unmarshal(body, &m)
	if form {
		m, parseErr = formMetadata(body), nil
	}
	if err := x.refuseIf("registration.syntax", parseErr != nil || m == nil, invalidMetadata, "the body is no JSON object"); err != nil {
		return nil, err
	}
	if m == nil {
		m = metadata{}
	}
	for _, name := range sortedKeys(m) {
		x.unknownMetadata = x.unknownMetadata || !isClientMetadata(name)
		switch v := m[name].(type) {
		case string:
			x.sent = append(x.sent, param{name, v})
		case []any:
			for _, item := range v {
				x.sent = append(x.sent, param{name, toText(item)})
			}
		}
	}
	x.params = x.sent
	return m, x.guard("registration.unknown_metadata", func() *oauthError { return nil })
}

// formMetadata reads a form as metadata, for deviations that take one.
func formMetadata(body []byte) metadata {
	m := metadata{}
	ps, _ := parseForm(string(body), formDialect{})
	for _, p := range ps {
		if slices.Contains(listMetadata, p.name) {
			m.setList(p.name, append(m.list(p.name), p.value))
		} else {
			m[p.name] = p.value
		}
	}
	return m
}

// isClientMetadata reports whether the mock understands a member: by its name, without a language tag (RFC 7591 section 2.2).
func isClientMetadata(name string) bool {
	bare, tag, tagged := strings.Cut(name, "#")
	if tagged {
		return tag != "" && (bare == "client_name" || slices.Contains(linkMetadata, bare))
	}
	return name == "jwks" || slices.Contains(textMetadata, name) || slices.Contains(listMetadata, name)
}

// softwareStatement lays the claims of a software statement over the plain members (RFC 7591 section 2.3).
func (x *exchange) softwareStatement(m metadata) (metadata, *oauthError) {
	statement, given := m["software_statement"].(string)
	if !given {
		return m, nil
	}
	const known, claims = "registration.software_statement.known", "registration.software_statement.claims"
	if x.mode(claims, "ignored") {
		delete(m, "software_statement")
		return m, nil
	}
	if err := x.guard(known, func() *oauthError {
		a := x.readAssertion(".software_statement", statement)
		issuer, trusted := x.p.settings.TrustedIssuers[a.text("iss")]
		if trusted && a.defect == "" && x.signed(".software_statement", a, issuer.keys(), "") {
			return nil
		}
		if !trusted && a.defect == "" && len(a.signature) > 0 {
			return &oauthError{Code: "unapproved_software_statement", Description: "the issuer of the software statement is not trusted"}
		}
		return &oauthError{Code: "invalid_software_statement", Description: "the software statement does not verify"}
	}); err != nil {
		return nil, err
	}
	var stated metadata
	if payload, ok := unverifiedClaims(statement); ok && json.Unmarshal(payload, &stated) == nil {
		for name, value := range stated {
			if _, plain := m[name]; isClientMetadata(name) && name != "software_statement" && !(plain && x.mode(claims, "plain-wins")) {
				m[name] = value
			}
		}
	}
	return m, nil
}

// checkMetadataTypes: members are of the JSON types that RFC 7591 section 2 says.
func (x *exchange) checkMetadataTypes(m metadata) *oauthError {
	return x.guard("registration.types", func() *oauthError {
		for _, name := range sortedKeys(m) {
			bare := cut(name, "#")
			good := true
			switch value := m[name].(type) {
			case string:
				good = !slices.Contains(listMetadata, bare) && bare != "jwks"
			case []any:
				good = !slices.Contains(textMetadata, bare) && bare != "jwks"
				if slices.Contains(listMetadata, bare) {
					good = !slices.ContainsFunc(value, func(item any) bool { _, isText := item.(string); return !isText })
				}
			case map[string]any:
				good = bare == "jwks" || !isClientMetadata(name)
			default:
				good = !isClientMetadata(name)
			}
			switch {
			case !good && name == "redirect_uris":
				return invalidRedirectURI("redirect_uris is an array of strings")
			case !good:
				return invalidMetadata(printable(name) + " has the wrong JSON type")
			}
		}
		return nil
	})
}

// setDefaults fills in what was left out (RFC 7591 section 2).
func (m metadata) setDefaults(x *exchange) {
	if m.text("token_endpoint_auth_method") == "" {
		m["token_endpoint_auth_method"] = "client_secret_basic"
		if m.text("application_type") == "native" { // no secret that every copy has (RFC 6749 section 10.1)
			m["token_endpoint_auth_method"] = "none"
		}
	}
	if len(m.list("grant_types")) == 0 {
		m.setList("grant_types", x.list("registration.default_grant_types", []string{"authorization_code"}))
	}
	if _, given := m["response_types"]; !given && slices.Contains(m.list("grant_types"), "authorization_code") {
		m.setList("response_types", []string{"code"})
	} else if !given {
		m.setList("response_types", nil)
	}
}

// client makes a client of metadata.
func (m metadata) client() *RegisteredClient {
	c := &RegisteredClient{Name: m.text("client_name"), Kind: "web", RedirectURIs: m.list("redirect_uris"), Grants: m.list("grant_types"),
		AuthMethods: []string{m.text("token_endpoint_auth_method")}, Public: m.text("token_endpoint_auth_method") == "none",
		Scopes: words(m.text("scope")), ClientURI: m.text("client_uri"), LogoURI: m.text("logo_uri"), TOSURI: m.text("tos_uri"), PolicyURI: m.text("policy_uri")}
	switch {
	case m.text("application_type") == "native":
		c.Kind = "native"
	case !c.mayUse("authorization_code") && !c.mayUse("implicit"):
		c.Kind = "service"
	}
	c.JWKS = m["jwks"]
	return c
}

func (x *exchange) checkRegisteredMethod(m metadata) *oauthError {
	return x.refuseIf("registration.auth_method", !slices.Contains(x.p.settings.ClientAuthMethods, m.text("token_endpoint_auth_method")), invalidMetadata, "token_endpoint_auth_method is not supported")
}

// checkRegisteredGrants: grant types and response types are supported and fit together (RFC 7591 section 2.1).
func (x *exchange) checkRegisteredGrants(m metadata) *oauthError {
	grants, types := m.list("grant_types"), m.list("response_types")
	if err := x.guard("registration.grant_types", func() *oauthError {
		for _, grant := range grants {
			if !slices.Contains(x.p.grantTypes(), grant) {
				return invalidMetadata("grant type " + printable(grant) + " is not supported")
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := x.guard("registration.response_types", func() *oauthError {
		for _, responseType := range types {
			if !x.p.supports(responseType) {
				return invalidMetadata("response type " + printable(responseType) + " is not supported")
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return x.guard("registration.consistency", func() *oauthError {
		var needed, fitting []string
		for _, responseType := range types {
			needed = append(needed, grantsOf(words(responseType))...)
			if strings.Contains(responseType, "token") { // OpenID Connect Registration section 2: implicit for every ID token
				fitting = append(fitting, "implicit")
			}
		}
		for _, grant := range []string{"authorization_code", "implicit"} {
			has := slices.Contains(grants, grant)
			if slices.Contains(needed, grant) && !has || has && !slices.Contains(needed, grant) && !slices.Contains(fitting, grant) {
				return invalidMetadata("grant_types and response_types do not fit together: " + grant)
			}
		}
		return nil
	})
}

// checkRegisteredURIs: clients of redirecting grants register where the browser may be sent (RFC 7591 section 5, RFC 8252 section 8.4).
func (x *exchange) checkRegisteredURIs(m metadata) *oauthError {
	uris := m.list("redirect_uris")
	const step = "registration.redirect_uris"
	if err := x.refuseIf(step+".required", len(uris) == 0 && (slices.Contains(m.list("grant_types"), "authorization_code") || slices.Contains(m.list("grant_types"), "implicit")), invalidRedirectURI, "redirect_uris is missing"); err != nil {
		return err
	}
	for _, uri := range uris {
		u, err := url.Parse(uri)
		for _, check := range []struct {
			step, why string
			bad       bool
		}{
			{step + ".syntax", "a redirect URI is no absolute URI", err != nil || !u.IsAbs() || !isURI(uri)},
			{step + ".fragment", "a redirect URI has a fragment", strings.Contains(uri, "#")},
			{step + ".scheme", "a redirect URI is neither https, nor http on the loopback interface, nor of a private-use scheme with a period", err == nil && !goodRedirectScheme(u)},
		} {
			if err := x.guard(check.step, func() *oauthError {
				if check.bad {
					return invalidRedirectURI(check.why)
				}
				return nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// isURI reports whether a string has only characters that a URI may have (RFC 3986 appendix A).
func isURI(s string) bool {
	return keep(s, func(r rune) bool { return r > 0x20 && r < 0x7f && !strings.ContainsRune("\"<>\\^`{|}", r) }) == s
}

func goodRedirectScheme(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		return isLoopback(u.Hostname()) || u.Hostname() == "localhost"
	}
	return strings.Contains(u.Scheme, ".")
}

// checkRegisteredLinks: what the consent page links to are pages (RFC 7591 section 5).
func (x *exchange) checkRegisteredLinks(m metadata) *oauthError {
	return x.guard("registration.links", func() *oauthError {
		for _, name := range sortedKeys(m) {
			bare := cut(name, "#")
			if bare != "jwks_uri" && !slices.Contains(linkMetadata, bare) {
				continue
			}
			u, err := url.Parse(m.text(name))
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				return invalidMetadata(printable(name) + " is no URL of a web page")
			}
		}
		return nil
	})
}

// checkRegisteredKeys: a client that signs registers its public keys, by value: the mock fetches nothing.
func (x *exchange) checkRegisteredKeys(m metadata) *oauthError {
	_, byValue := m["jwks"]
	if err := x.refuseIf("registration.jwks.alone", byValue && m.text("jwks_uri") != "", invalidMetadata, "jwks and jwks_uri exclude each other"); err != nil {
		return err
	}
	return x.guard("registration.jwks.keys", func() *oauthError {
		switch {
		case byValue && len(x.client.keys()) == 0:
			return invalidMetadata("jwks is no JWK set with public keys")
		case m.text("token_endpoint_auth_method") == "private_key_jwt" && !byValue:
			return invalidMetadata("private_key_jwt needs jwks: keys are not fetched from jwks_uri")
		}
		return nil
	})
}

func (x *exchange) checkRegisteredScope(m metadata) *oauthError {
	return x.guard("registration.scope", func() *oauthError {
		scope, given := m["scope"].(string)
		if given && scope != "" && (!validScope(scope) || !subset(words(scope), x.p.settings.Scopes)) {
			return invalidMetadata("scope has unknown values")
		}
		return nil
	})
}

// keepClient gives the client its identifier and credentials, unless it has them, and remembers it.
func (x *exchange) keepClient(m metadata, r *registered) *registered {
	c := r.client
	if c.ID == "" {
		c.ID, r.issued = x.mint("registration.client_id.generate"), x.now.Unix()
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	r.metadata = object{{"client_id", c.ID}}
	if x.p.shuffle.keep("registration.client_id_issued_at") {
		r.metadata = append(r.metadata, member{"client_id_issued_at", r.issued})
	}
	method := m.text("token_endpoint_auth_method")
	if x.flag("registration.client_secret.issue", strings.HasPrefix(method, "client_secret_")) {
		if c.Secret == "" {
			c.Secret = x.mint("registration.client_secret.generate")
		}
		r.metadata = append(r.metadata, member{"client_secret", c.Secret}, member{"client_secret_expires_at", 0})
	} else {
		c.Secret = ""
	}
	names := slices.Clone(answerOrder)
	for _, name := range sortedKeys(m) {
		if strings.Contains(name, "#") && isClientMetadata(name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if value, given := m[name]; given {
			r.metadata = append(r.metadata, member{name, value})
		}
	}
	x.p.root.store.registered.put(c.ID, r)
	return r
}

// clientConfiguration is the client configuration endpoint (RFC 7592): GET shows the registration, PUT replaces its metadata, DELETE ends it.
func (x *exchange) clientConfiguration() {
	r, err := x.ownRegistration()
	if err == nil && x.r.Method == http.MethodPut {
		r, err = x.updateClient(r)
	}
	switch {
	case err != nil:
		x.failRegistration("client_configuration", err)
	case x.r.Method == http.MethodDelete:
		x.deleteClient(r.client.ID)
		x.uncacheable()
		x.send(&answer{status: http.StatusNoContent, header: x.w.Header()})
	default:
		x.uncacheable()
		x.json("client_configuration.response", http.StatusOK, r.answer(x))
	}
}

// ownRegistration finds the registration that a request with its registration access token is about.
func (x *exchange) ownRegistration() (*registered, *oauthError) {
	if err := x.checkMethod(http.MethodGet, http.MethodPut, http.MethodDelete); err != nil {
		return nil, err
	}
	x.query, _ = parseForm(x.r.URL.RawQuery, formDialect{})
	x.sent, x.params = x.query, x.query
	r, found := x.p.root.store.registered.get(x.params.get("client_id"))
	if found {
		x.client = r.client
	}
	if err := x.guard("client_configuration.token", func() *oauthError {
		scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
		switch {
		case scheme == "":
			return &oauthError{Status: http.StatusUnauthorized}
		case !found || !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(r.accessToken)) != 1:
			return invalidToken("the registration access token is wrong")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if !found { // a deviation let it pass
		return nil, invalidToken("there is no such client")
	}
	return r, nil
}

// updateClient replaces the metadata of a registration: what the request leaves out is gone, identifier, secret and token stay (RFC 7592
// section 2.2).
func (x *exchange) updateClient(old *registered) (*registered, *oauthError) {
	m, err := x.readMetadata()
	if err != nil {
		return nil, err
	}
	if err := x.guard("client_configuration.update", func() *oauthError {
		for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
			if _, given := m[name]; given {
				return invalidMetadata(name + " is the server's to say, not part of an update")
			}
		}
		secret, given := m["client_secret"]
		switch {
		case m.text("client_id") != old.client.ID:
			return invalidMetadata("client_id is not that of the client")
		case given && secret != old.client.Secret:
			return invalidMetadata("client_secret is not that of the client")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if m, err = x.checkMetadata(m); err != nil {
		return nil, err
	}
	x.client.ID, x.client.Secret = old.client.ID, old.client.Secret
	return x.keepClient(m, &registered{client: x.client, accessToken: old.accessToken, issued: old.issued}), nil
}

// deleteClient forgets a client, with everything that was issued to it (RFC 7592 section 2.3).
func (x *exchange) deleteClient(id string) {
	x.p.root.store.registered.delete(id)
	x.p.store.tokens.each(func(_ string, t *token) {
		if t.grant.client == id {
			t.grant.revoke()
		}
	})
	var codes []string
	x.p.store.codes.each(func(value string, c *code) {
		if c.grant.client == id {
			codes = append(codes, value)
		}
	})
	for _, value := range codes {
		x.p.store.codes.delete(value)
	}
}

// pageLink is a link of the consent page.
type pageLink struct {
	Text string
	URL  any // string, which html/template makes harmless, or template.URL
}

// clientLinks are the pages that a client registered for the consent page (RFC 7591 section 2).
func (x *exchange) clientLinks(c *RegisteredClient) []pageLink {
	var links []pageLink
	for _, link := range []pageLink{{"About this application", c.ClientURI}, {"Terms of service", c.TOSURI}, {"Privacy policy", c.PolicyURI}} {
		address := link.URL.(string)
		if address == "" {
			continue
		}
		if x.mode("consent.links", "any-scheme") {
			link.URL = template.URL(address)
		}
		links = append(links, link)
	}
	if x.mode("consent.links", "none") {
		return nil
	}
	return links
}

// clientLogo is the URL of the logo that the consent page shows.
func (x *exchange) clientLogo(c *RegisteredClient) string {
	if x.mode("consent.links", "none") {
		return ""
	}
	return c.LogoURI
}
