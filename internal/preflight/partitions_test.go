package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// partitioned has nothing that stands in the way of moving full_name to name: it
// has the partitions early, and late with the leaves l0 and l1.
const partitioned = `
	create schema app; create schema old;
	create table app.users (id int, region text, full_name text default 'x', email text, primary key (id, region)) partition by list (region);
	create table old.early partition of app.users for values in ('a');
	create table app.late partition of app.users default partition by hash (id);
	create table app.l0 partition of app.late for values with (modulus 2, remainder 0);
	create table app.l1 partition of app.late for values with (modulus 2, remainder 1);
	create index users_full_name_idx on app.users (full_name);
	alter table app.users add unique (full_name, id, region);
	create function app.touch() returns trigger language plpgsql as 'begin return new; end';
	create trigger touch before insert on app.users for each row execute function app.touch();
	insert into app.users select i, case when i % 3 = 0 then 'a' else 'b' end, 'user ' || i from generate_series(1, 100) i;
	analyze app.users`

const resetPartitioned = `drop schema if exists app cascade; drop schema if exists old cascade;
	drop foreign data wrapper if exists w cascade; drop publication if exists p; `

func TestPartitionedTable(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, partitioned)
	report := check(t, db.Conn(t), rename())
	require.False(t, report.Refused(), "%v", report.Findings)
	require.True(t, report.Definition.Partitioned)
	require.Equal(t, []string{"id", "region"}, report.Definition.Key)
	require.Len(t, report.Definition.Indexes, 2)
	require.EqualValues(t, 100, report.Size.Rows)
	require.Positive(t, report.Size.NewIndexBytes)
	requireOne(t, report, preflight.Info, "partitions", "app.users")
}

func TestRefusalsOfPartitions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	for _, c := range []struct {
		name, setup, source, code, object, message string
	}{
		{"partition key", "", "region", "source-in-partition-key", "app.users.region", "LIST (region)"},
		{"partition key of a partition", "", "id", "source-in-partition-key", "app.late.id", "HASH (id)"},
		{"expression in a partition key", "create table old.q (a int, full_name text, id int) partition by list (upper(full_name));" +
			"alter table app.users detach partition app.late; drop table app.late; drop table app.users cascade;" +
			"create table app.users (a int, id int not null, full_name text) partition by list (lower(full_name));" +
			"create table app.u1 partition of app.users for values in ('x') partition by range (id)", "",
			"source-in-partition-key", "app.users.full_name", "lower(full_name)"},
		{"foreign", "alter table app.users drop constraint users_pkey, drop constraint users_full_name_id_region_key; drop index app.users_full_name_idx;" +
			"create foreign data wrapper w; create server s foreign data wrapper w;" +
			"create foreign table app.far partition of app.users for values in ('f') server s", "", "partition-foreign", "app.far", "another server"},
		{"not null of one", "alter table app.l0 alter full_name set not null", "", "partition-not-null", "app.l0.full_name", "this partition only"},
		{"default of one", "alter table only old.early alter full_name set default 'y'", "", "partition-default", "old.early.full_name", "'y'::text"},
		{"no default of one", "alter table old.early alter full_name drop default", "", "partition-default", "old.early.full_name", "none"},
		{"grant on one", "grant select (full_name) on app.l1 to public", "", "column-privileges", "app.l1.full_name", "privileges"},
		{"index of one", "create index i on app.l0 (lower(full_name))", "", "partition-depends", "index app.i", "app.l0 alone"},
		{"index of a part", "create index i on app.late (full_name)", "", "partition-depends", "index app.i", "app.late alone"},
		{"constraint of one", "alter table app.l0 add constraint c check (full_name <> '')", "", "partition-depends", "constraint c on table app.l0", "alone"},
		{"unique of one", "alter table app.l0 add constraint u unique (full_name)", "", "partition-depends", "constraint u on table app.l0", "alone"},
		{"policy of one", "create policy p on app.l0 using (full_name = current_user)", "", "partition-depends", "policy p on table app.l0", "alone"},
		{"view of one", "create view app.v as select full_name from app.l0", "", "partition-depends", "view app.v", "alone"},
		{"statistics of one", "create statistics app.s on full_name, email from app.l0", "", "partition-depends", "statistics object app.s", "alone"},
		{"trigger of one", "create trigger t before update of full_name on app.l0 for each row execute function app.touch()", "",
			"partition-depends", "trigger t on table app.l0", "alone"},
		{"trigger function of one", "create function app.g() returns trigger language plpgsql as 'begin new.full_name := 1; return new; end';" +
			"create trigger t before insert on app.l0 for each row execute function app.g()", "", "trigger-names-column", "trigger t on table app.l0", "app.g()"},
		{"rule of one", "create rule r as on delete to app.l0 do also notify gone", "", "rule-on-table", "rule r on table app.l0", "does not run"},
		{"view of whole rows", "create view app.v as select u from app.l0 u", "", "partition-row-type", "view app.v", "whole rows"},
		{"table of rows", "create table app.history (was old.early)", "", "partition-row-type", "app.history", "whole rows"},
		{"function names one", "create function app.f() returns text language plpgsql as 'begin return (select max(full_name) from old.early); end'", "",
			"function-names-column", "function app.f()", "names the table"},
		{"replica identity of one", "alter table app.users alter full_name set not null; alter table app.l0 replica identity using index l0_full_name_id_region_key", "",
			"replica-identity", "index l0_full_name_id_region_key", "app.l0"},
		{"trigger enabled in one", "create trigger t before update of full_name on app.users for each row execute function app.touch();" +
			"alter table app.l0 disable trigger t", "", "partition-trigger", "trigger t on table app.l0", "in this partition only"},
		{"invalid index", "create index i on only app.users (full_name)", "", "index-invalid", "index app.i", "partitions lack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := conn.Exec(t.Context(), resetPartitioned+partitioned+";"+c.setup)
			require.NoError(t, err)
			r := rename()
			if c.source != "" {
				r.Move = moving(c.source, "target")
			}
			report := check(t, conn, r)
			found := requireOne(t, report, preflight.Refuse, c.code, c.object)
			require.Contains(t, found.Message, c.message)
			for _, f := range report.Findings {
				if f.Severity == preflight.Refuse && f.Code != c.code && c.source == "" && f.Code != "no-primary-key" {
					t.Errorf("also %s", f)
				}
			}
		})
	}
}

