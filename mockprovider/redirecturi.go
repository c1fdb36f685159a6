package mockprovider

import (
	"net"
	"net/url"
	"path"
	"strings"
)

// matchRedirectURI compares a requested redirect_uri with a registered one: as strings (RFC 6749 section 3.1.2.3, RFC 9700
// section 2.1), but for the port of a native client's loopback URI (RFC 8252 section 7.3). mode asks which laxer comparisons
// a deviation chose; each of them is tried.
func matchRedirectURI(registered, requested string, native bool, mode func(string) bool) bool {
	if registered == requested {
		return true
	}
	if native && !mode("loopback-fixed-port") && sameButLoopbackPort(registered, requested) {
		return true
	}
	for name, lax := range redirectComparisons {
		if mode(name) && lax(registered, requested) {
			return true
		}
	}
	return false
}

// redirectModes document the laxer comparisons.
var redirectModes = []Mode{
	{"prefix", "the requested URI begins with the registered one"},
	{"path-prefix", "same scheme and authority, and the path begins with the registered one"},
	{"suffix", "the requested URI ends with the registered one"},
	{"contains", "the registered URI occurs anywhere in the requested one"},
	{"host", "same scheme, host and port; any path and query"},
	{"host-name", "same host; any scheme, port, path and query"},
	{"any-host", "same scheme and path; any host"},
	{"any-path", "same as host"},
	{"any-port", "any port, everything else equal"},
	{"any-scheme", "http or https (or any other scheme), everything else equal"},
	{"any-query", "the query is ignored"},
	{"fragment", "a fragment is ignored"},
	{"userinfo", "user name and password before the host are ignored"},
	{"subdomain", "the host may have further labels in front (evil.client.example)"},
	{"host-suffix", "the host ends with the registered one (evilclient.example)"},
	{"host-prefix", "the host begins with the registered one (client.example.attacker.example)"},
	{"scheme-case", "the scheme's case is ignored"},
	{"host-case", "the host's case is ignored"},
	{"path-case", "the path's case is ignored"},
	{"case-insensitive", "case is ignored"},
	{"default-port", "a default port may be written out"},
	{"trailing-slash", "a slash at the end of the path is ignored"},
	{"dot-segments", "/./ and /../ are resolved before the comparison"},
	{"double-slash", "repeated slashes count as one"},
	{"backslash", "a backslash counts as a slash"},
	{"decoded", "percent-encoding is undone in both before the comparison"},
	{"decoded-twice", "percent-encoding is undone twice in the requested URI before the comparison"},
	{"normalised", "both are normalised (RFC 3986 section 6.2): case of scheme and host, default port, percent-encoding, dot segments, empty path"},
	{"trimmed", "white space around the requested URI is ignored"},
	{"control-characters", "control characters in the requested URI are ignored"},
	{"localhost", "localhost, 127.0.0.1 and [::1] are the same host"},
	{"loopback-path", "for loopback hosts any port and any path"},
	{"loopback-port", "for http URIs of loopback hosts, localhost among them, any port, whatever kind the client is of; else as browsers read them"},
	{"first-of-list", "the requested value may be a list separated by spaces or commas that begins with the registered URI"},
	{"none-registered", "at the authorization endpoint: a client that has registered none may use any"},
	{"scheme-host-path", "scheme, host and path are the same as browsers read them (case of the host, dot segments, backslashes); user name, port, query and an empty fragment do not matter"},
	{"as-browsers-read", "both are the same as browsers read them: case of the host, default port, dot segments, backslashes"},
	{"loopback-fixed-port", "stricter than allowed: the port of a loopback URI has to be the registered one (RFC 8252 section 7.3)"},
}

