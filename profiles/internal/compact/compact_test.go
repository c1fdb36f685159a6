package compact

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

type part struct {
	Word  string
	Count int
}

type whole struct {
	Title  string
	Flag   bool
	Number int64
	Parts  []part
	Words  []string
	Names  map[string]string
	Args   map[string]any
	Left   string `yaml:"-"`
	hidden string
}

var example = whole{
	Title: "Ünïcode", Flag: true, Number: -5,
	Parts: []part{{"a", 1}, {"", -300000}},
	Words: []string{"", strings.Repeat("long ", 100)},
	Names: map[string]string{"b": "2", "a": "1"},
	Args: map[string]any{
		"int": 7, "negative": -7, "float": 1.5, "yes": true, "no": false, "nothing": nil, "text": "x",
		"list": []any{1, "two", []any{}, map[string]any{"deep": 3}}, "map": map[string]any{"k": "v"}, "empty": map[string]any{},
	},
}

func TestRoundTripKeepsValuesAndTypes(t *testing.T) {
	data, err := Marshal(&example)
	if err != nil {
		t.Fatal(err)
	}
	var got whole
	if err := Unmarshal(string(data), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, example) {
		t.Errorf("read  %#v\nwrote %#v", got, example)
	}
}

func TestFieldsThatAreNotWritten(t *testing.T) {
	data, err := Marshal(whole{Left: "left", hidden: "hidden"})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("left")) || bytes.Contains(data, []byte("hidden")) {
		t.Errorf("%q holds a field that is left out", data)
	}
}

func TestSameValueSameBytes(t *testing.T) {
	first, _ := Marshal(example)
	for range 20 {
		if again, _ := Marshal(example); !bytes.Equal(first, again) {
			t.Fatal("the order of a map shows")
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	data, _ := Marshal(example)
	var other struct{ Title string }
	if err := Unmarshal(string(data), &other); err == nil || !strings.Contains(err.Error(), "another shape") {
		t.Errorf("another type: %v", err)
	}
	for n := range data {
		var got whole
		if Unmarshal(string(data[:n]), &got) == nil {
			t.Errorf("accepted the first %d of %d bytes", n, len(data))
		}
	}
	var got whole
	if Unmarshal(string(data)+"x", &got) == nil {
		t.Error("accepted a byte too many")
	}
}

func TestMarshalRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"unknown kind in any": struct{ A any }{A: int32(1)},
		"unknown kind":        struct{ C chan int }{},
		"keys":                struct{ M map[int]string }{M: map[int]string{1: ""}},
		"deep":                struct{ A []any }{A: []any{map[string]any{"x": struct{}{}}}},
	} {
		if _, err := Marshal(v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, _ := Marshal(example)
	f.Add(data[4:])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got whole
		_ = Unmarshal(string(data[:4])+string(payload), &got) // must neither panic nor take memory without bound
	})
}
