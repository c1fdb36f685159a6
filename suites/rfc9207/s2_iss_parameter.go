package rfc9207

import (
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 9207", "2", func(s *suites.S) {
		s.Check("iss-in-success-response", suites.Requires("RFC9207-2-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := success(as)
				if !a.Params().Has("iss") {
					if !promised(as) && !slices.ContainsFunc(refusals(as), carriesIss) {
						unsupported(as)
					}
					missing(as, "a successful authorization response has no iss: %s", DescribeAuthorization(a))
					return
				}
				g.Expect(a.Params()["iss"]).To(HaveLen(1), "iss parameters of one response")
				g.Expect(a).To(HaveParam("iss", BeNonEmptyString()))
			})

		s.Check("iss-in-error-response", suites.Requires("RFC9207-2-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				errors := refusals(as)
				if !promised(as) && !slices.ContainsFunc(errors, carriesIss) && !success(as).Params().Has("iss") {
					unsupported(as)
				}
				if len(errors) == 0 {
					as.Inconclusive("no bad request was answered with an error response to the client")
				}
				for _, sample := range errors {
					as.Variant(sample.Name, func(g Gomega) {
						if !carriesIss(sample) {
							missing(as, "the error response %s has no iss", sample.Authorization.Error())
							return
						}
						g.Expect(sample.Authorization.Params()["iss"]).To(HaveLen(1), "iss parameters of one response")
					})
				}
			})

		s.Check("iss-is-issuer", suites.Requires("RFC9207-2-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				iss := value(as, seen(as))
				known, published := issuers(as)
				switch {
				case slices.Contains(known, iss):
					return
				case !published:
					as.Note("iss is %q, the target was given as %q; no document says which is the issuer", iss, known[0])
					return
				case slices.Contains(known, decoded(iss)):
					as.Inconclusive("iss is encoded twice, which another check reports")
				}
				g.Expect(iss).To(BeOneOf(known...), "iss against the issuer of the metadata, octet by octet")
			})

		s.Check("iss-https-url", suites.Requires("RFC9207-2-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				iss := value(as, seen(as))
				fault := issuerFault(iss, !development(as))
				switch known, published := issuers(as); {
				case fault == "" || !published:
				case slices.Contains(known, iss):
					as.Inconclusive("the metadata's issuer has the same fault, which the check of the metadata reports: %s", fault)
				case slices.Contains(known, decoded(iss)):
					as.Inconclusive("iss is encoded twice, which another check reports")
				}
				if fault != "" {
					Violation(as, "an absolute https URL without query and fragment", "iss is %q: %s", iss, fault)
				}
			})

		s.Check("iss-where-the-response-is", suites.Requires("RFC9207-2-05"), suites.Needs(target.AuthorizationCode),
			suites.Variants("response-type-token", "fragment", "form_post"),
			func(as *target.AS, g Gomega) {
				if !promised(as) {
					seen(as)
				}
				as.Variant("response-type-token", func(g Gomega) {
					if !as.Has(target.ImplicitGrant) {
						as.Skip("clients.implicit: {id: …, redirect_uris: […], grants: [implicit]}", "no client may use the implicit grant")
					}
					beside(as, as.Implicit(), "fragment")
				})
				for _, mode := range []string{"fragment", "form_post"} {
					as.Variant(mode, func(g Gomega) { beside(as, as.Authorize(target.Set("response_mode", mode)), mode) })
				}
			})
	})

	suites.Section("RFC 9207", "2.1", func(s *suites.S) {
		s.Check("iss-form-encoded", suites.Requires("RFC9207-2.1-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				a := seen(as)
				raw, ok := rawIss(a)
				if !ok {
					as.Skip("", "the response is not in the redirect's URI")
				}
				iss := value(as, a)
				known, _ := issuers(as)
				if slices.Contains(known, iss) {
					if raw != strings.Map(printable, raw) {
						as.Note("iss has characters that no URI may have: %q", raw)
					}
					return
				}
				for _, issuer := range known {
					rest, cut := strings.CutPrefix(issuer, iss)
					switch {
					case decoded(iss) == issuer:
						Violation(as, "an iss that is the issuer when it is decoded once", "iss=%s", raw)
					case cut && rest != "" && strings.ContainsAny(rest[:1], "&#"):
						Violation(as, "iss in form-encoding", "iss=%s, which ends where %q has a character of a meaning in queries", raw, issuer)
					}
				}
				as.Inconclusive("iss is not the issuer, which another check reports")
			})
	})

	suites.Section("RFC 9207", "2.3", func(s *suites.S) {
		s.Check("issuer-published", suites.Requires("RFC9207-2.3-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				iss := value(as, seen(as))
				switch _, published := issuers(as); {
				case published || as.Issuer() == iss && as.Metadata() == nil: // the target file names it
				case as.Metadata() != nil:
					as.Note("the metadata names no issuer that clients could compare iss with")
				default:
					as.Inconclusive("whether clients are told the issuer is not known: there is no metadata, and the target was not given as %q", iss)
				}
			})

		s.Check("iss-announced", suites.Requires("RFC9207-2.3-03"), suites.Needs(target.AuthorizationCode, target.MetadataDocument),
			func(as *target.AS, g Gomega) {
				if !as.Config().Declares.IssParameter {
					if a := success(as); !a.Params().Has("iss") && !slices.ContainsFunc(refusals(as), carriesIss) {
						as.Skip("", "no authorization response carries iss")
					}
				}
				for _, doc := range as.Documents() {
					announced, there := doc.Members[flag]
					switch {
					case announced == true:
					case doc.OpenID, announced == nil && !as.Config().Declares.IssParameter:
						as.Note("responses carry iss, which %s does not announce", doc.URL)
					case there:
						Violation(as, flag+" true, as responses carry iss", "%s says %v", doc.URL, announced)
					default:
						Violation(as, flag+" true, as responses are meant to carry iss", "%s has no such member", doc.URL)
					}
				}
			})
	})

	suites.Section("RFC 9207", "2.4", func(s *suites.S) {
		s.Check("iss-equals-id-token", suites.Requires("RFC9207-2.4-01"), suites.Needs(target.AuthorizationCode, target.OpenID),
			func(as *target.AS, g Gomega) {
				a := withIDToken(as)
				claims := target.JWTClaims(a.Param("id_token"))
				iss, ok := claims["iss"].(string)
				switch {
				case !ok:
					as.Inconclusive("the ID token cannot be read, or has no iss")
				case !a.Params().Has("iss"):
					return // the ID token carries it (section 4)
				}
				g.Expect(a).To(HaveParam("iss", iss), "iss parameter against the ID token's iss claim")
			})
	})
}

