package target

import _ "embed"

//go:embed example.yaml
var example string

// ExampleConfig is a target file to start from: every section, with comments, the optional ones commented out. It reads
// secrets from the environment variables OAUTHCHECK_SECRET, OAUTHCHECK_SECOND_SECRET and OAUTHCHECK_PASSWORD.
func ExampleConfig() string { return example }
