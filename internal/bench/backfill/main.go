// Command backfill measures, side by side in one run, what a backfill costs: that
// of this module with one worker and with two, the batched DO block of a
// hand-written migration, and one UPDATE; each with nobody else and with
// concurrent writers. It also compares a verification with count(*), and samples
// the memory of this process.
//
//	go run ./internal/bench/backfill -rows 1000000 -writers 0,4
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pgcrossfade/crossfade/internal/postgres"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "rows of the table")
	writers := flag.String("writers", "0,4", "numbers of concurrent writers")
	flag.Parse()
	if err := measure(context.Background(), *rows, *writers); err != nil {
		fmt.Fprintln(os.Stderr, "backfill:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, rows int, writers string) error {
	var counts []int
	for text := range strings.SplitSeq(writers, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		counts = append(counts, n)
	}
	server, err := postgres.Start(ctx, postgres.Config{Private: true, Log: os.Stderr, Parameters: map[string]string{
		"fsync": "on", "synchronous_commit": "on", "shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
	}})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	b, err := open(ctx, server.URL("postgres"), rows)
	if err != nil {
		return err
	}
	defer b.close(ctx)
	memory := sampleMemory()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "writers\tbackfill\tseconds\trows/s\t% of one UPDATE\t% by CPU\twrites/s\tp50\tp99\tmax\t")
	for _, n := range counts {
		if n > 0 {
			if err := b.fresh(ctx); err != nil {
				return err
			}
			alone, err := b.beside(ctx, n, func(ctx context.Context) error {
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Second):
				}
				return nil
			})
			if err != nil {
				return err
			}
			alone.print(table, n, "none", 0, result{})
		}
		var whole result
		for _, m := range b.methods() {
			if err := b.fresh(ctx); err != nil {
				return err
			}
			r, err := b.beside(ctx, n, m.run)
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			if err := b.check(ctx); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			if whole.took == 0 {
				whole = r
			}
			r.print(table, n, m.name, rows, whole)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := b.verify(ctx); err != nil {
		return err
	}
	fmt.Printf("memory of this process: %s\n", memory())
	return nil
}
