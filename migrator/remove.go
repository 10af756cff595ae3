package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Remove ends a transition, in phase off after a rollback, or in phase
// contracted when no application uses the old name any more: hooked
// connections stop rewriting for it. One that was interrupted is continued.
func (m *Migrator) Remove(ctx context.Context, name string) error {
	return m.leadLedger(ctx, func(s *session) error {
		w, err := s.begin(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return s.resumeRemoval(ctx, name, err)
		}
		if err != nil {
			return err
		}
		if err := w.removable(ctx); err != nil {
			return err
		}
		err = w.transaction("remove", func() error {
			return ledger.Remove(ctx, s.conn, w.t, w.event("remove", w.where()))
		})
		if err != nil {
			return err
		}
		return w.drain(ctx)
	})
}

func (s *session) resumeRemoval(ctx context.Context, name string, notFound error) error {
	resumed, err := s.finishRemovals(ctx, func(t ledger.Transition) bool { return t.Name == name })
	if err == nil && !resumed {
		err = notFound
	}
	return err
}

// finishRemovals ends removals that have not drained; false when there is none.
func (s *session) finishRemovals(ctx context.Context, which func(ledger.Transition) bool) (bool, error) {
	removing, err := ledger.Removing(ctx, s.conn)
	if err != nil {
		return false, err
	}
	found := false
	for _, t := range removing {
		if !which(t) {
			continue
		}
		found = true
		if err := s.on(&t).drain(ctx); err != nil {
			return true, err
		}
	}
	return found, nil
}

// removable: the table is as it was before, or as it will be for good.
func (w *work) removable(ctx context.Context) error {
	w.step = step{name: "remove"}
	done, underway, err := w.standing()
	if err != nil {
		return err
	}
	registered := done <= 0 && (!underway || w.t.Underway == registerStep.name)
	dropped := done == len(w.way)-1
	if !registered && !dropped {
		return w.closed("roll it back to off, or contract it",
			"%s, between what the table was and what it will be", w.where())
	}
	// Contracted is left last: with it go the tokens that copying needs.
	for _, job := range []ledger.Job{ledger.Backfill, ledger.Refill} {
		if err := w.forbid(ctx, job); err != nil {
			return fmt.Errorf("remove %q: %w", w.t.Name, err)
		}
	}
	return nil
}
