package mockprovider

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Templates: in the values of operations ${…} is replaced when the request is answered.
//
//	${request:NAME}  a request parameter          ${member:NAME}  a member or parameter of the answer as it was before
//	${client_id}     the client                   ${issuer}       the issuer
//	${redirect_uri}  where the browser is sent    ${registered}   the client's first registered redirect_uri
//	${user}          the resource owner's sub     ${username}     its login name
//	${claim:NAME}    a claim about it
//	${scope}         what is granted              ${now}          seconds since 1970; ${now:-60} a minute ago
//	${random:N}      N random characters          ${counter}      counts up from 1
//	${other_client}  identifier of another client ${header:NAME}  a request header field
//	${secret}        the client's secret          ${code_challenge}  of the authorization request
//	${query}         the query of the request URI, as it is
//	${method}        the HTTP method              ${path}         path of the request URI
//	${location}      where a redirect leads       ${status}       the answer's HTTP status
//	${detail}        what a refused value is      ${uuid}         a random UUID
//	${access_token_id}  jti of the access token beside the refresh token at hand
//
// A filter may follow: ${request:state|html}. Filters are the names that `transform` takes, too.

// expand replaces the templates in s.
func (x *exchange) expand(s string) string { return x.expandWith(s, nil) }

func (x *exchange) expandWith(s string, members func(string) string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		expression, rest, closed := strings.Cut(after, "}")
		if !closed {
			b.WriteString("${" + after)
			return b.String()
		}
		s = rest
		expression, filters, _ := strings.Cut(expression, "|")
		value := x.variable(expression, members)
		for filter := range strings.SplitSeq(filters, "|") {
			if f, err := transformer(filter); err == nil {
				value = f(value)
			}
		}
		b.WriteString(value)
	}
}

// variables are the names of what ${…} may stand for.
var variables = []string{"access_token_id", "claim", "client_id", "code_challenge", "counter", "detail", "header", "issuer", "location", "member",
	"method", "now", "other_client", "path", "query", "random", "redirect_uri", "registered", "request", "scope", "secret", "status", "user",
	"username", "uuid"}