func TestPartitionsOfOtherOwners(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, partitioned)
	owner := role(t, db)
	db.Exec(t, "alter table app.users owner to "+owner+"; alter table old.early owner to "+owner+"; alter table app.late owner to "+owner+
		"; alter table app.l1 owner to "+owner+"; alter table app.l1 enable row level security;"+
		"alter table app.l1 force row level security; grant pg_read_all_stats to "+owner+"; grant usage on schema app, old to "+owner)
	report := check(t, as(t, db, owner), rename())
	requireOne(t, report, preflight.Refuse, "not-owner", "app.l0")
	requireOne(t, report, preflight.Refuse, "row-security", "app.l1")
	require.Len(t, find(report, "no-create-on-schema"), 2)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	for change, key := range map[string][]string{
		"create unique index on app.users (id); create unique index on app.users (age, id)":                                                     {"id"},
		"create unique index on app.users (age, id); create unique index on app.users (full_name)":                                              {"age", "id"},
		"create unique index on app.users (age desc, id desc) include (email)":                                                                  {"age", "id"},
		"create unique index on app.users (id); create unique index i on app.users (age); alter table app.users replica identity using index i": {"age"},
		"alter table app.users add primary key (age, id); create unique index on app.users (id)":                                                {"age", "id"},
	} {
		_, err := conn.Exec(t.Context(), reset+setup+"alter table app.users drop constraint users_pkey cascade, alter age set not null;"+change)
		require.NoError(t, err)
		report := check(t, conn, rename())
		require.Empty(t, find(report, "no-primary-key"), change)
		require.Equal(t, key, report.Definition.Key, change)
		require.Len(t, report.Definition.KeyTypes, len(key))
	}
}
