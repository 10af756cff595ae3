package migrator

import (
	"context"
	"fmt"
)

// RollbackOptions says how far to go.
type RollbackOptions struct {
	// To is the phase to return to; empty means off, with the table as it was.
	To Phase
}

// Rollback undoes the steps of a transition, last one first. From phase
// contracted it returns ErrPointOfNoReturn. A flip that hangs in its drain is
// drained first: one flip is in flight at a time.
func (m *Migrator) Rollback(ctx context.Context, name string, o RollbackOptions) (Position, error) {
	if o.To == "" {
		o.To = Off
	}
	return m.work(ctx, name, func(w *work) error {
		if _, err := ParsePhase(string(o.To)); err != nil {
			return err
		}
		if o.To != Off {
			if err := w.phases(o.To); err != nil {
				return err
			}
		}
		if w.t.Phase.SourceGone() {
			return fmt.Errorf("roll back %q: %w", name, ErrPointOfNoReturn)
		}
		if w.t.Phase.Before(o.To) {
			return fmt.Errorf("transition %q is in phase %s, which comes before %s: to go on is an advance", name, w.t.Phase, o.To)
		}
		return w.back(ctx, w.way.kept(o.To))
	})
}
