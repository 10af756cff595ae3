package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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
