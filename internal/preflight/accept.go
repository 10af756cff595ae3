package preflight

import (
	"context"
	"slices"
)

// acceptable are the codes that refuse unless the operator answers for them,
// with what accepting them promises. Nothing is among them that the migrator
// would trip over, or that no care could make right.
var acceptable = []string{
	// Its text was read: it does not touch the column, or is changed in time.
	"function-names-column",
	// The same for the function of a trigger on the table.
	"trigger-names-column",
	// Its callers can do with one column more, and later with one less.
	"function-uses-row-type",
	// It goes away with the source; somebody makes it anew on the target.
	"statistics-depend",
	// No hooked application inserts an explicit NULL.
	"sync-null-default",
	// Nobody writes that column by way of the view.
	"view-becomes-read-only",
	// Somebody sees to it between live and complete, whose gate asks for it.
	"materialized-view-depends",
	"publication-depends",
	// The application writes the new column in every row that it inserts, once
	// the column is there.
	"new-rows-unfilled",
	// Nobody needs the index, the constraint or the statistics any more that go
	// away with a column.
	"drops-with-column",
	// Both tables may stand still for as long as was forecast.
	"foreign-key-holds",
	// Every session that touches the table is of a role that this one may see.
	"no-read-all-stats",
}

// Acceptable tells whether a Request may accept findings of that code.
func Acceptable(code string) bool { return slices.Contains(acceptable, code) }

func checkAccept(_ context.Context, in *inspection) error {
	for _, code := range in.Accept {
		if !Acceptable(code) {
			in.refuse("accept-unknown", code, "findings of this code cannot be accepted",
				"take it out of the transition; these can be accepted: "+list(acceptable))
		}
	}
	return nil
}
