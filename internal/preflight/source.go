package preflight

import (
	"context"
	"fmt"
)

// column is what pg_attribute says of the source.
type column struct {
	Number    int16
	Type      string
	BaseType  string
	Collation string
	Default   string
	NotNull   bool
	Identity  bool
	Generated bool
	Granted   bool
	Options   string
	TypeOID   uint32
}

// checkSource reads the source into the Definition.
func checkSource(ctx context.Context, in *inspection) error {
	found, err := query[column](ctx, in, `
		select a.attnum, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, null),
			case when a.attcollation <> t.typcollation then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) else '' end,
			coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attnotnull, a.attidentity <> '', a.attgenerated <> '',
			a.attacl is not null, coalesce(array_to_string(a.attoptions, ', '), ''), a.atttypid
		from pg_attribute a
		join pg_type t on t.oid = a.atttypid
		left join pg_collation co on co.oid = a.attcollation
		left join pg_namespace cn on cn.oid = co.collnamespace
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = $1 and a.attname = $2 and a.attnum > 0 and not a.attisdropped`, in.table.OID, in.Source)
	if err != nil {
		return fmt.Errorf("read source: %w", err)
	}
	if len(found) == 0 {
		in.refuse("column-missing", in.sourceName(), "it does not exist", "check the spelling; names are case-sensitive here")
		in.over = true
		return nil
	}
	in.column = found[0]
	c := in.column
	d := &in.report.Definition
	d.Kind, d.Type, d.BaseType, d.Collation = "rename", c.Type, c.BaseType, c.Collation
	d.Default, d.NotNull, d.Position = c.Default, c.NotNull, int(c.Number)
	if c.Identity {
		in.refuse("source-identity", in.sourceName(), "it is an identity column", "moving an identity is not supported yet")
	}
	if c.Generated {
		in.refuse("source-generated", in.sourceName(), "it is a generated column: it cannot be written",
			"add the target as a generated column of the same expression instead")
	}
	if c.Options != "" {
		in.warn("column-options", in.sourceName(), "its options do not move along: "+c.Options, "set them on the target after the expand step")
	}
	return nil
}
