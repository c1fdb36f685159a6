package mockprovider

import (
	"slices"
	"sync"
)

// Kind is what a step does, and so which operations it takes.
type Kind string

// The kinds of steps.
const (
	KindGuard     Kind = "guard"     // a check that refuses with an error
	KindValue     Kind = "value"     // a value that the server chooses
	KindResponse  Kind = "response"  // an answer with a JSON object
	KindRedirect  Kind = "redirect"  // an answer that sends the browser to a redirect_uri
	KindPage      Kind = "page"      // an answer with an HTML page
	KindChallenge Kind = "challenge" // the WWW-Authenticate header
	KindClaims    Kind = "claims"    // the header or the claims of a JWT
	KindSign      Kind = "sign"      // the signature of a JWT
	KindTransport Kind = "transport" // the connection
)

// Step is a named place in the provider's pipeline that a deviation can act on.
type Step struct {
	Name  string
	Kind  Kind
	Doc   string // what the strict server does
	Error string // guards: the error code that the strict server refuses with
	Modes []Mode

	page     bool // the strict server shows a page instead of redirecting
	duration bool // the value is a length of time
}

// Mode is a named alternative of a guard or a value.
type Mode struct{ Name, Doc string }

// Steps returns the vocabulary of deviations, ordered by endpoint and then as a request passes through them.
func Steps() []Step { return slices.Clone(stepTable()) }

func stepByName(name string) (*Step, bool) {
	table := stepTable()
	i, ok := stepIndex()[name]
	if !ok {
		return nil, false
	}
	return &table[i], true
}

func stepNames() []string {
	var names []string
	for _, s := range stepTable() {
		names = append(names, s.Name)
	}
	return names
}

var stepIndex = sync.OnceValue(func() map[string]int {
	index := make(map[string]int)
	for i, s := range stepTable() {
		index[s.Name] = i
	}
	return index
})

// stepTable lists all steps. Adding a check to the server means adding its guard here and calling x.guard with its name;
// tests make sure that both are done.
var stepTable = sync.OnceValue(func() []Step {
	return slices.Concat(connectionSteps(), authorizeSteps(), loginSteps(), codeSteps(), tokenSteps(), exchangeSteps(), scopeSteps(), tokenValueSteps(),
		jwtSteps(), resourceSteps("userinfo"), resourceSteps("resource"), tokeninfoSteps(), introspectionSteps(), revocationSteps(), registrationSteps(), deviceSteps(), endSessionSteps(), documentSteps())
})

func guard(name, code, doc string, modes ...Mode) Step {
	return Step{Name: name, Kind: KindGuard, Error: code, Doc: doc, Modes: modes}
}

// pageGuard is a guard whose error is shown on a page and not redirected.
func pageGuard(name, code, doc string, modes ...Mode) Step {
	s := guard(name, code, doc, modes...)
	s.page = true
	return s
}

func value(name, doc string, modes ...Mode) Step {
	return Step{Name: name, Kind: KindValue, Doc: doc, Modes: modes}
}

func lifetime(name, doc string) Step {
	return Step{Name: name, Kind: KindValue, Doc: doc, duration: true}
}

func step(name string, kind Kind, doc string) Step { return Step{Name: name, Kind: kind, Doc: doc} }

// requestSteps are those of every endpoint that reads parameters.
func requestSteps(endpoint, methods string) []Step {
	return []Step{
		step(endpoint+".transport", KindTransport, "The connection of every request to the endpoint: answers are sent at once and whole. delay, reset, redirect and status act before anything else happens; header, content_type and truncate on every answer of the endpoint."),
		guard(endpoint+".method", "invalid_request", "The method is "+methods+"; others get 405 with Allow.",
			Mode{"any", "every method; GET and HEAD read their parameters from the URI, others from the body"},
			Mode{"no-get", "stricter: GET is refused"}, Mode{"no-post", "stricter: POST is refused"}),
		guard(endpoint+".content_type", "invalid_request", "A body is application/x-www-form-urlencoded, with any parameters (charset).",
			Mode{"exact", "stricter: parameters such as charset=UTF-8 are refused"}, Mode{"other-ignored", "a body of another media type counts as empty"}),
		value(endpoint+".parameters", "Parameters are read from the form in the body (from the query for GET), names and values as they are, those without a value count as omitted. `names` limits a mode to some parameters.",
			Mode{"query", "parameters in the URI of a POST are read too"},
			Mode{"query-only", "parameters of a POST are read from the URI only"},
			Mode{"json", "a JSON object in the body is read too"},
			Mode{"case-insensitive", "parameter names are compared without regard to case"},
			Mode{"last", "of a repeated parameter the last value counts (where repeated_parameter is skipped), not the first"},
			Mode{"join-comma", "the values of a repeated parameter count as one, with commas between them"},
			Mode{"join-space", "likewise, with spaces"},
			Mode{"drop-repeated", "a repeated parameter counts as omitted"},
			Mode{"keep-empty", "a parameter without a value counts as sent, with the empty string"},
			Mode{"trim", "white space around values is dropped"},
			Mode{"ignore", "the parameters are not seen"},
			Mode{"plus-literal", "a plus sign stays a plus sign"},
			Mode{"percent-literal", "percent-encoding is not undone"},
			Mode{"latin1", "octets are taken for ISO 8859-1"}),
		guard(endpoint+".syntax", "invalid_request", "The form is well-formed: a percent sign has two hexadecimal digits behind it."),
		guard(endpoint+".unknown_parameter", "invalid_request", "Unknown parameters are ignored; so only `always` makes sense here, with when: {unknown_parameter: true}."),
		guard(endpoint+".repeated_parameter", "invalid_request", "No parameter occurs more than once (resource and audience may)."),
	}
}

