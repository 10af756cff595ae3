// Command stall measures how long others wait: a probe reads and writes single rows
// of a table all the time while an operation of this module runs, and while the DDL
// that a person would write for the same does. For each it prints the longest that a
// statement of the probe took, and the longest statement with a lock that stops
// writes, which bounds how long that lock was held.
//
//	go run ./internal/bench/stall -rows 200000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/pgcrossfade/crossfade/internal/postgres"
)

func main() {
	rows := flag.Int("rows", 200_000, "rows of the table")
	only := flag.String("only", "", "the name of one operation")
	flag.Parse()
	if err := measure(context.Background(), *rows, *only); err != nil {
		fmt.Fprintln(os.Stderr, "stall:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, rows int, only string) error {
	server, err := postgres.Start(ctx, postgres.Config{Private: true, Log: os.Stderr, Parameters: map[string]string{
		"shared_buffers": "256MB", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
	}})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	b, err := open(ctx, server, rows)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "operation\tstep\ttook\tprobes\tlongest stall\tlongest lock")
	for _, o := range operations {
		if only != "" && only != o.name {
			continue
		}
		for _, run := range []struct {
			name string
			work func(context.Context, *bench, operation, *probe) ([]span, error)
		}{{o.name, ours}, {"  by hand", byHand}} {
			if err := b.fresh(ctx); err != nil {
				return err
			}
			p, err := startProbe(ctx, b.url)
			if err != nil {
				return err
			}
			spans, err := run.work(ctx, b, o, p)
			if stopped := p.stop(); err == nil {
				err = stopped
			}
			if err != nil {
				return fmt.Errorf("%s: %w", run.name, err)
			}
			for _, s := range spans {
				probes, longest := p.during(s)
				fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", run.name, s.name, millis(s.end.Sub(s.begin)), probes, millis(longest), millis(s.lock))
			}
			if err := table.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
