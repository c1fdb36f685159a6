// Command oauthcheck tests OAuth 2.0 authorization servers from outside and plays one that misbehaves on request.
//
// The command line is thin: every command reads its flags, calls the packages that do the work (suites, mockprovider,
// profiles, reports) and turns what they say into text and an exit status.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end (a partial report is still written); after it, the default action is
	// back, so that a second one ends the process at once.
	go func() {
		<-ctx.Done()
		stop()
	}()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
