package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/dualwrite"
)

// retry runs f again as long as it was too late: its connection belonged to a
// phase that has ended since. Nothing was executed then, and the next attempt
// gets a connection of the phase in force.
//
// It is rare: a flip waits until connections have been replaced. It happens to
// a process that was paused or cut off for longer than a flip waits. The error
// has SQLSTATE 40001, so applications that retry serialization failures have
// this already.
func (w *worker) retry(f func() error) error {
	for {
		err := f()
		if !dualwrite.IsStalePhase(err) {
			return err
		}
		w.tally.stale()
	}
}

// transaction runs f in a transaction, and again from its beginning when it
// was too late.
func (w *worker) transaction(ctx context.Context, options pgx.TxOptions, f func(pgx.Tx) error) error {
	return w.retry(func() error { return pgx.BeginTxFunc(ctx, w.pool, options, f) })
}
