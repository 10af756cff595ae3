package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// settleStep gives the target what else the source has, for the time when
// nobody supplies it any more: the default, the comment, storage settings.
var settleStep = step{
	name: "settle", phase: Complete, contract: true, temporary: true,
	summary: "give the target the default and the settings of the source",
	do: func(ctx context.Context, w *work) error {
		if err := w.ensureDefault(ctx, w.t.Target, w.t.Definition.Default); err != nil {
			return err
		}
		source, err := ddl.ReadColumn(ctx, w.conn, w.table(), w.t.Source)
		if err != nil || !source.Exists { // the gate that follows says so
			return err
		}
		return w.runAll(ctx, ddl.CopySettings(w.table(), w.t.Target, source))
	},
	// The other settings do no harm: a rollback to off drops the column.
	undo: func(ctx context.Context, w *work) error { return w.ensureDefault(ctx, w.t.Target, "") },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		if t.Definition.Default == "" {
			return nil, nil
		}
		return []ddl.Statement{ddl.SetDefault(tableOf(t), t.Target, t.Definition.Default)},
			[]ddl.Statement{ddl.DropDefault(tableOf(t), t.Target)}
	},
}
