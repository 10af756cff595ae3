package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// constraintStep adds a CHECK or a FOREIGN KEY for new rows, and proves it for
// the others.
var constraintStep = step{
	name: "constrain", phase: Off, temporary: true,
	summary: "add the constraint, and let PostgreSQL prove that every row satisfies it",
	do:      func(ctx context.Context, w *work) error { return w.ensureConstraint(ctx) },
	undo: func(ctx context.Context, w *work) error {
		if x, tree := treeForeignKeyOf(*w.t); tree {
			return x.Drop(ctx, w.conn, w.statement)
		}
		exists, err := w.hasConstraint(ctx, w.alteration().Constraint)
		if err == nil && exists {
			err = w.run(ctx, dropConstraintStatement(*w.t))
		}
		return err
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return constraintStatements(t), []ddl.Statement{dropConstraintStatement(t)}
	},
}

func constraintStatements(t ledger.Transition) []ddl.Statement {
	a, table := *t.Definition.Alteration, tableOf(t)
	if x, tree := treeForeignKeyOf(t); tree {
		add, _ := x.Plan()
		return add
	}
	if a.References != nil {
		key := foreignKeyOf(t)
		return []ddl.Statement{ddl.AddForeignKey(key, a.Constraint), ddl.ValidateForeignKey(key, a.Constraint)}
	}
	return append([]ddl.Statement{ddl.AddCheck(table, a.Constraint, a.Body)}, validateStatements(t, a.Constraint)...)
}

func dropConstraintStatement(t ledger.Transition) ddl.Statement {
	a, table := *t.Definition.Alteration, tableOf(t)
	s := ddl.DropConstraint(table, a.Constraint)
	if a.References != nil {
		s = ddl.DropForeignKey(foreignKeyOf(t), a.Constraint)
	}
	s.Why = "the table becomes what it was"
	return s
}

// foreignKeyOf is the foreign key that a transition adds.
func foreignKeyOf(t ledger.Transition) ddl.ForeignKey {
	a := t.Definition.Alteration
	return ddl.ForeignKey{
		Table: tableOf(t), To: ddl.Name{Schema: a.References.Schema, Table: a.References.Table}, Body: a.Body,
	}
}

// treeForeignKeyOf is the same where the table is partitioned.
func treeForeignKeyOf(t ledger.Transition) (x ddl.TreeForeignKey, tree bool) {
	if t.Definition.Alteration.References == nil || !t.Definition.Partitioned {
		return x, false
	}
	return treeForeignKey(t, foreignKeyOf(t), t.Definition.Alteration.Constraint), true
}

// ensureConstraint adds and validates the constraint. If rows stand in the way
// after all, a CHECK is taken away, which would refuse every write of such a row.
// A FOREIGN KEY stays: it refuses only writes that refer to nothing anew.
func (w *work) ensureConstraint(ctx context.Context) error {
	if x, tree := treeForeignKeyOf(*w.t); tree {
		err := x.Ensure(ctx, w.conn, w.statement)
		if sqlState(err) == foreignKeyViolation {
			err = w.violated(ctx, err)
		}
		return err
	}
	c, err := ddl.ReadConstraint(ctx, w.conn, w.table(), w.alteration().Constraint)
	if err != nil || c.Validated {
		return err
	}
	if !c.Exists {
		err = w.run(ctx, constraintStatements(*w.t)[0])
	}
	switch {
	case err != nil:
	case w.alteration().References != nil:
		err = w.run(ctx, constraintStatements(*w.t)[1])
	default:
		err = w.validate(ctx, w.alteration().Constraint)
	}
	switch sqlState(err) {
	case foreignKeyViolation:
		return w.violated(ctx, err)
	case checkViolation:
		if dropErr := w.run(ctx, dropConstraintStatement(*w.t)); dropErr != nil {
			return errors.Join(err, dropErr)
		}
		return w.violated(ctx, err)
	}
	return err
}

const foreignKeyViolation = "23503"
