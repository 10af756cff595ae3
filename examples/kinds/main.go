package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rows        int
	duration    time.Duration
	rollback    bool
	databaseURL string
	keep        bool
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("kinds", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 50_000, "rows in the table orders")
	flags.DurationVar(&o.duration, "duration", time.Second, "how long the traffic runs between two rounds of steps")
	flags.BoolVar(&o.rollback, "rollback", false, "go to complete, back to off, and forward again")
	flags.StringVar(&o.databaseURL, "database-url", "", "an existing server to use; the example makes a database of its own on it")
	flags.BoolVar(&o.keep, "keep", false, "keep the database at the end; a server that was started runs until Ctrl-C")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.rows < 100:
		return o, errors.New("-rows must be at least 100")
	case o.duration < 0:
		return o, errors.New("-duration is negative")
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
		fmt.Fprintln(os.Stderr, "kinds:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	found, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kinds:", err)
	}
	switch {
	case found.damage():
		os.Exit(exitDamage)
	case err != nil:
		os.Exit(exitFailed)
	}
}
