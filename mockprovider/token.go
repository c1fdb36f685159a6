package mockprovider

import (
	"net/http"
	"slices"
	"strings"
)

// grantTypeNames are the grant types that the mock knows; Settings.Grants chooses among them.
var grantTypeNames = []string{"authorization_code", "client_credentials", "refresh_token", "password", tokenExchangeGrant, jwtBearerGrant, deviceGrant}

// tokenEndpoint is the token endpoint (RFC 6749 section 3.2).
func (x *exchange) tokenEndpoint() {
	if err := x.tokenRequest(); err != nil {
		x.fail("token.error", err)
	}
}

// tokenRequest answers the request, or returns the error to answer with.
func (x *exchange) tokenRequest() *oauthError {
	if err := x.checkMethod(http.MethodPost); err != nil {
		return err
	}
	fromQuery := x.r.Method == http.MethodGet || x.r.Method == http.MethodHead // a deviation let it pass
	if err := x.readParameters(fromQuery); err != nil {
		return err
	}
	if err := x.local(".query_component", func() *oauthError { return nil }); err != nil {
		return err
	}
	if err := x.checkRepeated(); err != nil {
		return err
	}
	var grant string
	if err := x.p.shuffle.check(
		func() (err *oauthError) { grant, err = x.checkGrantType(); return err },
		x.authenticateClient,
	); err != nil {
		return err
	}
	if err := x.guard("token.grant_type.allowed", func() *oauthError {
		if !x.client.mayUse(grant) {
			return unauthorizedClient("the client may not use this grant type")
		}
		return nil
	}); err != nil {
		return err
	}
	switch grant {
	case "authorization_code":
		return x.grantAuthorizationCode()
	case "refresh_token":
		return x.grantRefreshToken()
	case "password":
		return x.grantPassword()
	case tokenExchangeGrant:
		return x.grantTokenExchange()
	case jwtBearerGrant:
		return x.grantJWTBearer()
	case deviceGrant:
		return x.grantDeviceCode()
	}
	return x.grantClientCredentials()
}

// checkGrantType returns the grant type of the request.
func (x *exchange) checkGrantType() (string, *oauthError) {
	value, given := x.params.lookup("grant_type")
	if err := x.refuseIf("token.grant_type.required", !given, invalidRequest, "grant_type is missing"); err != nil {
		return "", err
	}
	if !given || value == "" { // a deviation let it pass: the parameters tell
		value = x.guessGrantType()
	}
	const known = "token.grant_type.known"
	switch {
	case x.mode(known, "case-insensitive"):
		value = strings.ToLower(value)
	case x.mode(known, "trim"):
		value = strings.TrimSpace(value)
	case x.mode(known, "prefix"):
		for _, name := range grantTypeNames {
			if strings.HasPrefix(value, name) {
				value = name
			}
		}
	}
	if err := x.guard(known, func() *oauthError {
		if !slices.Contains(x.p.settings.Grants, value) {
			return detailed(&oauthError{Code: "unsupported_grant_type", Description: "the grant type is not supported"}, value)
		}
		return nil
	}); err != nil {
		return "", err
	}
	if !slices.Contains(grantTypeNames, value) {
		value = x.guessGrantType()
	}
	return value, nil
}

func (x *exchange) guessGrantType() string {
	switch {
	case x.params.has("subject_token"):
		return tokenExchangeGrant
	case x.params.has("device_code"):
		return deviceGrant
	case x.params.has("assertion"):
		return jwtBearerGrant
	case x.params.has("code") || x.params.has("code_verifier"):
		return "authorization_code"
	case x.params.has("refresh_token"):
		return "refresh_token"
	case x.params.has("username"):
		return "password"
	}
	return "client_credentials"
}
