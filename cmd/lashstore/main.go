// Command lashstore keeps conversations of LLM agents as session databases: it imports them from JSON Lines, lists,
// shows, checks and exports them.
//
// The exit status is 0 when all is well, 1 when something went wrong or was found to be wrong, 2 when the command line
// makes no sense.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
