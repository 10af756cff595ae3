package preflight_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

const trigger = `create function app.touch() returns trigger language plpgsql as 'begin new.age := 1; return new; end';`

// refusals has a row for each finding that refuses, and that needs no more
// than SQL to come about.
var refusals = []struct {
	name    string
	setup   string
	change  func(*preflight.Request)
	code    string
	object  string
	message string
}{
	{"no such table", "", func(r *preflight.Request) { r.Table = "Users" }, "table-missing", "app.Users", "does not exist"},
	{"view", "", func(r *preflight.Request) { r.Table = "ages" }, "table-kind", "app.ages", "a view"},
	{"materialized view", "create materialized view app.m as select 1 as full_name",
		func(r *preflight.Request) { r.Table = "m" }, "table-kind", "app.m", "a materialized view"},
	{"partition", "create table app.p (id int primary key, full_name text) partition by hash (id);" +
		"create table app.p0 partition of app.p for values with (modulus 1, remainder 0)",
		func(r *preflight.Request) { r.Table = "p0" }, "table-kind", "app.p0", "a partition"},
	{"inheritance parent", "create table app.child () inherits (app.users)", nil, "table-kind", "app.users", "inherits"},
	{"inheritance child", "create table app.child (primary key (id)) inherits (app.users)",
		func(r *preflight.Request) { r.Table = "child" }, "table-kind", "app.child", "inherits"},
	{"typed", "create type app.c as (id int, full_name text); create table app.typed of app.c (primary key (id))",
		func(r *preflight.Request) { r.Table = "typed" }, "table-kind", "app.typed", "composite type"},
	{"foreign", "create foreign data wrapper w; create server s foreign data wrapper w;" +
		"create foreign table app.f (id int, full_name text) server s",
		func(r *preflight.Request) { r.Table = "f" }, "table-kind", "app.f", "a foreign table"},
	{"system", "", func(r *preflight.Request) {
		r.Schema, r.Table, r.Move = "pg_catalog", "pg_class", moving("relname", "name")
	},
		"table-kind", "pg_class", "belongs to PostgreSQL"},
	{"no such column", "", func(r *preflight.Request) { r.Move = moving("nickname", "name") }, "column-missing", "app.users.nickname", "does not exist"},
	{"target of another type", "alter table app.users add name int", nil, "target-exists", "app.users.name", "type integer, the source has text"},
	{"target of the same type", "alter table app.users add name text", nil, "target-exists", "app.users.name", "exists already"},
	{"same column", "", func(r *preflight.Request) { r.Move = moving("full_name", "full_name") }, "name-invalid", "full_name", "same column"},
	{"system column", "", func(r *preflight.Request) { r.Move = moving("full_name", "xmin") }, "name-invalid", "xmin", "system column"},
	{"long name", "", func(r *preflight.Request) { r.Move = moving("full_name", strings.Repeat("n", 64)) }, "name-invalid", "target", "64 bytes"},
	{"no target", "", func(r *preflight.Request) { r.Move = moving("full_name", "") }, "name-invalid", "target", "no name"},
	{"name with spaces", "", func(r *preflight.Request) { r.Name = "a b" }, "name-invalid", "a b", "spaces"},
	{"no primary key", "alter table app.users drop constraint users_pkey cascade", nil, "no-primary-key", "app.users", "no primary key"},
	{"no key that serves", "alter table app.users drop constraint users_pkey cascade, alter email set not null, alter age set not null;" +
		`create unique index on app.users (id) where id > 0; create unique index on app.users (lower(email)); create unique index on app.users (email collate "C");
		create unique index on app.users (email, age desc); alter table app.users add n int; create unique index on app.users (n);
		alter table app.users add unique (age) deferrable; create unique index on app.users (email text_pattern_ops); create unique index on app.users (id nulls first)`,
		nil, "no-primary-key", "app.users", "no other unique index"},
	{"generated", "alter table app.users add n int generated always as (age + 1) stored",
		func(r *preflight.Request) { r.Move = moving("n", "name") }, "source-generated", "app.users.n", "generated"},
	{"generated column reads it", "alter table app.users add n int generated always as (length(full_name)) stored", nil,
		"generated-depends", "app.users.n", "length(full_name)"},
	{"domain with a check", "create domain app.d as text check (value <> ''); alter table app.users alter full_name type app.d", nil,
		"domain-constraint", "app.users.full_name", "app.d"},
	{"domain of a domain not null", "create domain app.d as text not null; create domain app.e as app.d; alter table app.users alter full_name type app.e",
		nil, "domain-constraint", "app.users.full_name", "app.d"},
	{"domain with a default", "create domain app.d as text default 'x'; alter table app.users alter full_name type app.d", nil,
		"type-default", "app.users.full_name", "app.d"},
	{"view of rows", "create view app.v as select u from app.users u", nil, "view-depends", "view app.v", "whole rows"},
	{"materialized view reads it", "create materialized view app.v as select full_name from app.users", nil,
		"materialized-view-depends", "app.v", "reads the source"},
	{"rule elsewhere", "create rule r as on insert to app.orders do also select full_name from app.users", nil,
		"rule-depends", "rule r on table app.orders", "reads the source"},
	{"rule on the table", "create rule r as on delete to app.users do also notify gone", nil, "rule-on-table", "rule r", "does not run"},
	{"function text", "create function app.f() returns text language plpgsql as 'begin return (select max(FULL_NAME) from users); end'", nil,
		"function-names-column", "function app.f()", "names the table"},
	{"table of rows", "create table app.history (was app.users)", nil, "column-uses-row-type", "app.history.was", "whole rows"},
	{"table of arrays of rows", "create table app.history (was app.users[])", nil, "column-uses-row-type", "app.history.was", "whole rows"},
	{"function of rows", "create function app.f() returns setof app.users language plpgsql as 'begin end'", nil,
		"function-uses-row-type", "app.f()", "whole rows"},
	{"trigger text", "create function app.touch() returns trigger language plpgsql as 'begin new.full_name := 1; return new; end';" +
		"create trigger t before insert on app.users for each row execute function app.touch()", nil, "trigger-names-column", "trigger t", "app.touch()"},
	{"exclusion", "alter table app.users add constraint x exclude using btree (full_name with =)", nil, "exclusion-depends", "constraint x", "EXCLUDE"},
	{"deferrable", "alter table app.users add constraint u unique (full_name) deferrable", nil, "deferrable-unique", "index app.u", "deferrable"},
	{"unknown code", "", func(r *preflight.Request) { r.Accept = []string{"no-primary-key"} }, "accept-unknown", "no-primary-key", "cannot be accepted"},
}

