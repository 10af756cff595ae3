package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// NoSnapshot is the Snapshot of those who contract without one.
const NoSnapshot = "none"

// ErrNoSnapshot: nobody has said what the data can be restored from. Nothing has
// been changed.
var ErrNoSnapshot = errors.New("this gives up the source, and nobody has said which snapshot or backup has it: " +
	"name one, or say that there is none")

// snapshotTaken writes down what the data can be restored from, before the steps
// up to the one at index goal give something up for good. It refuses to go on
// without an answer: nobody notices that a backup is missing when it is made, only
// when it is needed.
func (w *work) snapshotTaken(ctx context.Context, goal int) error {
	done, _, err := w.standing()
	if err != nil || w.t.Phase.SourceGone() {
		return err // what was given up, was
	}
	for _, step := range w.way[min(done, goal)+1 : goal+1] {
		if !step.givesUp() {
			continue
		}
		if w.snapshot == "" {
			return fmt.Errorf("contract %q: %w", w.t.Name, ErrNoSnapshot)
		}
		e := w.event("snapshot", w.snapshot)
		e.Evidence = map[string]any{"snapshot": w.snapshot}
		return w.transaction("note the snapshot", func() error { return ledger.Record(ctx, w.conn, *w.t, e) })
	}
	return nil
}
