package mockprovider

import (
	"errors"
	"fmt"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// lookupAll resolves arguments such as name:param=value against the catalogue.
func lookupAll(args []string) ([]declaration, error) {
	var found []declaration
	var errs []error
	for _, arg := range args {
		declared, err := profiles.ParseDeviation(arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d, err := lookup(declared)
		errs = append(errs, err)
		found = append(found, d)
	}
	return found, errors.Join(errs...)
}

func lookup(declared profiles.Declared) (declaration, error) {
	d, ok := profiles.LookupDeviation(declared.Deviation)
	if !ok {
		hint := ""
		if near := profiles.NearestDeviation(declared.Deviation); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return declaration{}, fmt.Errorf("no deviation %q%s", declared.Deviation, hint)
	}
	return declaration{d, declared.Params}, nil
}
