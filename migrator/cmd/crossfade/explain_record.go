package main

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/migrator"
)

// recordPlans keeps what was found in the ledger. What could not be compared is
// no outcome.
func (a *app) recordPlans(ctx context.Context, e *explainSubject, explained []explain.Explanation) error {
	c := migrator.PlanCheck{Statements: len(explained)}
	for _, x := range explained {
		if x.Refused() {
			c.Refused++
		}
		switch {
		case x.Plan == nil:
		case x.Plan.Skipped != "":
			return &refusal{"nothing is recorded: the plan of a statement could not be compared", x.Plan.Skipped}
		case queryplan.Worst(x.Plan.Findings) == queryplan.Error:
			c.Worse++
			c.Listed = append(c.Listed, oneLine(x.SQL))
		}
	}
	m, err := a.migrator()
	if err != nil {
		return err
	}
	return m.RecordPlans(ctx, e.explainer.Member().Name, c)
}
