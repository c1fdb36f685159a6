package target

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Capability names one thing that checks need of a target. Its value is the word that the catalogue's `needs` uses.
type Capability string

// These constants are untyped because each names a capability and something of another type as well: a grant
// (AuthorizationCode, TokenExchange, JWTBearer: see Grant) or a client authentication method (PrivateKeyJWT: see
// AuthMethod).
const (
	AuthorizationCode = "authorization_code"
	TokenExchange     = "token_exchange"
	JWTBearer         = "jwt_bearer"
	PrivateKeyJWT     = "private_key_jwt"
)

// Capabilities beside the untyped ones above. Capabilities() documents each.
const (
	AnyTokenGrant          Capability = "any_token_grant"
	ClientCredentialsGrant Capability = "client_credentials"
	PasswordGrant          Capability = "password"
	RefreshTokenGrant      Capability = "refresh_token"
	ImplicitGrant          Capability = "implicit"
	ConfidentialClient     Capability = "confidential_client"
	PublicClient           Capability = "public_client"
	SecondClient           Capability = "second_client"
	SecondRedirectURI      Capability = "second_redirect_uri"
	UserConsent            Capability = "user_consent"
	PKCE                   Capability = "pkce"
	OpenID                 Capability = "openid"
	MetadataDocument       Capability = "metadata"
	TLS                    Capability = "tls"
	ProtectedResource      Capability = "resource_server"
	InsufficientScope      Capability = "insufficient_scope"
	Introspection          Capability = "introspection"
	Revocation             Capability = "revocation"
	Registration           Capability = "registration"
	ClientIDMetadata       Capability = "cimd"
	DeviceAuthorization    Capability = "device"
	PushedAuthorization    Capability = "par"
	DPoP                   Capability = "dpop"
	Delegation             Capability = "delegation"
	SAML                   Capability = "saml"
	JWTAccessToken         Capability = "jwt_access_token"
	ResourceIndicators     Capability = "resource_indicators"
	CodeLifetime           Capability = "code_lifetime"
)

// State says whether a capability is there.
type State string

// The states of a capability. What is Likely has not been refused by anything that is known before a request is made;
// a run tries it (Info.Settle) and then says Available or Missing.
const (
	Available State = "available"
	Likely    State = "likely"
	Missing   State = "missing"
)

// Detection is the finding about one capability.
type Detection struct {
	Capability Capability
	State      State
	Because    string // "metadata lists it in grant_types_supported"
	Enable     string // the line of the target file that would make a missing one available
	Failed     bool   // a trial failed of what configuration and metadata promise
}

// Description documents a capability.
type Description struct {
	Capability Capability
	Doc        string // what the target offers when it has the capability
	Enable     string // the line of the target file that supplies it
	detect     func(*Info) (State, string)
}

// Detect judges every capability from the configuration and the metadata, without sending anything, and keeps the
// findings in info.
func (info *Info) Detect() {
	info.Detections = nil
	for _, d := range Capabilities() {
		state, because := d.detect(info)
		found := Detection{Capability: d.Capability, State: state, Because: because}
		if state != Available {
			found.Enable = d.Enable
		}
		info.Detections = append(info.Detections, found)
	}
}

// Detection returns the finding about one capability; a capability that nobody defined is Missing.
func (info *Info) Detection(capability Capability) Detection {
	for _, d := range info.Detections {
		if d.Capability == capability {
			return d
		}
	}
	return Detection{Capability: capability, State: Missing, Because: fmt.Sprintf("no capability is called %q", capability)}
}

// Has reports whether the target has a capability as far as is known: Available, or Likely and not yet tried.
func (info *Info) Has(capability Capability) bool {
	return info.Detection(capability).State != Missing
}

