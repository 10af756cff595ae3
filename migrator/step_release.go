package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// releaseName tells, as the step under way, that the source may be stale.
const releaseName = "release"

// releaseStep makes the sources columns that a write may leave out, before the
// phase complete leaves them out, and ends all copying onto the targets. Undoing
// it is the way back from complete, whose writes the sources do not have.
//
// Views, policies, triggers and the replica identity go over to the targets here,
// where either side is right. Where a trigger keeps the sources right, they are
// freed when it goes.
var releaseStep = step{
	name: releaseName, phase: RampDown, temporary: true,
	summary: "let views and the like read the target, and writes leave the source out",
	do: func(ctx context.Context, w *work) error {
		for _, job := range []ledger.Job{ledger.Backfill, ledger.Refill} {
			if err := w.forbid(ctx, job); err != nil {
				return err
			}
		}
		if err := w.forget(ctx, ledger.Refill); err != nil {
			return err
		}
		if err := targetIsIndexed(ctx, w); err != nil {
			return err
		}
		// First: the replica identity must leave an index before that is dropped.
		if err := w.carry(ctx); err != nil || synced(*w.t) {
			return err // unsyncStep frees the sources
		}
		return w.freeSources(ctx)
	},
	undo: func(ctx context.Context, w *work) error {
		// A half-done release may have left the permission to copy forward.
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		if err := w.bindSources(ctx); err != nil {
			return err
		}
		return w.carryBack(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		do, undo = carryStatements(t, "release")
		if synced(t) {
			return do, undo
		}
		return append(do, freeStatements(t)...), append(bindStatements(t), undo...)
	},
}

// uniques are the unique indexes of the sources themselves.
func uniques(t ledger.Transition) []ledger.Index {
	var list []ledger.Index
	for _, index := range t.Definition.Indexes {
		if index.Restore != "" {
			list = append(list, ledger.Index{Target: index.Name, Create: index.Restore, TargetConstraint: index.Constraint})
		}
	}
	return list
}

// refill copies the targets, which are the authority in this phase, to the
// sources and compares every row. Who comes again after differences were found gets
// both done anew.
func (w *work) refill(ctx context.Context) error {
	differed, err := w.differed(ctx)
	if err != nil {
		return err
	}
	fill := w.copy
	if differed {
		fill = w.repair
	}
	if err := fill(ctx, ledger.Refill); err != nil {
		if errors.Is(err, sweep.ErrNoCounterpart) {
			return w.closed("change that value to one that the source can hold and roll back again, or go on to complete",
				"the source cannot be filled again: %v", err)
		}
		return err
	}
	_, err = w.compare(ctx)
	return err
}

// ensureDefault gives a column that default; "" is none.
func (w *work) ensureDefault(ctx context.Context, column, expression string) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), column)
	switch {
	case err != nil || !c.Exists || c.Default == expression:
		return err
	case expression == "":
		return w.run(ctx, ddl.DropDefault(w.table(), column))
	}
	return w.run(ctx, ddl.SetDefault(w.table(), column, expression))
}
