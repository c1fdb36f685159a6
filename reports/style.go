package reports

// style paints text for a terminal, or leaves it alone.
type style struct{ color bool }

func (s style) paint(code, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string { return s.paint("1", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }
func (s style) link(text string) string { return s.paint("4", text) }

func (s style) verdict(v Verdict, text string) string {
	switch v {
	case Fail:
		return s.paint("1;31", text)
	case Warn:
		return s.paint("1;33", text)
	case Inconclusive:
		return s.paint("1;35", text)
	case Known:
		return s.paint("1;34", text)
	case Note:
		return s.paint("36", text)
	case Pass:
		return s.paint("32", text)
	}
	return s.dim(text)
}

// mark is the sign of a verdict, so that no format depends on colour.
func mark(v Verdict) string {
	switch v {
	case Pass:
		return "✓"
	case Fail:
		return "✗"
	case Warn:
		return "!"
	case Inconclusive:
		return "?"
	case Known:
		return "="
	case Note:
		return "i"
	}
	return "-"
}
