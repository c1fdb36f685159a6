package matchers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
	"golang.org/x/net/html"
)

// ParseCacheControl splits the lines of a Cache-Control (or Pragma) field into directives by lower-case name; the value is
// the argument without its quotation marks, "" where there is none.
func ParseCacheControl(lines []string) map[string]string {
	directives := map[string]string{}
	for _, line := range lines {
		for _, element := range splitList(line) {
			name, argument, _ := strings.Cut(element, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if name != "" {
				directives[name] = strings.Trim(strings.TrimSpace(argument), `"`)
			}
		}
	}
	return directives
}

// splitList splits a comma-separated field value; commas inside quoted strings do not separate.
func splitList(line string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ',' && !quoted:
			out = append(out, strings.TrimSpace(line[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(line[start:]))
}

// Challenge is one challenge of a WWW-Authenticate field (RFC 9110 section 11.6.1).
type Challenge struct {
	Scheme  string // as it was written; compare with Is
	Token68 string // the token68 form of a challenge, instead of parameters
	Params  []Param
}

// Param is one parameter of a challenge; Value is without quotation marks and backslashes.
type Param struct {
	Name   string // as it was written; names are compared without case
	Value  string
	Quoted bool
}

// Is compares the scheme without case.
func (c Challenge) Is(scheme string) bool { return strings.EqualFold(c.Scheme, scheme) }

// Get returns the first parameter of the name, compared without case.
func (c Challenge) Get(name string) (value string, ok bool) {
	for _, p := range c.Params {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// Count returns how often a parameter occurs.
func (c Challenge) Count(name string) int {
	n := 0
	for _, p := range c.Params {
		if strings.EqualFold(p.Name, name) {
			n++
		}
	}
	return n
}

// Challenges returns the challenges of a response's WWW-Authenticate fields. With an error the challenges before the
// fault are returned as well.
func Challenges(r *target.Response) ([]Challenge, error) {
	return ParseChallenges(r.Header.Values("WWW-Authenticate"))
}

// ParseChallenges parses the lines of WWW-Authenticate fields: several challenges in a line, several lines, quoted
// strings, token values, token68, empty list elements and blanks around "=" and ",". An error says where a line is
// malformed; the challenges before that place are returned with it, and those of the other lines.
func ParseChallenges(lines []string) ([]Challenge, error) {
	var all []Challenge
	var errs []error
	for _, line := range lines {
		p := challengeParser{text: line}
		err := p.parse()
		all = append(all, p.challenges...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}

// challengeParser reads one field line.
type challengeParser struct {
	text       string
	at         int
	challenges []Challenge
}

func (p *challengeParser) parse() error {
	for {
		separated := p.skipSeparators()
		if p.at == len(p.text) {
			return nil
		}
		if len(p.challenges) > 0 && !separated {
			return p.fault("a comma is missing")
		}
		word := p.token()
		if word == "" {
			return p.fault("a scheme or a parameter name is expected")
		}
		blank := p.skipBlanks()
		if p.peek() == '=' {
			if len(p.challenges) == 0 {
				return p.fault("a scheme is missing")
			}
			if p.last().Token68 != "" {
				return p.fault("a parameter follows the token68 form")
			}
			if err := p.value(word); err != nil {
				return err
			}
			continue
		}
		p.challenges = append(p.challenges, Challenge{Scheme: word})
		if err := p.first(blank); err != nil {
			return err
		}
	}
}

// first reads what follows a scheme: nothing, token68, or the first parameter.
func (p *challengeParser) first(blank bool) error {
	if p.at == len(p.text) || p.peek() == ',' {
		return nil
	}
	if !blank {
		return p.fault("a blank is expected after the scheme")
	}
	start := p.at
	for p.at < len(p.text) && isToken68Char(p.text[p.at]) {
		p.at++
	}
	for p.at < len(p.text) && p.text[p.at] == '=' {
		p.at++
	}
	candidate := p.text[start:p.at]
	p.skipBlanks()
	if candidate != "" && (p.at == len(p.text) || p.peek() == ',') && !isBareParam(candidate) {
		p.last().Token68 = candidate
		return nil
	}
	p.at = start
	name := p.token()
	if name == "" {
		return p.fault("a parameter is expected")
	}
	p.skipBlanks()
	if p.peek() != '=' {
		return p.fault(fmt.Sprintf("a comma or = is expected after %q", name))
	}
	return p.value(name)
}

// isBareParam tells `error=` (a parameter without a value) from token68 with padding: token68 never is a plain
// lower-case word of the parameters that RFC 6750 and RFC 7617 define.
func isBareParam(candidate string) bool {
	name, rest, ok := strings.Cut(candidate, "=")
	if !ok || rest != "" {
		return false
	}
	switch strings.ToLower(name) {
	case "realm", "scope", "error", "error_description", "error_uri", "algs", "charset", "resource_metadata":
		return true
	}
	return false
}

// value reads "=" and a value, and adds the parameter to the last challenge.
func (p *challengeParser) value(name string) error {
	p.at++ // "="
	p.skipBlanks()
	param := Param{Name: name}
	if p.peek() == '"' {
		var err error
		if param.Value, err = p.quoted(); err != nil {
			return err
		}
		param.Quoted = true
	} else if param.Value = p.token(); param.Value == "" {
		return p.fault(fmt.Sprintf("the parameter %q has no value", name))
	}
	p.last().Params = append(p.last().Params, param)
	p.skipBlanks()
	if p.at < len(p.text) && p.peek() != ',' {
		return p.fault(fmt.Sprintf("a comma is expected after the value of %q", name))
	}
	return nil
}

// quoted reads a quoted-string (RFC 9110 section 5.6.4).
func (p *challengeParser) quoted() (string, error) {
	var b strings.Builder
	p.at++
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch c {
		case '"':
			return b.String(), nil
		case '\\':
			if p.at == len(p.text) {
				return "", p.fault("a quoted string does not end")
			}
			c = p.text[p.at]
			p.at++
		}
		b.WriteByte(c)
	}
	return "", p.fault("a quoted string does not end")
}

func (p *challengeParser) last() *Challenge { return &p.challenges[len(p.challenges)-1] }

func (p *challengeParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *challengeParser) token() string {
	start := p.at
	for p.at < len(p.text) && isTokenChar(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *challengeParser) skipBlanks() bool {
	start := p.at
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	return p.at > start
}

// skipSeparators skips blanks and commas and reports whether there was a comma.
func (p *challengeParser) skipSeparators() bool {
	comma := false
	for p.at < len(p.text) && strings.IndexByte(" \t,", p.text[p.at]) >= 0 {
		comma = comma || p.text[p.at] == ','
		p.at++
	}
	return comma
}

func (p *challengeParser) fault(what string) error {
	return fmt.Errorf("WWW-Authenticate at column %d: %s: %q", p.at+1, what, p.text)
}

// isTokenChar is tchar of RFC 9110 section 5.6.2.
func isTokenChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken68Char(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~+/", c) >= 0 }

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// ChallengeWith matches a response that has a challenge of the scheme (compared without case); further schemes beside it
// are fine.
func ChallengeWith(scheme string) Matcher {
	return onResponse([]string{"WWW-Authenticate with a challenge of the scheme " + scheme}, func(r *target.Response) (bool, string) {
		challenges, _ := Challenges(r)
		for _, c := range challenges {
			if c.Is(scheme) {
				return true, describeChallenges(r)
			}
		}
		return false, describeChallenges(r)
	})
}

// HaveChallenge matches a response that has any WWW-Authenticate field, well-formed or not.
func HaveChallenge() Matcher { return HaveHeader("WWW-Authenticate") }

// HaveWellFormedChallenges matches a response whose WWW-Authenticate fields parse.
func HaveWellFormedChallenges() Matcher {
	return onResponse([]string{"WWW-Authenticate fields of the form scheme name=value, name=\"value\" …"}, func(r *target.Response) (bool, string) {
		if _, err := Challenges(r); err != nil {
			return false, err.Error()
		}
		return true, describeChallenges(r)
	})
}

// HaveChallengeParam matches a response with a challenge of the scheme that has the parameter; further arguments are
// matchers or values for it.
func HaveChallengeParam(scheme, name string, want ...any) Matcher {
	expects := fmt.Sprintf("a %s challenge with %s", scheme, name)
	for _, w := range want {
		expects += wish(w)
	}
	return onResponse([]string{expects}, func(r *target.Response) (bool, string) {
		challenges, _ := Challenges(r)
		for _, c := range challenges {
			if value, ok := c.Get(name); ok && c.Is(scheme) && allMatch(value, want) {
				return true, describeChallenges(r)
			}
		}
		return false, describeChallenges(r)
	})
}

func describeChallenges(r *target.Response) string {
	lines := r.Header.Values("WWW-Authenticate")
	if len(lines) == 0 {
		return fmt.Sprintf("status %d, no WWW-Authenticate", r.Status)
	}
	return fmt.Sprintf("status %d, WWW-Authenticate: %s", r.Status, strings.Join(lines, ", "))
}

// readable reports whether a body shows any text to a person.
func readable(r *target.Response) bool {
	if !strings.Contains(r.ContentType(), "html") {
		return strings.TrimSpace(string(r.Body)) != ""
	}
	tokens := html.NewTokenizer(strings.NewReader(string(r.Body)))
	hidden := 0
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken:
			if name, _ := tokens.TagName(); hides(string(name)) {
				hidden++
			}
		case html.EndTagToken:
			if name, _ := tokens.TagName(); hides(string(name)) && hidden > 0 {
				hidden--
			}
		case html.TextToken:
			if hidden == 0 && strings.TrimSpace(string(tokens.Text())) != "" {
				return true
			}
		}
	}
}

// hides names the elements whose text a page does not show.
func hides(element string) bool {
	switch element {
	case "script", "style", "template", "title":
		return true
	}
	return false
}