func carriesIss(s target.RedirectSample) bool { return s.Authorization.Params().Has("iss") }

// decoded undoes form-encoding once more.
func decoded(value string) string {
	if plain, err := url.QueryUnescape(value); err == nil {
		return plain
	}
	return value
}

// issuerFault says what keeps a value from being an issuer identifier (RFC 8414 section 2); "" if nothing does.
func issuerFault(issuer string, https bool) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || !u.IsAbs() || u.Host == "":
		return "it is no absolute URL"
	case strings.ContainsAny(issuer, "?#"):
		return "it has a query or fragment"
	case https && u.Scheme != "https", u.Scheme != "https" && u.Scheme != "http":
		return "its scheme is not https"
	}
	return ""
}

// beside judges that iss is where the other parameters of the response are.
func beside(as *target.AS, a *target.Authorization, place string) {
	switch {
	case a.Params().Has("response"), a.Params().Has("id_token"):
		as.Skip("", "the response is or has a JWT that names the issuer (section 4)")
	case a.Code() == "" && a.Param("access_token") == "" || a.In() != place:
		as.Skip("", "the server does not deliver in %s: %s", place, DescribeAuthorization(a))
	case a.Params().Has("iss"):
		return
	case strings.Contains("&"+a.RawQuery(), "&iss="):
		missing(as, "the response is in the %s, and its iss in the query", place)
	default:
		missing(as, "the response in the %s has no iss", place)
	}
}

// rawIss is iss as it stands in the redirect's URI.
func rawIss(a *target.Authorization) (string, bool) {
	raw := a.RawQuery()
	if a.In() == "fragment" {
		raw = a.RawFragment()
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if value, ok := strings.CutPrefix(pair, "iss="); ok {
			return value, a.In() != "form_post"
		}
	}
	return "", false
}

// printable drops what may not stand in a URI (RFC 3986 section 2).
func printable(r rune) rune {
	if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^`+"`{|}", r) {
		return -1
	}
	return r
}

// withIDToken is an authorization response that has an ID token.
func withIDToken(as *target.AS) *target.Authorization {
	listed, known := as.Metadata().Strings("response_types_supported")
	for _, responseType := range []string{"code id_token", "id_token"} {
		if known && !slices.Contains(listed, responseType) {
			continue
		}
		client := as.ClientFor(target.AuthorizationCode)
		a := as.Authorize(target.As(client), target.ResponseType(responseType), target.NoControl())
		if a.Param("id_token") != "" {
			return a
		}
	}
	as.Skip("", "the server issues no ID token to this client from the authorization endpoint")
	return nil
}
