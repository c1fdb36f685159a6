// Package interop lets OAuth and OpenID Connect clients that others have written judge the mock provider: they must get
// through their flows with it, and must catch the faults that it is told to have. It is a module of its own, so that the
// clients stay out of the dependencies of the mock's users. README.md says how to run it; everything else is in the tests.
package interop
