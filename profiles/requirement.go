package profiles

import (
	"strings"
)

// IsMust reports whether a violation is a failure: MUST and MUST NOT.
func (l Level) IsMust() bool { return l == Must || l == MustNot }

// IsShould reports whether a violation is a warning: SHOULD and SHOULD NOT.
func (l Level) IsShould() bool { return l == Should || l == ShouldNot }

// IsMay reports whether the requirement is a permission, of which nothing but a note can come.
func (l Level) IsMay() bool { return l == May }

// URL returns the address of the requirement's section in its specification, for example
// https://www.rfc-editor.org/rfc/rfc6749#section-5.1 or …#appendix-A.4; "" if the specification is unknown.
func (r Requirement) URL() string {
	spec, ok := LookupSpec(r.Spec)
	if !ok {
		return ""
	}
	base, section := spec.URL, r.Section
	if document, rest, quoted := cutQuoted(section); quoted {
		base, section = document, rest
	}
	if section == "" {
		return base
	}
	switch first := section[0]; {
	case first >= '0' && first <= '9':
		return base + "#section-" + section
	case first >= 'A' && first <= 'Z':
		return base + "#appendix-" + section
	}
	return base // the document's own page names, such as "overview"
}

// cutQuoted recognises the sections of other documents that the MCP authorization specification takes over
// ("cimd-4.1", "rfc9728-3.2"), and returns the document's address and the section in it.
func cutQuoted(section string) (document, rest string, ok bool) {
	name, rest, found := strings.Cut(section, "-")
	switch {
	case !found:
		return "", "", false
	case name == "cimd":
		return "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-02", rest, true
	case strings.HasPrefix(name, "rfc"):
		return "https://www.rfc-editor.org/rfc/" + name, rest, true
	}
	return "", "", false
}

// BindsServer reports whether the requirement speaks to the server (authorization or resource server) and not only to the
// client or the user's browser.
func (r Requirement) BindsServer() bool { return r.Endpoint != "client" && r.Endpoint != "user-agent" }

// Distinct reports whether the statement is counted: it is not a repetition of another entry (SameAs).
func (r Requirement) Distinct() bool { return r.SameAs == "" }

// Counts says how many statements of a specification bind the server and how many of these can be tested from outside.
// Statements for the client and repetitions are left out.
type Counts struct {
	Server      int // all that bind the server: the sum of the following
	BlackBox    int
	Conditional int
	NotTestable int
}

// CountRequirements counts the statements of a specification, or of all for "".
func CountRequirements(slug string) Counts {
	var c Counts
	for _, r := range Requirements(slug) {
		if !r.BindsServer() || !r.Distinct() {
			continue
		}
		c.Server++
		switch r.Testable {
		case BlackBox:
			c.BlackBox++
		case Conditional:
			c.Conditional++
		case NotTestable:
			c.NotTestable++
		}
	}
	return c
}
