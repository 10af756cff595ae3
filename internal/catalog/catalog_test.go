package catalog_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

var view = fence.View{
	Epoch: 2, SearchPath: []string{"pg_catalog", "public"},
	Transitions: []fence.Member{{
		ID: 7, Name: "users", Schema: "public", Table: "users",
		Phase: phase.Off, Token: "t7_off_2",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{
			Name: "full_name", Type: "character varying(20)", BaseType: "character varying", Position: 2, Default: "'x'::text"}, "name")},
	}},
}

func read(t *testing.T, conn *pgconn.PgConn) (catalog.Snapshot, rewrite.Catalog) {
	snapshot, err := catalog.Read(ctx, conn, view)
	require.NoError(t, err)
	c := snapshot.Catalog(view, rewrite.StarsSource)
	maps.DeleteFunc(c.Namesakes, func(n rewrite.Name, _ []string) bool {
		return n.Schema == "pg_catalog" || n.Schema == "information_schema"
	})
	return snapshot, c
}

// TestLogicalTable: neither the expand nor the contract changes what the
// rewriter knows of the table; a column that somebody else adds does.
func TestLogicalTable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(t, `create domain short as varchar(5)`)
	db.Exec(t, `create table users (id bigint, full_name varchar(20), email text, initials short)`)
	db.Exec(t, `create schema other`)
	db.Exec(t, `create table other.users (id int)`)
	db.Exec(t, `create table products (id int, name text, price numeric)`)
	db.Exec(t, `create view titles as select name as full_name from products`)
	conn := db.Conn(t).PgConn()

	before, c := read(t, conn)
	require.Len(t, c.Transitions, 1)
	require.Equal(t, []rewrite.Column{{Name: "id", Type: "bigint"}, {Name: "full_name", Type: "character varying"},
		{Name: "email", Type: "text"}, {Name: "initials"}}, c.Tables[0].Columns)
	require.Equal(t, "'x'::text", c.Transitions[0].Sources[0].Default)
	require.ElementsMatch(t, []rewrite.Name{{Schema: "public", Name: "users"}, {Schema: "other", Name: "users"}}, c.Homonyms)
	require.Equal(t, map[rewrite.Name][]string{
		{Schema: "public", Name: "products"}: {"name"},
		{Schema: "public", Name: "titles"}:   {"full_name"},
	}, c.Namesakes)

	db.Exec(t, `alter table users add column name varchar(20)`)
	expanded, c2 := read(t, conn)
	require.Equal(t, before.Fingerprint, expanded.Fingerprint)
	require.Equal(t, c, c2)

	db.Exec(t, `alter table users drop column full_name`)
	contracted, c3 := read(t, conn)
	require.Equal(t, before.Fingerprint, contracted.Fingerprint)
	require.Equal(t, c, c3)

	db.Exec(t, `alter table users add column phone text`)
	drifted, _ := read(t, conn)
	require.NotEqual(t, before.Fingerprint, drifted.Fingerprint)
}

func TestKindsOfTablesAndColumns(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(t, `create table users (id bigint, full_name varchar(20), twice bigint generated always as (id * 2) stored) partition by range (id)`)
	db.Exec(t, `create table users_one partition of users for values from (0) to (10)`)
	_, c := read(t, db.Conn(t).PgConn())
	columns := []rewrite.Column{{Name: "id", Type: "bigint"}, {Name: "full_name", Type: "character varying"},
		{Name: "twice", Type: "bigint", Generated: true}}
	of := rewrite.Name{Schema: "public", Name: "users"}
	require.Equal(t, []rewrite.Table{
		{Name: of, Of: of, Kind: "p", Columns: columns},
		{Name: rewrite.Name{Schema: "public", Name: "users_one"}, Of: of, Kind: "r", Columns: columns},
	}, c.Tables)
}

func TestTemporaryHomonym(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(t, `create table users (id bigint, full_name text)`)
	conn := db.Conn(t).PgConn()
	before, _ := read(t, conn)
	_, err := conn.Exec(ctx, `create temp table users (id int)`).ReadAll()
	require.NoError(t, err)
	after, _ := read(t, conn)
	require.NotEqual(t, before.Fingerprint, after.Fingerprint)
}

func TestMissingTable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := db.Conn(t).PgConn()
	missing, c := read(t, conn)
	require.Len(t, c.Transitions, 1)
	require.Equal(t, catalog.MissingToken, c.Transitions[0].Token)
	require.Equal(t, []rewrite.Column{{Name: "full_name", Type: "character varying"}}, c.Tables[0].Columns)
	require.Empty(t, c.Homonyms)

	db.Exec(t, `create table users (id bigint, full_name varchar(20))`)
	made, c := read(t, conn)
	require.NotEqual(t, missing.Fingerprint, made.Fingerprint)
	require.Equal(t, "t7_off_2", c.Transitions[0].Token)
}

func TestNothingInTransition(t *testing.T) {
	t.Parallel()
	snapshot, err := catalog.Read(ctx, nil, fence.View{})
	require.NoError(t, err)
	require.Empty(t, snapshot.Catalog(fence.View{}, rewrite.StarsSource).Transitions)
}

// TestSynced: a trigger counts as long as it is there and fires for everybody.
func TestSynced(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `create schema crossfade; create table users (id bigint, full_name varchar(20), name varchar(20));
		create function crossfade.t7_sync() returns trigger language plpgsql as 'begin return new; end'`)
	conn := db.Conn(t).PgConn()
	view := view
	view.Transitions = slices.Clone(view.Transitions)
	synced := func() bool {
		t.Helper()
		snapshot, err := catalog.Read(ctx, conn, view)
		require.NoError(t, err)
		return snapshot.Catalog(view, rewrite.StarsSource).Transitions[0].Synced
	}
	install := `create trigger zzzz_crossfade_t7_sync before insert or update on users for each row execute function crossfade.t7_sync(); `
	db.Exec(t, install)
	require.False(t, synced(), "its transition has none")
	view.Transitions[0].Definition.Sync, view.Transitions[0].Definition.SyncMode = "trigger", "sync"
	require.False(t, synced(), "it does not fire for a replica")
	db.Exec(t, `alter table users enable always trigger zzzz_crossfade_t7_sync`)
	before, _ := read(t, conn)
	require.True(t, synced())
	db.Exec(t, `alter table users disable trigger zzzz_crossfade_t7_sync`)
	require.False(t, synced())
	after, _ := read(t, conn)
	require.NotEqual(t, before.Fingerprint, after.Fingerprint)
	db.Exec(t, `drop trigger zzzz_crossfade_t7_sync on users`)
	require.False(t, synced())
}
