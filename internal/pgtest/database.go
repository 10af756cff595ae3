package pgtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pgcrossfade/crossfade/internal/postgres"
)

// adminTimeout bounds the making and the dropping of a database.
const adminTimeout = time.Minute

// withConn runs fn on a connection of its own.
func withConn(url string, fn func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, conn), conn.Close(ctx))
}

func createDatabase(server *postgres.Server, name, template string) error {
	sql := "create database " + pgx.Identifier{name}.Sanitize() + " template " + pgx.Identifier{template}.Sanitize()
	if server.Major() >= 15 {
		sql += " strategy file_copy" // faster than writing the copy to the WAL
	}
	err := withConn(server.URL(""), func(ctx context.Context, conn *pgx.Conn) error {
		for {
			_, err := conn.Exec(ctx, sql)
			// An autovacuum worker may be in the template for a moment.
			if !hasCode(err, "55006") || ctx.Err() != nil {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("create database %s from %s: %w", name, template, err)
	}
	return nil
}

// dropDatabase drops a database with what would keep it: sessions, replication
// slots and prepared transactions.
func dropDatabase(server *postgres.Server, name string) error {
	err := errors.Join(rollbackPrepared(server, name), withConn(server.URL(""), func(ctx context.Context, conn *pgx.Conn) error {
		if err := dropSlots(ctx, conn, name); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
		return err
	}))
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// dropSlots drops the database's replication slots. One is active until its
// walsender, told to end, has ended.
func dropSlots(ctx context.Context, conn *pgx.Conn, database string) error {
	for {
		const query = `select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots
			where database = $1 and not active`
		_, err := conn.Exec(ctx, query, database)
		if err != nil && !hasCode(err, "55006") && !hasCode(err, "42704") {
			return fmt.Errorf("drop replication slots: %w", err)
		}
		var left int
		const ask = `select count(*) + count(pg_terminate_backend(active_pid, 1000)) * 0
			from pg_replication_slots where database = $1`
		if err := conn.QueryRow(ctx, ask, database).Scan(&left); err != nil {
			return fmt.Errorf("drop replication slots: %w", err)
		}
		if left == 0 {
			return nil
		}
	}
}

// rollbackPrepared ends prepared transactions, which only a session in their
// database can.
func rollbackPrepared(server *postgres.Server, database string) error {
	var ids []string
	err := withConn(server.URL(""), func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "select gid from pg_prepared_xacts where database = $1", database)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return withConn(server.URL(database), func(ctx context.Context, conn *pgx.Conn) error {
		for _, id := range ids {
			quoted, err := conn.PgConn().EscapeString(id)
			if err != nil {
				return err
			}
			if _, err := conn.Exec(ctx, "rollback prepared '"+quoted+"'"); err != nil {
				return err
			}
		}
		return nil
	})
}

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}