// Settle replaces a finding after the run has tried the capability.
func (info *Info) Settle(capability Capability, available bool, because string) {
	for i := range info.Detections {
		d := &info.Detections[i]
		if d.Capability != capability {
			continue
		}
		d.Because, d.State, d.Enable = because, Available, ""
		if !available {
			description, _ := LookupCapability(string(capability))
			d.State, d.Enable, d.Failed = Missing, description.Enable, true
		}
	}
}

// Report returns the findings in the report's shape.
func (info *Info) Report() []reports.Capability {
	var out []reports.Capability
	for _, d := range info.Detections {
		out = append(out, reports.Capability{
			Name: string(d.Capability), Available: d.State != Missing, Because: d.Because, Enable: d.Enable,
		})
	}
	return out
}

// LookupCapability finds the capability that a word of the catalogue's `needs` names.
func LookupCapability(word string) (Description, bool) {
	for _, d := range Capabilities() {
		if string(d.Capability) == word {
			return d, true
		}
	}
	return Description{}, false
}

// Capabilities lists all capabilities: the ones that most checks need first.
func Capabilities() []Description {
	return []Description{
		{AuthorizationCode, "the authorization code grant, with a client that has a redirection URI and a user who can log in",
			"clients.primary: {id: …, secret: …, redirect_uris: [https://client.example/callback]}, user: {username: …, password: …}", detectAuthorizationCode},
		{ClientCredentialsGrant, "the client credentials grant",
			"clients.service: {id: …, secret: …, grants: [client_credentials]}", detectGrant("client_credentials")},
		{PasswordGrant, "the resource owner password credentials grant",
			"clients.primary.grants: [password], user: {username: …, password: …}", detectPassword},
		{RefreshTokenGrant, "refresh tokens",
			"clients.primary.grants: [refresh_token] (and often scopes: [offline_access], authorize_params: {prompt: consent})", detectRefresh},
		{AnyTokenGrant, "at least one of the authorization code, client credentials, password and refresh token grants",
			"clients.primary: {id: …, secret: …, grants: [client_credentials]}", detectAnyGrant},
		{ImplicitGrant, "the implicit grant",
			"clients.implicit: {id: …, redirect_uris: [https://client.example/callback], grants: [implicit]}", detectImplicit},
		{ConfidentialClient, "a client that authenticates at the token endpoint",
			"clients.primary: {id: …, secret_env: NAME}", detectConfidential},
		{PublicClient, "a client without credentials",
			"clients.public: {id: …, redirect_uris: [https://client.example/callback]}", detectPublic},
		{SecondClient, "a second confidential client of the same server",
			"clients.second: {id: …, secret_env: NAME, redirect_uris: [https://second.example/callback]}", detectSecond},
		{SecondRedirectURI, "two registered redirection URIs of one client",
			"clients.primary.redirect_uris: [https://client.example/callback, https://client.example/other]", detectSecondRedirectURI},
		{UserConsent, "a consent page on which the user can refuse",
			"login: {consent: always}", detectConsent},
		{PKCE, "proof key for code exchange (RFC 7636)",
			"(a property of the server: code_challenge_methods_supported in its metadata)", detectPKCE},
		{OpenID, "OpenID Connect: the scope openid and ID tokens",
			"scopes: [openid]", detectOpenID},
		{MetadataDocument, "a metadata document (RFC 8414 or OpenID Connect Discovery)",
			"endpoints.metadata: https://as.example/.well-known/oauth-authorization-server", detectMetadata},
		{TLS, "a token endpoint that is reached over https",
			"target: https://…", detectTLS},
		{ProtectedResource, "a protected resource that takes the server's access tokens; by default the userinfo endpoint",
			"resource: {url: https://api.example/thing, method: GET}", detectResource},
		{InsufficientScope, "a scope whose tokens must not reach the protected resource",
			"resource.insufficient_scope: SCOPE", detectInsufficientScope},
		{Introspection, "token introspection (RFC 7662)",
			"endpoints.introspection: https://…, introspection: {client: primary}", detectIntrospection},
		{Revocation, "token revocation (RFC 7009)",
			"endpoints.revocation: https://…", detectEndpoint("revocation", func(e Endpoints) string { return e.Revocation })},
		{Registration, "dynamic client registration (RFC 7591)",
			"endpoints.registration: https://…", detectEndpoint("registration", func(e Endpoints) string { return e.Registration })},
		{ClientIDMetadata, "client identifiers that are URLs of client metadata documents",
			"(a property of the server: client_id_metadata_document_supported in its metadata)", detectFlag("client_id_metadata_document_supported")},
		{DeviceAuthorization, "device authorization (RFC 8628)",
			"endpoints.device_authorization: https://…, clients.primary.grants: [urn:ietf:params:oauth:grant-type:device_code]",
			detectEndpoint("device_authorization", func(e Endpoints) string { return e.DeviceAuthorization })},
		{PushedAuthorization, "pushed authorization requests (RFC 9126)",
			"endpoints.pushed_authorization_request: https://…", detectEndpoint("pushed_authorization_request", func(e Endpoints) string { return e.PushedAuthorization })},
		{DPoP, "sender-constrained tokens by proof of possession (RFC 9449)",
			"dpop: {}", detectDPoP},
		{TokenExchange, "token exchange (RFC 8693)",
			"token_exchange: {client: primary}", detectTokenExchange},
		{Delegation, "token exchange with an actor token",
			"token_exchange.delegation: true", detectDelegation},
		{SAML, "token exchange of SAML assertions",
			"token_exchange.subject_token_types: [urn:ietf:params:oauth:token-type:saml2]", detectSAML},
		{JWTBearer, "JWTs as authorization grants (RFC 7523)",
			"jwt_bearer: {…}, clients.primary.grants: [urn:ietf:params:oauth:grant-type:jwt-bearer]", detectGrant("urn:ietf:params:oauth:grant-type:jwt-bearer")},
		{PrivateKeyJWT, "client authentication by a signed JWT (RFC 7523)",
			"clients.primary: {auth: private_key_jwt, key_file: client.pem}", detectPrivateKeyJWT},
		{JWTAccessToken, "access tokens in JWT form (RFC 9068)",
			"(a property of the server: its access tokens are JWTs of type at+jwt)", detectJWTAccessToken},
		{ResourceIndicators, "resource indicators (RFC 8707)",
			"resource_indicators: {…}", detectResourceIndicators},
		{CodeLifetime, "a known lifetime of authorization codes, for checks that wait for its end",
			"timing.code_lifetime: 10m", detectCodeLifetime},
	}
}

