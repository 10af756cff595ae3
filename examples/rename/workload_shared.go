package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Writes to rows that all processes share. Each adds 1 to the number that
// stands in the name, which is a read and a write of the column in one: an
// update by an old phase, on a stale value, is an update that gets lost.

// counterValue reads the number in a name.
func counterValue(name string) (int64, error) {
	digits, ok := strings.CutPrefix(name, "counter ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("a shared row is called %q", name)
	}
	return n, nil
}

func (w *worker) sharedID() int64 { return 1 + w.random.Int64N(sharedRows) }

// increment is one statement with an expression on the column.
func increment(w *worker, ctx context.Context) error {
	id := w.sharedID()
	return w.add(seedEmail(id), func() (n int64, err error) {
		err = w.retry(func() (err error) {
			n, err = scanCounter(w.pool.QueryRow(ctx, w.queries.increment, id))
			return err
		})
		return n, err
	})
}

// readThenWrite reads in one statement and writes in another, with the row
// locked in between.
func readThenWrite(w *worker, ctx context.Context) error {
	id := w.sharedID()
	return w.add(seedEmail(id), func() (n int64, err error) {
		err = w.transaction(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if n, err = scanCounter(tx.QueryRow(ctx, w.queries.readForUpdate, id)); err != nil {
				return err
			}
			n++
			_, err := tx.Exec(ctx, w.queries.setCounter, sharedName(n), id)
			return err
		})
		return n, err
	})
}

// visit is an upsert: the first of all processes inserts the row.
func visit(w *worker, ctx context.Context) error {
	email := fmt.Sprintf("visits%d@example.com", w.random.IntN(4))
	return w.add(email, func() (n int64, err error) {
		err = w.retry(func() (err error) {
			n, err = scanCounter(w.pool.QueryRow(ctx, w.queries.visited, email))
			return err
		})
		return n, err
	})
}

// readCounter must not see a number go down.
func readCounter(w *worker, ctx context.Context) error {
	email := seedEmail(w.sharedID())
	c := w.journal.counter(email)
	return w.retry(func() error {
		n, err := scanCounter(w.pool.QueryRow(ctx, w.queries.counterByEmail, email))
		if err == nil {
			w.saw(c, n, c.Seen)
		}
		return err
	})
}

// add runs f, which adds 1 to a shared row and returns the result.
func (w *worker) add(email string, f func() (int64, error)) error {
	c := w.journal.counter(email)
	n, err := w.journal.count(email, f)
	if errors.Is(err, pgx.ErrNoRows) {
		w.wrong("the shared row %s is not found", email)
		return nil
	}
	if err == nil {
		w.tally.written()
		w.saw(c, n, c.Seen+1)
	}
	return err
}

// saw checks a number against what this worker has seen before.
func (w *worker) saw(c *interval, n, least int64) {
	w.tally.checked()
	if n < least {
		w.wrong("the shared row %s is at %d, must be at %d or more", c.Email, n, least)
	}
	c.Seen = max(c.Seen, n)
}

func scanCounter(r row) (int64, error) {
	var name string
	if err := r.Scan(&name); err != nil {
		return 0, err
	}
	return counterValue(name)
}
