package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math/bits"
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

const (
	// gram is the number of folded bytes that the search looks at in one step; it fits a machine word. It is also the
	// shortest value that is searched for: shorter ones would be found in innocent text.
	gram = 8
	// minFragment is the length from which a part of a secret counts.
	minFragment = 12
	// lost is how many bytes of a secret what precedes it can turn into an escape, so that only the rest is found. Of a
	// secret that is no longer than that and minFragment, the rest counts although it is shorter.
	lost = 5
	// minElided is the same beside an ellipsis, where a text says itself that it was shortened.
	minElided = 6
	// maxElided bounds the search beside an ellipsis; longer parts are found as such.
	maxElided = 32
	// maxEncoded bounds the part of a secret that is searched for in encodings.
	maxEncoded = 3072
	// maxSecret bounds the part of a secret of which fragments are searched for.
	maxSecret = 1 << 16
)

// index finds many secrets in a text in one pass. All comparing happens on folded text.
type index struct {
	size     int       // number of secrets, those that are not searched for included
	patterns []pattern // sorted by text
	starts   bitset    // grams that patterns begin with
	grams    bitset    // these and all grams of the secrets of which fragments count
	parts    [2]pool   // those secrets, long and short ones
	public   []byte    // text of which fragments do not count
}

// pool holds the secrets of which fragments of a minimum length count.
type pool struct {
	min     int
	all     []byte         // the secrets, each followed by a zero byte
	ends    []int32        // where each of them ends
	owners  []int          // and its number
	located map[string]int // parts that were looked for
}

type pattern struct {
	text   []byte
	secret int
	prefix int32 // the longest other pattern that begins this one, or -1
}

// found is a span of a text that holds (part of) a secret.
type found struct {
	start, end int
	secret     int
	part       bool // only a part of the secret
}

// searched is a secret as the index needs it.
type searched struct {
	number    int
	value     string
	fragments bool // whether parts of the value count
}

func newIndex(secrets []searched, public string) *index {
	x := &index{public: []byte(foldString(public))}
	x.parts = [2]pool{{min: minFragment, located: map[string]int{}}, {min: gram, located: map[string]int{}}}
	x.patterns = make([]pattern, 0, 8*len(secrets))
	seen := make(map[string]bool, 8*len(secrets))
	add := func(text string, secret int) {
		form, _ := fold(make([]byte, 0, len(text)), nil, text)
		if len(form) < gram || seen[string(form)] {
			return
		}
		seen[string(form)] = true
		x.patterns = append(x.patterns, pattern{text: form, secret: secret})
	}
	for _, s := range secrets {
		for _, form := range forms(s.value) {
			add(form, s.number)
		}
	}
	slices.SortFunc(x.patterns, func(a, b pattern) int { return bytes.Compare(a.text, b.text) })
	x.starts = newBitset(len(x.patterns))
	for i := range x.patterns {
		p := &x.patterns[i]
		p.prefix = int32(i) - 1
		for p.prefix >= 0 && !bytes.HasPrefix(p.text, x.patterns[p.prefix].text) {
			p.prefix = x.patterns[p.prefix].prefix
		}
		x.starts.set(key(p.text))
	}
	for _, s := range secrets {
		if !s.fragments {
			continue
		}
		plain := canonical(s.value)
		p := &x.parts[0]
		if len(foldString(plain)) < minFragment+lost {
			p = &x.parts[1]
		}
		for _, spelling := range spellings(s.value) {
			p.add(spelling, s.number)
		}
	}
	x.grams = newBitset(len(x.parts[0].all) + len(x.parts[1].all) + len(x.patterns))
	for _, p := range x.patterns {
		x.grams.set(key(p.text))
	}
	for _, p := range x.parts {
		var k uint64
		for i, c := range p.all {
			if k = k<<8 | uint64(c); i >= gram-1 {
				x.grams.set(k)
			}
		}
	}
	return x
}

// add makes the parts of a value known.
func (p *pool) add(value string, number int) {
	p.all, _ = fold(p.all, nil, value[:min(len(value), maxSecret)])
	p.all = append(p.all, 0)
	p.ends = append(p.ends, int32(len(p.all)))
	p.owners = append(p.owners, number)
}

