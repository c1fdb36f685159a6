package reports

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// curl returns the command that repeats an exchange. Secrets become shell variables that are named by their kind
// ($CLIENT_SECRET, $ACCESS_TOKEN; the second one of a kind $CLIENT_SECRET_2), everything else is quoted so that a shell
// passes it on as it is, whatever a hostile server put there. Redirects are not followed.
func (r *Redactor) curl(e *Exchange) string {
	req := e.Request
	if req.URL == "" {
		return ""
	}
	c := command{r: r, names: map[*secret]string{}, counts: map[string]int{}}
	c.add("curl", "-i")
	host, path := "", ""
	if u, err := url.Parse(req.URL); err == nil {
		host, path = u.Host, u.EscapedPath()
	}
	if strings.Contains(path+"/", "/./") || strings.Contains(path+"/", "/../") {
		c.add("--path-as-is")
	}
	if strings.ContainsAny(req.URL, "[]{}") {
		c.add("--globoff")
	}
	method := req.Method
	switch {
	case method == "" || method == http.MethodGet && req.Body == "" || method == http.MethodPost && req.Body != "":
	case method == http.MethodHead && req.Body == "":
		c.add("--head")
	default:
		c.add("-X", quote([]segment{{text: method}}, nil))
	}
	if !strings.HasPrefix(strings.ToLower(req.URL), "http") {
		c.add("--url")
	}
	c.add(c.text(req.URL, inURL|sent, ""))
	for _, name := range sortedKeys(req.Headers) {
		for _, value := range req.Headers[name] {
			c.header(name, value, host, req.Body != "")
		}
	}
	c.body(req)
	return strings.Join(c.words, " ")
}

// command is a curl command under construction.
type command struct {
	r      *Redactor
	words  []string
	names  map[*secret]string
	counts map[string]int
}

func (c *command) add(words ...string) { c.words = append(c.words, words...) }

// text quotes a text for the shell, with variables for its secrets.
func (c *command) text(text string, where place, kind string) string {
	return quote(c.r.segments(text, where, kind), c.variable)
}

// prefixed does the same and puts plain text before it.
func (c *command) prefixed(prefix string, segments []segment) string {
	if segments[0].secret == nil {
		prefix += segments[0].text
		segments = segments[1:]
	}
	return quote(append([]segment{{text: prefix}}, segments...), c.variable)
}

func (c *command) header(name, value, host string, hasBody bool) {
	switch name {
	case "Content-Length", "User-Agent", "Accept-Encoding":
		return
	case "Host":
		if value == host {
			return
		}
	case "Accept":
		if value == "*/*" {
			return
		}
	case "Content-Type":
		if hasBody && value == formType {
			return // curl's own choice
		}
	case "Authorization":
		if scheme, credentials, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Basic") {
			if id, secret, ok := basicCredentials(credentials); ok {
				segments := slices.Clip(c.r.segments(id+":", inCommand, ""))
				if secret != "" {
					s := c.r.known(hit{kind: "client_secret", value: secret}, inAuthorization|sent)
					segments = append(segments, segment{text: secret, secret: s})
				}
				c.add("--user", quote(segments, c.variable))
				return
			}
		}
	}
	if value == "" {
		c.add("-H", quote([]segment{{text: name + ";"}}, nil)) // curl's way to say an empty header
		return
	}
	where, kind := placeOfHeader(name)
	c.add("-H", c.prefixed(name+": ", c.r.segments(value, where|sent, kind)))
}

// formType is the media type of RFC 6749 appendix B.
const formType = "application/x-www-form-urlencoded"

func (c *command) body(req Request) {
	if req.Body == "" {
		if req.Method == http.MethodPost {
			c.add("--data", "''") // Content-Length: 0
			if req.Headers.Get("Content-Type") == "" {
				c.add("-H", "'Content-Type:'")
			}
		}
		return
	}
	media := req.Headers.Get("Content-Type")
	if media == "" {
		c.add("-H", "'Content-Type:'")
	}
	if !strings.HasPrefix(strings.ToLower(media), formType) {
		c.data(c.r.segments(req.Body, inText|sent, ""))
		return
	}
	for _, pair := range strings.Split(req.Body, "&") {
		c.data(c.r.segments(pair, inForm|sent, ""))
	}
}

