package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
)

// options are the flags.
type options struct {
	rows        int
	workers     int
	databaseURL string
}

func (o *options) Define(flags *flag.FlagSet) {
	flags.IntVar(&o.rows, "rows", 50_000, "rows in the table orders")
	flags.IntVar(&o.workers, "workers", 4, "goroutines of the application")
	example.DatabaseFlag(flags, &o.databaseURL)
}

func (o *options) Check() error {
	switch {
	case o.rows < 100:
		return errors.New("-rows must be at least 100")
	case o.workers < 1:
		return errors.New("-workers must be at least 1")
	}
	return nil
}

func main() {
	var o options
	example.Main("alter", &o, func(ctx context.Context) (damage bool, err error) {
		r, err := run(ctx, o)
		if err != nil {
			return false, err
		}
		r.print(os.Stdout)
		return !r.OK, nil
	})
}
