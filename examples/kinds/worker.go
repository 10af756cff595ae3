package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// worker is one goroutine of the shop.
type worker struct {
	*traffic
	client
	random *rand.Rand
	number int
	serial int
}

func newWorker(t *traffic, c client, number int) *worker {
	return &worker{traffic: t, client: c, number: number, random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

// think is how long a worker pauses between two operations, at most: the traffic
// should keep the server busy, but not choke it.
const think = 8 * time.Millisecond

// run works until it is told to stop; it always finishes what it has begun.
func (w *worker) run(ctx context.Context) {
	operations := []func(context.Context, *row) error{
		w.readOne, w.readOne, w.readOne, w.readByPrice, w.readCheapest,
		w.replaceOne, w.raiseOne, w.correctOne, w.raiseInTransaction, w.insertOne, w.removeOne,
	}
	for {
		select {
		case <-w.stopped:
			return
		case <-time.After(time.Duration(w.random.Int64N(int64(think)))):
		}
		r := w.journal.hold(w.random)
		err := operations[w.random.IntN(len(operations))](ctx, r)
		r.mu.Unlock()
		if err != nil && !errors.Is(err, errUndo) && ctx.Err() == nil {
			w.failed(fmt.Errorf("%s: %w", w.names, err))
		}
	}
}

// querier is the pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (w *worker) query(ctx context.Context, q querier, sql string, args ...any) ([]order, error) {
	began, held := time.Now(), w.held.Load()
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	list, err := w.orders(rows)
	w.count(func(n *totals) {
		n.Statements++
		n.LongestStall = max(n.LongestStall, time.Since(began))
		if held || w.held.Load() {
			n.LongestHeld = max(n.LongestHeld, time.Since(began))
		}
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", sql, err)
	}
	return list, err
}

// retry runs f again as long as it was too late: its connection belonged to a
// phase that has ended since, and nothing was executed. Applications that retry
// serialization failures have this already.
func (w *worker) retry(f func() error) error {
	for {
		err := f()
		if !dualwrite.IsStalePhase(err) {
			return err
		}
		w.count(func(n *totals) { n.Stale++ })
	}
}

// ask runs a statement.
func (w *worker) ask(ctx context.Context, sql string, args ...any) (list []order, err error) {
	err = w.retry(func() (err error) {
		list, err = w.query(ctx, w.pool, sql, args...)
		return err
	})
	return list, err
}

// one runs a statement that must give the order that is wanted.
func (w *worker) one(ctx context.Context, want order, sql string, args ...any) error {
	list, err := w.ask(ctx, sql, args...)
	if err == nil {
		w.compare(list, want, sql)
	}
	return err
}

func (w *worker) compare(list []order, want order, sql string) {
	w.count(func(n *totals) { n.Reads++ })
	if len(list) != 1 || list[0] != want {
		w.wrong("%s, %s: %+v, must be %+v", w.names, sql, list, want)
	}
}

// write runs a statement that makes of a row the order that is wanted.
func (w *worker) write(ctx context.Context, r *row, want order, sql string, args ...any) error {
	err := w.one(ctx, want, sql, args...)
	if err == nil {
		r.order = want
		w.count(func(n *totals) { n.Writes++ })
	}
	return err
}
