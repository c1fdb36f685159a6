package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
	"github.com/oauthcheck/oauthcheck/profiles/internal/compact"
)

// source is a decoded file with its tree, which knows the lines.
type source[T any] struct {
	name    string // "requirements/rfc6749.yaml"
	root    *yaml.Node
	content T
}

// catalogue is everything that the sources say.
type catalogue struct {
	requirements []source[profiles.RequirementsFile]
	deviations   []source[profiles.DeviationsFile]
	vendors      []source[profiles.Profile]
}

// readSources decodes and validates all sources below the directory of the profiles package.
func readSources(directory fs.FS) (*catalogue, error) {
	c := &catalogue{}
	var errs [3]error
	c.requirements, errs[0] = readAll[profiles.RequirementsFile](directory, "requirements")
	c.deviations, errs[1] = readAll[profiles.DeviationsFile](directory, "deviations")
	c.vendors, errs[2] = readAll[profiles.Profile](directory, "vendors")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return c, c.validate()
}

func readAll[T any](directory fs.FS, kind string) ([]source[T], error) {
	names, err := fs.Glob(directory, kind+"/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []source[T]
	var errs []error
	for _, name := range names {
		data, err := fs.ReadFile(directory, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s := source[T]{name: name, root: &yaml.Node{}}
		if err := profiles.DecodeStrict(data, name, &s.content); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := yaml.Unmarshal(data, s.root); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

// encode returns the generated files by name below generated/.
func (c *catalogue) encode() (map[string][]byte, error) {
	files := map[string][]byte{}
	var errs []error
	add := func(name string, content any) {
		data, err := compact.Marshal(content)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		files[generatedName(name)] = data
	}
	fixes := map[string]string{}
	for _, s := range c.requirements {
		for _, r := range s.content.Requirements {
			fixes[r.ID] = r.Fix
		}
	}
	for _, s := range c.requirements {
		for i := range s.content.Requirements {
			if r := &s.content.Requirements[i]; r.Fix == "" && r.SameAs != "" { // what repairs the one repairs the other
				r.Fix = fixes[r.SameAs]
			}
		}
		add(s.name, s.content)
	}
	for _, s := range c.deviations {
		add(s.name, s.content)
	}
	for _, s := range c.vendors {
		add(s.name, s.content)
	}
	return files, errors.Join(errs...)
}

// at formats the place of a value: file and line of the key found by walking the path (strings for mappings, integers for
// lists) as far as it goes.
func (s source[T]) at(steps ...any) string {
	node := s.root
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	line := node.Line
	for _, step := range steps {
		for node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		next := (*yaml.Node)(nil)
		switch key := step.(type) {
		case string:
			for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
				if node.Content[i].Value == key {
					line, next = node.Content[i].Line, node.Content[i+1]
				}
			}
		case int:
			if node.Kind == yaml.SequenceNode && key < len(node.Content) {
				next = node.Content[key]
				line = next.Line
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	return fmt.Sprintf("%s:%d", s.name, line)
}

// base is the file's name without directory and extension: the slug of a specification, the name of a profile.
func (s source[T]) base() string { return strings.TrimSuffix(path.Base(s.name), ".yaml") }
