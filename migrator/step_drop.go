package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// dropStep drops the source. It comes after the point of no return, so all that
// could make it fail is a gate of the flip before it.
var dropStep = step{
	name: "drop", phase: Contracted, contract: true,
	summary: "drop the source column",
	do: func(ctx context.Context, w *work) error {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.t.Source)
		if err != nil || !exists {
			return err
		}
		return w.run(ctx, ddl.DropColumn(w.table(), w.t.Source))
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{ddl.DropColumn(tableOf(t), t.Source)}, nil
	},
}
