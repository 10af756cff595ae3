package migrator

import (
	"context"
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// verifyStep compares every row before any read goes to the target. Both
// values stand in one row version, so it needs no lock and has no race.
var verifyStep = step{
	name: "verify", phase: DualWrite,
	summary: "compare source and target in every row",
	do: func(ctx context.Context, w *work) error {
		if err := w.settleTail(ctx); err != nil {
			return err
		}
		if err := w.mend(ctx); err != nil {
			return err
		}
		_, err := w.compare(ctx)
		return err
	},
	undo: func(ctx context.Context, w *work) error { return w.forget(ctx, ledger.Verify) },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{{
			SQL: "select count(*) from " + tableOf(t).String() + " where " + keyRange(t.Definition.Key) + " and " +
				differs(t, t.Definition.Sources, t.Definition.Targets),
			Lock: accessShare, On: tableOf(t).String(), Why: "no read goes to the target before every row is right",
		}}, nil
	},
}

// differed tells whether the last comparison in this phase found differences.
func (w *work) differed(ctx context.Context) (bool, error) {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
	return p.Finished() && p.Mismatches > 0 && p.Epoch == w.t.Epoch, err
}

// mend repairs and compares again when the last comparison found differences:
// somebody has seen that, and comes again. The source is the authority in this
// phase.
func (w *work) mend(ctx context.Context) error {
	differed, err := w.differed(ctx)
	if err != nil || !differed {
		return err
	}
	if err := w.repair(ctx, ledger.Backfill); err != nil {
		return err
	}
	_, err = w.compare(ctx)
	return err
}

// refused is what a constraint that rows violate comes to. It takes the constraint
// away, which would also refuse writes of other columns of these rows, and
// returns the *MismatchError of a comparison that lists them.
func (w *work) refused(ctx context.Context, violation error, constraint string) error {
	if err := w.run(ctx, ddl.DropConstraint(w.table(), constraint)); err != nil {
		return errors.Join(violation, err)
	}
	if err := w.forget(ctx, ledger.Verify); err != nil {
		return err
	}
	if _, err := w.compare(ctx); err != nil {
		return err
	}
	return violation // they differed, and do not any more: somebody is at work there
}

// repair copies anew, and voids the comparison that found differences. That
// goes last: it is what tells whoever comes after a crash to repair.
func (w *work) repair(ctx context.Context, job ledger.Job) error {
	w.Logger.Warn("repair rows that differ", keyTransition, w.t.Name)
	if err := w.forget(ctx, job); err != nil {
		return err
	}
	if err := w.copy(ctx, job); err != nil {
		return err
	}
	return w.forget(ctx, ledger.Verify)
}
