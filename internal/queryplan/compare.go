package queryplan

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DefaultCostFactor is how much dearer a plan may get without a warning.
const DefaultCostFactor = 2

// Options tune a comparison. The zero value works.
type Options struct {
	// CostFactor is the growth of the estimated cost from which on there is a
	// warning. 0 means DefaultCostFactor.
	CostFactor float64
}

// Compare plans a statement that reads the source and its form that reads the
// target, and tells what gets worse in how they get at a table. Both must be
// what PREPARE takes, and everything they name must exist. The connection must
// be in no transaction. An *UnplannedError says that the first of them cannot
// be planned; after any other error the connection may be gone.
func Compare(ctx context.Context, conn *pgx.Conn, schema, table, source, target string, o Options) ([]Finding, error) {
	c := comparison{schema: schema, table: table}
	able, finding, err := planBoth(ctx, conn, source, target, anyIndexes)
	switch {
	case err != nil:
		return nil, err
	case finding != nil:
		return []Finding{*finding}, nil
	}
	c.accesses(able, anyIndexes)
	usual, finding, err := planBoth(ctx, conn, source, target, asItIs)
	switch {
	case err != nil:
		return nil, err
	case finding != nil:
		return append(c.findings, *finding), nil
	}
	c.accesses(usual, asItIs)
	c.cost(usual, cmp.Or(o.CostFactor, DefaultCostFactor))
	return c.findings, nil
}

// pair are the plans of the two forms.
type pair struct{ source, target *node }

// planBoth plans the two forms. That the second one cannot be planned while the
// first one can is a finding.
func planBoth(ctx context.Context, conn *pgx.Conn, source, target string, p preference) (pair, *Finding, error) {
	var plans pair
	var rejected *pgconn.PgError
	var err error
	if plans.source, err = explain(ctx, conn, source, p); errors.As(err, &rejected) {
		return plans, nil, &UnplannedError{err}
	}
	if err != nil {
		return plans, nil, fmt.Errorf("explain: %w", err)
	}
	plans.target, err = explain(ctx, conn, target, p)
	if errors.As(err, &rejected) {
		return plans, &Finding{
			Severity: Error, Code: NotPlanned, Source: plans.source.total(),
			Message: "PostgreSQL rejects the statement that reads the target: " + rejected.Message + " (SQLSTATE " + rejected.Code + ")",
			Hint:    "a unique index that ON CONFLICT needs, or a function or operator for the target's type, may be missing",
		}, nil
	}
	if err != nil {
		return plans, nil, fmt.Errorf("explain: %w", err)
	}
	return plans, nil, nil
}

// comparison is one run of Compare.
type comparison struct {
	schema, table string
	findings      []Finding
}

// accesses compares how two plans get at the table, place by place: the joins
// of the two may have another order.
func (c *comparison) accesses(plans pair, p preference) {
	targets := plans.target.accesses(c.schema, c.table)
	for _, source := range plans.source.accesses(c.schema, c.table) {
		for i, target := range targets {
			if target.node.Alias != source.node.Alias {
				continue
			}
			targets = append(targets[:i:i], targets[i+1:]...)
			f, worse := compareAccess(source, target, p)
			// Discouraged from reading in sequence, the planner takes an index for
			// no other reason: one without a condition matters when it gives an order.
			if worse && f.Code == IndexLost && p == anyIndexes && source.conditions() == 0 {
				worse = plans.target.sorts() > plans.source.sorts()
			}
			if worse && !c.found(f) {
				c.findings = append(c.findings, f)
			}
			break
		}
	}
}

// found tells whether there is a finding of that kind for the place already.
func (c *comparison) found(f Finding) bool {
	for _, known := range c.findings {
		if known.Code == f.Code && known.Alias == f.Alias {
			return true
		}
	}
	return false
}

// compareAccess tells what is worse in the access to the target.
func compareAccess(source, target access, p preference) (Finding, bool) {
	f := Finding{Severity: Error, Alias: source.node.Alias, Source: source.String(), Target: target.String()}
	switch {
	case len(source.indexes) > 0 && target.sequential():
		f.Code = IndexLost
		f.Message = "an index serves the source, and every row of the table would be read for the target"
		f.Hint = "build an index that serves what is read now: on the target, or on the expression over it; " +
			"or say in the transition what the expression preserves of comparisons"
		if p == asItIs {
			f.Message = "an index serves the source, and for the target the planner prefers to read every row, although an index could serve it"
			f.Hint = "analyze the table, so that the planner knows the target's values, and try again"
		}
		return f, true
	case p == anyIndexes && source.conditions() > 0 && conjuncts(target.node.Filter) > conjuncts(source.node.Filter):
		f.Code = ConditionLost
		if source.conditions() <= target.conditions() {
			f.Severity = Warning // another condition took its place: perhaps by choice
		}
		f.Message = "a condition finds rows in an index of the source, and would only filter what another index finds for the target"
		f.Hint = "build an index on the target that has the same columns in the same order"
		return f, true
	}
	return f, false
}

// cost compares the estimates. An error tells more than they do.
func (c *comparison) cost(plans pair, factor float64) {
	source, target := plans.source.Cost, plans.target.Cost
	if len(c.findings) > 0 || source <= 0 || target <= source*factor {
		return
	}
	c.findings = append(c.findings, Finding{
		Severity: Warning, Code: Costlier, Source: plans.source.total(), Target: plans.target.total(),
		Message: fmt.Sprintf("the estimated cost grows by a factor of %.1f, from %.2f to %.2f", target/source, source, target),
		Hint:    "if the table has not been analyzed since the target was filled, analyze it and try again; otherwise compare the plans",
	})
}
