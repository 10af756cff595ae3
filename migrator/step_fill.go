package migrator

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// fillStep gives the rows a value in which the column is NULL. What an
// application writes meanwhile stays: a batch looks at each row as it is when it
// has locked it.
var fillStep = step{
	name: "fill", phase: Off, temporary: true,
	summary: "give the rows a value that have none, in batches",
	do:      func(ctx context.Context, w *work) error { return w.fill(ctx) },
	undo: func(ctx context.Context, w *work) error {
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		return w.forget(ctx, ledger.Backfill)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		c := *t.Definition.Alteration.Column
		name := pgx.Identifier{c.Name}.Sanitize()
		return []ddl.Statement{{
			SQL:  "update " + tableOf(t).String() + " set " + name + " = " + c.Cast(c.Value) + " where " + keyRange(t.Definition.Key) + " and " + name + " is null",
			Lock: rowExclusive, On: tableOf(t).String(),
			Hazard: "locks the rows of one batch for a fraction of a second, writes a new version of every row that it fills",
			Why:    "rows that exist get their value; in batches that adapt to their duration",
		}}, nil
	},
}

// fill copies, and ends the permission to: nobody else may fill after it.
func (w *work) fill(ctx context.Context) error {
	err := w.copy(ctx, ledger.Backfill)
	if errors.Is(err, sweep.ErrNoCounterpart) {
		return w.closed("change that row and run again, or roll back and begin anew with an expression that copes with it",
			"the value fails for a row: %v", err)
	}
	if err != nil {
		return err
	}
	return w.forbid(ctx, ledger.Backfill)
}
