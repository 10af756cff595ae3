package migrator

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// dropLockTimeout is how long statements of the old phase may have to queue
// behind one attempt to drop its token.
const dropLockTimeout = 50 * time.Millisecond

// drain waits until nobody acts by the phase that the transition has left, and
// drops its token. It returns at once when nothing has been left.
//
// Waiting is a courtesy: the drop is the barrier. It succeeds only when no
// transaction of the old phase is open, and whoever comes later is refused.
func (w *work) drain(ctx context.Context) error {
	first := w.t.Step == "" && w.t.Definition.Moves()
	if w.t.Draining == "" && !first {
		return nil
	}
	return w.await(ctx, w.lookEverywhere, w.endDrain)
}

// await looks around until nobody is left to wait for and end says that it is
// over. It applies the policy for laggards after the grace.
func (w *work) await(ctx context.Context, look func(ctx context.Context, fencing bool) (Drain, error),
	end func(context.Context, Drain) (bool, error)) (err error) {
	defer func() {
		if err != nil {
			w.measured.gaveUp(w.t)
		}
	}()
	began := time.Now()
	ended := map[target]bool{} // sessions that it has ended
	var logged []Session       // those that the log has named
	for {
		elapsed := time.Since(began)
		d, err := look(ctx, w.fencing(elapsed))
		if err != nil {
			return err
		}
		d.Elapsed = elapsed
		w.observe(DrainEvent{Drain: d})
		if elapsed >= w.Grace {
			logged = w.logWaiting(d, logged)
		}
		if len(d.Waiting) == 0 {
			done, err := end(ctx, d)
			if done || err != nil {
				return err
			}
		}
		if w.DrainTimeout > 0 && elapsed >= w.DrainTimeout {
			return &DrainError{d}
		}
		if elapsed >= w.Grace && w.Laggards == LaggardsTerminate {
			if err := w.terminate(ctx, d, ended); err != nil {
				return err
			}
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// fencing tells whether a drain does not wait any more for idle laggards.
func (w *work) fencing(elapsed time.Duration) bool {
	return elapsed >= w.Grace && w.Laggards != LaggardsWait
}

// lookAround finds who may still act by the phase that the transition has
// left. With fencing, idle sessions that the drop will stop count as Fenced.
func (w *work) lookAround(ctx context.Context, fencing bool) (Drain, error) {
	d, err := w.newDrain()
	if err != nil {
		return d, err
	}
	sessions, err := fence.Older(ctx, w.conn, w.t.Epoch)
	if err != nil {
		return d, err
	}
	previous, err := w.previousEpoch()
	if err != nil {
		return d, err
	}
	w.sift(&d, sessions, previous, fencing)
	if w.t.Draining != "" {
		holders, err := fence.Holders(ctx, w.conn, w.t.Draining)
		if err != nil {
			return d, err
		}
		d.Waiting = merge(d.Waiting, holders)
		d.Fenced = without(d.Fenced, d.Waiting)
	}
	if w.t.Removed || w.follows() {
		return d, nil
	}
	// A prepared transaction of a session without the hook holds no token.
	prepared, err := fence.PreparedOn(ctx, w.conn, w.t.Schema, w.t.Table, w.t.Token)
	if err != nil {
		return d, err
	}
	d.Waiting = merge(d.Waiting, prepared)
	return d, nil
}

// sift takes those of the sessions that concern the drain into it.
func (w *work) sift(d *Drain, sessions []Session, previous int, fencing bool) {
	for _, s := range sessions {
		switch {
		case s.Behind != "" && !d.waitsFor(fencing):
			d.Fenced = append(d.Fenced, s)
		case s.Behind != "":
			d.Waiting = append(d.Waiting, s)
		case !w.concerns(s, previous):
		case fencing && s.Epoch >= w.t.RegisteredEpoch && !s.InTx:
			d.Fenced = append(d.Fenced, s)
		default:
			d.Waiting = append(d.Waiting, s)
		}
	}
}

func (w *work) newDrain() (Drain, error) {
	d := Drain{Transition: w.t.Name, To: w.t.Phase, Epoch: w.t.Epoch, Waiting: []Session{}}
	if w.t.Removed {
		d.To = ""
	}
	if w.t.Draining == "" {
		return d, nil
	}
	p, _, err := ledger.ParseToken(w.t.Draining)
	d.From = p
	return d, err
}

// previousEpoch is the epoch from which on sessions act by the phase being
// left. Those that joined before it have been fenced by an earlier drop.
func (w *work) previousEpoch() (int, error) {
	if w.t.Draining == "" {
		return w.t.RegisteredEpoch, nil
	}
	_, epoch, err := ledger.ParseToken(w.t.Draining)
	return epoch, err
}

// concerns tells whether a session that has not joined the epoch in force may
// still act by the phase being left, or knows nothing of the transition.
func (w *work) concerns(s Session, previous int) bool {
	switch {
	case !s.Hooked():
		// A removed transition has no say in bare statements.
		return !w.t.Removed && !w.follows() && !w.ignores(s)
	case s.Epoch < w.t.RegisteredEpoch:
		return !w.t.Removed
	}
	return s.Epoch >= previous
}

// endDrain drops the token of the old phase; false when somebody holds it
// after all.
func (w *work) endDrain(ctx context.Context, d Drain) (bool, error) {
	if w.t.Draining != "" {
		if w.t.Removed {
			if err := w.alwaysIdentities(ctx); err != nil {
				return false, err
			}
		}
		evidence := map[string]any{"waited_ms": d.Elapsed.Milliseconds()}
		if len(d.Fenced) > 0 {
			evidence["fenced"] = lines(d.Fenced)
		}
		event := w.event("drained", d.Name())
		event.Evidence = evidence
		err := w.transaction("drop token of "+string(d.From), func() error {
			return pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, fmt.Sprintf(`set local lock_timeout = %d`, dropLockTimeout.Milliseconds()))
				if err != nil {
					return err
				}
				return ledger.Drained(ctx, tx, w.t, event)
			})
		})
		if sqlState(err) == "55P03" {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("end phase %s of %q: %w", d.From, w.t.Name, err)
		}
		w.t.Draining = ""
	}
	w.observe(DrainEvent{Drain: d, Done: true})
	w.Logger.LogAttrs(ctx, slog.LevelInfo, "drained", slog.String(keyTransition, w.t.Name),
		slog.String(keyFrom, string(d.From)), slog.String(keyTo, string(d.To)), slog.Duration(keyElapsed, d.Elapsed))
	return true, nil
}

