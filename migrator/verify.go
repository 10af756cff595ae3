package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Verification is the result of comparing source with target.
type Verification struct {
	Transition string   `json:"transition"`
	Sources    []string `json:"sources"`
	Targets    []string `json:"targets"`
	Rows       int64    `json:"rows"`
	Mismatches int64    `json:"mismatches"`
	// Key names the columns of the primary key, and Samples are the keys of the
	// first mismatches.
	Key     []string   `json:"key"`
	Samples [][]string `json:"samples,omitempty"`
}

func verification(t ledger.Transition, p ledger.Progress) Verification {
	return Verification{
		Transition: t.Name, Sources: t.Definition.SourceNames(), Targets: t.Definition.TargetNames(), Rows: p.RowsScanned,
		Mismatches: p.Mismatches, Key: t.Definition.Key, Samples: p.Samples,
	}
}

// Verify compares source with target in every row, in a phase that keeps both
// and after the backfill. Differences are a *MismatchError, and keep the gate of
// phase live closed. One that was interrupted keeps it closed too; the next call
// goes on with it, unless the transition has moved since.
func (m *Migrator) Verify(ctx context.Context, name string) (v Verification, err error) {
	_, err = m.work(ctx, name, func(w *work) error {
		w.step = verifyStep
		if err := w.verifiable(); err != nil {
			return err
		}
		// One that was interrupted goes on; one that has ended is done anew.
		p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
		if err != nil {
			return err
		}
		if p.Finished() {
			if err := w.forget(ctx, ledger.Verify); err != nil {
				return err
			}
		}
		return w.act(verifyStep.name, func() error {
			v, err = w.compare(ctx)
			return err
		})
	})
	return v, err
}

// verifiable: both columns are right in every row, if all went well.
func (w *work) verifiable() error {
	if !w.t.Definition.Moves() {
		return w.closed("its step count looks at the rows: run it", "it moves no column, so there is nothing to compare")
	}
	done, underway, err := w.standing()
	if err != nil {
		return err
	}
	backfilled, err := w.way.indexOf(backfillStep.name)
	switch {
	case err != nil:
		return err
	case !w.t.Phase.Behaviour().WritesBoth() || done < backfilled:
		return w.closed("verify between the backfill and complete",
			"after step %q in phase %s the columns differ as they should", w.t.Step, w.t.Phase)
	case w.t.Step == releaseName && !underway: // on the way back from complete it looks the same
		return w.closed("advance or roll back first", "after step %s the source may be stale", w.t.Step)
	case underway && w.t.Underway == releaseName, underway && w.t.Underway == completeStep.name:
		return w.closed("advance or roll back first", "step %s is half done, and the source may be stale", w.t.Underway)
	}
	return nil
}
