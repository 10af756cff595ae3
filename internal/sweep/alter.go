package sweep

import (
	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// alteration is the movement of a transition that moves no column: a copy fills
// the rows that lack a value, a comparison finds those that stand in the way.
func alteration(a ledger.Alteration, job ledger.Job) movement {
	if job == ledger.Verify {
		return movement{differs: a.Violated}
	}
	column := pgx.Identifier{a.Column.Name}.Sanitize()
	value := a.Column.Cast(a.Column.Value)
	return movement{set: column + " = " + value, differs: "t." + column + " is null"}
}

// altered tells whether an alteration has something to do for a job.
func altered(a *ledger.Alteration, job ledger.Job) bool {
	switch {
	case a == nil:
		return false
	case job == ledger.Verify:
		return a.Violated != ""
	}
	return a.Fills()
}
