package preflight

import (
	"context"
	"fmt"
	"slices"
)

// checkKey reads the key along which the migrator scans the table: the primary
// key, or where there is none a unique index that does the work of one. It must
// hold every row exactly once, in the order in which the columns compare.
func checkKey(ctx context.Context, in *inspection) error {
	indexes, err := query[struct {
		Primary      bool
		Names, Types []string
	}](ctx, in, `
		select x.indisprimary, array_agg(a.attname::text order by k.place),
			array_agg(format_type(a.atttypid, a.atttypmod) order by k.place)
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		cross join unnest(x.indkey::int2[], x.indoption::int2[], x.indcollation::oid[], x.indclass::oid[])
			with ordinality as k (attnum, direction, coll, class, place)
		join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
		join pg_opclass o on o.oid = k.class
		where x.indrelid = $1 and x.indisunique and not x.indisexclusion and k.place <= x.indnkeyatts
		group by x.indexrelid, i.oid
		having x.indisprimary or x.indisvalid and x.indimmediate and x.indpred is null and x.indexprs is null
			and bool_and(a.attnotnull and k.coll = a.attcollation and o.opcdefault)
			and (bool_and(k.direction = 0) or bool_and(k.direction = 3))
		order by x.indisprimary desc, x.indisreplident desc, x.indnkeyatts, i.relname`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	d := &in.report.Definition
	for _, x := range indexes {
		isSource := func(column string) bool { return slices.Contains(in.Move.SourceNames(), column) }
		if x.Primary || !slices.ContainsFunc(x.Names, isSource) {
			d.Key, d.KeyTypes = x.Names, x.Types
			break
		}
	}
	if len(d.Key) == 0 {
		in.refuse("no-primary-key", in.tableName(), "it has no primary key, and no other unique index that holds every row and leaves out the "+
			"source, along which it could be backfilled and verified",
			"add one: create unique index concurrently ..., then alter table ... add primary key using index ...; "+
				"a unique index over NOT NULL columns, without WHERE and expressions, does as well")
	}
	for _, source := range in.Move.SourceNames() {
		if slices.Contains(d.Key, source) {
			in.refuse("source-in-primary-key", in.columnName(source), "it is part of the primary key", "moving a key is not supported yet")
		}
	}
	return nil
}
