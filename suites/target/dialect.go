package target

import (
	"maps"
	"strconv"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// view fills in View where the target speaks a dialect.
func (r *Response) view() {
	dialect := r.run.info.Config.Dialect
	if !speaks(dialect) {
		return
	}
	members, err := r.RawJSON()
	if err != nil {
		return
	}
	r.View = translate(dialect, members)
}

// speaks reports whether a dialect changes anything about responses.
func speaks(d profiles.Dialect) bool {
	return d.TokenResponse.Unwrap != "" || len(d.TokenResponse.Rename) > 0 || d.Error.Path != "" || d.Error.Description != "" || len(d.Error.Codes) > 0
}

// translate names the members of a response as the RFC does.
func translate(d profiles.Dialect, members map[string]any) map[string]any {
	view := maps.Clone(members)
	if inner, ok := members[d.TokenResponse.Unwrap].(map[string]any); ok && d.TokenResponse.Unwrap != "" {
		view = maps.Clone(inner)
	}
	for theirs, ours := range d.TokenResponse.Rename {
		if value, ok := view[theirs]; ok {
			delete(view, theirs)
			view[ours] = value
		}
	}
	if d.Error.Path != "" {
		if code, ok := dig(members, d.Error.Path).(string); ok {
			view["error"] = code
		}
	}
	if d.Error.Description != "" {
		if text, ok := dig(members, d.Error.Description).(string); ok {
			view["error_description"] = text
		}
	}
	if code, ok := view["error"].(string); ok {
		if ours, ok := d.Error.Codes[code]; ok {
			view["error"] = ours
		}
	}
	return view
}

// dig follows a dotted path of member names and array indexes.
func dig(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch container := value.(type) {
		case map[string]any:
			value = container[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(container) {
				return nil
			}
			value = container[i]
		default:
			return nil
		}
	}
	return value
}
