package matchers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// BeJSONObject judges the raw body: valid UTF-8 that is exactly one JSON object (RFC 8259). A byte order mark before it
// is accepted.
func BeJSONObject() Matcher {
	return onResponse([]string{"a body that is one JSON object in UTF-8"}, func(r *target.Response) (bool, string) {
		body := bytes.TrimPrefix(r.Body, []byte("\ufeff"))
		if len(bytes.TrimSpace(body)) == 0 {
			return false, "an empty body"
		}
		if !utf8.Valid(body) {
			return false, "a body that is not valid UTF-8"
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return false, fmt.Sprintf("a body that is no JSON (%v): %s", err, quoteStart(body))
		}
		if _, err := d.Token(); err != io.EOF {
			return false, "a JSON value with more data after it"
		}
		if _, ok := v.(map[string]any); !ok {
			return false, "the JSON value is " + jsonType(v) + ", no object"
		}
		return true, ""
	})
}

// HaveMember judges that the response's JSON object has a member that is not null. Further arguments are matchers (or
// values to equal) for it.
func HaveMember(name string, want ...any) Matcher {
	return member(name, false, want)
}

// HaveOptionalMember judges a member only if it is there: absent and null match, another value has to match want.
func HaveOptionalMember(name string, want ...any) Matcher {
	return member(name, true, want)
}

// HaveStringMember judges that a member is a non-empty JSON string.
func HaveStringMember(name string) Matcher { return HaveMember(name, BeNonEmptyString()) }

// OmitMember judges that a member is absent or null.
func OmitMember(name string) Matcher {
	return onMembers([]string{"no member " + name}, func(members map[string]any) (bool, string) {
		v, ok := members[name]
		if !ok || v == nil {
			return true, name + " is absent"
		}
		return false, name + " is " + jsonType(v)
	})
}

func member(name string, optional bool, want []any) Matcher {
	matchers := toMatchers(want)
	accepted := func(wanted []string) []string {
		out := []string{"member " + name + strings.Join(wanted, "")}
		if optional {
			out = append(out, "no member "+name)
		}
		return out
	}
	var wanted []string
	for _, m := range matchers {
		wanted = append(wanted, " that is "+strings.Join(expectations(m), " or "))
	}
	j := onMembers(accepted(wanted), func(members map[string]any) (bool, string) {
		v, ok := members[name]
		switch {
		case v == nil && optional:
			return true, name + " is absent"
		case v == nil && ok:
			return false, name + " is null"
		case v == nil:
			return false, name + " is absent"
		}
		m, err := firstMismatch(v, matchers)
		switch {
		case err != nil:
			return false, fmt.Sprintf("%s is %s: %v", name, jsonType(v), err)
		case m != nil:
			return false, fmt.Sprintf("%s is %s", name, ParseFailure(m.FailureMessage(v)).Actual)
		}
		return true, fmt.Sprintf("%s is %s: %s", name, jsonType(v), inline(v))
	})
	j.explain = func(actual any) []string {
		r, err := response(actual)
		if err != nil {
			return j.expects
		}
		return accepted(explanations(r.Member(name), matchers))
	}
	return j
}

// onMembers makes a matcher over the members of the response's JSON object. Where there is no object it cannot judge:
// that is BeJSONObject's finding.
func onMembers(expects []string, judge func(map[string]any) (bool, string)) *judgement {
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		r, err := response(actual)
		if err != nil {
			return false, "", err
		}
		members, err := r.JSON()
		if err != nil {
			return false, "", unjudgeable(fmt.Sprintf("status %d: %v", r.Status, err))
		}
		ok, got := judge(members)
		return ok, got, nil
	}}
}

// HaveUniqueMembers judges the raw body: no object in it, at any depth, has two members of one name.
func HaveUniqueMembers() Matcher {
	return onResponse([]string{"a JSON object without repeated members"}, func(r *target.Response) (bool, string) {
		name, err := repeatedMember(r.Body)
		switch {
		case err != nil:
			return false, fmt.Sprintf("a body that is no JSON: %v", err)
		case name != "":
			return false, fmt.Sprintf("the member %q occurs more than once", name)
		}
		return true, ""
	})
}

