// Command shadow measures what comparing reads costs the database: the same workload
// of point reads, range reads and writes through the hook, in phase shadow, with 0 %,
// 1 % and 10 % of the reads compared, in rounds that take turns. It prints statements
// per second, the time of the server's processors for a statement of the application,
// latencies as the application sees them, and how many reads were compared and dropped.
//
//	go run ./internal/bench/shadow -rows 200000 -rounds 5 -round 4s
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/pgcrossfade/crossfade/internal/postgres"
)

func main() {
	rows := flag.Int("rows", 200_000, "rows of the table")
	rounds := flag.Int("rounds", 5, "rounds of each rate")
	round := flag.Duration("round", 4*time.Second, "how long a round takes")
	workers := flag.Int("workers", 4, "connections of the application")
	flag.Parse()
	if err := measure(context.Background(), *rows, *rounds, *round, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "shadow:", err)
		os.Exit(1)
	}
}

// rates are the shares of reads that are compared.
var rates = []float64{0, 0.01, 0.1}

func measure(ctx context.Context, rows, rounds int, round time.Duration, workers int) error {
	server, err := postgres.Start(ctx, postgres.Config{Private: true, Log: os.Stderr, Parameters: map[string]string{
		"shared_buffers": "256MB", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
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
	results := map[float64][]result{}
	for range rounds {
		for _, rate := range rates {
			r, err := b.run(ctx, rate, workers, round)
			if err != nil {
				return fmt.Errorf("at %v: %w", rate, err)
			}
			results[rate] = append(results[rate], r)
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "compared\tstatements/s\tof 0 %\tserver us/statement\tof 0 %\tp50\tp99\tcompared/s\tdropped/s\tmismatches\t")
	none := results[0]
	for _, rate := range rates {
		list := results[rate]
		last := list[len(list)-1]
		for _, r := range list {
			last.mismatched = max(last.mismatched, r.mismatched)
		}
		fmt.Fprintf(table, "%g %%\t%.0f\t%.1f %%\t%.1f\t%.1f %%\t%v\t%v\t%.0f\t%.0f\t%d\t\n", 100*rate,
			median(list, result.throughput), 100*ratio(list, none, result.throughput),
			median(list, result.perStatement), 100*ratio(list, none, result.perStatement),
			time.Duration(median(list, latencyAt(0.5))).Round(time.Microsecond), time.Duration(median(list, latencyAt(0.99))).Round(10*time.Microsecond),
			median(list, func(r result) float64 { return float64(r.compared) / r.took.Seconds() }),
			median(list, func(r result) float64 { return float64(r.dropped) / r.took.Seconds() }), last.mismatched)
	}
	return table.Flush()
}

func median(list []result, of func(result) float64) float64 {
	values := make([]float64, len(list))
	for i, r := range list {
		values[i] = of(r)
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// ratio is the median over the rounds of what stood side by side.
func ratio(list, other []result, of func(result) float64) float64 {
	values := make([]float64, len(list))
	for i := range list {
		values[i] = of(list[i]) / of(other[i])
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
