package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// rowsOnTrial is a temporary table with the columns of the table, on which
// PostgreSQL reads what is asked for.
const rowsOnTrial = "pg_temp.crossfade_rows"

func layRows(ctx context.Context, in *inspection) error {
	names, err := query[struct{ Name string }](ctx, in,
		`select attname from pg_attribute where attrelid = $1 and attnum > 0 and not attisdropped order by attnum`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	list := make([]string, len(names))
	for i, c := range names {
		list[i] = c.Name
	}
	if in.sources, err = query[column](ctx, in, columnsSQL, in.table.OID, list); err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	refused, err := in.attempt(ctx, true, func(pgx.Tx) error {
		return in.layTable(ctx, rowsOnTrial, in.sources, func(c column) string { return c.Type })
	})
	if err == nil && refused != nil {
		in.refuse("no-temporary-tables", "database", "what is asked for is tried on a temporary table: "+refused.Message,
			"grant temporary on the database to the role of the migrator")
		in.over = true
	}
	return err
}

// columnNamed finds a column of the table.
func (in *inspection) columnNamed(name string) (column, bool) {
	i := slices.IndexFunc(in.sources, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, false
	}
	return in.sources[i], true
}

// existing finds a column of the table; where there is none it has refused.
func (in *inspection) existing(name string) (column, bool) {
	c, found := in.columnNamed(name)
	if !found {
		in.refuse("column-missing", in.columnName(name), "it does not exist", "check the spelling; names are case-sensitive here")
	}
	return c, found
}

// condition is a condition on a row as PostgreSQL has read it.
type condition struct {
	Text    string   // the expression
	Body    string   // the constraint
	Columns []string // those that it names
}

// readCondition reads a condition over a row. Empty: it has refused.
func (in *inspection) readCondition(ctx context.Context, object, text string) (condition, error) {
	// The line break ends a comment.
	sql := "alter table " + rowsOnTrial + " add constraint crossfade_trial check (" + text + "\n)"
	refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql) })
	if err != nil {
		return condition{}, err
	}
	found, err := query[condition](ctx, in, `
		select pg_get_expr(conbin, conrelid), pg_get_constraintdef(oid), array(
			select attname::text from pg_attribute where attrelid = conrelid and attnum = any(conkey) order by attnum)
		from pg_constraint where conrelid = $1::text::regclass and contype = 'c'`, rowsOnTrial)
	if err != nil {
		return condition{}, err
	}
	columns, err := in.columnsOnTrial(ctx, rowsOnTrial)
	switch {
	case err != nil:
		return condition{}, err
	case refused != nil:
		in.refuse("expression-invalid", object, refused.Message+": "+text,
			"write one condition over the columns of the row, without subquery, aggregate, window function or parameter")
		return condition{}, nil
	case len(found) != 1 || columns != len(in.sources):
		in.refuse("expression-invalid", object, "it is not one condition: "+text, "write a single condition")
		return condition{}, nil
	}
	_, err = in.tx.Exec(ctx, "alter table "+rowsOnTrial+" drop constraint crossfade_trial")
	return found[0], err
}

// readValue reads an expression over a row that gives a column, and which
// columns it names. Empty: it has refused.
func (in *inspection) readValue(ctx context.Context, c column, text string) (string, []string, error) {
	object := "value of " + in.columnName(c.Name)
	e := expression{side: rowsOnTrial, over: in.sources, gives: c, text: text}
	canonical, refused, err := in.canonical(ctx, e)
	if err != nil {
		return "", nil, err
	}
	if refused == nil && canonical != "" {
		// The value is stored in the column, so it must fit it.
		refused, err = in.try(ctx, "select from "+rowsOnTrial+" where ("+c.vocabulary().Cast(canonical)+") is null")
		if err != nil {
			return "", nil, err
		}
	}
	if refused != nil {
		in.refuse("expression-invalid", object, refused.Message+": "+text, expressionHint(refused, e))
		return "", nil, nil
	}
	if canonical == "" {
		in.refuse("expression-invalid", object, "it is not one expression that gives a plain value: "+text, "write a single expression, as in a select list")
		return "", nil, nil
	}
	names, err := in.readCondition(ctx, object, "("+canonical+") is not null")
	return canonical, names.Columns, err
}
