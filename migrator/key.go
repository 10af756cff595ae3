package migrator

import (
	"context"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// A primary key stands on the source as long as that is written, but for the time
// between release and complete. Both columns have a unique index in every phase
// that writes both, so what chooses one by its column finds it. The key itself
// moves in one statement; its name stays.

// targetKeyIndex is the index on the target that becomes the key.
func targetKeyIndex(k ledger.PrimaryKey) ledger.Index {
	return ledger.Index{Name: k.Constraint, Target: k.Target, Create: k.Create}
}

// sourceKeyIndex is the index on the source that becomes the key again.
func sourceKeyIndex(k ledger.PrimaryKey) ledger.Index {
	return ledger.Index{Name: k.Constraint, Target: k.Source, Create: k.Restore}
}

// keyIndexes are the indexes to build on the targets for the sake of the key.
func keyIndexes(t ledger.Transition) []ledger.Index {
	if k := t.Definition.PrimaryKey; k != nil {
		return []ledger.Index{targetKeyIndex(*k)}
	}
	return nil
}

// onTarget tells whether the primary key stands on the target.
func (w *work) onTarget(ctx context.Context) (bool, error) {
	key, err := ddl.ReadPrimaryKey(ctx, w.conn, w.table())
	return slices.Equal(key.Columns, w.t.Definition.TargetKey()), err
}

// keyIsIndexed: the target has what becomes the primary key.
func keyIsIndexed(ctx context.Context, w *work) error {
	k := w.t.Definition.PrimaryKey
	if k == nil {
		return nil
	}
	moved, err := w.onTarget(ctx)
	if err != nil || moved {
		return err
	}
	state, err := ddl.ReadIndex(ctx, w.conn, w.table(), k.Target)
	if err == nil && state != ddl.IndexValid {
		err = w.closed("roll back to off, and run again", "index %q, which is to be the primary key, is %s", k.Target, state)
	}
	return err
}

// keyIsOnTarget: the source can be left out, the table has its key elsewhere.
func keyIsOnTarget(ctx context.Context, w *work) error {
	if w.t.Definition.PrimaryKey == nil {
		return nil
	}
	moved, err := w.onTarget(ctx)
	if err == nil && !moved {
		err = w.closed("roll back to rampdown, and run again", "the primary key is not on %q", w.t.Definition.TargetKey())
	}
	return err
}

// moveKey makes the target the primary key, and takes the foreign keys of the
// source away. Those of the target are there, unless returnKey was interrupted,
// which may also have left its indexes.
func (w *work) moveKey(ctx context.Context) error {
	k := w.t.Definition.PrimaryKey
	if k == nil {
		if err := w.ensureForeignKeys(ctx, targetSide); err != nil {
			return err
		}
		return w.dropForeignKeys(ctx, sourceSide)
	}
	moved, err := w.onTarget(ctx)
	if err != nil {
		return err
	}
	spare := w.ensureIndex
	if moved {
		spare = w.dropIndex
	}
	if err := spare(ctx, targetKeyIndex(*k)); err != nil {
		return err
	}
	if err := w.ensureForeignKeys(ctx, targetSide); err != nil {
		return err
	}
	if err := w.dropForeignKeys(ctx, sourceSide); err != nil {
		return err
	}
	if !moved {
		if err := w.run(ctx, ddl.SwapPrimaryKey(w.table(), k.Constraint, k.Target)); err != nil {
			return err
		}
	}
	return w.dropIndex(ctx, sourceKeyIndex(*k))
}

// returnKey makes the source the primary key again. What references the target
// depends on the index of the key, which goes: it is added again over the new
// one. Meanwhile the foreign keys over the source hold the same, since both
// columns are written and held equal.
func (w *work) returnKey(ctx context.Context) error {
	k := w.t.Definition.PrimaryKey
	if k == nil {
		return w.ensureForeignKeys(ctx, sourceSide)
	}
	moved, err := w.onTarget(ctx)
	if err != nil {
		return err
	}
	if moved {
		if err := w.ensureIndex(ctx, sourceKeyIndex(*k)); err != nil {
			return err
		}
	}
	if err := w.ensureForeignKeys(ctx, sourceSide); err != nil {
		return err
	}
	if err := w.ensureIndex(ctx, targetKeyIndex(*k)); err != nil {
		return err
	}
	if moved {
		if err := w.dropForeignKeys(ctx, targetSide); err != nil {
			return err
		}
		if err := w.run(ctx, ddl.SwapPrimaryKey(w.table(), k.Constraint, k.Source)); err != nil {
			return err
		}
	}
	return w.ensureForeignKeys(ctx, targetSide)
}

// keyStatements are those of moveKey and returnKey, for a plan.
func keyStatements(t ledger.Transition) (do, undo []ddl.Statement) {
	addSource, dropSource := foreignKeyStatements(t, sourceSide)
	k := t.Definition.PrimaryKey
	if k == nil {
		return dropSource, addSource
	}
	addTarget, dropTarget := foreignKeyStatements(t, targetSide)
	do = append(dropSource, ddl.SwapPrimaryKey(tableOf(t), k.Constraint, k.Target))
	undo = append([]ddl.Statement{ddl.CreateIndexConcurrently(tableOf(t), k.Restore)}, addSource...)
	undo = append(undo, ddl.CreateIndexConcurrently(tableOf(t), k.Create))
	undo = append(undo, dropTarget...)
	undo = append(undo, ddl.SwapPrimaryKey(tableOf(t), k.Constraint, k.Source))
	return do, append(undo, addTarget...)
}
