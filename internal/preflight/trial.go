package preflight

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The temporary tables on which expressions are tried: one with the sources, one
// with the targets, so that an expression sees the columns of its side only.
const (
	sourcesOnTrial = "pg_temp.crossfade_sources"
	targetsOnTrial = "pg_temp.crossfade_targets"
)

// objection is what the server has against a statement: a finding, not an error.
type objection struct {
	// Code is the SQLSTATE.
	Code, Message string
}

// try runs one statement; when the server refuses it the transaction goes on as
// if it had not been sent. The extended protocol takes a single statement,
// whatever an expression brings along.
func (in *inspection) try(ctx context.Context, sql string) (*objection, error) {
	return in.attempt(ctx, true, func(tx pgx.Tx) error {
		_, err := tx.Conn().PgConn().ExecParams(ctx, sql, nil, nil, nil, nil).Close()
		return err
	})
}

// attempt runs fn in a savepoint, and takes back what it did unless it is to be
// kept. A refusal of the server is no error.
func (in *inspection) attempt(ctx context.Context, keep bool, fn func(pgx.Tx) error) (*objection, error) {
	tx, err := in.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	err = fn(tx)
	if err == nil && keep {
		return nil, tx.Commit(ctx)
	}
	if rollbackErr := tx.Rollback(ctx); rollbackErr != nil {
		return nil, errors.Join(err, rollbackErr)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return &objection{Code: refused.Code, Message: refused.Message}, nil
	}
	return nil, err
}

// underPath runs fn with names looked up as the author of the transition would.
func (in *inspection) underPath(ctx context.Context, fn func() (*objection, error)) (*objection, error) {
	schemas := make([]string, 0, len(in.Path)+1)
	for _, schema := range append(in.Path, in.Schema) {
		schemas = append(schemas, ident(schema))
	}
	const set = `select set_config('search_path', $1, true)`
	if _, err := in.tx.Exec(ctx, set, strings.Join(schemas, ", ")); err != nil {
		return nil, err
	}
	refused, err := fn()
	if err != nil {
		return nil, err
	}
	_, err = in.tx.Exec(ctx, set, "")
	return refused, err
}

// layTargets makes the targets on trial, and reads what their types are. False:
// it has refused.
func (in *inspection) layTargets(ctx context.Context) (bool, error) {
	refused, err := in.try(ctx, "create temporary table "+strings.TrimPrefix(targetsOnTrial, "pg_temp.")+" ()")
	if err != nil {
		return false, err
	}
	if refused != nil {
		in.refuse("no-temporary-tables", "database", "expressions are tried on temporary tables: "+refused.Message,
			"grant temporary on the database to the role of the migrator")
		return false, nil
	}
	oids, err := query[struct{ OID uint32 }](ctx, in, `select $1::text::regclass::oid`, targetsOnTrial)
	if err != nil {
		return false, err
	}
	for i, c := range in.Move.Targets {
		object := in.columnName(c.Name)
		sql := "alter table " + targetsOnTrial + " add column " + ident(c.Name) + " " + c.Type
		if c.Collation != "" {
			sql += " collate " + c.Collation
		}
		refused, err := in.underPath(ctx, func() (*objection, error) { return in.try(ctx, sql) })
		if err != nil {
			return false, err
		}
		if refused != nil {
			in.refuse("type-invalid", object, fmt.Sprintf("type %q: %s", c.Type, refused.Message),
				"name a type as in CREATE TABLE, with its schema where it has one")
			return false, nil
		}
		if in.targets, err = query[column](ctx, in, columnsSQL, oids[0].OID, in.Move.TargetNames()); err != nil {
			return false, err
		}
		all, err := in.columnsOnTrial(ctx, targetsOnTrial)
		if err != nil {
			return false, err
		}
		last := in.targets[len(in.targets)-1]
		if all != i+1 || last.NotNull || last.Default != "" || last.Identity != "" || last.Generated {
			in.refuse("type-invalid", object, fmt.Sprintf("%q is more than a type", c.Type),
				"name the type alone; constraints and defaults have keys of their own, or come with the source")
			return false, nil
		}
	}
	return true, nil
}

// columnsOnTrial counts the columns of a table on trial: who closes our
// parentheses in an expression can add some.
func (in *inspection) columnsOnTrial(ctx context.Context, table string) (int, error) {
	found, err := query[struct{ N int }](ctx, in,
		`select count(*) from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped`, table)
	if err != nil {
		return 0, fmt.Errorf("read columns on trial: %w", err)
	}
	return found[0].N, nil
}

// laySources makes the sources on trial, as they are in the table.
func (in *inspection) laySources(ctx context.Context) error {
	return in.layTable(ctx, sourcesOnTrial, in.sources, func(c column) string { return c.Type })
}

func (in *inspection) layTable(ctx context.Context, table string, columns []column, typeOf func(column) string) error {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = ident(c.Name) + " " + typeOf(c)
		if c.Collation != "" && typeOf(c) == c.Type {
			list[i] += " collate " + c.Collation
		}
	}
	name := strings.TrimPrefix(table, "pg_temp.")
	_, err := in.tx.Exec(ctx, "create temporary table "+name+" ("+strings.Join(list, ", ")+")")
	return err
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }
