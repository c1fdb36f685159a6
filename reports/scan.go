package reports

import (
	"encoding/base64"
	"strings"
)

// place says what kind of text is scanned, which decides where a value ends.
type place uint8

const (
	inText          place = iota // prose, HTML, JSON, anything
	inURL                        // a URL
	inForm                       // application/x-www-form-urlencoded
	inAuthorization              // the value of an Authorization header
	inCookie                     // the value of a Cookie header
	inSetCookie                  // the value of a Set-Cookie header
	inSecretHeader               // a header whose whole value is a secret
	inCommand                    // a curl command: nothing is found by position in it

	// sent marks the parts of a request. Much of what stands there at the place of a secret the run made up itself.
	sent place = 0x80
)

// placeOfHeader tells how the value of a header is scanned.
func placeOfHeader(name string) (place, string) {
	switch plain := plainName(name); plain {
	case "authorization", "proxyauthorization":
		return inAuthorization, ""
	case "cookie":
		return inCookie, ""
	case "setcookie":
		return inSetCookie, ""
	case "location", "contentlocation", "referer":
		return inURL, ""
	case "dpop":
		return inSecretHeader, "dpop_proof"
	default:
		if kind := kindOf(plain, ""); kind != "" {
			return inSecretHeader, kind
		}
		return inText, ""
	}
}

// hit is a secret found by its position: the value of a token-like parameter, member, cookie, header.
type hit struct {
	start, end    int // the span to be replaced
	kind, value   string
	before, after string // what is put around the label
}

// scanner collects the hits of one text.
type scanner struct {
	hits   []hit
	place  place
	depth  int     // how many layers of base64 are around this text
	size   int     // length of the text
	budget *int    // how many bytes of base64 may still be decoded
	cover  []int32 // for each byte of the text the hit it belongs to, counted from 1; nil before the first hit
}

// scan finds every secret that its position gives away, at every layer of escaping. The kind is for inSecretHeader.
func scan(text string, where place, kind string) []hit {
	budget := decodingBudget(text)
	s := scanner{place: where &^ sent, size: len(text), budget: &budget}
	s.scan(text, kind)
	return s.hits
}

func (s *scanner) scan(text, kind string) {
	switch s.place {
	case inAuthorization:
		s.authorization(text)
		return
	case inCookie:
		s.cookies(text)
		return
	case inSetCookie:
		end := strings.IndexByte(text, ';')
		if end < 0 {
			end = len(text)
		}
		s.cookie(text, 0, end)
	case inSecretHeader:
		s.add(view{text: text}, 0, len(text), kind)
		return
	}
	v, more := view{text: text}, true
	if s.place == inURL {
		s.userinfo(v)
	}
	for n := 0; more && n <= maxLayers; n++ {
		s.layer(v, n == 0)
		s.encoded(v)
		v, more = v.peel()
	}
}

// layer scans one layer of escaping. The syntax is read tolerantly and from the middle, because a body may be cut off,
// JSON may sit in a string in HTML, and a server may send anything.
func (s *scanner) layer(v view, outermost bool) {
	t := v.text
	run := 0 // where the current run of base64 digits began
	for i := 0; i < len(t); i++ {
		c := t[i]
		if isAlnum(c) || c == '-' || c == '_' || c == '+' || c == '/' {
			continue
		}
		if i-run >= 16 {
			i = max(i, s.jwt(v, run, i)) // a JWT goes on past the dot
			if i >= len(t) {
				return
			}
			c = t[i]
		}
		run = i + 1
		switch c {
		case '=':
			s.parameter(v, i, outermost)
		case ':':
			s.member(v, i)
		case '<':
			s.tag(v, i)
		case ' ':
			s.basic(v, i)
		}
	}
	if len(t)-run >= 16 {
		s.jwt(v, run, len(t))
	}
}

// add records the span [i, j) of v as a secret, unless it lies within one that is already known.
func (s *scanner) add(v view, i, j int, kind string) {
	if i >= j {
		return
	}
	start, end := v.source(i, j)
	s.record(hit{start: start, end: end, kind: kind, value: v.text[i:j]})
}