// forms lists the spellings under which a value is searched for, beyond those that peeling and folding make equal.
func forms(value string) []string {
	plain := canonical(value)
	list := spellings(value)
	short := value
	if len(short) > maxEncoded {
		short = short[:maxEncoded]
	}
	list = append(list, hex.EncodeToString([]byte(short)))
	list = append(list, base64Forms(short)...)
	if len(plain) <= maxEncoded && plain != short {
		list = append(list, hex.EncodeToString([]byte(plain)))
		list = append(list, base64Forms(plain)...)
	}
	if escaped := url.QueryEscape(short); escaped != short { // as RFC 6749 section 2.3.1 puts it into a Basic header
		list = append(list, base64Forms(escaped)...)
	}
	return list
}

// spellings are those forms of a value of which parts count, too.
func spellings(value string) []string {
	list := []string{value}
	plain := canonical(value)
	if plain != value {
		list = append(list, plain)
	}
	if strings.ContainsRune(plain, ' ') { // as in a form
		list = append(list, strings.ReplaceAll(plain, " ", "+"))
	}
	return list
}

// base64Forms returns what base64 makes of a value inside a longer text: one form for each of the three alignments,
// without the digits at the edges that depend on the neighbours.
func base64Forms(value string) []string {
	var list []string
	for shift := range 3 {
		digits := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + value))
		from := (shift*8 + 5) / 6
		to := (shift + len(value)) * 8 / 6
		if to > from {
			list = append(list, digits[from:to])
		}
	}
	return list
}

// find appends to hits the secrets in v, as spans of v's source. Whole secrets are found anywhere; parts of them from
// minFragment bytes on, and from minElided bytes on beside an ellipsis.
func (x *index) find(v view, hits []found, buf *buffers) []found {
	if len(x.patterns) == 0 {
		return hits
	}
	text, at := fold(buf.text[:0], buf.at[:0], v.text)
	buf.text, buf.at = text, at
	emit := func(i, j, secret int, part bool) {
		start, _ := v.source(int(at[i]), int(at[i]))
		_, last := utf8.DecodeRuneInString(v.text[at[j-1]:])
		_, end := v.source(int(at[j-1]), int(at[j-1])+last)
		hits = append(hits, found{start, end, secret, part})
	}
	var (
		k     uint64
		n     int // bytes in k
		first = -1
	)
	flush := func(end int) { // the grams that begin in [first, end-gram] all belong to secrets
		if first >= 0 {
			for k := range x.parts {
				x.parts[k].fragments(text[first:end], x.public, func(i, j, secret int) { emit(first+i, first+j, secret, true) })
			}
			first = -1
		}
	}
	for i := 0; i < len(text); i++ {
		k = k<<8 | uint64(text[i])
		if n++; n < gram {
			continue
		}
		if !x.grams.has(k) {
			if first >= 0 {
				flush(i)
			}
			continue
		}
		begin := i - gram + 1
		if x.starts.has(k) {
			if p := x.longest(text[begin:]); p != nil {
				flush(begin + gram - 1)
				emit(begin, begin+len(p.text), p.secret, false)
				i, n, k = begin+len(p.text)-1, 0, 0
				continue
			}
		}
		if first < 0 {
			first = begin
		}
	}
	flush(len(text))
	return x.elided(v, hits)
}

// longest returns the longest pattern that text begins with. Between a prefix of text and text itself, in sorted order,
// there are only texts with that prefix; hence the way through the prefixes of the last pattern not greater than text.
func (x *index) longest(text []byte) *pattern {
	i := sort.Search(len(x.patterns), func(i int) bool { return bytes.Compare(x.patterns[i].text, text) > 0 }) - 1
	for i >= 0 && !bytes.HasPrefix(text, x.patterns[i].text) {
		i = int(x.patterns[i].prefix)
	}
	if i < 0 {
		return nil
	}
	return &x.patterns[i]
}

