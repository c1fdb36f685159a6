package all_test

import (
	"testing"

	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all"
)

func TestRegistrations(t *testing.T) {
	if err := suites.Verify(); err != nil {
		t.Error(err)
	}
}
