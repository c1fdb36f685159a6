package matchers

import (
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

// HaveTopLevelMembers judges the raw body, before any dialect: one JSON object that has all of the members itself, not inside
// another member (RFC 6749 sections 5.1 and 5.2).
func HaveTopLevelMembers(names ...string) Matcher {
	expects := []string{"one JSON object with " + strings.Join(names, " and ") + " at its top level"}
	return onResponse(expects, func(r *target.Response) (bool, string) {
		if ok, got, err := BeJSONObject().(*judgement).judge(r); err != nil || !ok {
			return false, got
		}
		members, err := r.RawJSON()
		if err != nil {
			return false, err.Error()
		}
		for _, name := range names {
			if _, ok := members[name]; !ok {
				var have []string
				for member := range members {
					have = append(have, member)
				}
				slices.Sort(have)
				return false, "an object without " + name + "; its members: " + strings.Join(have, ", ")
			}
		}
		return true, ""
	})
}
