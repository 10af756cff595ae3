package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// syncStep installs the trigger for writers without the hook. Creating it waits
// for every transaction that has written the table, so it is a barrier: what the
// backfill, which follows, has passed can only be written by those who fire it.
var syncStep = step{
	name: "sync", phase: DualWrite,
	summary: "install the trigger for writers without the hook",
	do:      func(ctx context.Context, w *work) error { return w.ensureTrigger(ctx, false) },
	undo:    func(ctx context.Context, w *work) error { return w.removeTrigger(ctx) },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		trigger := triggerOf(t, false)
		return []ddl.Statement{ddl.CreateTriggerFunction(tableOf(t), trigger.Function()), trigger.Install()},
			[]ddl.Statement{trigger.Uninstall()}
	},
}
