package mockprovider

import "slices"

// exchangeSteps are those of the token exchange grant (RFC 8693).
func exchangeSteps() []Step {
	const step = exchangeStep
	steps := slices.Concat(exchangedTokenSteps("subject_token"), []Step{
		guard(step+".actor_token_type.alone", "invalid_request", "No actor_token_type without an actor_token."),
	}, exchangedTokenSteps("actor_token"))
	return append(steps,
		value(step+".actors", "The actor is who the actor token speaks of, earlier ones stay inside of act.",
			Mode{"ignored", "actor tokens are not looked at"}, Mode{"only-current", "earlier actors are dropped"}, Mode{"inverted", "the first actor stays outermost, the current one is nested innermost"}),
		guard(step+".may_act", "invalid_request", "An actor token speaks of the party that may_act of the subject token names, if it names one."),
		guard(step+".requested_token_type.required", "invalid_request", "requested_token_type is optional; so only `always` makes sense here, with when: {absent: [requested_token_type]}."),
		guard(step+".requested_token_type.known", "invalid_request", "requested_token_type is supported (setting token_exchange.requested_token_types). Skipped, an access token is issued in place of unknown types."),
		guard(step+".requested_token_type.allowed", "invalid_request", "Refresh tokens go to clients that may use them, these and ID tokens stand for users."),
		guard(step+".target.required", "invalid_request", "audience and resource are optional; `always` demands one of them."),
		guard(step+".resource.syntax", "invalid_target", "resource is an absolute URI without a fragment.", Mode{"relative", "a relative reference passes"}, Mode{"fragment", "a fragment passes"}),
		guard(step+".resource.known", "invalid_target", "resource is known: the URL of the protected resource, or in the setting token_exchange.resources."),
		guard(step+".audience.known", "invalid_target", "audience is known: in the setting token_exchange.audiences."),
		guard(step+".target.several", "invalid_target", "A token may be for several targets; `always` with a when on the parameters refuses that."),
		value(step+".target", "The audience of the token: all audience and resource parameters, without any the usual audience of access tokens.",
			Mode{"ignored", "always the usual audience"}, Mode{"first", "only the first one"}, Mode{"client", "the client that asks"}),
		guard(step+".scope.required", "invalid_scope", "scope is optional; `always` demands it."),
		guard(step+".scope", "invalid_scope", "scope is within that of the subject token, if that has any. Skipped, anything is granted.",
			Mode{"asked-only", "without the parameter the default scope is granted, not that of the subject token"}),
		value(step+".client", "The token belongs to the client that asks.", Mode{"subject", "to the one that the subject token was issued to"}),
		value(step+".subject", "The token speaks of the subject token's subject.", Mode{"client", "of the client that asks"}, Mode{"actor", "of the actor, with the subject as actor"}),
		value(step+".refresh_token", "A refresh token that is asked for travels in access_token.", Mode{"own-member", "in refresh_token, with an access token in access_token"}),
		Step{Name: step + ".act", Kind: KindClaims, Doc: "An object whose one member act is the act claim, before it goes into the token: sub, and act for earlier actors (edit /act/sub and so on)."},
	)
}

func exchangedTokenSteps(role string) []Step {
	step := exchangeStep + "." + role
	required, anybody := "subject_token was sent. Skipped, see the step known.", "the user of the setting auto_user"
	if role == "actor_token" {
		anybody = "the client that asks"
		required = "actor_token is optional; `always` demands one."
	}
	return []Step{
		guard(step+".required", "invalid_request", required),
		guard(step+"_type.required", "invalid_request", role+"_type was sent with "+role+". Skipped, the token tells."),
		guard(step+"_type.known", "invalid_request", role+"_type is supported (settings token_exchange). Skipped, the token tells.",
			Mode{"pattern", "every URN that begins as those of RFC 8693 do passes, and the token tells"}, Mode{"bare-word", "the last word of the URN alone passes"}),
		guard(step+".known", "invalid_request", "The token was issued by this server and is of the type that "+role+"_type says (jwt: an access token in JWT form or an ID token). Skipped, an unknown one speaks of "+anybody+".",
			Mode{"any-type", "the type is not looked at"}, Mode{"never-issued", "what this server never issued speaks of " + anybody + "; its tokens of other types are refused"}, Mode{"access-token", "an access token passes under every type"}, Mode{"id-token", "an ID token passes as an access token"},
			Mode{"unverified", "the signature of a JWT is not looked at"}, Mode{"alg-none", "an unsigned JWT passes"},
			Mode{"embedded-key", "a JWT may bring its key along in its header"}, Mode{"foreign-issuer", "a JWT of any other issuer passes"},
			Mode{"unverified-jwt", "access tokens: the claims of a JWT are believed without a look at the signature"}, Mode{"signed-jwt", "access tokens: a JWT with a good signature will do"},
			Mode{"signature-ignored", "access tokens: what follows the last dot is not compared"}, Mode{"prefix", "access tokens: the first 16 characters will do"},
			Mode{"case-insensitive", "access tokens: case is ignored"}),
		guard(step+".expired", "invalid_request", "It is not older than its lifetime."),
		guard(step+".revoked", "invalid_request", "It was not revoked or, if a refresh token, used up."),
		guard(step+".client_binding", "invalid_request", "A refresh token was issued to this client."),
		value(step+".consumed", "The token goes on working. set: true revokes it after the exchange."),
	}
}
