package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// expandStep adds the target: nullable and without a default, since a writer
// that does not know it must neither fail nor leave a value in it that nobody
// wrote.
var expandStep = step{
	name: "expand", phase: Off, temporary: true,
	summary: "add the target column",
	do: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.t.Target)
		if err != nil || exists {
			return err
		}
		return w.run(ctx, addTarget(*w.t))
	},
	undo: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.t.Target)
		if err != nil || !exists {
			return err
		}
		return w.run(ctx, dropTarget(*w.t))
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{addTarget(t)}, []ddl.Statement{dropTarget(t)}
	},
}

func addTarget(t ledger.Transition) ddl.Statement {
	return ddl.AddColumn(tableOf(t), t.Target, t.Definition.Type, t.Definition.Collation)
}

func dropTarget(t ledger.Transition) ddl.Statement {
	s := ddl.DropColumn(tableOf(t), t.Target)
	s.Why = "the table becomes what it was"
	return s
}