// fragments verifies a stretch of text whose grams all seem to be parts of secrets (the bit set errs on that side).
func (p *pool) fragments(text, public []byte, emit func(i, j, secret int)) {
	for i := 0; i+p.min <= len(text); {
		where := p.locate(text[i : i+p.min])
		if where < 0 {
			i++
			continue
		}
		n := p.min
		for i+n < len(text) && p.all[where+n] == text[i+n] { // a zero byte ends each secret
			n++
		}
		if k := p.entry(where); n >= p.least(k) && !bytes.Contains(public, text[i:i+n]) {
			emit(i, i+n, p.owners[k])
		}
		i += n - p.min + 1 // another secret may begin inside this one
	}
}

// locate finds the first place in p.all of a part of the minimum length, or -1.
func (p *pool) locate(part []byte) int {
	where, ok := p.located[string(part)]
	if !ok {
		where = bytes.Index(p.all, part)
		p.located[string(part)] = where
	}
	return where
}

// entry returns which of the secrets holds an offset.
func (p *pool) entry(offset int) int {
	return sort.Search(len(p.ends), func(i int) bool { return int(p.ends[i]) > offset })
}

// least is the length from which a part of a secret counts.
func (p *pool) least(entry int) int {
	length := int(p.ends[entry]) - 1
	if entry > 0 {
		length -= int(p.ends[entry-1])
	}
	return min(minFragment, max(gram, length-lost))
}

// elided finds the ends of shortened secrets, before and after each ellipsis.
func (x *index) elided(v view, hits []found) []found {
	for from := 0; ; {
		at, n := indexEllipsis(v.text[from:])
		if at < 0 {
			return hits
		}
		at += from
		from = at + n
		begin, end := max(0, at-maxElided), min(len(v.text), from+maxElided)
		if n, secret := x.grow(v.text, begin, at, -1); n > 0 {
			start, stop := v.source(at-n, at)
			hits = append(hits, found{start, stop, secret, true})
		}
		if n, secret := x.grow(v.text, from, end, 1); n > 0 {
			start, stop := v.source(from, from+n)
			hits = append(hits, found{start, stop, secret, true})
		}
	}
}

// grow returns the length of the longest part of a secret at the end of t[i:j] (direction -1) or at its beginning.
func (x *index) grow(t string, i, j, direction int) (n, secret int) {
	for size := minElided; size <= j-i; size++ {
		part := t[i : i+size]
		if direction < 0 {
			part = t[j-size : j]
		}
		word := []byte(foldString(part))
		if len(word) < minElided || bytes.Contains(x.public, word) {
			continue
		}
		found := false
		for k := range x.parts {
			if where := bytes.Index(x.parts[k].all, word); where >= 0 {
				n, secret, found = size, x.parts[k].owners[x.parts[k].entry(where)], true
			}
		}
		if !found {
			break
		}
	}
	return n, secret
}

func indexEllipsis(s string) (at, length int) {
	dots, sign := strings.Index(s, "..."), strings.Index(s, "…")
	switch {
	case dots < 0 && sign < 0:
		return -1, 0
	case dots < 0 || sign >= 0 && sign < dots:
		return sign, len("…")
	}
	end := dots
	for end < len(s) && s[end] == '.' {
		end++
	}
	return dots, end - dots
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// buffers are reused from one text to the next.
type buffers struct {
	text []byte
	at   []int32
}

func key(b []byte) uint64 {
	var k uint64
	for _, c := range b[:gram] {
		k = k<<8 | uint64(c)
	}
	return k
}

// bitset is a Bloom filter with one hash function: it may say yes by mistake, never no.
type bitset struct {
	words []uint64
	shift uint
}

func newBitset(n int) bitset {
	size := max(10, bits.Len(uint(n))+4) // sixteen to thirty-two bits an entry
	return bitset{make([]uint64, 1<<(size-6)), uint(64 - size)}
}

func (s bitset) set(k uint64) {
	h := k * 0x9e3779b97f4a7c15 >> s.shift
	s.words[h>>6] |= 1 << (h & 63)
}

func (s bitset) has(k uint64) bool {
	h := k * 0x9e3779b97f4a7c15 >> s.shift
	return s.words[h>>6]&(1<<(h&63)) != 0
}
