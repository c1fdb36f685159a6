package reports

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxBody is the number of bytes that a redacted report keeps of a request's or response's body.
const MaxBody = 16 << 10

// Secret is a value that must not appear in a report.
type Secret struct {
	Kind  string // what it is, in the words of the RFCs: client_secret, password, access_token, …; it names the label
	Value string
}

// Redactor replaces secrets by labels such as «access_token 3». It knows the secrets that it was given and learns every
// token-like value from the exchanges of the reports that it is shown: values of parameters, JSON members, form fields,
// cookies and headers that carry secrets by their name, at any depth and in any escaping.
//
// A secret of eight characters or more is then replaced wherever it appears: in URLs, headers, bodies and texts,
// whole or as a part of twelve characters or more, plain or in any mixture of percent-encoding, backslash escapes and
// HTML references, in base64 and base64url at any alignment, in hexadecimal, and regardless of letter case and of white
// space put into it. A shorter one would be found in innocent text and is replaced only where its position gives it
// away. The same secret has the same label throughout; labels are numbered in the order in which a report shows them.
//
// State, nonce, code_challenge and client identifiers are not secret. A Redactor may be used by several goroutines.
type Redactor struct {
	mu        sync.Mutex
	secrets   []*secret
	byValue   map[string]*secret // by folded canonical value
	counts    map[string]int     // labels given out, by kind
	public    []string
	addresses map[string]bool // the target's endpoints, folded
	scanned   map[scanKey][]hit
	indexes   []*index // of the first secrets, as many as indexed says
	indexed   int
	cut       map[scanKey][]segment
	buf       buffers
}

type secret struct {
	number int
	kind   string
	rank   int
	issued bool // given to the redactor, or seen outside of requests
	value  string
	label  string // without the quotation marks; given at the first appearance
}

type scanKey struct {
	place place
	kind  string
	text  string
}

// NewRedactor returns a redactor that knows the given secrets from the start.
func NewRedactor(known []Secret) *Redactor {
	r := &Redactor{byValue: map[string]*secret{}, counts: map[string]int{}, addresses: map[string]bool{}, scanned: map[scanKey][]hit{}, cut: map[scanKey][]segment{},
		buf: buffers{at: make([]int32, 0, 4096)}}
	for _, s := range known {
		r.learn(kindName(s.Kind), s.Value, 0, true)
	}
	return r
}

// Public names values that stay readable even where they are a part of a secret: client identifiers, redirect URIs,
// scopes. The URL of a report's target need not be named.
func (r *Redactor) Public(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addPublic(values...)
}

func (r *Redactor) addPublic(values ...string) {
	for _, v := range values {
		if v != "" && !slices.Contains(r.public, v) {
			r.public = append(r.public, v)
			r.forget()
		}
	}
}

// Learn adds a secret.
func (r *Redactor) Learn(s Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learn(kindName(s.Kind), s.Value, 0, true)
}

// Redact replaces every secret in a report, in place, fills in the curl command of each exchange, and shortens bodies to
// MaxBody. Redacting twice changes nothing more.
func (r *Redactor) Redact(report *Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.redact(report, true)
}

// RedactCheck does what Redact does for a single check, for the sake of a message that cannot wait for the report.
func (r *Redactor) RedactCheck(c *Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{Checks: []Check{*c}}
	r.redact(&report, false)
	*c = report.Checks[0]
}

// redact redacts a report; whole says that it is worth while to put the index in order first.
func (r *Redactor) redact(report *Report, whole bool) {
	r.addPublic(report.Target.URL)
	for _, s := range report.Run.Setups {
		r.addPublic(s.URL)
	}
	for _, name := range sortedKeys(report.Target.Endpoints) {
		if id := foldString(report.Target.Endpoints[name]); !r.addresses[id] {
			r.addresses[id] = true
			r.forget()
		}
	}
	walk(report, r.collect, false)
	if whole {
		r.forget()
	}
	for i := range report.Checks {
		for j := range report.Checks[i].Exchanges {
			if e := &report.Checks[i].Exchanges[j]; e.Curl == "" {
				e.Curl = r.curl(e)
			}
		}
	}
	walk(report, r.rewrite, true)
	clear(r.scanned)
	clear(r.cut)
}