// clientAuthenticationSteps are those of every endpoint that authenticates clients.
func clientAuthenticationSteps(endpoint string) []Step {
	prefix := endpoint + ".client_authentication"
	return slices.Concat([]Step{
		value(prefix+".basic", "HTTP Basic, scheme in any case, identifier and secret form-decoded (RFC 6749 section 2.3.1).",
			Mode{"off", "the Authorization header is ignored"},
			Mode{"not-decoded", "identifier and secret are taken as they are"},
			Mode{"id-not-decoded", "the identifier is taken as it is"},
			Mode{"secret-not-decoded", "the secret is taken as it is"},
			Mode{"both-spellings", "form-encoded and as they are, both work"},
			Mode{"case-sensitive-scheme", "only Basic with a capital B"},
			Mode{"second-colon-ends", "a colon in the secret ends it"}),
		value(prefix+".post", "client_id and client_secret in the body.", Mode{"off", "client_secret in the body is ignored"}, Mode{"not-read", "client_id in the body as well"}),
		value(prefix+".assertion", "client_assertion, signed with the client's key or secret (RFC 7523 section 2.2).", Mode{"off", "client_assertion is ignored"}),
		guard(prefix+".scheme", "invalid_client", "The scheme of an Authorization header is Basic."),
		guard(prefix+".header", "invalid_client", "The Basic credentials are well-formed.", Mode{"ignored", "credentials that are not count as none"}),
		guard(prefix+".multiple", "invalid_request", "One authentication method, not two. Skipped, an assertion counts, or else the header.", Mode{"body", "with skip: the body counts"}),
		guard(prefix+".client_id_match", "invalid_request", "client_id in the body is the authenticated client. `always` with when: {present: [client_id], auth: client_secret_basic} refuses an equal one.",
			Mode{"body", "with skip: client_id of the body counts"}),
		guard(prefix+".identified", "invalid_client", "The request names a client; the issuer of the assertion in a JWT bearer grant will do (RFC 7521 section 4.1). Skipped, it is the one that the code or token belongs to."),
		guard(prefix+".known", "invalid_client", "The client is registered. Skipped, it is the one that the code or token belongs to.", Mode{"case-insensitive", "the identifier's case is ignored"}),
		guard(prefix+".required", "invalid_client", "A confidential client authenticates. Skipped, client_id alone will do."),
		guard(prefix+".method", "invalid_client", "The client uses a method that it may use."),
		guard(prefix+".secret", "invalid_client", "The secret is right.",
			Mode{"empty", "an empty secret is right, too"}, Mode{"prefix", "the beginning of the secret will do"},
			Mode{"extended", "anything may follow the secret"}, Mode{"case-insensitive", "the secret's case is ignored"}, Mode{"trim", "white space around it is ignored"}),
		guard(prefix+".assertion.required", "invalid_client", "client_assertion comes with client_assertion_type."),
		guard(prefix+".assertion.type", "invalid_client", "client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer."),
	}, assertionSteps(prefix+".assertion", "invalid_client",
		"iss of the assertion is the client. Skipped, client_id or sub names it.", "sub of the assertion is the client. Skipped, client_id or iss names it."), []Step{
		step(endpoint+".challenge", KindChallenge, "WWW-Authenticate: Basic with a realm, in answers with 401 invalid_client."),
	})
}

// assertionSteps are those of a signed assertion (RFC 7523 section 3).
func assertionSteps(prefix, code, issuer, subject string) []Step {
	return []Step{
		guard(prefix+".syntax", code, "The assertion is one JWS in compact form whose claims have the types of RFC 7519, without critical header members.",
			Mode{"first-of-several", "of several, separated by spaces, the first counts"}, Mode{"string-numbers", "times may be strings"}, Mode{"crit-ignored", "critical header members are ignored"}),
		guard(prefix+".iss", code, issuer),
		guard(prefix+".sub", code, subject),
		guard(prefix+".aud", code, "aud has this server: its issuer identifier, its token endpoint or the endpoint that is asked.",
			Mode{"missing", "aud may be missing"}, Mode{"prefix", "any URL of this server will do"}),
		guard(prefix+".exp", code, "exp is there and lies in the future.", Mode{"missing", "exp may be missing"}, Mode{"expired", "it may lie in the past"}),
		guard(prefix+".nbf", code, "nbf, if there is one, lies in the past."),
		guard(prefix+".signature", code, "The signature verifies: RS256 to RS512, PS256 to PS512, ES256 to ES512 or EdDSA with a registered key, HS256 to HS512 with the client secret.",
			Mode{"alg-none", "an unsigned assertion passes"}, Mode{"hs256-public-key", "the public key, as PEM, is taken for a secret"}),
		guard(prefix+".jti", code, "jti, if there is one, was not used before by this issuer."),
	}
}

