package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Visible makes a text safe for a terminal and for a reader: control characters (ESC and C1 among them), bidirectional
// and other format characters and bytes that are not UTF-8 are shown as escapes such as \x1b and \u202e. Line breaks
// and tabs become \n and \t as well: what the program itself breaks into lines it does so after this.
func Visible(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= ' ' && s[i] < 0x7f
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == utf8.RuneError && n == 1, c < 0x80 && hidden(c):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c > 0xffff && hidden(c):
			fmt.Fprintf(&b, `\U%08x`, c)
		case hidden(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// visibleLines is Visible for each line of a text.
func visibleLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Visible(strings.ReplaceAll(strings.TrimRight(line, " \t"), "\t", "    "))
	}
	return lines
}

// visibleText is Visible but for line breaks.
func visibleText(s string) string { return strings.Join(visibleLines(s), "\n") }

// oneLine joins a text into one visible line of at most max columns.
func oneLine(s string, max int) string {
	return clip(Visible(strings.Join(strings.Fields(s), " ")), max)
}

// clip shortens a visible text to max columns; max 0 means no limit.
func clip(s string, max int) string {
	if max <= 0 || columns(s) <= max {
		return s
	}
	n := 0
	for i, c := range s {
		if n += columnsOf(c); n > max-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// columns is the number of terminal cells that a visible text takes.
func columns(s string) int {
	n := 0
	for _, c := range s {
		n += columnsOf(c)
	}
	return n
}

func columnsOf(c rune) int {
	if c < 0x300 {
		return 1
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// wrap breaks a visible line at spaces so that none is wider than max columns, where the words allow it. A word that is
// too long stays whole: it is a URL or a value that people copy.
func wrap(s string, max int) []string {
	if max < 20 {
		max = 20
	}
	if columns(s) <= max {
		return []string{s}
	}
	var lines []string
	line, length := "", 0
	for _, word := range strings.Split(s, " ") {
		n := columns(word)
		if line != "" && length+1+n > max {
			lines = append(lines, line)
			line, length = "", 0
		}
		if line != "" {
			line += " "
			length++
		}
		line += word
		length += n
	}
	return append(lines, line)
}
