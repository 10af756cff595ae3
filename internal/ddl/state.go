package ddl

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Querier is what the checks need of a connection.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Column is a column as it stands. The zero value is a column that does not
// exist.
type Column struct {
	Exists bool
	// Number is its attnum: a column that was added later has a greater one.
	Number int
	// Type is the type with its modifier. Its name is qualified unless the
	// session's search_path finds it.
	Type    string
	NotNull bool
	// Default is the DEFAULT as SQL text; empty when there is none. Names in
	// it are qualified unless the session's search_path finds them.
	Default string
}

// ReadColumn reads how a column stands.
func ReadColumn(ctx context.Context, db Querier, table Name, column string) (Column, error) {
	c := Column{Exists: true}
	err := db.QueryRow(ctx, `
		select a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), '')
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where n.nspname = $1 and c.relname = $2 and a.attname = $3 and a.attnum > 0 and not a.attisdropped`,
		table.Schema, table.Table, column).
		Scan(&c.Number, &c.Type, &c.NotNull, &c.Default)
	if errors.Is(err, pgx.ErrNoRows) {
		return Column{}, nil
	}
	if err != nil {
		return Column{}, fmt.Errorf("read column %s.%s: %w", table, ident(column), err)
	}
	return c, nil
}

// ColumnExists tells whether a table has a column of that name.
func ColumnExists(ctx context.Context, db Querier, table Name, column string) (bool, error) {
	c, err := ReadColumn(ctx, db, table, column)
	return c.Exists, err
}

// Constraint is a constraint as it stands. The zero value is one that does not
// exist.
type Constraint struct {
	Exists    bool
	Validated bool
	// Definition is its SQL text, without its name.
	Definition string
}

// ReadConstraint reads how a constraint of a table stands.
func ReadConstraint(ctx context.Context, db Querier, table Name, constraint string) (Constraint, error) {
	c := Constraint{Exists: true}
	err := db.QueryRow(ctx, `
		select k.convalidated, pg_get_constraintdef(k.oid)
		from pg_constraint k
		join pg_class c on c.oid = k.conrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2 and k.conname = $3`,
		table.Schema, table.Table, constraint).Scan(&c.Validated, &c.Definition)
	if errors.Is(err, pgx.ErrNoRows) {
		return Constraint{}, nil
	}
	if err != nil {
		return Constraint{}, fmt.Errorf("read constraint %s of %s: %w", ident(constraint), table, err)
	}
	return c, nil
}

// NameIsFree tells whether a schema has no table, index or other relation of that
// name.
func NameIsFree(ctx context.Context, db Querier, schema, name string) (bool, error) {
	var free bool
	err := db.QueryRow(ctx, `select not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2)`, schema, name).Scan(&free)
	if err != nil {
		return false, fmt.Errorf("look for %s.%s: %w", ident(schema), ident(name), err)
	}
	return free, nil
}

// StatisticsExist tells whether there is an extended statistics object of that name.
func StatisticsExist(ctx context.Context, db Querier, statistics Name) (bool, error) {
	var exists bool
	err := db.QueryRow(ctx, `select exists (select from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
		where n.nspname = $1 and s.stxname = $2)`, statistics.Schema, statistics.Table).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("look for statistics %s: %w", statistics, err)
	}
	return exists, nil
}

// IndexState is how far an index has come.
type IndexState string

const (
	// IndexMissing: there is no index of that name on the table.
	IndexMissing IndexState = "missing"
	// IndexBuilding: a session is building it, perhaps for a program that has died.
	IndexBuilding IndexState = "building"
	// IndexInvalid: a build has failed. It may enforce nothing.
	IndexInvalid IndexState = "invalid"
	// IndexValid: it serves reads and enforces what it should.
	IndexValid IndexState = "valid"
)

// ReadIndex reads how an index of a table stands.
func ReadIndex(ctx context.Context, db Querier, table Name, index string) (IndexState, error) {
	var state IndexState
	err := db.QueryRow(ctx, `
		select case when x.indisvalid and x.indisready then 'valid'
			when exists (select from pg_stat_progress_create_index p where p.index_relid = x.indexrelid) then 'building'
			else 'invalid' end
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		join pg_class c on c.oid = x.indrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2 and i.relname = $3`,
		table.Schema, table.Table, index).Scan(&state)
	if errors.Is(err, pgx.ErrNoRows) {
		return IndexMissing, nil
	}
	if err != nil {
		return "", fmt.Errorf("read index %s of %s: %w", ident(index), table, err)
	}
	return state, nil
}
