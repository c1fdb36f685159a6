package rfc8414

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 8414", "3", func(s *suites.S) {
		needs := suites.Needs(target.MetadataDocument)

		s.Check("metadata-location", suites.Requires("RFC8414-3-01"), needs,
			func(as *target.AS, g Gomega) {
				var tried []string
				for _, doc := range claims(as) {
					for _, issuer := range []string{doc.String("issuer"), as.Config().Target} {
						for _, suffix := range []string{oauthSuffix, openidSuffix} {
							place := inserted(issuer, suffix)
							if place == "" || slices.Contains(tried, place) {
								continue
							}
							tried = append(tried, place)
							if isDocument(fetch(as, place)) {
								return
							}
						}
					}
				}
				Violation(as, "a document at one of "+strings.Join(tried, ", "), "there is one at %s only", claims(as)[0].URL)
			})

		s.Check("metadata-over-https", suites.Requires("RFC8414-3-02"), suites.Needs(target.MetadataDocument, target.TLS),
			onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
				secure, plain := doc.URL, as.OverPlainHTTP(as.NewRequest("GET", doc.URL))
				if host, ok := strings.CutPrefix(doc.URL, "http://"); ok {
					secure = "https://" + host
				}
				r := fetch(as, secure, target.AnyStatus())
				if isDocument(plain) {
					as.Note("the document is served over plain http as well")
				}
				if r.Err != nil && secure != doc.URL {
					Violation(as, "a document at "+secure, "it is served over http only: %v", r.Err)
				}
				if !isDocument(r) {
					Violation(as, "a document at "+secure, "%s", DescribeResponse(r))
				}
			}))

		s.Check("registered-suffix", suites.Requires("RFC8414-3-03"), needs,
			func(as *target.AS, g Gomega) {
				doc := as.Documents()[0]
				suffix, _, _ := split(doc.URL)
				switch {
				case suffix == oauthSuffix, suffix == openidSuffix:
					return
				case !slices.Contains(unregistered, suffix):
					as.Skip("", "the target file says where the document is, at no well-known place or at one of another registration: %s", doc.URL)
				}
				issuer := doc.String("issuer")
				for _, place := range []string{inserted(issuer, oauthSuffix), inserted(issuer, openidSuffix), strings.TrimRight(issuer, "/") + openidSuffix} {
					if urlFault(place, false) == "" && isDocument(fetch(as, place)) {
						return
					}
				}
				Violation(as, "a document under "+oauthSuffix+" or "+openidSuffix, "there is one under %s only", suffix)
			})

		s.Check("documents-agree", suites.Requires("RFC8414-3-05"), needs,
			func(as *target.AS, g Gomega) {
				docs := as.Documents()
				if len(docs) < 2 {
					as.Skip("", "there is one document only")
				}
				for _, doc := range docs[1:] {
					if different := differences(docs[0], doc); len(different) > 0 {
						as.Note("%s and %s differ in %s", docs[0].URL, doc.URL, strings.Join(different, ", "))
					}
				}
			})
	})

	suites.Section("RFC 8414", "3.1", func(s *suites.S) {
		s.Check("metadata-by-get", suites.Requires("RFC8414-3.1-01"), suites.Needs(target.MetadataDocument),
			suites.Variants("without-accept", "anything", "application/json"),
			func(as *target.AS, g Gomega) {
				place := as.Documents()[0].URL
				for _, probe := range []struct {
					name string
					edit target.RequestEdit
				}{
					{"without-accept", target.Edit(func(r *target.Request) { r.Header["Accept"] = nil })},
					{"anything", target.Header("Accept", "*/*")},
					{"application/json", target.Header("Accept", "application/json")},
				} {
					as.Variant(probe.name, func(g Gomega) {
						r := as.Send(as.NewRequest("GET", place).Apply(probe.edit))
						switch {
						case r.Status/100 == 3:
							as.Note("%s is answered with a redirect (status %d)", place, r.Status)
							return
						case isDocument(r):
							return
						case r.Status == 429, r.Status == 404:
							as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
						}
						Violation(as, "the document, whatever Accept says", "%s", DescribeResponse(r))
					})
				}
			})

		s.Check("trailing-slash-removed", suites.Requires("RFC8414-3.1-02"), suites.Needs(target.MetadataDocument),
			func(as *target.AS, g Gomega) {
				issuer := issuerWithSlash(as)
				answers := false
				for _, suffix := range []string{oauthSuffix, openidSuffix} {
					place := inserted(issuer, suffix)
					switch {
					case isDocument(fetch(as, place)):
						answers = true
					case isDocument(fetch(as, place+"/")):
						Violation(as, "a document at "+place, "there is one at %s/ only", place)
					}
				}
				if !answers {
					as.Skip("", "no location by RFC 8414 answers")
				}
			})
	})
}

// unregistered are well-known suffixes that are in use and in no registry.
var unregistered = []string{"/.well-known/oauth2-authorization-server", "/.well-known/oauth-configuration", "/.well-known/oauth2-configuration"}

// differences lists what two documents say differently of issuer, endpoints and keys: members that are in both.
func differences(a, b *target.Metadata) []string {
	var out []string
	for name, value := range a.Members {
		other, both := b.Members[name]
		if both && !reflect.DeepEqual(value, other) && (name == "issuer" || name == "jwks_uri" || strings.HasSuffix(name, "_endpoint")) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// issuerWithSlash is the issuer, or the target as it was given, if it has a path that ends with a slash.
func issuerWithSlash(as *target.AS) string {
	for _, issuer := range []string{as.Issuer(), as.Config().Target} {
		if u, err := url.Parse(issuer); err == nil && len(u.Path) > 1 && strings.HasSuffix(u.Path, "/") && !strings.Contains(u.Path, "/.well-known/") {
			return issuer
		}
	}
	as.Skip("", "the issuer has no path that ends with a slash")
	return ""
}