func connectionSteps() []Step {
	return []Step{value("connection.tls", "With the setting tls: TLS 1.2 and 1.3, a certificate for localhost and the loopback addresses, and nothing without TLS. Takes no `when`; `names` limits a mode to clients that ask for one of these server names (localhost, for example; an address is no server name).", tlsModes...)}
}

func authorizeSteps() []Step {
	return slices.Concat(requestSteps("authorize", "GET or POST"), []Step{
		pageGuard("authorize.client_id.required", "invalid_request", "client_id was sent. Skipped, the client is found by its redirect_uri."),
		pageGuard("authorize.client_id.known", "invalid_request", "The client is registered. Skipped, any identifier is a public client with the requested redirect_uri. Refused with `redirect: true`, the error goes to the requested redirect_uri."),
		pageGuard("authorize.redirect_uri.required", "invalid_request", "redirect_uri was sent, or the client has registered exactly one. Skipped, the first registered one is taken. `always` with when: {absent: [redirect_uri]} demands it of everybody.",
			Mode{"last", "with skip: the last registered one is taken"}),
		pageGuard("authorize.redirect_uri.syntax", "invalid_request", "redirect_uri is an absolute URI without a fragment.",
			Mode{"relative", "a relative reference passes"}, Mode{"fragment", "a fragment passes"}, Mode{"bare-hash", "an empty fragment passes"}, Mode{"characters", "characters that no URI may have pass"},
			Mode{"https-only", "stricter: only https"}),
		pageGuard("authorize.redirect_uri.match", "invalid_request", "redirect_uri equals a registered one as a string, but for the port of a native client's loopback URI. Skipped, any URI will do.", redirectModes...),
		pageGuard("authorize.redirect_uri.secure", "invalid_request", "A registered redirect_uri is no http URI of another host (RFC 6749 section 10.5)."),
		value("authorize.redirect_uri.target", "Where the browser is sent: the requested redirect_uri, or the registered one if none was requested.",
			Mode{"first-registered", "always the first registered URI"}, Mode{"last-registered", "always the last registered URI"},
			Mode{"normalised", "the requested URI, normalised"}, Mode{"decoded", "the requested URI, percent-decoded once more"},
			Mode{"last-repeated", "the last of several redirect_uri parameters (the first is the one that is checked)"}),
		guard("authorize.response_mode.known", "invalid_request", "response_mode is supported. Skipped, an unknown one is ignored."),
		guard("authorize.response_mode.safe", "invalid_request", "response_mode=query goes with no response type that has tokens."),
		guard("authorize.response_type.required", "invalid_request", "response_type was sent. Skipped, it is code."),
		guard("authorize.response_type.known", "unsupported_response_type", "response_type is supported. Skipped, an unknown one is code.",
			Mode{"case-insensitive", "case is ignored"}, Mode{"separators", "what follows a semicolon or comma is ignored"}, Mode{"trim", "white space around it is ignored"},
			Mode{"ordered", "the words of a composite one come in the registered order"}),
		guard("authorize.response_type.allowed", "unauthorized_client", "The client may use the response type."),
		value("authorize.pkce", "PKCE is supported.", Mode{"ignore", "code_challenge and code_verifier are unknown parameters"}),
		guard("authorize.pkce.required", "invalid_request", "Public clients send a code_challenge (setting pkce.required)."),
		guard("authorize.pkce.method_alone", "invalid_request", "code_challenge_method comes with a code_challenge."),
		value("authorize.pkce.default_method", "Without code_challenge_method it is plain (RFC 7636 section 4.3)."),
		guard("authorize.pkce.method", "invalid_request", "code_challenge_method is supported (setting pkce.methods). Skipped, an unknown one counts as plain.",
			Mode{"case-insensitive", "case is ignored"}, Mode{"as-S256", "with skip: an unknown one counts as S256"}, Mode{"as-none", "with skip: an unknown one switches PKCE off for the code"}),
		guard("authorize.pkce.challenge_syntax", "invalid_request", "code_challenge has 43 to 128 unreserved characters, 43 for S256."),
		guard("authorize.state", "invalid_request", "state is optional and made of printable ASCII. `always` with when: {absent: [state]} makes it mandatory.",
			Mode{"session-id", "stricter: 1 to 128 letters, digits, commas and hyphens"}),
		guard("authorize.id_token.scope", "invalid_scope", "A response type with id_token comes with the scope openid."),
		guard("authorize.id_token.nonce", "invalid_request", "A response type with id_token comes with a nonce (OpenID Connect Core section 3.2.2.1)."),
		guard("authorize.request_object", "request_not_supported", "request and request_uri are refused (OpenID Connect Core section 6). Skipped, they are ignored."),
		guard("authorize.prompt", "invalid_request", "prompt=none goes with no other value."),
		guard("authorize.login", "login_required", "The user is signed in; if not, the login page is shown (with prompt=none: the error). Skipped, the user of the setting auto_user is taken for granted."),
		guard("authorize.consent", "consent_required", "The user approves on the consent page every time (setting consent). Skipped, nobody is asked.",
			Mode{"remembered", "nobody is asked again who approved this client and scope before, also for public clients"}),
		value("authorize.earlier_grants", "What the user granted the client before lives on. set: false ends it: codes and tokens of earlier authorizations no longer work."),
		step("authorize.page", KindPage, "The login page. (body: $body is the page as it was.)"),
		step("authorize.error_page", KindPage, "The page for errors that must not be redirected: an unknown client, a wrong redirect_uri."),
		step("authorize.error_json", KindResponse, "What is answered in place of that page with the setting error_pages: json."),
		step("authorize.response", KindRedirect, "The redirect with a successful response: code (access_token, token_type, expires_in, scope; id_token), state, iss."),
		step("authorize.error", KindRedirect, "The redirect with an error: error, error_description, state, iss."),
	})
}

