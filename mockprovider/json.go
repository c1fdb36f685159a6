package mockprovider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// object is a JSON object whose members keep their order and may repeat, which encoding/json cannot express.
type object []member

type member struct {
	name  string
	value any // string, bool, int, int64, float64, nil, []string, []any, map[string]any, object, rawJSON
}

// rawJSON is JSON text that is written as it is, valid or not.
type rawJSON string

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

func (o object) set(name string, value any) object {
	for i := range o {
		if o[i].name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

func (o object) remove(name string) object {
	return slices.DeleteFunc(o, func(m member) bool { return m.name == name })
}

func (o object) encode() []byte { return o.append(make([]byte, 0, o.size())) }

func (o object) append(b []byte) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, m.name)
		b = append(b, ':')
		b = appendValue(b, m.value)
	}
	return append(b, '}')
}

// size is about the length of the object's text, so that a buffer need not grow.
func (o object) size() int {
	n := 64
	for _, m := range o {
		n += len(m.name) + 16
		if s, ok := m.value.(string); ok {
			n += len(s)
		}
	}
	return n
}

// MarshalJSON makes an object usable inside other values.
func (o object) MarshalJSON() ([]byte, error) { return o.encode(), nil }

func encodeValue(v any) []byte { return appendValue(nil, v) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case rawJSON:
		return append(b, v...)
	case object:
		return v.append(b)
	case []string:
		return appendArray(b, v, appendString)
	case []any:
		return appendArray(b, v, appendValue)
	case []object:
		return appendArray(b, v, func(b []byte, o object) []byte { return o.append(b) })
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return append(b, "null"...)
	}
	return append(b, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...)
}

func appendArray[T any](b []byte, items []T, appendItem func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, item)
	}
	return append(b, ']')
}

// appendString writes a JSON string; plain ASCII, which is nearly everything here, without detours.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			var buffer bytes.Buffer
			encoder := json.NewEncoder(&buffer)
			encoder.SetEscapeHTML(false)
			encoder.Encode(s) // a string always encodes
			return append(b, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// beside puts members before those of an object, the one that wrapping has made.
func (e *memberEdit) beside(x *exchange, o object) object {
	var first object
	for _, name := range sortedKeys(e.Beside) {
		first = append(first, member{name, x.expandAnyWith(e.Beside[name], o.variables())})
	}
	return append(first, o...)
}

// edit applies member operations; wrapping is left to the caller, because it comes after all other edits.
func (e *memberEdit) edit(x *exchange, o object) object {
	for _, name := range e.Remove {
		o = at(o, name, func(any, bool) (any, bool) { return nil, false })
	}
	if len(e.Keep) > 0 {
		o = slices.DeleteFunc(o, func(m member) bool { return !slices.Contains(e.Keep, m.name) })
	}
	for _, from := range sortedKeys(e.Rename) {
		for i := range o {
			if o[i].name == from {
				o[i].name = x.expandWith(e.Rename[from], o.variables())
			}
		}
	}
	variables := o.variables()
	for _, name := range sortedKeys(e.Set) {
		value := x.expandAnyWith(e.Set[name], variables)
		o = at(o, name, func(any, bool) (any, bool) { return value, true })
	}
	for _, name := range sortedKeys(e.Default) {
		value := x.expandAnyWith(e.Default[name], variables)
		o = at(o, name, func(old any, there bool) (any, bool) {
			if there {
				return old, true
			}
			return value, true
		})
	}
	for _, name := range sortedKeys(e.Replace) {
		value := x.expandAnyWith(e.Replace[name], variables)
		o = at(o, name, func(_ any, there bool) (any, bool) { return value, there })
	}
	for _, name := range sortedKeys(e.Raw) {
		value := rawJSON(x.expandWith(e.Raw[name], variables))
		o = at(o, name, func(any, bool) (any, bool) { return value, true })
	}
	convert := func(names []string, f func(any) any) {
		for _, name := range names {
			o = at(o, name, func(old any, there bool) (any, bool) {
				if !there {
					return nil, false
				}
				return f(old), true
			})
		}
	}
	convert(e.ToString, func(v any) any { return toText(v) })
	convert(e.ToNumber, func(v any) any {
		if n, err := strconv.ParseFloat(toText(v), 64); err == nil {
			return n
		}
		return 1
	})
	convert(e.ToArray, func(v any) any {
		switch v := v.(type) {
		case []string, []any, []object:
			return v
		case string:
			return words(v)
		}
		return []any{v}
	})
	convert(e.ToObject, func(v any) any { return object{{"value", v}} })
	convert(e.ToNull, func(any) any { return nil })
	joiner := e.Join
	if joiner == "" {
		joiner = ","
	}
	convert(e.ToJoined, func(v any) any {
		switch v := v.(type) {
		case []string:
			return strings.Join(v, joiner)
		case string:
			return strings.Join(words(v), joiner)
		}
		return toText(v)
	})
	return o.order(e.Order)
}

// order moves the members that are named to the front, in the order of the names.
func (o object) order(names []string) object {
	if len(names) == 0 {
		return o
	}
	slices.SortStableFunc(o, func(a, b member) int { return place(names, a.name) - place(names, b.name) })
	return o
}

// place is the position of a name in a list; what is not in it comes last.
func place(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return len(names)
}

// variables are the members as ${member:NAME} sees them.
func (o object) variables() func(name string) string {
	snapshot := slices.Clone(o)
	return func(name string) string {
		v, _ := snapshot.get(name)
		return toText(v)
	}
}

// at changes the member called name, or, where name begins with a slash, the values on that path.
func at(o object, name string, change func(old any, there bool) (any, bool)) object {
	if !strings.HasPrefix(name, "/") {
		return atMember(o, name, change)
	}
	return atPath(o, strings.Split(name[1:], "/"), change).(object)
}

func atMember(o object, name string, change func(any, bool) (any, bool)) object {
	old, there := o.get(name)
	value, keep := change(old, there)
	switch {
	case keep:
		return o.set(name, value)
	case there:
		return o.remove(name)
	}
	return o
}

func atPath(v any, path []string, change func(any, bool) (any, bool)) any {
	first, rest := path[0], path[1:]
	descend := func(item any, there bool) (any, bool) {
		if len(rest) == 0 {
			return change(item, there)
		}
		if !there {
			return item, false
		}
		return atPath(item, rest, change), true
	}
	switch v := v.(type) {
	case object:
		return atMember(v, first, descend)
	case map[string]any:
		old, there := v[first]
		value, keep := descend(old, there)
		out := make(map[string]any, len(v)+1)
		for k, item := range v {
			out[k] = item
		}
		if keep {
			out[first] = value
		} else {
			delete(out, first)
		}
		return out
	case []object:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		return atPath(items, path, change)
	case []string:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		return atPath(items, path, change)
	case []any:
		out := make([]any, 0, len(v)+1)
		for i, item := range v {
			if first != "*" && first != strconv.Itoa(i) {
				out = append(out, item)
				continue
			}
			if value, keep := descend(item, true); keep {
				out = append(out, value)
			}
		}
		if first == "-" { // one more element, as in JSON Pointer
			if value, keep := change(nil, false); keep {
				out = append(out, value)
			}
		}
		return out
	}
	return v
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// escapeJSON writes slashes and what is not ASCII as escapes. Both occur in strings only.
func escapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		switch {
		case r == '/':
			out = append(out, '\\', '/')
		case r < 0x80:
			out = append(out, byte(r))
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, "\\u%04x", unit)
			}
		}
	}
	return out
}
