package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// PlanCheck is what a comparison of plans found about an application's
// statements, before reads go to the target.
type PlanCheck = ledger.PlanCheck

// RecordPlans keeps the outcome of a comparison of plans. While the last one
// that was recorded has a statement with a worse plan, gate plan-regression
// keeps the transition out of phase live.
func (m *Migrator) RecordPlans(ctx context.Context, name string, c PlanCheck) error {
	return m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		t, err := ledger.Get(ctx, s.conn, name)
		if err != nil {
			return err
		}
		c.Actor = s.Actor
		return ledger.RecordPlans(ctx, s.conn, t, c)
	})
}

// plansAreAsGood: no statement is known to get a worse plan. Where nobody has
// looked, nothing is known.
func plansAreAsGood(ctx context.Context, w *work) error {
	c, found, err := ledger.LastPlans(ctx, w.conn, w.t.ID)
	if err == nil && found && c.Worse > 0 {
		err = w.closed("give them an index on the target and record it again: crossfade explain -t "+w.t.Name+" --gate --record ...",
			"%d of %d statements would get a worse plan, as %s recorded at %s", c.Worse, c.Statements, c.Actor,
			c.At.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return err
}
