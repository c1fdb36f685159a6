package rfc6749

import (
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "5.1", func(s *suites.S) {
		s.Check("implicit-redirect-not-cacheable", suites.Requires("RFC6749-5.1-15"), suites.Needs(target.ImplicitGrant),
			onImplicit(func(as *target.AS, g Gomega, a *target.Authorization) {
				directives := ParseCacheControl(a.Final.Header.Values("Cache-Control"))
				_, noStore := directives["no-store"]
				_, public := directives["public"]
				if noStore {
					return
				}
				positive := func(name string) bool { v, ok := directives[name]; return ok && strings.Trim(v, "0") != "" }
				expires, err := time.Parse(time.RFC1123, a.Final.Header.Get("Expires"))
				if public || positive("max-age") || positive("s-maxage") || err == nil && expires.After(as.Now()) {
					as.Fail("the redirect with the token allows storing: Cache-Control: %s; Expires: %s",
						strings.Join(a.Final.Header.Values("Cache-Control"), ", "), a.Final.Header.Get("Expires"))
				}
				as.Note("the redirect with the token has no no-store; a cache does not store a redirect without explicit freshness")
			}))
	})
}
