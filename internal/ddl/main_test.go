package ddl_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const setup = `
	create schema app;
	create table app.users (id bigint primary key, full_name text, email text);
	insert into app.users select n, 'user ' || n, 'u' || n || '@example.org' from generate_series(1, 100) n`

var users = ddl.Name{Schema: "app", Table: "users"}

// start opens a transaction on a connection of that application_name and runs
// a statement in it.
func start(t *testing.T, db *pgtest.DB, application, sql string) (pgx.Tx, uint32) {
	t.Helper()
	config := db.Config(t)
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), sql)
	require.NoError(t, err)
	return tx, conn.PgConn().PID()
}

// impatient gives up soon.
var impatient = ddl.Runner{LockTimeout: 20 * time.Millisecond, MaxWait: 300 * time.Millisecond}