func (s *scanner) record(h hit) {
	if h.value == "" || isLabel(h.value) {
		return
	}
	if s.cover == nil {
		s.cover = make([]int32, s.size)
	}
	if n := s.cover[h.start]; n != 0 && n == s.cover[h.end-1] {
		return
	}
	s.hits = append(s.hits, h)
	for i := h.start; i < h.end; i++ {
		s.cover[i] = int32(len(s.hits))
	}
}

// covered reports whether a byte of v lies in a secret that is already known.
func (s *scanner) covered(v view, i int) bool {
	start, _ := v.source(i, i)
	return s.cover != nil && s.cover[start] != 0
}

// parameter handles name=value where t[i] is the equals sign.
func (s *scanner) parameter(v view, i int, outermost bool) {
	t := v.text
	end := i
	if s.place == inText {
		for end > 0 && (t[end-1] == ' ' || t[end-1] == '"' || t[end-1] == '\'') {
			end--
		}
	}
	name, begin := nameBefore(t, end)
	if name == "" || begin > 0 && strings.IndexByte("?&#;,{[( \t\r\n\"'`<>|$", t[begin-1]) < 0 {
		return
	}
	i++
	stops := ""
	switch {
	case s.place == inForm && outermost:
		stops = "&"
	case s.place == inURL && outermost:
		stops = "&#"
	default:
		quote := i
		for quote < len(t) && t[quote] == ' ' && s.place == inText {
			quote++
		}
		stops = "&#; \t\r\n\"'<>`)]},\\"
		if quote < len(t) && (t[quote] == '"' || t[quote] == '\'') {
			stops = t[quote : quote+1]
			i = quote + 1
		}
	}
	j := valueEnd(t, i, stops)
	value := t[i:j]
	kind := kindOf(plainName(name), value)
	if kind == "" || s.place == inText && kind == "code" && wordy(value) {
		return
	}
	s.value(v, i, j, kind)
}

// member handles "name": value where t[i] is the colon. Values are strings, numbers and lists of them.
func (s *scanner) member(v view, i int) {
	t := v.text
	end := i
	for end > 0 && isSpace(t[end-1]) {
		end--
	}
	quoted := end > 0 && (t[end-1] == '"' || t[end-1] == '\'' || t[end-1] == '`')
	if quoted {
		end--
	}
	name, begin := nameBefore(t, end)
	if name == "" || quoted && (begin == 0 || t[begin-1] != t[end]) {
		return
	}
	plain := plainName(name)
	if !quoted {
		// A Go map in a matcher's text (map[access_token:abc]) or a header in prose (Authorization: Bearer abc).
		switch plain {
		case "authorization", "proxyauthorization", "cookie", "setcookie":
			s.header(v, i+1, plain)
			return
		}
		if !strings.ContainsAny(name, "_-") || i+1 >= len(t) || isSpace(t[i+1]) {
			return
		}
		if kind := kindOf(plain, ""); kind != "" {
			s.value(v, i+1, valueEnd(t, i+1, " \t\r\n\f]},&\"'<"), kind)
		}
		return
	}
	i++
	for i < len(t) && isSpace(t[i]) {
		i++
	}
	if strings.HasPrefix(t[i:], "<string>") { // Gomega's way of printing an object
		i += len("<string>")
	}
	if i >= len(t) {
		return
	}
	list := t[i] == '['
	for {
		if list {
			i++
			for i < len(t) && isSpace(t[i]) {
				i++
			}
		}
		var from, to int
		if from, to, i = scalar(t, i); from < 0 {
			return
		}
		if kind := kindOf(plain, t[from:to]); kind != "" && !(kind == "code" && wordy(t[from:to])) {
			s.value(v, from, to, kind)
		}
		for i < len(t) && isSpace(t[i]) {
			i++
		}
		if !list || i >= len(t) || t[i] != ',' {
			return
		}
	}
}

