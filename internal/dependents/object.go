package dependents

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Querier is what reading needs of a connection, whose search_path must be empty.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Columns are columns of one table.
type Columns struct {
	Table ddl.Name
	Names []string
}

// object is a dependent with what its kind knows of it.
type object struct {
	ledger.Dependent
	// plan fills in Counterpart and Changes.
	plan func(ctx context.Context, p *Planner, d *ledger.Dependent) error
}

// kinds are all there are. What none of them lists is a kind of its own: Other.
var kinds = []func(ctx context.Context, db Querier, c Columns) ([]object, error){
	listChecks,
	listSettings,
	listStatistics,
	listViews,
	listPolicies,
	listTriggers,
	listIdentity,
	listIndexes,
	listOthers,
}

// The names of the kinds.
const (
	Check           = "check constraint"
	Settings        = "settings of column"
	Statistics      = "statistics"
	View            = "view"
	Policy          = "policy"
	Trigger         = "trigger"
	ReplicaIdentity = "replica identity"
	Other           = ledger.KindOther
)

// List reads what hangs on any of the columns, without Changes.
func List(ctx context.Context, db Querier, c Columns) ([]ledger.Dependent, error) {
	objects, err := list(ctx, db, c)
	if err != nil {
		return nil, err
	}
	found := make([]ledger.Dependent, len(objects))
	for i, o := range objects {
		found[i] = o.Dependent
	}
	return found, nil
}

func list(ctx context.Context, db Querier, c Columns) ([]object, error) {
	var all []object
	for _, kind := range kinds {
		objects, err := kind(ctx, db, c)
		if err != nil {
			return nil, fmt.Errorf("list what hangs on columns of %s: %w", c.Table, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

// hanging begins a query about columns ($1 schema, $2 table, $3 names): col are
// the columns, dep what depends on any of them, dep_of lists one catalog's.
const hanging = `
	with col as (
		select a.attrelid, a.attnum, a.attname
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2 and a.attname = any($3) and a.attnum > 0 and not a.attisdropped
	), dep as (
		select distinct d.classid, d.objid, d.objsubid
		from pg_depend d
		join col on d.refclassid = 'pg_class'::regclass and d.refobjid = col.attrelid and d.refobjsubid = col.attnum
	)`

// query reads the rows of a query that begins with hanging into structs, by
// position.
func query[T any](ctx context.Context, db Querier, c Columns, sql string) ([]T, error) {
	rows, err := db.Query(ctx, hanging+sql, c.Table.Schema, c.Table.Table, c.Names)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// on is a dependent on the table itself.
func (c Columns) on(kind, name, definition string) ledger.Dependent {
	return ledger.Dependent{Kind: kind, Schema: c.Table.Schema, Relation: c.Table.Table, Name: name, Definition: definition}
}

// Find is the dependent of a list that is the same object.
func Find(list []ledger.Dependent, d ledger.Dependent) (ledger.Dependent, bool) {
	i := slices.IndexFunc(list, d.Is)
	if i < 0 {
		return ledger.Dependent{}, false
	}
	return list[i], true
}

// change keeps statements for the ledger.
func change(do, undo []ddl.Statement) ledger.Change {
	keep := func(statements []ddl.Statement) []ledger.Statement {
		var kept []ledger.Statement
		for _, s := range statements {
			kept = append(kept, ledger.Statement{SQL: s.SQL, Lock: s.Lock, On: s.On, Hazard: s.Hazard, Why: s.Why, Quick: s.IsQuick(), Only: s.Only})
		}
		return kept
	}
	return ledger.Change{Do: keep(do), Undo: keep(undo)}
}

// Statement is a statement of the ledger as one to run.
func Statement(s ledger.Statement) ddl.Statement {
	statement := ddl.Statement{SQL: s.SQL, Lock: s.Lock, On: s.On, Hazard: s.Hazard, Why: s.Why, Only: s.Only}
	if s.Quick {
		statement = statement.Bounded()
	}
	return statement
}
