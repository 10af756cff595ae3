package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// referencedOnTrial is a temporary table with the referenced columns.
const referencedOnTrial = "pg_temp.crossfade_referenced"

// referenced is the other table of a foreign key.
type referenced struct {
	OID                uint32
	Kind, Persistence  string
	Allowed            bool
	Primary            []string
	Unique             bool // the columns that are asked for are a key
	User, RelationName string
}

// checkAddForeignKey reads a FOREIGN KEY, and tries it on temporary tables: its
// types, its actions, and with which operator it compares.
func checkAddForeignKey(ctx context.Context, in *inspection) error {
	asked := in.Alteration
	object := in.constraintName(asked.Constraint)
	free, err := in.constraintFree(ctx, asked.Constraint)
	if err != nil || !free {
		return err
	}
	missing := false
	for _, name := range asked.Columns {
		_, found := in.existing(name)
		missing = missing || !found
	}
	name, err := ddl.ResolveName(ctx, in.tx, asked.References.Table, in.Path)
	if err != nil {
		in.refuse("referenced-table", object, err.Error(), "name the referenced table with its schema")
		return nil
	}
	r, columns, err := in.readReferenced(ctx, name)
	if err != nil || r.OID == 0 || missing {
		return err
	}
	if len(columns) != len(asked.Columns) {
		in.refuse("foreign-key-columns", object, fmt.Sprintf("%d columns reference %d", len(asked.Columns), len(columns)), "name as many on either side")
		return nil
	}
	operators, read, err := in.tryForeignKey(ctx, object, r, columns)
	if err != nil || !read {
		return err
	}
	if fits, err := in.checkForeignTree(ctx, r, object); err != nil || !fits {
		return err
	}
	if err := in.checkReferencing(ctx); err != nil {
		return err
	}
	in.alters(ledger.Alteration{
		Columns: asked.Columns, Constraint: asked.Constraint,
		Body:       ddl.ForeignKeyBody(asked.Columns, name, columns, asked.Body),
		References: &ledger.Reference{Schema: name.Schema, Table: name.Table, Columns: columns},
		Violated:   refersToNothing(name, asked.Columns, columns, operators, strings.Contains(asked.Body, "match full")),
	})
	return nil
}

// refersToNothing is the condition for a row, as t, to break a foreign key.
func refersToNothing(to ddl.Name, columns, referenced, operators []string, full bool) string {
	var same, given []string
	for i := range columns {
		same = append(same, "r."+ident(referenced[i])+" "+operators[i]+" t."+ident(columns[i]))
		given = append(given, "t."+ident(columns[i])+" is not null")
	}
	word := " and "
	if full {
		word = " or " // some of them alone are wrong as well
	}
	return "(" + strings.Join(given, word) + ") and not exists (select from " + to.String() + " as r where " + strings.Join(same, " and ") + ")"
}

// readReferenced reads the referenced table, and which columns are referenced.
// No OID: it has refused.
func (in *inspection) readReferenced(ctx context.Context, name ddl.Name) (referenced, []string, error) {
	columns := in.Alteration.References.Columns
	if columns == nil {
		columns = []string{}
	}
	found, err := query[referenced](ctx, in, `
		select c.oid, c.relkind::text, c.relpersistence::text, has_table_privilege(c.oid, 'references'), p.names,
			exists (select from pg_index x where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indimmediate
				and x.indpred is null and x.indexprs is null and array(
					select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = any((x.indkey::int2[])[0:x.indnkeyatts - 1]) order by 1)
				= array(select n from unnest(case when cardinality($2::text[]) = 0 then p.names else $2::text[] end) n order by 1)),
			current_user::text, c.oid::regclass::text
		from pg_class c cross join lateral (select array(
			select a.attname::text from pg_index x cross join unnest(x.indkey::int2[]) with ordinality k (n, place)
			join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.n
			where x.indrelid = c.oid and x.indisprimary and k.place <= x.indnkeyatts order by k.place)) p (names)
		where c.oid = to_regclass($1)`, name.String(), columns)
	if err != nil {
		return referenced{}, nil, fmt.Errorf("read referenced table: %w", err)
	}
	object := "table " + name.Schema + "." + name.Table
	if len(found) == 0 {
		in.refuse("referenced-table", object, "it does not exist", "check the spelling, and the schema; names are case-sensitive here")
		return referenced{}, nil, nil
	}
	r := found[0]
	if len(columns) == 0 {
		columns = r.Primary
	}
	switch {
	case r.Kind != "r" && r.Kind != "p":
		in.refuse("referenced-table", object, "it is no table", "only a table can be referenced")
	case r.Persistence != in.table.Persistence && r.Persistence != "p":
		in.refuse("referenced-table", object, "it is not as permanent as the table that references it", "run alter table ... set logged")
	case !r.Allowed:
		in.refuse("no-references", object, fmt.Sprintf("role %s may not reference it", r.User), "grant references on it to the role")
	case len(columns) == 0:
		in.refuse("referenced-key", object, "it has no primary key, and no columns are named", "name the columns of a unique constraint")
	case !r.Unique:
		in.refuse("referenced-key", object, fmt.Sprintf("(%s) is no key of it", strings.Join(columns, ", ")),
			"it takes a unique constraint, or a unique index without expressions and WHERE, on just these columns: add_unique makes one")
	default:
		return r, columns, nil
	}
	return referenced{}, nil, nil
}

