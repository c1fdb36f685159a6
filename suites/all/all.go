// Package all registers the checks of every specification.
package all
