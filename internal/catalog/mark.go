package catalog

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed mark.sql
var markSQL string

// Current tells whether another Read for the same transitions is sure to find
// the same. It costs a fraction of one, which goes through every function's
// body. False says little: any DDL in the database, also on temporary tables,
// leads to it.
func (s Snapshot) Current(ctx context.Context, conn *pgconn.PgConn) (bool, error) {
	if s.mark == "" {
		return true, nil // of no transitions
	}
	now, err := mark(ctx, conn)
	return err == nil && now == s.mark, err
}

func mark(ctx context.Context, conn *pgconn.PgConn) (string, error) {
	found, err := value(ctx, conn, markSQL)
	return string(found), err
}
