package main

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// batch sends several statements at once, which are one transaction.
func batch(w *worker, ctx context.Context) error {
	a, b := w.journal.pickTwo(w.random)
	nameA, nameB := named(w.newName()), named(w.newName())
	return w.write(func() error {
		return w.retry(func() error {
			var batch pgx.Batch
			batch.Queue(w.queries.rename, nameA.Name, a.ID)
			batch.Queue(w.queries.byKey, a.ID).QueryRow(func(r pgx.Row) error {
				got, err := readState(r)
				if err == nil {
					w.same("read in the batch", a, got, nameA)
				}
				return err
			})
			batch.Queue(w.queries.rename, nameB.Name, b.ID)
			batch.Queue(w.queries.byKey, b.ID).QueryRow(func(r pgx.Row) error {
				got, err := readState(r)
				if err == nil {
					w.same("read in the batch", b, got, nameB)
				}
				return err
			})
			return w.pool.SendBatch(ctx, &batch).Close()
		})
	}, change{a, nameA}, change{b, nameB})
}

// prepared uses statements that were prepared under a name, on a connection
// that it keeps for a while.
func prepared(w *worker, ctx context.Context) error {
	return w.retry(func() error {
		conn, err := w.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err := conn.Conn().Prepare(ctx, "user_by_key", w.queries.byKey); err != nil {
			return err
		}
		for range 5 {
			r := w.journal.pick(w.random)
			got, err := readState(conn.QueryRow(ctx, "user_by_key", r.ID))
			if err != nil {
				return err
			}
			w.expect("prepared read", r, got)
		}
		return conn.Conn().Deallocate(ctx, "user_by_key")
	})
}
