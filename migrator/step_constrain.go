package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// constrainStep makes targets NOT NULL. Its undo comes before the token of phase
// off is created, whose writes leave the targets out.
var constrainStep = step{
	name: "constrain", phase: DualWrite,
	summary: "make the targets NOT NULL that are to be",
	do: func(ctx context.Context, w *work) error {
		if err := w.mend(ctx); err != nil {
			return err
		}
		return w.ensureNotNull(ctx, w.t.Definition.Targets)
	},
	undo: func(ctx context.Context, w *work) error {
		return w.ensureNullable(ctx, w.t.Definition.Targets)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		for _, target := range t.Definition.Targets {
			if target.NotNull {
				do = append(do, notNullStatements(t, target.Name)...)
				undo = append(undo, ddl.DropNotNull(tableOf(t), target.Name))
			}
		}
		return do, undo
	},
}

// notNullStatements make a column NOT NULL without a scan under a strong lock.
func notNullStatements(t ledger.Transition, column string) []ddl.Statement {
	table, check := tableOf(t), notNullCheck(t, column)
	statements := append([]ddl.Statement{ddl.AddNotNullCheck(table, check, column)}, validateStatements(t, check)...)
	return append(statements, ddl.SetNotNull(table, column), ddl.DropConstraint(table, check))
}

// ensureNotNull makes those of the columns NOT NULL that are to be.
func (w *work) ensureNotNull(ctx context.Context, columns []transform.Column) error {
	for _, c := range columns {
		if !c.NotNull {
			continue
		}
		err := w.ensureColumnNotNull(ctx, c.Name)
		if sqlState(err) == "23514" { // check_violation
			err = w.refused(ctx, err, notNullCheck(*w.t, c.Name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *work) ensureColumnNotNull(ctx context.Context, column string) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), column)
	if err != nil {
		return err
	}
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), notNullCheck(*w.t, column))
	if err != nil {
		return err
	}
	name := notNullCheck(*w.t, column)
	if !c.NotNull {
		if !check.Exists {
			err = w.run(ctx, ddl.AddNotNullCheck(w.table(), name, column))
		}
		if err == nil && !check.Validated {
			err = w.validate(ctx, name)
		}
		if err == nil {
			err = w.run(ctx, ddl.SetNotNull(w.table(), column))
		}
	}
	if err != nil || c.NotNull && !check.Exists {
		return err
	}
	return w.run(ctx, ddl.DropConstraint(w.table(), name))
}

// ensureNullable lets each of the columns be NULL.
func (w *work) ensureNullable(ctx context.Context, columns []transform.Column) error {
	for _, c := range columns {
		if err := w.ensureColumnNullable(ctx, c.Name); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) ensureColumnNullable(ctx context.Context, column string) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), column)
	if err != nil {
		return err
	}
	check := notNullCheck(*w.t, column)
	exists, err := w.hasConstraint(ctx, check)
	if err != nil {
		return err
	}
	var excess []ddl.Statement
	if exists {
		excess = append(excess, ddl.DropConstraint(w.table(), check))
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