// repeatedMember returns the name of the first member that occurs twice in one object.
func repeatedMember(body []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	d.UseNumber()
	return repeatedIn(d)
}

func repeatedIn(d *json.Decoder) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return "", nil
	}
	seen := map[string]bool{}
	found := ""
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return "", err
			}
			name, _ := key.(string)
			if seen[name] && found == "" {
				found = name
			}
			seen[name] = true
		}
		inner, err := repeatedIn(d)
		if err != nil {
			return "", err
		}
		if found == "" {
			found = inner
		}
	}
	_, err = d.Token() // the closing delimiter
	return found, err
}

// BeString judges a member's value: a JSON string, also an empty one.
func BeString() Matcher {
	return onText([]string{"a string"}, func(string) (bool, string) { return true, "" })
}

// BeNonEmptyString judges a member's value: a JSON string of at least one character.
func BeNonEmptyString() Matcher {
	return onText([]string{"a non-empty string"}, func(s string) (bool, string) {
		if s == "" {
			return false, "an empty string"
		}
		return true, "a string"
	})
}

// BeOneOf judges a member's value: one of the given strings, compared octet by octet.
func BeOneOf(accepted ...string) Matcher {
	var expects []string
	for _, a := range accepted {
		expects = append(expects, fmt.Sprintf("%q", a))
	}
	return onText(expects, func(s string) (bool, string) {
		for _, a := range accepted {
			if s == a {
				return true, ""
			}
		}
		return false, ""
	})
}

// BeBoolean judges a member's value: true or false.
func BeBoolean() Matcher {
	return onValue([]string{"a boolean"}, func(v any) bool { _, ok := v.(bool); return ok })
}

// BeNonNegativeInteger judges a member's value: a JSON number that is integral and not negative. 3600.0 and 3.6e3 are
// the number 3600 (RFC 8259 section 6).
func BeNonNegativeInteger() Matcher {
	return onValue([]string{"a JSON number, integral and not negative"}, func(v any) bool {
		n, ok := number(v)
		return ok && n.IsInt() && n.Sign() >= 0
	})
}

// BeListOfStrings judges a member's value: a JSON array of strings.
func BeListOfStrings() Matcher {
	return onValue([]string{"an array of strings"}, func(v any) bool {
		list, ok := v.([]any)
		for _, element := range list {
			if _, isString := element.(string); !isString {
				return false
			}
		}
		return ok
	})
}

func onValue(expects []string, judge func(any) bool) *judgement {
	return &judgement{expects: expects, judge: func(actual any) (bool, string, error) {
		return judge(actual), fmt.Sprintf("%s: %s", jsonType(actual), inline(actual)), nil
	}}
}

// number returns the exact value of a JSON number.
func number(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case json.Number:
		if len(v) > 100 { // an absurd literal, not worth computing
			return nil, false
		}
		if _, exponent, ok := strings.Cut(strings.ToLower(string(v)), "e"); ok && len(exponent) > 4 {
			return nil, false
		}
		return new(big.Rat).SetString(string(v))
	case float64:
		r := new(big.Rat).SetFloat64(v)
		return r, r != nil
	case int:
		return big.NewRat(int64(v), 1), true
	case int64:
		return big.NewRat(v, 1), true
	}
	return nil, false
}

// jsonType names the JSON type of a decoded value with its article.
func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number, float64, int, int64:
		return "a number"
	case []any, []string:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

// inline writes a value as JSON on one line, shortened.
func inline(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", shorten(s))
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shorten(string(text))
}

func quoteStart(body []byte) string {
	const limit = 60
	if len(body) > limit {
		return fmt.Sprintf("%q…", body[:limit])
	}
	return fmt.Sprintf("%q", body)
}
