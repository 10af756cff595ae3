package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// releaseStep makes the sources columns that a write may leave out, before the
// phase complete leaves them out, and ends all copying onto the targets. Undoing
// it is the way back from complete, whose writes the sources do not have.
//
// Views, policies, triggers and the replica identity go over to the targets here,
// where either side is right. The sources' unique indexes go, those of the targets do their work: over
// values that nobody keeps up to date they would refuse good rows, in complete
// (unique (email) where deleted_at is null) as well as when it is filled again. So
// do foreign keys. The primary key moves to the target.
var releaseStep = step{
	name: "release", phase: RampDown, temporary: true,
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
		if err := w.carry(ctx); err != nil {
			return err
		}
		if err := w.moveKey(ctx); err != nil {
			return err
		}
		for _, index := range uniques(*w.t) {
			if err := w.dropIndex(ctx, index); err != nil {
				return err
			}
		}
		if err := w.ensureNullable(ctx, w.t.Definition.Sources); err != nil {
			return err
		}
		for _, source := range w.t.Definition.SourceNames() {
			if err := w.ensureDefault(ctx, source, ""); err != nil {
				return err
			}
		}
		if err := w.dropEqual(ctx); err != nil {
			return err
		}
		return w.typeSequences(ctx, targetSide)
	},
	undo: func(ctx context.Context, w *work) error {
		// It is the target that has the key, or a unique index, until the end.
		w.byTarget = true
		defer func() { w.byTarget = false }()
		// A half-done release may have left the permission to copy forward.
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		if err := w.refill(ctx); err != nil {
			return err
		}
		if err := w.forbid(ctx, ledger.Refill); err != nil {
			return err
		}
		if err := w.ensureEqual(ctx); err != nil {
			return err
		}
		for _, index := range uniques(*w.t) {
			if err := w.ensureIndex(ctx, index); err != nil {
				return err
			}
		}
		for _, source := range w.t.Definition.Sources {
			if err := w.ensureDefault(ctx, source.Name, source.Default); err != nil {
				return err
			}
		}
		if err := w.ensureNotNull(ctx, w.t.Definition.Sources); err != nil {
			return err
		}
		if err := w.returnKey(ctx); err != nil {
			return err
		}
		if err := w.typeSequences(ctx, sourceSide); err != nil {
			return err
		}
		return w.carryBack(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		do, back := carryStatements(t, "release")
		undo = append(undo, batchStatement(t, ledger.Refill))
		undo = append(undo, equalStatements(t)...)
		moveKey, returnKey := keyStatements(t)
		do = append(do, moveKey...)
		for _, index := range uniques(t) {
			create, drop := indexStatements(t, index)
			do, undo = append(do, drop), append(undo, create...)
		}
		for _, source := range t.Definition.Sources {
			if source.NotNull {
				do = append(do, ddl.DropNotNull(tableOf(t), source.Name))
			}
			if source.Default != "" {
				do = append(do, ddl.DropDefault(tableOf(t), source.Name))
				undo = append(undo, ddl.SetDefault(tableOf(t), source.Name, source.Default))
			}
		}
		for _, source := range t.Definition.Sources {
			if source.NotNull {
				undo = append(undo, notNullStatements(t, source.Name)...)
			}
		}
		undo = append(undo, returnKey...)
		do = append(do, ddl.DropConstraint(tableOf(t), equalCheck(t)))
		do = append(do, sequenceStatements(t, isRetyped, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.SetSequenceType(tableOf(t), name, s.TargetType)
		})...)
		undo = append(undo, sequenceStatements(t, isRetyped, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.SetSequenceType(tableOf(t), name, s.Type)
		})...)
		return do, append(undo, back...)
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
