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

// walk is the run of one worker of a sweep.
type walk struct {
	conn  *pgx.Conn
	o     Options
	batch batchFunc
	// copying: batches write rows.
	copying bool
	// helper: others finish what is left when there is nothing more to take.
	helper bool
	// partitioned: the table is walked part by part.
	partitioned bool
	q           statements
	pace        pace
	holding

	// committed is called when a batch is; nil: nobody is told.
	committed func()
	// started is called when there is something to do; nil: nobody is told.
	started func()

	worker ledger.Worker // and what it has done, as committed
	chunk  *ledger.Chunk // in hand; nil: the next one is to be found
	idle   int           // how often none was found of late

	took     time.Duration   // by batches, smoothed
	progress ledger.Progress // of all workers, as it was read last and with what this one has done since
	began    time.Time       // of this run
	before   int64           // rows scanned by earlier runs
	foreseen bool            // how long it takes, in this run
	told     bool            // that it is finished
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
	if w.progress.Finished() {
		return nil
	}
	w.worker = ledger.Worker{Name: w.o.Worker}
	if w.worker.Name == "" {
		w.worker.Name = w.conn.Config().RuntimeParams["application_name"]
	}
	if err := w.worker.Join(background, w.conn, w.o.Transition.ID, w.o.Job); err != nil {
		return err
	}
	defer w.leave(ctx)
	if w.started != nil {
		w.started()
	}
	w.began, w.before = time.Now(), w.progress.RowsScanned
	for !w.progress.Finished() {
		if err := w.hold(ctx, background); err != nil {
			return err
		}
		if err := w.draw(ctx, background); err != nil {
			return err
		}
		if w.chunk == nil {
			if w.helper && w.idle >= leaveAfter {
				return nil
			}
			continue
		}
		if err := w.step(ctx, background); err != nil {
			return err
		}
	}
	if !w.told { // somebody else did the last batch
		w.report("")
	}
	return nil
}

// leave lets others have at once what this worker has in hand; one that does not
// come to it is noticed by the end of its session.
func (w *walk) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if !w.conn.IsClosed() {
		_ = w.worker.Leave(ctx, w.conn)
	}
}

// begin takes up the progress there is, or writes down the beginning.
func (w *walk) begin(ctx context.Context) error {
	move := w.o.Transition.Definition.Move
	key, sources, targets, err := readColumns(ctx, w.conn, w.o.Table, move)
	if err != nil {
		return err
	}
	direction := w.o.Job
	if w.o.Reverse {
		direction = ledger.Refill
	}
	movement, err := movementOf(w.o.Transition.Definition, direction, sources, targets)
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
	if w.helper {
		return ledger.ErrNoJob
	}
	start := ledger.Progress{Job: w.o.Job, Epoch: w.o.Transition.Epoch}
	err = w.transaction(ctx, longestLimit, longestLimit, func(tx pgx.Tx) error {
		if w.partitioned {
			start.Part, start.Upper, err = w.nextPart(ctx, tx, "")
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
	return w.reread(ctx)
}

// resume reads the progress, and tells whether it counts.
func (w *walk) resume(ctx context.Context) (bool, error) {
	p, found, err := ledger.GetProgress(ctx, w.conn, w.o.Transition.ID, w.o.Job)
	if err != nil || !found || p.Epoch < w.o.Since {
		return false, err
	}
	// What was compared on a server that has failed over says nothing of this one.
	if p.FailedOver && !w.copying {
		return false, nil
	}
	if err := w.checkKey(p.Upper); err != nil {
		return false, err
	}
	w.progress = p
	return true, nil
}

// reread is resume of a progress that must be there.
func (w *walk) reread(ctx context.Context) error {
	found, err := w.resume(ctx)
	if err == nil && !found {
		err = ledger.ErrNoJob
	}
	return err
}

func (w *walk) checkKey(key []string) error {
	if key != nil && len(key) != len(w.q.key) {
		return fmt.Errorf("%w: it has %d columns, the progress has %d", ErrKeyChanged, len(w.q.key), len(key))
	}
	return nil
}

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

func (w *walk) report(waiting string) {
	w.told = w.progress.Finished()
	if w.o.OnProgress != nil {
		w.o.OnProgress(w.current(waiting))
	}
}

// current is the report of now.
func (w *walk) current(waiting string) Report {
	r := Report{Progress: w.progress, Batch: w.limit(w.pace.rows), Waiting: waiting,
		Signals: w.gauges.read(), Control: w.control}
	r.forecast(w.progress.RowsScanned-w.before, time.Since(w.began))
	return r
}
