package migrator

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// backfillStep fills the targets of the rows that nobody has written since
// dualwrite began. It may only begin when no transaction of phase off is left,
// which the flip before it has seen to.
var backfillStep = step{
	name: "backfill", phase: DualWrite,
	summary: "copy the source to the target, in batches",
	do: func(ctx context.Context, w *work) error {
		err := w.copy(ctx, ledger.Backfill)
		if err == nil && w.t.Definition.Partitioned {
			err = w.copyMissed(ctx)
		}
		if errors.Is(err, sweep.ErrNoCounterpart) {
			return w.closed("change that value and run again, or roll back to off and begin anew with an expression that copes with it",
				"forward fails for a row: %v", err)
		}
		return err
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		if err := w.forget(ctx, ledger.Verify); err != nil {
			return err
		}
		return w.forget(ctx, ledger.Backfill)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{batchStatement(t, ledger.Backfill)}, nil
	},
}

// batchStatement shows what a batch of a job does; the sweep writes the real one.
func batchStatement(t ledger.Transition, job ledger.Job) ddl.Statement {
	from, to := t.Definition.Sources, t.Definition.Targets
	key := t.Definition.Key
	if job == ledger.Refill {
		from, to, key = to, from, t.Definition.TargetKey()
	}
	set := make([]string, len(to))
	for i, c := range to {
		set[i] = pgx.Identifier{c.Name}.Sanitize() + " = " + ddl.Valued(c, from)
	}
	return ddl.Statement{
		SQL:  "update " + tableOf(t).String() + " set " + strings.Join(set, ", ") + " where " + keyRange(key) + " and " + differs(t, from, to),
		Lock: rowExclusive, On: tableOf(t).String(),
		Hazard: "locks the rows of one batch for a fraction of a second, writes a new version of every row",
		Why:    "rows that nobody writes get their value too; in batches that adapt to their duration",
	}
}

// differs is the condition for a row to be copied.
func differs(t ledger.Transition, from, to []transform.Column) string {
	if t.Definition.Identity() {
		return pgx.Identifier{to[0].Name}.Sanitize() + " is distinct from " + pgx.Identifier{from[0].Name}.Sanitize()
	}
	return "not (" + ddl.Consistent(t.Definition.Move) + ")"
}

// keyRange is the condition of a batch, with one placeholder for a whole key.
func keyRange(names []string) string {
	columns := make([]string, len(names))
	for i, column := range names {
		columns[i] = pgx.Identifier{column}.Sanitize()
	}
	key := "(" + strings.Join(columns, ", ") + ")"
	return key + " > $1 and " + key + " <= $2"
}

// The locks of batches; those of DDL are package ddl's.
const (
	rowExclusive = "ROW EXCLUSIVE"
	accessShare  = "ACCESS SHARE"
)
