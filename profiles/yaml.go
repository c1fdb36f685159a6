package profiles

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Ops is a list of operations. In YAML a single operation may stand for a list of one.
type Ops []Op

// UnmarshalYAML reads one operation or a list of them.
func (o *Ops) UnmarshalYAML(node *yaml.Node) error {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.MappingNode {
		var one Op
		if err := node.Decode(&one); err != nil {
			return err
		}
		*o = Ops{one}
		return nil
	}
	var many []Op
	if err := node.Decode(&many); err != nil {
		return err
	}
	*o = many
	return nil
}

// freeForm: an operation's keys beside at and when belong to the mock provider's vocabulary, which checks them itself.
func (Op) freeForm() {}

// UnmarshalYAML reads the flat form `{at: step, when: {…}, anything: else}`.
func (o *Op) UnmarshalYAML(node *yaml.Node) error {
	var all map[string]any
	if err := node.Decode(&all); err != nil {
		return err
	}
	at, ok := all["at"].(string)
	if !ok || at == "" {
		return fmt.Errorf("line %d: an operation needs `at`, the name of a step", node.Line)
	}
	op := Op{At: at}
	switch when := all["when"].(type) {
	case nil:
	case map[string]any:
		op.When = when
	default:
		return fmt.Errorf("line %d: `when` of the operation at %s is a mapping such as {grant: refresh_token}", node.Line, at)
	}
	delete(all, "at")
	delete(all, "when")
	if len(all) > 0 {
		op.Args = all
	}
	*o = op
	return nil
}

// MarshalYAML writes the flat form.
func (o Op) MarshalYAML() (any, error) {
	flat := map[string]any{"at": o.At}
	if len(o.When) > 0 {
		flat["when"] = o.When
	}
	for key, value := range o.Args {
		flat[key] = value
	}
	return flat, nil
}

// UnmarshalYAML reads a declaration: a mapping, or a string in the form of the command line (`name:param=value`).
func (d *Declared) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		parsed, err := splitDeviation(node.Value)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		*d = parsed
		return nil
	}
	type plain Declared // without this method
	return node.Decode((*plain)(d))
}
