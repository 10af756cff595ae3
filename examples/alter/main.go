package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// options are the flags.
type options struct {
	rows        int
	workers     int
	databaseURL string
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("alter", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 50_000, "rows in the table orders")
	flags.IntVar(&o.workers, "workers", 4, "goroutines of the application")
	flags.StringVar(&o.databaseURL, "database-url", "", "an existing server to use; the example makes a database of its own on it")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.rows < 100:
		return o, errors.New("-rows must be at least 100")
	case o.workers < 1:
		return o, errors.New("-workers must be at least 1")
	}
	return o, nil
}

// Exit statuses.
const (
	exitDamage = 1 // the audit found something
	exitUsage  = 2
	exitFailed = 3 // it did not get to the end
)

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "alter:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "alter:", err)
		os.Exit(exitFailed)
	}
	r.print(os.Stdout)
	if !r.OK {
		os.Exit(exitDamage)
	}
}
