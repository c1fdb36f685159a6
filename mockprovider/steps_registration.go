package mockprovider

import "slices"

// registrationSteps are those of client registration (RFC 7591) and of the client configuration endpoint (RFC 7592).
func registrationSteps() []Step {
	const uris = "registration.redirect_uris"
	const metadata, redirectURI = "invalid_client_metadata", "invalid_redirect_uri"
	return slices.Concat(documentRequestSteps("registration", "POST"), []Step{
		guard("registration.initial_access_token", "invalid_token", "With the setting registration.access token the request has the initial access token; a wrong one is always refused. Skipped, everybody registers."),
		guard("registration.content_type", metadata, "The body is application/json.", Mode{"form", "a form is taken, too"}, Mode{"form-only", "JSON is refused"}),
		guard("registration.syntax", metadata, "The body is a JSON object. Skipped, anything else is an empty one."),
		guard("registration.unknown_metadata", metadata, "Unknown members are ignored; so only `always` makes sense here, with when: {unknown_parameter: true}."),
		guard("registration.software_statement.known", "invalid_software_statement", "A software statement is signed by a trusted issuer (setting trusted_issuers); unapproved_software_statement where the issuer is another. Skipped, every one is believed."),
		value("registration.software_statement.claims", "The claims of a software statement take precedence over plain members.",
			Mode{"plain-wins", "plain members take precedence"}, Mode{"ignored", "software statements are unknown members"}),
		guard("registration.types", metadata, "Members have the JSON types of RFC 7591 section 2 (redirect_uris: invalid_redirect_uri)."),
		value("registration.default_grant_types", "Without grant_types a client has the grant authorization_code."),
		guard("registration.auth_method", metadata, "token_endpoint_auth_method is supported (setting client_auth_methods)."),
		guard("registration.grant_types", metadata, "grant_types are supported."),
		guard("registration.response_types", metadata, "response_types are supported."),
		guard("registration.consistency", metadata, "grant_types and response_types fit together (RFC 7591 section 2.1)."),
		guard(uris+".required", redirectURI, "Clients of the grants authorization_code and implicit have redirect_uris."),
		guard(uris+".syntax", redirectURI, "redirect_uris are absolute URIs."),
		guard(uris+".fragment", redirectURI, "redirect_uris have no fragment."),
		guard(uris+".scheme", redirectURI, "redirect_uris are https, http on the loopback interface or localhost, or of a private-use scheme with a period in it."),
		guard("registration.links", metadata, "client_uri, logo_uri, tos_uri, policy_uri and jwks_uri are http or https URLs."),
		guard("registration.jwks.alone", metadata, "There are not both jwks and jwks_uri."),
		guard("registration.jwks.keys", metadata, "jwks is a JWK set with public keys, and a client for private_key_jwt has one."),
		guard("registration.scope", metadata, "scope has only scope values that exist."),
		value("registration.client_id.generate", "The client identifier: 43 random characters.", mintModes...),
		value("registration.client_secret.issue", "Clients whose method needs a client secret get one. `when: {client_type:}` tells them apart."),
		value("registration.client_secret.generate", "The client secret: 43 random characters.", mintModes...),
		step("registration.response", KindResponse, "The client information response: client_id, client_secret, client_secret_expires_at, everything that was registered, registration_access_token, registration_client_uri; 201."),
		step("registration.challenge", KindChallenge, "WWW-Authenticate: Bearer with realm and error, in answers with 401."),
		step("registration.error", KindResponse, "The error answer: error, error_description; 400, or 401 for a wrong token."),
	}, documentRequestSteps("client_configuration", "GET, PUT or DELETE"), []Step{
		guard("client_configuration.token", "invalid_token", "The request has the client's registration access token; the client is named by client_id in the query."),
		guard("client_configuration.update", "invalid_client_metadata", "An update (PUT) names the client, has no other secret than the client's, and none of the members that the server alone says (RFC 7592 section 2.2). Its metadata go through the steps of a registration."),
		step("client_configuration.response", KindResponse, "The client information response."),
		step("client_configuration.challenge", KindChallenge, "WWW-Authenticate: Bearer with realm and error, in answers with 401."),
		step("client_configuration.error", KindResponse, "The error answer."),
	})
}

// documentRequestSteps are those of an endpoint that reads no form.
func documentRequestSteps(endpoint, methods string) []Step {
	return []Step{
		step(endpoint+".transport", KindTransport, "The connection of every request to the endpoint."),
		guard(endpoint+".method", "invalid_request", "The method is "+methods+"; others get 405 with Allow.",
			Mode{"any", "every method"}, Mode{"no-get", "stricter: GET is refused"}, Mode{"no-post", "stricter: POST is refused"}),
	}
}
