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
			if !hasCode(err, objectInUse) || ctx.Err() != nil {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("create database %s from %s: %w", name, template, err)
	}
	return nil
}

// dropDatabase drops a database with what would keep it: prepared transactions,
// replication slots and sessions.
func dropDatabase(server *postgres.Server, name string) error {
	err := withConn(server.URL(""), func(ctx context.Context, conn *pgx.Conn) error {
		if err := rollbackPrepared(ctx, conn, server.URL(name), name); err != nil {
			return fmt.Errorf("roll back prepared transactions: %w", err)
		}
		if err := dropSlots(ctx, conn, name); err != nil {
			return fmt.Errorf("drop replication slots: %w", err)
		}
		_, err := conn.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
		return err
	})
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// rollbackPrepared ends prepared transactions, which only a session in their
// own database, at url, can.
func rollbackPrepared(ctx context.Context, conn *pgx.Conn, url, database string) error {
	rows, _ := conn.Query(ctx, `select 'rollback prepared ' || quote_literal(gid)
		from pg_prepared_xacts where database = $1`, database)
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(statements) == 0 {
		return err
	}
	return withConn(url, func(ctx context.Context, conn *pgx.Conn) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropSlots drops the database's replication slots. One can be dropped when
// its walsender, told to end, has ended.
func dropSlots(ctx context.Context, conn *pgx.Conn, database string) error {
	const (
		end = `select pg_terminate_backend(active_pid) from pg_replication_slots
			where database = $1 and active`
		drop = `select pg_drop_replication_slot(slot_name) from pg_replication_slots
			where database = $1 and not active`
		ask = `select exists (select from pg_replication_slots where database = $1)`
	)
	for {
		var left bool
		if err := conn.QueryRow(ctx, ask, database).Scan(&left); err != nil || !left {
			return err
		}
		for _, statement := range []string{end, drop} {
			_, err := conn.Exec(ctx, statement, database)
			// A slot may change hands, or go, under our eyes.
			if err != nil && !hasCode(err, objectInUse) && !hasCode(err, undefinedObject) {
				return err
			}
		}
	}
}

// PostgreSQL's error codes.
const (
	objectInUse     = "55006"
	undefinedObject = "42704"
)

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}