// valueEnd returns where a value that begins at t[i] and is ended by any of the bytes in stops ends. A label has a space
// in it.
func valueEnd(t string, i int, stops string) int {
	j := i
	if strings.HasPrefix(t[i:], "«") {
		if end := strings.Index(t[i:min(len(t), i+64)], "»"); end >= 0 {
			j = i + end + len("»")
		}
	}
	for j < len(t) && strings.IndexByte(stops, t[j]) < 0 {
		j++
	}
	return j
}

// scalar returns the span of the string or number at t[i] and where it ends, or -1.
func scalar(t string, i int) (from, to, next int) {
	if i >= len(t) {
		return -1, 0, i
	}
	if q := t[i]; q == '"' || q == '\'' || q == '`' {
		j := i + 1
		for j < len(t) && t[j] != q {
			if t[j] == '\\' {
				j++
			}
			j++
		}
		j = min(j, len(t))
		return i + 1, j, min(j+1, len(t))
	}
	j := i
	for j < len(t) && (isAlnum(t[j]) && t[j] <= '9' || strings.IndexByte("+-.eE", t[j]) >= 0) {
		j++
	}
	if j == i || t[i] > '9' {
		return -1, 0, i
	}
	return i, j, j
}

// value records a value; of a request_uri only the reference is secret.
func (s *scanner) value(v view, i, j int, kind string) {
	if kind == "request_uri" {
		if k := strings.LastIndexByte(v.text[i:j], ':'); k >= 0 {
			i += k + 1
		}
	}
	if kind == "cookie" && s.place == inText {
		return
	}
	s.add(v, i, j, kind)
}

// tag handles an HTML element whose name and value stand in attributes: <input name="code" value="…">.
func (s *scanner) tag(v view, i int) {
	t := v.text
	if i+1 >= len(t) || !isAlnum(t[i+1]) {
		return
	}
	var name, typ string
	from, to := -1, -1
	j := i + 1
	for j < len(t) && isAlnum(t[j]) {
		j++
	}
	for j < len(t) && t[j] != '>' && t[j] != '<' {
		if isSpace(t[j]) || t[j] == '/' {
			j++
			continue
		}
		a := j
		for j < len(t) && !isSpace(t[j]) && strings.IndexByte("=<>", t[j]) < 0 {
			j++
		}
		attribute := t[a:j]
		for j < len(t) && isSpace(t[j]) {
			j++
		}
		if j >= len(t) || t[j] != '=' {
			if j == a {
				j++
			}
			continue
		}
		j++
		for j < len(t) && isSpace(t[j]) {
			j++
		}
		var b, e int
		if j < len(t) && (t[j] == '"' || t[j] == '\'') {
			b = j + 1
			if e = strings.IndexByte(t[b:], t[j]); e < 0 {
				e = len(t)
			} else {
				e += b
			}
			j = min(e+1, len(t))
		} else {
			b = j
			for j < len(t) && !isSpace(t[j]) && t[j] != '>' && t[j] != '<' {
				j++
			}
			e = j
		}
		switch {
		case strings.EqualFold(attribute, "name") || strings.EqualFold(attribute, "id") && name == "":
			name = t[b:e]
		case strings.EqualFold(attribute, "type"):
			typ = t[b:e]
		case strings.EqualFold(attribute, "value"), strings.EqualFold(attribute, "content"):
			from, to = b, e
		}
	}
	if from < 0 {
		return
	}
	if strings.EqualFold(typ, "password") {
		s.add(v, from, to, "password")
	} else if kind := kindOf(plainName(canonical(name)), t[from:to]); kind != "" && !strings.EqualFold(typ, "submit") && !strings.EqualFold(typ, "button") {
		s.value(v, from, to, kind)
	}
}

// basic finds Basic credentials in running text; t[i] is a space.
func (s *scanner) basic(v view, i int) {
	t := v.text
	if i < 5 || !strings.EqualFold(t[i-5:i], "basic") {
		return
	}
	j := i + 1
	for j < len(t) && (isAlnum(t[j]) || strings.IndexByte("+/=-_", t[j]) >= 0) {
		j++
	}
	if decoded, ok := decodeBase64(t[i+1 : j]); ok && strings.Contains(decoded, ":") {
		start, end := v.source(i+1, j)
		s.credentials(start, end, decoded)
	}
}

