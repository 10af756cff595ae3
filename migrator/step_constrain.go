package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// constrainStep makes targets NOT NULL, and carries CHECK constraints and the column
// lists of triggers over. Its undo comes before the token of phase
// off is created, whose writes leave the targets out.
var constrainStep = step{
	name: "constrain", phase: DualWrite,
	summary: "make the targets NOT NULL that are to be, and give them the CHECKs of the sources",
	do: func(ctx context.Context, w *work) error {
		if err := w.mend(ctx); err != nil {
			return err
		}
		if err := w.ensureNotNull(ctx, w.t.Definition.Targets); err != nil {
			return err
		}
		return w.carryChecked(ctx)
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.carryBack(ctx); err != nil {
			return err
		}
		return w.ensureNullable(ctx, w.t.Definition.Targets)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		for _, target := range t.Definition.Targets {
			if target.NotNull {
				do = append(do, notNullStatements(t, target.Name)...)
				undo = append(undo, ddl.DropNotNull(tableOf(t), target.Name))
			}
		}
		carried, back := carryStatements(t, "constrain")
		return append(do, carried...), append(back, undo...)
	},
}

// carryChecked carries CHECK constraints and triggers over. Rows that break a
// counterpart cannot be put right here, and writes of other columns of them would
// fail for it: so it is taken away again.
func (w *work) carryChecked(ctx context.Context) error {
	err := w.carry(ctx)
	if sqlState(err) != checkViolation {
		return err
	}
	if backErr := w.carryBack(ctx); backErr != nil {
		return errors.Join(err, backErr)
	}
	return w.closed("find the rows (select ... where not (...)) and change them, or roll back to off and begin anew without the constraint",
		"a row breaks a CHECK constraint over the target, which its source does not break: %v", err)
}

const checkViolation = "23514"

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
		if sqlState(err) == checkViolation {
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
