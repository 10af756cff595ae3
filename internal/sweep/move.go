package sweep

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// movement is what a sweep does with a row, as SQL over the table as t.
type movement struct {
	// set are the assignments of a copy. The values are of the row as it is when
	// it is locked, so nothing in them may be a subquery.
	set string
	// becomes are the values that it assigns.
	becomes []string
	// differs is true for a row that has to be copied, and is never NULL.
	differs string
}

// movementOf writes down what a job does with the columns of a move. A job that
// compares copies nothing, whatever its set says.
func movementOf(d ledger.Definition, job ledger.Job, sources, targets []column) (movement, error) {
	if d.Alteration != nil {
		return alteration(*d.Alteration, job), nil
	}
	m := d.Move
	if m.Identity() {
		from, to := sources[0], targets[0]
		if job == ledger.Refill {
			from, to = to, from
		}
		return identity(from, to)
	}
	from, to := m.Sources, m.Targets
	if job == ledger.Refill {
		from, to = to, from
	}
	set, becomes := make([]string, len(to)), make([]string, len(to))
	for i, c := range to {
		becomes[i] = ddl.Valued(c, from)
		set[i] = pgx.Identifier{c.Name}.Sanitize() + " = " + becomes[i]
	}
	return movement{set: strings.Join(set, ", "), becomes: becomes, differs: "not (" + ddl.Consistent(m) + ")"}, nil
}

// identity copies one column as it is, and compares as cheaply as its type lets
// it: so does the most frequent move of all.
func identity(from, to column) (movement, error) {
	if from.oid != to.oid {
		return movement{}, fmt.Errorf("%w: columns %s (%s) and %s (%s) are of different types", ErrColumnsChanged, from.name, from.typ, to.name, to.typ)
	}
	set := fmt.Sprintf(`%s = t.%s`, to.name, from.name)
	becomes := []string{"t." + from.name}
	if from.exact && to.exact && from.coll == to.coll {
		return movement{set, becomes, fmt.Sprintf(`t.%s is distinct from t.%s`, to.name, from.name)}, nil
	}
	// The casts keep the parser from taking it for a comparison field by field.
	return movement{set, becomes, fmt.Sprintf(`row(t.%s)::record operator(pg_catalog.*<>) row(t.%s)::record`, to.name, from.name)}, nil
}
