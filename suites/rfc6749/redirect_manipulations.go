package rfc6749

import (
	"cmp"
	"net"
	"net/url"
	"regexp"
	"slices"
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
	raw        string // what is sent in its place, already encoded; "" where encoding the value says it all
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
		add("path-traversal-half-double-escaped-dots", registered+"/%252e./oauthcheck")
		add("path-escaped-slash", registered+"%2Foauthcheck")
		add("path-escaped-slash-and-back", registered+"%2Foauthcheck%2F..")
		add("path-double-escaped-slash-and-back", registered+"%252Foauthcheck%252F..")
		add("path-double-escaped-slash-and-dots", registered+"%252Foauthcheck%252F%252e%252e")
		add("path-double-escaped-slash", registered+"%252Foauthcheck")
		add("path-parameter", registered+";jsessionid=x")
		add("path-parameter-traversal", registered+"/;/../../oauthcheck")
		add("path-parameter-dots", registered+"/..;/..;/oauthcheck")
		add("path-escaped-parameter", registered+"/%3B/../../oauthcheck")
		add("path-escaped-parameter-and-slash", registered+"%3B%2F..%2F..%2Foauthcheck")
		add("path-double-escaped-parameter", registered+"%253B%252F..%252F..%252Foauthcheck")
		add("path-line-break-traversal", registered+"\r\n/../../oauthcheck")
		add("path-escaped-line-break-traversal", registered+"%0A%0D/../../oauthcheck")
		add("path-escaped-line-break-and-slash", registered+"%0A%0D%2F..%2F..%2Foauthcheck")
		add("path-double-escaped-line-break", registered+"%250A%250D%252F..%252F..%252Foauthcheck")
		add("path-backslash-traversal", registered+`\..\oauthcheck`)
		add("path-unreserved-escaped", origin+"/%"+strings.ToUpper(hexByte(path[1]))+path[2:])
		add("path-unreserved-double-escaped", origin+"/%25"+strings.ToUpper(hexByte(path[1]))+path[2:])
		add("path-full-width-solidus", registered+"\uff0foauthcheck")
		add("path-fraction-slash", registered+"\u2044oauthcheck")
		add("path-full-width-dots", registered+"/\uff0e\uff0e/oauthcheck")
		add("path-combining-character", registered+"\u0301")
		add("path-escape-in-other-case", otherCaseEscapes(registered))
		add("path-very-long", registered+"/"+strings.Repeat("oauthcheck", 300))
		// Octets that are no UTF-8 or no escapes, as they stand on the wire.
		sendRaw := func(name, value, raw string) {
			out = append(out, manipulation{name: name, value: value, raw: raw, registered: registered})
		}
		encoded := url.QueryEscape(registered)
		sendRaw("path-overlong-slash", registered+"\xc0\xaf..\xc0\xafoauthcheck", encoded+"%C0%AF..%C0%AFoauthcheck")
		sendRaw("path-latin1-letter", registered+"\xe9", encoded+"%E9")
		sendRaw("path-broken-escape", registered+"%zz", encoded+"%zz")
	}
	if strings.Contains(registered, "#") || strings.HasSuffix(registered, "?") {
		return out
	}
	add("escaped-number-sign", registered+"%23oauthcheck")

	// Characters.
	add("nul-appended", registered+"\x00")
	add("escaped-nul-appended", registered+"%00")
	add("line-break-appended", registered+"\r\n")
	add("escaped-line-break-appended", registered+"%0d%0a")
	add("tab-appended", registered+"\t")
	add("blank-appended", registered+" ")
	add("blank-prepended", " "+registered)

	// Authority.
	add("registered-in-path", "https://"+attackerHost+"/"+registered)
	add("registered-in-query", "https://"+attackerHost+"/?next="+registered)
	add("list-blank", registered+" https://"+attackerHost+"/cb")
	add("list-comma", registered+",https://"+attackerHost+"/cb")
	add("host-other", with(u.Scheme, attackerHost, path))
	add("userinfo-is-host", with(u.Scheme, u.Host+"@"+attackerHost, path))
	add("userinfo-with-password-is-host", with(u.Scheme, host+":pass@"+attackerHost, path))
	add("userinfo-with-scheme", u.Scheme+"://"+u.Scheme+"://"+host+":pass@"+attackerHost+path)
	add("userinfo-escaped", u.Scheme+"://"+url.QueryEscape(u.Scheme+"://"+host+":pass")+"@"+attackerHost+path)
	add("userinfo-escaped-port", with(u.Scheme, host+"%3A8080:pass@"+attackerHost, path))
	add("userinfo-added", with(u.Scheme, "x@"+u.Host, path))
	add("backslash-before-userinfo", with(u.Scheme, u.Host+`\@`+attackerHost, path))
	add("fragment-before-userinfo", with(u.Scheme, attackerHost+"#@"+u.Host, path))
	add("query-before-userinfo", with(u.Scheme, attackerHost+"?@"+u.Host, path))
	add("full-width-number-sign", with(u.Scheme, attackerHost+"\uff03@"+u.Host, path))
	if net.ParseIP(host) == nil {
		add("subdomain", with(u.Scheme, "oauthcheck."+u.Host, path))
		add("host-suffix", with(u.Scheme, host+"."+attackerHost, path))
		add("host-suffix-joined", with(u.Scheme, host+attackerHost, path))
		add("host-prefix-joined", with(u.Scheme, "oauthcheck"+u.Host, path))
		add("host-trailing-dot", with(u.Scheme, joinPort(host+".", port), path))
		if homograph := homograph(host); homograph != host {
			add("host-homograph", with(u.Scheme, joinPort(homograph, port), path))
		}
		harmless("host-full-width-letter", with(u.Scheme, fullWidth(u.Host), path))
		harmless("host-upper-case", with(u.Scheme, strings.ToUpper(u.Host), path))
	}
	if !loopback { // RFC 8252 section 7.3 frees the port of loopback URIs
		add("port-other", with(u.Scheme, joinPort(host, "8443"), path))
		if port == "" {
			harmless("port-default", with(u.Scheme, joinPort(host, map[string]string{"https": "443", "http": "80"}[u.Scheme]), path))
		} else {
			add("port-removed", with(u.Scheme, host, path))
		}
	}

	// Scheme and form.
	if u.Scheme == "https" {
		add("scheme-http", with("http", u.Host, path))
	}
	harmless("scheme-upper-case", with(strings.ToUpper(u.Scheme), u.Host, path))
	add("scheme-relative", "//"+u.Host+path)
	add("backslash-for-slash", u.Scheme+`:\\`+u.Host+path)
	add("one-slash", u.Scheme+":/"+u.Host+path)
	return out
}

