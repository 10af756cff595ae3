package migrator

import (
	"context"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// expandStep adds the targets: nullable and without a default, since a writer
// that does not know them must neither fail nor leave a value in them that
// nobody wrote. An identity of a source becomes a sequence, from which both can
// be written.
var expandStep = step{
	name: "expand", phase: Off, temporary: true,
	summary: "add the target columns, with the privileges and settings of the sources",
	do: func(ctx context.Context, w *work) error {
		for _, target := range w.t.Definition.Targets {
			if err := w.addColumn(ctx, addTarget(*w.t, target), target.Name); err != nil {
				return err
			}
		}
		if err := w.dropIdentities(ctx); err != nil {
			return err
		}
		return w.carry(ctx)
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.restoreIdentities(ctx); err != nil {
			return err
		}
		for _, target := range w.t.Definition.Targets {
			if err := w.dropColumn(ctx, dropTarget(*w.t, target), target.Name); err != nil {
				return err
			}
		}
		return nil
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		for _, target := range t.Definition.Targets {
			do, undo = append(do, addTarget(t, target)), append(undo, dropTarget(t, target))
		}
		do = append(do, sequenceStatements(t, isIdentity, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.DropIdentity(tableOf(t), name, s.Source)
		})...)
		carried, _ := carryStatements(t, "expand")
		return append(do, carried...), append(sequenceStatements(t, isIdentity, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.AddIdentity(tableOf(t), name, s.Source, s.Identity)
		}), undo...)
	},
}

func addTarget(t ledger.Transition, target transform.Column) ddl.Statement {
	return ddl.AddColumn(tableOf(t), target.Name, target.Type, target.Collation)
}

func dropTarget(t ledger.Transition, target transform.Column) ddl.Statement {
	s := ddl.DropColumn(tableOf(t), target.Name)
	s.Why = "the table becomes what it was"
	return s
}

// addColumn adds a column that is the transition's own, unless it has done so. One
// of that name that somebody else has added since the start is his: it would be
// written over, and an undo would drop it.
func (w *work) addColumn(ctx context.Context, add ddl.Statement, column string) error {
	exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), column)
	made := slices.Contains(w.t.Made, column)
	switch {
	case err != nil || exists && made:
		return err
	case exists:
		return w.closed("rename that column or drop it, and run again; or roll back, remove the transition, and begin anew with another name",
			"somebody has added a column %q since the transition began", column)
	}
	if err := w.run(ctx, add.Made(w.t.ID, column)); err != nil {
		return err
	}
	w.t.Made = append(w.t.Made, column)
	return nil
}

// dropColumn undoes addColumn. It leaves a column alone that is somebody else's.
func (w *work) dropColumn(ctx context.Context, drop ddl.Statement, column string) error {
	exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), column)
	if err != nil || !exists || !slices.Contains(w.t.Made, column) {
		return err
	}
	if err := w.run(ctx, drop.Unmade(w.t.ID, column)); err != nil {
		return err
	}
	w.t.Made = slices.DeleteFunc(w.t.Made, func(made string) bool { return made == column })
	return nil
}
