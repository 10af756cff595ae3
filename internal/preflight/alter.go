package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// alterationChecks are the checks of a transition that moves no column. The
// check of its kind fills in the Alteration of the Definition.
func alterationChecks(kind transform.Kind) []func(context.Context, *inspection) error {
	return []func(context.Context, *inspection) error{
		checkAlteredNames,
		checkAccept,
		checkAlteredTable,
		readMembers,
		layRows,
		alterations[kind],
		checkAlteredKey,
		checkActive,
		checkViolated,
		checkAlteredPublished,
		checkTransactions,
		checkVacuum,
		checkEventTriggers,
		checkAlteredSize,
	}
}

var alterations = map[transform.Kind]func(context.Context, *inspection) error{
	ledger.AddColumn:     checkAddColumn,
	ledger.DropColumn:    checkDropColumn,
	ledger.SetNotNull:    checkSetNotNull,
	ledger.AddIndex:      checkAddIndex,
	ledger.AddUnique:     checkAddUnique,
	ledger.AddCheck:      checkAddCheck,
	ledger.AddForeignKey: checkAddForeignKey,
}

// alterable are the kinds that PostgreSQL can do on a partitioned table as they
// are done on a plain one.
var alterable = []transform.Kind{ledger.AddColumn, ledger.DropColumn, ledger.SetNotNull, ledger.AddCheck}

// alteration is what is known of it: as it is in the Definition, or as asked for.
func (in *inspection) alteration() *ledger.Alteration {
	if a := in.report.Definition.Alteration; a != nil {
		return a
	}
	return in.Alteration
}

// alters writes the alteration into the Definition.
func (in *inspection) alters(a ledger.Alteration) {
	in.report.Definition.Kind = in.Move.Kind
	in.report.Definition.Alteration = &a
}

func checkAlteredNames(_ context.Context, in *inspection) error {
	a := in.Alteration
	names := []string{in.Schema, in.Table}
	if a.Column != nil {
		names = append(names, a.Column.Name)
	}
	for _, optional := range []string{a.Index, a.Constraint} {
		if optional != "" {
			names = append(names, optional)
		}
	}
	for _, name := range names {
		if name == "" || len(name) > maxName || strings.ContainsRune(name, 0) || slices.Contains(systemColumns, name) {
			in.refuse("name-invalid", fmt.Sprintf("name %q", name), fmt.Sprintf("a name has 1 to %d bytes, and is no system column's", maxName),
				"choose another name")
		}
	}
	if in.Name == "" || len(in.Name) > maxName || strings.ContainsFunc(in.Name, unprintable) {
		in.refuse("name-invalid", fmt.Sprintf("transition %q", in.Name),
			fmt.Sprintf("a transition's name has 1 to %d bytes and no spaces", maxName), "choose another name")
	}
	in.over = len(in.report.Findings) > 0
	return nil
}

func checkAlteredTable(ctx context.Context, in *inspection) error {
	if err := readTable(ctx, in); err != nil || in.over {
		return err
	}
	t := in.table
	refuse := func(message, hint string) { in.refuse("table-kind", in.tableName(), message, hint) }
	kind, isOther := kinds[t.Kind]
	column := in.Move.Kind == ledger.AddColumn || in.Move.Kind == ledger.DropColumn
	switch {
	case isOther && t.Kind != "p":
		in.over = true
		refuse("it is "+kind, "only a table can be altered so")
	case isOther && !slices.Contains(alterable, in.Move.Kind):
		refuse("it is "+kind+", on which PostgreSQL cannot do this beside the traffic", "do it on each of its partitions; "+
			"of an index, make one on the parent with ON ONLY then, and attach theirs (alter index ... attach partition)")
	case strings.HasPrefix(in.Schema, "pg_") || in.Schema == "information_schema" || in.Schema == ledger.Schema:
		refuse("it belongs to PostgreSQL or to crossfade itself", "only a table of the application can be altered")
	case t.Partition && (column || in.Move.Kind == ledger.SetNotNull):
		refuse("it is a partition", "alter the partitioned table: all of its partitions have the same columns")
	case t.Inherits && !t.Partition && t.Kind != "p":
		refuse("it inherits from a table, or a table inherits from it", "inheritance is not supported")
	case t.Typed && column:
		refuse("it is a table of a composite type, which fixes its columns", "run `alter table ... not of` first")
	case t.Persistence == "t":
		refuse("it is a temporary table", "only a table that every session sees can be altered")
	}
	if t.Kind == "p" {
		in.warn("partitions-locked", in.tableName(), "it is partitioned: its statements lock every partition at once",
			"a transaction that uses any of them keeps them waiting: let long ones end")
	}
	in.checkOwner()
	if t.Width >= maxColumns && in.Move.Kind == ledger.AddColumn {
		in.refuse("too-many-columns", in.tableName(), "it has had 1600 columns, dropped ones included", "rebuild the table")
	}
	return nil
}

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

