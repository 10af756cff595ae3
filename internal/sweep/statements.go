package sweep

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// statements builds the SQL of one sweep. Key values travel as text.
type statements struct {
	table string // quoted
	key   []column
	token string
	movement
}

// upper finds the greatest key.
func (q statements) upper() string {
	return fmt.Sprintf(`select %s from %s as t order by %s limit 1`,
		q.list("t.%s::text"), q.table, q.list("t.%s desc"))
}

// bound finds the last key of the next batch of that many rows. No row: it
// would be beyond the upper end. Only the key that is returned is made text and
// compared with the upper end.
func (q statements) bound(s span, rows int) (string, arguments) {
	var args arguments
	after := ""
	if s.lower != nil {
		after = fmt.Sprintf("where (%s) > (%s)", q.list("t.%s"), q.values(&args, s.lower))
	}
	upTo := q.values(&args, s.upper)
	args = append(args, rows-1)
	return fmt.Sprintf(`select %[1]s from (select %[2]s from %[3]s as t %[4]s order by %[2]s offset $%[5]d limit 1) as t
		where (%[2]s) <= (%[6]s)`, q.list("t.%s::text"), q.list("t.%s"), q.table, after, len(args), upTo), args
}

// middle finds the key in the middle of a sample of that many percent of the
// table's pages; no row where the sample has too few of the span.
func (q statements) middle(s span, percent float64) (string, arguments) {
	var args arguments
	return fmt.Sprintf(`select %[1]s from (
			select %[2]s, row_number() over (order by %[2]s) as crossfade_nth, count(*) over () as crossfade_of
			from %[3]s as t tablesample system (%[4]g) where %[5]s) as t
		where crossfade_nth = (crossfade_of + 1) / 2 and crossfade_of > 9`,
		q.list("t.%s::text"), q.list("t.%s"), q.table, percent, q.within(&args, s)), args
}

// count counts the rows of a span.
func (q statements) count(s span) (string, arguments) {
	var args arguments
	return fmt.Sprintf(`select count(*) from %s as t where %s`, q.table, q.within(&args, s)), args
}

// copy moves the rows of a span. Both the values and the condition are of the
// row as it is when it is locked, so they must stand here and not in a subquery.
func (q statements) copy(s span) (string, arguments) {
	var args arguments
	return fmt.Sprintf(`with _crossfade as (select from %s) update %s as t set %s where %s and %s`,
		pgx.Identifier{ledger.Schema, q.token}.Sanitize(), q.table, q.set, q.within(&args, s), q.differs), args
}

// locked tells whether a row of a span is locked by somebody. It locks the
// others: its transaction is to be rolled back.
func (q statements) locked(s span) (string, arguments) {
	var args arguments
	all := q.within(&args, s)
	return fmt.Sprintf(`select (select count(*) from %[1]s as t where %[2]s) > count(*) from (
			select from %[1]s as t where %[3]s for update skip locked) free`, q.table, all, q.within(&args, s)), args
}

// compare counts the rows of a span, and those that differ, and lists keys of
// the latter. The list is evaluated only when there are any, in the same
// snapshot; its order ties it to the index of the key.
func (q statements) compare(s span) (string, arguments) {
	var args arguments
	within := q.within(&args, s)
	listed := fmt.Sprintf("(%s) <= (%s)", q.list("t.%s"), q.values(&args, s.upper))
	if s.lower != nil {
		listed += fmt.Sprintf(" and (%s) > (%s)", q.list("t.%s"), q.values(&args, s.lower))
	}
	return fmt.Sprintf(`select count(*), count(*) filter (where %[1]s), case when count(*) filter (where %[1]s) > 0 then (
			select array_agg(d.key) from (
				select array[%[2]s] as key from %[3]s as t where %[4]s and %[1]s order by %[5]s limit %[6]d) d) end
		from %[3]s as t where %[7]s`,
		q.differs, q.list("t.%s::text"), q.table, listed, q.list("t.%s"), ledger.MaxSamples, within), args
}

// within is the condition for a row to lie in a span.
//
// Of a composite key, (a, b) > ($1, $2) and (a, b) <= ($3, $4) would say it, but
// the planner believes that an index on a alone serves that as well as the
// key's own, and would read all rows of one a in each batch. So the span is cut
// into ranges of one column each, behind columns that are fixed.
func (q statements) within(args *arguments, s span) string {
	last := len(q.key) - 1
	if s.lower == nil {
		return "(" + strings.Join(q.upTo(args, s.upper, 0), " or ") + ")"
	}
	same := 0 // leading columns in which the ends agree
	for same < last && s.lower[same] == s.upper[same] {
		same++
	}
	if same == last {
		return q.fixed(args, s.lower, same) + q.is(">", args, s.lower, last) + " and " + q.is("<=", args, s.upper, last)
	}
	ranges := []string{q.fixed(args, s.lower, same) + q.is(">", args, s.lower, same) + " and " + q.is("<", args, s.upper, same)}
	for i := same + 1; i <= last; i++ {
		ranges = append(ranges, q.fixed(args, s.lower, i)+q.is(">", args, s.lower, i))
	}
	ranges = append(ranges, q.upTo(args, s.upper, same+1)...)
	// Ends that agree may differ as text ('A', 'a'): then the ranges overlap, and
	// this cuts them. "is true" keeps it away from the indexes.
	return fmt.Sprintf("(%[1]s) and ((%[2]s) > (%[3]s)) is true and ((%[2]s) <= (%[4]s)) is true",
		strings.Join(ranges, " or "), q.list("t.%s"), q.values(args, s.lower), q.values(args, s.upper))
}

// upTo are the ranges of the rows up to an end that agree with it in at least
// the first columns.
func (q statements) upTo(args *arguments, end []string, first int) []string {
	var ranges []string
	for i := first; i < len(q.key); i++ {
		operator := "<"
		if i == len(q.key)-1 {
			operator = "<="
		}
		ranges = append(ranges, q.fixed(args, end, i)+q.is(operator, args, end, i))
	}
	return ranges
}

// fixed requires that the first n columns are those of a key.
func (q statements) fixed(args *arguments, key []string, n int) string {
	sql := ""
	for i := range n {
		sql += q.is("=", args, key, i) + " and "
	}
	return sql
}

// is compares a column with that of a key.
func (q statements) is(operator string, args *arguments, key []string, i int) string {
	return fmt.Sprintf("t.%s %s %s", q.key[i].name, operator, args.add(key[i], q.key[i]))
}

// values is a key, as a list.
func (q statements) values(args *arguments, key []string) string {
	list := make([]string, len(q.key))
	for i, c := range q.key {
		list[i] = args.add(key[i], c)
	}
	return strings.Join(list, ", ")
}

// list is the columns of the key, each in that format.
func (q statements) list(format string) string {
	list := make([]string, len(q.key))
	for i, c := range q.key {
		list[i] = fmt.Sprintf(format, c.name)
	}
	return strings.Join(list, ", ")
}

// arguments are those of a statement.
type arguments []any

// add appends the text of a value and returns the SQL for the value.
func (a *arguments) add(text string, c column) string {
	*a = append(*a, text)
	return fmt.Sprintf("($%d::text)::%s", len(*a), c.typ)
}
