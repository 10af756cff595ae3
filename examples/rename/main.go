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
	apps        int
	rollback    bool
	databaseURL string
	keep        bool
	pause       bool
	noTokens    bool
	sync        string
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("rename", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 100_000, "rows in the table users")
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "how long the traffic runs in each phase")
	flags.IntVar(&o.apps, "apps", 3, "processes; the last one is written against the new name")
	flags.BoolVar(&o.rollback, "rollback", false, "go to complete, back to off, and forward again")
	flags.StringVar(&o.databaseURL, "database-url", "", "an existing server to use; the example makes a database of its own on it")
	flags.BoolVar(&o.keep, "keep", false, "keep the database at the end; a server that was started runs until Ctrl-C")
	flags.BoolVar(&o.pause, "pause", false, "hold one write of one process back from phase off until the phase is complete")
	flags.BoolVar(&o.noTokens, "unsafe-no-tokens", false, "send that write, and all others, without the fence: the audit must fail")
	flags.StringVar(&o.sync, "sync", syncNone, "what is done about one more process, which has no hook: none, trigger or logical")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.pause = o.pause || o.noTokens
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.apps < 2 || o.apps > 20:
		return o, errors.New("-apps must be 2 to 20: at least one on each name")
	case o.rows < o.apps*500:
		return o, fmt.Errorf("-rows must be at least %d for %d processes", o.apps*500, o.apps)
	case o.sync != syncNone && o.sync != syncTrigger && o.sync != syncLogical:
		return o, errors.New("-sync must be none, trigger or logical")
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
	if os.Getenv(appEnv) != "" {
		os.Exit(appMain()) // this is one of the processes that main starts
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	found, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
	}
	switch {
	case found.damage():
		os.Exit(exitDamage)
	case err != nil:
		os.Exit(exitFailed)
	}
}
