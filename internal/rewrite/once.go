package rewrite

import (
	"slices"
	"strings"

	pg "github.com/sqlc-dev/oliphant"
)

// attachOnce adds the WITH query of what is evaluated once.
func (in *insertion) attachOnce() {
	if len(in.once) == 0 {
		return
	}
	var queries []string
	for chunk := range slices.Chunk(in.once, maxOnce) {
		items := make([]string, len(chunk))
		for i, expr := range chunk {
			items[i] = "(" + expr + ") AS v" + itoa(i+1)
		}
		queries = append(queries, in.onceQuery(len(queries))+" AS MATERIALIZED (SELECT "+strings.Join(items, ", ")+")")
	}
	query := strings.Join(queries, ", ")
	switch top, _ := in.top.Node.(*pg.Node_InsertStmt); {
	case in.stmt.WithClause != nil:
		// Last in the list: its expressions may use the other queries.
		in.edits.insert(in.endOf(in.first), ", "+query)
	case top != nil && top.InsertStmt == in.stmt:
		in.extra = append(in.extra, query)
	default:
		in.edits.insert(int(in.tokens[in.first].start), "WITH "+query+" ")
	}
}

// onceRef evaluates the text in the WITH query and returns how to refer to its
// value.
func (in *insertion) onceRef(text string) string {
	if in.onceName == "" {
		in.onceName = in.fresh("_crossfade_v")
	}
	n := len(in.once)
	in.once = append(in.once, text)
	return "(SELECT v" + itoa(n%maxOnce+1) + " FROM " + in.onceQuery(n/maxOnce) + ")"
}

// maxOnce is how many expressions one WITH query evaluates. Each reference to
// a value costs the planner time for every column of its query.
const maxOnce = 20

// onceQuery is the name of the nth WITH query.
func (in *insertion) onceQuery(n int) string {
	if n == 0 {
		return in.onceName
	}
	return in.onceName + itoa(n+1)
}
