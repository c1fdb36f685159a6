package mockprovider

import (
	"net/http"
	"strings"
)

// oauthError is an answer that refuses: an error response of RFC 6749 section 5.2 or 4.1.2.1, RFC 6750 section 3.1 or of an
// extension. It is not a Go error: nothing went wrong in the mock.
type oauthError struct {
	Code        string // error; "" leaves the member out
	Description string // error_description, or ""
	URI         string // error_uri, or ""
	Detail      string // what was refused: unknown scope values, the grant type; "" for nothing to name
	Status      int    // HTTP status, 0 for the endpoint's usual one
	Allow       string // the Allow header of a 405
	Page        bool   // at the authorization endpoint: show a page, do not redirect (RFC 6749 section 4.1.2.1)
	Redirect    bool   // redirect to the requested redirect_uri even where the strict server would not
	Step        string // the step that refused, for the request log
	Scope       string // scope attribute of a Bearer challenge
	Challenge   bool   // the client attempted HTTP authentication: answer with WWW-Authenticate
}

func invalidRequest(description string) *oauthError {
	return &oauthError{Code: "invalid_request", Description: description}
}

func invalidClient(description string) *oauthError {
	return &oauthError{Code: "invalid_client", Description: description}
}

func invalidGrant(description string) *oauthError {
	return &oauthError{Code: "invalid_grant", Description: description}
}

func invalidScope(description string) *oauthError {
	return &oauthError{Code: "invalid_scope", Description: description}
}

func unauthorizedClient(description string) *oauthError {
	return &oauthError{Code: "unauthorized_client", Description: description}
}

func invalidToken(description string) *oauthError {
	return &oauthError{Code: "invalid_token", Description: description, Status: http.StatusUnauthorized}
}

// detailed adds what was refused to an error.
func detailed(e *oauthError, values ...string) *oauthError {
	e.Detail = printable(strings.Join(values, ", "))
	return e
}

// errorPage is an error of the authorization endpoint that must not be redirected.
func errorPage(e *oauthError) *oauthError {
	e.Page = true
	return e
}

// methodNotAllowed is the answer of HTTP (RFC 9110 section 15.5.6).
func methodNotAllowed(allow string) *oauthError {
	return &oauthError{Code: "invalid_request", Description: "method not allowed, use " + allow, Status: http.StatusMethodNotAllowed, Allow: allow}
}
