package explain

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Plan tells how the plan of a statement changes at the flip that moves reads.
type Plan struct {
	// From and To are the two phases of the flip.
	From phase.Phase `json:"from"`
	To   phase.Phase `json:"to"`
	// Findings are what gets worse.
	Findings []queryplan.Finding `json:"findings"`
	// Skipped says why the plans were not compared; empty when they were.
	Skipped string `json:"skipped,omitempty"`
}

// flip finds the phases between which reads move to the target.
func flip() (from, to phase.Phase) {
	for _, p := range phase.All() {
		if next, ok := p.Next(); ok && p.Behaviour().Read == phase.Source && next.Behaviour().Read == phase.Target {
			return p, next
		}
	}
	panic("no flip moves reads to the target")
}

// Compare fills in the plans of statements that the flip of reads changes. The
// token is a table in the schema of the ledger. Nothing is changed in the
// database.
func (x *Explainer) Compare(ctx context.Context, conn *pgx.Conn, token string, explained []Explanation, o queryplan.Options) error {
	member := x.Member()
	return x.eachMoving(token, explained, func(plan *Plan, source, target string) error {
		findings, err := queryplan.Compare(ctx, conn, member.Schema, member.Table, source, target, o)
		var unplanned *queryplan.UnplannedError
		if errors.As(err, &unplanned) {
			plan.Skipped = reason(unplanned)
			return nil
		}
		plan.Findings = append(plan.Findings, findings...)
		return err
	})
}

// Skip says of the same statements why their plans are not compared.
func (x *Explainer) Skip(explained []Explanation, reason string) error {
	return x.eachMoving(Token, explained, func(plan *Plan, _, _ string) error {
		plan.Skipped = reason
		return nil
	})
}

// eachMoving calls fn for each statement that the flip of reads changes, with
// its text in the phase before and in the one after.
func (x *Explainer) eachMoving(token string, explained []Explanation, fn func(plan *Plan, source, target string) error) error {
	from, to := flip()
	before, err := x.rewriter(from, token)
	if err != nil {
		return err
	}
	after, err := x.rewriter(to, token)
	if err != nil {
		return err
	}
	for i := range explained {
		source, target := before.Rewrite(explained[i].SQL), after.Rewrite(explained[i].SQL)
		if source.Outcome == rewrite.Refused || target.Outcome == rewrite.Refused || source.SQL == target.SQL {
			continue
		}
		plan := &Plan{From: from, To: to, Findings: []queryplan.Finding{}}
		if err := fn(plan, source.SQL, target.SQL); err != nil {
			return err
		}
		explained[i].Plan = plan
	}
	return nil
}

// reason says shortly why PostgreSQL makes no plan for a statement.
func reason(err error) string {
	var rejected *pgconn.PgError
	if !errors.As(err, &rejected) {
		return err.Error()
	}
	text := "PostgreSQL makes no plan of it: " + rejected.Message
	if rejected.Code == syntaxError {
		// The rewriter has parsed it, so it is PREPARE that does not take it.
		text += " (COPY, DECLARE, EXPLAIN and CREATE TABLE AS cannot be prepared: try the query in them by itself)"
	}
	return text
}

const syntaxError = "42601"