// reset takes away what a case has made, so that all can share a database.
const reset = `drop schema if exists app cascade; drop foreign data wrapper if exists w cascade;`

func TestRefusals(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := conn.Exec(t.Context(), reset+setup+c.setup)
			require.NoError(t, err)
			r := rename()
			if c.change != nil {
				c.change(&r)
			}
			report := check(t, conn, r)
			require.True(t, report.Refused())
			found := requireOne(t, report, preflight.Refuse, c.code, c.object)
			require.Contains(t, found.Message, c.message)
			for _, f := range report.Findings {
				if c.name == "system" && f.Code == "no-primary-key" {
					continue // the catalogs have primary keys since PostgreSQL 14
				}
				if f.Severity == preflight.Refuse && f.Code != c.code {
					t.Errorf("also %s", f)
				}
			}
		})
	}
}

// versioned are the refusals over what older servers do not have.
var versioned = []struct {
	since                     int
	name, setup, code, object string
}{
	{14, "function body", "create function app.f() returns text language sql begin atomic select max(full_name) from app.users; end",
		"function-depends", "function app.f()"},
	{15, "nulls not distinct", "create unique index i on app.users (full_name) nulls not distinct", "nulls-not-distinct", "index app.i"},
	{15, "column list", "create publication p for table app.users (id, full_name)", "publication-depends", "publication p"},
	{15, "row filter", "create publication p for table app.users where (full_name <> '')", "publication-depends", "publication p"},
	{18, "not null not valid", "alter table app.users alter full_name drop not null, add constraint n not null full_name not valid",
		"not-null-not-valid", "constraint n"},
	{18, "virtual column", "alter table app.users add n int generated always as (length(full_name)) virtual", "generated-depends", "app.users.n"},
}

func TestRefusalsOfLaterVersions(t *testing.T) {
	for _, c := range versioned {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, setup)
			conn := db.Conn(t)
			var version int
			require.NoError(t, conn.QueryRow(t.Context(), "select current_setting('server_version_num')::int / 10000").Scan(&version))
			if version < c.since {
				t.Skipf("PostgreSQL %d has no such thing", version)
			}
			db.Exec(t, c.setup)
			requireOne(t, check(t, conn, rename()), preflight.Refuse, c.code, c.object)
		})
	}
}

func TestWithoutLedgerOrDependentsNothingRefuses(t *testing.T) {
	t.Parallel()
	report := check(t, pgtest.NewFrom(t, setup).Conn(t), rename())
	require.False(t, report.Refused())
	for _, f := range report.Findings {
		require.Equal(t, preflight.Info, f.Severity, f.String())
	}
	requireOne(t, report, preflight.Info, "no-ledger", "crossfade")
}
