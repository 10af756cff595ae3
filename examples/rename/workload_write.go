package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Writes to rows of the worker's own. Each says what the row will be when it
// succeeds; the journal keeps that.

func rename(w *worker, ctx context.Context) error {
	r, name := w.journal.pick(w.random), w.newName()
	return w.write(func() error {
		return w.retry(func() error {
			tag, err := w.pool.Exec(ctx, w.queries.rename, name, r.ID)
			return w.affected(err, tag.RowsAffected(), 1)
		})
	}, change{r, named(name)})
}

// affected checks how many rows a write found.
func (w *worker) affected(err error, got, want int64) error {
	if err == nil && got != want {
		w.wrong("a write finds %d rows instead of %d", got, want)
	}
	return err
}

func extend(w *worker, ctx context.Context) error {
	return w.extend(func(args ...any) row { return w.pool.QueryRow(ctx, w.queries.extend, args...) })
}

// extend makes a name longer by an expression, through pgx or database/sql.
func (w *worker) extend(update func(args ...any) row) error {
	r := w.journal.pick(w.random)
	if len(r.May) != 1 {
		return nil
	}
	w.written++
	suffix := fmt.Sprintf(" #%d.%d", w.journal.owner.slot, w.written)
	want := named(strings.Split(r.May[0].Name, " #")[0] + suffix)
	return w.write(func() error {
		return w.retry(func() error {
			got, err := readState(update(suffix, r.ID))
			if err == nil {
				w.same("update returning", r, got, want)
			}
			return err
		})
	}, change{r, want})
}

func updateBoth(w *worker, ctx context.Context) error {
	a, b := w.journal.pickTwo(w.random)
	nameA, nameB := w.newName(), w.newName()
	return w.write(func() error {
		return w.retry(func() error {
			tag, err := w.pool.Exec(ctx, w.queries.both, a.ID, nameA, b.ID, nameB)
			return w.affected(err, tag.RowsAffected(), 2)
		})
	}, change{a, named(nameA)}, change{b, named(nameB)})
}

func updateSeveral(w *worker, ctx context.Context) error {
	r, name := w.journal.pick(w.random), w.newName()
	return w.write(func() error {
		return w.retry(func() error {
			tag, err := w.pool.Exec(ctx, w.queries.several, name, seedCountry(r.ID), r.ID)
			return w.affected(err, tag.RowsAffected(), 1)
		})
	}, change{r, named(name)})
}

// inserted counts an insert and checks what it returned.
func (w *worker) inserted(r *record, err error, got string) error {
	if err == nil {
		w.tally.written()
		w.expect("insert returning", r, named(got))
	}
	return err
}

func insert(w *worker, ctx context.Context) error {
	email, name := w.newEmail(), w.newName()
	r, err := w.journal.insert(email, name, func() (id int64, err error) {
		err = w.retry(func() error {
			return w.pool.QueryRow(ctx, w.queries.insert, email, name, "NO").Scan(&id)
		})
		return id, err
	})
	return w.inserted(r, err, name)
}

// insertDefault leaves the name to the column's default.
func insertDefault(w *worker, ctx context.Context) error {
	email, got := w.newEmail(), ""
	r, err := w.journal.insert(email, defaultName, func() (id int64, err error) {
		err = w.retry(func() error {
			return w.pool.QueryRow(ctx, w.queries.insertDefault, email, "DE").Scan(&id, &got)
		})
		return id, err
	})
	return w.inserted(r, err, got)
}

// insertRow relies on the order of the columns.
func insertRow(w *worker, ctx context.Context) error {
	email, name := w.newEmail(), w.newName()
	var u user
	r, err := w.journal.insert(email, name, func() (int64, error) {
		err := w.retry(func() error {
			rows, err := w.pool.Query(ctx, w.queries.insertRow, email, name, "FR")
			if err != nil {
				return err
			}
			w.checkColumns(rows)
			u, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[user])
			return err
		})
		return u.ID, err
	})
	return w.inserted(r, err, u.Name)
}

func insertCopy(w *worker, ctx context.Context) error {
	original, email, got := w.journal.pick(w.random), w.newEmail(), ""
	if len(original.May) != 1 {
		return nil
	}
	r, err := w.journal.insert(email, original.May[0].Name, func() (id int64, err error) {
		err = w.retry(func() error {
			return w.pool.QueryRow(ctx, w.queries.insertCopy, email, original.ID).Scan(&id, &got)
		})
		return id, err
	})
	return w.inserted(r, err, got)
}

// upsert inserts a row of the worker's own, or updates it when it is there.
func upsert(w *worker, ctx context.Context) error {
	email, name := fmt.Sprintf("upsert%d.%d@example.com", w.journal.owner.slot, w.random.IntN(5)), w.newName()
	var id int64
	var got string
	run := func() error {
		return w.retry(func() error {
			return w.pool.QueryRow(ctx, w.queries.upsert, email, name, "CH").Scan(&id, &got)
		})
	}
	if r := w.journal.withEmail(email); r != nil && slices.Contains(w.journal.alive, r.ID) {
		err := w.write(run, change{r, named(name)})
		if err == nil {
			w.same("upsert returning", r, named(got), named(name))
		}
		return err
	}
	r, err := w.journal.insert(email, name, func() (int64, error) {
		err := run()
		return id, err
	})
	return w.inserted(r, err, got)
}

func remove(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	if len(r.May) != 1 || len(w.journal.alive) < 20 {
		return nil
	}
	want := r.May[0]
	return w.write(func() error {
		return w.retry(func() error {
			got, err := readState(w.pool.QueryRow(ctx, w.queries.delete, r.ID))
			if err == nil {
				w.same("delete returning", r, got, want)
			}
			return err
		})
	}, change{r, state{}})
}

// addOrder does not touch the column: it goes out as it is, in every phase.
func addOrder(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	_, err := w.pool.Exec(ctx, w.queries.addOrder, r.ID, w.random.IntN(10_000))
	return err
}
