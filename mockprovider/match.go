package mockprovider

import (
	"net/http"
	"strings"
)

// The names of the endpoints, for Next, Match, Endpoint and Description.Endpoints.
const (
	AuthorizationEndpoint       = "authorize"
	TokenEndpoint               = "token"
	UserinfoEndpoint            = "userinfo"
	IntrospectionEndpoint       = "introspection"
	RevocationEndpoint          = "revocation"
	RegistrationEndpoint        = "registration"         // RFC 7591
	ClientConfigurationEndpoint = "client_configuration" // RFC 7592
	DeviceAuthorizationEndpoint = "device_authorization"
	DevicePage                  = "device" // verification_uri of RFC 8628
	EndSessionEndpoint          = "end_session"
	JWKSEndpoint                = "jwks"
	ResourceEndpoint            = "resource"             // a protected resource that wants the scope read
	MetadataEndpoint            = "metadata"             // the document of RFC 8414
	OpenIDConfigurationEndpoint = "openid_configuration" // the document of OpenID Connect Discovery
	OtherPath                   = "other"                // a path that leads to no endpoint: a route of the test's own, see Match.Path
	AnyEndpoint                 = ""                     // every endpoint, but no other path
)

// Match chooses requests. What is not set fits every request. Texts are globs (* and ?), a leading ! negates.
type Match struct {
	Endpoint string            // TokenEndpoint …
	Method   string            // GET, POST
	Path     string            // path of the URL, also one that leads to no endpoint
	Client   string            // identifier of the client, as the request names it
	Grant    string            // grant_type
	User     string            // login name of the resource owner; for claims and recorded requests only
	Scope    string            // a scope value that was asked for or granted; for claims only
	Param    map[string]string // values of request parameters
	Header   map[string]string // values of header fields
	Nth      int               // only the nth request that fits, counted from 1
}

// when is the match in the vocabulary of `when` (docs/mock-steps.md).
func (m Match) when() map[string]any {
	when := make(map[string]any)
	for key, value := range map[string]string{"endpoint": m.Endpoint, "method": m.Method, "path": m.Path, "client": m.Client, "grant": m.Grant, "user": m.User, "scope": m.Scope} {
		if value != "" {
			when[key] = value
		}
	}
	if len(m.Param) > 0 {
		when["param"] = m.Param
	}
	if len(m.Header) > 0 {
		when["header"] = m.Header
	}
	if m.Nth != 0 {
		when["nth"] = m.Nth
	}
	return when
}

// String is the match as a log shows it.
func (m Match) String() string {
	var parts []string
	when := m.when()
	for _, key := range sortedKeys(when) {
		switch v := when[key].(type) {
		case map[string]string:
			for _, name := range sortedKeys(v) {
				parts = append(parts, key+"."+name+"="+v[name])
			}
		default:
			parts = append(parts, key+"="+toText(v))
		}
	}
	if len(parts) == 0 {
		return "any request"
	}
	return strings.Join(parts, " ")
}

// fits reports whether a recorded request is one of those that the match chooses (Nth is left to the caller).
func (m Match) fits(r *Request) bool {
	is := func(pattern, value string) bool { return pattern == "" || globMatch([]string{pattern}, value) }
	if !is(m.Endpoint, r.Endpoint) || !is(m.Method, r.Method) || !is(m.Client, r.ClientID) || !is(m.Grant, r.Params.Get("grant_type")) || !is(m.User, r.User) ||
		m.Path != "" && (r.URL == nil || !is(m.Path, r.URL.Path)) {
		return false
	}
	for name, pattern := range m.Param {
		if !globMatchAny([]string{pattern}, r.Params[name]) {
			return false
		}
	}
	for name, pattern := range m.Header {
		if !globMatchAny([]string{pattern}, r.Header[http.CanonicalHeaderKey(name)]) {
			return false
		}
	}
	return true
}