func loginSteps() []Step {
	return slices.Concat(requestSteps("login", "POST"), []Step{
		pageGuard("login.csrf", "invalid_request", "The login form comes from the page that this browser was shown."),
		guard("login.credentials", "access_denied", "User name and password are right; else the page is shown again. Skipped, anybody gets in, unknown ones as the user of the setting auto_user. Refused with `redirect: true`, the error goes to the client."),
		value("session.cookie", "The session cookie is HttpOnly, SameSite=Lax, and Secure with https.",
			Mode{"no-samesite", "no SameSite attribute"}, Mode{"samesite-none", "SameSite=None"}, Mode{"no-httponly", "not HttpOnly"}, Mode{"not-secure", "not Secure"}),
		value("session.generate", "The session's identifier: 43 random characters.", mintModes...),
		value("session.binding", "An authorization request on its way through login and consent belongs to the browser that began it.",
			Mode{"none", "the login page has a URL of its own, and whoever knows the identifier in it goes on: signs in, or approves once somebody signed in"},
			Mode{"after-login", "the login page has a URL of its own, and whoever knows it signs in; the login makes a new identifier, which the approval needs"}),
	}, requestSteps("consent", "GET or POST"), []Step{
		pageGuard("consent.csrf", "invalid_request", "The consent form comes from the page that this browser was shown. Skipped, the form may lack every field: the session's last authorization request is approved by whoever is signed in."),
		guard("consent.denied", "access_denied", "The user's no ends the request. Skipped, it counts as yes."),
		value("consent.links", "The consent page links to the pages that the client registered.", Mode{"none", "no links, and no logo"}, Mode{"any-scheme", "whatever the scheme of their URLs"}),
		step("consent.page", KindPage, "The consent page."),
	})
}

func codeSteps() []Step {
	return []Step{
		value("scope.granted", "What is granted of the scope that passed the checks: all of it. Taken at the authorization endpoint and for every token (narrow with when: {endpoint:, grant:}).",
			Mode{"all", "every scope value that exists"}, Mode{"wider", "one more than asked for"}, Mode{"first", "only the first value"}, Mode{"last", "only the last value"},
			Mode{"default", "the default scope, whatever was asked for"}, Mode{"none", "nothing"}, Mode{"server-order", "in the order of the setting scopes, each once"}),
		value("code.generate", "The authorization code: 43 random characters.", mintModes...),
		value("code.format", "opaque, or jwt (setting code.format)."),
		value("code.id", "The identifier of a code in JWT form: 22 random characters.", mintModes...),
		step("code.header", KindClaims, "The header of a code in JWT form: alg, typ JWT, kid (but with HS256)."),
		step("code.claims", KindClaims, "The claims of a code in JWT form: iss, sub, client_id, redirect_uri, scope, iat, exp, jti, code_challenge, code_challenge_method."),
		step("code.sign", KindSign, "The signature of a code in JWT form (see access_token.sign)."),
		lifetime("code.lifetime", "How long an authorization code lives: a minute (setting lifetimes.code)."),
	}
}

