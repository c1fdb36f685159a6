package mockprovider

import (
	_ "embed"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

//go:embed vocabulary_intro.md
var stepsIntroduction string

// StepsMarkdown is the vocabulary of deviations as Markdown (docs/mock-steps.md): operations, conditions, settings, steps and their modes.
func StepsMarkdown() string {
	var b strings.Builder
	b.WriteString(stepsIntroduction)
	fmt.Fprintf(&b, "\n## Conditions: `when`\n\nAll parts must hold. Text is a glob (`*`, `?`), a list means any of them, a leading `!` negates (quote it: `\"!value\"`).\n\n| key | meaning |\n|---|---|\n")
	writeDocs(&b, reflect.TypeFor[condition](), "")
	b.WriteString("\n## Settings\n\nThe vocabulary of `settings:` in a profile, `setup:` in a deviation, and `mockprovider.WithSettings`. A mapping changes only the keys that it has, a list replaces the whole list. `null` removes an entry of a mapping, and under the key `\"*\"` all that were there before.\n\n| key | meaning |\n|---|---|\n")
	writeDocs(&b, reflect.TypeFor[Settings](), "")
	b.WriteString("\nA client (`clients.ID`):\n\n| key | meaning |\n|---|---|\n")
	writeDocs(&b, reflect.TypeFor[RegisteredClient](), "")
	b.WriteString("\nA user (`users.NAME`):\n\n| key | meaning |\n|---|---|\n")
	writeDocs(&b, reflect.TypeFor[ResourceOwner](), "")
	b.WriteString("\nA trusted issuer (`trusted_issuers.ISSUER`):\n\n| key | meaning |\n|---|---|\n")
	writeDocs(&b, reflect.TypeFor[TrustedIssuer](), "")
	b.WriteString("\n## Steps\n")
	last := ""
	for _, s := range Steps() {
		endpoint := cut(s.Name, ".")
		if endpoint != last {
			fmt.Fprintf(&b, "\n### %s\n\n", endpoint)
			last = endpoint
		}
		fmt.Fprintf(&b, "- **`%s`** (%s", s.Name, s.Kind)
		if s.Error != "" {
			fmt.Fprintf(&b, ", `%s`", s.Error)
		}
		fmt.Fprintf(&b, "): %s\n", s.Doc)
		inherited := false
		for _, m := range s.Modes {
			if s.Name != "authorize.redirect_uri.match" && slices.Contains(redirectModes, m) {
				inherited = true
				continue
			}
			fmt.Fprintf(&b, "  - `mode: %s` %s\n", m.Name, m.Doc)
		}
		if inherited {
			b.WriteString("  - and the modes of `authorize.redirect_uri.match`\n")
		}
	}
	return b.String()
}

// writeDocs writes the fields of a struct with their doc tags.
func writeDocs(b *strings.Builder, t reflect.Type, prefix string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		doc := f.Tag.Get("doc")
		if f.Type.Kind() == reflect.Struct {
			writeDocs(b, f.Type, prefix+name+".")
			continue
		}
		fmt.Fprintf(b, "| `%s%s` | %s |\n", prefix, name, doc)
	}
}
