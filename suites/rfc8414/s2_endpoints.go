package rfc8414

import (
	"net/url"
	"slices"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// endpointMember is an endpoint that documents publish, with the mildest request that it has to understand.
type endpointMember struct {
	member   string
	endpoint target.Endpoint
	method   string
	// works reports whether an ordinary request to the endpoint in use succeeds; nil where no text demands that strangers find it.
	works func(*target.AS) bool
}

// endpoints are the ones whose existence shows from outside. Only those of the first group have to answer strangers; others may hide.
var endpoints = []endpointMember{
	{"authorization_endpoint", target.AuthorizationEndpoint, "GET", func(as *target.AS) bool { return as.Has(target.AuthorizationCode) || as.Has(target.ImplicitGrant) }},
	{"token_endpoint", target.TokenEndpoint, "POST", func(as *target.AS) bool { return as.Has(target.AnyTokenGrant) }},
	{"jwks_uri", target.JWKSEndpoint, "GET", func(*target.AS) bool { return false }},
	{"userinfo_endpoint", target.UserinfoEndpoint, "GET", nil},
	{"device_authorization_endpoint", target.DeviceAuthorizationEndpoint, "POST", nil},
	{"pushed_authorization_request_endpoint", target.PushedAuthorizationEndpoint, "POST", nil},
}

// inUse is the URL of the endpoint that the other checks use; "" if there is none.
func inUse(as *target.AS, endpoint target.Endpoint) string {
	e := as.Info().Endpoints
	switch endpoint {
	case target.AuthorizationEndpoint:
		return e.Authorization
	case target.TokenEndpoint:
		return e.Token
	case target.JWKSEndpoint:
		return e.JWKS
	case target.RevocationEndpoint:
		return e.Revocation
	case target.IntrospectionEndpoint:
		return e.Introspection
	}
	return ""
}

// exists judges that something answers at the published place, twice asked.
func (e endpointMember) exists(as *target.AS, g Gomega, doc *target.Metadata) {
	place := doc.String(e.member)
	gone := e.gone(as, place)
	if gone == "" {
		return
	}
	gone = e.gone(as, place)
	switch {
	case gone == "":
	case e.works == nil:
		as.Note("%s %s: %s; it may be closed to strangers", e.member, place, gone)
	case inUse(as, e.endpoint) == place && e.works(as):
		as.Note("%s %s: %s, although it works for clients", e.member, place, gone)
	default:
		Violation(as, "something that answers at "+e.member, "%s: %s, twice", place, gone)
	}
}

// gone says how the place shows that nothing is there; "" if something is. A redirect to a login page is something.
func (e endpointMember) gone(as *target.AS, place string) string {
	const most = 20
	at, browser := place, as.NewBrowser()
	for range most {
		req := as.NewRequest(e.method, at).Apply(target.AnyStatus())
		if e.method == "POST" {
			req.Media = target.FormMediaType
		}
		r := browser.Request(req)
		location := r.Header.Get("Location")
		switch {
		case r.Err != nil: // the network of a tester is not that of every client
			as.Inconclusive("%s %s: no answer: %v", e.member, place, r.Err)
		case slices.Contains([]int{404, 410}, r.Status):
			return "status " + statusText(r.Status)
		case r.Status < 300 || r.Status > 399 || location == "" || e.method != "GET":
			return ""
		}
		base, err := url.Parse(at)
		if err != nil {
			return ""
		}
		next, err := base.Parse(location)
		if err != nil || next.Host != base.Host {
			return "" // it sends the browser elsewhere, so it is there
		}
		at = next.String()
	}
	return "a loop of redirects"
}

func statusText(status int) string {
	if status == 410 {
		return "410"
	}
	return "404"
}

// onSideEndpoint judges the place of an endpoint that another specification defines: an absolute URL, and something there.
func onSideEndpoint(member string, endpoint target.Endpoint) suites.Body {
	return onDocuments(func(as *target.AS, g Gomega, doc *target.Metadata) {
		isURL(as, g, doc, member)
		place := doc.String(member)
		if place == "" {
			return
		}
		req := as.NewRequest("POST", place).Apply(target.AnyStatus(), target.ContentType(target.FormMediaType))
		switch r := as.Send(req); {
		case r.Err != nil || r.Status == 403:
			as.Note("%s %s is closed to strangers: %s", member, place, DescribeResponse(r))
		case !slices.Contains([]int{404, 410}, r.Status):
		case inUse(as, endpoint) != "" && inUse(as, endpoint) != place:
			Violation(as, "something that answers at "+member, "%s: status %d; the endpoint in use is %s", place, r.Status, inUse(as, endpoint))
		default:
			as.Note("%s %s answers a stranger with status %d", member, place, r.Status)
		}
	})
}

// onKeys judges the key set of every document; documents with the same jwks_uri share one.
func onKeys(judge func(as *target.AS, g Gomega, r *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		seen := map[string]bool{}
		for _, doc := range as.Documents() {
			place := doc.String("jwks_uri")
			if place == "" || seen[place] || urlFault(place, false) != "" {
				continue
			}
			seen[place] = true
			as.Variant(variant(doc), func(g Gomega) {
				r := fetch(as, place)
				if r.Status != 200 {
					as.Inconclusive("jwks_uri is answered %s, which another check judges", DescribeResponse(r))
				}
				judge(as, g, r)
			})
		}
		if len(seen) == 0 {
			as.Skip("", "no document has a jwks_uri")
		}
	}
}

// keysOf are the keys of a set that is one.
func keysOf(as *target.AS, r *target.Response) []map[string]any {
	set, err := r.RawJSON()
	keys, ok := set["keys"].([]any)
	if err != nil || !ok {
		as.Inconclusive("the document at jwks_uri is no key set, which another check reports")
	}
	var out []map[string]any
	for _, k := range keys {
		if key, ok := k.(map[string]any); ok {
			out = append(out, key)
		}
	}
	return out
}

// publicKeys judges that the document is a JWK Set without secrets (RFC 7517 section 5).
func publicKeys(as *target.AS, g Gomega, r *target.Response) {
	g.Expect(r).To(BeJSONObject())
	set, _ := r.RawJSON()
	keys, isArray := set["keys"].([]any)
	if !isArray {
		Violation(as, "a JWK Set: a member keys that is an array", "keys is %s", brief(set["keys"]))
	}
	if !slices.Contains([]string{"application/json", "application/jwk-set+json"}, r.ContentType()) {
		as.Note("the key set comes as %q", r.Header.Get("Content-Type"))
	}
	if len(keys) == 0 {
		as.Note("the key set is empty")
	}
	for i, k := range keys {
		key, _ := k.(map[string]any)
		if _, ok := key["kty"].(string); !ok {
			as.Note("keys[%d] has no kty", i)
			continue
		}
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			g.Expect(key).NotTo(HaveKey(secret), "keys[%d] (kty %s) with private or symmetric material", i, key["kty"])
		}
	}
}