// String replaces the secrets that are known so far in a text.
func (r *Redactor) String(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collect(text, inText, "")
	out := r.rewrite(text, inText, "")
	clear(r.scanned)
	clear(r.cut)
	return out
}

// learn makes a secret known. Of several kinds that a value has the one with the lowest rank names it.
func (r *Redactor) learn(kind, value string, rank int, issued bool) *secret {
	id := foldString(canonical(value))
	if len(id) < gram {
		id = "\x00" + value
	}
	s := r.byValue[id]
	if s == nil && strings.Contains(value, "+") { // in a form a plus sign is a space
		s = r.byValue[foldString(canonical(strings.ReplaceAll(value, "+", " ")))]
	}
	if s == nil {
		s = &secret{number: len(r.secrets), kind: kind, rank: rank, value: value}
		r.byValue[id] = s
		if value != "" {
			r.secrets = append(r.secrets, s)
			clear(r.cut)
		}
	}
	if issued && !s.issued || rank < s.rank && (s.rank >= rankCookie || rank == 0) { // what is searched for changes
		if s.number < r.indexed {
			r.forget()
		}
		s.issued = s.issued || issued
	}
	switch {
	case rank < s.rank:
		s.kind, s.rank = kind, rank
		if rank == 0 {
			s.value = value
		}
	case rank == 0 && kind < s.kind && s.rank == 0: // the secrets of a run come in any order
		s.kind = kind
	}
	return s
}

// forget drops what was derived from the secrets known so far.
func (r *Redactor) forget() {
	r.indexes, r.indexed = nil, 0
	clear(r.cut)
}

// rankOf says how much the name of a kind tells: little where one parameter carries several kinds of tokens.
func rankOf(kind string, where place) int {
	rank := 1
	switch kind {
	case "bearer", "token", "subject_token", "actor_token", "assertion", "credentials", "secret", "session", "csrf_token":
		rank = 3
	case "cookie":
		rank = rankCookie
	case "jwt":
		rank = 6
	}
	if where&sent != 0 { // a check may send an access token as a refresh token; a server names what it issues rightly
		rank++
	}
	return rank
}

const rankCookie = 5

func (r *Redactor) known(h hit, where place) *secret {
	kind, rank := h.kind, rankOf(h.kind, where)
	if kind == "bearer" {
		kind = "access_token"
	}
	issued := where&sent == 0 || kind == "code_verifier" || kind == "client_assertion" // made by the run, and used
	return r.learn(kind, h.value, rank, issued)
}

// collect learns the secrets of a text.
func (r *Redactor) collect(text string, where place, kind string) string {
	for _, h := range r.scan(text, where, kind) {
		r.known(h, where)
	}
	return text
}

// scan is the function scan, remembered.
func (r *Redactor) scan(text string, where place, kind string) []hit {
	if where&^sent == inCommand || len(text) < 4 && where&^sent == inText {
		return nil
	}
	k := scanKey{where, kind, text}
	hits, ok := r.scanned[k]
	if !ok {
		hits = scan(text, where, kind)
		r.scanned[k] = hits
	}
	return hits
}

