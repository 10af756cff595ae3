package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// countStep looks for rows that stand in the way of what is to be added, before
// it is in force: a CHECK that is not valid yet already refuses every write of
// such a row.
var countStep = step{
	name: "count", phase: Off, temporary: true,
	summary: "look at every row for those that stand in the way",
	do: func(ctx context.Context, w *work) error {
		p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
		if err != nil {
			return err
		}
		if p.Finished() && p.Mismatches > 0 { // and somebody has seen that, and comes again
			if err := w.fillAgain(ctx); err != nil {
				return err
			}
		}
		return w.count(ctx)
	},
	undo: func(ctx context.Context, w *work) error { return w.forget(ctx, ledger.Verify) },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		if len(t.Definition.Key) == 0 {
			return nil, nil
		}
		return []ddl.Statement{{
			SQL:  "select count(*) from " + tableOf(t).String() + " as t where " + keyRange(t.Definition.Key) + " and " + t.Definition.Alteration.Violated,
			Lock: accessShare, On: tableOf(t).String(), Why: "no write is refused for a row that was wrong before",
		}}, nil
	},
}

// count looks at all rows; those that stand in the way are a *ViolationError.
// Without a key to walk along it leaves that to the constraint.
func (w *work) count(ctx context.Context) error {
	if len(w.t.Definition.Key) == 0 {
		return nil
	}
	p, err := w.scan(ctx, ledger.Verify, func(o sweep.Options) (ledger.Progress, error) { return sweep.Compare(ctx, w.conn, o) })
	if err == nil && p.Mismatches > 0 {
		err = &ViolationError{Transition: w.t.Name, Condition: w.alteration().Violated, Rows: p.RowsScanned, Violations: p.Mismatches,
			Key: w.t.Definition.Key, Samples: p.Samples}
	}
	return err
}

// fillAgain fills once more, where there is something to fill with, and voids the
// count that found rows in the way. That goes last: it is what tells whoever
// comes after a crash to do so.
func (w *work) fillAgain(ctx context.Context) error {
	if w.alteration().Fills() {
		if err := w.forget(ctx, ledger.Backfill); err != nil {
			return err
		}
		if err := w.fill(ctx); err != nil {
			return err
		}
	}
	return w.forget(ctx, ledger.Verify)
}

// violated is what a constraint that could not be validated leads to: the rows
// in its way, all of them counted. cause is the server's error.
func (w *work) violated(ctx context.Context, cause error) error {
	if err := w.fillAgain(ctx); err != nil {
		return err
	}
	if err := w.count(ctx); err != nil {
		return err
	}
	if len(w.t.Definition.Key) == 0 {
		return w.closed("find them: select * from "+w.table().String()+" as t where "+w.alteration().Violated, "rows stand in the way: %v", cause)
	}
	return w.closed("run again", "rows stood in the way when PostgreSQL looked at them, and none does any more: %v", cause)
}
