// Package compact is the format of the catalogue's generated data: Go values written field by field without names, read
// back without copying a string.
//
// Measured with the 1271 requirements: 0.5 ms and 0.5 MB; encoding/json takes 6 ms and 0.8 MB, encoding/gob 1.2 ms but its
// output follows the order of maps, which changes from run to run, and it knows no nil inside an `any`. Compressing would
// save 0.4 MB of the program for 2 ms of every start.
//
// It is not self-describing: a fingerprint of the Go type stands in front, and data that was written for another shape of
// the type is refused. The reader trusts the data beyond that, as it is generated and embedded; it never reads outside of
// them.
package compact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Marshal writes v, a struct or a pointer to one, made of strings, booleans, integers, structs, slices, maps with string
// keys, and `any` holding what YAML yields (nil, bool, int, float64, string, []any, map[string]any). Fields tagged
// `yaml:"-"` and unexported ones are left out. The same value always gives the same bytes.
func Marshal(v any) ([]byte, error) {
	value := reflect.Indirect(reflect.ValueOf(v))
	out := binary.BigEndian.AppendUint32(nil, fingerprint(value.Type()))
	return appendValue(out, value)
}

// Unmarshal reads what Marshal wrote for the same type into the value that into points to. Strings share the memory of
// data.
func Unmarshal(data string, into any) error {
	value := reflect.ValueOf(into).Elem()
	if len(data) < 4 || binary.BigEndian.Uint32([]byte(data[:4])) != fingerprint(value.Type()) {
		return fmt.Errorf("the data were generated for another shape of %s", value.Type())
	}
	r := reader{data: data[4:], fields: map[reflect.Type][]int{}}
	r.value(value)
	if r.failed || len(r.data) > 0 {
		return errors.New("the data are damaged")
	}
	return nil
}

// fingerprint hashes the shape of a type: kinds, names and order of the fields.
func fingerprint(t reflect.Type) uint32 {
	hash := fnv.New32a()
	describe(hash.Write, t)
	return hash.Sum32()
}

func describe(write func([]byte) (int, error), t reflect.Type) {
	_, _ = write([]byte(t.Kind().String() + " ")) // a hash does not fail
	switch t.Kind() {
	case reflect.Struct:
		for _, i := range fields(t) {
			_, _ = write([]byte(t.Field(i).Name + ":"))
			describe(write, t.Field(i).Type)
		}
		_, _ = write([]byte(";"))
	case reflect.Slice, reflect.Map:
		describe(write, t.Elem())
	}
}

// fields lists the indices of the fields that are written.
func fields(t reflect.Type) []int {
	var indices []int
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("yaml") != "-" {
			indices = append(indices, i)
		}
	}
	return indices
}

// Tags of the values that an `any` holds.
const (
	tagNil = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagString
	tagList
	tagMap
)

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func appendValue(out []byte, v reflect.Value) ([]byte, error) {
	var err error
	switch v.Kind() {
	case reflect.String:
		return appendString(out, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(out, 1), nil
		}
		return append(out, 0), nil
	case reflect.Int, reflect.Int64:
		return binary.AppendVarint(out, v.Int()), nil
	case reflect.Struct:
		for _, i := range fields(v.Type()) {
			if out, err = appendValue(out, v.Field(i)); err != nil {
				return nil, fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
		return out, nil
	case reflect.Slice:
		out = binary.AppendUvarint(out, uint64(v.Len()))
		for i := range v.Len() {
			if out, err = appendValue(out, v.Index(i)); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return nil, fmt.Errorf("%s: only string keys can be written", v.Type())
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		out = binary.AppendUvarint(out, uint64(len(keys)))
		for _, key := range keys {
			if out, err = appendValue(appendString(out, key.String()), v.MapIndex(key)); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return out, nil
	case reflect.Interface:
		return appendAny(out, v)
	}
	return nil, fmt.Errorf("%s cannot be written", v.Type())
}

func appendAny(out []byte, v reflect.Value) ([]byte, error) {
	switch x := v.Interface().(type) {
	case nil:
		return append(out, tagNil), nil
	case bool:
		if x {
			return append(out, tagTrue), nil
		}
		return append(out, tagFalse), nil
	case int:
		return binary.AppendVarint(append(out, tagInt), int64(x)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(out, tagFloat), math.Float64bits(x)), nil
	case string:
		return appendString(append(out, tagString), x), nil
	case []any:
		return appendValue(append(out, tagList), reflect.ValueOf(x))
	case map[string]any:
		return appendValue(append(out, tagMap), reflect.ValueOf(x))
	}
	return nil, fmt.Errorf("a %s cannot be written", v.Elem().Type())
}

// reader consumes data; after the first failure it yields zero values.
type reader struct {
	data   string
	failed bool
	fields map[reflect.Type][]int // what fields() answered, as asking costs more than reading
}

func (r *reader) fail() {
	r.failed = true
	r.data = ""
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.data)) {
		r.fail()
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

func (r *reader) uvarint() uint64 {
	var x uint64
	for i := 0; i < len(r.data) && i < binary.MaxVarintLen64; i++ {
		b := r.data[i]
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.data = r.data[i+1:]
			return x
		}
	}
	r.fail()
	return 0
}

// length reads the number of elements; each takes at least one byte.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	x := int64(u >> 1)
	if u&1 != 0 {
		x = ^x
	}
	return x
}

func (r *reader) string() string { return r.take(r.uvarint()) }

func (r *reader) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.string())
	case reflect.Bool:
		v.SetBool(r.take(1) == "\x01")
	case reflect.Int, reflect.Int64:
		v.SetInt(r.varint())
	case reflect.Struct:
		indices, known := r.fields[v.Type()]
		if !known {
			indices = fields(v.Type())
			r.fields[v.Type()] = indices
		}
		for _, i := range indices {
			r.value(v.Field(i))
		}
	case reflect.Slice:
		n := r.length()
		if n == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := 0; i < n && !r.failed; i++ {
			r.value(v.Index(i))
		}
	case reflect.Map:
		n := r.length()
		if n == 0 {
			return
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), n))
		for i := 0; i < n && !r.failed; i++ {
			key := r.string()
			element := reflect.New(v.Type().Elem()).Elem()
			r.value(element)
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
		}
	case reflect.Interface:
		if x := r.any(); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		r.fail()
	}
}

func (r *reader) any() any {
	tag := r.take(1)
	if tag == "" {
		return nil
	}
	switch tag[0] {
	case tagNil:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInt:
		return int(r.varint())
	case tagFloat:
		if b := r.take(8); b != "" {
			return math.Float64frombits(binary.BigEndian.Uint64([]byte(b)))
		}
	case tagString:
		return r.string()
	case tagList:
		list := make([]any, r.length())
		for i := 0; i < len(list) && !r.failed; i++ {
			list[i] = r.any()
		}
		return list
	case tagMap:
		n := r.length()
		m := make(map[string]any, n)
		for i := 0; i < n && !r.failed; i++ {
			key := r.string()
			m[key] = r.any()
		}
		return m
	default:
		r.fail()
	}
	return nil
}
