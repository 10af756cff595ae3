package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkAddColumn reads a new column: its type, its DEFAULT, and what it is to be
// in the rows that exist.
//
// A DEFAULT that is not volatile is kept in the catalog for them, so it costs
// nothing. What depends on the row, or is another value each time, is filled in
// by the backfill.
func checkAddColumn(ctx context.Context, in *inspection) error {
	asked := in.Alteration.Column
	object := in.columnName(asked.Name)
	if _, exists := in.columnNamed(asked.Name); exists {
		in.refuse("column-exists", object, "it exists already", "choose another name, or set_not_null for a column that is there")
		return nil
	}
	c, read, err := in.readColumn(ctx)
	if err != nil || !read {
		return err
	}
	if err := in.checkTypeOf(ctx, c); err != nil {
		return err
	}
	added := c.vocabulary()
	added.Position, added.NotNull = 0, asked.NotNull
	a := ledger.Alteration{Column: &added}
	if asked.Default != "" {
		volatile, read, err := in.readDefault(ctx, &added, asked.Default)
		if err != nil || !read {
			return err
		}
		a.Late = volatile || asked.Value != ""
		if volatile && asked.Value == "" {
			added.Value = added.Default // each row has one of its own
		}
	}
	if asked.Value != "" {
		if added.Value, a.Columns, err = in.readValue(ctx, c, asked.Value); err != nil || added.Value == "" {
			return err
		}
	}
	if added.NotNull {
		a.Violated = "t." + ident(added.Name) + " is null"
	}
	in.checkNewRows(added)
	in.alters(a)
	return nil
}

// checkNewRows looks who gives the rows their value that are inserted while the
// column is on its way: a DEFAULT, or else the application.
func (in *inspection) checkNewRows(c transform.Column) {
	object := in.columnName(c.Name)
	switch {
	case c.Default != "":
	case c.NotNull && c.Value == "":
		in.refuse("no-value", object, "it is to be NOT NULL, and nothing says what it is in the rows that exist",
			"give it a default, or a value; or leave it nullable")
	case c.NotNull:
		in.refuse("new-rows-unfilled", object, "the backfill fills the rows that exist; those inserted meanwhile have no value unless the application writes one",
			"give it a default; or let the application write it from the step add on, before the step fill, and accept new-rows-unfilled: "+
				"no row without a value is let through to NOT NULL")
	case c.Value != "":
		in.warn("new-rows-unfilled", object, "the backfill fills the rows that exist; those inserted later have no value unless the application writes one",
			"give it a default, or let the application write it from the step add on")
	}
}

// readColumn reads type and collation of the column that is asked for.
func (in *inspection) readColumn(ctx context.Context) (column, bool, error) {
	asked := in.Alteration.Column
	object := in.columnName(asked.Name)
	sql := "alter table " + rowsOnTrial + " add column " + ident(asked.Name) + " " + asked.Type
	if asked.Collation != "" {
		sql += " collate " + asked.Collation
	}
	refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql) })
	if err != nil {
		return column{}, false, err
	}
	if refused != nil {
		in.refuse("type-invalid", object, fmt.Sprintf("type %q: %s", asked.Type, refused.Message),
			"name a type as in CREATE TABLE, with its schema where it has one")
		return column{}, false, nil
	}
	oids, err := query[struct{ OID uint32 }](ctx, in, `select $1::text::regclass::oid`, rowsOnTrial)
	if err != nil {
		return column{}, false, err
	}
	found, err := query[column](ctx, in, columnsSQL, oids[0].OID, []string{asked.Name})
	if err != nil {
		return column{}, false, err
	}
	all, err := in.columnsOnTrial(ctx, rowsOnTrial)
	if err != nil {
		return column{}, false, err
	}
	if len(found) != 1 || all != len(in.sources)+1 || found[0].NotNull || found[0].Default != "" || found[0].Identity != "" || found[0].Generated {
		in.refuse("type-invalid", object, fmt.Sprintf("%q is more than a type", asked.Type),
			"name the type alone; default and not_null are keys of their own")
		return column{}, false, nil
	}
	_, err = in.tx.Exec(ctx, "alter table "+rowsOnTrial+" drop column "+ident(asked.Name))
	return found[0], true, err
}

// readDefault reads a DEFAULT into the column, and tells whether adding it with
// the column would rewrite the table. PostgreSQL itself is asked: a rewrite gives
// a table another file.
func (in *inspection) readDefault(ctx context.Context, c *transform.Column, text string) (volatile, read bool, err error) {
	const side = "pg_temp.crossfade_default"
	if _, err := in.tx.Exec(ctx, "create temporary table crossfade_default (id int)"); err != nil {
		return false, false, err
	}
	file := func() (n uint32, err error) {
		err = in.tx.QueryRow(ctx, `select pg_relation_filenode($1::text::regclass)`, side).Scan(&n)
		return n, err
	}
	before, err := file()
	if err != nil {
		return false, false, err
	}
	sql := "alter table " + side + " add column " + ident(c.Name) + " " + c.Type
	if c.Collation != "" {
		sql += " collate " + c.Collation
	}
	refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql+" default "+text) })
	if err != nil {
		return false, false, err
	}
	object := "default of " + in.columnName(c.Name)
	if refused != nil {
		in.refuse("expression-invalid", object, refused.Message+": "+text, "write one expression as in CREATE TABLE, without columns and subqueries")
		return false, false, nil
	}
	found, err := query[struct {
		Columns          int
		Default          *string
		NotNull, Special bool
	}](ctx, in, `
		select (select count(*) from pg_attribute where attrelid = $1::text::regclass and attnum > 0),
			(select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = a.attrelid and adnum = a.attnum),
			a.attnotnull or exists (select from pg_constraint where conrelid = a.attrelid), a.attidentity <> '' or a.attgenerated <> ''
		from pg_attribute a where a.attrelid = $1::text::regclass and a.attname = $2`, side, c.Name)
	if err != nil {
		return false, false, err
	}
	if len(found) != 1 || found[0].Columns != 2 || found[0].Default == nil || found[0].NotNull || found[0].Special {
		in.refuse("expression-invalid", object, "it is not one DEFAULT: "+text, "write a single expression; NULL is no default")
		return false, false, nil
	}
	after, err := file()
	c.Default = *found[0].Default
	return before != after, true, err
}
