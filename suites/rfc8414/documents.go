// Package rfc8414 holds the checks of RFC 8414, OAuth 2.0 Authorization Server Metadata, one file a section in the order of the text.
//
// Rules on members are held against every document that the server publishes, those of OpenID Connect Discovery 1.0 included, which has
// the same rules but where a check says otherwise. Rules on the location are held against those alone that claim RFC 8414 by its
// well-known suffix.
package rfc8414

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// The well-known suffixes: RFC 8414 section 3 and OpenID Connect Discovery 1.0 section 4.
const (
	oauthSuffix  = "/.well-known/oauth-authorization-server"
	openidSuffix = "/.well-known/openid-configuration"
)

// onDocuments judges every document under a variant of its own.
func onDocuments(judge func(as *target.AS, g Gomega, doc *target.Metadata)) suites.Body {
	return func(as *target.AS, g Gomega) {
		for _, doc := range as.Documents() {
			as.Variant(variant(doc), func(g Gomega) { judge(as, g, doc) })
		}
	}
}

// variant is a short name for the place of a document.
func variant(doc *target.Metadata) string {
	suffix, before, after := split(doc.URL)
	name := strings.TrimPrefix(suffix, "/.well-known/")
	switch {
	case suffix == "":
		return "configured-document"
	case before != "":
		return name + "-appended"
	case after != "":
		return name + "-inserted"
	}
	return name
}

// split takes a document's URL apart: its well-known suffix, and the path before and after it; "" where it has none.
func split(documentURL string) (suffix, before, after string) {
	u, err := url.Parse(documentURL)
	if err != nil {
		return "", "", ""
	}
	path := u.EscapedPath()
	i := strings.Index(path, "/.well-known/")
	if i < 0 {
		return "", "", ""
	}
	before, rest := path[:i], path[i+len("/.well-known/"):]
	name, after, found := strings.Cut(rest, "/")
	if found {
		after = "/" + after
	}
	return "/.well-known/" + name, before, after
}

// inserted is the location of an issuer's document by RFC 8414 section 3.1: the suffix between host and path, the path without a slash at
// its end; "" if the issuer is no URL.
func inserted(issuer, suffix string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + suffix + strings.TrimRight(u.EscapedPath(), "/")
}

// fetch asks for a document as a client does.
func fetch(as *target.AS, documentURL string, edits ...target.RequestEdit) *target.Response {
	return as.Send(as.NewRequest("GET", documentURL).Apply(append([]target.RequestEdit{target.Header("Accept", "application/json")}, edits...)...))
}

// isDocument reports whether a response is a metadata document, whatever its status and media type.
func isDocument(r *target.Response) bool {
	members, err := r.RawJSON()
	return err == nil && (members["issuer"] != nil || members["token_endpoint"] != nil || members["authorization_endpoint"] != nil)
}

// list returns a member as a list; ok is false where it is absent, null or no array.
func list(doc *target.Metadata, member string) (values []any, ok bool) {
	values, ok = doc.Members[member].([]any)
	return values, ok
}

// isList judges a member with several values: absent, or an array of strings. An empty array is another check's finding.
func isList(g Gomega, doc *target.Metadata, member string) {
	if value := doc.Members[member]; value != nil {
		g.Expect(value).To(BeListOfStrings(), "%s", member)
	}
}

// onList judges a member with several values in every document, and then what the server does about it; where documents say the same that
// is tried once.
func onList(member string, and func(as *target.AS, g Gomega, doc *target.Metadata)) suites.Body {
	return func(as *target.AS, g Gomega) {
		var tried []any
		onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
			value := doc.Members[member]
			isList(g, doc, member)
			if and == nil || slices.ContainsFunc(tried, func(other any) bool { return reflect.DeepEqual(value, other) }) {
				return
			}
			tried = append(tried, value)
			and(as, g, doc)
		})(as, g)
	}
}

// isURL judges a member that holds a URL: absent, or an absolute URL.
func isURL(as *target.AS, g Gomega, doc *target.Metadata, member string) {
	value, there := doc.Members[member]
	if !there {
		return
	}
	g.Expect(value).To(BeString(), "%s", member)
	absoluteURL(as, member, doc.String(member), false)
}

// onURL judges a member that holds a URL in every document.
func onURL(member string) suites.Body {
	return onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) { isURL(as, g, doc, member) })
}

// absoluteURL judges the value of a member that holds a URL.
func absoluteURL(as *target.AS, member, value string, https bool) {
	if fault := urlFault(value, https); fault != "" {
		expected := "an absolute URL as " + member
		if https {
			expected = "an absolute https URL as " + member
		}
		Violation(as, expected, "%q: %s", value, fault)
	}
}

// urlFault says what keeps a value from being an absolute URL; "" if nothing does.
func urlFault(value string, https bool) string {
	u, err := url.Parse(value)
	switch {
	case err != nil || !u.IsAbs() || u.Host == "":
		return "it is no absolute URL"
	case https && u.Scheme != "https":
		return "its scheme is not https"
	}
	return ""
}

// development reports whether rules that demand https cannot be held against the target: it was given as an http URL, or is this machine.
func development(as *target.AS) bool {
	u, err := url.Parse(as.Config().Target)
	if err != nil || u.Scheme == "http" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || err == nil && addr.IsLoopback()
}

// claims are the documents that claim RFC 8414 by its suffix. Without any the check is skipped: a document of OpenID Connect Discovery is
// no such claim.
func claims(as *target.AS) []*target.Metadata {
	var out []*target.Metadata
	for _, doc := range as.Documents() {
		if suffix, _, _ := split(doc.URL); suffix == oauthSuffix {
			out = append(out, doc)
		}
	}
	if len(out) == 0 {
		as.Skip("", "the server publishes no document under %s: it does not claim RFC 8414", oauthSuffix)
	}
	return out
}

// listed reports whether a document lists a value in a member, or by the member's default.
func listed(doc *target.Metadata, member, value string) bool {
	values, _ := doc.Strings(member)
	return slices.Contains(values, value)
}

// brief is a member's value as JSON, shortened.
func brief(value any) string {
	text, err := json.Marshal(value)
	const limit = 120
	if err != nil || len(text) > limit {
		return string(text[:min(limit, len(text))]) + "…"
	}
	return string(text)
}
