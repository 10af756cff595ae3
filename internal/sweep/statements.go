package sweep

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// statements builds the SQL of one sweep. Key values travel as text. The
// parameters are the upper end of a range, then its lower end where it has
// one, then what the statement adds.
type statements struct {
	table    string // quoted
	key      []column
	from, to column
	token    string
}

// upper finds the greatest key.
func (q statements) upper() string {
	descending := make([]string, len(q.key))
	for i, c := range q.key {
		descending[i] = "t." + c.name + " desc"
	}
	return fmt.Sprintf(`select %s from %s as t order by %s limit 1`, q.keyText(), q.table, strings.Join(descending, ", "))
}

// bound finds the last key of the next batch: the offset-th key of the range
// that is left. No row: fewer are left.
func (q statements) bound(lower bool) string {
	return fmt.Sprintf(`select %s from %s as t where %s order by %s offset $%d limit 1`,
		q.keyText(), q.table, q.inRange(lower), q.keyList(), q.params(lower)+1)
}

// count counts the rows of a range.
func (q statements) count(lower bool) string {
	return fmt.Sprintf(`select count(*) from %s as t where %s`, q.table, q.inRange(lower))
}

// copy fills To in a range. Both the value and the condition are of the row as
// it is when it is locked, so they must stand here and not in a subquery.
func (q statements) copy(lower bool) string {
	return fmt.Sprintf(`with _crossfade as (select from %s) update %s as t set %s = t.%s where %s and %s`,
		pgx.Identifier{ledger.Schema, q.token}.Sanitize(), q.table, q.to.name, q.from.name, q.inRange(lower), q.differs())
}

// compare counts the rows of a range, and those that differ, and lists keys of
// the latter. The list is evaluated only when there are any, in the same
// snapshot.
func (q statements) compare(lower bool) string {
	return fmt.Sprintf(`select count(*), count(*) filter (where %[1]s), case when count(*) filter (where %[1]s) > 0 then (
			select array_agg(d.key) from (
				select array[%[2]s] as key from %[3]s as t where %[4]s and %[1]s order by %[5]s limit %[6]d) d) end
		from %[3]s as t where %[4]s`,
		q.differs(), q.keyText(), q.table, q.inRange(lower), q.keyList(), maxSamples)
}

// differs is true for a row in which To is not what From is.
func (q statements) differs() string {
	if q.from.exact && q.to.exact && q.from.coll == q.to.coll {
		return fmt.Sprintf(`t.%s is distinct from t.%s`, q.to.name, q.from.name)
	}
	// The casts keep the parser from taking it for a comparison field by field.
	return fmt.Sprintf(`row(t.%s)::record operator(pg_catalog.*<>) row(t.%s)::record`, q.to.name, q.from.name)
}

// inRange is the range of keys as the primary key's index can serve it.
func (q statements) inRange(lower bool) string {
	if len(q.key) == 1 {
		c := "t." + q.key[0].name
		if !lower {
			return c + " <= " + q.param(0)
		}
		return c + " > " + q.param(1) + " and " + c + " <= " + q.param(0)
	}
	// The planner cannot tell how narrow a range of rows is: the conditions on
	// the first column, which follow from it, tell it.
	n := len(q.key)
	first := "t." + q.key[0].name
	sql := fmt.Sprintf("(%s) <= (%s) and %s <= %s", q.keyList(), q.paramList(0), first, q.param(0))
	if lower {
		sql += fmt.Sprintf(" and (%s) > (%s) and %s >= %s", q.keyList(), q.paramList(n), first, q.param(n))
	}
	return sql
}

// params is how many parameters a range takes.
func (q statements) params(lower bool) int {
	if lower {
		return 2 * len(q.key)
	}
	return len(q.key)
}

func (q statements) param(i int) string {
	return fmt.Sprintf("($%d::text)::%s", i+1, q.key[i%len(q.key)].typ)
}

func (q statements) paramList(start int) string {
	list := make([]string, len(q.key))
	for i := range q.key {
		list[i] = q.param(start + i)
	}
	return strings.Join(list, ", ")
}

func (q statements) keyList() string {
	list := make([]string, len(q.key))
	for i, c := range q.key {
		list[i] = "t." + c.name
	}
	return strings.Join(list, ", ")
}

func (q statements) keyText() string {
	list := make([]string, len(q.key))
	for i, c := range q.key {
		list[i] = "t." + c.name + "::text"
	}
	return strings.Join(list, ", ")
}
