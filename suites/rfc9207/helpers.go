// Package rfc9207 holds the checks of RFC 9207, OAuth 2.0 Authorization Server Issuer Identification, one file a section in the order of
// the text.
package rfc9207

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// flag is the metadata member that announces the parameter (section 3).
const flag = "authorization_response_iss_parameter_supported"

// promised reports whether the metadata or the target file says that authorization responses carry iss. Elsewhere the server need not
// implement this text, and what it does by itself is judged only where it is seen.
func promised(as *target.AS) bool {
	return as.Config().Declares.IssParameter || slices.ContainsFunc(as.Documents(), announces)
}

func announces(doc *target.Metadata) bool { return doc.Members[flag] == true }

// success is an ordinary authorization response of the code flow.
func success(as *target.AS) *target.Authorization {
	a := as.Authorize()
	switch {
	case a.Params().Has("response"):
		as.Skip("", "the response is a JWT (response_mode of JARM), whose iss claim takes the parameter's place")
	case a.Code() == "":
		as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
	}
	return a
}

// refusals are the error responses that reach the client. The entries of the sample that end at a page are none.
func refusals(as *target.AS) []target.RedirectSample {
	samples := slices.Clone(as.ErrorRedirects())
	if as.Has(target.OpenID) {
		samples = append(samples, target.RedirectSample{Name: "no-session", Authorization: as.Authorize(target.Set("prompt", "none"), target.NoControl(), target.AnyStatus())})
	}
	return slices.DeleteFunc(samples, func(s target.RedirectSample) bool {
		return s.Authorization.Error() == "" || s.Authorization.Params().Has("response")
	})
}

// seen is a response that carries iss: a success, else an error. Where there is none and none is promised the check is skipped.
func seen(as *target.AS) *target.Authorization {
	if a := success(as); a.Params().Has("iss") {
		return a
	}
	for _, s := range refusals(as) {
		if s.Authorization.Params().Has("iss") {
			return s.Authorization
		}
	}
	if promised(as) {
		as.Inconclusive("no authorization response carries iss, which another check reports")
	}
	unsupported(as)
	return nil
}

// value is the iss of a response. Whether there is exactly one, and one that says something, is the first check's to judge.
func value(as *target.AS, a *target.Authorization) string {
	values := a.Params()["iss"]
	if len(values) != 1 || values[0] == "" {
		as.Inconclusive("the response has %d iss parameters, or an empty one, which another check reports", len(values))
	}
	return values[0]
}

// unsupported skips the check on a server that shows no sign of this text.
func unsupported(as *target.AS) {
	as.Skip("declares: {iss_parameter: true}", "neither the metadata nor the target file says that authorization responses carry iss, and none does")
}

// missing judges a response without iss: a violation where it is promised, else worth a note.
func missing(as *target.AS, format string, args ...any) {
	if promised(as) {
		Violation(as, "exactly one iss, as promised", format, args...)
	}
	as.Note(format, args...)
}

// issuers are the issuer identifiers that the server's documents name; the target URL stands in where there is none.
func issuers(as *target.AS) (known []string, published bool) {
	for _, doc := range as.Documents() {
		if issuer := doc.String("issuer"); issuer != "" && !slices.Contains(known, issuer) {
			known = append(known, issuer)
		}
	}
	if len(known) == 0 {
		return []string{as.Issuer()}, false
	}
	return known, true
}

// development reports whether the https rule cannot be held against the target: it was given as an http URL, or is this machine.
func development(as *target.AS) bool {
	u, err := url.Parse(as.Config().Target)
	if err != nil || u.Scheme == "http" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || err == nil && addr.IsLoopback()
}
