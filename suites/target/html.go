package target

import (
	"bytes"
	"net/http"
	"strings"

	"golang.org/x/net/html"
)

// HasElement reports whether a browser that renders the response finds an element of the name in it. A response of another type than
// HTML is none, unless it has no type and a browser may guess.
func (r *Response) HasElement(name string) bool {
	media := r.ContentType()
	guessed := media == "" && !strings.EqualFold(r.Header.Get("X-Content-Type-Options"), "nosniff")
	if media != "text/html" && media != "application/xhtml+xml" && !guessed {
		return false
	}
	tokens := html.NewTokenizer(bytes.NewReader(r.Body))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			if tag, _ := tokens.TagName(); string(tag) == name {
				return true
			}
		}
	}
}

// Cookies are the cookies that the response sets.
func (r *Response) Cookies() []*http.Cookie { return (&http.Response{Header: r.Header}).Cookies() }

// CrossSite reports whether browsers may send a cookie along with requests that other sites make: it has neither SameSite=Lax nor
// SameSite=Strict.
func CrossSite(c *http.Cookie) bool {
	return c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode
}
