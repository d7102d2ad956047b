// Command menshen is the server and every operator command in one program: see menshen --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/menshen-project/menshen/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop() // before os.Exit, which runs no deferred call
	os.Exit(code)
}
