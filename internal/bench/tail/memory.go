package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/logical"
)

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
	fmt.Fprintln(b.out, "one transaction\tbatches\tchanges in each\tthe heap grows by")
	fmt.Fprintf(b.out, "%d rows\t%d\t%.0f\t%.1f MB\n", o.large, parts, float64(changes)/float64(parts), float64(int64(peak)-int64(before))/(1<<20))
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
