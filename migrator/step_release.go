package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// releaseStep makes the source a column that a write may leave out, before the
// phase complete leaves it out, and ends all copying onto the target. Undoing
// it is the way back from complete, whose writes the source does not have.
//
// The source's unique indexes go, those of the target do their work: over
// values that nobody keeps up to date they would refuse good rows, in complete
// (unique (email) where deleted_at is null) as well as when it is filled again.
var releaseStep = step{
	name: "release", phase: RampDown, temporary: true,
	summary: "let writes leave the source out",
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
		for _, index := range uniques(*w.t) {
			if err := w.dropIndex(ctx, index); err != nil {
				return err
			}
		}
		if err := w.ensureNullable(ctx, w.t.Source); err != nil {
			return err
		}
		if err := w.ensureDefault(ctx, w.t.Source, ""); err != nil {
			return err
		}
		return w.dropEqual(ctx)
	},
	undo: func(ctx context.Context, w *work) error {
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
		if err := w.ensureDefault(ctx, w.t.Source, w.t.Definition.Default); err != nil {
			return err
		}
		if !w.t.Definition.NotNull {
			return nil
		}
		return w.ensureNotNull(ctx, w.t.Source)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		undo = append(undo, batchStatement(t, t.Target, t.Source))
		undo = append(undo, equalStatements(t)...)
		for _, index := range uniques(t) {
			create, drop := indexStatements(t, index)
			do, undo = append(do, drop), append(undo, create...)
		}
		if t.Definition.NotNull {
			do = append(do, ddl.DropNotNull(tableOf(t), t.Source))
		}
		if t.Definition.Default != "" {
			do = append(do, ddl.DropDefault(tableOf(t), t.Source))
			undo = append(undo, ddl.SetDefault(tableOf(t), t.Source, t.Definition.Default))
		}
		if t.Definition.NotNull {
			undo = append(undo, notNullStatements(tableOf(t), t.Source)...)
		}
		do = append(do, ddl.DropConstraint(tableOf(t), equalCheck))
		return do, undo
	},
}

// uniques are the unique indexes of the source itself.
func uniques(t ledger.Transition) []ledger.Index {
	var list []ledger.Index
	for _, index := range t.Definition.Indexes {
		if index.Restore != "" {
			list = append(list, ledger.Index{Target: index.Name, Create: index.Restore, TargetConstraint: index.Constraint})
		}
	}
	return list
}

// refill copies the target, which is the authority in this phase, to the source
// and compares every row. Who comes again after differences were found gets
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
