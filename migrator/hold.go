package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// A column has one name at a time, so the phases contracted and named cannot be
// in force at once as other neighbours are. The flip between them is held: for at
// most Config.HoldTimeout nobody joins, the connections of contracted leave, and
// one transaction renames the column and changes the tokens. To an application
// that is a moment in which the pool opens a connection.
//
// What does not succeed in time is given up: those who wait join contracted, as if
// nothing had happened. Whoever made it fail is then waited for without a hold.

const (
	// maxHolds is how often a held flip is tried.
	maxHolds = 10
	// holdPoll is how often it looks whether the connections have gone.
	holdPoll = 10 * time.Millisecond
	// lastHoldPause is the longest pause between two tries.
	lastHoldPause = 30 * time.Second
)

// heldFlip is the flip from contracted to named.
type heldFlip struct {
	*work
	// rename are the statements that go with it, in one transaction.
	rename []ddl.Statement
	// move is its event.
	move ledger.Event
}

func (w heldFlip) do(ctx context.Context) error {
	tries := 0
	return w.await(ctx, w.lookAhead, func(ctx context.Context, d Drain) (bool, error) {
		tries++
		waiting, err := w.try(ctx, d)
		switch {
		case err != nil:
			return false, err
		case waiting == nil:
			d.Epoch = w.t.Epoch
			w.observe(DrainEvent{Drain: d, Done: true})
			return true, nil
		}
		d.Waiting = waiting
		w.observe(DrainEvent{Drain: d})
		w.Logger.LogAttrs(ctx, slog.LevelWarn, "hold given up", slog.String(keyTransition, w.t.Name), slog.Any(keySession, lines(waiting)))
		if tries == maxHolds {
			return false, &DrainError{d}
		}
		pause := min(w.HoldTimeout<<tries, lastHoldPause)
		return false, sleep(ctx, pause/2+rand.N(pause))
	})
}

// lookAhead finds who would not make way in time, so that a hold would be in vain:
// also those without the hook, and ignored, who have the table locked for long.
func (w heldFlip) lookAhead(ctx context.Context, fencing bool) (Drain, error) {
	d, err := w.lookHeld(ctx, fencing)
	if err != nil {
		return d, err
	}
	holders, err := fence.HoldersOf(ctx, w.conn, w.t.Schema, w.t.Table)
	if err != nil {
		return d, err
	}
	quick := func(s Session) bool { return s.PID != 0 && s.Age < w.HoldTimeout }
	// An autovacuum, which has no user, is made to give way.
	holders = slices.DeleteFunc(holders, func(s Session) bool { return s.PID != 0 && s.User == "" })
	d.Waiting = slices.DeleteFunc(d.Waiting, func(s Session) bool { return s.Hooked() && s.Epoch >= w.t.Epoch && quick(s) })
	d.Waiting = merge(d.Waiting, slices.DeleteFunc(holders, quick))
	return d, nil
}

// lookHeld finds who may still act by the phase contracted, as if its token were
// being left.
func (w heldFlip) lookHeld(ctx context.Context, fencing bool) (Drain, error) {
	t := *w.t
	t.Draining = t.Token
	d, err := (&work{session: w.session, t: &t}).lookAround(ctx, fencing)
	d.To = Named
	return d, err
}

// try holds those who join, and renames as soon as nobody acts by contracted any
// more. It returns those who were in the way when it gave up, and nil when it did
// not.
func (w heldFlip) try(ctx context.Context, d Drain) (waiting []Session, err error) {
	// An autovacuum gives way to this, but not within the lock_timeout of a rename.
	if err := w.run(ctx, ddl.MakeWay(w.table())); err != nil {
		return nil, err
	}
	if err := fence.BeginHold(ctx, w.conn); err != nil {
		return nil, err
	}
	began, held := time.Now(), false
	defer func() {
		// Those who wait must not wait for the end of this session.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if held && w.t.Phase == Contracted && !w.conn.IsClosed() {
			e := w.event("hold given up", d.Name())
			e.Evidence = map[string]any{"waiting": lines(waiting), "ms": time.Since(began).Milliseconds()}
			err = errors.Join(err, ledger.Release(ctx, w.conn, *w.t, e))
		}
		if !w.conn.IsClosed() {
			err = errors.Join(err, fence.EndHold(ctx, w.conn))
		}
	}()
	err = w.transaction("hold those who join", func() error {
		return ledger.Hold(ctx, w.conn, w.t, w.HoldTimeout, w.event("hold", d.Name()))
	})
	if err != nil {
		return nil, err
	}
	held = true
	for {
		now, err := w.lookHeld(ctx, w.fencing(d.Elapsed))
		if err != nil {
			return nil, err
		}
		if len(now.Waiting) == 0 {
			return w.change(ctx, now, time.Since(began))
		}
		if time.Since(began) >= w.HoldTimeout {
			return now.Waiting, nil
		}
		if err := sleep(ctx, holdPoll); err != nil {
			return nil, err
		}
	}
}

// change ends contracted and begins named. It returns who stands in the way of its
// locks: a transaction without the hook that reads the table.
func (w heldFlip) change(ctx context.Context, d Drain, held time.Duration) (waiting []Session, err error) {
	event := w.move
	event.Evidence = maps.Clone(event.Evidence)
	if event.Evidence == nil {
		event.Evidence = map[string]any{}
	}
	event.Evidence["held_ms"] = held.Milliseconds()
	if len(d.Fenced) > 0 {
		event.Evidence["fenced"] = lines(d.Fenced)
	}
	next := *w.t
	err = w.transaction(fmt.Sprintf("move %s -> %s, and rename", Contracted, Named), func() error {
		return pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
			if err := ledger.Name(ctx, tx, &next, dropLockTimeout, event); err != nil {
				return err
			}
			for _, s := range w.rename {
				if _, err := tx.Exec(ctx, s.SQL); err != nil {
					return fmt.Errorf("run %s: %w", s.SQL, err)
				}
			}
			return nil
		})
	})
	switch {
	case err == nil:
		*w.t = next
		w.Logger.LogAttrs(ctx, slog.LevelInfo, "phase moved", slog.String(keyTransition, w.t.Name), slog.String(keyFrom, string(Contracted)),
			slog.String(keyTo, string(Named)), slog.Int(keyEpoch, w.t.Epoch), slog.Duration(keyElapsed, held))
		return nil, nil
	case errors.Is(err, ledger.ErrHoldOver), sqlState(err) == "55P03", sqlState(err) == "40P01":
		return w.inTheWay(ctx)
	}
	return nil, fmt.Errorf("name %s of %q: %w", w.t.Definition.Sources[0].Name, w.t.Name, err)
}

// inTheWay are those who hold locks on the table. The list is never nil.
func (w heldFlip) inTheWay(ctx context.Context) ([]Session, error) {
	holders, err := fence.HoldersOf(ctx, w.conn, w.t.Schema, w.t.Table)
	if err != nil {
		return nil, err
	}
	return append([]Session{}, holders...), nil
}
