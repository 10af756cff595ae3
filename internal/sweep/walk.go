package sweep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// walk is one run of a sweep.
type walk struct {
	conn  *pgx.Conn
	o     Options
	batch batchFunc
	// copying: batches write rows.
	copying bool
	// partitioned: the table is walked part by part.
	partitioned bool
	q           statements
	pace        pace
	holding

	took     time.Duration   // by batches, smoothed
	progress ledger.Progress // as committed
	began    time.Time       // of this run
	before   int64           // rows scanned by earlier runs
	foreseen bool            // how long it takes, in this run
}

func (w *walk) run(ctx context.Context) error {
	// A query that is cut short costs the connection: what has been sent may
	// finish.
	background, cancel := patient(ctx)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.begin(background); err != nil {
		return err
	}
	w.began, w.before = time.Now(), w.progress.RowsScanned
	for !w.progress.Finished() {
		if err := w.hold(ctx, background); err != nil {
			return err
		}
		if err := w.step(ctx, background); err != nil {
			return err
		}
	}
	return nil
}

// begin takes up the progress there is, or writes down the beginning.
func (w *walk) begin(ctx context.Context) error {
	move := w.o.Transition.Definition.Move
	key, sources, targets, err := readColumns(ctx, w.conn, w.o.Table, move)
	if err != nil {
		return err
	}
	movement, err := movementOf(w.o.Transition.Definition, w.o.Job, sources, targets)
	if err != nil {
		return err
	}
	w.q = statements{
		table: pgx.Identifier{w.o.Table.Schema, w.o.Table.Name}.Sanitize(),
		key:   key, token: w.o.Token, movement: movement,
	}
	if w.partitioned, err = isPartitioned(ctx, w.conn, w.q.table); err != nil {
		return err
	}
	found, err := w.resume(ctx)
	if found || err != nil {
		return err
	}
	start := ledger.Progress{Job: w.o.Job, Epoch: w.o.Transition.Epoch}
	err = w.transaction(ctx, longestLimit, longestLimit, func(tx pgx.Tx) error {
		if w.partitioned {
			err = w.advance(ctx, tx, &start)
		} else {
			start.Upper, err = queryKey(ctx, tx, len(key), w.q.upper())
		}
		if err != nil {
			return err
		}
		if start.Estimate, err = estimate(ctx, tx, w.q.table); err != nil {
			return err
		}
		size, err := measure(ctx, tx, w.q.table)
		if err != nil {
			return err
		}
		if w.copying {
			start.Forecast = Forecast(start.Estimate, size.table, size.indexes, size.count)
		}
		return ledger.StartProgress(ctx, tx, w.o.Transition.ID, start, size.bytes())
	})
	if err != nil {
		return err
	}
	if found, err = w.resume(ctx); err == nil && !found {
		err = errProgressLost
	}
	return err
}

var errProgressLost = errors.New("somebody has deleted the progress of the job")

// resume reads the progress, and tells whether it counts.
func (w *walk) resume(ctx context.Context) (bool, error) {
	p, found, err := ledger.GetProgress(ctx, w.conn, w.o.Transition.ID, w.o.Job)
	if err != nil || !found || p.Epoch < w.o.Since {
		return false, err
	}
	for _, position := range [][]string{p.Position, p.Upper} {
		if position != nil && len(position) != len(w.q.key) {
			return false, fmt.Errorf("%w: it has %d columns, the progress has %d", ErrKeyChanged, len(w.q.key), len(position))
		}
	}
	w.progress = p
	return true, nil
}

