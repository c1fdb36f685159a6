package target

// Endpoint names an endpoint by its key in the target file.
type Endpoint string

// The endpoints. ResourceEndpoint is the protected resource: resource.url, else the userinfo endpoint.
const (
	AuthorizationEndpoint       Endpoint = "authorization"
	TokenEndpoint               Endpoint = "token"
	RevocationEndpoint          Endpoint = "revocation"
	IntrospectionEndpoint       Endpoint = "introspection"
	UserinfoEndpoint            Endpoint = "userinfo"
	JWKSEndpoint                Endpoint = "jwks"
	RegistrationEndpoint        Endpoint = "registration"
	DeviceAuthorizationEndpoint Endpoint = "device_authorization"
	PushedAuthorizationEndpoint Endpoint = "pushed_authorization_request"
	EndSessionEndpoint          Endpoint = "end_session"
	MetadataEndpoint            Endpoint = "metadata"
)

// get is the URL of an endpoint, "" if the target has none.
func (e Endpoints) get(which Endpoint) string {
	switch which {
	case AuthorizationEndpoint:
		return e.Authorization
	case TokenEndpoint:
		return e.Token
	case RevocationEndpoint:
		return e.Revocation
	case IntrospectionEndpoint:
		return e.Introspection
	case UserinfoEndpoint:
		return e.Userinfo
	case JWKSEndpoint:
		return e.JWKS
	case RegistrationEndpoint:
		return e.Registration
	case DeviceAuthorizationEndpoint:
		return e.DeviceAuthorization
	case PushedAuthorizationEndpoint:
		return e.PushedAuthorization
	case EndSessionEndpoint:
		return e.EndSession
	case MetadataEndpoint:
		return e.Metadata
	}
	return ""
}

// all lists the endpoints that are known.
func (e Endpoints) all() []string {
	var out []string
	for _, u := range []string{e.Authorization, e.Token, e.Revocation, e.Introspection, e.Userinfo, e.JWKS, e.Registration,
		e.DeviceAuthorization, e.PushedAuthorization, e.EndSession, e.Metadata} {
		if u != "" {
			out = append(out, u)
		}
	}
	return out
}
