package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// column is what pg_attribute says of a source, or of a target on trial.
type column struct {
	Number    int16
	Name      string
	Type      string
	BaseType  string
	Collation string
	Default   string
	NotNull   bool
	Identity  string // "always" or "by default"
	Generated bool
	TypeOID   uint32
	Enum      bool
}

// columnsSQL reads columns of a relation ($1), those of some names ($2), in the
// order of the names. Run it with an empty search_path.
const columnsSQL = `
	select a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, null),
		case when a.attcollation <> t.typcollation then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) else '' end,
		coalesce(pg_get_expr(d.adbin, d.adrelid), case when a.attidentity <> '' then 'nextval('
			|| quote_literal(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)) || '::regclass)' end, ''),
		a.attnotnull, case a.attidentity when 'a' then 'always' when 'd' then 'by default' else '' end, a.attgenerated <> '',
		a.atttypid, t.typtype = 'e'
	from unnest($2::text[]) with ordinality as wanted (name, place)
	join pg_attribute a on a.attname = wanted.name
	join pg_type t on t.oid = a.atttypid
	left join pg_collation co on co.oid = a.attcollation
	left join pg_namespace cn on cn.oid = co.collnamespace
	left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
	where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
	order by wanted.place`

// checkSources reads the sources into the Definition. A rename is complete with
// that.
func checkSources(ctx context.Context, in *inspection) error {
	var err error
	in.sources, err = query[column](ctx, in, columnsSQL, in.table.OID, in.Move.SourceNames())
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	byName := map[string]bool{}
	for _, c := range in.sources {
		byName[c.Name] = true
		in.checkSource(c)
	}
	for _, name := range in.Move.SourceNames() {
		if !byName[name] {
			in.refuse("column-missing", in.columnName(name), "it does not exist", "check the spelling; names are case-sensitive here")
			in.over = true
		}
	}
	if !in.over && in.Move.Kind == transform.Rename {
		in.report.Definition.Move = transform.Renamed(in.sources[0].vocabulary(), in.Move.Targets[0].Name)
	}
	return nil
}

func (in *inspection) checkSource(c column) {
	object := in.columnName(c.Name)
	if c.Generated {
		in.refuse("source-generated", object, "it is a generated column: it cannot be written",
			"add the target as a generated column of the same expression instead")
	}
}

// vocabulary is the column as the Definition has it.
func (c column) vocabulary() transform.Column {
	return transform.Column{
		Name: c.Name, Type: c.Type, BaseType: c.BaseType, Collation: c.Collation, Default: c.Default, NotNull: c.NotNull,
		Identity: c.Identity, Position: int(c.Number),
	}
}