// loopbackManipulations are the spellings of a registered loopback URI that differ by more than the port, which RFC 8252 section 7.3
// frees. Those that lead to the same machine are worth a note only.
func loopbackManipulations(registered string) []manipulation {
	u, err := url.Parse(registered)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return nil
	}
	add := func(name, authority, path string, harmless bool) manipulation {
		return manipulation{name: "loopback-" + name, value: "http://" + authority + path, registered: registered, harmless: harmless}
	}
	path := u.EscapedPath()
	out := []manipulation{
		add("path-other", u.Host, "/oauthcheck-39y8no", false),
		add("port-and-path-other", net.JoinHostPort(u.Hostname(), ephemeralPort), "/oauthcheck-39y8no", false),
		add("userinfo-is-host", net.JoinHostPort(u.Hostname(), ephemeralPort)+"@"+attackerHost, path, false),
		add("host-suffix", joinPort(u.Hostname()+"."+attackerHost, ephemeralPort), path, false),
	}
	for name, host := range map[string]string{
		"localhost": "localhost", "127.0.0.1": "127.0.0.1", "ipv6": "[::1]", "decimal": "2130706433", "hexadecimal": "0x7f.0.0.1",
		"octal": "0177.0.0.1", "mapped": "[::ffff:127.0.0.1]", "short": "127.1",
	} {
		if strings.Trim(host, "[]") != u.Hostname() {
			out = append(out, add(name, joinPort(host, u.Port()), path, true))
		}
	}
	slices.SortStableFunc(out, func(a, b manipulation) int { return cmp.Compare(a.name, b.name) })
	return out
}

// otherCaseEscapes writes the hexadecimal digits of escapes in the other case.
func otherCaseEscapes(uri string) string {
	return escapes.ReplaceAllStringFunc(uri, otherCase)
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// homograph replaces the first e by the Cyrillic letter that looks like it.
func homograph(host string) string {
	before, after, _ := strings.Cut(host, "e")
	if before == host {
		return host
	}
	return before + "\u0435" + after
}

// fullWidth writes the first letter of a host at full width, which international domain names make equal.
func fullWidth(host string) string {
	if c := host[0]; c >= 'a' && c <= 'z' {
		return string(rune(c)-'a'+'\uff41') + host[1:]
	}
	return host
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
	edit := target.RedirectURI(m.value)
	if m.raw != "" {
		edit = target.SetRaw("redirect_uri", m.raw)
	}
	a := authorize(edit)
	switch {
	case a.Location == "" || a.Via == "link":
	case isAt(a.Location, m.registered), atRegistered(a):
		as.Note("the browser is sent to a registered URI instead: %s", DescribeAuthorization(a))
	case m.elsewhere(a):
	case m.harmless:
		as.Note("this spelling is accepted; a browser goes to the registered URI with it")
	default:
		as.Fail("sent to %q, which is not the registered %q; expected an error page and no redirect", abbreviated(m.value), m.registered)
	}
}

// equals reports whether a registered URI is the manipulation, but for the port of a loopback URI.
func (m manipulation) equals(registered string) bool {
	withoutPort := func(uri string) string {
		if u, err := url.Parse(uri); err == nil {
			return u.Scheme + "://" + u.Hostname() + u.EscapedPath() + "?" + u.RawQuery
		}
		return uri
	}
	return withoutPort(m.value) == withoutPort(registered)
}

// elsewhere reports whether the browser was sent, without a code or a token, to a place that neither the manipulation nor the registered
// URI names: to a site where the operator explains errors, for example.
func (m manipulation) elsewhere(a *target.Authorization) bool {
	if a.Code() != "" || a.Param("access_token") != "" || a.Param("id_token") != "" || strings.HasPrefix(a.Location, strings.TrimSpace(m.value)) {
		return false
	}
	u, err := url.Parse(a.Location)
	if err != nil || u.Host == "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, uri := range []string{m.value, m.registered} {
		if named, err := url.Parse(uri); err == nil && strings.EqualFold(named.Hostname(), host) {
			return false
		}
	}
	return !strings.Contains(host, attackerHost)
}

// abbreviated is a value that is short enough for a message.
func abbreviated(value string) string {
	const most = 200
	if len(value) <= most {
		return value
	}
	return value[:most] + "…"
}

// isAt reports whether a location is the URI with response parameters added, compared as strings.
func isAt(location, uri string) bool {
	rest, ok := strings.CutPrefix(location, uri)
	return ok && (rest == "" || rest[0] == '?' || rest[0] == '#' || rest[0] == '&' && strings.Contains(uri, "?"))
}
