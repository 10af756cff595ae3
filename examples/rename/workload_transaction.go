package main

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// transactions are what one worker of each process does: transactions that
// stay open for a second or two, as those of people and of jobs do. A flip
// waits for them; their phase does not change half way.
var transactions = []operation{
	{"long transaction", 3, longTransaction},
	{"long transaction, rolled back", 1, undoneTransaction},
	{"report", 1, readTwice},
}

func (w *worker) length() time.Duration {
	return w.long/2 + time.Duration(w.random.Int64N(int64(w.long/2)+1))
}

// rest comes after each: a table that is in an open transaction at every moment
// could never be altered, whoever tries it.
func (w *worker) rest() { w.pause(2*w.long + time.Duration(w.random.Int64N(int64(2*w.long)+1))) }

// longTransaction writes two rows, and reads its own writes.
func longTransaction(w *worker, ctx context.Context) error {
	defer w.rest()
	a, b := w.journal.pickTwo(w.random)
	nameA, nameB := named(w.newName()), named(w.newName())
	return w.write(func() error {
		return w.transaction(ctx, pgx.TxOptions{}, w.writeSlowly(ctx, a, b, nameA, nameB))
	}, change{a, nameA}, change{b, nameB})
}

// undoneTransaction does the same and thinks better of it.
func undoneTransaction(w *worker, ctx context.Context) error {
	defer w.rest()
	a, b := w.journal.pickTwo(w.random)
	nameA, nameB := named(w.newName()), named(w.newName())
	return w.write(func() error {
		return w.transaction(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if err := w.writeSlowly(ctx, a, b, nameA, nameB)(tx); err != nil {
				return err
			}
			return errUndo
		})
	}, change{a, nameA}, change{b, nameB})
}

func (w *worker) writeSlowly(ctx context.Context, a, b *record, nameA, nameB state) func(pgx.Tx) error {
	length := w.length()
	return func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, w.queries.rename, nameA.Name, a.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, w.queries.addOrder, a.ID, 4200); err != nil {
			return err
		}
		w.pause(length / 2)
		got, err := readState(tx.QueryRow(ctx, w.queries.byKey, a.ID))
		if err != nil {
			return err
		}
		w.same("read in the transaction", a, got, nameA)
		if _, err := tx.Exec(ctx, w.queries.rename, nameB.Name, b.ID); err != nil {
			return err
		}
		w.pause(length / 2)
		if got, err = readState(tx.QueryRow(ctx, w.queries.byKey, b.ID)); err != nil {
			return err
		}
		w.same("read in the transaction", b, got, nameB)
		return nil
	}
}

// readTwice, as a report may, reads some rows twice, a second apart, in one snapshot: everything
// must be as it was, also if the phase has changed and the rows have been
// copied in between.
func readTwice(w *worker, ctx context.Context) error {
	defer w.rest()
	var ids []int64
	for range 20 {
		ids = append(ids, w.journal.pick(w.random).ID)
	}
	length := w.length()
	return w.transaction(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		read := func() ([]idName, error) {
			rows, err := tx.Query(ctx, w.queries.report, ids)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowToStructByPos[idName])
		}
		before, err := read()
		if err != nil {
			return err
		}
		for _, u := range before {
			w.expect("report", w.journal.mine(u.ID), named(u.Name))
		}
		w.pause(length)
		after, err := read()
		if err == nil && !slices.Equal(before, after) {
			w.wrong("a report reads something else the second time")
		}
		return err
	})
}
