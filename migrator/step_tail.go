package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/logical"
)

// tailStep makes the slot, from which on nothing that writers without the hook
// write is missed. It comes before the backfill, which copies what was there
// before.
var tailStep = step{
	name: "sync", phase: DualWrite,
	summary: "make the slot for writers without the hook; the log is followed from here on",
	do: func(ctx context.Context, w *work) error {
		tailer, err := w.tailer(ctx, *w.t)
		if err != nil {
			return err
		}
		if err := tailer.Setup(ctx); err != nil {
			return &TailError{Transition: w.t.Name, Err: err}
		}
		slot, err := ledger.SlotName(ctx, w.conn, w.t.ID)
		if err != nil {
			return err
		}
		if err := ledger.BeginTail(ctx, w.conn, w.t.ID, slot); err != nil {
			return err
		}
		_, err = w.permit(ctx, ledger.Backfill)
		return err
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.dropTail(ctx); err != nil {
			return err
		}
		return ledger.ForgetTail(ctx, w.conn, w.t.ID)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{
				{
					SQL: "create publication crossfade_t<id> for table " + tableOf(t).String(), Lock: shareUpdateExclusive, On: tableOf(t).String(),
					LockTimeout: 2 * time.Second, Hazard: "a table without a replica identity would take no UPDATE or DELETE: refused before",
					Why: "the log says which rows change",
				},
				{
					SQL:    "select pg_create_logical_replication_slot('crossfade_<database>_t<id>', 'pgoutput')",
					Hazard: "waits for all open transactions of the server; while nobody reads it the server keeps its log",
					Why:    "nothing is missed from here on",
				},
			}, []ddl.Statement{
				{SQL: "select pg_drop_replication_slot('crossfade_<database>_t<id>')", Why: "the server keeps no more log for it"},
				{SQL: "drop publication crossfade_t<id>", Why: "nothing is left of it"},
			}
	},
}

const shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"

// tailBarrierStep ends the time of writers without the hook. What follows would
// break for them: NOT NULL, unique indexes and the CHECK refuse half a row.
var tailBarrierStep = step{
	name: "sync-barrier", phase: DualWrite,
	summary: "wait until no session without the hook is left, and all that they wrote is followed",
	do: func(ctx context.Context, w *work) error {
		if err := w.await(ctx, w.lookForUnhooked, w.noneUnhooked); err != nil {
			return err
		}
		lsn, err := w.catchUp(ctx)
		if err != nil {
			return err
		}
		w.evidence = map[string]any{"marker": lsn}
		return ledger.SetBarrier(ctx, w.conn, w.t.ID, lsn)
	},
	undo: func(ctx context.Context, w *work) error { return ledger.SetBarrier(ctx, w.conn, w.t.ID, "") },
	plan: func(ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{{
			SQL: "select pg_logical_emit_message(true, 'crossfade', ...)",
			Why: "sent when no session without the hook is connected; when it has been applied, so has all that they wrote",
		}}, nil
	},
}

// untailStep takes the slot away: since the step before, PostgreSQL itself refuses
// a write of one side, whoever makes it.
var untailStep = step{
	name: "unsync", phase: DualWrite,
	summary: "drop the slot: from here on PostgreSQL refuses a write of one side only",
	do: func(ctx context.Context, w *work) error {
		if err := equalityIsEnforced(ctx, w); err != nil {
			return err
		}
		// A tail that sleeps cannot copy when it wakes up, whatever the direction is
		// then.
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		return w.dropTail(ctx)
	},
	undo: func(context.Context, *work) error { return nil },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		_, drop := tailStep.plan(t)
		return drop, nil
	},
}

// lookForUnhooked finds the sessions without the hook, and prepared transactions
// of such.
func (w *work) lookForUnhooked(ctx context.Context, _ bool) (Drain, error) {
	d := Drain{Transition: w.t.Name, From: w.t.Phase, To: w.t.Phase, Epoch: w.t.Epoch, Waiting: []Session{}}
	found, err := w.writers(ctx)
	if err != nil {
		return d, err
	}
	prepared, err := fence.PreparedOn(ctx, w.conn, w.t.Schema, w.t.Table, w.t.Token)
	d.Waiting = append(append(d.Waiting, found.Connected...), prepared...)
	return d, err
}

