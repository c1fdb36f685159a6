package matrix

import "testing"

// Other protection of the consent form than a secret in it (RFC 6749 section 10.12).
func TestAcceptsConsentForms(t *testing.T) {
	form := []string{"rfc6749/consent-form-not-forgeable"}
	accept(t,
		permitted{name: "cookie-kept-back-by-browsers", checks: form, do: `{at: consent.csrf, skip: true}`},
		permitted{name: "login-by-link-and-approval-by-a-later-secret", checks: []string{"rfc6749/consent-by-signed-in-browser"}, do: `{at: session.binding, mode: after-login}`},
		permitted{name: "unpredictable-field-with-a-free-cookie", checks: form, do: `{at: session.cookie, mode: samesite-none}`},
	)
}
