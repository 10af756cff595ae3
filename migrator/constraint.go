package migrator

import (
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// The constraints that a transition puts on its table for a time carry its id: a
// table may have several transitions. Before it is registered, in a plan, the
// id is not known.
func constraintName(t ledger.Transition, what string) string {
	id := "<id>"
	if t.ID != 0 {
		id = fmt.Sprint(t.ID)
	}
	return "crossfade_t" + id + "_" + what
}

// equalCheck is the name of the CHECK that holds the two sides consistent.
func equalCheck(t ledger.Transition) string { return constraintName(t, "equal") }

// notNullCheck is the name of the CHECK that proves the NOT NULL of a column.
func notNullCheck(t ledger.Transition, column string) string {
	columns := append(t.Definition.SourceNames(), t.Definition.TargetNames()...)
	return constraintName(t, fmt.Sprintf("not_null_%d", 1+slices.Index(columns, column)))
}