func tokenSteps() []Step {
	return slices.Concat(requestSteps("token", "POST"), []Step{
		guard("token.query_component", "invalid_request", "A query of the endpoint's URI is ignored; so only `always` makes sense here, with when: {has_query: true}."),
		guard("token.grant_type.required", "invalid_request", "grant_type was sent. Skipped, the other parameters tell."),
		guard("token.grant_type.known", "unsupported_grant_type", "The grant type is supported. Skipped, the other parameters tell, and client_credentials is the rest.",
			Mode{"case-insensitive", "case is ignored"}, Mode{"trim", "white space around it is ignored"}, Mode{"prefix", "anything may follow a known grant type"}),
		guard("token.grant_type.allowed", "unauthorized_client", "The client may use the grant type."),
	}, clientAuthenticationSteps("token"), []Step{
		guard("token.authorization_code.required", "invalid_request", "code was sent. Skipped, see token.authorization_code.known."),
		guard("token.authorization_code.known", "invalid_grant", "The code was issued by this server. Skipped, an unknown code counts as issued to this client for the user of the setting auto_user.",
			Mode{"prefix", "the first 16 characters will do"}),
		guard("token.authorization_code.client_binding", "invalid_grant", "The code was issued to this client."),
		guard("token.authorization_code.expired", "invalid_grant", "The code is not older than its lifetime."),
		guard("token.authorization_code.redirect_uri.required", "invalid_grant", "redirect_uri was sent if the authorization request had one.", Mode{"always", "stricter: it is demanded even if the authorization request had none"}),
		guard("token.authorization_code.redirect_uri.match", "invalid_grant", "redirect_uri is the one of the authorization request, as a string.", append([]Mode{{"registered", "any registered one will do"}}, redirectModes...)...),
		guard("token.authorization_code.scope", "invalid_scope", "scope of the token request does not matter, the code says what is granted.",
			Mode{"within", "it has to be within that, and is granted then"}, Mode{"same", "it has to be that"}),
		guard("token.authorization_code.code_verifier.unexpected", "invalid_grant", "No code_verifier for a code without code_challenge (RFC 9700 section 4.8.2)."),
		guard("token.authorization_code.code_verifier.required", "invalid_grant", "code_verifier was sent for a code with code_challenge."),
		guard("token.authorization_code.code_verifier.syntax", "invalid_grant", "code_verifier has 43 to 128 unreserved characters.",
			Mode{"longer-only", "stricter: at least 44 characters (or `length`)"}, Mode{"shorter-only", "stricter: at most 127 characters (or `length`)"}, Mode{"alphanumeric", "stricter: letters and digits only"}),
		guard("token.authorization_code.code_verifier.match", "invalid_grant", "code_verifier fits code_challenge by the method of the authorization request.",
			Mode{"method-from-request", "code_challenge_method of the token request counts"},
			Mode{"challenge-as-verifier", "the challenge itself is taken for the verifier"},
			Mode{"any-challenge", "the challenge of any code of this client will do"},
			Mode{"case-insensitive", "case is ignored"}, Mode{"prefix", "plain: the first 43 characters will do"},
			Mode{"lenient-base64", "a challenge with padding, or in the standard alphabet, fits too"},
			Mode{"padded-base64", "broken: expects the challenge with base64 padding"}, Mode{"never", "broken: nothing fits"}),
		guard("token.authorization_code.used", "invalid_grant", "The code is used for the first time. Skipped, it works again and again (and nothing is revoked).",
			Mode{"race", "requests within `window` (50ms) of the first all find it unused"}),
		value("token.authorization_code.replay_revokes", "The second use of a code revokes the tokens of the first. set: false keeps them.",
			Mode{"refresh-only", "access tokens live on"}, Mode{"access-only", "refresh tokens live on"}),
		guard("token.client_credentials.client_type", "unauthorized_client", "The client is confidential."),
		value("token.client_credentials.refresh_token", "client_credentials yields no refresh token. set: true issues one."),
		guard("token.jwt_bearer.assertion.required", "invalid_request", "assertion was sent."),
	}, assertionSteps("token.jwt_bearer.assertion", "invalid_grant",
		"The issuer is trusted (setting trusted_issuers). Skipped, any issuer will do that signs with a trusted key.", "sub is a user, by login name or subject identifier. Skipped, it may be anybody, unknown ones as the user of the setting auto_user."), []Step{
		value("token.jwt_bearer.refresh_token", "The JWT bearer grant yields no refresh token. set: true issues one."),
		guard("token.password.username.required", "invalid_request", "username was sent."),
		guard("token.password.password.required", "invalid_request", "password was sent."),
		guard("token.password.credentials", "invalid_grant", "User name and password are right. Skipped, anything will do.", Mode{"ascii-only", "broken: credentials with other characters never fit"}),
		guard("token.refresh_token.required", "invalid_request", "refresh_token was sent. Skipped, see token.refresh_token.known."),
		guard("token.refresh_token.known", "invalid_grant", "The refresh token was issued by this server. Skipped, an unknown one counts as issued to this client for the user of the setting auto_user.",
			Mode{"prefix", "the first 16 characters will do"}, Mode{"access-token", "an access token works as a refresh token"}),
		guard("token.refresh_token.client_binding", "invalid_grant", "The refresh token was issued to this client."),
		guard("token.refresh_token.expired", "invalid_grant", "The refresh token is not older than its lifetime."),
		guard("token.refresh_token.revoked", "invalid_grant", "The refresh token was not revoked."),
		guard("token.refresh_token.scope", "invalid_scope", "scope is within what the refresh token has. Skipped, anything is granted.",
			Mode{"ignore", "the parameter is ignored"}, Mode{"intersect", "what goes beyond is left out"}),
		guard("token.refresh_token.scope.required", "invalid_scope", "scope is optional; so only `always` makes sense here."),
		guard("token.refresh_token.used", "invalid_grant", "A rotated refresh token does not work again (after refresh_token.grace). Skipped, it does.",
			Mode{"race", "requests within `window` (50ms) of the first all find it unused"}),
		step("token.response", KindResponse, "The successful answer: access_token, token_type, expires_in, refresh_token, scope, id_token; 200, application/json, Cache-Control: no-store, Pragma: no-cache."),
		step("token.error", KindResponse, "The error answer: error, error_description, error_uri; 400, or 401 for invalid_client (narrow with when: {error:, refused_by:})."),
	})
}