// step does the next batch, or fails to and makes the following one smaller.
func (w *walk) step(ctx, background context.Context) error {
	next, retrying := w.progress, w.retrying()
	if retrying {
		w.pace.rows = w.pace.min // its patience is that of the smallest batch
	}
	lock, statement := w.pace.limits()
	start := time.Now()
	var s span
	err := w.transaction(background, lock, statement, func(tx pgx.Tx) error {
		rest := w.rest(retrying)
		gone, err := w.gone(background, tx, rest.part)
		if err != nil {
			return err
		}
		if gone || rest.upper == nil {
			s = rest
		} else {
			if s, err = w.span(background, tx, rest); err != nil {
				return err
			}
			if err := w.batch(background, tx, w.q.on(s.part), s, &next); err != nil {
				return err
			}
		}
		if retrying {
			next.Aside = next.Aside[1:]
		} else {
			next.Position = s.upper
			if err := w.advance(background, tx, &next); err != nil {
				return err
			}
		}
		finish(&next)
		return w.save(background, tx, next)
	})
	if busy(err) || w.dropped(err) {
		w.took = latency(w.took, time.Since(start))
		return w.failed(ctx, background, s, retrying, err)
	}
	if err != nil {
		return w.explain(err, s)
	}
	w.learn(next.RowsScanned-w.progress.RowsScanned, start)
	if w.progress = next; next.Finished() {
		// The ledger's own clock, and the proof that the row was there.
		found, err := w.resume(background)
		if err == nil && !found {
			err = errProgressLost
		}
		if err != nil {
			return err
		}
	}
	if err := w.foresee(background); err != nil {
		return err
	}
	w.report("")
	return nil
}

// save writes the progress down in a batch's own transaction; at the end with
// what the job has cost.
func (w *walk) save(ctx context.Context, tx pgx.Tx, p ledger.Progress) error {
	err := ledger.SaveProgress(ctx, tx, w.o.Transition.ID, p, p.Finished())
	if err != nil || !w.copying || !p.Finished() {
		return err
	}
	size, err := measure(ctx, tx, w.q.table)
	if err != nil {
		return err
	}
	return ledger.MeasureProgress(ctx, tx, w.o.Transition.ID, p.Job, size.bytes())
}

// learn draws conclusions from a batch that went well.
func (w *walk) learn(rows int64, began time.Time) {
	took := time.Since(began)
	w.pace.done(rows, took)
	w.took = latency(w.took, took)
	w.spend(rows, began)
}

// rest is what lies ahead: a range that was put aside, or the rest of a part. In
// an empty table it has no upper end.
func (w *walk) rest(retrying bool) span {
	p := w.progress
	if retrying {
		return span{part: p.Aside[0].Part, lower: p.Aside[0].Lower, upper: p.Aside[0].Upper, whole: true, rows: -1}
	}
	return span{part: p.Part, lower: p.Position, upper: p.Upper, rows: -1}
}

// span cuts what lies ahead to the size of a batch.
func (w *walk) span(ctx context.Context, tx pgx.Tx, s span) (span, error) {
	if s.whole {
		return s, nil
	}
	rows := w.limit(w.pace.rows)
	sql, args := w.q.on(s.part).bound(s, rows)
	bound, err := queryKey(ctx, tx, len(w.q.key), sql, args...)
	if err != nil {
		return span{}, err
	}
	if bound != nil {
		s.upper, s.rows = bound, int64(rows)
	}
	return s, nil
}

// queryKey returns the key that a query finds; nil for none.
func queryKey(ctx context.Context, tx pgx.Tx, columns int, sql string, args ...any) ([]string, error) {
	key := make([]string, columns)
	into := make([]any, columns)
	for i := range key {
		into[i] = &key[i]
	}
	err := tx.QueryRow(ctx, sql, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return key, err
}

// explain says what an error of the server means here: the token is gone, or an
// expression of the move cannot cope with a value.
func (w *walk) explain(err error, s span) error {
	var pgErr *pgconn.PgError
	switch {
	case !errors.As(err, &pgErr):
		return err
	case w.forbidden(pgErr):
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	case strings.HasPrefix(pgErr.Code, "22") && !w.o.Transition.Definition.Identity(): // data exception
		return fmt.Errorf("%w: in a row after key (%s) and up to (%s): %w", ErrNoCounterpart,
			strings.Join(s.lower, ", "), strings.Join(s.upper, ", "), err)
	}
	return err
}

// forbidden tells whether a statement failed since the token is gone.
func (w *walk) forbidden(err *pgconn.PgError) bool {
	return err.Code == "42P01" && w.o.Token != "" && strings.Contains(err.Message, w.o.Token)
}

func (w *walk) report(waiting string) {
	if w.o.OnProgress != nil {
		w.o.OnProgress(w.current(waiting))
	}
}

// current is the report of now.
func (w *walk) current(waiting string) Report {
	r := Report{Progress: w.progress, Batch: w.limit(w.pace.rows), Waiting: waiting,
		Signals: w.gauges.readings, Control: w.control}
	r.forecast(w.progress.RowsScanned-w.before, time.Since(w.began))
	return r
}
