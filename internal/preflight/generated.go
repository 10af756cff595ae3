package preflight

import (
	"context"
	"fmt"
)

// checkGenerated: PostgreSQL 13 and 14 tie a generated column itself to its
// sources, later ones its expression.
func checkGenerated(ctx context.Context, in *inspection) error {
	columns, err := query[struct{ Name, Expression string }](ctx, in, `
		select a.attname, pg_get_expr(d.adbin, d.adrelid)
		from pg_attrdef d
		join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
		where d.adrelid = $1 and a.attgenerated <> '' and d.adnum <> all($2) and (d.oid = any($3) or exists (
			select from pg_depend p
			where p.classid = 'pg_class'::regclass and p.objid = $1 and p.objsubid = d.adnum
				and p.refclassid = 'pg_class'::regclass and p.refobjid = $1 and p.refobjsubid = any($2)))
		order by 1`, in.table.OID, in.numbers(), in.of("pg_attrdef"))
	if err != nil {
		return fmt.Errorf("read generated columns: %w", err)
	}
	for _, c := range columns {
		in.refuse("generated-depends", "column "+in.Schema+"."+in.Table+"."+c.Name, "it is generated from the source: "+c.Expression,
			"drop it, or make it an ordinary column (alter column ... drop expression)")
	}
	return nil
}
