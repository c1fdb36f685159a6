// Command gen validates the catalogue's YAML sources and writes the compact data that the profiles package embeds: one file
// under generated/ for each source. Run it with `go generate ./profiles` after every change of a source.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	directory := "." // go generate runs the command in the package's directory
	if len(os.Args) > 1 {
		directory = os.Args[1]
	}
	if err := run(directory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run brings directory/generated in step with the sources.
func run(directory string) error {
	catalogue, err := readSources(os.DirFS(directory))
	if err != nil {
		return err
	}
	files, err := catalogue.encode()
	if err != nil {
		return err
	}
	return write(filepath.Join(directory, "generated"), files)
}

// write stores the files that differ and removes those whose source is gone.
func write(directory string, files map[string][]byte) error {
	var errs []error
	for name, data := range files {
		file := filepath.Join(directory, filepath.FromSlash(name))
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, data) {
			continue
		}
		errs = append(errs, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644))
	}
	stale, err := filepath.Glob(filepath.Join(directory, "*", "*.bin"))
	errs = append(errs, err)
	for _, file := range stale {
		name, err := filepath.Rel(directory, file)
		errs = append(errs, err)
		if _, wanted := files[filepath.ToSlash(name)]; !wanted {
			errs = append(errs, os.Remove(file))
		}
	}
	return errors.Join(errs...)
}

// generatedName is the name of the file generated from a source: requirements/rfc6749.yaml gives requirements/rfc6749.bin.
func generatedName(source string) string {
	return strings.TrimSuffix(source, ".yaml") + ".bin"
}

// sorted returns the keys of a set in order, for messages.
func sorted[V any](set map[string]V) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