func scopeSteps() []Step {
	var steps []Step
	for _, endpoint := range []string{"authorize", "token", "device_authorization"} {
		steps = append(steps,
			guard(endpoint+".scope.required", "invalid_scope", "scope was sent, or there is a default (setting default_scope). `always` with when: {absent: [scope]} demands it.",
				Mode{"client-scopes", "the default is what the client may ask for"}),
			guard(endpoint+".scope.syntax", "invalid_scope", "scope is a list of scope values with single spaces between them (RFC 6749 appendix A.4).", Mode{"separators", "with skip: commas, semicolons, plus signs and bars separate too"}),
			guard(endpoint+".scope.known", "invalid_scope", "All scope values exist (setting scopes). Skipped, unknown ones are granted.",
				Mode{"ignore", "unknown ones are left out"}, Mode{"case-insensitive", "case is ignored"}, Mode{"first-only", "only the first value is checked"}),
			guard(endpoint+".scope.allowed", "invalid_scope", "The client may ask for the scope values.", Mode{"ignore", "what it may not ask for is left out"}))
	}
	return steps
}

func tokenValueSteps() []Step {
	return []Step{
		value("access_token.format", "opaque, or jwt (setting access_token.format)."),
		value("access_token.id", "The identifier of a JWT access token (jti): 22 random characters.", mintModes...),
		value("access_token.expires_in", "expires_in is the lifetime in whole seconds.", Mode{"started-second", "one less: some of the first second has passed already"}),
		value("access_token.generate", "An opaque access token: 43 random characters.", mintModes...),
		lifetime("access_token.lifetime", "How long an access token lives: 15 minutes (setting lifetimes.access_token)."),
		value("access_token.audience", "The audience of an access token: the resource's URL (setting access_token.audience), or the resource parameter."),
		value("refresh_token.issue", "Whether a grant yields a refresh token: if the client may use it (setting refresh.issue)."),
		value("refresh_token.generate", "A refresh token: 43 random characters.", mintModes...),
		value("refresh_token.format", "opaque, or jwt (setting refresh.format)."),
		value("refresh_token.id", "The identifier of a refresh token in JWT form: 22 random characters.", mintModes...),
		step("refresh_token.header", KindClaims, "The header of a refresh token in JWT form: alg, typ JWT, kid (but with HS256)."),
		step("refresh_token.claims", KindClaims, "The claims of a refresh token in JWT form: iss, sub, client_id, scope, iat, exp, jti, access_token_id (jti of the access token beside it)."),
		step("refresh_token.sign", KindSign, "The signature of a refresh token in JWT form (see access_token.sign)."),
		lifetime("refresh_token.lifetime", "How long a refresh token lives: 30 days (setting lifetimes.refresh_token)."),
		value("refresh_token.rotation", "A refresh yields a new refresh token, and the old one is used up (setting refresh.rotation). set: false keeps the old one.",
			Mode{"dead", "the new refresh token does not work"}, Mode{"ends-access-token", "the access token that was issued beside the old refresh token ends, too"}, Mode{"return-same", "with set: false: the response repeats the old one"}),
		value("refresh_token.scope", "A new refresh token has the scope of the old one.", Mode{"narrowed", "the narrower scope of the refresh request"}, Mode{"widened", "every scope value that exists"}),
		value("refresh_token.reuse_detection", "Using a rotated refresh token revokes the whole grant (setting refresh.reuse_detection). set: false only refuses it."),
		lifetime("refresh_token.grace", "How long a rotated refresh token still works: not at all (setting refresh.grace)."),
		value("id_token.issue", "Whether a grant with the scope openid comes with an ID token: it does."),
		value("id_token.issued", "iat and exp count from now.", Mode{"at-authorization", "from the authorization response"}),
		lifetime("id_token.lifetime", "How long an ID token lives: 15 minutes (setting lifetimes.id_token)."),
	}
}

func jwtSteps() []Step {
	return []Step{
		step("access_token.header", KindClaims, "The header of a JWT access token: alg, typ at+jwt, kid."),
		step("access_token.claims", KindClaims, "The claims of a JWT access token (RFC 9068): iss, sub, aud, client_id, iat, exp, jti, scope, auth_time."),
		step("access_token.sign", KindSign, "The signature of a JWT access token, with a key of the JWKS. key: wrong (kid of a published key), unpublished, none, hs256-secret (the client's secret), hs256-public-key, mismatched (the published key of another algorithm, under the kid of the right one). alg: what the header says. signature: empty, truncated, flipped."),
		step("id_token.header", KindClaims, "The header of an ID token: alg, typ JWT, kid."),
		step("id_token.claims", KindClaims, "The claims of an ID token: iss, sub, aud, iat, exp, auth_time, nonce, at_hash."),
		step("id_token.sign", KindSign, "The signature of an ID token (see access_token.sign)."),
	}
}

