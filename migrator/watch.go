package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// WatchOptions says how often to look.
type WatchOptions struct {
	// Every is the time between the ends of two passes and the beginnings of the
	// next ones. 0 means an hour.
	Every time.Duration
	// Rate limits a pass to a number of rows per second; 0 means no limit.
	Rate int
	// OnPass is called after each pass; nil: nobody is told.
	OnPass func(Verification)
}

// Watch compares source with target in every row again and again, beside the
// migrator and the steps, until they differ or there is nothing to compare any
// more: in phase complete and after it, it returns nil. Differences are a
// *MismatchError; they close the gate of phase live until the rows are repaired or
// verified again. Before the backfill it waits.
//
// Both values are of one row version, so what differs does differ. A pass during
// which the transition has moved says nothing, and is made again.
func (m *Migrator) Watch(ctx context.Context, name string, o WatchOptions) error {
	if o.Every <= 0 {
		o.Every = time.Hour
	}
	for {
		again, err := m.watchOnce(ctx, name, o)
		if err != nil || !again {
			return err
		}
		if err := sleep(ctx, o.Every); err != nil {
			return err
		}
	}
}

// watchOnce makes one pass, on a connection that holds up no other migrator.
func (m *Migrator) watchOnce(ctx context.Context, name string, o WatchOptions) (again bool, err error) {
	err = m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		if !w.t.Definition.Moves() {
			return w.verifiable() // says so
		}
		if !w.t.Phase.Before(Complete) {
			return nil
		}
		again = true
		if !w.comparable() {
			return nil // not yet, or the sources are being filled again
		}
		return w.act(string(ledger.Watch), func() error { return w.pass(ctx, o) })
	})
	return again, err
}

// comparable: a difference now would be one that should not be.
func (w *work) comparable() bool {
	var closed *GateError
	return !errors.As(w.verifiable(), &closed)
}

func (w *work) pass(ctx context.Context, o WatchOptions) error {
	options := w.sweepOptions(ledger.Watch)
	options.Rate = o.Rate
	if err := w.forget(ctx, ledger.Watch); err != nil {
		return err
	}
	p, err := sweep.Compare(ctx, w.conn, options)
	if err != nil && (ctx.Err() != nil || w.conn.IsClosed()) {
		return err
	}
	// What was found, or failed, counts if nothing has moved since the pass began:
	// from rampdown on the source may be left behind as it should be.
	now, readErr := ledger.Get(ctx, w.conn, w.t.Name)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	epoch := w.t.Epoch
	*w.t = now
	if moved := now.Epoch != epoch || !w.comparable(); moved || errors.Is(err, sweep.ErrNoJob) {
		w.Logger.LogAttrs(ctx, slog.LevelInfo, "the transition has moved, the pass says nothing", slog.String(keyTransition, w.t.Name))
		return nil //nolint:nilerr // what failed, if it did, was about a phase that is over
	}
	if err != nil {
		return err
	}
	v := verification(*w.t, p)
	if o.OnPass != nil {
		o.OnPass(v)
	}
	if v.Mismatches == 0 {
		return nil
	}
	e := w.event("mismatch", fmt.Sprintf("%d of %d rows differ, the verification is void", v.Mismatches, v.Rows))
	e.Evidence = map[string]any{"mismatches": v.Mismatches, "keys": v.Samples}
	err = w.transaction("void the verification", func() error { return ledger.VoidVerification(ctx, w.conn, *w.t, p, e) })
	return errors.Join(&MismatchError{v}, err)
}