func (w *work) noneUnhooked(_ context.Context, d Drain) (bool, error) {
	w.observe(DrainEvent{Drain: d, Done: true})
	return true, nil
}

// catchUp returns when everything that has committed is applied, and how far that
// is in the log.
func (w *work) catchUp(ctx context.Context) (string, error) {
	tailer, err := w.tailer(ctx, *w.t)
	if err != nil {
		return "", err
	}
	if w.DrainTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.DrainTimeout)
		defer cancel()
	}
	for {
		lsn, err := tailer.Barrier(ctx)
		_, lost := logical.AsSlotLost(err)
		_, refused := logical.AsRefusal(err)
		switch state := sqlState(err); {
		case err == nil:
			return lsn.String(), nil
		case errors.Is(err, context.DeadlineExceeded):
			return "", w.closed("look who is active and how far it is: crossfade status "+w.t.Name,
				"the marker in the log was not applied within %s", w.DrainTimeout)
		case lost:
			return "", &TailError{Transition: w.t.Name, Err: err}
		case refused || ctx.Err() != nil || state != "" && !strings.HasPrefix(state, "57P"):
			return "", err
		}
		// Its connection was lost; with the migrator's own there is no going on.
		if err := w.conn.Ping(ctx); err != nil {
			return "", fmt.Errorf("barrier: %w", err)
		}
		if err := w.pause(ctx); err != nil {
			return "", err
		}
	}
}

// settleTail: what somebody without the hook has written all the same is applied
// before a unique index is built, before rows are compared, and before the CHECK
// that refuses one side is validated: that has waited for all who had written one.
func (w *work) settleTail(ctx context.Context) error {
	done, _, err := w.standing()
	if err != nil || w.tail == nil || !w.inTail(done) {
		return err
	}
	_, err = w.catchUp(ctx)
	return err
}

// dropTail leaves nothing of the tail but what it has found. The tails of others
// end by themselves when they see where the transition stands; the connection of
// one that does not, since its process is stopped, is ended.
func (w *work) dropTail(ctx context.Context) error {
	if err := ledger.EndTail(ctx, w.conn, w.t.ID); err != nil {
		return err
	}
	tailer, err := w.tailer(ctx, *w.t)
	if err != nil {
		return err
	}
	err = w.transaction("drop the slot and the publication", func() error {
		err := tailer.Drop(ctx)
		if sqlState(err) != "55006" { // object_in_use, for ten seconds
			return err
		}
		if err := w.endReader(ctx); err != nil {
			return err
		}
		return tailer.Drop(ctx)
	})
	if err != nil {
		return fmt.Errorf("drop the tail of %q: %w", w.t.Name, err)
	}
	return ledger.ForgetPositions(ctx, w.conn, w.t.ID)
}

func (w *work) endReader(ctx context.Context) error {
	slot, err := ledger.SlotName(ctx, w.conn, w.t.ID)
	if err != nil {
		return err
	}
	w.Logger.WarnContext(ctx, "the slot is still read: that connection is ended", keyTransition, w.t.Name)
	_, err = w.conn.Exec(ctx, `select pg_terminate_backend(active_pid) from pg_replication_slots
		where slot_name = $1 and active_pid is not null`, slot)
	return err
}

// barrierIsBehind is the gate: everything that writers without the hook have
// written was applied, and from then on they were gone.
func barrierIsBehind(ctx context.Context, w *work) error {
	if !tailed(*w.t) {
		return nil
	}
	tail, found, err := ledger.GetTail(ctx, w.conn, w.t.ID)
	if err == nil && (!found || tail.BarrierAt == nil) {
		err = w.closed("roll back to off, and run again", "no marker behind the last writer without the hook has been applied")
	}
	return err
}

// tailedAreGone: whoever has lately worked on the table without the hook would
// fail on the missing source.
func tailedAreGone(ctx context.Context, w *work) error {
	if !tailed(*w.t) {
		return nil
	}
	return nobodyWithoutHook(ctx, w)
}
