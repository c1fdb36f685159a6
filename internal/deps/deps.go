// Package deps pins the project's dependencies while the packages that use them are written.
package deps

import (
	_ "github.com/gavv/httpexpect/v2"
	_ "github.com/go-jose/go-jose/v4"
	_ "github.com/onsi/ginkgo/v2"
	_ "github.com/onsi/gomega"
	_ "github.com/spf13/cobra"
	_ "golang.org/x/net/html"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/term"
	_ "golang.org/x/time/rate"
	_ "gopkg.in/yaml.v3"
)
