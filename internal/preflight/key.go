package preflight

import (
	"context"
	"fmt"
)

// readKey reads the primary key into the Definition.
func readKey(ctx context.Context, in *inspection) error {
	key, err := query[struct{ Name, Type string }](ctx, in, `
		select a.attname, format_type(a.atttypid, a.atttypmod)
		from pg_index x
		cross join unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
		join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
		where x.indrelid = $1 and x.indisprimary and not x.indisexclusion and k.place <= x.indnkeyatts
		order by k.place`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read primary key: %w", err)
	}
	d := &in.report.Definition
	for _, column := range key {
		d.Key, d.KeyTypes = append(d.Key, column.Name), append(d.KeyTypes, column.Type)
	}
	return nil
}

// checkKey reads the primary key, along which the migrator scans the table.
func checkKey(ctx context.Context, in *inspection) error {
	if err := readKey(ctx, in); err != nil {
		return err
	}
	d := in.report.Definition
	if len(d.Key) == 0 {
		in.refuse("no-primary-key", in.tableName(), "it has no primary key, along which it could be backfilled and verified",
			"add one: create unique index concurrently ..., then alter table ... add primary key using index ...")
	}
	return nil
}
