package rfc7636

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"io"
	"net/url"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7636", "4.4", func(s *suites.S) {
		s.Check("challenge-bound-to-code", suites.Requires("RFC7636-4.4-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				first, second := twoCodes(as)
				if !redeems(as, first, first.Verifier).IssuesToken() || !redeems(as, second, second.Verifier).IssuesToken() {
					as.Inconclusive("of two codes that are outstanding at the same time one is not redeemed with its own verifier")
				}
				first, second = twoCodes(as)
				g.Expect(redeems(as, first, second.Verifier)).NotTo(IssueToken())
			})

		s.Check("challenge-not-in-code", suites.Requires("RFC7636-4.4-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				value := target.S256(as.Verifier())
				a := asks(as, value, target.MethodS256)
				as.CodeOf(a)
				if parameter := revealing(a, value); parameter != "" {
					Violation(as, "no response parameter from which the code_challenge can be read", "the parameter %s tells it", parameter)
				}
			})
	})

	suites.Section("RFC 7636", "4.4.1", func(s *suites.S) {
		s.Check("pkce-required", suites.Requires("RFC7636-4.4.1-01"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				a := withoutRequired(as)
				g.Expect(a).NotTo(DeliverCode())
				invalidRequest(as, g, a)
			})

		s.Check("pkce-required-explained", suites.Requires("RFC7636-4.4.1-02"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) { explained(as, g, withoutRequired(as)) })

		s.Check("unknown-method-refused", suites.Requires("RFC7636-4.4.1-03"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				a := asks(as, target.S256(as.Verifier()), unknownMethod)
				g.Expect(a).NotTo(DeliverCode())
				invalidRequest(as, g, a)
			})

		s.Check("unknown-method-explained", suites.Requires("RFC7636-4.4.1-04"), suites.Needs(target.AuthorizationCode, target.PKCE),
			func(as *target.AS, g Gomega) {
				usual(as)
				explained(as, g, asks(as, target.S256(as.Verifier()), unknownMethod))
			})
	})
}

// unknownMethod is a code_challenge_method that nobody registered.
const unknownMethod = "S999"

// twoCodes are two codes that are outstanding at the same time, each with the challenge of its own verifier.
func twoCodes(as *target.AS) (first, second *target.Code) {
	ask := func() *target.Code {
		verifier := as.Verifier()
		code := as.CodeOf(asks(as, target.S256(verifier), target.MethodS256))
		code.Verifier = verifier
		return code
	}
	return ask(), ask()
}

// withoutRequired is the end of an authorization request without PKCE by a client of which PKCE is demanded.
func withoutRequired(as *target.AS) *target.Authorization {
	var client *target.Client
	switch as.Config().Declares.PKCE {
	case "required":
		client = as.ClientFor(target.AuthorizationCode)
	case "required-of-public":
		client = as.Public()
	default:
		as.Skip("declares: {pkce: required-of-public}", "the target file does not say that the server demands PKCE of some client")
	}
	works(as, client, target.MethodS256)
	return as.Authorize(target.As(client), target.WithoutPKCE(), target.NoControl())
}

// invalidRequest judges how an authorization request was refused that the client made without need for a person to see it.
func invalidRequest(as *target.AS, g Gomega, a *target.Authorization) {
	if a.Location == "" {
		as.Note("an error page in place of an error response: %s", DescribeAuthorization(a))
		return
	}
	g.Expect(a).To(DeliverError("invalid_request"))
}

// explained judges that an error response says more than its code.
func explained(as *target.AS, g Gomega, a *target.Authorization) {
	switch {
	case a.Code() != "":
		as.Inconclusive("the request was not refused, which another check reports")
	case a.Error() == "":
		as.Skip("", "the server does not refuse with an error response: %s", DescribeAuthorization(a))
	case a.Param("error_uri") == "":
		g.Expect(a).To(HaveParam("error_description", BeNonEmptyString()), "an explanation beside the error code")
	}
}

// revealing names the response parameter from which a value can be read, as it stands or after undoing the usual encodings; "" if there is
// none.
func revealing(a *target.Authorization, value string) string {
	for name, values := range a.Params() {
		if name == "state" { // the client's own
			continue
		}
		for _, v := range values {
			if reveals(v, value, 4) {
				return name
			}
		}
	}
	return ""
}

func reveals(text, value string, depth int) bool {
	if strings.Contains(text, value) {
		return true
	}
	if depth == 0 || text == "" {
		return false
	}
	for _, inner := range unwrapped(text) {
		if inner != text && reveals(inner, value, depth-1) {
			return true
		}
	}
	return false
}

// unwrapped are the texts that a text may be an encoding of.
func unwrapped(text string) []string {
	var out []string
	add := func(b []byte, err error) {
		if err == nil && len(b) > 0 {
			out = append(out, string(b))
		}
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		out = append(out, plain)
	}
	if parts := strings.Split(text, "."); len(parts) > 1 {
		out = append(out, parts...)
	}
	bare := strings.TrimRight(text, "=")
	add(base64.RawURLEncoding.DecodeString(bare))
	add(base64.RawStdEncoding.DecodeString(bare))
	const enough = 64 << 10
	add(io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(text)), enough)))
	if r, err := zlib.NewReader(bytes.NewReader([]byte(text))); err == nil {
		add(io.ReadAll(io.LimitReader(r, enough)))
	}
	return out
}
