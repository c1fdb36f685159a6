package mockprovider

import (
	"net/http"
)

// CORSSettings say which scripts of other origins may read the answers (Fetch standard, section 3.3).
type CORSSettings struct {
	Origins     []string `yaml:"origins" doc:"origins whose scripts may read answers: https://app.example, with * for any part, * alone for all; none: nobody"`
	Credentials bool     `yaml:"credentials" doc:"with cookies and other credentials of the browser"`
}

// CORS lets scripts of the origins (with * for any part) call the endpoints that browsers' scripts call, with credentials: all but the
// authorization endpoint and the pages.
func CORS(origins ...string) Option {
	return func(c *config) error { c.settings.CORS = CORSSettings{Origins: origins, Credentials: true}; return nil }
}

// cors adds what browsers want to see, and answers preflight requests itself. True means that it answered.
func (x *exchange) cors() bool {
	s := &x.p.settings.CORS
	origin := x.r.Header.Get("Origin")
	if len(s.Origins) == 0 || origin == "" {
		return false
	}
	switch x.endpoint {
	case AuthorizationEndpoint, EndSessionEndpoint, DevicePage, "login", "consent":
		return false
	}
	header := x.w.Header()
	header.Add("Vary", "Origin")
	if !globMatch(s.Origins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", headerSafe(origin))
	if s.Credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	method := x.r.Header.Get("Access-Control-Request-Method")
	if x.r.Method != http.MethodOptions || method == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", headerSafe(method))
	if wanted := x.r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		header.Set("Access-Control-Allow-Headers", headerSafe(wanted))
	}
	header.Set("Access-Control-Max-Age", "600")
	x.send(&answer{status: http.StatusNoContent, header: header})
	return true
}
