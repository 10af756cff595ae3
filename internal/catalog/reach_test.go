package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

func public(name string) rewrite.Name { return rewrite.Name{Schema: "public", Name: name} }

func TestViews(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`create table users (id bigint primary key, full_name text, email text, name text)`,
		`create table orders (id bigint, user_id bigint)`,
		`create view names as select id, full_name as label from users`,
		`create view names_of_names as select label from names`,
		`create view targets as select * from users`,
		`create view emails as select email from users`,
		`create view "rows" as select u as r from users u`,
		`create view rows_of_rows as select (r).email from "rows"`,
		`create materialized view stored as select full_name from users`,
		`create view of_stored as select * from stored`,
		`create view unrelated as select * from orders`,
		`create function entry() returns trigger language plpgsql as 'begin return null; end'`,
		`create view entries as select id from users`,
		`create trigger entry instead of insert on entries for each row execute function entry()`,
		`create view ruled as select id from users`,
		`create rule r as on delete to ruled do instead nothing`,
		`create rule log as on insert to orders do also update users set email = 'x' where id = new.user_id`,
		`create view of_orders as select * from orders`,
		`create schema other`,
		`create table other.names (id int)`,
	} {
		db.Exec(t, sql)
	}
	_, c := read(t, db.Conn(t).PgConn())
	users := public("users")
	require.ElementsMatch(t, []rewrite.View{
		{Name: public("names"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{"full_name"}},
		{Name: public("names_of_names"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{"full_name"}},
		{Name: public("targets"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{"full_name", "name"}},
		{Name: public("emails"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{}},
		{Name: public("rows"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{}, Whole: true},
		{Name: public("rows_of_rows"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{}, Whole: true},
		{Name: public("stored"), Of: users, Kind: rewrite.ViewStored, Reads: []string{"full_name"}},
		{Name: public("entries"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{}, Acts: true},
		{Name: public("ruled"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{}, Acts: true},
		{Name: public("orders"), Of: users, Kind: rewrite.ViewRule, Reads: []string{}, Acts: true},
	}, c.Views)
	require.Contains(t, c.Homonyms, rewrite.Name{Schema: "other", Name: "names"})
	_, err := rewrite.New(c)
	require.NoError(t, err)
}

// TestAncestors: what stands above a table in transition matters if it has the
// column too; so does what else stands above one of its children.
func TestAncestors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`create table beings (id bigint)`,
		`create table people (full_name text) inherits (beings)`,
		`create table users (email text) inherits (people)`,
		`create table named (name text)`,
		`create table admins (level int) inherits (users, named)`,
		`create view everybody as select full_name from people`,
		`create view of_child as select full_name, level from admins`,
	} {
		db.Exec(t, sql)
	}
	_, c := read(t, db.Conn(t).PgConn())
	users := public("users")
	require.Equal(t, []rewrite.Ancestor{{Name: public("named"), Of: users}, {Name: public("people"), Of: users}}, c.Ancestors)
	require.Equal(t, []rewrite.View{
		{Name: public("everybody"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{"full_name"}},
		{Name: public("of_child"), Of: users, Kind: rewrite.ViewPlain, Reads: []string{"full_name"}},
	}, c.Views)
	require.Len(t, c.Tables, 2)
}

func TestOpaqueFunctions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`create table users (id bigint primary key, full_name text, email text)`,
		`create view labels as select full_name as label from users`,
		`create table superusers (full_name text)`,
		`create function names() returns setof text language sql as 'select FULL_NAME from public."users"'`,
		`create procedure clean() language plpgsql as $$ begin update users set full_name = trim(full_name); end $$`,
		`create function of_view() returns setof text language sql as 'select label as name from labels'`,
		`create function emails() returns setof text language sql as 'select email from users'`,
		`create function other() returns setof text language sql as 'select full_name from superusers'`,
		`create function stamp() returns trigger language plpgsql as $$ begin update users set full_name = ''; return null; end $$`,
		`create schema app`,
		`create function app.names(int) returns text language sql as 'select full_name from users where id = $1'`,
	} {
		db.Exec(t, sql)
	}
	conn := db.Conn(t)
	want := []rewrite.Function{
		{Name: rewrite.Name{Schema: "app", Name: "names"}, Of: public("users")},
		{Name: public("clean"), Of: public("users")},
		{Name: public("names"), Of: public("users")},
		{Name: public("of_view"), Of: public("users")},
	}
	before, c := read(t, conn.PgConn())
	require.Equal(t, want, c.Opaque)

	var version int
	require.NoError(t, conn.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version))
	if version < 140000 {
		return // every body is text
	}
	db.Exec(t, `create function parsed() returns setof text begin atomic select full_name from users; end`)
	db.Exec(t, `create function parsed_rows() returns setof record begin atomic select u from users u; end`)
	db.Exec(t, `create function parsed_view() returns setof text begin atomic select label from labels; end`)
	db.Exec(t, `create function parsed_emails() returns setof text begin atomic select email from users; end`)
	after, c := read(t, conn.PgConn())
	for _, name := range []string{"parsed", "parsed_rows", "parsed_view"} {
		require.Contains(t, c.Opaque, rewrite.Function{Name: public(name), Of: public("users")})
	}
	require.Len(t, c.Opaque, len(want)+3)
	require.NotEqual(t, before.Fingerprint, after.Fingerprint)
}

// TestOrderOfDescendants: a descendant's columns may stand in another order, and
// the place of a column is remembered when it is gone, as far as it can be.
func TestOrderOfDescendants(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`create table users (id bigint, full_name text, email text) partition by range (id)`,
		`create table early partition of users for values from (0) to (10)`,
		`create table turned (email text, full_name text, id bigint)`,
		`create table odd (full_name text, id bigint, junk int, email text)`,
		`alter table odd drop column junk`,
		`create table unclear (full_name text, email text, junk int, id bigint)`,
		`alter table unclear drop column junk`,
		`alter table users attach partition turned for values from (10) to (20)`,
		`alter table users attach partition unclear for values from (20) to (30)`,
		`alter table users attach partition odd for values from (30) to (40)`,
		`alter table users add column name text`,
	} {
		db.Exec(t, sql)
	}
	conn := db.Conn(t).PgConn()
	want := map[string][]string{
		"users": {"id", "full_name", "email"}, "early": {"id", "full_name", "email"},
		"turned": {"email", "full_name", "id"}, "odd": {"full_name", "id", "email"}, "unclear": {"full_name", "email", "id"},
	}
	check := func(c rewrite.Catalog, unordered ...string) {
		t.Helper()
		for _, table := range c.Tables {
			var names []string
			for _, column := range table.Columns {
				names = append(names, column.Name)
			}
			if table.Unordered {
				require.Contains(t, unordered, table.Name.Name)
				require.ElementsMatch(t, want[table.Name.Name], names, table.Name)
				continue
			}
			require.NotContains(t, unordered, table.Name.Name)
			require.Equal(t, want[table.Name.Name], names, table.Name)
		}
		require.Len(t, c.Tables, len(want))
	}
	_, c := read(t, conn)
	check(c)
	db.Exec(t, `alter table users drop column full_name`)
	db.Exec(t, `create table late partition of users for values from (40) to (50)`)
	want["late"] = []string{"id", "full_name", "email"}
	_, c = read(t, conn)
	check(c, "odd", "unclear")
}

func TestOwnDefaults(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`create table users (id bigint, full_name text default 'x') partition by range (id)`,
		`create table same partition of users for values from (0) to (10)`,
		`create table other partition of users (full_name default 'y') for values from (10) to (20)`,
		`create table none partition of users (full_name default null) for values from (20) to (30)`,
	} {
		db.Exec(t, sql)
	}
	conn := db.Conn(t).PgConn()
	_, c := read(t, conn)
	own := map[string][]string{}
	for _, table := range c.Tables {
		own[table.Name.Name] = table.OwnDefaults
	}
	require.Equal(t, map[string][]string{"users": nil, "same": nil, "other": {"full_name"}, "none": {"full_name"}}, own)

	db.Exec(t, `create table ordinary partition of users for values from (30) to (40)`)
	before, _ := read(t, conn)
	db.Exec(t, `alter table users alter full_name drop default`)
	db.Exec(t, `alter table other alter full_name set default 'z'`)
	after, c := read(t, conn)
	require.NotEmpty(t, c.Tables)
	require.NotEqual(t, before.Fingerprint, after.Fingerprint, "none is as its root again")
}
