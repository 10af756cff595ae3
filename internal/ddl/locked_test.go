package ddl_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

const shop = `
	create schema app;
	create table app.orders (id int primary key);
	create table app.lines (order_id int not null constraint lines_order references app.orders, n int)`

var orderOfLine = ddl.ForeignKey{
	Table: ddl.Name{Schema: "app", Table: "lines"}, To: ddl.Name{Schema: "app", Table: "orders"},
	Body: "foreign key (order_id) references app.orders (id)",
}

// Whoever has written the referenced table can go on to the other one and
// commit while the lock is waited for.
func TestForeignKeyLetsWritersOfBothTablesFinish(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, shop)
	for _, s := range []ddl.Statement{ddl.DropForeignKey(orderOfLine, "lines_order"), ddl.AddForeignKey(orderOfLine, "lines_order")} {
		tx, _ := start(t, db, "shop", "insert into app.orders select coalesce(max(id), 0) + 1 from app.orders")
		conn := db.Conn(t)
		attempts := 0
		runner := ddl.Runner{LockTimeout: 10 * time.Second, OnRetry: func(r ddl.Retry) { attempts = r.Attempt }}
		done := make(chan error, 1)
		go func() { done <- runner.Run(t.Context(), conn, s) }()

		waitsFor(t, db, conn.PgConn().PID(), "app.orders")
		_, err := tx.Exec(t.Context(), "insert into app.lines select max(id), 1 from app.orders")
		require.NoError(t, err)
		require.NoError(t, tx.Commit(t.Context()))
		require.NoError(t, <-done)
		require.Zero(t, attempts)
	}
}

func TestForeignKeyTakesItsLocksInTurns(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, shop)
	tx, _ := start(t, db, "shop", "insert into app.orders values (1)")
	_, err := tx.Exec(t.Context(), "insert into app.lines values (1, 1)")
	require.NoError(t, err)
	conn := db.Conn(t)
	done := make(chan error, 1)
	go func() {
		done <- ddl.Runner{LockTimeout: 500 * time.Millisecond}.Run(t.Context(), conn, ddl.DropForeignKey(orderOfLine, "lines_order"))
	}()
	for _, table := range []string{"app.orders", "app.lines", "app.orders"} {
		waitsFor(t, db, conn.PgConn().PID(), table)
	}
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-done)
}

// A role that owns one table only can still drop its foreign key.
func TestForeignKeyWithoutRightsOnTheOtherTable(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, shop)
	role := db.Config(t).Database + "_owner"
	db.Exec(t, "create role "+role+"; grant usage, create on schema app to "+role+"; alter table app.lines owner to "+role)
	t.Cleanup(func() { db.Exec(t, "drop owned by "+role+"; drop role "+role) })
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "set role "+role)
	require.NoError(t, err)
	require.NoError(t, impatient.Run(t.Context(), conn, ddl.DropForeignKey(orderOfLine, "lines_order")))
}

// waitsFor waits until a backend waits for the lock of a table.
func waitsFor(t *testing.T, db *pgtest.DB, pid uint32, table string) {
	t.Helper()
	conn := db.Conn(t)
	pgtest.WaitFor(t, "wait for "+table, func() (waits bool) {
		require.NoError(t, conn.QueryRow(t.Context(), `select exists (select from pg_locks
			where pid = $1 and not granted and relation = to_regclass($2))`, int32(pid), table).Scan(&waits))
		return waits
	})
}
