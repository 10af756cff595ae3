package main

import (
	"context"
)

// throughSQL is what one worker of each process does by way of database/sql.
var throughSQL = []operation{
	{"database/sql: read by key", 10, sqlRead},
	{"database/sql: update", 5, sqlUpdate},
	{"database/sql: transaction", 2, sqlTransaction},
	{"database/sql: prepared statement", 2, sqlPrepared},
	{"database/sql: increment", 2, sqlIncrement},
}

func sqlRead(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	return w.retry(func() error {
		got, err := readState(w.db.QueryRowContext(ctx, w.queries.byKey, r.ID))
		if err == nil {
			w.expect("read by key", r, got)
		}
		return err
	})
}

func sqlUpdate(w *worker, ctx context.Context) error {
	return w.extend(func(args ...any) row { return w.db.QueryRowContext(ctx, w.queries.extend, args...) })
}

func sqlTransaction(w *worker, ctx context.Context) error {
	a, b := w.journal.pickTwo(w.random)
	nameA, nameB := named(w.newName()), named(w.newName())
	return w.write(func() error {
		return w.retry(func() error {
			tx, err := w.db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.ExecContext(ctx, w.queries.rename, nameA.Name, a.ID); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, w.queries.rename, nameB.Name, b.ID); err != nil {
				return err
			}
			got, err := readState(tx.QueryRowContext(ctx, w.queries.byKey, a.ID))
			if err != nil {
				return err
			}
			w.same("read in the transaction", a, got, nameA)
			return tx.Commit()
		})
	}, change{a, nameA}, change{b, nameB})
}

// sqlPrepared keeps a statement for a while. database/sql prepares it again on
// each connection that it uses.
func sqlPrepared(w *worker, ctx context.Context) error {
	return w.retry(func() error {
		statement, err := w.db.PrepareContext(ctx, w.queries.byKey)
		if err != nil {
			return err
		}
		defer func() { _ = statement.Close() }()
		for range 5 {
			r := w.journal.pick(w.random)
			got, err := readState(statement.QueryRowContext(ctx, r.ID))
			if err != nil {
				return err
			}
			w.expect("prepared read", r, got)
		}
		return nil
	})
}

func sqlIncrement(w *worker, ctx context.Context) error {
	id := w.sharedID()
	return w.add(seedEmail(id), func() (n int64, err error) {
		err = w.retry(func() (err error) {
			n, err = scanCounter(w.db.QueryRowContext(ctx, w.queries.increment, id))
			return err
		})
		return n, err
	})
}
