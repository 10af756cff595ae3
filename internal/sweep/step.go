package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// errTaken: the chunk in hand is somebody else's by now.
var errTaken = errors.New("the chunk is taken")

// step does the next batch of the chunk in hand, or fails to and makes the
// following one smaller.
func (w *walk) step(ctx, background context.Context) error {
	retrying := w.chunk.Aside
	if retrying {
		w.pace.rows = w.pace.min // its patience is that of the smallest batch
	}
	lock, statement := w.pace.limits()
	start := time.Now()
	var s span
	var done ledger.Progress // by this batch
	var worker ledger.Worker
	var after drawn
	err := w.transaction(background, lock, statement, func(tx pgx.Tx) error {
		c, held, err := ledger.LockChunk(background, tx, w.chunk.ID, w.worker.ID)
		if err != nil {
			return err
		}
		if !held {
			return errTaken
		}
		s = span{part: c.Part, lower: c.Lower, upper: c.Upper, whole: c.Aside, rows: -1}
		gone, err := w.gone(background, tx, s.part)
		if err != nil {
			return err
		}
		if !gone {
			if s, err = w.span(background, tx, s); err != nil {
				return err
			}
			if err := w.batch(background, tx, w.q.on(s.part), s, &done); err != nil {
				return err
			}
		}
		worker = w.worker.After(done, s.part, s.upper)
		if err := worker.Save(background, tx); err != nil {
			return err
		}
		after, err = w.pass(background, tx, c, s, done.RowsScanned)
		return err
	})
	if errors.Is(err, errTaken) {
		w.chunk = nil
		return nil
	}
	if busy(err) || w.dropped(err) {
		w.took = latency(w.took, time.Since(start))
		return w.failed(ctx, background, s, retrying, err)
	}
	if err != nil {
		return w.explain(err, s)
	}
	if w.committed != nil {
		w.committed()
	}
	w.learn(done.RowsScanned, start)
	w.count(worker, done, s, after)
	if after.finished {
		// The ledger's own clock, and what the others have done.
		if err := w.reread(background); err != nil {
			return err
		}
	}
	if err := w.foresee(background); err != nil {
		return err
	}
	w.report("")
	return nil
}

// count adds a batch that is committed to what is known.
func (w *walk) count(worker ledger.Worker, done ledger.Progress, s span, after drawn) {
	w.worker, w.chunk = worker, after.chunk
	p := &w.progress
	p.RowsScanned += done.RowsScanned
	p.RowsChanged += done.RowsChanged
	p.Mismatches += done.Mismatches
	p.Samples = firstSamples(p.Samples, done.Samples)
	p.Part, p.Position, p.Upper = s.part, s.upper, after.upper
	if s.whole {
		p.Aside = slices.DeleteFunc(slices.Clone(p.Aside), func(a ledger.Span) bool {
			return a.Part == s.part && slices.Equal(a.Upper, s.upper)
		})
	}
}

// learn draws conclusions from a batch that went well.
func (w *walk) learn(rows int64, began time.Time) {
	took := time.Since(began)
	w.pace.done(rows, took)
	w.took = latency(w.took, took)
	w.spend(rows, began)
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