// detectGrant judges a grant by what the clients' `grants` list, then by the metadata, then by whether a client could
// try it at all.
func detectGrant(grantType string) func(*Info) (State, string) {
	return func(info *Info) (State, string) {
		if info.Endpoints.Token == "" {
			return Missing, "no token endpoint is known"
		}
		client := info.Config.ClientFor(grantType)
		if client == nil {
			return Missing, "no client that is configured may use " + grantType
		}
		if slices.Contains(client.Grants, grantType) {
			return Available, fmt.Sprintf("clients.%s.grants lists %s", client.Name, grantType)
		}
		announced, because := info.announcesGrant(grantType)
		switch {
		case announced == Missing:
			return Missing, because + ", and no client's grants list it"
		default:
			return Likely, fmt.Sprintf("%s; clients.%s has no list of grants", because, client.Name)
		}
	}
}

// announcesGrant reads grant_types_supported with its default of RFC 8414 section 2.
func (info *Info) announcesGrant(grantType string) (State, string) {
	if info.Metadata == nil {
		return Likely, "there is no metadata that would say which grants are supported"
	}
	types, listed := info.Metadata.Strings("grant_types_supported")
	switch {
	case slices.Contains(types, grantType) && listed:
		return Available, "metadata lists " + grantType + " in grant_types_supported"
	case slices.Contains(types, grantType):
		return Available, "metadata has no grant_types_supported, which stands for authorization_code and implicit"
	case listed:
		return Missing, "metadata does not list " + grantType + " in grant_types_supported"
	default:
		return Missing, "metadata has no grant_types_supported, which stands for authorization_code and implicit only"
	}
}

