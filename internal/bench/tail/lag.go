package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/logical"
)

// rates writes at fixed rates, in transactions of ten, and takes the time from
// each commit to the moment at which its batch is about to commit.
func (b *bench) rates(ctx context.Context, o options) error {
	fmt.Println("lag at a fixed rate")
	for _, perSecond := range []int{1000, 5000, 20_000} {
		if err := b.rate(ctx, perSecond, o.duration); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) rate(ctx context.Context, perSecond int, duration time.Duration) error {
	var mu sync.Mutex // guards lags
	var lags []time.Duration
	tailer, drop, err := b.tailer(ctx, "tail_rate", func(_ context.Context, _ pgx.Tx, batch logical.Batch) error {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range batch.Changes {
			if c.Kind == logical.Update {
				lags = append(lags, now.Sub(c.Transaction.Time))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer drop()
	written := 0
	start := time.Now()
	err = follow(ctx, tailer, func() error {
		if _, err := tailer.Barrier(ctx); err != nil {
			return err
		}
		start = time.Now()
		for ; time.Since(start) < duration; written += 10 {
			due := start.Add(time.Duration(written) * time.Second / time.Duration(perSecond))
			time.Sleep(time.Until(due))
			_, err := b.conn.Exec(ctx, `update tail_item set body = 'b' where id between $1 and $1 + 9`, 10+10*(written/10%100))
			if err != nil {
				return err
			}
		}
		duration = time.Since(start)
		_, err := tailer.Barrier(ctx)
		return err
	})
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lags) == 0 {
		return fmt.Errorf("no change arrived at %d changes/s", perSecond)
	}
	slices.Sort(lags)
	fmt.Printf("  %6d changes/s wanted, %6.0f written   p50 %8s   p99 %8s\n", perSecond, rate(written, duration),
		lags[len(lags)/2].Round(100*time.Microsecond), lags[len(lags)*99/100].Round(100*time.Microsecond))
	return nil
}

// memory follows one large transaction and watches the heap.
func (b *bench) memory(ctx context.Context, o options) error {
	var peak uint64
	var changes, parts int
	tailer, drop, err := b.tailer(ctx, "tail_memory", func(_ context.Context, _ pgx.Tx, batch logical.Batch) error {
		changes += len(batch.Changes)
		parts++
		if parts%50 == 1 {
			peak = max(peak, heap())
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer drop()
	_, err = b.conn.Exec(ctx, `insert into tail_item select 100000000 + n, 'body' from generate_series(1, $1::int) n`, o.large)
	if err != nil {
		return err
	}
	before := heap()
	err = follow(ctx, tailer, func() error {
		_, err := tailer.Barrier(ctx)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("one transaction of %d rows\n  %d batches, the heap grew by %.1f MB, %.0f changes a batch\n",
		o.large, parts, float64(int64(peak)-int64(before))/(1<<20), float64(changes)/float64(parts))
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