func resourceSteps(endpoint string) []Step {
	what := map[string]string{"userinfo": "The answer: claims about the user (sub, and by scope profile and email).", "resource": "The protected content; needs the scope read."}[endpoint]
	return slices.Concat(bearerSteps(endpoint), []Step{
		step(endpoint+".challenge", KindChallenge, "WWW-Authenticate: Bearer with realm, error, error_description, scope (RFC 6750 section 3)."),
		step(endpoint+".response", KindResponse, what),
		step(endpoint+".error", KindResponse, "The answer that refuses: error, error_description; 401, 403 for insufficient_scope, 400 for invalid_request, and the challenge."),
	})
}

// tokeninfoSteps are those of an endpoint of the time before RFC 7662, which the strict provider does not have.
func tokeninfoSteps() []Step {
	return slices.Concat(bearerSteps("tokeninfo"), []Step{
		step("tokeninfo.response", KindResponse, "What an access token is for: audience (the client), scope, expires_in, user_id."),
		step("tokeninfo.error", KindResponse, "The answer that refuses: error, error_description; 400."),
	})
}

// bearerSteps are those of every endpoint that takes an access token (RFC 6750).
func bearerSteps(endpoint string) []Step {
	prefix := endpoint + ".token"
	return slices.Concat(requestSteps(endpoint, "GET or POST"), []Step{
		guard(prefix+".one_header", "invalid_request", "There is one Authorization header, not several. Skipped, the first counts."),
		value(prefix+".header", "The access token comes in the Authorization header, scheme Bearer in any case (RFC 6750 section 2.1).",
			Mode{"off", "the header is ignored"}, Mode{"case-sensitive", "only Bearer with a capital B"}, Mode{"any-scheme", "any scheme, or none"}),
		value(prefix+".form", "The access token may come in the form of a POST (section 2.2).",
			Mode{"off", "the form is ignored"}, Mode{"any", "a body of any method and content type is read"}),
		value(prefix+".query", "The access token does not come in the query (setting query_token).", Mode{"on", "it may (section 2.3)"}),
		guard(prefix+".scheme", "invalid_request", "An Authorization header of another scheme is ignored; `always` with a when on it refuses."),
		guard(prefix+".syntax", "invalid_request", "The token in the header has the syntax b64token.", Mode{"first-word", "with skip: what follows a space or comma is dropped"},
			Mode{"unquote", "with skip: quotation marks around it are dropped"}),
		guard(prefix+".repeated", "invalid_request", "access_token does not occur twice. Skipped, the first counts."),
		guard(prefix+".multiple", "invalid_request", "The access token is sent in one way, not in two. Skipped, the last of header, form and query counts."),
		guard(prefix+".required", "", "An access token was sent; else 401 with a challenge without error. Skipped, the resource is open."),
		guard(prefix+".known", "invalid_token", "The access token was issued by this server. Skipped, anything opens the resource.",
			Mode{"unverified-jwt", "the claims of a JWT are believed without a look at the signature"}, Mode{"signed-jwt", "a JWT with a good signature will do"},
			Mode{"signature-ignored", "what follows the last dot is not compared"}, Mode{"prefix", "the first 16 characters will do"}, Mode{"case-insensitive", "case is ignored"}),
		guard(prefix+".kind", "invalid_token", "It is an access token, not a refresh token."),
		guard(prefix+".expired", "invalid_token", "It is not older than its lifetime."),
		guard(prefix+".revoked", "invalid_token", "It was not revoked."),
		guard(prefix+".audience", "invalid_token", "It is for this resource."),
		guard(prefix+".scope", "insufficient_scope", "It has the scope that the resource needs (userinfo: openid, resource: read)."),
	})
}

// hintSteps are those of the endpoints that take token_type_hint.
func hintStep(endpoint string) Step {
	return guard(endpoint+".hint", "unsupported_token_type", "token_type_hint is optional, and ignored where it is wrong or unknown.",
		Mode{"known-only", "stricter: an unknown one is refused"}, Mode{"required", "stricter: it is demanded"},
		Mode{"trusted", "a wrong one makes that nothing is found"}, Mode{"unknown-finds-nothing", "an unknown one makes that nothing is found"},
		Mode{"default-access", "without it only access tokens are found"},
		Mode{"access-token-only", "stricter: only access_token will do"})
}

