//go:build !linux

package main

// releaseStartup is for Linux.
func releaseStartup() {}