func sameButLoopbackPort(registered, requested string) bool {
	r, err1 := url.Parse(registered)
	q, err2 := url.Parse(requested)
	if err1 != nil || err2 != nil || r.Scheme != "http" || !isLoopback(r.Hostname()) || q.Hostname() != r.Hostname() || q.User != nil {
		return false
	}
	// Only the port is free: the rest is compared as a string.
	return strings.Replace(requested, "//"+q.Host, "//"+r.Host, 1) == registered
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// redirectComparisons are the modes of redirectModes that are laxer than strict.
var redirectComparisons = map[string]func(registered, requested string) bool{
	"prefix":   func(r, q string) bool { return strings.HasPrefix(q, r) },
	"suffix":   func(r, q string) bool { return strings.HasSuffix(q, r) },
	"contains": func(r, q string) bool { return strings.Contains(q, r) },
	"path-prefix": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && q.Host == r.Host && strings.HasPrefix(q.Path, r.Path)
	}),
	"host":      parsed(func(r, q *url.URL) bool { return q.Scheme == r.Scheme && q.Host == r.Host }),
	"any-path":  parsed(func(r, q *url.URL) bool { return q.Scheme == r.Scheme && q.Host == r.Host }),
	"host-name": parsed(func(r, q *url.URL) bool { return strings.EqualFold(q.Hostname(), r.Hostname()) }),
	"any-host":  parsed(func(r, q *url.URL) bool { return q.Scheme == r.Scheme && q.EscapedPath() == r.EscapedPath() }),
	"any-port": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && q.Hostname() == r.Hostname() && q.EscapedPath() == r.EscapedPath() && q.RawQuery == r.RawQuery && q.User == nil && q.Fragment == ""
	}),
	"any-scheme": func(r, q string) bool {
		_, rr, ok1 := strings.Cut(r, "://")
		_, qq, ok2 := strings.Cut(q, "://")
		return ok1 && ok2 && rr == qq
	},
	"any-query": func(r, q string) bool { return cut(r, "?") == cut(q, "?") },
	"fragment":  func(r, q string) bool { return r == cut(q, "#") },
	"userinfo": parsed(func(r, q *url.URL) bool {
		if q.User == nil {
			return false
		}
		bare := *q
		bare.User = nil
		return bare.String() == r.String()
	}),
	"subdomain": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && strings.HasSuffix(q.Host, "."+r.Host) && q.EscapedPath() == r.EscapedPath()
	}),
	"host-suffix": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && strings.HasSuffix(q.Host, r.Host) && q.EscapedPath() == r.EscapedPath()
	}),
	"host-prefix": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && strings.HasPrefix(q.Host, r.Host) && q.EscapedPath() == r.EscapedPath()
	}),
	"scheme-case": func(r, q string) bool { return r == lowerPart(q, true, false) },
	"host-case":   func(r, q string) bool { return r == lowerPart(q, false, true) },
	"path-case": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && q.Host == r.Host && q.User == nil && strings.EqualFold(q.EscapedPath(), r.EscapedPath()) && q.RawQuery == r.RawQuery
	}),
	"case-insensitive": strings.EqualFold,
	"default-port":     parsed(func(r, q *url.URL) bool { q.Host = withoutDefaultPort(q); return q.String() == r.String() }),
	"trailing-slash":   func(r, q string) bool { return strings.TrimSuffix(r, "/") == strings.TrimSuffix(q, "/") },
	"dot-segments": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && q.Host == r.Host && q.User == nil && q.RawQuery == r.RawQuery && path.Clean("/"+q.EscapedPath()) == path.Clean("/"+r.EscapedPath())
	}),
	"double-slash": parsed(func(r, q *url.URL) bool {
		return q.Scheme == r.Scheme && q.Host == r.Host && q.User == nil && q.RawQuery == r.RawQuery && singleSlashes(q.EscapedPath()) == r.EscapedPath()
	}),
	"backslash":          func(r, q string) bool { return r == strings.ReplaceAll(q, `\`, "/") },
	"decoded":            func(r, q string) bool { return unescape(r) == unescape(q) },
	"decoded-twice":      func(r, q string) bool { return r == unescape(unescape(q)) },
	"normalised":         func(r, q string) bool { return normalise(r) == normalise(q) },
	"trimmed":            func(r, q string) bool { return r == strings.TrimSpace(q) },
	"control-characters": func(r, q string) bool { return r == keep(q, func(c rune) bool { return c >= 0x20 && c != 0x7f }) },
	"localhost": parsed(func(r, q *url.URL) bool {
		local := func(h string) bool { return h == "localhost" || isLoopback(h) }
		return local(r.Hostname()) && local(q.Hostname()) && r.Scheme == q.Scheme && r.Path == q.Path
	}),
	"loopback-path": parsed(func(r, q *url.URL) bool {
		return isLoopback(r.Hostname()) && r.Scheme == q.Scheme && r.Hostname() == q.Hostname()
	}),
	"loopback-port": parsed(func(r, q *url.URL) bool {
		free := func(u *url.URL) string { return strings.Replace(u.String(), "//"+u.Host, "//"+u.Hostname(), 1) }
		return r.Scheme == "http" && (r.Hostname() == "localhost" || isLoopback(r.Hostname())) && whatwg(free(r), true) == whatwg(free(q), true)
	}),
	"scheme-host-path": func(r, q string) bool { return whatwg(r, false) == whatwg(q, false) },
	"as-browsers-read": func(r, q string) bool { return whatwg(r, true) == whatwg(q, true) },
	"first-of-list":    func(r, q string) bool { return strings.HasPrefix(q, r+" ") || strings.HasPrefix(q, r+",") },
}

// parsed makes a comparison of URLs out of one of parsed URLs; what does not parse does not match.
func parsed(same func(r, q *url.URL) bool) func(r, q string) bool {
	return func(registered, requested string) bool {
		r, err1 := url.Parse(registered)
		q, err2 := url.Parse(requested)
		return err1 == nil && err2 == nil && same(r, q)
	}
}

func cut(s, separator string) string {
	before, _, _ := strings.Cut(s, separator)
	return before
}

func unescape(s string) string {
	decoded, err := url.PathUnescape(s)
	return orElse(decoded, s, err)
}

// lowerPart lower-cases the scheme or the authority of a URI and leaves the rest as it is.
func lowerPart(uri string, scheme, host bool) string {
	s, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return uri
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if scheme {
		s = strings.ToLower(s)
	}
	if host {
		authority = strings.ToLower(authority)
	}
	return s + "://" + authority + tail
}

func withoutDefaultPort(u *url.URL) string {
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return u.Host
}

func singleSlashes(s string) string {
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	return s
}

// whatwg writes an http or https URL as the URL standard of the WHATWG reads it: all of it, or scheme, host and path alone.
func whatwg(uri string, all bool) string {
	uri = strings.Trim(uri, " \t\r\n\f\x00")
	uri = keep(uri, func(r rune) bool { return r != '\t' && r != '\r' && r != '\n' })
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return uri
	}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	rest = strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	authority, location, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@') + 1
	user := authority[:at]
	u := url.URL{Scheme: strings.ToLower(scheme), Host: strings.ToLower(authority[at:])}
	host := unescape(withoutDefaultPort(&u))
	if !all {
		user, host = "", (&url.URL{Host: host}).Hostname()
	}
	segments := []string{}
	parts := strings.Split(location, "/")
	for i, segment := range parts {
		switch dots := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); {
		case dots == "..":
			segments = segments[:max(0, len(segments)-1)]
		case dots != ".":
			segments = append(segments, segment)
			continue
		}
		if i == len(parts)-1 {
			segments = append(segments, "")
		}
	}
	out := u.Scheme + "://" + user + host + "/" + strings.Join(segments, "/")
	if all && hasQuery {
		out += "?" + query
	}
	if all && hasFragment {
		out += "#" + fragment
	}
	return out
}

// normalise is RFC 3986 section 6.2.2 and 6.2.3.
func normalise(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	u.Scheme = strings.ToLower(u.Scheme)
	u.Host = withoutDefaultPort(&url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)})
	u.RawPath = ""
	trailing := strings.HasSuffix(u.Path, "/")
	u.Path = path.Clean("/" + u.Path)
	if trailing && u.Path != "/" {
		u.Path += "/"
	}
	return u.String()
}

// insecureRedirectURI reports whether a response to the URI would travel in clear over a network: http to a host that is no loopback (RFC 6749
// section 10.5).
func insecureRedirectURI(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && !isLoopback(u.Hostname())
}
