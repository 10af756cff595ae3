package ddl

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// PrimaryKey is a primary key as it stands. The zero value is none.
type PrimaryKey struct {
	Constraint string
	Columns    []string
}

// ReadPrimaryKey reads the primary key of a table.
func ReadPrimaryKey(ctx context.Context, db Querier, table Name) (PrimaryKey, error) {
	var k PrimaryKey
	err := db.QueryRow(ctx, `
		select k.conname, array(
			select a.attname::text
			from unnest(k.conkey) with ordinality as key (attnum, place)
			join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.attnum
			order by key.place)
		from pg_constraint k
		join pg_class c on c.oid = k.conrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2 and k.contype = 'p'`, table.Schema, table.Table).Scan(&k.Constraint, &k.Columns)
	if errors.Is(err, pgx.ErrNoRows) {
		return PrimaryKey{}, nil
	}
	if err != nil {
		return PrimaryKey{}, fmt.Errorf("read primary key of %s: %w", table, err)
	}
	return k, nil
}

// SwapPrimaryKey makes a unique index the primary key, under the name of the one
// that there is, whose index is dropped. It is one statement: the table is never
// without a key. The columns must be NOT NULL, or they are scanned for NULLs.
func SwapPrimaryKey(table Name, constraint, index string) Statement {
	s := quick(table, "alter table "+table.String()+" drop constraint "+ident(constraint)+", add constraint "+ident(constraint)+
		" primary key using index "+ident(index), "the primary key moves from one column to the other")
	s.Hazard = "the replica identity moves along; " + s.Hazard
	return s
}