// maxHeader bounds what is read of a header that is quoted in running text.
const maxHeader = 4 << 10

// header finds the credentials of a header that is quoted in running text, up to the end of the line.
func (s *scanner) header(v view, i int, name string) {
	t := v.text
	for i < len(t) && (t[i] == ' ' || t[i] == '[') {
		i++
	}
	if i < len(t) && s.covered(v, i) {
		return
	}
	end := i
	for end < len(t) && end-i < maxHeader && strings.IndexByte("\r\n\"'`<>]", t[end]) < 0 {
		end++
	}
	inner := scanner{size: end - i, budget: s.budget}
	switch name {
	case "cookie":
		inner.cookies(t[i:end])
	case "setcookie":
		stop := strings.IndexByte(t[i:end], ';')
		if stop < 0 {
			stop = end - i
		}
		inner.cookie(t[i:end], 0, stop)
	default:
		inner.authorization(t[i:end])
		for k := range inner.hits { // prose may go on after the credentials
			h := &inner.hits[k]
			if sp := strings.IndexAny(h.value, " ,;)"); sp >= 0 && h.before == "" {
				h.end, h.value = h.start+sp, h.value[:sp]
			}
		}
	}
	for _, h := range inner.hits {
		h.start, h.end = v.source(i+h.start, i+h.end)
		s.record(h)
	}
}

// authorization handles the value of an Authorization header.
func (s *scanner) authorization(text string) {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	j := i
	for j < len(text) && !isSpace(text[j]) {
		j++
	}
	scheme := text[i:j]
	for j < len(text) && isSpace(text[j]) {
		j++
	}
	credentials := strings.TrimRight(text[j:], " \t\r\n")
	end := j + len(credentials)
	kind := "credentials"
	switch strings.ToLower(scheme) {
	case "basic":
		if decoded, ok := decodeBase64(credentials); ok && strings.Contains(decoded, ":") {
			s.credentials(j, end, decoded)
			return
		}
	case "bearer", "dpop", "gnap":
		kind = "bearer"
	}
	if credentials == "" { // no scheme, or nothing after it
		if len(scheme) > 6 && !strings.EqualFold(scheme, "bearer") {
			s.add(view{text: text}, i, i+len(scheme), kind)
		}
		return
	}
	s.add(view{text: text}, j, end, kind)
}

// credentials records decoded Basic credentials, of which only what follows the colon is secret.
func (s *scanner) credentials(start, end int, decoded string) {
	id, secret, _ := strings.Cut(decoded, ":")
	if secret == "" { // an empty client secret is no secret
		return
	}
	s.record(hit{start: start, end: end, kind: "client_secret", value: secret, before: "base64(" + id + ":", after: ")"})
}

func (s *scanner) cookies(text string) {
	for i := 0; i < len(text); {
		end := strings.IndexByte(text[i:], ';')
		if end < 0 {
			end = len(text)
		} else {
			end += i
		}
		s.cookie(text, i, end)
		i = end + 1
	}
}

// cookie handles name=value in text[i:end].
func (s *scanner) cookie(text string, i, end int) {
	eq := strings.IndexByte(text[i:end], '=')
	from := i + eq + 1 // a cookie without a name is all value
	to := end
	for from < to && (isSpace(text[from]) || text[from] == '"') {
		from++
	}
	for to > from && (isSpace(text[to-1]) || text[to-1] == '"') {
		to--
	}
	s.add(view{text: text}, from, to, "cookie")
}

// userinfo handles the password in https://user:password@host/.
func (s *scanner) userinfo(v view) {
	t := v.text
	i := strings.Index(t, "://")
	if i < 0 {
		return
	}
	i += 3
	end := len(t)
	if k := strings.IndexAny(t[i:], "/?#"); k >= 0 {
		end = i + k
	}
	at := strings.LastIndexByte(t[i:end], '@')
	if at < 0 {
		return
	}
	if colon := strings.IndexByte(t[i:i+at], ':'); colon >= 0 {
		s.add(v, i+colon+1, i+at, "password")
	}
}

