package matchers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
	"github.com/onsi/gomega"
)

// The error codes that the specifications list, by place. A code outside of all lists is a vendor's own: RFC 6749 section
// 8.5 allows those without registration, so they are worth a note and no more.
var (
	tokenErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope"}
	authorizationErrors = []string{"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
		"invalid_scope", "server_error", "temporarily_unavailable"}
	resourceErrors = []string{"invalid_request", "invalid_token", "insufficient_scope"}

	tokenExtensionErrors = []string{"authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_target",
		"invalid_dpop_proof", "use_dpop_nonce", "unsupported_token_type", "invalid_authorization_details",
		"interaction_required", "login_required", "consent_required", "account_selection_required",
		"invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement", "unapproved_software_statement",
		"unmet_authentication_requirements", "missing_user_code", "invalid_user_code", "invalid_binding_message",
		"unknown_user_id", "expired_login_hint_token", "transaction_failed", "need_info", "request_denied", "request_submitted"}
	authorizationExtensionErrors = []string{"login_required", "interaction_required", "consent_required",
		"account_selection_required", "invalid_request_uri", "invalid_request_object", "request_not_supported",
		"request_uri_not_supported", "registration_not_supported", "invalid_target",
		"unmet_authentication_requirements", "invalid_authorization_details"}
	resourceExtensionErrors = []string{"invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication"}
)

// TokenErrors are the codes of RFC 6749 section 5.2.
func TokenErrors() []string { return slices.Clone(tokenErrors) }

// AuthorizationErrors are the codes of RFC 6749 section 4.1.2.1.
func AuthorizationErrors() []string { return slices.Clone(authorizationErrors) }

// ResourceErrors are the codes of RFC 6750 section 3.1.
func ResourceErrors() []string { return slices.Clone(resourceErrors) }

// TokenExtensionErrors are codes that registered extensions add for the token endpoint.
func TokenExtensionErrors() []string { return slices.Clone(tokenExtensionErrors) }

// AuthorizationExtensionErrors are codes that registered extensions add for the authorization endpoint.
func AuthorizationExtensionErrors() []string { return slices.Clone(authorizationExtensionErrors) }

// ResourceExtensionErrors are codes that registered extensions add for protected resources.
func ResourceExtensionErrors() []string { return slices.Clone(resourceExtensionErrors) }

// Speaker is the part of a *target.AS with which a judge says more than pass and fail.
type Speaker interface {
	Note(format string, args ...any)
	Inconclusive(format string, args ...any)
}

// Codes says how a judge takes each error code. A code in Accept is right; one in Tolerate is allowed and noted; another
// one is wrong if it is on the list for the place (see JudgeError and JudgeErrorRedirect) or in Refuse, else noted as
// a vendor's own.
type Codes struct {
	Accept   []string
	Tolerate []string
	Refuse   []string
}

// JudgeError judges the error code of a refusal at the token endpoint (or one that uses its codes). Every other code of
// RFC 6749 section 5.2 fails. A response that issues a token, or has no error code, is another
// requirement's finding: inconclusive here.
func JudgeError(as Speaker, g gomega.Gomega, r *target.Response, codes Codes) {
	judge(as, g, r, codes, tokenErrors)
}

// JudgeResourceError judges the error code of the challenge with which a protected resource refused (RFC 6750 section 3.1):
// codes of the resource's, the token and the authorization endpoint's lists that are not accepted fail.
func JudgeResourceError(as Speaker, g gomega.Gomega, r *target.Response, codes Codes) {
	if r.Err == nil && r.Status/100 == 2 {
		as.Inconclusive("the request was not refused: %s", DescribeResponse(r))
	}
	challenges, _ := Challenges(r)
	for _, c := range challenges {
		if code, ok := c.Get("error"); ok && (c.Is("Bearer") || c.Is("DPoP")) {
			take(as, g, r, code, describeChallenges(r), codes, slices.Concat(resourceErrors, tokenErrors, authorizationErrors))
			return
		}
	}
	as.Inconclusive("the refusal has no challenge with an error code: %s", describeChallenges(r))
}

func judge(as Speaker, g gomega.Gomega, r *target.Response, codes Codes, listed []string) {
	switch {
	case r.Err != nil:
		as.Inconclusive("there was no response: %v", r.Err)
	case r.IssuesToken():
		as.Inconclusive("the request was not refused: %s", DescribeResponse(r))
	case r.ErrorCode() == "":
		as.Inconclusive("the refusal has no error code: %s", DescribeResponse(r))
	}
	take(as, g, r, r.ErrorCode(), DescribeResponse(r), codes, listed)
}

// JudgeErrorRedirect judges how an authorization request that cannot be served was refused. Accepted is a redirect with an error
// code as codes say; an error page instead is allowed (RFC 9700 section 4.11.2) and noted. A delivered code or token,
// or a redirect without an error, is another requirement's finding: inconclusive here.
func JudgeErrorRedirect(as Speaker, g gomega.Gomega, a *target.Authorization, codes Codes) {
	switch {
	case a.Location == "" || a.Via == "link":
		as.Note("an error page instead of a redirect with an error: %s", DescribeAuthorization(a))
		return
	case a.Code() != "" || a.Param("access_token") != "" || a.Param("id_token") != "":
		as.Inconclusive("the request was not refused: %s", DescribeAuthorization(a))
	case a.Error() == "":
		as.Inconclusive("the redirect has no error code: %s", DescribeAuthorization(a))
	}
	if slices.Contains(tokenErrors, a.Error()) && !slices.Contains(authorizationErrors, a.Error()) {
		as.Inconclusive("error=%s is a code of the token endpoint, which another check reports", a.Error())
	}
	take(as, g, a, a.Error(), DescribeAuthorization(a), codes, authorizationErrors)
}

// take is the common end of the judges: answer, which has the error code, is the evidence.
func take(as Speaker, g gomega.Gomega, answer any, code, description string, codes Codes, listed []string) {
	switch {
	case slices.Contains(codes.Accept, code):
	case slices.Contains(codes.Tolerate, code):
		as.Note("error=%s, expected %s", code, strings.Join(codes.Accept, " or "))
	case slices.Contains(listed, code), slices.Contains(codes.Refuse, code):
		g.Expect(answer).To(refusedCode(codes, description))
	default:
		as.Note("error=%s, which is not on the list for this place, expected %s", code, strings.Join(codes.Accept, " or "))
	}
}

// refusedCode never matches: it says which codes would have been right, beside a description of the whole answer.
func refusedCode(codes Codes, description string) Matcher {
	var expects []string
	for _, code := range slices.Concat(codes.Accept, codes.Tolerate) {
		expects = append(expects, "error="+code)
	}
	return &judgement{expects: expects, judge: func(any) (bool, string, error) { return false, description, nil }}
}

// Failer is the part of a *target.AS that ends a check's body with a violation.
type Failer interface {
	Fail(format string, args ...any)
}

// Violation ends the body where no matcher says it better: what would have been accepted, and what came back.
func Violation(as Failer, expected, format string, args ...any) {
	as.Fail("%s", Failure{Expected: []string{expected}, Actual: fmt.Sprintf(format, args...)})
}
