package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// addColumnStep adds the column, so that rows inserted from then on have their
// DEFAULT.
var addColumnStep = step{
	name: "add", phase: Off, temporary: true,
	summary: "add the column",
	do: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.alteration().Column.Name)
		if err == nil && !exists {
			err = w.run(ctx, addColumnStatement(*w.t))
		}
		return err
	},
	undo: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.alteration().Column.Name)
		if err == nil && exists {
			err = w.run(ctx, dropTarget(*w.t, *w.alteration().Column))
		}
		return err
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{addColumnStatement(t)}, []ddl.Statement{dropTarget(t, *t.Definition.Alteration.Column)}
	},
}

func addColumnStatement(t ledger.Transition) ddl.Statement {
	a := *t.Definition.Alteration
	return ddl.AddColumnWhole(tableOf(t), *a.Column, bornNotNull(a), a.Late)
}

// alteration is what the transition does that moves no column.
func (w *work) alteration() ledger.Alteration { return *w.t.Definition.Alteration }