// terminate ends the hooked sessions that dropping the token would not stop:
// those in a transaction, and those that joined before the transition was
// known.
func (w *work) terminate(ctx context.Context, d Drain, ended map[target]bool) error {
	for _, s := range d.Waiting {
		if !s.Hooked() || ended[target{s.Standby, s.PID}] {
			continue
		}
		gone, err := fence.Terminate(ctx, w.connOf(s), s)
		if err != nil {
			return err
		}
		if !gone {
			continue
		}
		ended[target{s.Standby, s.PID}] = true
		w.Logger.Warn("session ended", keyTransition, w.t.Name, keySession, s.String())
		if err := ledger.Record(ctx, w.conn, *w.t, w.event("terminate", s.String())); err != nil {
			return err
		}
	}
	return nil
}

// target is a session that was ended.
type target struct {
	standby string
	pid     int
}

// connOf is the connection to where a session has been seen.
func (w *work) connOf(s Session) *pgx.Conn {
	for _, standby := range w.standbys {
		if standby.name == s.Standby {
			return standby.conn
		}
	}
	return w.conn
}

// logWaiting logs whom the drain waits for, once each.
func (w *work) logWaiting(d Drain, logged []Session) []Session {
	fresh := without(d.Waiting, logged)
	if len(fresh) > 0 {
		w.Logger.Warn("drain waits", keyTransition, w.t.Name, keySession, lines(fresh))
	}
	return append(logged, fresh...)
}

// merge adds those of more that are not in sessions; of those that are in
// both, that they hold the old token.
func merge(sessions, more []Session) []Session {
	for _, s := range more {
		i := slices.IndexFunc(sessions, func(other Session) bool { return same(s, other) })
		if i < 0 {
			sessions = append(sessions, s)
			continue
		}
		sessions[i].HoldsOld = sessions[i].HoldsOld || s.HoldsOld
	}
	return sessions
}

func without(sessions, others []Session) []Session {
	return slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool {
		return slices.ContainsFunc(others, func(other Session) bool { return same(s, other) })
	})
}

func same(a, b Session) bool {
	return a.Standby == b.Standby && a.Behind == b.Behind && a.PID == b.PID && a.Prepared == b.Prepared
}

func lines(sessions []Session) []string {
	text := make([]string, len(sessions))
	for i, s := range sessions {
		text[i] = s.String()
	}
	return text
}
