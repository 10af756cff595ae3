package ddl

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Function is a trigger function in PL/pgSQL.
type Function struct {
	Schema, Name string
	// Body is the text between the quotes.
	Body string
}

func (f Function) ident() string { return pgx.Identifier{f.Schema, f.Name}.Sanitize() }

// CreateTriggerFunction creates or replaces the function of a trigger on a table.
// It takes no lock on the table: sessions use the new body from their next
// statement on.
func CreateTriggerFunction(table Name, f Function) Statement {
	return Statement{
		SQL: "create or replace function " + f.ident() + "() returns trigger language plpgsql as " + literal(f.Body),
		On:  table.String(), Lock: AccessShare, StatementTimeout: quickTimeout, Why: "what the trigger does",
	}
}

// CreateRowTrigger creates a BEFORE row trigger that fires for everybody, also
// under session_replication_role = replica. It waits for every transaction that
// has written the table, so that whatever is committed from then on has fired it.
func CreateRowTrigger(table Name, trigger string, f Function) Statement {
	return Statement{
		SQL: "create trigger " + ident(trigger) + " before insert or update on " + table.String() +
			" for each row execute function " + f.ident() + "(); " + enableAlways(table, trigger),
		Lock: ShareRowExclusive, On: table.String(), StatementTimeout: quickTimeout,
		Hazard: "stops every write of the table for milliseconds, and for up to lock_timeout while it waits",
		Why:    "from now on it fires for every write, whoever makes it",
	}
}

func enableAlways(table Name, trigger string) string {
	return "alter table " + table.String() + " enable always trigger " + ident(trigger)
}

// DropRowTrigger drops a trigger and its function, if they exist.
func DropRowTrigger(table Name, trigger string, f Function) Statement {
	return quick(table, "drop trigger if exists "+ident(trigger)+" on "+table.String()+
		"; drop function if exists "+f.ident()+"()", "nothing is left of the trigger")
}

// Trigger is a trigger as it stands. The zero value is one that does not exist.
type Trigger struct {
	Exists bool
	// Always: it fires for everybody, on the table and on each of its partitions.
	Always bool
	// Last: no other BEFORE row trigger fires after it.
	Last bool
	// Body is the text of its function; empty when it is not the one asked for.
	Body string
}

// ReadTrigger reads how a row trigger of a table stands, and whether it calls f.
// Triggers whose name matches ours, a regular expression, fire beside it in any
// order.
func ReadTrigger(ctx context.Context, db Querier, table Name, trigger string, f Function, ours string) (Trigger, error) {
	t := Trigger{Exists: true}
	err := db.QueryRow(ctx, `
		select g.tgtype = 23 and not exists (
				select from pg_trigger o
				where o.tgname = g.tgname and o.tgenabled <> 'A' and (o.oid = g.oid
					or o.tgrelid in (select relid from pg_partition_tree(c.oid)))),
			not exists (
				select from pg_trigger o
				where o.tgrelid in (select relid from pg_partition_tree(c.oid) union select c.oid)
					and o.tgtype & 3 = 3 and o.tgtype & 20 <> 0 and o.tgenabled <> 'D'
					and o.tgname > g.tgname and o.tgname !~ $6),
			case when n2.nspname = $4 and p.proname = $5 then p.prosrc else '' end
		from pg_trigger g
		join pg_class c on c.oid = g.tgrelid
		join pg_namespace n on n.oid = c.relnamespace
		join pg_proc p on p.oid = g.tgfoid
		join pg_namespace n2 on n2.oid = p.pronamespace
		where n.nspname = $1 and c.relname = $2 and g.tgname = $3`,
		table.Schema, table.Table, trigger, f.Schema, f.Name, ours).Scan(&t.Always, &t.Last, &t.Body)
	if errors.Is(err, pgx.ErrNoRows) {
		return Trigger{}, nil
	}
	if err != nil {
		return Trigger{}, fmt.Errorf("read trigger %s of %s: %w", ident(trigger), table, err)
	}
	return t, nil
}

// FunctionExists tells whether a function of that name, without arguments, exists.
func FunctionExists(ctx context.Context, db Querier, f Function) (bool, error) {
	var exists bool
	err := db.QueryRow(ctx, `select exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = $1 and p.proname = $2 and p.pronargs = 0)`, f.Schema, f.Name).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("look for function %s: %w", f.ident(), err)
	}
	return exists, nil
}
