package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// notNullStep makes the column NOT NULL.
var notNullStep = step{
	name: "constrain", phase: Off, temporary: true,
	summary: "make the column NOT NULL, proved by a CHECK",
	do:      func(ctx context.Context, w *work) error { return w.proveNotNull(ctx) },
	undo: func(ctx context.Context, w *work) error {
		return w.ensureColumnNullable(ctx, w.alteration().Column.Name)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return provenStatements(t), []ddl.Statement{ddl.DropNotNull(tableOf(t), t.Definition.Alteration.Column.Name)}
	},
}

func provenStatements(t ledger.Transition) []ddl.Statement {
	statements := notNullStatements(t, t.Definition.Alteration.Column.Name)
	statements[len(statements)-2].Why = "every row has a value, and will have one"
	return statements
}

// proveNotNull makes the column NOT NULL. When a row turns out to be NULL it
// takes the CHECK away, which would refuse every write of such a row.
func (w *work) proveNotNull(ctx context.Context) error {
	column := w.alteration().Column.Name
	err := w.ensureColumnNotNull(ctx, column)
	if sqlState(err) != checkViolation {
		return err
	}
	if dropErr := w.ensureColumnNullable(ctx, column); dropErr != nil {
		return errors.Join(err, dropErr)
	}
	return w.violated(ctx, err)
}