func detectAuthorizationCode(info *Info) (State, string) {
	if info.Endpoints.Authorization == "" {
		return Missing, "no authorization endpoint is known"
	}
	state, because := detectGrant(AuthorizationCode)(info)
	if state == Missing {
		return state, because
	}
	client := info.Config.ClientFor(AuthorizationCode)
	if len(client.RedirectURIs) == 0 {
		return Missing, fmt.Sprintf("clients.%s has no redirect_uris", client.Name)
	}
	if info.Config.User.Username == "" && info.Config.Login.Method != "none" {
		return Likely, because + "; no user is configured, so it works only if the server asks for no login"
	}
	return state, because
}

func detectPassword(info *Info) (State, string) {
	state, because := detectGrant("password")(info)
	if state != Missing && info.Config.User.Username == "" {
		return Missing, "no user is configured"
	}
	return state, because
}

// detectRefresh: a server need not announce refresh tokens (RFC 8414 lists grant types as optional and its default lacks
// refresh_token), so that only a list without it says no.
func detectRefresh(info *Info) (State, string) {
	state, because := detectGrant("refresh_token")(info)
	if state == Missing && info.Metadata != nil && info.Endpoints.Token != "" {
		if _, listed := info.Metadata.Strings("grant_types_supported"); !listed && info.Config.ClientFor("refresh_token") != nil {
			return Likely, "metadata does not say which grants are supported"
		}
	}
	return state, because
}

func detectAnyGrant(info *Info) (State, string) {
	likely := ""
	for _, detect := range []func(*Info) (State, string){
		detectGrant("client_credentials"), detectRefresh, detectAuthorizationCode, detectPassword,
	} {
		state, because := detect(info)
		switch {
		case state == Available:
			return Available, because
		case state == Likely && likely == "":
			likely = because
		}
	}
	if likely != "" {
		return Likely, likely
	}
	return Missing, "no grant that yields tokens is available"
}

func detectImplicit(info *Info) (State, string) {
	if info.Endpoints.Authorization == "" {
		return Missing, "no authorization endpoint is known"
	}
	client := info.Config.ClientFor("implicit")
	switch {
	case client != nil && slices.Contains(client.Grants, "implicit"):
		return Available, fmt.Sprintf("clients.%s.grants lists implicit", client.Name)
	case client != nil && client == info.Config.Clients.Implicit:
		return Available, "clients.implicit is configured"
	case client == nil:
		return Missing, "no client that is configured may use implicit"
	case info.Metadata == nil:
		return Missing, "not announced and not configured"
	}
	if types, _ := info.Metadata.Strings("response_types_supported"); slices.Contains(types, "token") {
		return Likely, "metadata lists token in response_types_supported"
	}
	return Missing, "metadata does not list token in response_types_supported, and no client's grants list implicit"
}

func detectConfidential(info *Info) (State, string) {
	for _, c := range info.Config.Clients.All() {
		if c.Confidential() && c != info.Config.Clients.Second {
			return Available, fmt.Sprintf("clients.%s authenticates with %s", c.Name, c.AuthOrDefault())
		}
	}
	return Missing, "no client with a secret or key is configured"
}

func detectPublic(info *Info) (State, string) {
	for _, c := range info.Config.Clients.All() {
		if !c.Confidential() && (c == info.Config.Clients.Public || c == info.Config.Clients.Primary) {
			return Available, fmt.Sprintf("clients.%s has no credentials", c.Name)
		}
	}
	return Missing, "clients.public is not configured"
}

