package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// column is what the statements must know of a column.
type column struct {
	name string // quoted
	// typ is the type with its modifier: casting text to "character" without
	// one would cut it to a single letter.
	typ string
	// sameType tells whether the type is the expected one.
	sameType bool
	// exact: values that are equal are identical.
	exact bool
	oid   uint32 // of the type
	coll  uint32 // of the collation; 0 without
}

// exactTypes are the types of which equal values are identical bit for bit.
// All others are compared by their image: 1.0 = 1.00 as numeric, 'A' = 'a' as
// citext, and json has no equality at all.
var exactTypes = []string{
	"bool", "int2", "int4", "int8", "oid", "text", "varchar", "char", "name", "uuid", "bytea", "date", "time",
	"timestamp", "timestamptz", "bit", "varbit", "money", "macaddr", "macaddr8", "pg_lsn",
}

const columnsSQL = `
with recursive wanted as (
	select w.name, w.expected, w.n from unnest($2::text[], $3::text[]) with ordinality as w(name, expected, n)
), base as (
	select a.attname, a.atttypid as typid from pg_catalog.pg_attribute a
	where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
	union all
	select b.attname, t.typbasetype from base b join pg_catalog.pg_type t on t.oid = b.typid where t.typtype = 'd'
)
select a.attname, format_type(a.atttypid, a.atttypmod),
	coalesce(to_regtype(w.expected) = a.atttypid, true),
	coalesce(c.collisdeterministic, true) and exists (
		select from base b join pg_catalog.pg_type t on t.oid = b.typid
		where b.attname = a.attname and (t.typtype = 'e'
			or t.typname = any($4::text[]) and t.typnamespace = 'pg_catalog'::regnamespace)),
	a.atttypid, a.attcollation
from wanted w
join pg_catalog.pg_attribute a on a.attname = w.name and a.attrelid = to_regclass($1) and a.attnum > 0
	and not a.attisdropped
left join pg_catalog.pg_collation c on c.oid = a.attcollation
order by w.n`

// readColumns looks the key, the sources and the targets up in the catalog.
func readColumns(ctx context.Context, conn *pgx.Conn, table Table, m transform.Move) (key, sources, targets []column, err error) {
	names := slices.Concat(table.Key, m.SourceNames(), m.TargetNames())
	expected := make([]*string, len(names))
	for i := range table.KeyTypes {
		expected[i] = &table.KeyTypes[i]
	}
	rows, err := conn.Query(ctx, columnsSQL, pgx.Identifier{table.Schema, table.Name}.Sanitize(), names, expected, exactTypes)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read columns: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (column, error) {
		var c column
		err := row.Scan(&c.name, &c.typ, &c.sameType, &c.exact, &c.oid, &c.coll)
		c.name = pgx.Identifier{c.name}.Sanitize()
		return c, err
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read columns: %w", err)
	}
	if len(found) != len(names) {
		missing := slices.DeleteFunc(names, func(name string) bool {
			return slices.ContainsFunc(found, func(c column) bool { return c.name == pgx.Identifier{name}.Sanitize() })
		})
		return nil, nil, nil, fmt.Errorf("%w: %s.%s has no columns %q any more", ErrColumnsChanged, table.Schema, table.Name, missing)
	}
	key, found = found[:len(table.Key)], found[len(table.Key):]
	for i, c := range key {
		if !c.sameType {
			return nil, nil, nil, fmt.Errorf("%w: column %s is of type %s, not %s", ErrKeyChanged, c.name, c.typ, table.KeyTypes[i])
		}
	}
	return key, found[:len(m.Sources)], found[len(m.Sources):], nil
}
