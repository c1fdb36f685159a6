package mockprovider

import (
	"net/http"
	"slices"
	"strings"
)

// metadata is the authorization server metadata (RFC 8414). It says what the provider does, no more and no less.
func (x *exchange) metadata() {
	if x.documentRequest() {
		x.json("metadata.response", http.StatusOK, x.signedMetadata(x.metadataDocument()))
	}
}

// openidConfiguration is the document of OpenID Connect Discovery 1.0.
func (x *exchange) openidConfiguration() {
	if !x.documentRequest() {
		return
	}
	s := &x.p.settings
	o := x.metadataDocument()
	if url := x.url(EndSessionEndpoint); url != "" {
		o = append(o, member{"end_session_endpoint", url})
	}
	o = append(o, member{"subject_types_supported", []string{"public"}},
		member{"id_token_signing_alg_values_supported", []string{s.IDToken.Algorithm}},
		member{"claims_supported", []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "given_name", "family_name",
			"preferred_username", "email", "email_verified"}},
		member{"request_parameter_supported", false}, member{"request_uri_parameter_supported", false}, member{"claims_parameter_supported", false})
	x.json("openid_configuration.response", http.StatusOK, x.signedMetadata(o))
}

// signedMetadata repeats a document in a JWT inside of it, where the setting says so (RFC 8414 section 2.1).
func (x *exchange) signedMetadata(o object) object {
	s := &x.p.settings
	if !s.SignedMetadata {
		return o
	}
	algorithm := s.IDToken.Algorithm
	if strings.HasPrefix(algorithm, "HS") {
		algorithm = "RS256" // who reads metadata has no secret
	}
	claims := append(object{{"iss", x.issuer()}, {"iat", x.now.Unix()}}, o...)
	return append(o, member{"signed_metadata", x.jws("signed_metadata", algorithm, "JWT", claims)})
}

// documentRequest checks a request for a public document.
func (x *exchange) documentRequest() bool {
	err := x.checkMethod(http.MethodGet)
	if err == nil {
		err = x.local(".accept", func() *oauthError { return nil })
	}
	if err == nil {
		return true
	}
	if err.Status == 0 {
		err.Status = http.StatusNotAcceptable
	}
	x.err = err
	if err.Allow != "" {
		x.w.Header().Set("Allow", err.Allow)
	}
	x.json(x.endpoint+".error", err.Status, x.errorObject(err))
	return false
}

func (x *exchange) metadataDocument() object {
	p, s := x.p, &x.p.settings
	o := object{{"issuer", x.issuer()}}
	endpoint := func(member_, name string) {
		if url := x.url(name); url != "" {
			o = append(o, member{member_, url})
		}
	}
	codeOrImplicit := len(p.responseTypes()) > 0
	if codeOrImplicit {
		endpoint("authorization_endpoint", "authorize")
	}
	endpoint("token_endpoint", "token")
	endpoint("jwks_uri", "jwks")
	if s.OpenID {
		endpoint("userinfo_endpoint", "userinfo")
	}
	endpoint("revocation_endpoint", "revocation")
	endpoint("introspection_endpoint", "introspection")
	endpoint("registration_endpoint", "registration")
	endpoint("device_authorization_endpoint", "device_authorization")
	o = append(o, member{"scopes_supported", s.Scopes})
	types := p.responseTypes()
	if types == nil {
		types = []string{"none"}
	}
	o = append(o, member{"response_types_supported", types})
	if p.shuffle.keep("metadata.response_modes_supported") {
		o = append(o, member{"response_modes_supported", s.ResponseModes})
	}
	o = append(o, member{"grant_types_supported", p.grantTypes()},
		member{"token_endpoint_auth_methods_supported", s.ClientAuthMethods},
		member{"revocation_endpoint_auth_methods_supported", s.ClientAuthMethods},
		member{"introspection_endpoint_auth_methods_supported", slices.DeleteFunc(slices.Clone(s.ClientAuthMethods), func(m string) bool { return m == "none" })})
	if algorithms := s.assertionAlgorithms(); len(algorithms) > 0 { // RFC 8414 section 2: needed beside methods that sign
		for _, endpoint := range []string{"token", "revocation", "introspection"} {
			o = append(o, member{endpoint + "_endpoint_auth_signing_alg_values_supported", algorithms})
		}
	}
	if len(s.PKCE.Methods) > 0 {
		o = append(o, member{"code_challenge_methods_supported", s.PKCE.Methods})
	}
	if s.IssParameter {
		o = append(o, member{"authorization_response_iss_parameter_supported", true})
	}
	if p.shuffle.keep("metadata.service_documentation") {
		o = append(o, member{"service_documentation", x.base + "/documentation"})
	}
	return o
}

// grantTypes are the grant types that the provider supports, and implicit.
func (p *Provider) grantTypes() []string {
	grants := slices.Clone(p.settings.Grants)
	if p.settings.Implicit || p.settings.Hybrid {
		grants = append(grants, "implicit")
	}
	return grants
}

// jwks is the JWK set (RFC 7517 section 5): public keys only.
func (x *exchange) jwks() {
	if !x.documentRequest() {
		return
	}
	public, err := x.p.keys.public()
	if err != nil {
		x.fail("jwks.error", &oauthError{Code: "server_error", Description: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	var keys []object
	for _, key := range public {
		o := key.jwk()
		if x.mode("jwks.keys", "private") {
			o = append(o, key.privateMembers()...)
		}
		keys = append(keys, o)
	}
	if x.mode("jwks.keys", "none") {
		keys = []object{}
	}
	if x.mode("jwks.keys", "symmetric") {
		keys = append(keys, object{{"kty", "oct"}, {"use", "sig"}, {"alg", "HS256"}, {"kid", "test-oct-1"}, {"k", encode64([]byte("not-a-secret-not-a-secret-not-a-secret"))}})
	}
	if x.mode("jwks.keys", "encryption") {
		extra := public[0].jwk()
		extra = extra.set("use", "enc").set("alg", "RSA-OAEP-256").set("kid", "test-rsa-enc")
		keys = append(keys, extra)
	}
	if x.mode("jwks.keys", "duplicate-kid") {
		if other, err := x.p.keys.forAlgorithm(public[0].algorithm, true); err == nil {
			keys = slices.Insert(keys, 0, other.jwk().set("kid", public[0].id))
		}
	}
	if x.mode("jwks.keys", "unknown-type") {
		keys = slices.Insert(keys, 0, object{{"kty", "X-LATTICE"}, {"use", "sig"}, {"alg", "XL512"}, {"kid", "test-unknown-type"}, {"pub", "AQAB"}})
	}
	if x.mode("jwks.keys", "malformed") {
		keys = slices.Insert(keys, 0, object{{"kty", "RSA"}, {"use", "sig"}, {"alg", "RS256"}, {"kid", "test-malformed"}, {"n", "this is not base64url!"}, {"e", "AQAB"}})
	}
	x.json("jwks.response", http.StatusOK, object{{"keys", keys}})
}
