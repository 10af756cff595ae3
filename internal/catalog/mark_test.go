package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// TestCurrent: whatever Read looks at makes a snapshot old; rows and statistics
// do not.
func TestCurrent(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(t, `create table users (id bigint, full_name varchar(20)); create table accounts (id bigint, owner text)`)
	conn := db.Conn(t).PgConn()
	current := func(s catalog.Snapshot) bool {
		yes, err := s.Current(ctx, conn)
		require.NoError(t, err)
		return yes
	}
	s, _ := read(t, conn)
	db.Exec(t, `insert into users select i, i from generate_series(1, 1000) i`)
	for _, statement := range []string{`analyze`, `vacuum users`} {
		db.Exec(t, statement)
	}
	require.True(t, current(s))

	for _, statement := range []string{
		`alter table users add column email text`,
		`alter table users alter column email set default 'x'`,
		`alter table users rename column email to mail`,
		`alter table users drop column mail`,
		`create table archive () inherits (users)`,
		`alter table archive no inherit users`,
		`create view names as select full_name from users`,
		`create or replace view names as select full_name from users where id > 0`,
		`create rule nothing as on insert to names do instead nothing`,
		`create function find() returns bigint language sql as 'select count(*) from accounts'`,
		`create or replace function find() returns bigint language sql as 'select count(full_name) from users'`,
		`alter function find() stable`,
		`create function act() returns trigger language plpgsql as 'begin return null; end'`,
		`create trigger act instead of update on names for each row execute function act()`,
		`alter extension plpgsql add function find()`,
		`create schema other`,
		`alter table accounts set schema other`,
		`alter schema other rename to another`,
	} {
		s, _ = read(t, conn)
		db.Exec(t, statement)
		require.False(t, current(s), statement)
	}

	nothing, err := catalog.Read(ctx, conn, fence.View{})
	require.NoError(t, err)
	require.True(t, current(nothing))
}
