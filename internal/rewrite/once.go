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
	for chunk := range slices.Chunk(in.once, in.atOnce()) {
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

// onceValue is where a value that is evaluated once comes from.
type onceValue struct{ query, column string }

// onceRef evaluates the text in a WITH query and returns how to refer to its
// value.
func (in *insertion) onceRef(text string) string {
	if in.onceName == "" {
		in.onceName = in.fresh("_crossfade_v")
	}
	n, size := len(in.once), in.atOnce()
	in.once = append(in.once, text)
	v := onceValue{in.onceQuery(n / size), "v" + itoa(n%size+1)}
	ref := "(SELECT " + v.column + " FROM " + v.query + ")"
	if in.onceValues == nil {
		in.onceValues = map[string]onceValue{}
	}
	in.onceValues[ref] = v
	return ref
}

// maxOnce is how many expressions one WITH query evaluates at most. Each reference to
// a value costs the planner time for every column of its query.
const maxOnce = 20

// atOnce is how many expressions one WITH query evaluates: it does so when the
// first of them is needed, which is too soon where other values of the rows are
// to be evaluated in between, as nextval before currval.
func (in *insertion) atOnce() int {
	if in.mixed {
		return 1
	}
	return maxOnce
}

// onceQuery is the name of the nth WITH query.
func (in *insertion) onceQuery(n int) string {
	if n == 0 {
		return in.onceName
	}
	return in.onceName + itoa(n+1)
}
