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

	"github.com/pgcrossfade/crossfade/examples/internal/database"
)

// options are the flags.
type options struct {
	rows        int
	listen      string
	linger      time.Duration
	databaseURL string
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 20_000, "rows in the table users")
	flag.StringVar(&o.listen, "listen", "", "serve /metrics for Prometheus at this address, 127.0.0.1:9464 for example")
	flag.DurationVar(&o.linger, "linger", 0, "how long to go on with queries, and serving, in each phase")
	flag.StringVar(&o.databaseURL, "database-url", "", "an existing server to use; the example makes a database of its own on it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := start(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "telemetry:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, o options) (err error) {
	db, err := database.Open(ctx, database.Config{Name: "telemetry", URL: o.databaseURL, Connections: 50})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.End(ctx, false)) }()
	seen, err := run(ctx, db.URL(), o)
	if err != nil {
		return err
	}
	seen.print(os.Stdout)
	return nil
}
