package profiles

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Ops is a list of operations. In YAML a single operation may stand for a list of one, and `at` of an operation may be a
// list of steps: one operation on each.
type Ops []Op

// UnmarshalYAML reads one operation or a list of them.
func (o *Ops) UnmarshalYAML(node *yaml.Node) error {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	nodes := node.Content
	switch node.Kind {
	case yaml.MappingNode:
		nodes = []*yaml.Node{node}
	case yaml.SequenceNode:
	default:
		return fmt.Errorf("line %d: expected an operation or a list of them", node.Line)
	}
	var all Ops
	for _, n := range nodes {
		var several struct {
			At yaml.Node `yaml:"at"`
		}
		if err := n.Decode(&several); err != nil {
			return err
		}
		if several.At.Kind != yaml.SequenceNode {
			var one Op
			if err := n.Decode(&one); err != nil {
				return err
			}
			all = append(all, one)
			continue
		}
		var steps []string
		if err := several.At.Decode(&steps); err != nil {
			return err
		}
		for _, step := range steps {
			one := Op{At: step} // says which step it is read for
			if err := one.read(n); err != nil {
				return err
			}
			all = append(all, one)
		}
	}
	*o = all
	return nil
}

// freeForm: an operation's keys beside at and when belong to the mock provider's vocabulary, which checks them itself.
func (Op) freeForm() {}

// UnmarshalYAML reads the flat form `{at: step, when: {…}, anything: else}`.
func (o *Op) UnmarshalYAML(node *yaml.Node) error {
	o.At = ""
	return o.read(node)
}

// read reads the operation; `at` is not looked at where the step is set.
func (o *Op) read(node *yaml.Node) error {
	var all map[string]any
	if err := node.Decode(&all); err != nil {
		return err
	}
	at := o.At
	if at == "" {
		at, _ = all["at"].(string)
	}
	if at == "" {
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
