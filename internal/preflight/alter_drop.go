package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// hiddenSuffix is what the name of a dropped column gets until contract.
const hiddenSuffix = "__crossfade_dropped"

// checkDropColumn lists what hangs on the column, with its text. Nothing is ever
// dropped by CASCADE; but PostgreSQL drops indexes and constraints that read the
// column without being asked, so those are listed too.
func checkDropColumn(ctx context.Context, in *inspection) error {
	c, found := in.existing(in.Alteration.Column.Name)
	if !found {
		return nil
	}
	dropped := c.vocabulary()
	// PostgreSQL gives these their value, also when nobody names them.
	dropped.NotNull = c.NotNull && c.Identity == "" && !c.Generated
	hidden := cut(c.Name, maxName-len(hiddenSuffix)) + hiddenSuffix
	if _, taken := in.columnNamed(hidden); taken {
		in.refuse("column-exists", in.columnName(hidden), "the column would bear this name until contract", "drop that one, or rename it")
	}
	if len(in.sources) == 1 {
		in.refuse("last-column", in.columnName(c.Name), "it is the only column of the table", "drop the table instead")
	}
	if err := in.checkDropped(ctx, c); err != nil {
		return err
	}
	if err := in.checkTexts(ctx, c); err != nil {
		return err
	}
	in.warn("statements-fail", in.columnName(c.Name), "from the step hide on, statements that name it fail with 42703; "+
		"a prepared SELECT * fails once per connection", "deploy an application first that does not name it; a rollback brings the name back at once")
	a := ledger.Alteration{Column: &dropped, Hidden: hidden}
	if dropped.NotNull && dropped.Default == "" {
		a.Violated = "t." + ident(c.Name) + " is null" // of a rollback
	}
	in.alters(a)
	return nil
}

// attachment is something that reads a column.
type attachment struct {
	Class, Description, Text string
	// Kind says what it is within its class.
	Kind string
	// Shared: it reads other columns too, or it is unique.
	Shared bool
	// Outside: it belongs to another table.
	Outside bool
}

// checkDropped looks at everything that PostgreSQL knows to hang on a column, and
// in partitions at what they do not have from the table.
func (in *inspection) checkDropped(ctx context.Context, c column) error {
	attached, err := query[attachment](ctx, in, `
		select distinct d.classid::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid),
			coalesce(case d.classid::regclass::text
				when 'pg_attrdef' then (select pg_get_expr(adbin, adrelid) from pg_attrdef where oid = d.objid)
				when 'pg_class' then case when x.indexrelid is not null then pg_get_indexdef(d.objid) else (
					select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = d.objid and adnum = d.objsubid) end
				when 'pg_constraint' then pg_get_constraintdef(d.objid)
				when 'pg_rewrite' then pg_get_ruledef(d.objid)
				when 'pg_trigger' then pg_get_triggerdef(d.objid)
				when 'pg_statistic_ext' then pg_get_statisticsobjdef(d.objid)
				when 'pg_policy' then (select concat_ws(' with check ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
					from pg_policy where oid = d.objid) end, ''),
			coalesce(k.contype::text, case when x.indisreplident then 'identity' when x.indexrelid is not null then 'index' end,
				case when f.adnum = d.refobjsubid then 'own' when d.classid = 'pg_class'::regclass and d.objsubid > 0 then 'column' end, ''),
			coalesce(x.indisunique or cardinality(array(select distinct unnest(x.indkey::int2[]))) > 1 or cardinality(k.conkey) > 1, false),
			coalesce(k.conrelid <> d.refobjid, false)
		from pg_depend d
		join pg_attribute c on d.refclassid = 'pg_class'::regclass and c.attrelid = d.refobjid and c.attnum = d.refobjsubid
		left join pg_index x on d.classid = 'pg_class'::regclass and x.indexrelid = d.objid
		left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
		left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid and f.adrelid = d.refobjid
		left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
		where d.refobjid = any($2) and c.attname = $3 and (d.refobjid = $1
			or coalesce(k.conparentid = 0 and k.coninhcount = 0, true) and coalesce(t.tgparentid = 0, true)
				and not exists (select from pg_inherits i where x.indexrelid = i.inhrelid))
		order by 1, 2`, in.table.OID, in.tree(), c.Name)
	if err != nil {
		return fmt.Errorf("read dependents: %w", err)
	}
	for _, a := range attached {
		in.checkAttached(a)
	}
	own, err := query[struct{ Name string }](ctx, in, `
		select attrelid::regclass::text || '.' || quote_ident(attname) from pg_attribute
		where attrelid = any($1) and attrelid <> $2 and attname = $3 and attnotnull and not $4 order by 1`, in.tree(), in.table.OID, c.Name, c.NotNull)
	if err != nil {
		return fmt.Errorf("read columns of partitions: %w", err)
	}
	for _, p := range own {
		in.refuse("partition-not-null", "column "+p.Name, "it is NOT NULL in this partition only, so inserts that leave it out would fail", "drop that")
	}
	return in.checkPartitionKey(ctx, c.Name, "it cannot be dropped")
}

