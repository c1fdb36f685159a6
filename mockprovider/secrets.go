package mockprovider

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// secretParameters are the parameters whose values nobody should find in a log.
var secretParameters = map[string]bool{
	"client_secret": true, "client_assertion": true, "assertion": true, "password": true, "code": true, "code_verifier": true, "device_code": true,
	"user_code": true, "refresh_token": true, "access_token": true, "token": true, "subject_token": true, "actor_token": true, "id_token_hint": true,
	"csrf_token": true, "transaction": true, "id_token": true, "software_statement": true, "registration_access_token": true,
}

// WithoutSecrets are the requests with labels in place of secrets, passwords, tokens, codes and assertions, for logs and golden files: «client_secret 1». The
// same value has the same label everywhere, so that one sees where a code or a token comes back.
func (rs Requests) WithoutSecrets() Requests {
	labels := labels{byValue: map[string]string{}, numbers: map[string]int{}}
	out := slices.Clone(rs)
	for i := range out {
		r := &out[i]
		r.Params = labels.values(r.Params)
		r.Header = labels.header(r.Header)
		if r.URL != nil && r.URL.RawQuery != "" {
			u := *r.URL
			u.RawQuery = labels.query(u.RawQuery)
			r.URL = &u
		}
	}
	labels.strays(out)
	return out
}

// minStray is how long a secret has to be for its label to take its place in other texts, too: short ones are part of harmless words.
const minStray = 8

// strays labels secrets that came back where none belongs: in other parameters, in paths, in a Referer.
func (l labels) strays(rs Requests) {
	var pairs []string
	longestFirst := func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }
	for _, value := range slices.SortedFunc(maps.Keys(l.byValue), longestFirst) {
		if len(value) >= minStray {
			pairs = append(pairs, value, l.byValue[value])
		}
	}
	if len(pairs) == 0 {
		return
	}
	replacer := strings.NewReplacer(pairs...)
	replace := func(all map[string][]string) {
		for name, values := range all {
			for i, value := range values {
				if changed := replacer.Replace(value); changed != value {
					all[name] = slices.Clone(all[name])
					all[name][i] = changed
				}
			}
		}
	}
	for i := range rs {
		replace(rs[i].Params)
		replace(rs[i].Header)
		if u := rs[i].URL; u != nil {
			if path, query := replacer.Replace(u.Path), replacer.Replace(u.RawQuery); path != u.Path || query != u.RawQuery {
				changed := *u
				changed.Path, changed.RawPath, changed.RawQuery = path, "", query
				rs[i].URL = &changed
			}
		}
	}
}

// labels gives secrets names.
type labels struct {
	byValue map[string]string
	numbers map[string]int // by name, so far
}

func (l labels) of(name, value string) string {
	if value == "" || strings.HasPrefix(value, "«") {
		return value
	}
	label, known := l.byValue[value]
	if !known {
		l.numbers[name]++
		label = fmt.Sprintf("«%s %d»", name, l.numbers[name])
		l.byValue[value] = label
	}
	return label
}

func (l labels) values(v url.Values) url.Values {
	out := maps.Clone(v)
	for _, name := range slices.Sorted(keysOf(v)) {
		if !secretParameters[name] {
			continue
		}
		out[name] = slices.Clone(v[name])
		for i, value := range v[name] {
			out[name][i] = l.of(name, value)
		}
	}
	return out
}

// query is a raw query in which only the secrets are changed.
func (l labels) query(raw string) string {
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if decoded := unescaped(name); secretParameters[decoded] {
			pairs[i] = name + "=" + l.of(decoded, unescaped(value))
		}
	}
	return strings.Join(pairs, "&")
}

// unescaped is a part of a query as servers read it, or as it is where it is malformed.
func unescaped(part string) string {
	if decoded, err := url.QueryUnescape(part); err == nil {
		return decoded
	}
	return part
}

func (l labels) header(h http.Header) http.Header {
	out := maps.Clone(h)
	if len(h["Cookie"]) > 0 {
		out["Cookie"] = []string{l.of("cookie", strings.Join(h["Cookie"], "; "))}
	}
	for i, value := range h["Authorization"] {
		if i == 0 {
			out["Authorization"] = slices.Clone(h["Authorization"])
		}
		scheme, rest, _ := strings.Cut(value, " ")
		var shown string
		switch id, secret, basic := (&http.Request{Header: http.Header{"Authorization": {value}}}).BasicAuth(); {
		case strings.HasPrefix(rest, "«") || strings.Contains(rest, ":«"):
			shown = rest
		case basic:
			shown = id + ":" + l.of("client_secret", secret)
		case strings.EqualFold(scheme, "Bearer"):
			shown = l.of("access_token", rest)
		default:
			shown = l.of("credentials", rest)
		}
		out["Authorization"][i] = scheme + " " + shown
	}
	return out
}
