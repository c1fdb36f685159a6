package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// DecodeStrict decodes one YAML document into the struct, map or slice that into points to. It refuses keys that the struct
// does not have, repeated keys, values of a wrong kind and a second document. Every fault found is one line
// `file:line: key: what is wrong; did you mean X?`; several are joined (errors.Join). An empty document leaves into as it
// is. file is only used in messages.
func DecodeStrict(data []byte, file string, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return located(file, err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return fmt.Errorf("%s:%d: a second YAML document; one file holds one", file, second.Line)
	} else if !errors.Is(err, io.EOF) {
		return located(file, err)
	}
	return decodeNode(&document, file, into)
}

// decodeNode is DecodeStrict for a document that is parsed already.
func decodeNode(document *yaml.Node, file string, into any) error {
	checker := strictChecker{file: file, seen: map[visit]bool{}}
	checker.check(document, reflect.TypeOf(into), "")
	if len(checker.errs) > 0 {
		return errors.Join(checker.errs...)
	}
	if err := document.Decode(into); err != nil {
		return located(file, err)
	}
	return nil
}

// Locate says where the errors are that begin with the path of a key, as those of DecodeStrict do behind file and line
// (`settings.clients.shop: what is wrong`): each gets the file and the line of the longest part of the path that data, a YAML document,
// has. Errors that begin otherwise get the file alone. nil stays nil.
func Locate(err error, data []byte, file string) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, one := range joined.Unwrap() {
			errs = append(errs, Locate(one, data, file))
		}
		return errors.Join(errs...)
	}
	var document yaml.Node
	if yaml.Unmarshal(data, &document) == nil && len(document.Content) > 0 {
		path, _, _ := strings.Cut(err.Error(), ": ")
		if line := lineOf(document.Content[0], path); line > 0 {
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
	return fmt.Errorf("%s: %w", file, err)
}

// lineOf returns the line of the longest beginning of a path that there is in a node, 0 if there is none. Keys may hold dots.
func lineOf(node *yaml.Node, path string) int {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	line := 0
	deeper := func(key, value *yaml.Node, rest string) {
		line = key.Line
		if l := lineOf(value, strings.TrimPrefix(rest, ".")); l > 0 {
			line = l
		}
	}
	switch node.Kind {
	case yaml.MappingNode:
		longest := 0
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			rest, ok := strings.CutPrefix(path, key.Value)
			if ok && len(key.Value) > longest && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				longest = len(key.Value)
				deeper(key, node.Content[i+1], rest)
			}
		}
	case yaml.SequenceNode:
		if inner, ok := strings.CutPrefix(path, "["); ok {
			number, rest, _ := strings.Cut(inner, "]")
			if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(node.Content) {
				deeper(node.Content[i], node.Content[i], rest)
			}
		}
	}
	return line
}

// freeForm is implemented by types whose UnmarshalYAML takes any key.
type freeForm interface{ freeForm() }

var freeFormType = reflect.TypeFor[freeForm]()

// strictChecker compares the keys of a YAML tree with the fields of a Go type.
type strictChecker struct {
	file string
	errs []error
	seen map[visit]bool
}

// visit is a comparison made: aliases may lead to the same node many times, even to itself.
type visit struct {
	node *yaml.Node
	t    reflect.Type
}

func (c *strictChecker) fault(node *yaml.Node, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s:%d: %s", c.file, node.Line, fmt.Sprintf(format, args...)))
}

func (c *strictChecker) check(node *yaml.Node, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if c.seen[visit{node, t}] {
		return
	}
	c.seen[visit{node, t}] = true
	if t.Implements(freeFormType) || reflect.PointerTo(t).Implements(freeFormType) {
		return
	}
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			c.check(child, t, path)
		}
	case yaml.AliasNode:
		c.check(node.Alias, t, path)
	case yaml.SequenceNode:
		if t.Kind() != reflect.Slice {
			return // the decoder reports the wrong kind
		}
		for i, child := range node.Content {
			c.check(child, t.Elem(), path+"["+strconv.Itoa(i)+"]")
		}
	case yaml.MappingNode:
		switch t.Kind() {
		case reflect.Struct:
			c.checkFields(node, t, path)
		case reflect.Slice: // a single element where a list may stand
			c.check(node, t.Elem(), path)
		case reflect.Map:
			for i := 0; i+1 < len(node.Content); i += 2 {
				c.check(node.Content[i+1], t.Elem(), join(path, node.Content[i].Value))
			}
		}
	}
}

func (c *strictChecker) checkFields(node *yaml.Node, t reflect.Type, path string) {
	fields := yamlFields(t)
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Tag == "!!merge" { // <<: *defaults
			c.check(value, t, path)
			continue
		}
		if first, twice := seen[key.Value]; twice {
			c.fault(key, "%s: key repeated (first in line %d)", join(path, key.Value), first)
			continue
		}
		seen[key.Value] = key.Line
		field, known := fields[key.Value]
		if !known {
			names := make([]string, 0, len(fields))
			for name := range fields {
				names = append(names, name)
			}
			slices.Sort(names)
			hint := suggestion(key.Value, names)
			if hint == "" {
				hint = "; known here: " + strings.Join(names, ", ")
			}
			c.fault(key, "%s: unknown key%s", join(path, key.Value), hint)
			continue
		}
		c.check(value, field, join(path, key.Value))
	}
}

// yamlFields returns the YAML keys of a struct with the types of their values, those of inlined structs included.
func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for field := range t.Fields() {
		if !field.IsExported() && !field.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case strings.Contains(options, "inline") && field.Type.Kind() == reflect.Struct:
			for n, inlined := range yamlFields(field.Type) {
				fields[n] = inlined
			}
		case name != "":
			fields[name] = field.Type
		default:
			fields[strings.ToLower(field.Name)] = field.Type
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var (
	yamlLine   = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	yamlGoType = regexp.MustCompile(` into (?:[a-zA-Z]+\.)?(.+)$`)
)

// located rewrites the messages of yaml.v3 (`yaml: line 3: …`) to `file:3: …`, in words about YAML instead of Go types.
func located(file string, err error) error {
	var typeError *yaml.TypeError
	if !errors.As(err, &typeError) {
		return locatedMessage(file, err.Error())
	}
	errs := make([]error, 0, len(typeError.Errors))
	for _, message := range typeError.Errors {
		errs = append(errs, locatedMessage(file, message))
	}
	return errors.Join(errs...)
}

func locatedMessage(file, message string) error {
	position := file
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		position += ":" + m[1]
		message = message[len(m[0]):]
	}
	message = strings.TrimPrefix(message, "yaml: ")
	if m := yamlGoType.FindStringSubmatch(message); m != nil && strings.HasPrefix(message, "cannot unmarshal ") {
		value := strings.TrimSuffix(strings.TrimPrefix(message, "cannot unmarshal "), m[0])
		message = value + " stands where " + kindInWords(m[1]) + " is expected"
	}
	return fmt.Errorf("%s: %s", position, message)
}

// kindInWords names a Go type as a person who writes YAML would.
func kindInWords(goType string) string {
	switch {
	case goType == "string":
		return "a string"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "uint"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case goType == "Duration":
		return "a duration such as 10s"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	}
	return "a mapping"
}
