package preflight

import (
	"context"
	"fmt"
	"slices"
)

// readKey reads the key along which the migrator scans the table into the
// Definition: the primary key, or where there is none a unique index that does
// the work of one. It must hold every row exactly once, in the order in which
// the columns compare, and not move itself.
func readKey(ctx context.Context, in *inspection) error {
	indexes, err := query[struct {
		Primary      bool
		Names, Types []string
	}](ctx, in, `
		select bool_or(x.indisprimary), array_agg(a.attname::text order by k.place),
			array_agg(format_type(a.atttypid, a.atttypmod) order by k.place)
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		cross join unnest(x.indkey::int2[], x.indoption::int2[], x.indcollation::oid[], x.indclass::oid[])
			with ordinality as k (attnum, direction, coll, class, place)
		join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
		join pg_opclass o on o.oid = k.class
		where x.indrelid = $1 and x.indisunique and not x.indisexclusion and k.place <= x.indnkeyatts
		group by x.indexrelid, i.relname
		having bool_or(x.indisprimary) or bool_and(x.indisvalid and x.indimmediate and x.indpred is null and x.indexprs is null)
			and bool_and(a.attnotnull and k.coll = a.attcollation and o.opcdefault)
			and (bool_and(k.direction = 0) or bool_and(k.direction = 3))
		order by bool_or(x.indisprimary) desc, bool_or(x.indisreplident) desc, count(*), i.relname`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	isSource := func(column string) bool { return slices.Contains(in.Move.SourceNames(), column) }
	for _, x := range indexes {
		if x.Primary || !slices.ContainsFunc(x.Names, isSource) {
			in.report.Definition.Key, in.report.Definition.KeyTypes = x.Names, x.Types
			return nil
		}
	}
	return nil
}

// checkKey refuses a table without a key.
func checkKey(ctx context.Context, in *inspection) error {
	if err := readKey(ctx, in); err != nil {
		return err
	}
	if len(in.report.Definition.Key) == 0 {
		in.refuse("no-primary-key", in.tableName(), "it has no primary key, and no other unique index that holds every row and leaves out the "+
			"source, along which it could be backfilled and verified",
			"add one: create unique index concurrently ..., then alter table ... add primary key using index ...; "+
				"a unique index over NOT NULL columns, without WHERE and expressions, does as well")
	}
	return nil
}
