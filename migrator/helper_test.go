package migrator_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		child() // does not return
	}
	pgtest.MainWithExamples(m)
}

var ctx = context.Background()

// users is a table with everything that a rename moves along.
const users = `
	create table users (
		id bigint generated always as identity primary key,
		full_name text not null default 'no' || 'body',
		email text not null,
		visits int not null default 0);
	comment on column users.full_name is 'how to address the user';
	create index users_full_name_idx on users (full_name);
	create index users_lower_idx on users (lower(full_name), visits) where visits > 0;
	alter table users add constraint users_email_full_name_key unique (email, full_name);
	insert into users (full_name, email, visits)
		select 'user ' || i, i || '@example.org', i from generate_series(1, 300) i;
	analyze users`

// rename is the transition that most tests run.
var rename = migrator.Transition{
	Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"},
	IgnoreApplications: []string{auditor},
}

// No test takes a snapshot of its database.
var (
	withoutSnapshot = migrator.ContractOptions{Snapshot: migrator.NoSnapshot}
	untilContracted = migrator.RunOptions{Until: migrator.Contracted, Snapshot: migrator.NoSnapshot}
)

// auditor is the application_name of a test's own connections.
const auditor = "auditor"

func audit(t testing.TB, db *pgtest.DB) *pgx.Conn {
	t.Helper()
	return connect(t, db, auditor)
}

func connect(t testing.TB, db *pgtest.DB, application string) *pgx.Conn {
	t.Helper()
	config := db.Config(t)
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return conn
}

// join connects as an application with the hook does.
func join(t testing.TB, db *pgtest.DB) (*pgx.Conn, fence.View) {
	t.Helper()
	conn := connect(t, db, "app")
	view, err := fence.Join(ctx, conn.PgConn())
	require.NoError(t, err)
	return conn, view
}

// quick makes tests fast.
func quick(c migrator.Config) migrator.Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.PollInterval == 0 {
		c.PollInterval = 5 * time.Millisecond
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = time.Minute
	}
	if c.DDLMaxWait == 0 {
		c.DDLMaxWait = 20 * time.Second
	}
	if c.Actor == "" {
		c.Actor = "tester"
	}
	return c
}

func newMigrator(t testing.TB, db *pgtest.DB, c migrator.Config) *migrator.Migrator {
	t.Helper()
	m, err := migrator.New(db.Config(t), quick(c))
	require.NoError(t, err)
	return m
}

// started returns a database with a ledger and the transition in phase off.
func started(t testing.TB, setup string, c migrator.Config) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, c)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	p, err := m.Start(ctx, rename)
	require.NoError(t, err)
	require.Equal(t, migrator.Position{Name: rename.Name, Phase: migrator.Off, Step: "register", Epoch: p.Epoch}, p)
	return db, m
}

// scan reads one value.
func scan[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) (value T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(ctx, sql, args...).Scan(&value), sql)
	return value
}

// list reads one column.
func list[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(ctx, sql, args...)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err, sql)
	return values
}

// tokens lists the tokens that exist.
func tokens(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `select relname::text from pg_class
		where relnamespace = 'crossfade'::regnamespace and relkind = 'r' and relname ~ '^t[0-9]+_' order by oid`)
}

// shape describes the table as far as a transition touches it: columns,
// constraints, indexes, comments. Dropped columns leave no trace in it.
func shape(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `
		select 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
			|| case when a.attnotnull then ' not null' else '' end
			|| coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
			|| coalesce(' -- ' || col_description(a.attrelid, a.attnum), '')
		from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = 'users'::regclass and a.attnum > 0 and not a.attisdropped
		union all
		select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
		where conrelid = 'users'::regclass and contype <> 'n'
		union all
		select pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' INVALID' end
		from pg_index where indrelid = 'users'::regclass
		order by 1`)
}

// capabilities counts the tokens that permit copying.
func capabilities(t testing.TB, conn *pgx.Conn) int {
	t.Helper()
	return scan[int](t, conn, `select count(*) from pg_class
		where relnamespace = 'crossfade'::regnamespace and relkind = 'r' and relname ~ '^t[0-9]+_(fwd|rev)_'`)
}

// equal asserts that source and target are the same in every row.
func equal(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	require.Zero(t, scan[int](t, conn, `select count(*) from users where name is distinct from full_name`))
}

// observer is a function as an Observer.
type observer func(migrator.Event)

func (o observer) Observe(e migrator.Event) { o(e) }