// tryForeignKey makes the constraint between two temporary tables, and returns
// the operators with which it compares. False: it has refused.
func (in *inspection) tryForeignKey(ctx context.Context, object string, r referenced, names []string) ([]string, bool, error) {
	columns, err := query[column](ctx, in, columnsSQL, r.OID, names)
	if err != nil {
		return nil, false, fmt.Errorf("read referenced columns: %w", err)
	}
	if err := in.layTable(ctx, referencedOnTrial, columns, func(c column) string { return c.Type }); err != nil {
		return nil, false, err
	}
	if _, err := in.tx.Exec(ctx, "alter table "+referencedOnTrial+" add unique ("+ddl.Columns(names)+")"); err != nil {
		return nil, false, err
	}
	on := ddl.Name{Schema: "pg_temp", Table: "crossfade_referenced"}
	refused, err := in.try(ctx, "alter table "+rowsOnTrial+" add constraint crossfade_trial "+
		ddl.ForeignKeyBody(in.Alteration.Columns, on, names, in.Alteration.Body))
	if err != nil {
		return nil, false, err
	}
	if refused != nil {
		in.refuse("constraint-invalid", object, refused.Message, "columns that reference each other are of types that compare")
		return nil, false, nil
	}
	var operators []string
	err = in.tx.QueryRow(ctx, `
		select array(select 'operator(' || quote_ident(n.nspname) || '.' || o.oprname || ')'
			from unnest(k.conpfeqop) with ordinality as e (oid, place)
			join pg_operator o on o.oid = e.oid join pg_namespace n on n.oid = o.oprnamespace order by e.place)
		from pg_constraint k where k.conrelid = $1::text::regclass and k.contype = 'f'`, rowsOnTrial).Scan(&operators)
	if err != nil {
		return nil, false, fmt.Errorf("read foreign key on trial: %w", err)
	}
	return operators, true, nil
}

// checkReferencing: a delete of a referenced row looks for those that refer to
// it, and without an index reads the whole table for it.
func (in *inspection) checkReferencing(ctx context.Context) error {
	columns := in.Alteration.Columns
	indexes, err := query[struct{ Leading []string }](ctx, in, `
		select array(select a.attname::text from unnest(x.indkey::int2[]) with ordinality k (n, place)
			join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.n where k.place <= $2 order by 1)
		from pg_index x where x.indrelid = $1 and x.indisvalid and x.indpred is null`, in.table.OID, len(columns))
	if err != nil {
		return fmt.Errorf("read indexes: %w", err)
	}
	sorted := slices.Sorted(slices.Values(columns))
	for _, x := range indexes {
		if slices.Equal(x.Leading, sorted) {
			return nil
		}
	}
	in.warn("no-index", in.tableName(), fmt.Sprintf("no index begins with (%s): every delete, or update of the key, of a referenced row reads this whole table",
		strings.Join(columns, ", ")), "add one first (add_index), unless referenced rows are never deleted and their keys never change")
	return nil
}