// rewrite replaces the secrets of a text by labels.
func (r *Redactor) rewrite(text string, where place, kind string) string {
	if text == "" {
		return ""
	}
	list := r.segments(text, where, kind)
	if len(list) == 1 && list[0].secret == nil {
		return text
	}
	var b strings.Builder
	for _, s := range list {
		if s.secret == nil {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(r.rewrite(s.before, inCommand, ""))
		b.WriteString(r.label(s.secret, s.part))
		b.WriteString(s.after)
	}
	return b.String()
}

// label returns the label of a secret, which gets its number when it is first shown.
func (r *Redactor) label(s *secret, part bool) string {
	if s.label == "" {
		r.counts[s.kind]++
		s.label = s.kind + " " + strconv.Itoa(r.counts[s.kind])
	}
	if part {
		return "«" + s.label + "…»"
	}
	return "«" + s.label + "»"
}

// segment is a stretch of a text: literal, or one that holds a secret.
type segment struct {
	text          string // as it was
	secret        *secret
	part          bool // only a part of the secret
	before, after string
}

// segments cuts a text into literals and secrets.
func (r *Redactor) segments(text string, where place, kind string) []segment {
	k := scanKey{where, kind, text}
	list, ok := r.cut[k]
	if !ok {
		list = r.split(text, where, kind)
		r.cut[k] = list
	}
	return list
}

func (r *Redactor) split(text string, where place, kind string) []segment {
	type span struct {
		found
		before, after string
	}
	var spans []span
	for _, h := range r.scan(text, where, kind) {
		if h.start < h.end {
			spans = append(spans, span{found{h.start, h.end, r.known(h, where).number, false}, h.before, h.after})
		}
	}
	budget := decodingBudget(text)
	for _, f := range r.search(text, 0, &budget) {
		spans = append(spans, span{found: f})
	}
	if len(spans) == 0 {
		return []segment{{text: text}}
	}
	sort.SliceStable(spans, func(i, j int) bool { // the longest of those that begin at one place first
		if spans[i].start != spans[j].start {
			return spans[i].start < spans[j].start
		}
		return spans[i].end > spans[j].end
	})
	merged := spans[:1]
	for _, s := range spans[1:] {
		last := &merged[len(merged)-1]
		if s.start >= last.end {
			merged = append(merged, s)
			continue
		}
		if last.part && !s.part && s.before == "" { // the whole secret names the stretch
			last.secret, last.part = s.secret, false
		}
		last.end = max(last.end, s.end)
	}
	var list []segment
	at := 0
	for _, s := range merged {
		if s.start > at {
			list = append(list, segment{text: text[at:s.start]})
		}
		list = append(list, segment{text[s.start:s.end], r.secrets[s.secret], s.part, s.before, s.after})
		at = s.end
	}
	if at < len(text) {
		list = append(list, segment{text: text[at:]})
	}
	return list
}

// search finds the known secrets in a text, at every layer of escaping and in base64.
func (r *Redactor) search(text string, depth int, budget *int) []found {
	if len(text) < minElided {
		return nil
	}
	r.update()
	var hits []found
	v, more := view{text: text}, true
	for n := 0; more && n <= maxLayers; n++ {
		for _, x := range r.indexes {
			hits = x.find(v, hits, &r.buf)
		}
		if depth < maxNesting {
			base64Runs(v.text, budget, func(i, j int, decoded string) bool {
				inner := r.search(decoded, depth+1, budget)
				if len(inner) > 0 {
					start, end := v.source(i, j)
					hits = append(hits, found{start, end, inner[0].secret, false})
				}
				return len(inner) > 0
			})
		}
		v, more = v.peel()
	}
	return hits
}

// update makes an index of the secrets that have none yet. So that a few new ones do not cost a new index of all, there
// may be several, each at least twice as large as the next.
func (r *Redactor) update() {
	if r.indexed == len(r.secrets) {
		return
	}
	from := r.indexed
	for n := len(r.indexes); n > 0 && r.indexes[n-1].size < 2*(len(r.secrets)-from); n-- {
		from -= r.indexes[n-1].size
		r.indexes = r.indexes[:n-1]
	}
	r.indexes = append(r.indexes, r.build(r.secrets[from:]))
	r.indexed = len(r.secrets)
}

// build makes an index of those secrets that can be searched for.
func (r *Redactor) build(secrets []*secret) *index {
	public := foldString(strings.Join(r.public, " "))
	var list []searched
	for _, s := range secrets {
		id := foldString(canonical(s.value))
		if len(id) < gram || vocabulary[id] || wordy(s.value) && (!s.issued || s.kind == "code") {
			continue
		}
		cookie := s.rank >= rankCookie && s.kind == "cookie" // may well hold an address of the target
		if cookie && (strings.Contains(public, id) || r.addresses[id]) {
			continue
		}
		list = append(list, searched{s.number, s.value, s.issued && !cookie})
	}
	x := newIndex(list, words+" "+strings.Join(r.public, " "))
	x.size = len(secrets)
	return x
}

// walk visits every text of a report that may hold a secret, in the order in which a report shows them. What comes from
// the catalogue (identifiers, titles, requirements) is left alone.
func walk(report *Report, visit func(text string, where place, kind string) string, write bool) {
	one := func(s *string, where place) {
		if out := visit(*s, where, ""); write {
			*s = out
		}
	}
	many := func(list *[]string) {
		out := make([]string, len(*list))
		for i, s := range *list {
			out[i] = visit(s, inText, "")
		}
		if write && *list != nil {
			*list = out
		}
	}
	one(&report.Run.Aborted, inText)
	one(&report.Run.Reproduce, inText)
	many(&report.Run.Filters)
	for i := range report.Run.Setups {
		one(&report.Run.Setups[i].URL, inURL)
	}
	one(&report.Target.URL, inURL)
	one(&report.Target.Issuer, inURL)
	endpoints := map[string]string{}
	for _, name := range sortedKeys(report.Target.Endpoints) {
		endpoints[name] = visit(report.Target.Endpoints[name], inURL, "")
	}
	if write && report.Target.Endpoints != nil {
		report.Target.Endpoints = endpoints
	}
	for i := range report.Target.Capabilities {
		c := &report.Target.Capabilities[i]
		one(&c.Because, inText)
		one(&c.Enable, inText)
	}
	for i := range report.Checks {
		c := &report.Checks[i]
		for _, s := range []*string{&c.Message, &c.Sent, &c.Actual, &c.Enable} {
			one(s, inText)
		}
		many(&c.Expected)
		many(&c.Notes)
		for j := range c.Variants {
			v := &c.Variants[j]
			for _, s := range []*string{&v.Name, &v.Message, &v.Actual} {
				one(s, inText)
			}
			many(&v.Expected)
		}
		for j := range c.Exchanges {
			walkExchange(&c.Exchanges[j], visit, one, write)
		}
	}
}

func walkExchange(e *Exchange, visit func(string, place, string) string, one func(*string, place), write bool) {
	headers := func(h *http.Header, flag place) {
		out := make(http.Header, len(*h))
		for _, name := range sortedKeys(*h) {
			where, kind := placeOfHeader(name)
			safe := visit(name, inText|flag, "")
			for _, value := range (*h)[name] {
				out[safe] = append(out[safe], visit(value, where|flag, kind))
			}
		}
		if write {
			*h = out
		}
	}
	body := inText
	if strings.Contains(strings.ToLower(e.Request.Headers.Get("Content-Type")), formType) {
		body = inForm
	}
	one(&e.Request.URL, inURL|sent)
	headers(&e.Request.Headers, sent)
	one(&e.Request.Body, body|sent)
	headers(&e.Response.Headers, 0)
	one(&e.Response.Body, inText)
	one(&e.Error, inText)
	one(&e.Curl, inCommand)
	if write {
		e.Request.Body, e.Response.Body = shorten(e.Request.Body), shorten(e.Response.Body)
	}
}

// shorten cuts a long body and says so. The slack leaves room for that remark, so that a body is cut only once.
func shorten(body string) string {
	const slack = 128
	if len(body) <= MaxBody+slack {
		return body
	}
	return cutAt(body, MaxBody)
}

// cutAt cuts a text after so many bytes and says how many are missing.
func cutAt(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s\n[%d more bytes]", s[:n], len(s)-n)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// kindName makes a kind fit for a label and for the name of a shell variable.
func kindName(kind string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' || r == '_':
			return r
		}
		return '_'
	}, kind)
	if name == "" || name[0] <= '9' {
		return "secret"
	}
	return name
}

// isLabel reports whether a value is nothing but a label, or Basic credentials with one.
func isLabel(s string) bool {
	if rest, ok := strings.CutPrefix(s, "base64("); ok {
		_, label, found := strings.Cut(rest, ":")
		s = strings.TrimSuffix(label, ")")
		if !found || s == label {
			return false
		}
	}
	s, open := strings.CutPrefix(s, "«")
	s, closed := strings.CutSuffix(s, "»")
	kind, number, _ := strings.Cut(strings.TrimSuffix(s, "…"), " ")
	_, err := strconv.ParseUint(number, 10, 32)
	return open && closed && err == nil && kind == kindName(kind)
}
