package reports

import "strings"

// words are the words of the protocol. A secret that is spelled like one of them is redacted only where its position
// gives it away, because the report would be unreadable without the words; and a part of a secret that is a part of
// them is no secret.
const words = `
access_token actor_token actor_token_type assertion audience authorization_code authorization_details client_assertion
client_assertion_type client_credentials client_id client_secret client_secret_basic client_secret_post client_secret_jwt
code_challenge code_challenge_method code_verifier device_code error_description error_uri expires_in grant_type
id_token id_token_hint interval issued_token_type login_hint password private_key_jwt redirect_uri refresh_token
request_uri requested_token_type resource response_mode response_type scope state subject_token subject_token_type token
token_type token_type_hint tls_client_auth self_signed_tls_client_auth user_code username verification_uri
verification_uri_complete form_post fragment query ui_locales max_age prompt display acr_values nonce
access_denied account_selection_required authorization_pending consent_required expired_token insufficient_scope
interaction_required invalid_client invalid_client_metadata invalid_dpop_proof invalid_grant invalid_redirect_uri
invalid_request invalid_request_object invalid_request_uri invalid_scope invalid_software_statement invalid_target
invalid_token login_required registration_not_supported request_not_supported request_uri_not_supported server_error
slow_down temporarily_unavailable unapproved_software_statement unauthorized_client unmet_authentication_requirements
unsupported_grant_type unsupported_response_type unsupported_token_type use_dpop_nonce
urn:ietf:params:oauth:grant-type:device_code urn:ietf:params:oauth:grant-type:jwt-bearer
urn:ietf:params:oauth:grant-type:saml2-bearer urn:ietf:params:oauth:grant-type:token-exchange
urn:openid:params:grant-type:ciba urn:ietf:params:oauth:client-assertion-type:jwt-bearer
urn:ietf:params:oauth:client-assertion-type:saml2-bearer urn:ietf:params:oauth:request_uri:
urn:ietf:params:oauth:token-type:access_token urn:ietf:params:oauth:token-type:refresh_token
urn:ietf:params:oauth:token-type:id_token urn:ietf:params:oauth:token-type:jwt
urn:ietf:params:oauth:token-type:saml1 urn:ietf:params:oauth:token-type:saml2 urn:ietf:wg:oauth:2.0:oob
authorization_endpoint token_endpoint revocation_endpoint introspection_endpoint userinfo_endpoint jwks_uri
registration_endpoint device_authorization_endpoint pushed_authorization_request_endpoint end_session_endpoint
offline_access openid profile email address
application/json application/x-www-form-urlencoded application/jwt application/xml text/html text/plain
multipart/form-data application/oauth-authz-req+jwt application/token-introspection+jwt charset=utf-8
authorization bearer basic cache-control no-store no-cache must-revalidate private public max-age content-type
content-length content-security-policy content-encoding transfer-encoding location referrer-policy no-referrer
set-cookie cookie pragma strict-transport-security includesubdomains www-authenticate x-content-type-options nosniff
x-frame-options sameorigin access-control-allow-origin access-control-allow-credentials access-control-allow-headers
access-control-allow-methods accept-encoding accept-language user-agent connection keep-alive httponly samesite=strict
samesite=lax samesite=none secure expires path domain date server vary origin
http://localhost https://localhost http://127.0.0.1 https://127.0.0.1 https://www.rfc-editor.org/rfc/ https://client.example
oauthcheck undefined null true false none anonymous localhost example.com deleted`

// vocabulary is the set of the words, folded.
var vocabulary = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[foldString(w)] = true
	}
	return set
}()
