package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// enforceStep lets PostgreSQL prove that every row is consistent
// (ddl.Consistent), and hold it from then on. A verification alone is true of the
// moment; a writer without the hook that comes and goes after it would lose
// what it wrote. Adding the constraint also waits for every transaction that
// has written the table, whoever runs it. Foreign keys get their counterparts now
// that the values are known to be the same.
var enforceStep = step{
	name: "enforce", phase: DualWrite,
	summary: "let PostgreSQL hold source and target consistent",
	do: func(ctx context.Context, w *work) error {
		if err := w.mend(ctx); err != nil {
			return err
		}
		if err := w.ensureEqual(ctx); err != nil {
			return err
		}
		return w.ensureForeignKeys(ctx, targetSide)
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.dropForeignKeys(ctx, targetSide); err != nil {
			return err
		}
		return w.dropEqual(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		add, drop := foreignKeyStatements(t, targetSide)
		return append(equalStatements(t), add...), append(drop, ddl.DropConstraint(tableOf(t), equalCheck(t)))
	},
}

func equalStatements(t ledger.Transition) []ddl.Statement {
	return append([]ddl.Statement{addEqual(t)}, validateStatements(t, equalCheck(t))...)
}

func addEqual(t ledger.Transition) ddl.Statement {
	return ddl.AddConsistentCheck(tableOf(t), equalCheck(t), t.Definition.Move)
}

// ensureEqual adds and validates the CHECK.
func (w *work) ensureEqual(ctx context.Context) error {
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), equalCheck(*w.t))
	if err != nil || check.Validated {
		return err
	}
	if !check.Exists {
		err = w.run(ctx, addEqual(*w.t))
	}
	if err == nil {
		err = w.settleTail(ctx)
	}
	if err == nil {
		err = w.validate(ctx, equalCheck(*w.t))
	}
	if sqlState(err) == checkViolation {
		err = w.refused(ctx, err, equalCheck(*w.t))
	}
	return err
}

func (w *work) dropEqual(ctx context.Context) error {
	exists, err := w.hasConstraint(ctx, equalCheck(*w.t))
	if err != nil || !exists {
		return err
	}
	return w.run(ctx, ddl.DropConstraint(w.table(), equalCheck(*w.t)))
}