func (in *inspection) checkAttached(a attachment) {
	object, text := a.Description, "it reads the column: "+a.Text
	const drop = "drop it, or make it do without the column"
	switch {
	case a.Class == "pg_attrdef" && a.Kind == "own", a.Kind == "n":
		// its own DEFAULT or NOT NULL
	case a.Class == "pg_attrdef" || a.Kind == "column": // the latter before PostgreSQL 15, which would drop it too
		in.refuse("generated-depends", object, text, drop)
	case a.Kind == "p":
		in.refuse("primary-key", object, text, "a primary key stays")
	case a.Kind == "identity":
		in.refuse("replica-identity", object, text, "run alter table ... replica identity default")
	case a.Outside:
		in.refuse("foreign-key-references", object, "it references the column: "+a.Text, drop)
	case a.Class == "pg_constraint" || a.Kind == "index" || a.Class == "pg_statistic_ext":
		if a.Shared || a.Class == "pg_statistic_ext" {
			in.refuse("drops-with-column", object, "PostgreSQL drops it together with the column, and it is about more: "+a.Text,
				drop+"; if nobody needs it any more, accept drops-with-column")
			return
		}
		in.info("goes-with-column", object, "PostgreSQL drops it together with the column: "+a.Text, "")
	case a.Class == "pg_class":
		in.info("goes-with-column", object, "it belongs to the column, and is dropped together with it", "")
	case a.Class == "pg_rewrite":
		in.refuse("view-depends", object, text, drop)
	case a.Class == "pg_policy":
		in.refuse("policy-depends", object, text, drop)
	case a.Class == "pg_trigger":
		in.refuse("trigger-depends", object, text, drop)
	case a.Class == "pg_publication_rel":
		in.refuse("publication-depends", object, "its column list or its row filter names the column", "publish the table without it")
	case a.Class == "pg_proc":
		in.refuse("function-depends", object, "its body uses the column", drop)
	default:
		in.refuse("depends", object, text, drop)
	}
}

// checkTexts looks for the column in the bodies of functions, which PostgreSQL
// reads when they run.
func (in *inspection) checkTexts(ctx context.Context, c column) error {
	functions, err := query[struct {
		Name, Text string
		Trigger    bool
	}](ctx, in, `
		select p.oid::regprocedure::text, p.prosrc, exists (select from pg_trigger t where t.tgfoid = p.oid and t.tgrelid = $2)
		from pg_proc p
		join pg_language l on l.oid = p.prolang
		join pg_namespace n on n.oid = p.pronamespace
		where l.lanname not in ('c', 'internal') and strpos(lower(p.prosrc), lower($1)) > 0
			and n.nspname not in ('pg_catalog', 'information_schema', 'crossfade')
			and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
		order by 1`, c.Name, in.table.OID)
	if err != nil {
		return fmt.Errorf("read functions: %w", err)
	}
	for _, f := range functions {
		switch {
		case !mentions(f.Text, c.Name):
		case f.Trigger:
			in.refuse("trigger-names-column", "function "+f.Name, "it is a trigger's on the table, and its text names the column: writes would fail",
				"make it do without the column; if it does not touch it, accept trigger-names-column")
		case mentions(f.Text, in.Table):
			in.refuse("function-names-column", "function "+f.Name, "its text names the table and the column",
				"make it do without the column; if it does not touch it, accept function-names-column")
		}
	}
	return nil
}
