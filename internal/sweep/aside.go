package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// A row that somebody keeps locked does not hold up the rows behind it: the
// smallest batch there is, which failed at it twice, is put aside, and tried
// again when all others are done. Nothing is finished before it is.

const (
	// asideAfter is how often the smallest batch fails before it is put aside.
	asideAfter = 2
	// maxAside is how many batches are put aside. Where more is locked, waiting
	// is cheaper than finding that out row by row.
	maxAside = 100
)

// failed makes of a batch that was blocked a smaller one, or puts it aside, and
// pauses.
func (w *walk) failed(ctx, background context.Context, s span, retrying bool, cause error) error {
	pause := w.pace.failed()
	switch {
	case retrying:
		w.chunk = nil // the next one may be free by now
		w.report(fmt.Sprintf("all is done but %d batches of rows that were locked, now at key (%s): %v",
			len(w.progress.Aside), strings.Join(s.upper, ", "), cause))
		return sleep(ctx, pause)
	case w.pace.failures >= asideAfter && w.copying && lockFailure(cause) && s.upper != nil && len(w.progress.Aside) < maxAside:
		locked, err := w.locked(background, s)
		if err != nil {
			return err
		}
		if locked {
			return w.putAside(background, s)
		}
	}
	w.report(fmt.Sprintf("the next batch is blocked or slow: %v", cause))
	return sleep(ctx, pause)
}

// locked tells whether somebody has a row of the span locked, rather than the
// table, or what a trigger needs.
func (w *walk) locked(ctx context.Context, s span) (locked bool, err error) {
	lock, statement := w.pace.limits()
	err = w.transaction(ctx, lock, statement, func(tx pgx.Tx) error {
		sql, args := w.q.on(s.part).locked(s)
		if err := tx.QueryRow(ctx, sql, args...).Scan(&locked); err != nil {
			return err
		}
		return errLook
	})
	if errors.Is(err, errLook) {
		return locked, nil
	}
	if busy(err) || w.dropped(err) {
		return false, nil
	}
	return false, err
}

// errLook ends a transaction that only looked, and locked rows for it.
var errLook = errors.New("it was only a look")

// putAside goes on behind the span, and keeps it for the end.
func (w *walk) putAside(ctx context.Context, s span) error {
	var after drawn
	aside := ledger.Span{Part: s.part, Lower: s.lower, Upper: s.upper}
	err := w.transaction(ctx, longestLimit, longestLimit, func(tx pgx.Tx) error {
		c, held, err := ledger.LockChunk(ctx, tx, w.chunk.ID, w.worker.ID)
		if err != nil {
			return err
		}
		// Since the batch failed, others may have been here.
		if !held || !slices.Equal(c.Lower, s.lower) || !slices.Equal(c.Upper, w.chunk.Upper) {
			return errTaken
		}
		if err := ledger.AddChunk(ctx, tx, w.o.Transition.ID, w.o.Job, ledger.Chunk{Span: aside, Aside: true}); err != nil {
			return err
		}
		after, err = w.pass(ctx, tx, c, s, 0)
		return err
	})
	if errors.Is(err, errTaken) {
		w.chunk = nil
		return nil
	}
	if err != nil {
		return err
	}
	w.progress.Aside = append(slices.Clone(w.progress.Aside), aside)
	w.count(w.worker, ledger.Progress{}, span{part: s.part, lower: s.lower, upper: s.upper}, after)
	w.pace.done(0, 0)
	w.report(fmt.Sprintf("the row with key (%s) is locked, and is left for the end", strings.Join(s.upper, ", ")))
	return nil
}

// lockFailure tells whether a batch failed since it did not get a lock.
func lockFailure(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "55P03" || pgErr.Code == "40P01")
}
