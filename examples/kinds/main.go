package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
)

// options are the flags.
type options struct {
	rows        int
	duration    time.Duration
	rollback    bool
	databaseURL string
	keep        bool
}

func (o *options) Define(flags *flag.FlagSet) {
	flags.IntVar(&o.rows, "rows", 50_000, "rows in the table orders")
	flags.DurationVar(&o.duration, "duration", time.Second, "how long the traffic runs between two rounds of steps")
	flags.BoolVar(&o.rollback, "rollback", false, "go to complete, back to off, and forward again")
	example.DatabaseFlag(flags, &o.databaseURL)
	example.KeepFlag(flags, &o.keep)
}

func (o *options) Check() error {
	switch {
	case o.rows < 100:
		return errors.New("-rows must be at least 100")
	case o.duration < 0:
		return errors.New("-duration is negative")
	}
	return nil
}

func main() {
	var o options
	example.Main("kinds", &o, func(ctx context.Context) (damage bool, err error) {
		r, err := run(ctx, o, os.Stdout)
		return r != nil && r.Damage(), err
	})
}