// jwt looks at a run of base64 digits [i, j) for a JWT that begins in it, and returns where that or the run ends.
func (s *scanner) jwt(v view, i, j int) int {
	t := v.text
	if k := strings.Index(t[i:j], "eyJ"); k >= 0 && j < len(t) && t[j] == '.' {
		end, dots := j, 0
		for end < len(t) && (isAlnum(t[end]) || t[end] == '-' || t[end] == '_' || t[end] == '.' && !strings.HasPrefix(t[end:], "..")) {
			if t[end] == '.' {
				dots++
			}
			end++
		}
		for end > j && t[end-1] == '.' && dots > 2 {
			end--
			dots--
		}
		if dots >= 1 && end-j > 16 {
			s.add(v, i+k, end, "jwt")
			return end
		}
	}
	return j
}

// encoded looks for secrets at telling positions inside base64.
func (s *scanner) encoded(v view) {
	if s.depth >= maxNesting {
		return
	}
	base64Runs(v.text, s.budget, func(i, j int, decoded string) bool {
		inner := scanner{depth: s.depth + 1, size: len(decoded), budget: s.budget}
		inner.scan(decoded, "")
		start, end := v.source(i, j)
		for n, h := range inner.hits {
			if n == 0 {
				s.record(hit{start: start, end: end, kind: h.kind, value: h.value})
				continue
			}
			s.hits = append(s.hits, hit{start: start, end: start, kind: h.kind, value: h.value}) // to be known, not to be replaced here
		}
		return len(inner.hits) > 0
	})
}

// decodeBase64 decodes both alphabets, padded or not.
func decodeBase64(s string) (string, bool) {
	s = strings.TrimRight(s, "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	b, err := enc.DecodeString(s)
	return string(b), err == nil && len(b) > 0
}

// maxNesting is how many layers of base64 are looked into.
const maxNesting = 3

// decodingBudget bounds what is decoded of a text: a hostile one could ask for the square of its length.
func decodingBudget(text string) int { return 1<<16 + 8*len(text) }

// base64Runs calls f for every run of base64 digits in t that holds text. Where the encoding begins inside a run is not
// known: it may follow digits that belong to something else. So f is called for each of the four alignments, with the
// text from its first legible stretch on, until it returns true.
func base64Runs(t string, budget *int, f func(i, j int, decoded string) bool) {
	const shortest, legible = 16, 8
	var space [512]byte
	for i := 0; i < len(t); i++ {
		j := i
		for j < len(t) && (isAlnum(t[j]) || t[j] == '-' || t[j] == '_' || t[j] == '+' || t[j] == '/') {
			j++
		}
		for k := i; k < i+4 && j-k >= shortest && *budget > 0; k++ {
			*budget -= j - k
			decoded := space[:0]
			first, length := -1, 0 // of the legible stretch
			for d := k; d+1 < j; d += 4 {
				n := uint32(sextet[t[d]])<<18 | uint32(sextet[t[d+1]])<<12
				if d+2 < j {
					n |= uint32(sextet[t[d+2]]) << 6
				}
				if d+3 < j {
					n |= uint32(sextet[t[d+3]])
				}
				decoded = append(decoded, byte(n>>16), byte(n>>8), byte(n))
				if first >= 0 {
					continue
				}
				for b := len(decoded) - 3; b < len(decoded); b++ {
					if !printable(decoded[b]) {
						length = 0
					} else if length++; length == legible {
						first = b + 1 - legible
						break
					}
				}
			}
			if first >= 0 && f(k+first/3*4, j, string(decoded[first:])) {
				break
			}
		}
		i = j
	}
}

func printable(c byte) bool { return ' ' <= c && c < 0x7f || isSpace(c) }

// sextet maps the digits of both alphabets of base64 to their values.
var sextet = func() (t [256]byte) {
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = byte(i)
	}
	t['-'], t['_'] = t['+'], t['/']
	return t
}()

