package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
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

func (o *options) Define(flags *flag.FlagSet) {
	flags.IntVar(&o.rows, "rows", 100_000, "rows in the table users")
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "how long the traffic runs in each phase")
	flags.IntVar(&o.apps, "apps", 3, "processes; the last one is written against the new name")
	flags.BoolVar(&o.rollback, "rollback", false, "go to complete, back to off, and forward again")
	example.DatabaseFlag(flags, &o.databaseURL)
	example.KeepFlag(flags, &o.keep)
	flags.BoolVar(&o.pause, "pause", false, "hold one write of one process back from phase off until the phase is complete")
	flags.BoolVar(&o.noTokens, "unsafe-no-tokens", false, "send that write, and all others, without the fence: the audit must fail")
	flags.StringVar(&o.sync, "sync", syncNone, "what is done about one more process, which has no hook: none, trigger or logical")
}

func (o *options) Check() error {
	o.pause = o.pause || o.noTokens
	switch {
	case o.apps < 2 || o.apps > 20:
		return errors.New("-apps must be 2 to 20: at least one on each name")
	case o.rows < o.apps*500:
		return fmt.Errorf("-rows must be at least %d for %d processes", o.apps*500, o.apps)
	case o.sync != syncNone && o.sync != syncTrigger && o.sync != syncLogical:
		return errors.New("-sync must be none, trigger or logical")
	case o.duration < 0:
		return errors.New("-duration is negative")
	}
	return nil
}

func main() {
	if os.Getenv(appEnv) != "" {
		os.Exit(appMain()) // this is one of the processes that main starts
	}
	var o options
	example.Main("rename", &o, func(ctx context.Context) (damage bool, err error) {
		r, err := run(ctx, o, os.Stdout)
		return r != nil && r.Damage(), err
	})
}
