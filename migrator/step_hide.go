package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// relaxStep lets a column be NULL that nobody will be able to name. Its undo
// comes when the column has its name back, and proves that every row has a
// value: rows inserted meanwhile have none.
var relaxStep = step{
	name: "relax", phase: Off, temporary: true,
	summary: "let inserts leave the column out",
	do: func(ctx context.Context, w *work) error {
		return w.ensureColumnNullable(ctx, w.alteration().Column.Name)
	},
	undo: func(ctx context.Context, w *work) error { return w.restoreNotNull(ctx) },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{ddl.DropNotNull(tableOf(t), t.Definition.Alteration.Column.Name)}, provenStatements(t)
	},
}

// restoreNotNull makes the column NOT NULL again. Rows that were inserted without
// it are for somebody to fill.
func (w *work) restoreNotNull(ctx context.Context) error {
	err := w.proveNotNull(ctx)
	if _, violated := asViolation(err); violated || sqlState(err) == checkViolation {
		return w.closed("fill them (update "+w.table().String()+" ... where "+w.alteration().Violated+") and roll back again",
			"the column has its name back, but rows that were inserted without it keep it from being NOT NULL: %v", err)
	}
	return err
}

// hideStep is the drop that can be taken back: the column gets another name, and
// keeps everything else.
var hideStep = step{
	name: "hide", phase: Off, temporary: true,
	summary: "give the column another name, so that statements that name it fail while it can still be brought back",
	do: func(ctx context.Context, w *work) error {
		a := w.alteration()
		return w.ensureNamed(ctx, a.Column.Name, a.Hidden)
	},
	undo: func(ctx context.Context, w *work) error {
		a := w.alteration()
		return w.ensureNamed(ctx, a.Hidden, a.Column.Name)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		a := t.Definition.Alteration
		back := ddl.RenameColumn(tableOf(t), a.Hidden, a.Column.Name)
		back.Why = "the column is as it was, with its values and all that hangs on it"
		return []ddl.Statement{ddl.RenameColumn(tableOf(t), a.Column.Name, a.Hidden)}, []ddl.Statement{back}
	},
}

func (w *work) ensureNamed(ctx context.Context, from, to string) error {
	named, err := ddl.ColumnExists(ctx, w.conn, w.table(), to)
	if err != nil {
		return err
	}
	left, err := ddl.ColumnExists(ctx, w.conn, w.table(), from)
	switch {
	case err != nil || named && !left:
		return err
	case named:
		return w.closed("rename that column or drop it, and run the command again",
			"somebody has added a column %q, the name that %q is to take", to, from)
	}
	return w.run(ctx, ddl.RenameColumn(w.table(), from, to))
}

// dropHiddenStep drops the column for good.
var dropHiddenStep = step{
	name: "drop", phase: Off, temporary: true, contract: true, final: true,
	summary: "drop the column: the point of no return",
	do: func(ctx context.Context, w *work) error {
		hidden := w.alteration().Hidden
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), hidden)
		if err == nil && exists {
			err = w.run(ctx, dropHidden(*w.t))
		}
		if sqlState(err) == "2BP01" { // dependent_objects_still_exist
			return w.closed("drop what depends on it, or make it do without the column", "column %q cannot be dropped: %s", hidden, dependentsIn(err))
		}
		return err
	},
	undo: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.alteration().Hidden)
		if err == nil && !exists {
			err = ErrPointOfNoReturn
		}
		return err
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{dropHidden(t)}, nil
	},
}

func dropHidden(t ledger.Transition) ddl.Statement {
	s := ddl.DropColumn(tableOf(t), t.Definition.Alteration.Hidden)
	s.Why = "nobody has missed the column"
	return s
}
