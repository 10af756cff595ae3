package migrator

import (
	"context"
	"errors"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// run executes a statement on the table.
func (w *work) run(ctx context.Context, s ddl.Statement) error {
	return w.statement(s, func(r ddl.Runner) error { return r.Run(ctx, w.conn, s) })
}

// statement tells the observer of a statement and of each attempt at it.
func (w *work) statement(s ddl.Statement, run func(ddl.Runner) error) error {
	began := time.Now()
	event := StatementEvent{Transition: w.t.Name, Step: w.step.name, SQL: s.SQL, Lock: s.Lock}
	w.observe(event)
	runner := w.ddl
	// It may be called by another goroutine, but only while Run blocks this one.
	runner.OnRetry = func(r ddl.Retry) {
		event.Retry, event.Elapsed = r.Attempt, r.Waited
		event.Blockers = event.Blockers[:0:0]
		for _, b := range r.Blockers {
			event.Blockers = append(event.Blockers, b.String())
		}
		w.observe(event)
	}
	err := run(runner)
	event.Done, event.Err, event.Elapsed = true, err, time.Since(began)
	w.observe(event)
	return err
}

// transaction tells the observer of a transaction of the ledger.
func (w *work) transaction(what string, run func() error) error {
	began := time.Now()
	event := StatementEvent{Transition: w.t.Name, Step: w.step.name, SQL: "-- " + what}
	w.observe(event)
	err := run()
	event.Done, event.Err, event.Elapsed = true, err, time.Since(began)
	w.observe(event)
	return err
}

// copy copies source to target (ledger.Backfill) or back (ledger.Refill).
func (w *work) copy(ctx context.Context, job ledger.Job) error {
	token, err := w.permit(ctx, job)
	if err != nil {
		return err
	}
	p, err := w.scan(ctx, job, func(o sweep.Options) (ledger.Progress, error) {
		o.Token = token
		return sweep.Copy(ctx, w.conn, o)
	})
	if p.Finished() {
		w.evidence = map[string]any{string(job): outcome(p)}
	}
	return err
}

// permit allows copying in the direction of a job, and returns the token that
// batches name. What permitted the other direction ends: a repair may have
// left it behind, and no phase permits both.
func (w *work) permit(ctx context.Context, job ledger.Job) (token string, err error) {
	opposite := ledger.Refill
	if job == ledger.Refill {
		opposite = ledger.Backfill
	}
	if w.t.Phase.Behaviour().Read == copiedFrom[job] { // else Allow says what is wrong
		if err := w.forbid(ctx, opposite); err != nil {
			return "", err
		}
	}
	err = w.transaction("allow "+string(job), func() (err error) {
		token, err = ledger.Allow(ctx, w.conn, *w.t, job)
		return err
	})
	return token, err
}

// copiedFrom are the sides from which jobs copy.
var copiedFrom = map[ledger.Job]phase.Side{ledger.Backfill: phase.Source, ledger.Refill: phase.Target}

// compare compares all rows; differences are a *MismatchError.
func (w *work) compare(ctx context.Context) (Verification, error) {
	p, err := w.scan(ctx, ledger.Verify, func(o sweep.Options) (ledger.Progress, error) {
		return sweep.Compare(ctx, w.conn, o)
	})
	v := verification(*w.t, p)
	if err == nil && v.Mismatches > 0 {
		err = &MismatchError{v}
	}
	return v, err
}

// walked is the table with the key that it has at this time. While release is
// undone it is the target that has the key, or a unique index, until the end; a
// helper in another process sees that in the ledger as well.
func (w *work) walked() sweep.Table {
	d := w.t.Definition
	table := sweep.Table{Schema: w.t.Schema, Name: w.t.Table, Key: d.Key, KeyTypes: d.KeyTypes}
	if w.t.Underway == releaseName {
		table.Key, table.KeyTypes = d.TargetKey(), d.TargetKeyTypes()
	}
	return table
}

// scan walks the table with as many workers as are wanted.
func (w *work) scan(ctx context.Context, job ledger.Job, walk func(sweep.Options) (ledger.Progress, error)) (p ledger.Progress, err error) {
	defer func() {
		if err != nil {
			w.measured.stopped(w.t, job)
		}
	}()
	o := w.sweepOptions(job)
	for range w.Workers - 1 {
		helper, err := w.another(ctx)
		if err != nil {
			return ledger.Progress{}, err
		}
		defer helper.close(ctx)
		o.Helpers = append(o.Helpers, helper.conn)
	}
	p, err = walk(o)
	if errors.Is(err, sweep.ErrColumnsChanged) || errors.Is(err, sweep.ErrKeyChanged) {
		err = w.closed("make it what it was, and run again; or roll back", "%v", err)
	}
	return p, err
}

// sweepOptions make a sweep begin anew when the transition has moved since it
// began: what was true of the rows then may not be now.
func (w *work) sweepOptions(job ledger.Job) sweep.Options {
	return sweep.Options{
		Transition: *w.t, Table: w.walked(), Job: job, Since: w.t.Epoch, BatchTarget: w.BatchTarget, Worker: w.Actor,
		Signals: w.Throttle.signals(),
		OnProgress: func(r sweep.Report) {
			p := jobProgress(r.Progress)
			p.Waiting, p.Signals, p.RateLimit = r.Waiting, r.Signals, r.Control.Rate
			if r.Rate > 0 && !p.Finished {
				p.Rate, p.Left = r.Rate, max(r.Left, 0) // of this run
			}
			w.observe(BatchEvent{Transition: w.t.Name, Step: w.step.name, Progress: p})
			w.Logger.Debug("batch", keyTransition, w.t.Name, keyJob, p.Job, keyRows, p.RowsScanned)
		},
		OnHelperLost: func(err error) {
			w.Logger.Warn("a worker is lost, the others do its work", keyTransition, w.t.Name, keyJob, string(job), keyError, err)
		},
	}
}

// forbid ends the permission to copy. Only a migrator that was paused, or
// whose connection was lost, can still hold it.
func (w *work) forbid(ctx context.Context, job ledger.Job) error {
	ctx, cancel := context.WithTimeout(ctx, w.DDLMaxWait)
	defer cancel()
	return w.transaction("forbid "+string(job), func() error {
		return ledger.Forbid(ctx, w.conn, *w.t, job)
	})
}

func (w *work) forget(ctx context.Context, job ledger.Job) error {
	return w.transaction("forget "+string(job), func() error {
		return ledger.ForgetProgress(ctx, w.conn, w.t.ID, job)
	})
}
