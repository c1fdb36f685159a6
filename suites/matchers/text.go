package matchers

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Charset is a set of strings that RFC 6749 appendix A (or RFC 6750) defines by its characters.
type Charset string

// The character sets and forms of the specifications.
const (
	VSCHAR              Charset = "VSCHAR"              // 1*VSCHAR, %x20-7E (RFC 6749 appendix A)
	NQCHAR              Charset = "NQCHAR"              // 1*NQCHAR, %x21 / %x23-5B / %x5D-7E
	NQSCHAR             Charset = "NQSCHAR"             // 1*NQSCHAR, %x20-21 / %x23-5B / %x5D-7E
	UNICODECHARNOCRLF   Charset = "UNICODECHARNOCRLF"   // any character but CR, LF and controls, for user names and passwords
	NameChar            Charset = "name-char"           // 1*( "-" / "." / "_" / DIGIT / ALPHA ), appendix A.13 and A.18
	ResponseTypeName    Charset = "response-name"       // response-name *( SP response-name ), appendix A.3
	ScopeList           Charset = "scope"               // scope-token *( SP scope-token ), appendix A.4
	B64Token            Charset = "b64token"            // RFC 6750 section 2.1
	Digits              Charset = "1*DIGIT"             // appendix A.14
	URIReference        Charset = "URI-reference"       // RFC 3986 section 4.1
	AbsoluteURI         Charset = "absolute URI"        // RFC 3986: with a scheme
	TokenTypeOrURI      Charset = "type-name"           // type-name / URI-reference with a scheme, appendix A.13
	GrantTypeNameOrURI  Charset = "grant-name"          // grant-name / URI-reference with a scheme, appendix A.10
	CodeChallengeString Charset = "unreserved, 43..128" // RFC 7636 section 4.1 and 4.2
)

// forms says for each set which strings are in it and how to say so.
var forms = map[Charset]struct {
	says string
	in   func(string) bool
}{
	VSCHAR:              {"one or more of the characters %x20-7E", each(inVSCHAR)},
	NQCHAR:              {"one or more of the characters %x21, %x23-5B, %x5D-7E", each(inNQCHAR)},
	NQSCHAR:             {"one or more of the characters %x20-21, %x23-5B, %x5D-7E", each(inNQSCHAR)},
	UNICODECHARNOCRLF:   {"characters other than controls, CR and LF", inUnicode},
	NameChar:            {`one or more letters, digits, "-", "." and "_"`, each(inName)},
	ResponseTypeName:    {`names of letters, digits and "_", separated by single spaces`, spaced(func(c byte) bool { return isAlphanumeric(c) || c == '_' })},
	ScopeList:           {"values of the characters %x21, %x23-5B, %x5D-7E, separated by single spaces", spaced(inNQCHAR)},
	B64Token:            {`letters, digits and "-._~+/", then any number of "="`, inB64Token},
	Digits:              {"one or more digits", each(func(c byte) bool { return '0' <= c && c <= '9' })},
	URIReference:        {"a URI reference (RFC 3986) of the characters %x21, %x23-5B, %x5D-7E", isURIReference},
	AbsoluteURI:         {"a URI with a scheme (RFC 3986)", isAbsoluteURI},
	TokenTypeOrURI:      {`letters, digits, "-", "." and "_", or a URI with a scheme`, func(s string) bool { return each(inName)(s) || isAbsoluteURI(s) }},
	GrantTypeNameOrURI:  {`letters, digits, "-", "." and "_", or a URI with a scheme`, func(s string) bool { return each(inName)(s) || isAbsoluteURI(s) }},
	CodeChallengeString: {`43 to 128 letters, digits, "-", ".", "_" and "~"`, isCodeChallenge},
}

// In reports whether s belongs to the set; a set that does not exist has no member.
func (c Charset) In(s string) bool {
	form, ok := forms[c]
	return ok && form.in(s)
}

// MatchCharset matches a string of a character set.
func MatchCharset(set Charset) Matcher {
	return onText([]string{fmt.Sprintf("%s: %s", set, forms[set].says)}, func(s string) (bool, string) {
		return set.In(s), fmt.Sprintf("%q", shorten(s))
	})
}

// BeURIReference matches a string that is a URI reference (RFC 3986 section 4.1).
func BeURIReference() Matcher { return MatchCharset(URIReference) }

// BeAbsoluteURI matches a string that is a URI with a scheme.
func BeAbsoluteURI() Matcher { return MatchCharset(AbsoluteURI) }

func each(in func(byte) bool) func(string) bool {
	return func(s string) bool {
		for i := range len(s) {
			if !in(s[i]) {
				return false
			}
		}
		return s != ""
	}
}

func spaced(in func(byte) bool) func(string) bool {
	word := each(in)
	return func(s string) bool {
		for part := range strings.SplitSeq(s, " ") {
			if !word(part) {
				return false
			}
		}
		return true
	}
}

func inVSCHAR(c byte) bool  { return 0x20 <= c && c <= 0x7e }
func inNQSCHAR(c byte) bool { return inVSCHAR(c) && c != '"' && c != '\\' }
func inNQCHAR(c byte) bool  { return inNQSCHAR(c) && c != ' ' }
func inName(c byte) bool    { return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' }

// inUnicode is UNICODECHARNOCRLF: %x09 / %x20-7E / %x80-D7FF / %xE000-FFFD / %x10000-10FFFF.
func inUnicode(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r != '\t' && (r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff) {
			return false
		}
	}
	return true
}

func inB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	return each(isB64Char)(body)
}

func isB64Char(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~+/", c) >= 0 }

func isCodeChallenge(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && each(func(c byte) bool { return inName(c) || c == '~' })(s)
}

// isURIReference accepts what RFC 3986 section 4.1 does: its characters, percent signs before two hexadecimal digits, at
// most one fragment.
func isURIReference(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case isAlphanumeric(c), strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
		default:
			return false
		}
	}
	if strings.Count(s, "#") > 1 {
		return false
	}
	_, err := url.Parse(s)
	return err == nil
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

func isAbsoluteURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && isURIReference(s) && len(s) > len(u.Scheme)+1
}
