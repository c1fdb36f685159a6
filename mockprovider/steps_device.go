package mockprovider

import "slices"

// deviceSteps are those of device authorization (RFC 8628), from the device's request to its tokens.
func deviceSteps() []Step {
	const grant = "token.device_code"
	return slices.Concat(requestSteps("device_authorization", "POST"), clientAuthenticationSteps("device_authorization"), []Step{
		guard("device_authorization.grant_type.allowed", "unauthorized_client", "The client may use the device grant."),
		step("device_authorization.response", KindResponse, "The answer: device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval."),
		step("device_authorization.error", KindResponse, "The error answer, as at the token endpoint."),
		value("device_code.generate", "The device code: 43 random characters.", mintModes...),
		lifetime("device_code.lifetime", "How long the codes live: ten minutes (setting lifetimes.device_code)."),
		lifetime("device_code.interval", "How long a device waits between polls: five seconds (setting device_interval)."),
		value("user_code.generate", "The user code: eight letters that cannot be confused, with a dash in the middle (34 bits).",
			Mode{"digits", "six digits"}, Mode{"short", "four digits"}, Mode{"counter", "a number that counts up from 100001"}, Mode{"ambiguous", "letters and digits that look alike"}, Mode{"same", "the same every time"}),
	}, requestSteps("device", "GET or POST"), []Step{
		value("device.complete", "verification_uri_complete shows the user code and asks whether it is right.", Mode{"auto", "nobody is asked: the request counts as the form"}),
		step("device.form", KindPage, "The page that asks for the user code."),
		value("device.entry", "The verification page has a form for the user code.", Mode{"no-form", "it has none"}),
		value("device.user_code", "Case and punctuation of the user code do not matter.", Mode{"exact", "they do"}),
		guard("device.user_code.attempts", "access_denied", "A browser session enters no more than ten wrong codes, all of them together no more than a thousand within the lifetime of a code; then the page is answered with 429."),
		guard("device.user_code.known", "invalid_request", "The user code belongs to a device that waits; else the page is shown again."),
		step("device.done", KindPage, "The page after the decision."),
	}, []Step{
		guard(grant+".required", "invalid_request", "device_code was sent. Skipped, see "+grant+".known."),
		guard(grant+".known", "invalid_grant", "The device code was issued by this server. Skipped, an unknown one counts as approved by the user of the setting auto_user."),
		guard(grant+".client_binding", "invalid_grant", "The device code was issued to this client."),
		guard(grant+".expired", "expired_token", "The device code is not older than its lifetime."),
		guard(grant+".denied", "access_denied", "The user did not refuse. Skipped, a refusal is forgotten."),
		guard(grant+".slow_down", "slow_down", "While the user has not decided: a device does not ask before the interval is over, which grows by five seconds each time that it does."),
		guard(grant+".pending", "authorization_pending", "The user has decided. Skipped, the user of the setting auto_user has approved."),
		guard(grant+".used", "invalid_grant", "The device code is used for the first time."),
	})
}