func detectSecond(info *Info) (State, string) {
	if second := info.Config.Clients.Second; second != nil {
		if second.Confidential() {
			return Available, "clients.second is configured"
		}
		return Missing, "clients.second has neither a secret nor a key"
	}
	return Missing, "clients.second is not configured"
}

func detectSecondRedirectURI(info *Info) (State, string) {
	for _, c := range info.Config.Clients.All() {
		if len(c.RedirectURIs) > 1 && c.MayUse(Grant(AuthorizationCode).Type()) {
			return Available, fmt.Sprintf("clients.%s has %d redirection URIs", c.Name, len(c.RedirectURIs))
		}
	}
	return Missing, "no client that may use authorization codes has two redirection URIs"
}

func detectConsent(info *Info) (State, string) {
	if state, because := detectAuthorizationCode(info); state == Missing {
		return Missing, because
	}
	switch login := info.Config.Login; {
	case login.Method == "none":
		return Missing, "login.method is none, so no consent page is expected"
	case login.Consent == "always":
		return Available, "login.consent is always"
	}
	return Likely, "whether the server asks for consent shows in the first authorization"
}

func detectPKCE(info *Info) (State, string) {
	if state, because := detectAuthorizationCode(info); state == Missing {
		return Missing, because
	}
	if info.Metadata != nil {
		if methods, listed := info.Metadata.Strings("code_challenge_methods_supported"); listed && len(methods) > 0 {
			return Available, "metadata lists " + strings.Join(methods, ", ") + " in code_challenge_methods_supported"
		}
		return Likely, "metadata has no code_challenge_methods_supported; a trial shows whether a wrong code_verifier is refused"
	}
	return Likely, "there is no metadata; a trial shows whether a wrong code_verifier is refused"
}

func detectOpenID(info *Info) (State, string) {
	if slices.Contains(info.Config.Scopes, "openid") {
		return Available, "scopes lists openid"
	}
	if info.offersOpenID() {
		return Missing, "metadata lists openid in scopes_supported, but the target file's scopes do not"
	}
	return Missing, "scopes does not list openid"
}

// offersOpenID reports whether the metadata lists the scope openid.
func (info *Info) offersOpenID() bool {
	if info.Metadata == nil {
		return false
	}
	scopes, _ := info.Metadata.Strings("scopes_supported")
	return slices.Contains(scopes, "openid")
}

func detectMetadata(info *Info) (State, string) {
	if info.Metadata != nil {
		return Available, "found at " + info.Metadata.URL
	}
	return Missing, "no document at the well-known places"
}

func detectTLS(info *Info) (State, string) {
	for _, endpoint := range []string{info.Endpoints.Token, info.Endpoints.Authorization, info.Config.Target} {
		if endpoint != "" {
			if strings.HasPrefix(endpoint, "https://") {
				return Available, endpoint + " is an https URL"
			}
			return Missing, endpoint + " is not an https URL"
		}
	}
	return Missing, "no endpoint is known"
}

func detectResource(info *Info) (State, string) {
	switch {
	case info.Config.Resource.URL != "":
		return Available, "resource.url is configured"
	case info.Endpoints.Userinfo != "" && info.offersOpenID() && !slices.Contains(info.Config.Scopes, "openid"):
		return Missing, "no resource is configured, and the userinfo endpoint wants tokens with the scope openid, which the target file's scopes do not list"
	case info.Endpoints.Userinfo != "":
		return Available, "there is a userinfo endpoint"
	}
	return Missing, "no resource is configured and no userinfo endpoint is known"
}

func detectInsufficientScope(info *Info) (State, string) {
	if state, because := detectResource(info); state == Missing {
		return Missing, because
	}
	if info.Config.Resource.InsufficientScope == "" {
		return Missing, "resource.insufficient_scope is not configured"
	}
	return Available, "resource.insufficient_scope is " + info.Config.Resource.InsufficientScope
}

