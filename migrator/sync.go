package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// syncTrigger is the Sync of a transition whose writers without the hook are
// followed by a trigger.
const syncTrigger = "trigger"

// syncMode is the mode of the trigger that a valid transition asks for; empty
// for none.
func (t Transition) syncMode() synctrigger.Mode {
	switch {
	case t.Sync != syncTrigger:
		return ""
	case t.SyncMode == "":
		return synctrigger.Sync
	}
	return synctrigger.Mode(t.SyncMode)
}

// sync is Sync, and empty for none.
func (t Transition) sync() string {
	if t.Sync == "none" {
		return ""
	}
	return t.Sync
}

func (t Transition) validateSync() []error {
	var errs []error
	switch t.Sync {
	case "", "none", syncTrigger, syncLogical:
	default:
		errs = append(errs, fmt.Errorf("sync: %q is none of none, trigger, logical", t.Sync))
	}
	if moves := t.Rename != nil || t.Change != nil || t.Split != nil || t.Merge != nil; t.sync() != "" && !moves {
		errs = append(errs, errors.New("sync: it goes with rename, change, split and merge only"))
	}
	switch mode := synctrigger.Mode(t.SyncMode); {
	case mode != "" && t.Sync != syncTrigger:
		errs = append(errs, fmt.Errorf("sync_mode: %q goes with sync: trigger only", t.SyncMode))
	case mode != "" && !mode.Valid():
		errs = append(errs, fmt.Errorf("sync_mode: %q is none of sync, refuse, count", t.SyncMode))
	}
	return errs
}

// triggered tells whether the transition has a trigger.
func triggered(t ledger.Transition) bool { return t.Definition.Sync == syncTrigger }

// synced: a trigger keeps both sides of every row, whoever writes it, until
// contract begins.
func synced(t ledger.Transition) bool { return t.Definition.KeepsBoth() }

// follows: sessions without the hook need not be waited for. What they have
// written before the trigger or the slot is there, the backfill comes after; what
// they write then is kept right, or refused, or followed until the barrier. What they read of the sources is right as
// long as the sources are kept.
func (w *work) follows() bool {
	if tailed(*w.t) {
		done, _, err := w.standing()
		barrier, _ := w.way.indexOf(tailBarrierStep.name)
		return err == nil && done < barrier
	}
	switch w.t.Phase {
	case Contracted:
		return false
	case Complete:
		return synced(*w.t)
	}
	return triggered(*w.t) && w.t.Definition.SyncMode != string(synctrigger.Count)
}

// triggerOf is the trigger of a transition that has one. free: writes leave the
// sources out.
func triggerOf(t ledger.Transition, free bool) synctrigger.Trigger {
	mode := synctrigger.Mode(t.Definition.SyncMode)
	return synctrigger.Trigger{
		ID: t.ID, Table: tableOf(t), Move: t.Definition.Move, Mode: mode, SourceIsFree: free && mode != synctrigger.Sync,
	}
}

func (w *work) readTrigger(ctx context.Context, trigger synctrigger.Trigger) (ddl.Trigger, error) {
	return ddl.ReadTrigger(ctx, w.conn, w.table(), trigger.Name(), trigger.Function(), synctrigger.Names)
}

// ensureTrigger installs the trigger, with the function that goes with the
// sources being free or not, and looks that it fires last.
func (w *work) ensureTrigger(ctx context.Context, free bool) error {
	trigger := triggerOf(*w.t, free)
	is, err := w.readTrigger(ctx, trigger)
	if err != nil {
		return err
	}
	if is.Exists && (!is.Always || is.Body == "") { // somebody has changed it
		if err := w.run(ctx, trigger.Uninstall()); err != nil {
			return err
		}
		is = ddl.Trigger{}
	}
	if is.Body != trigger.Function().Body {
		if err := w.run(ctx, ddl.CreateTriggerFunction(w.table(), trigger.Function())); err != nil {
			return err
		}
	}
	if !is.Exists {
		if err := w.run(ctx, trigger.Install()); err != nil {
			return err
		}
	}
	return w.triggerHolds(ctx, free)
}

// triggerHolds is the gate: the trigger is there, as it should be, and sees what
// all others have made of a row.
func (w *work) triggerHolds(ctx context.Context, free bool) error {
	trigger := triggerOf(*w.t, free)
	is, err := w.readTrigger(ctx, trigger)
	switch {
	case err != nil:
		return err
	case !is.Exists || !is.Always || is.Body != trigger.Function().Body:
		return w.closed("roll back to off, and run again",
			"the trigger %q is gone, disabled, or not what it was: writes without the hook may have been missed", trigger.Name())
	case !is.Last:
		return w.closed("give that trigger a name that sorts before "+synctrigger.Prefix+", or drop it, and run again",
			"a trigger of the table fires after %q and may change what it has kept", trigger.Name())
	}
	return nil
}

// triggerIsThere is that gate while both sides are kept.
func triggerIsThere(ctx context.Context, w *work) error {
	if !triggered(*w.t) {
		return nil
	}
	return w.triggerHolds(ctx, false)
}

// triggerLetsGo: before writes leave the sources out, the trigger and the CHECK
// keep them right all the same, or look at writes of the sources alone.
func triggerLetsGo(ctx context.Context, w *work) error {
	if !triggered(*w.t) {
		return nil
	}
	if err := w.triggerHolds(ctx, true); err != nil || !synced(*w.t) {
		return err
	}
	return equalityIsEnforced(ctx, w)
}

// unlessSynced is a gate for transitions whose sources nobody keeps in complete.
func unlessSynced(check func(context.Context, *work) error) func(context.Context, *work) error {
	return func(ctx context.Context, w *work) error {
		if synced(*w.t) {
			return nil
		}
		return check(ctx, w)
	}
}

// removeTrigger leaves nothing of the trigger. Its notes stay until the transition
// is removed: who wrote lately still counts when the trigger comes again.
func (w *work) removeTrigger(ctx context.Context) error {
	trigger := triggerOf(*w.t, false)
	exists, err := ddl.FunctionExists(ctx, w.conn, trigger.Function())
	if err != nil || !exists {
		return err
	}
	return w.run(ctx, trigger.Uninstall())
}
