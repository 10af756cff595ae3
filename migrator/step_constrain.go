package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// constrainStep makes the target NOT NULL where the source is. Its undo comes
// before the token of phase off is created, whose writes leave the target out.
var constrainStep = step{
	name: "constrain", phase: DualWrite,
	summary: "make the target NOT NULL where the source is",
	do: func(ctx context.Context, w *work) error {
		if !w.t.Definition.NotNull {
			return nil
		}
		return w.ensureNotNull(ctx, w.t.Target)
	},
	undo: func(ctx context.Context, w *work) error {
		return w.ensureNullable(ctx, w.t.Target)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		if !t.Definition.NotNull {
			return nil, nil
		}
		return notNullStatements(tableOf(t), t.Target), []ddl.Statement{ddl.DropNotNull(tableOf(t), t.Target)}
	},
}

// notNullCheck is the name of the CHECK that proves a NOT NULL. A table has one
// transition at a time, and a transition proves one column at a time.
const notNullCheck = "crossfade_not_null"

// notNullStatements make a column NOT NULL without a scan under a strong lock.
func notNullStatements(table ddl.Name, column string) []ddl.Statement {
	return []ddl.Statement{
		ddl.AddNotNullCheck(table, notNullCheck, column),
		ddl.ValidateConstraint(table, notNullCheck),
		ddl.SetNotNull(table, column),
		ddl.DropConstraint(table, notNullCheck),
	}
}

func (w *work) ensureNotNull(ctx context.Context, column string) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), column)
	if err != nil {
		return err
	}
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), notNullCheck)
	if err != nil {
		return err
	}
	s := notNullStatements(w.table(), column)
	add, validate, set, drop := s[0], s[1], s[2], s[3]
	var missing []ddl.Statement
	switch {
	case c.NotNull && !check.Exists:
	case c.NotNull:
		missing = []ddl.Statement{drop}
	case !check.Exists:
		missing = []ddl.Statement{add, validate, set, drop}
	case !check.Validated:
		missing = []ddl.Statement{validate, set, drop}
	default:
		missing = []ddl.Statement{set, drop}
	}
	return w.runAll(ctx, missing)
}

func (w *work) ensureNullable(ctx context.Context, column string) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), column)
	if err != nil {
		return err
	}
	exists, err := w.hasConstraint(ctx, notNullCheck)
	if err != nil {
		return err
	}
	var excess []ddl.Statement
	if exists {
		excess = append(excess, ddl.DropConstraint(w.table(), notNullCheck))
	}
	if c.Exists && c.NotNull {
		excess = append(excess, ddl.DropNotNull(w.table(), column))
	}
	return w.runAll(ctx, excess)
}

func (w *work) runAll(ctx context.Context, statements []ddl.Statement) error {
	for _, s := range statements {
		if err := w.run(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
