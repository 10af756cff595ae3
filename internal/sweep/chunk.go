package sweep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// The table is cut into chunks as workers come, and not before: the first chunk
// is all of it. A worker who has none takes one that nobody works at, or enters
// the next part, or cuts the largest in two. Whoever holds the lock of a chunk
// may work at it, for one batch, and nobody else can; so a worker may die at any
// instruction, and one who was stopped for an hour finds that his chunk went on
// without him, and takes another.

const (
	// splitAfter is how many looks in vain go before a split: the session of a
	// worker who has died takes a moment to end.
	splitAfter = 3
	// leaveAfter is how many looks in vain make a helper leave: others may have
	// cut, or taken, what it was after.
	leaveAfter = 8
	// sampledPages is how much of a table is looked at to find the middle of a
	// chunk; one with fewer rows than splitByCount is counted off instead.
	sampledPages = 200
	splitByCount = 20_000
)

// drawn is what a worker has in hand after a batch.
type drawn struct {
	chunk    *ledger.Chunk
	upper    []string // of the range that the batch was in
	finished bool     // the whole job is
}

// draw sees to it that a chunk is in hand. Without one it waits a moment, and
// returns without one.
func (w *walk) draw(ctx, background context.Context) error {
	if w.chunk != nil {
		return nil
	}
	var after drawn
	lock, statement := w.pace.limits()
	err := w.transaction(background, lock, max(statement, 10*w.o.BatchTarget), func(tx pgx.Tx) (err error) {
		after, err = w.find(background, tx)
		return err
	})
	switch {
	case busy(err) || w.dropped(err):
		w.report(fmt.Sprintf("what is left cannot be read now: %v", err))
	case err != nil:
		return w.explain(err, span{})
	case after.finished:
		return w.reread(background)
	case after.chunk != nil:
		w.chunk, w.idle = after.chunk, 0
		return w.checkKey(w.chunk.Upper)
	default:
		if w.idle++; w.idle >= splitAfter {
			if err := w.split(background); err != nil {
				return err
			}
		}
	}
	return sleep(ctx, min(time.Duration(w.idle+1)*20*time.Millisecond, longestNap))
}

// find looks for a chunk in the order in which a lone worker would go.
func (w *walk) find(ctx context.Context, tx pgx.Tx) (drawn, error) {
	id, job := w.o.Transition.ID, w.o.Job
	c, found, err := ledger.FreeChunk(ctx, tx, id, job, w.worker.ID)
	if err != nil || found {
		return drawn{chunk: &c}, err
	}
	after, err := w.next(ctx, tx)
	if err != nil || after.finished || after.chunk != nil {
		return after, err
	}
	if w.helper {
		return drawn{}, nil // one who waits for rows that others have locked is enough
	}
	c, found, err = ledger.AsideChunk(ctx, tx, id, job, w.worker.ID)
	if err != nil || !found {
		return drawn{}, err
	}
	return drawn{chunk: &c}, nil
}

// pass writes down that a chunk is done up to the end of a span.
func (w *walk) pass(ctx context.Context, tx pgx.Tx, c ledger.Chunk, s span, rows int64) (drawn, error) {
	if !slices.Equal(s.upper, c.Upper) {
		c.Lower, c.Estimate = s.upper, max(c.Estimate-rows, 0)
		return drawn{chunk: &c, upper: c.Upper}, ledger.SaveChunk(ctx, tx, c)
	}
	if err := ledger.DeleteChunk(ctx, tx, c.ID); err != nil {
		return drawn{}, err
	}
	after, err := w.next(ctx, tx)
	after.upper = c.Upper
	return after, err
}