func nameBefore(t string, end int) (string, int) {
	begin := end
	for begin > 0 && end-begin < 64 && (isAlnum(t[begin-1]) || strings.IndexByte("_-.", t[begin-1]) >= 0) {
		begin--
	}
	return t[begin:end], begin
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// plainName reduces the spellings of a name (access_token, access-token, accessToken, X-Access-Token) to one.
func plainName(name string) string {
	if len(name) > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-' {
		name = name[2:]
	}
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		case isAlnum(c):
			b = append(b, c)
		}
	}
	return string(b)
}

// kinds maps the plain names of token-like parameters, members, fields and headers to the kind of secret they carry.
var kinds = map[string]string{
	"accesstoken": "access_token", "refreshtoken": "refresh_token", "idtoken": "id_token", "idtokenhint": "id_token",
	"code": "code", "authcode": "code", "authorizationcode": "code", "preauthorizedcode": "code",
	"clientsecret": "client_secret", "secret": "secret", "registrationaccesstoken": "registration_access_token",
	"password": "password", "passwd": "password", "pwd": "password", "passcode": "password", "otp": "password", "pin": "password",
	"assertion": "assertion", "clientassertion": "client_assertion", "samlresponse": "assertion",
	"subjecttoken": "subject_token", "actortoken": "actor_token", "token": "token", "logouttoken": "logout_token",
	"codeverifier": "code_verifier", "devicecode": "device_code", "usercode": "user_code", "txcode": "user_code",
	"requesturi": "request_uri", "authreqid": "auth_req_id", "csrf": "csrf_token", "xsrf": "csrf_token",
	"loginchallenge": "session", "consentchallenge": "session", "sessioncode": "session",
	"session": "session", "sessionid": "session", "jsessionid": "session", "phpsessid": "session", "aspsessionid": "session",
	"apikey": "api_key", "privatekey": "private_key", "cookie": "cookie", "setcookie": "cookie",
}

// suffixes are the ends of further telling names.
var suffixes = []struct{ end, kind string }{
	{"csrftoken", "csrf_token"}, {"xsrftoken", "csrf_token"}, {"verificationtoken", "csrf_token"}, {"authenticitytoken", "csrf_token"},
	{"middlewaretoken", "csrf_token"}, {"accesstoken", "access_token"}, {"refreshtoken", "refresh_token"}, {"clientsecret", "client_secret"},
	{"token", "token"}, {"secret", "secret"}, {"password", "password"}, {"passwd", "password"}, {"verifier", "verifier"},
	{"assertion", "assertion"}, {"apikey", "api_key"}, {"sessionid", "session"}, {"csrf", "csrf_token"}, {"xsrf", "csrf_token"},
}

// kindOf tells what kind of secret a parameter of that (plain) name carries, or "". Parameters that happen to have such
// a name but whose value is the word of a protocol are none.
func kindOf(plain, value string) string {
	kind := kinds[plain]
	if kind == "" {
		for _, s := range suffixes {
			if strings.HasSuffix(plain, s.end) {
				kind = s.kind
				break
			}
		}
	}
	if kind == "request_uri" && value != "" && !strings.HasPrefix(strings.ToLower(canonical(value)), "urn:") {
		return "" // a document of the client's, to which the specification lets it refer openly
	}
	return kind
}

// wordy reports whether a value of a parameter named "code" reads like an error code rather than an authorization code.
func wordy(s string) bool {
	digits, letters := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case isAlnum(c):
			letters++
		case strings.IndexByte("_-. /", c) < 0:
			return false
		}
	}
	switch {
	case letters == 0:
		return digits <= 3
	case digits > 0:
		return false
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("_-. /", r) }) {
		if len(word) > 16 || mixedCase(word) {
			return false
		}
	}
	return true
}

// mixedCase reports capitals after small letters with more of them than words in camel case have.
func mixedCase(word string) bool {
	changes := 0
	for i := 1; i < len(word); i++ {
		if word[i-1] >= 'a' && word[i] < 'a' {
			changes++
		}
	}
	return changes > 2
}