func introspectionSteps() []Step {
	return slices.Concat(requestSteps("introspection", "POST"), clientAuthenticationSteps("introspection"), []Step{
		guard("introspection.bearer", "invalid_token", "A bearer token that authorizes the call (setting introspection_bearer) is a live access token of a client that may introspect. Skipped, any will do."),
		guard("introspection.client_type", "invalid_client", "The client is confidential.", Mode{"client-credentials", "stricter: and may use the grant client_credentials"}),
		guard("introspection.token.required", "invalid_request", "token was sent."),
		hintStep("introspection"),
		guard("introspection.token.known", "", "The token was issued by this server; else it is inactive. Skipped, everything is active. refuse with an error code makes an error of it.",
			Mode{"unverified-jwt", "the claims of a JWT are believed without a look at the signature"}, Mode{"signed-jwt", "a JWT with a good signature will do"},
			Mode{"signature-ignored", "what follows the last dot is not compared"}, Mode{"prefix", "the first 16 characters will do"}, Mode{"case-insensitive", "case is ignored"}),
		guard("introspection.token.expired", "", "The token is not older than its lifetime; else it is inactive."),
		guard("introspection.token.revoked", "", "The token was not revoked and, if a refresh token, not used up; else it is inactive."),
		guard("introspection.token.visible", "", "The token was issued to this client, or the client is a resource server (introspect: true); else it is inactive."),
		step("introspection.response", KindResponse, "The answer for an active token: active, scope, client_id, username, token_type, exp, iat, nbf, sub, aud, iss, jti (narrow with when: {token: refresh_token})."),
		step("introspection.inactive", KindResponse, "The answer for an inactive token: active false and nothing else."),
		step("introspection.error", KindResponse, "The error answer."),
	})
}

func revocationSteps() []Step {
	return slices.Concat(requestSteps("revocation", "POST"), clientAuthenticationSteps("revocation"), []Step{
		guard("revocation.client_type", "invalid_client", "Public clients may revoke, too.", Mode{"client-credentials", "stricter: the client may use the grant client_credentials"}),
		value("revocation.script", "The script of a JSONP answer (setting revocation_jsonp): calls the function that callback names, without argument or with the error object.",
			Mode{"plain-json", "the JSON object in place of the call"}),
		guard("revocation.token.required", "invalid_request", "token was sent."),
		hintStep("revocation"),
		guard("revocation.token.known", "invalid_request", "An unknown token is no error; `always` makes it one (and leaves known tokens alone)."),
		guard("revocation.token.supported", "unsupported_token_type", "Access and refresh tokens can be revoked; `always` with when: {token: refresh_token} refuses a kind."),
		guard("revocation.token.already_revoked", "invalid_request", "Revoking again is no error; `always` makes it one (for tokens that are revoked)."),
		guard("revocation.client_binding", "unauthorized_client", "The token was issued to this client. Skipped, any client may revoke it.",
			Mode{"silent", "not refused, and without effect"}),
		value("revocation.access_token", "Access tokens are revoked. set: false pretends.", Mode{"pair", "the refresh token that was issued beside it, too"}),
		value("revocation.code", "token_type_hint=auth_code is no known hint. set: true revokes an authorization code."),
		value("revocation.refresh_token", "Refresh tokens are revoked. set: false pretends."),
		value("revocation.cascade", "Revoking a refresh token revokes the access tokens of its grant. set: false keeps them."),
		step("revocation.response", KindResponse, "The answer: 200 and an empty object."),
		step("revocation.error", KindResponse, "The error answer."),
	})
}

func documentSteps() []Step {
	steps := []Step{step("other.page", KindPage, "The answer to a request for a path that leads nowhere: 404, plain text.")}
	where := []Mode{{"appended", "only after the issuer's path, where it has one"}, {"host-wide", "only without the issuer's path"}, {"trailing-slash", "only with a slash at the end"},
		{"unregistered-suffix", "only at /.well-known/oauth2-authorization-server"}, {"any-issuer", "also at the place of any other issuer of the host"}, {"nowhere", "not at all"}}
	steps = append(steps,
		step("signed_metadata.header", KindClaims, "The header of signed metadata (setting signed_metadata): alg, typ JWT, kid."),
		step("signed_metadata.claims", KindClaims, "The claims of signed metadata: iss, iat, and what the document says (RFC 8414 section 2.1)."),
		step("signed_metadata.sign", KindSign, "The signature of signed metadata (see access_token.sign)."))
	steps = append(steps, value("metadata.location", "Between host and path of the issuer (RFC 8414 section 3.1).", where...),
		value("openid_configuration.location", "Between host and path of the issuer, and after the path.", where...))
	for _, d := range []struct{ name, doc string }{
		{"metadata", "The authorization server metadata (RFC 8414), true to what the server does."},
		{"openid_configuration", "The document of OpenID Connect Discovery."},
		{"jwks", "The JWK set: the public keys."},
	} {
		steps = append(steps,
			step(d.name+".transport", KindTransport, "The connection of every request for the document."),
			guard(d.name+".method", "invalid_request", "The method is GET.", Mode{"any", "every method"}, Mode{"no-get", "stricter: GET is refused"}, Mode{"no-post", "no difference here"}),
			guard(d.name+".accept", "invalid_request", "The Accept header does not matter; `always` with a when on it refuses."),
			step(d.name+".response", KindResponse, d.doc),
			step(d.name+".error", KindResponse, "The answer that refuses."))
	}
	return append(steps, value("jwks.keys", "The public keys of the server.",
		Mode{"private", "with private members"}, Mode{"none", "no keys"}, Mode{"symmetric", "one more key, symmetric"}, Mode{"encryption", "one more key, for encryption"},
		Mode{"duplicate-kid", "one more key before the others, with the kid of the first"}, Mode{"unknown-type", "one more key before the others, of a type that nobody knows"},
		Mode{"malformed", "one more key before the others, whose modulus is not base64url"}))
}
