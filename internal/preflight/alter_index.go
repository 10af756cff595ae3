package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkAddIndex reads an index: PostgreSQL builds it on the temporary table, and
// prints it.
func checkAddIndex(ctx context.Context, in *inspection) error {
	a, read, err := in.readIndex(ctx)
	if err == nil && read {
		in.alters(a)
	}
	return err
}

// checkAddUnique reads a UNIQUE constraint as the index that carries it.
func checkAddUnique(ctx context.Context, in *inspection) error {
	asked := in.Alteration
	free, err := in.constraintFree(ctx, asked.Constraint)
	if err != nil || !free {
		return err
	}
	a, read, err := in.readIndex(ctx)
	if err != nil || !read {
		return err
	}
	a.Constraint, a.Body = asked.Constraint, asked.Body
	refused, err := in.try(ctx, ddl.AddUniqueConstraint(ddl.Name{Schema: "pg_temp", Table: "crossfade_rows"}, a.Constraint, a.Index, a.Body).SQL)
	if err != nil {
		return err
	}
	if refused != nil {
		in.refuse("constraint-invalid", in.constraintName(a.Constraint), refused.Message, "name plain columns of the table, each once")
		return nil
	}
	in.alters(a)
	return nil
}

// trialIndex is the index on trial.
type trialIndex struct {
	Name       string // quoted
	Definition string
	Unique     bool
	Moved      bool // to a tablespace
	NullsSame  bool
	Predicate  string
	Keys       []string
	Columns    []string
}

// readIndex reads what stands behind ON table in a CREATE INDEX. False: it has
// refused.
func (in *inspection) readIndex(ctx context.Context) (ledger.Alteration, bool, error) {
	name, create := in.Alteration.Index, "create index "
	if in.Alteration.Unique {
		create = "create unique index "
	}
	object := "index " + in.Schema + "." + name
	if err := in.indexFree(ctx, name); err != nil {
		return ledger.Alteration{}, false, err
	}
	sql := create + ident(name) + " on " + rowsOnTrial + " " + in.Alteration.Create
	refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql) })
	if err != nil {
		return ledger.Alteration{}, false, err
	}
	if refused != nil {
		in.refuse("index-invalid", object, refused.Message, "write what stands behind ON table in a CREATE INDEX")
		return ledger.Alteration{}, false, nil
	}
	found, err := query[trialIndex](ctx, in, `
		select quote_ident(i.relname), pg_get_indexdef(i.oid), x.indisunique, i.reltablespace <> 0,
			coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false), coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
			array(select pg_get_indexdef(i.oid, n, true) from generate_series(1, x.indnkeyatts) n),
			array(select a.attname::text from pg_attribute a where a.attrelid = x.indrelid and a.attnum > 0 and (
				a.attnum = any(x.indkey::int2[]) or exists (select from pg_depend d where d.classid = 'pg_class'::regclass
					and d.objid = x.indexrelid and d.refobjid = x.indrelid and d.refobjsubid = a.attnum)))
		from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = $1::text::regclass`, rowsOnTrial)
	if err != nil {
		return ledger.Alteration{}, false, fmt.Errorf("read index on trial: %w", err)
	}
	if len(found) != 1 {
		return ledger.Alteration{}, false, fmt.Errorf("%s: the trial made %d indexes", object, len(found))
	}
	x := found[0]
	kind := "CREATE INDEX "
	if x.Unique {
		kind = "CREATE UNIQUE INDEX "
	}
	rest, ok := strings.CutPrefix(x.Definition, kind+x.Name+" ON pg_temp")
	if ok { // versions differ in how they name the schema
		_, rest, ok = strings.Cut(rest, strings.TrimPrefix(rowsOnTrial, "pg_temp")+" ")
	}
	if !ok {
		return ledger.Alteration{}, false, fmt.Errorf("read definition of %s: it does not begin as expected: %s", object, x.Definition)
	}
	if x.Moved {
		in.refuse("index-tablespace", object, "it names a tablespace, which is not supported yet", "run alter index ... set tablespace ... later")
		return ledger.Alteration{}, false, nil
	}
	in.checkMayCreate("the index")
	if fits, err := in.tryOnTree(ctx, object); err != nil || !fits {
		return ledger.Alteration{}, false, err
	}
	a := ledger.Alteration{
		Columns: x.Columns, Index: name, Unique: x.Unique,
		Create: kind + "CONCURRENTLY " + ident(name) + " ON " + pgx.Identifier{in.Schema, in.Table}.Sanitize() + " " + rest,
	}
	if x.Unique {
		a.Keys, a.Compared = x.Keys, x.Predicate
		in.warn("unique-race", object, "while there are two unique indexes, an INSERT ... ON CONFLICT on the other one that loses a race may fail with 23505 on this",
			"let the application try such a statement again; nothing is lost")
		if !x.NullsSame {
			a.Compared = compared(x)
		}
		return a, true, in.checkDuplicates(ctx, a)
	}
	return a, true, nil
}

// compared is the condition for a row to be compared with others where NULLs
// count as different.
func compared(x trialIndex) string {
	var all []string
	if x.Predicate != "" {
		all = append(all, "("+x.Predicate+")")
	}
	for _, key := range x.Keys {
		all = append(all, "("+key+") is not null")
	}
	return strings.Join(all, " and ")
}

// indexFree refuses a name that is taken. An INVALID index on the table is what a
// build has left that failed, and makes way.
func (in *inspection) indexFree(ctx context.Context, name string) error {
	found, err := query[struct {
		Description string
		Leftover    bool
	}](ctx, in, `
		select pg_describe_object('pg_class'::regclass, c.oid, 0), coalesce(x.indrelid = $3 and not x.indisvalid and c.relkind = 'i', false)
		from pg_class c left join pg_index x on x.indexrelid = c.oid
		where c.relnamespace = $1 and c.relname = $2`, in.table.Namespace, name, in.table.OID)
	if err != nil {
		return fmt.Errorf("look for name %s: %w", name, err)
	}
	for _, other := range found {
		if other.Leftover {
			in.warn("index-invalid", other.Description, "a build of it has failed, or is still running", "it is dropped and built anew; one that is running is waited for")
			continue
		}
		in.refuse("name-taken", other.Description, "it exists already", "choose another name")
	}
	return nil
}

// checkDuplicates looks for duplicates among some of the rows. The build looks at
// all of them.
func (in *inspection) checkDuplicates(ctx context.Context, a ledger.Alteration) error {
	var groups, rows int64
	refused, err := in.attempt(ctx, false, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = '10s'`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, fmt.Sprintf("select count(*), coalesce(sum(n), 0) from (%s) d",
			ddl.Duplicates(ddl.Name{Schema: in.Schema, Table: in.Table}, a.Keys, a.Compared, duplicateRows))).Scan(&groups, &rows)
	})
	if err != nil {
		return fmt.Errorf("look for duplicates: %w", err)
	}
	if refused == nil && groups > 0 {
		in.refuse("duplicates", in.tableName(), fmt.Sprintf("%d rows share %d values of (%s) among the first %d rows", rows, groups,
			strings.Join(a.Keys, ", "), duplicateRows), "remove them first")
	}
	return nil
}

// duplicateRows is how many rows are compared before anything begins.
const duplicateRows = 1_000_000