// next enters the next part, if there is one, and ends the job when nothing is
// left. It keeps the row of the progress locked.
func (w *walk) next(ctx context.Context, tx pgx.Tx) (drawn, error) {
	id, job := w.o.Transition.ID, w.o.Job
	lot, found, err := ledger.LockProgress(ctx, tx, id, job)
	switch {
	case err != nil:
		return drawn{}, err
	case !found || lot.Epoch < w.o.Since:
		return drawn{}, ledger.ErrNoJob
	case lot.Finished:
		return drawn{finished: true}, nil
	}
	if w.partitioned {
		part, upper, err := w.nextPart(ctx, tx, lot.Part)
		if err != nil {
			return drawn{}, err
		}
		if upper != nil {
			rows, err := estimate(ctx, tx, part)
			if err != nil {
				return drawn{}, err
			}
			err = ledger.EnterPart(ctx, tx, id, job, ledger.Chunk{Span: ledger.Span{Part: part, Upper: upper}, Estimate: rows})
			if err != nil {
				return drawn{}, err
			}
			c, found, err := ledger.FreeChunk(ctx, tx, id, job, w.worker.ID)
			if err != nil || !found {
				return drawn{}, err
			}
			return drawn{chunk: &c}, nil
		}
	}
	if lot.Chunks > 0 {
		return drawn{}, nil
	}
	if err := ledger.FinishProgress(ctx, tx, id, job); err != nil || !w.copying {
		return drawn{finished: true}, err
	}
	size, err := measure(ctx, tx, w.q.table)
	if err != nil {
		return drawn{}, err
	}
	return drawn{finished: true}, ledger.MeasureProgress(ctx, tx, id, job, size.bytes())
}

// split cuts the largest chunk in two, if it is worth it. It waits for the batch
// that is under way there, and holds no other lock meanwhile; the worker who is
// at it learns of the new end with his next batch.
func (w *walk) split(ctx context.Context) error {
	err := w.transaction(ctx, batchLimit+w.o.BatchTarget, longestLimit, func(tx pgx.Tx) error { return w.cut(ctx, tx) })
	if busy(err) || w.dropped(err) {
		return nil // another attempt, later
	}
	return err
}

func (w *walk) cut(ctx context.Context, tx pgx.Tx) error {
	id, job := w.o.Transition.ID, w.o.Job
	c, found, err := ledger.LargestChunk(ctx, tx, id, job, 2*int64(w.pace.rows))
	if err != nil || !found {
		return err
	}
	middle, err := w.middle(ctx, tx, c)
	if err != nil {
		return err
	}
	rest := ledger.Chunk{Span: ledger.Span{Part: c.Part, Lower: middle, Upper: c.Upper}, Estimate: c.Estimate / 2, Worker: w.worker.ID}
	c.Estimate -= rest.Estimate
	if middle == nil { // it has fewer rows than was thought
		c.Estimate = 0
		return ledger.SaveChunk(ctx, tx, c)
	}
	c.Upper = middle
	if err := ledger.SaveChunk(ctx, tx, c); err != nil {
		return err
	}
	return ledger.AddChunk(ctx, tx, id, job, rest)
}

// middle finds a key about half way through a chunk: in a sample of the table, or
// by counting rows off where they are few, or lie too close for the sample.
func (w *walk) middle(ctx context.Context, tx pgx.Tx, c ledger.Chunk) ([]string, error) {
	q, s := w.q.on(c.Part), span{part: c.Part, lower: c.Lower, upper: c.Upper}
	if c.Estimate > splitByCount {
		var pages float64
		err := tx.QueryRow(ctx, `select pg_relation_size(to_regclass($1)) / current_setting('block_size')::float8`, q.table).Scan(&pages)
		if err != nil {
			return nil, fmt.Errorf("read the size of %s: %w", q.table, err)
		}
		sql, args := q.middle(s, min(100, 100*sampledPages/max(pages, 1)))
		if key, err := queryKey(ctx, tx, len(q.key), sql, args...); err != nil || key != nil {
			return key, err
		}
	}
	sql, args := q.bound(s, int(min(c.Estimate, splitByCount)/2))
	key, err := queryKey(ctx, tx, len(q.key), sql, args...)
	if slices.Equal(key, c.Upper) {
		key = nil
	}
	return key, err
}
