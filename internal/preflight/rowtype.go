package preflight

import (
	"context"
	"fmt"
)

// checkRowType: every table has a composite type with its columns. Who uses it
// gets the target as well, and later loses the source.
func checkRowType(ctx context.Context, in *inspection) error {
	columns, err := query[struct{ Name string }](ctx, in, `
		select a.attrelid::regclass::text || '.' || quote_ident(a.attname)
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid
		join pg_type t on t.oid = a.atttypid
		where $1 in (t.oid, t.typelem) and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'm', 'c')
		order by 1`, in.table.RowType)
	if err != nil {
		return fmt.Errorf("read columns of the row type: %w", err)
	}
	for _, c := range columns {
		in.refuse("column-uses-row-type", "column "+c.Name, "it holds whole rows of the table", "give it a type of its own")
	}
	functions, err := query[struct{ Name string }](ctx, in, `
		select p.oid::regprocedure::text
		from pg_proc p
		where exists (
			select from unnest(p.prorettype || coalesce(p.proallargtypes, p.proargtypes::oid[])) as u (type)
			join pg_type t on t.oid = u.type
			where $1 in (t.oid, t.typelem))
		order by 1`, in.table.RowType)
	if err != nil {
		return fmt.Errorf("read functions of the row type: %w", err)
	}
	for _, f := range functions {
		in.refuse("function-uses-row-type", "function "+f.Name, "it takes or returns whole rows of the table, with the target from expand on",
			"give it a column list (returns table ...); if one column more does no harm, accept function-uses-row-type")
	}
	return nil
}
