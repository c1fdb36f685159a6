// Package houserules holds the repository's rules about its own code as a test: who may import whom, what a check may not do,
// what has to be documented. A failure names file and line, and what to do.
package houserules
