package mockprovider

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// param is one parameter of a request, decoded.
type param struct{ name, value string }

// params are the parameters of a request in the order in which they were sent. RFC 6749 forbids repetition and calls a
// parameter without a value omitted, so a map would lose what the checks need.
type params []param

// maxParams bounds the number of parameters of one request.
const maxParams = 1000

// formDialect says how a form is decoded; the zero value decodes as the WHATWG URL standard and RFC 6749 appendix B do.
type formDialect struct {
	plusLiteral    bool // + stays +
	percentLiteral bool // %41 stays %41
	latin1         bool // octets are ISO 8859-1
}

// parseForm decodes application/x-www-form-urlencoded data (RFC 6749 appendix B). ok is false where a percent sign is not
// followed by two hexadecimal digits or there are more than maxParams parameters; what could be decoded is returned all the same.
func parseForm(raw string, d formDialect) (ps params, ok bool) {
	ok = true
	if raw != "" {
		ps = make(params, 0, min(strings.Count(raw, "&")+1, maxParams))
	}
	for raw != "" {
		var field string
		field, raw, _ = strings.Cut(raw, "&")
		if field == "" {
			continue
		}
		if len(ps) == maxParams {
			return ps, false
		}
		name, value, _ := strings.Cut(field, "=")
		name, good1 := d.decode(name)
		value, good2 := d.decode(value)
		ok = ok && good1 && good2
		ps = append(ps, param{name, value})
	}
	return ps, ok
}

func (d formDialect) decode(s string) (string, bool) {
	if !strings.ContainsAny(s, "+%") && !d.latin1 {
		return s, true
	}
	if d.plusLiteral {
		s = strings.ReplaceAll(s, "+", "%2B")
	}
	if d.percentLiteral {
		return strings.ReplaceAll(s, "+", " "), true
	}
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s, false
	}
	if d.latin1 {
		runes := make([]rune, len(decoded))
		for i := range len(decoded) {
			runes[i] = rune(decoded[i])
		}
		decoded = string(runes)
	}
	return decoded, true
}

// get returns the first value of a parameter, or "".
func (ps params) get(name string) string {
	for i := range ps {
		if ps[i].name == name {
			return ps[i].value
		}
	}
	return ""
}

// lookup returns the first value of a parameter and whether it was sent.
func (ps params) lookup(name string) (string, bool) {
	for i := range ps {
		if ps[i].name == name {
			return ps[i].value, true
		}
	}
	return "", false
}

// has reports whether a parameter was sent.
func (ps params) has(name string) bool {
	_, ok := ps.lookup(name)
	return ok
}

// all returns every value of a parameter.
func (ps params) all(name string) []string {
	var values []string
	for _, p := range ps {
		if p.name == name {
			values = append(values, p.value)
		}
	}
	return values
}

// repeated returns the first name that occurs more than once, apart from those in except, or "".
func (ps params) repeated(except ...string) string {
	for i := range ps {
		for j := range i {
			if ps[i].name == ps[j].name && !slices.Contains(except, ps[i].name) {
				return ps[i].name
			}
		}
	}
	return ""
}

// merge makes one value, or none, of each parameter in names (empty: any) that occurs more than once.
func (ps params) merge(names []string, merge func(values []string) (string, bool)) params {
	merged := make(params, 0, len(ps))
	for _, p := range ps {
		values := ps.all(p.name)
		if len(values) < 2 || len(names) > 0 && !slices.Contains(names, p.name) {
			merged = append(merged, p)
			continue
		}
		if value, ok := merge(values); ok && !merged.has(p.name) {
			merged = append(merged, param{p.name, value})
		}
	}
	return merged
}

// set replaces the first occurrence of a parameter, or appends it.
func (ps params) set(name, value string) params {
	for i := range ps {
		if ps[i].name == name {
			ps[i].value = value
			return ps
		}
	}
	return append(ps, param{name, value})
}

// remove deletes every occurrence of a parameter.
func (ps params) remove(name string) params {
	return slices.DeleteFunc(ps, func(p param) bool { return p.name == name })
}

// encode writes the parameters as application/x-www-form-urlencoded.
func (ps params) encode() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p.value))
	}
	return b.String()
}

// words splits a space-delimited list (RFC 6749 section 3.3).
func words(s string) []string { return strings.Fields(s) }

// parseJSONParameters reads a flat JSON object as parameters, for deviations that take JSON where the RFC wants a form.
func parseJSONParameters(body []byte) (params, bool) {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return nil, false
	}
	var ps params
	for _, name := range sortedKeys(members) {
		if len(ps) == maxParams {
			return ps, false
		}
		ps = append(ps, param{name, toText(members[name])})
	}
	return ps, true
}
