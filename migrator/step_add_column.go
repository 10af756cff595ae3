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
		return w.addColumn(ctx, addColumnStatement(*w.t), w.alteration().Column.Name)
	},
	undo: func(ctx context.Context, w *work) error {
		return w.dropColumn(ctx, dropTarget(*w.t, *w.alteration().Column), w.alteration().Column.Name)
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
