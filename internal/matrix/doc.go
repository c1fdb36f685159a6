// Package matrix proves the catalogue: on the mock provider every check is silent while the mock is strict, and every deviation is
// reported by the checks of the requirement that it breaks and by no others. It has tests only, since the two halves of the project do
// not know each other.
//
// While writing a deviation: go test ./internal/matrix -run TestMatrix -deviation 'code-*' -details -v
package matrix