// data adds one parameter or a whole body; curl joins several with ampersands. A secret has to be encoded by curl,
// since the variable holds it as it is.
func (c *command) data(segments []segment) {
	option := "--data"
	if strings.HasPrefix(segments[0].text, "@") {
		option = "--data-raw"
	}
	if len(segments) == 2 && segments[1].secret != nil && strings.HasSuffix(segments[0].text, "=") &&
		strings.Count(segments[0].text, "=") == 1 && len(segments[0].text) > 1 {
		if plain, err := url.QueryUnescape(segments[1].text); err == nil && plain != segments[1].text && isBare(plain, segments[1].secret) {
			option = "--data-urlencode"
			segments = []segment{segments[0], {text: plain, secret: segments[1].secret}}
		}
	}
	c.add(option, quote(segments, c.variable))
}

// variable names the shell variable of a secret. One that stands for something else than the bare value says so.
func (c *command) variable(s segment) string {
	name, ok := c.names[s.secret]
	if !ok {
		name = strings.ToUpper(s.secret.kind)
		c.counts[name]++
		if n := c.counts[name]; n > 1 {
			name += "_" + strconv.Itoa(n)
		}
		c.names[s.secret] = name
	}
	switch {
	case s.part:
		return name + "_PART"
	case isBare(s.text, s.secret):
		return name
	case s.before != "":
		return name + "_BASE64"
	case strings.ContainsAny(s.text, "%+"):
		return name + "_URLENCODED"
	}
	return name + "_ENCODED"
}

// isBare reports whether a text is the value of a secret without any encoding.
func isBare(text string, s *secret) bool {
	return text == s.value || text == canonical(s.value)
}

func basicCredentials(s string) (id, secret string, ok bool) {
	decoded, ok := decodeBase64(strings.TrimSpace(s))
	if !ok {
		return "", "", false
	}
	return strings.Cut(decoded, ":")
}

// quote makes one word of the shell of literals and variables: in double quotes where that is safe and readable, else
// in pieces.
func quote(segments []segment, variable func(segment) string) string {
	simple, variables := true, false
	for _, s := range segments {
		if s.secret != nil {
			variables = true
		} else if !plainInDoubleQuotes(s.text) {
			simple = false
		}
	}
	var b strings.Builder
	if variables && simple {
		b.WriteByte('"')
		for i, s := range segments {
			if s.secret == nil {
				b.WriteString(s.text)
				continue
			}
			name := variable(s)
			if i+1 < len(segments) && (segments[i+1].secret != nil || isAlnum(segments[i+1].text[0]) || segments[i+1].text[0] == '_' || segments[i+1].text[0] == '[') {
				name = "{" + name + "}"
			}
			b.WriteString("$" + name)
		}
		b.WriteByte('"')
		return b.String()
	}
	for _, s := range segments {
		if s.secret != nil {
			b.WriteString(`"$` + variable(s) + `"`)
		} else {
			b.WriteString(quoteLiteral(s.text))
		}
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

func plainInDoubleQuotes(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte(" :/?&=._~%+,;@()-[]{}<>#'*|", s[i]) < 0 {
			return false
		}
	}
	return true
}

// quoteLiteral quotes text without variables. What a terminal would interpret is written in the notation of bash and
// zsh, $'\x1b'.
func quoteLiteral(s string) string {
	bare, visible := s != "", true
	for i, c := range s {
		if c >= utf8.RuneSelf || !isAlnum(byte(c)) && strings.IndexByte("/._-:,=@%+", byte(c)) < 0 {
			bare = false
		}
		if hidden(c) || c == utf8.RuneError && s[i] != 0xef {
			visible = false
		}
	}
	switch {
	case bare:
		return s
	case visible:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case hidden(c) || c == utf8.RuneError && n == 1:
			for k := i; k < i+n; k++ {
				fmt.Fprintf(&b, `\%03o`, s[k]) // octal has a fixed length: what follows cannot join it
			}
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}

// hidden reports whether a character does something to a terminal or its reader instead of being seen: control
// characters, the bidirectional controls and other format characters, private and unassigned ones.
func hidden(c rune) bool {
	return !unicode.IsPrint(c) || unicode.In(c, unicode.Cf, unicode.Variation_Selector)
}
