package mockprovider

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// decode fills the struct that into points to from plain data (as YAML or JSON yields it), by the fields' yaml tags. It is
// as strict as profiles.DecodeStrict: an unknown key is an error that names the nearest known one, and every error says
// where. Data is merged: a mapping changes only the keys that it has, a list replaces the whole list, null resets, and `"*": null` in a mapping drops every entry that was there before.
func decode(where string, data any, into any) error {
	return decodeValue(where, data, reflect.ValueOf(into).Elem())
}

var durationType = reflect.TypeFor[time.Duration]()

func decodeValue(where string, data any, v reflect.Value) error {
	if data == nil {
		v.SetZero()
		return nil
	}
	wrong := func(want string) error {
		return fmt.Errorf("%s: expected %s, found %v (%T)", where, want, data, data)
	}
	if v.Type() == durationType {
		d, err := toDuration(data)
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		v.SetInt(int64(d))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return decodeValue(where, data, v.Elem())
	case reflect.Interface:
		v.Set(reflect.ValueOf(data))
	case reflect.String:
		switch data.(type) {
		case string, int, int64, float64, bool:
			v.SetString(toText(data))
		default:
			return wrong("text")
		}
	case reflect.Bool:
		switch d := data.(type) {
		case bool:
			v.SetBool(d)
		case string:
			b, err := strconv.ParseBool(d)
			if err != nil {
				return wrong("true or false")
			}
			v.SetBool(b)
		default:
			return wrong("true or false")
		}
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(toText(data), 10, 64)
		if err != nil {
			return wrong("a whole number")
		}
		v.SetInt(n)
	case reflect.Slice:
		items, ok := data.([]any)
		if !ok {
			switch d := data.(type) {
			case []string:
				for _, s := range d {
					items = append(items, s)
				}
			case map[string]any:
				if v.Type().Elem().Kind() != reflect.Struct {
					return wrong("a list")
				}
				items = []any{d}
			default:
				items = []any{data} // a single value may stand for a list of one
			}
		}
		slice := reflect.MakeSlice(v.Type(), len(items), len(items))
		for i := range items {
			if err := decodeValue(fmt.Sprintf("%s[%d]", where, i), items[i], slice.Index(i)); err != nil {
				return err
			}
		}
		v.Set(slice)
	case reflect.Map:
		m, ok := stringMap(data)
		if !ok {
			return wrong("a mapping")
		}
		merged := reflect.MakeMap(v.Type())
		everything, replaced := m["*"]
		replaced = replaced && everything == nil
		for _, key := range v.MapKeys() {
			if !replaced {
				merged.SetMapIndex(key, v.MapIndex(key))
			}
		}
		var errs []error
		for key, item := range m {
			if key == "*" && replaced {
				continue
			}
			k := reflect.ValueOf(key).Convert(v.Type().Key())
			if item == nil && v.Type().Elem().Kind() != reflect.Interface {
				merged.SetMapIndex(k, reflect.Value{})
				continue
			}
			element := reflect.New(v.Type().Elem()).Elem()
			if old := merged.MapIndex(k); old.IsValid() && old.Kind() == reflect.Struct {
				element.Set(old) // change the entry that is there
			}
			if item != nil {
				if err := decodeValue(where+"."+key, item, element); err != nil {
					errs = append(errs, err)
				}
			}
			merged.SetMapIndex(k, element)
		}
		v.Set(merged)
		return errors.Join(errs...)
	case reflect.Struct:
		m, ok := stringMap(data)
		if !ok {
			return wrong("a mapping")
		}
		return decodeStruct(where, m, v)
	default:
		return fmt.Errorf("%s: cannot decode into %s", where, v.Type())
	}
	return nil
}

func decodeStruct(where string, m map[string]any, v reflect.Value) error {
	fields := yamlFields(v.Type())
	var errs []error
	for key, item := range m {
		index, ok := fields[key]
		if !ok {
			known := make([]string, 0, len(fields))
			for name := range fields {
				known = append(known, name)
			}
			slices.Sort(known)
			errs = append(errs, fmt.Errorf("%s.%s: unknown key%s", where, key, suggestion(key, known)))
			continue
		}
		if err := decodeValue(where+"."+key, item, v.FieldByIndex(index)); err != nil {
			errs = append(errs, err)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func yamlFields(t reflect.Type) map[string][]int {
	fields := make(map[string][]int)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			fields[name] = []int{i}
		}
	}
	return fields
}

func stringMap(data any) (map[string]any, bool) {
	switch m := data.(type) {
	case map[string]any:
		return m, true
	case map[string]string:
		out := make(map[string]any, len(m))
		for k, v := range m {
			out[k] = v
		}
		return out, true
	case map[any]any:
		out := make(map[string]any, len(m))
		for k, v := range m {
			out[toText(k)] = v
		}
		return out, true
	}
	return nil, false
}

// toDuration reads "90s", "10m", a number of seconds, or "never" (which is 0).
func toDuration(v any) (time.Duration, error) {
	s := toText(v)
	if s == "never" {
		return 0, nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("expected a length of time such as 90s or 10m, a number of seconds or never, found %q", s)
	}
	return d, nil
}

// suggestion is the tail of an error message that names the nearest candidate, or all of them if they are few.
func suggestion(word string, candidates []string) string {
	if near := profiles.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(candidates) > 0 && len(candidates) <= 24 {
		return "; known are " + strings.Join(candidates, ", ")
	}
	return ""
}
