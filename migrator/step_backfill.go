package migrator

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// backfillStep fills the target of the rows that nobody has written since
// dualwrite began. It may only begin when no transaction of phase off is left,
// which the flip before it has seen to.
var backfillStep = step{
	name: "backfill", phase: DualWrite,
	summary: "copy the source to the target, in batches",
	do: func(ctx context.Context, w *work) error {
		return w.copy(ctx, ledger.Backfill)
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.forbid(ctx, ledger.Backfill); err != nil {
			return err
		}
		return w.forget(ctx, ledger.Backfill)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{batchStatement(t, t.Source, t.Target)}, nil
	},
}

// batchStatement shows what a batch does; the sweep writes the real one.
func batchStatement(t ledger.Transition, from, to string) ddl.Statement {
	source, target := pgx.Identifier{from}.Sanitize(), pgx.Identifier{to}.Sanitize()
	return ddl.Statement{
		SQL: "update " + tableOf(t).String() + " set " + target + " = " + source +
			" where " + keyRange(t) + " and " + target + " is distinct from " + source,
		Lock: rowExclusive, On: tableOf(t).String(),
		Hazard: "locks the rows of one batch for a fraction of a second, writes a new version of every row",
		Why:    "rows that nobody writes get their value too; in batches that adapt to their duration",
	}
}

// keyRange is the condition of a batch, with one placeholder for a whole key.
func keyRange(t ledger.Transition) string {
	columns := make([]string, len(t.Definition.Key))
	for i, column := range t.Definition.Key {
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
