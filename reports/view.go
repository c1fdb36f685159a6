package reports

import (
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLayers bounds how many layers of escaping are peeled off a text. Every layer makes the text shorter, so the bound
// is for hostile input only.
const maxLayers = 16

// view is a text with some layers of escaping removed that remembers where each of its bytes came from, so that what is
// found in the decoded text can be replaced in the original.
type view struct {
	text string
	at   []int32 // at[i] is the offset in the source of byte i, at[len(text)] the source's length; nil: identical to the source
}

// source translates the span [i, j) of the view into a span of the source.
func (v view) source(i, j int) (int, int) {
	if v.at == nil {
		return i, j
	}
	return int(v.at[i]), int(v.at[j])
}

// peel removes one layer of every kind of escape at once: percent-encoding, the backslash escapes of JSON and
// JavaScript, and HTML's character references. It reports whether there was any.
func (v view) peel() (view, bool) {
	t := v.text
	i := strings.IndexAny(t, `%\&`)
	var (
		out  []byte
		at   []int32
		done int // how much of t is in out
	)
	for i < len(t) && i >= 0 {
		decoded, n := unescape(t[i:])
		if n == 0 {
			i++
		} else {
			if out == nil {
				out = make([]byte, 0, len(t))
				at = make([]int32, 0, len(t)+1)
			}
			out, at = append(out, t[done:i]...), v.offsets(at, done, i)
			out = append(out, decoded...)
			for range len(decoded) {
				at = append(at, v.offset(i))
			}
			i += n
			done = i
		}
		next := strings.IndexAny(t[i:], `%\&`)
		if next < 0 {
			break
		}
		i += next
	}
	if out == nil {
		return v, false
	}
	out, at = append(out, t[done:]...), v.offsets(at, done, len(t)+1)
	return view{string(out), at}, true
}

// offsets appends the offsets in the source of the bytes i to j to at.
func (v view) offsets(at []int32, i, j int) []int32 {
	if v.at != nil {
		return append(at, v.at[i:j]...)
	}
	for ; i < j; i++ {
		at = append(at, int32(i))
	}
	return at
}

func (v view) offset(i int) int32 {
	if v.at == nil {
		return int32(i)
	}
	return v.at[i]
}

// unescape decodes the escape that s begins with and returns the decoded text and the length of the escape, or 0.
func unescape(s string) (string, int) {
	switch s[0] {
	case '%':
		return unescapePercent(s)
	case '\\':
		return unescapeBackslash(s)
	default:
		return unescapeReference(s)
	}
}

func unescapePercent(s string) (string, int) {
	if n, ok := hexAt(s, 1, 2); ok {
		return string([]byte{byte(n)}), 3
	}
	if len(s) > 1 && (s[1] == 'u' || s[1] == 'U') { // the old JavaScript escape()
		if n, ok := hexAt(s, 2, 4); ok {
			return string(rune(n)), 6
		}
	}
	return "", 0
}

func unescapeBackslash(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch c := s[1]; c {
	case 'n', 'r', 't', 'b', 'f', 'v':
		return " ", 2 // white space does not matter to the search
	case '"', '\'', '\\', '/':
		return s[1:2], 2
	case 'x', 'X':
		if n, ok := hexAt(s, 2, 2); ok {
			return string([]byte{byte(n)}), 4
		}
	case 'u', 'U':
		if len(s) > 2 && s[2] == '{' {
			if end := strings.IndexByte(s[:min(len(s), 12)], '}'); end > 3 {
				if n, ok := hexAt(s, 3, end-3); ok {
					return string(rune(n)), end + 1
				}
			}
		}
		n, ok := hexAt(s, 2, 4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(rune(n)) && len(s) >= 12 && s[6] == '\\' {
			if low, ok := hexAt(s, 8, 4); ok {
				if r := utf16.DecodeRune(rune(n), rune(low)); r != utf8.RuneError {
					return string(r), 12
				}
			}
		}
		return string(rune(n)), 6
	case '0', '1', '2', '3':
		if len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				return string([]byte{byte(n)}), 4
			}
		}
	}
	return "", 0
}

func unescapeReference(s string) (string, int) {
	if len(s) < 3 {
		return "", 0
	}
	if s[1] == '#' { // browsers accept numeric references without the semicolon
		i, base := 2, 10
		if s[2] == 'x' || s[2] == 'X' {
			i, base = 3, 16
		}
		j := i
		for j < len(s) && j < i+9 && isHex(s[j]) && (base == 16 || s[j] <= '9') {
			j++
		}
		n, err := strconv.ParseUint(s[i:j], base, 32)
		if err != nil || n > utf8.MaxRune {
			return "", 0
		}
		if j < len(s) && s[j] == ';' {
			j++
		}
		return string(rune(n)), j
	}
	end := strings.IndexByte(s[:min(len(s), 34)], ';')
	if end < 3 {
		return "", 0
	}
	name := s[:end+1]
	if decoded := html.UnescapeString(name); decoded != name {
		return decoded, end + 1
	}
	return "", 0
}

func hexAt(s string, i, n int) (uint64, bool) {
	if len(s) < i+n {
		return 0, false
	}
	for k := i; k < i+n; k++ {
		if !isHex(s[k]) {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(s[i:i+n], 16, 32)
	return v, err == nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// canonical peels all layers of s.
func canonical(s string) string {
	v, more := view{text: s}, true
	for n := 0; more && n < maxLayers; n++ {
		v, more = v.peel()
	}
	return v.text
}

// folded maps a byte of ASCII to what the search compares: letters in lower case, the two alphabets of base64 as one.
// Zero means that the byte does not count: white space and control characters, which a server may put anywhere.
var folded = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		switch {
		case c <= ' ' || c == 0x7f:
		case 'A' <= c && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		case c == '-':
			t[c] = '+'
		case c == '_':
			t[c] = '/'
		default:
			t[c] = byte(c)
		}
	}
	return t
}()

// fold appends the folded form of s to dst, and for each byte its offset in s to at unless that is nil. Beyond ASCII,
// letters become small as well, invisible characters do not count, and bytes that are not UTF-8 become what every
// encoder makes of them.
func fold(dst []byte, at []int32, s string) ([]byte, []int32) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < utf8.RuneSelf {
			if c = folded[c]; c != 0 {
				dst = append(dst, c)
				if at != nil {
					at = append(at, int32(i))
				}
			}
			continue
		}
		c, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.In(c, unicode.Cf, unicode.Cc, unicode.Z) {
			old := len(dst)
			dst = utf8.AppendRune(dst, unicode.ToLower(c))
			for at != nil && old < len(dst) {
				at = append(at, int32(i))
				old++
			}
		}
		i += n - 1
	}
	return dst, at
}

// foldString is the folded form of s.
func foldString(s string) string {
	b, _ := fold(make([]byte, 0, len(s)), nil, s)
	return string(b)
}
