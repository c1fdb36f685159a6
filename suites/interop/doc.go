// Package interop tests oauthcheck against real authorization servers that others have written, each with the findings
// that are true of it. The test is behind the build tag interop, because it installs those servers; `suites/interop/run`
// runs it.
package interop