// checkTemplates finds templates in a value that would stand for nothing.
func checkTemplates(where string, v any) error {
	switch v := v.(type) {
	case string:
		for _, part := range strings.Split(v, "${")[1:] {
			expression, _, closed := strings.Cut(part, "}")
			if !closed {
				continue // left as it is
			}
			expression, filters, _ := strings.Cut(expression, "|")
			if name, _, _ := strings.Cut(expression, ":"); !slices.Contains(variables, name) {
				return fmt.Errorf("%s: ${%s}: there is no %q to put in%s (a request parameter is ${request:NAME})", where, expression, name, suggestion(name, variables))
			}
			for filter := range strings.SplitSeq(filters, "|") {
				if _, err := transformer(filter); err != nil {
					return fmt.Errorf("%s: ${%s|%s}: %w", where, expression, filters, err)
				}
			}
		}
	case []any:
		for i, item := range v {
			if err := checkTemplates(fmt.Sprintf("%s[%d]", where, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if err := checkTemplates(where+"."+key, v[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exchange) variable(expression string, members func(string) string) string {
	kind, name, _ := strings.Cut(expression, ":")
	switch kind {
	case "request":
		return x.sent.get(name)
	case "member":
		if members != nil {
			return members(name)
		}
	case "query":
		return x.r.URL.RawQuery
	case "header":
		return x.r.Header.Get(name)
	case "client_id":
		if x.client != nil {
			return x.client.ID
		}
		return x.sent.get("client_id")
	case "other_client":
		for _, c := range x.p.clients() {
			if x.client == nil || c.ID != x.client.ID {
				return c.ID
			}
		}
	case "secret":
		if x.client != nil {
			return x.client.Secret
		}
	case "issuer":
		return x.issuer()
	case "redirect_uri":
		return x.redirectURI
	case "registered":
		if x.client != nil && len(x.client.RedirectURIs) > 0 {
			return x.client.RedirectURIs[0]
		}
	case "user":
		if x.user != nil {
			return x.user.Sub
		}
	case "claim":
		if x.user != nil {
			return toText(x.user.Claims[name])
		}
	case "username":
		return x.userName()
	case "scope":
		return strings.Join(x.granted, " ")
	case "code_challenge":
		if x.code != nil {
			return x.code.challenge
		}
		return x.sent.get("code_challenge")
	case "now":
		offset, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			offset = 0
		}
		return strconv.FormatInt(x.now.Unix()+offset, 10)
	case "counter":
		return strconv.FormatInt(x.p.counter.Add(1), 10)
	case "method":
		return x.r.Method
	case "path":
		return x.r.URL.Path
	case "location":
		return x.w.Header().Get("Location")
	case "status":
		return strconv.Itoa(x.status)
	case "access_token_id":
		if x.token != nil && x.token.pair != nil {
			return x.token.pair.id
		}
	case "detail":
		if x.err != nil {
			return x.err.Detail
		}
	case "uuid":
		return x.p.random.uuid()
	case "random":
		n, err := strconv.Atoi(name)
		if err != nil || n <= 0 || n > 4096 {
			n = 32
		}
		return x.p.random.text(n, base64URL)
	}
	return ""
}

func (x *exchange) expandAny(v any) any { return x.expandAnyWith(v, nil) }

// expandAnyWith replaces the templates in every string of a value.
func (x *exchange) expandAnyWith(v any, members func(string) string) any {
	switch v := v.(type) {
	case string:
		return x.expandWith(v, members)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.expandAnyWith(v[i], members)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = x.expandAnyWith(item, members)
		}
		return out
	}
	return v
}

// transforms change a string, at `transform` of a redirect and as filters of templates.
var transforms = map[string]func(string) string{
	"lower":         strings.ToLower,
	"upper":         strings.ToUpper,
	"trim":          strings.TrimSpace,
	"html":          html.EscapeString,
	"unhtml":        html.UnescapeString,
	"urlencode":     url.QueryEscape,
	"pathescape":    url.PathEscape,
	"json":          jsonText,
	"urldecode":     func(s string) string { d, err := url.QueryUnescape(s); return orElse(d, s, err) },
	"base64url":     func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64":        func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"hex":           func(s string) string { return hex.EncodeToString([]byte(s)) },
	"plus-to-space": func(s string) string { return strings.ReplaceAll(s, "+", " ") },
	"space-to-plus": func(s string) string { return strings.ReplaceAll(s, " ", "+") },
	"no-spaces":     func(s string) string { return strings.ReplaceAll(s, " ", "") },
	"ascii-only":    func(s string) string { return keep(s, func(r rune) bool { return r < 0x80 }) },
	"word-only": func(s string) string {
		return keep(s, func(r rune) bool { return strings.ContainsRune(alnum+"_-", r) })
	},
	"reverse":    reverse,
	"double":     func(s string) string { return s + s },
	"empty":      func(string) string { return "" },
	"quote":      func(s string) string { return strconv.Quote(s) },
	"backslash":  func(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(s) },
	"with-slash": func(s string) string { return s + "/" },
	"first-word": func(s string) string {
		w := words(s)
		if len(w) == 0 {
			return ""
		}
		return w[0]
	},
	"least-word": func(s string) string { // the first in alphabetical order
		if w := words(s); len(w) > 0 {
			return slices.Min(w)
		}
		return ""
	},
	"reverse-words": func(s string) string {
		w := words(s)
		slices.Reverse(w)
		return strings.Join(w, " ")
	},
	"latin1": latin1,
}

// transformer finds a transform by its name, or truncate:N, prefix:TEXT, suffix:TEXT, replace:OLD=NEW.
func transformer(name string) (func(string) string, error) {
	if f, ok := transforms[name]; ok {
		return f, nil
	}
	kind, argument, _ := strings.Cut(name, ":")
	switch kind {
	case "":
		return func(s string) string { return s }, nil
	case "truncate":
		n, err := strconv.Atoi(argument)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("truncate:N needs a number, found %q", argument)
		}
		return func(s string) string { return s[:min(n, len(s))] }, nil
	case "prefix":
		return func(s string) string { return argument + s }, nil
	case "suffix":
		return func(s string) string { return s + argument }, nil
	case "replace":
		old, replacement, _ := strings.Cut(argument, "=")
		return func(s string) string { return strings.ReplaceAll(s, old, replacement) }, nil
	}
	known := append(sortedKeys(transforms), "truncate:N", "prefix:TEXT", "suffix:TEXT", "replace:OLD=NEW")
	if near := suggestion(name, known); near != "" {
		return nil, fmt.Errorf("no transform %q%s", name, near)
	}
	return nil, fmt.Errorf("no transform %q; known are %s", name, strings.Join(known, ", "))
}

// jsonText escapes a string for the inside of a JSON string.
func jsonText(s string) string {
	quoted := string(appendString(nil, s))
	return quoted[1 : len(quoted)-1]
}

func orElse(s, other string, err error) string {
	if err != nil {
		return other
	}
	return s
}

func keep(s string, wanted func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if wanted(r) {
			return r
		}
		return -1
	}, s)
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// latin1 writes a string's characters as single octets; those beyond become a question mark.
func latin1(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return string(out)
}