// checkAlteredKey reads the primary key. What walks over the rows needs one.
func checkAlteredKey(ctx context.Context, in *inspection) error {
	a := in.report.Definition.Alteration
	if a == nil {
		return nil
	}
	if err := readKey(ctx, in); err != nil || len(in.report.Definition.Key) > 0 {
		return err
	}
	switch {
	case a.Fills():
		in.refuse("no-primary-key", in.tableName(), "it has no primary key, along which it could be filled",
			"add one: create unique index concurrently ..., then alter table ... add primary key using index ...")
	case a.Violated != "":
		in.info("no-primary-key", in.tableName(), "it has no primary key, so rows are not looked at before the constraint is validated, and none is listed", "")
	}
	return nil
}

// seenRows is how many rows are looked at before anything begins.
const seenRows = 10_000

// checkViolated looks at some of the rows. All of them are a step of its own.
func checkViolated(ctx context.Context, in *inspection) error {
	d := in.report.Definition
	a := d.Alteration
	if a == nil || a.Violated == "" || in.Move.Kind == ledger.AddColumn || a.Fills() {
		return nil
	}
	keys := "null::text[]"
	if len(d.Key) > 0 {
		keys = "(array_agg(array[" + columnsOf("t.", d.Key, "::text") + "]) filter (where " + a.Violated + "))[1:5]"
	}
	var seen, violated int64
	var samples [][]string
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = '10s'`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, fmt.Sprintf("select count(*), count(*) filter (where %s), %s from (select * from %s limit %d) as t",
			a.Violated, keys, pgx.Identifier{in.Schema, in.Table}.Sanitize(), seenRows)).Scan(&seen, &violated, &samples)
	})
	if err != nil {
		return fmt.Errorf("look at rows: %w", err)
	}
	if refused != nil && refused.Code == "42501" { // insufficient_privilege
		in.refuse("no-select", in.tableName(), refused.Message, "grant select on what the constraint reads to the role of the migrator")
		return nil
	}
	if refused != nil {
		in.warn("rows-not-seen", in.tableName(), "its rows could not be looked at: "+refused.Message, "the step count looks at all of them")
		return nil
	}
	if violated > 0 {
		message := fmt.Sprintf("%d of %d rows stand in the way", violated, seen)
		for i, key := range samples {
			message += map[bool]string{true: ", with the keys (" + strings.Join(d.Key, ", ") + ")", false: ""}[i == 0] +
				" (" + strings.Join(key, ", ") + ")"
		}
		in.refuse("rows-violate", in.tableName(), message, "put them right first: select * from "+
			pgx.Identifier{in.Schema, in.Table}.Sanitize()+" as t where "+a.Violated)
	}
	return nil
}

// columnsOf lists columns, each between two texts.
func columnsOf(before string, names []string, after string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = before + ident(name) + after
	}
	return strings.Join(list, ", ")
}

// checkAlteredSize foretells what filling costs.
func checkAlteredSize(ctx context.Context, in *inspection) error {
	a := in.report.Definition.Alteration
	if a == nil {
		return nil
	}
	if a.Fills() {
		return checkSize(ctx, in)
	}
	found, err := query[struct{ Rows, Table, Indexes int64 }](ctx, in, `
		select coalesce(sum(greatest(c.reltuples::bigint, 0)), 0)::bigint, coalesce(sum(pg_table_size(c.oid)), 0)::bigint,
			coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint
		from pg_class c where c.oid = $1 or c.oid in (select relid from pg_partition_tree($1))`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read size: %w", err)
	}
	in.report.Size.Rows, in.report.Size.TableBytes, in.report.Size.IndexBytes = found[0].Rows, found[0].Table, found[0].Indexes
	in.info("size", in.tableName(), fmt.Sprintf("about %d rows, %s and %s of indexes", found[0].Rows, bytes(found[0].Table), bytes(found[0].Indexes)), "")
	return nil
}
