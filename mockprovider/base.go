package mockprovider

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// baseFor is where the provider is, as a request is told it: the issuer without a slash at the end. With the setting issuer_from it is the address
// that the request was sent to, so that a test on the host and a service in a container both find what they can reach.
func (p *Provider) baseFor(r *http.Request) string {
	if p.settings.IssuerFrom == "" || p.settings.IssuerFrom == "fixed" {
		return p.base
	}
	scheme, host, prefix := "http", r.Host, ""
	if r.TLS != nil {
		scheme = "https"
	}
	if p.settings.IssuerFrom == "forwarded" {
		forwarded := forwardedBy(r.Header)
		if s := strings.ToLower(forwarded["proto"]); s == "http" || s == "https" {
			scheme = s
		}
		host = cmp.Or(forwarded["host"], host)
		noPort := !strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") // an IPv6 address has colons in its brackets
		if port := forwarded["port"]; port != "" && noPort && !(scheme == "https" && port == "443" || scheme == "http" && port == "80") {
			host += ":" + port
		}
		if forwarded["prefix"] != "" {
			prefix = "/" + strings.Trim(forwarded["prefix"], "/")
		}
	}
	base := scheme + "://" + host + prefix
	u, err := url.Parse(base)
	if err != nil || u.Host != host || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.EscapedPath() != prefix {
		return p.base // not an address that a URL could have
	}
	return base + p.prefix
}

// forwardedBy reads what a reverse proxy says of the request that it received: RFC 7239, or the X-Forwarded-… fields. The first proxy's word counts.
func forwardedBy(header http.Header) map[string]string {
	out := make(map[string]string)
	first, _, _ := strings.Cut(header.Get("Forwarded"), ",")
	for pair := range strings.SplitSeq(first, ";") {
		name, value, _ := strings.Cut(pair, "=")
		out[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	for _, name := range []string{"Proto", "Host", "Port", "Prefix"} {
		if value := strings.TrimSpace(cut(header.Get("X-Forwarded-"+name), ",")); value != "" {
			out[strings.ToLower(name)] = value
		}
	}
	return out
}
