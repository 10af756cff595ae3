package main

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// tally counts what a process does. As a tracer of pgx it counts and times
// every statement, and the wait for a connection.
type tally struct {
	mu     sync.Mutex // guards totals
	totals totals
}

func (t *tally) change(f func(*totals)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.totals)
}

func (t *tally) read() *totals {
	t.mu.Lock()
	defer t.mu.Unlock()
	copied := t.totals
	return &copied
}

func (t *tally) stale()     { t.change(func(n *totals) { n.StaleRetries++ }) }
func (t *tally) written()   { t.change(func(n *totals) { n.Writes++ }) }
func (t *tally) checked()   { t.change(func(n *totals) { n.Reads++ }) }
func (t *tally) wrongRead() { t.change(func(n *totals) { n.WrongReads++ }) }
func (t *tally) failed(err error) {
	t.change(func(n *totals) {
		n.Errors++
		if _, ok := dualwrite.AsRefusal(err); ok {
			n.Refused++
		}
	})
}

type contextKey int

const (
	startedKey contextKey = iota
	// untimedKey marks a statement that takes long on purpose.
	untimedKey
)

// started is what is being timed.
type started struct {
	what string
	at   time.Time
}

func start(ctx context.Context, what string) context.Context {
	if ctx.Value(untimedKey) != nil {
		return ctx
	}
	return context.WithValue(ctx, startedKey, started{what, time.Now()})
}

func (t *tally) ended(ctx context.Context, statements int64) {
	s, timed := ctx.Value(startedKey).(started)
	t.change(func(n *totals) {
		n.Statements += statements
		if timed {
			n.stall(time.Since(s.at), s.what)
		}
	})
}

// A statement.

func (t *tally) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return start(ctx, data.SQL)
}

func (t *tally) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	t.ended(ctx, 1)
}

// A batch: each of its statements counts, all together are timed.

func (t *tally) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return start(ctx, "a batch")
}

func (t *tally) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {
	t.change(func(n *totals) { n.Statements++ })
}

func (t *tally) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	t.ended(ctx, 0)
}

// The wait for a connection, which may be a new one after a flip.

func (t *tally) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return start(ctx, "a connection")
}

func (t *tally) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	t.ended(ctx, 0)
}
