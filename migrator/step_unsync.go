package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// unsyncStep takes the trigger away, when nobody needs it any more: sessions
// without the hook are gone, and have written nothing for a while. Until then the
// sources were right in every row; from here on they go stale, as without a
// trigger in complete.
//
// Undoing it leaves the trigger out: the sources have to be filled first, in a
// phase that writes both, which is releaseStep's undo.
var unsyncStep = step{
	name: "unsync", phase: Complete, contract: true, temporary: true,
	summary: "take the trigger away: nobody writes without the hook any more",
	do: func(ctx context.Context, w *work) error {
		if err := nobodyWithoutHook(ctx, w); err != nil {
			return err
		}
		if synced(*w.t) {
			if err := w.freeSources(ctx); err != nil {
				return err
			}
		}
		return w.removeTrigger(ctx)
	},
	undo: func(context.Context, *work) error { return nil },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		if synced(t) {
			do = freeStatements(t)
		}
		return append(do, triggerOf(t, false).Uninstall()), nil
	},
}
