package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// What workers do, each with a row that is theirs meanwhile.

// fresh is an order that nobody has seen before. Its first name is one word and
// its area code digits, so both names can say it; see schema.go on Mary Ann.
func (w *worker) fresh(id int64) order {
	w.serial++
	o := seed(1 + w.random.Int64N(1_000_000))
	o.ID = id
	o.Last = strings.TrimSpace(fmt.Sprintf("%s %s%d.%d", o.Last, w.names[:3], w.number, w.serial))
	o.Note = fmt.Sprintf("gift %d", w.serial)
	return o
}

func (w *worker) readOne(ctx context.Context, r *row) error {
	return w.one(ctx, r.order, w.read, r.ID)
}

// readByPrice goes by the index on cents, or on amount.
func (w *worker) readByPrice(ctx context.Context, r *row) error {
	list, err := w.ask(ctx, w.costing, r.Cents)
	if err == nil {
		others := func(o order) bool { return o.ID != r.ID && o.Cents == r.Cents }
		w.compare(slices.DeleteFunc(list, others), r.order, w.costing)
	}
	return err
}

func (w *worker) readCheapest(ctx context.Context, r *row) error {
	list, err := w.ask(ctx, w.cheapest, r.Cents)
	if err != nil {
		return err
	}
	w.count(func(n *totals) { n.Reads++ })
	sorted := slices.IsSortedFunc(list, func(a, b order) int { return int(a.Cents - b.Cents) })
	if !sorted || len(list) == 0 || list[0].Cents != r.Cents {
		w.wrong("%s, %s: from %d on, %+v", w.names, w.cheapest, r.Cents, list)
	}
	return nil
}

func (w *worker) replaceOne(ctx context.Context, r *row) error {
	o := w.fresh(r.ID)
	return w.write(ctx, r, o, w.replace, append([]any{r.ID}, w.all(o)...)...)
}

// raised is what the statement raise makes of an order.
func raised(o order, by int64) order {
	o.Cents, o.Note = o.Cents+by, strings.ToUpper(o.Note)
	return o
}

func (w *worker) raiseOne(ctx context.Context, r *row) error {
	by := w.random.Int64N(100)
	return w.write(ctx, r, raised(r.order, by), w.raise, r.ID, by)
}

// correctOne sets one of several columns that move together.
func (w *worker) correctOne(ctx context.Context, r *row) error {
	w.serial++
	text := fmt.Sprintf("%d%d", w.number, w.serial)
	return w.write(ctx, r, w.corrected(r.order, text), w.correct, r.ID, text)
}

// raiseInTransaction reads what it has written before it commits; every other
// time it thinks better of it.
func (w *worker) raiseInTransaction(ctx context.Context, r *row) error {
	by, undo := w.random.Int64N(100), w.random.IntN(2) == 0
	want := raised(r.order, by)
	err := w.retry(func() error {
		return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
			for _, statement := range []struct {
				sql  string
				args []any
			}{{w.raise, []any{r.ID, by}}, {w.read, []any{r.ID}}} {
				list, err := w.query(ctx, tx, statement.sql, statement.args...)
				if err != nil {
					return err
				}
				w.compare(list, want, statement.sql)
			}
			if undo {
				return errUndo
			}
			return nil
		})
	})
	if err == nil {
		r.order = want
		w.count(func(n *totals) { n.Writes++ })
	}
	return err
}

var errUndo = errors.New("on second thoughts")

// insertOne leaves the row alone, and the note to its default now and then.
func (w *worker) insertOne(ctx context.Context, _ *row) error {
	o, sql, args := w.fresh(0), w.insert, 5
	if w.random.IntN(2) == 0 {
		o.Note, sql, args = defaultNote, w.insertShort, 4
	}
	list, err := w.ask(ctx, sql, w.all(o)[:args]...)
	if err != nil {
		return err
	}
	if len(list) == 1 {
		o.ID = list[0].ID
		w.journal.add(o)
	}
	w.count(func(n *totals) { n.Writes++ })
	w.compare(list, o, sql)
	return nil
}

func (w *worker) removeOne(ctx context.Context, r *row) error {
	err := w.write(ctx, r, r.order, w.remove, r.ID)
	if err == nil {
		w.journal.remove(r)
	}
	return err
}
