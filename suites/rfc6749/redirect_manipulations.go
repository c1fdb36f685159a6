package rfc6749

import (
	"net"
	"net/url"
	"strings"

	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

// manipulation is one spelling of a registered redirection URI that simple string comparison tells from it. Its value is what the
// server sees after one decoding of the parameter; the helpers encode it, so that an escape in it arrives as an escape.
type manipulation struct {
	name       string
	value      string
	registered string
	harmless   bool // every browser goes to the same place as with the registered URI: worth a note only
}

// redirectManipulations lists the spellings that apply to a registered URI. Queries are left out: a server may have registered the URI
// without its query (section 3.1.2.2), which another check judges.
func redirectManipulations(registered string) []manipulation {
	u, err := url.Parse(registered)
	if err != nil || u.Host == "" {
		return nil
	}
	var out []manipulation
	add := func(name, value string) {
		if value != registered {
			out = append(out, manipulation{name: name, value: value, registered: registered})
		}
	}
	harmless := func(name, value string) {
		if value != registered {
			out = append(out, manipulation{name: name, value: value, registered: registered, harmless: true})
		}
	}
	origin, path := u.Scheme+"://"+u.Host, u.EscapedPath()
	host, port := u.Hostname(), u.Port()
	loopback := host == "localhost" || net.ParseIP(host) != nil && net.ParseIP(host).IsLoopback()
	with := func(scheme, authority, path string) string { return scheme + "://" + authority + path }

	// Path.
	add("path-other", origin+"/oauthcheck-39y8no")
	if path != "" && path != "/" {
		add("path-suffix-without-slash", registered+"evil")
		add("path-slash-added", strings.TrimSuffix(registered, "/")+"/")
		add("path-slash-removed", strings.TrimSuffix(registered, "/"))
		add("path-upper-case", origin+strings.ToUpper(path))
		add("path-double-slash", origin+"/"+path)
		add("path-dot-segment", origin+"/."+path)
		add("path-parent-segment", origin+"/x/.."+path)
		add("path-traversal", registered+"/../oauthcheck")
		add("path-traversal-deep", registered+"/../../../../oauthcheck")
		add("path-traversal-back", registered+"/oauthcheck/..")
		add("path-traversal-escaped-dots", registered+"/%2e%2e/oauthcheck")
		add("path-traversal-half-escaped-dots", registered+"/.%2e/oauthcheck")
		add("path-traversal-escaped-slash", registered+"/..%2Foauthcheck")
		add("path-traversal-escaped", registered+"/%2e%2e%2Foauthcheck")
		add("path-traversal-double-escaped-slash", registered+"/..%252Foauthcheck")
		add("path-traversal-double-escaped", registered+"/%252e%252e%252Foauthcheck")
		add("path-escaped-slash", registered+"%2Foauthcheck")
		add("path-double-escaped-slash", registered+"%252Foauthcheck")
		add("path-parameter", registered+";jsessionid=x")
		add("path-parameter-traversal", registered+"/;/../../oauthcheck")
		add("path-parameter-dots", registered+"/..;/..;/oauthcheck")
		add("path-escaped-parameter", registered+"/%3B/../../oauthcheck")
		add("path-line-break-traversal", registered+"\r\n/../../oauthcheck")
		add("path-backslash-traversal", registered+`\..\oauthcheck`)
		add("path-unreserved-escaped", origin+"/%"+strings.ToUpper(hexByte(path[1]))+path[2:])
		add("path-unreserved-double-escaped", origin+"/%25"+strings.ToUpper(hexByte(path[1]))+path[2:])
		add("path-full-width-solidus", registered+"\uff0foauthcheck")
		add("path-fraction-slash", registered+"\u2044oauthcheck")
	}

	// Characters.
	add("nul-appended", registered+"\x00")
	add("escaped-nul-appended", registered+"%00")
	add("line-break-appended", registered+"\r\n")
	add("escaped-line-break-appended", registered+"%0d%0a")
	add("tab-appended", registered+"\t")
	add("blank-appended", registered+" ")
	add("blank-prepended", " "+registered)

	// Authority.
	add("registered-in-path", "https://attacker.example/"+registered)
	add("registered-in-query", "https://attacker.example/?next="+registered)
	add("list-blank", registered+" https://attacker.example/cb")
	add("list-comma", registered+",https://attacker.example/cb")
	add("host-other", with(u.Scheme, "attacker.example", path))
	add("userinfo-is-host", with(u.Scheme, u.Host+"@attacker.example", path))
	add("userinfo-with-password-is-host", with(u.Scheme, host+":pass@attacker.example", path))
	add("userinfo-escaped-port", with(u.Scheme, host+"%3A8080:pass@attacker.example", path))
	add("userinfo-added", with(u.Scheme, "x@"+u.Host, path))
	add("backslash-before-userinfo", with(u.Scheme, u.Host+`\@attacker.example`, path))
	add("fragment-before-userinfo", with(u.Scheme, "attacker.example#@"+u.Host, path))
	add("query-before-userinfo", with(u.Scheme, "attacker.example?@"+u.Host, path))
	add("full-width-number-sign", with(u.Scheme, "attacker.example\uff03@"+u.Host, path))
	if net.ParseIP(host) == nil {
		add("subdomain", with(u.Scheme, "oauthcheck."+u.Host, path))
		add("host-suffix", with(u.Scheme, host+".attacker.example", path))
		add("host-suffix-joined", with(u.Scheme, host+"evil.example", path))
		add("host-prefix-joined", with(u.Scheme, "evil"+u.Host, path))
		add("host-trailing-dot", with(u.Scheme, joinPort(host+".", port), path))
		harmless("host-upper-case", with(u.Scheme, strings.ToUpper(u.Host), path))
	}
	if !loopback { // RFC 8252 section 7.3 frees the port of loopback URIs
		add("port-other", with(u.Scheme, joinPort(host, "8443"), path))
		if port == "" {
			harmless("port-default", with(u.Scheme, joinPort(host, map[string]string{"https": "443", "http": "80"}[u.Scheme]), path))
		}
	}

	// Scheme and form.
	if u.Scheme == "https" {
		add("scheme-http", with("http", u.Host, path))
	}
	harmless("scheme-upper-case", with(strings.ToUpper(u.Scheme), u.Host, path))
	add("scheme-relative", "//"+u.Host+path)
	add("without-scheme", u.Host+path)
	add("backslash-for-slash", u.Scheme+`:\\`+u.Host+path)
	add("one-slash", u.Scheme+":/"+u.Host+path)
	return out
}

func joinPort(host, port string) string {
	if port == "" {
		return host
	}
	return host + ":" + port
}

// judge sends the manipulation and judges that the browser is not sent to anything but the registered URI.
func (m manipulation) judge(as *target.AS, g Gomega) { m.judgeBy(as, g, as.Authorize) }

// judgeBy is judge for a flow of the caller's choice.
func (m manipulation) judgeBy(as *target.AS, g Gomega, authorize func(...target.RequestEdit) *target.Authorization) {
	a := authorize(target.RedirectURI(m.value))
	switch {
	case a.Location == "" || a.Via == "link":
	case isAt(a.Location, m.registered), atRegistered(a):
		as.Note("the browser is sent to a registered URI instead: %s", DescribeAuthorization(a))
	case m.harmless:
		as.Note("this spelling is accepted; a browser goes to the registered URI with it")
	default:
		as.Fail("sent to %q, which is not the registered %q; expected an error page and no redirect", m.value, m.registered)
	}
}

// isAt reports whether a location is the URI with response parameters added, compared as strings.
func isAt(location, uri string) bool {
	rest, ok := strings.CutPrefix(location, uri)
	return ok && (rest == "" || rest[0] == '?' || rest[0] == '#' || rest[0] == '&' && strings.Contains(uri, "?"))
}
