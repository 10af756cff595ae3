package ddl

import (
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Consistent is the rule for a row while both sides are kept, as a condition in
// SQL that is never NULL and names the columns bare:
//
//   - the targets are what forward makes of the sources; or
//   - where backward is lossy: the sources are what backward makes of the
//     targets. Then an application has written the targets' names, and forward
//     could not give back what it wrote.
//
// Everything goes by this rule. Copying in either direction leaves consistent
// rows alone: a backfill must not run over what was written under the targets'
// names, nor a refill over a source of which forward has already made the
// target. The verification counts the rows that break it, and the CHECK
// constraint refuses them.
//
// In a row that nobody has filled yet the targets are NULL. The second half must
// not take that for something written, so preflight refuses a lossy backward
// together with a forward that would not give all NULLs back.
func Consistent(m transform.Move) string {
	var targets []string
	for _, c := range m.Targets {
		targets = append(targets, Same(c, ident(c.Name), Valued(c, m.Sources)))
	}
	rule := strings.Join(targets, " and ")
	if !m.Loses(transform.Backward) {
		return rule
	}
	var sources []string
	for _, c := range m.Sources {
		sources = append(sources, Same(c, ident(c.Name), Valued(c, m.Targets)))
	}
	return "(" + rule + ") or (" + strings.Join(sources, " and ") + ")"
}

// Valued is the value that a column gets from the columns of the other side,
// which it names bare, as storing it in the column would make it.
func Valued(c transform.Column, others []transform.Column) string {
	if c.Value == "" {
		return ident(others[0].Name)
	}
	return "(" + c.Cast(c.Value) + ")"
}

// Same tells whether two values of a column's type are the same, NULLs too.
//
// What merely counts as equal ('A' and 'a' as citext, '1 day' and '24 hours') is
// not the same, and a type needs no equality: so the images are compared, but
// for types of which equal values are identical, and for numeric, of which 1.0
// and 1.00 are the same number.
func Same(c transform.Column, a, b string) string {
	if slices.Contains(exactTypes, c.BaseType) {
		return a + " is not distinct from " + b
	}
	return sameImage(a, b)
}

// Identical tells whether two values of a column are the same bit for bit, NULLs
// too, by the cheapest means.
func Identical(c transform.Column, a, b string) string {
	switch {
	case c.BaseType == "text" || c.BaseType == "character varying":
		const bytes = ` collate pg_catalog."C"`
		return a + bytes + " is not distinct from " + b + bytes
	case c.BaseType != "numeric" && slices.Contains(exactTypes, c.BaseType):
		return a + " is not distinct from " + b
	}
	return sameImage(a, b)
}

// sameImage compares the images of two values. Not by the operator: PostgreSQL
// prints a CHECK without the casts that would keep it from comparing field by
// field, and a dump could not be restored.
func sameImage(a, b string) string {
	return "pg_catalog.record_image_eq(row(" + a + "), row(" + b + "))"
}

// exactTypes are such types, as format_type names them. None has a collation:
// the two sides might not have the same.
var exactTypes = []string{
	"boolean", "smallint", "integer", "bigint", "oid", "numeric", "uuid", "bytea", "date", "time without time zone",
	"timestamp without time zone", "timestamp with time zone", "bit", "bit varying", "money", "macaddr", "macaddr8", "pg_lsn",
}
