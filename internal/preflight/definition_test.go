package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestDefinition(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `
		create schema app;
		create type app.mood as enum ('good', 'bad');
		create function app.anyone() returns text language sql as $$select 'x'$$;
		create table app.users (
			tenant uuid, dropped int, id numeric(10,0), full_name varchar(80) collate "C" not null default app.anyone(),
			email text, mood app.mood default 'good'::app.mood, primary key (tenant, id));
		alter table app.users drop column dropped;
		create index users_full_name_idx on app.users (full_name);
		create index users_lower_idx on app.users (lower(full_name) text_pattern_ops desc);
		create index users_email_idx on app.users (email) include (full_name) with (fillfactor=70);
		create index users_partial_idx on app.users (email) where full_name <> 'full_name';
		alter table app.users add constraint one_name unique (tenant, full_name);
		create table app.users_name_idx ()`)
	conn := db.Conn(t)
	report := check(t, conn, rename())
	require.False(t, report.Refused(), report.Findings)
	requireOne(t, report, preflight.Warn, "unique-race", "one_name")
	d := report.Definition
	require.True(t, d.Identity())
	source := transform.Column{
		Name: "full_name", Type: "character varying(80)", BaseType: "character varying", Collation: `pg_catalog."C"`,
		Default: "app.anyone()", NotNull: true, Position: 4,
	}
	require.Equal(t, transform.Renamed(source, "name"), d.Move)
	require.Equal(t, []string{"app.anyone()"}, d.TargetDefaults)
	require.Equal(t, []string{"tenant", "id"}, d.Key)
	require.Equal(t, []string{"uuid", "numeric(10,0)"}, d.KeyTypes)
	require.Equal(t, []ledger.Index{
		{Name: "one_name", Target: "one_name_name", Constraint: "one_name", TargetConstraint: "one_name_name",
			Create:  `CREATE UNIQUE INDEX CONCURRENTLY "one_name_name" ON app.users USING btree (tenant, name)`,
			Restore: `CREATE UNIQUE INDEX CONCURRENTLY "one_name" ON app.users USING btree (tenant, full_name)`},
	}, d.Indexes[:1])
	require.Len(t, d.Indexes, 5)

	// Every counterpart can be built, and keeps its name apart from the others.
	db.Exec(t, "alter table app.users add name varchar(80) collate \"C\"")
	seen := map[string]bool{}
	for _, x := range d.Indexes {
		_, err := conn.Exec(t.Context(), x.Create)
		require.NoError(t, err, x.Create)
		require.False(t, seen[x.Target])
		seen[x.Target] = true
	}
	require.True(t, seen["users_name_idx_1"]) // users_name_idx is a table
	require.Contains(t, d.Indexes[4].Create+d.Indexes[3].Create, "'full_name'")

	// None of them leans on the source: they outlive it.
	db.Exec(t, "alter table app.users drop column full_name")
	var left int
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from pg_index where indrelid = 'app.users'::regclass and indisvalid").Scan(&left))
	require.Equal(t, 1+len(d.Indexes), left)

	r := rename()
	r.Move = moving("mood", "temper")
	d = check(t, conn, r).Definition
	require.Equal(t, transform.Column{Name: "temper", Type: "app.mood", BaseType: "app.mood"}, d.Targets[0])
	require.Equal(t, "'good'::app.mood", d.Sources[0].Default)
}

func TestLongNamesOfIndexes(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+`
		create index "ünïversal_index_with_a_name_that_is_as_long_as_they_get_ä1" on app.users (full_name);
		create index "ünïversal_index_with_a_name_that_is_as_long_as_they_get_ä2" on app.users (full_name desc)`).Conn(t)
	d := check(t, conn, rename()).Definition
	require.Len(t, d.Indexes, 2)
	require.NotEqual(t, d.Indexes[0].Target, d.Indexes[1].Target)
	for _, x := range d.Indexes {
		require.LessOrEqual(t, len(x.Target), 63)
		require.NotEqual(t, x.Name, x.Target)
	}
}

func TestInvalidIndexGetsNoCounterpart(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+"update app.users set full_name = 'same'")
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "create unique index concurrently i on app.users (full_name)")
	require.Error(t, err)
	report := check(t, conn, rename())
	requireOne(t, report, preflight.Warn, "index-invalid", "app.i")
	require.Empty(t, report.Definition.Indexes)
}