func detectIntrospection(info *Info) (State, string) {
	if info.Endpoints.Introspection == "" {
		return Missing, "not announced and not configured"
	}
	if info.Config.Introspection.Client == "" && info.Config.Clients.FirstConfidential() == nil {
		return Missing, "no confidential client is configured that could introspect"
	}
	return Available, "the introspection endpoint is known"
}

func detectEndpoint(name string, get func(Endpoints) string) func(*Info) (State, string) {
	return func(info *Info) (State, string) {
		switch {
		case get(info.Config.Endpoints) != "":
			return Available, "endpoints." + name + " is configured"
		case get(info.Endpoints) != "":
			return Available, "metadata lists the endpoint"
		}
		return Missing, "not announced and not configured"
	}
}

func detectFlag(member string) func(*Info) (State, string) {
	return func(info *Info) (State, string) {
		if info.Metadata != nil {
			if on, _ := info.Metadata.Members[member].(bool); on {
				return Available, "metadata says " + member
			}
		}
		return Missing, "metadata does not say " + member
	}
}

func detectDPoP(info *Info) (State, string) {
	if info.Config.Reserved.DPoP != nil {
		return Available, "the target file has a dpop section"
	}
	if info.Metadata != nil {
		if algs, listed := info.Metadata.Strings("dpop_signing_alg_values_supported"); listed && len(algs) > 0 {
			return Available, "metadata lists dpop_signing_alg_values_supported"
		}
	}
	return Missing, "not announced and not configured"
}

const tokenExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"

func detectTokenExchange(info *Info) (State, string) {
	if info.Endpoints.Token == "" {
		return Missing, "no token endpoint is known"
	}
	if name := info.Config.TokenExchange.Client; name != "" {
		if info.Config.Clients.ByName(name) == nil {
			return Missing, fmt.Sprintf("token_exchange.client names %q, which is no configured client", name)
		}
		return Available, "token_exchange.client is " + name
	}
	state, because := detectGrant(tokenExchangeGrant)(info)
	if state == Likely && info.Metadata == nil {
		// Token exchange is rare: without any sign of it there is nothing to try.
		return Missing, "not announced and not configured"
	}
	return state, because
}

func detectDelegation(info *Info) (State, string) {
	if state, because := detectTokenExchange(info); state == Missing {
		return Missing, because
	}
	if info.Config.TokenExchange.Delegation {
		return Available, "token_exchange.delegation is true"
	}
	return Missing, "token_exchange.delegation is not set"
}

func detectSAML(info *Info) (State, string) {
	for _, t := range info.Config.TokenExchange.SubjectTokenTypes {
		if strings.Contains(t, ":saml") {
			return Available, "token_exchange.subject_token_types lists " + t
		}
	}
	return Missing, "token_exchange.subject_token_types lists no SAML type"
}

func detectPrivateKeyJWT(info *Info) (State, string) {
	for _, c := range info.Config.Clients.All() {
		if c.AuthOrDefault() == PrivateKeyJWT && c.hasKey() {
			return Available, fmt.Sprintf("clients.%s authenticates with private_key_jwt", c.Name)
		}
	}
	return Missing, "no client authenticates with private_key_jwt"
}

func detectJWTAccessToken(info *Info) (State, string) {
	if state, because := detectAnyGrant(info); state == Missing {
		return Missing, because
	}
	return Likely, "the form of access tokens shows in the first one"
}

func detectResourceIndicators(info *Info) (State, string) {
	if info.Config.Reserved.ResourceIndicators != nil {
		return Available, "the target file has a resource_indicators section"
	}
	return Missing, "not configured"
}

func detectCodeLifetime(info *Info) (State, string) {
	if info.Config.Timing.CodeLifetime > 0 {
		return Available, "timing.code_lifetime is " + info.Config.Timing.CodeLifetime.String()
	}
	return Missing, "timing.code_lifetime is not configured"
}
