package main

import (
	"encoding/json"
	"io"
	"text/tabwriter"
)

// table aligns columns that are separated by tabs.
func table(w io.Writer, write func(io.Writer)) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	write(tw)
	return tw.Flush()
}

// writeJSON writes a value, indented, with <, > and & as they are.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
