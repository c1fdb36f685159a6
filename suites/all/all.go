// Package all registers the checks of every specification.
package all

import (
	_ "github.com/oauthcheck/oauthcheck/suites/rfc6749"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc6750"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc7009"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc7636"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc7662"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc8414"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc8693"
	_ "github.com/oauthcheck/oauthcheck/suites/rfc9207"
)
