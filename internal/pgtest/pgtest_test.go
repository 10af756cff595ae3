package pgtest_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/stretchr/testify/require"
)

const setup = `
	create table item (id int primary key, made uuid default gen_random_uuid());
	insert into item (id) values (1);`

func TestClonesAreIsolated(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	first, second := pgtest.NewFrom(t, setup), pgtest.NewFrom(t, setup)
	require.NotEqual(t, first.Name, second.Name)
	tag := first.Exec(t, "insert into item (id) values ($1)", 2)
	require.EqualValues(t, 1, tag.RowsAffected())

	read := func(db *pgtest.DB) (count int, made string) {
		const query = "select (select count(*) from item), made::text from item where id = 1"
		require.NoError(t, db.Conn(t).QueryRow(ctx, query).Scan(&count, &made))
		return count, made
	}
	firstCount, firstMade := read(first)
	secondCount, secondMade := read(second)
	require.Equal(t, 2, firstCount)
	require.Equal(t, 1, secondCount)
	require.Equal(t, firstMade, secondMade, "the setup runs once")

	var tables int
	require.NoError(t, pgtest.New(t).Conn(t).
		QueryRow(ctx, "select count(*) from pg_tables where schemaname = 'public'").Scan(&tables))
	require.Zero(t, tables)
}

func TestManyDatabasesAtOnce(t *testing.T) {
	t.Parallel()
	for n := range 24 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, fmt.Sprintf("create table t%d ()", n%3))
			db.Exec(t, fmt.Sprintf("drop table t%d", n%3))
			require.Equal(t, db.Name, db.Config(t).Database)
		})
	}
}

func TestCleanupDropsWhatIsInUse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var name string
	// Both are still connected when the database is dropped.
	var stray *pgx.Conn
	var walsender *pgconn.PgConn
	require.True(t, t.Run("user", func(t *testing.T) {
		db := pgtest.New(t)
		name = db.Name
		conn := db.Conn(t)
		_, err := conn.Exec(ctx, "select pg_create_logical_replication_slot($1, 'pgoutput')", name+"_idle")
		require.NoError(t, err)

		config := db.Config(t)
		config.RuntimeParams["replication"] = "database"
		walsender, err = pgconn.ConnectConfig(ctx, &config.Config)
		require.NoError(t, err)
		slot := pgx.Identifier{name + "_busy"}.Sanitize()
		require.NoError(t, walsender.Exec(ctx, "CREATE_REPLICATION_SLOT "+slot+" LOGICAL pgoutput").Close())
		walsender.Frontend().SendQuery(&pgproto3.Query{String: "START_REPLICATION SLOT " + slot +
			" LOGICAL 0/0 (proto_version '1', publication_names 'none')"})
		require.NoError(t, walsender.Frontend().Flush())
		pgtest.WaitFor(t, "the slot to be in use", func() bool {
			var active bool
			const query = "select active from pg_replication_slots where slot_name = $1"
			require.NoError(t, conn.QueryRow(ctx, query, name+"_busy").Scan(&active))
			return active
		})

		// Not earlier: making a slot waits for open transactions.
		_, err = conn.Exec(ctx, "create table item (); begin; insert into item default values; prepare transaction 'it''s'")
		require.NoError(t, err)

		stray, err = pgx.Connect(ctx, db.URL)
		require.NoError(t, err)
	}))
	require.Error(t, stray.Ping(ctx))
	require.NoError(t, walsender.Close(ctx))
	var left int
	const query = `select (select count(*) from pg_database where datname = $1)
		+ (select count(*) from pg_replication_slots where database = $1)
		+ (select count(*) from pg_prepared_xacts where database = $1)`
	require.NoError(t, pgtest.New(t).Conn(t).QueryRow(ctx, query, name).Scan(&left))
	require.Zero(t, left)
}
