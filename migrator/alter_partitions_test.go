package migrator_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// treeAccounts is a partitioned table for operations that move no column. One of
// its partitions has partitions, another one's columns stand in another order.
const treeAccounts = `
	create table teams (id bigint primary key, code text not null unique);
	insert into teams select i, 'team ' || i from generate_series(1, 10) i;
	create table users (id bigint, region text, email text not null, team bigint, nick text default 'nobody', primary key (region, id)) partition by list (region);
	create table north partition of users for values in ('north') partition by hash (id);
	create table n0 partition of north for values with (modulus 2, remainder 0);
	create table n1 partition of north for values with (modulus 2, remainder 1);
	create table south (nick text default 'nobody', team bigint, gone int, email text not null, region text not null, id bigint not null);
	alter table south drop gone;
	alter table users attach partition south for values in ('south');
	create table nowhere partition of users default partition by range (id);
	insert into users select i, case when i % 3 = 0 then 'south' else 'north' end, i || '@example.org', 1 + i % 10, nullif('nick ' || i, 'nick 7')
		from generate_series(1, 300) i;
	analyze users`

// treeAlterations are operations on it, with the statement that does the same at
// once, for a table that nobody uses.
var treeAlterations = []struct{ name, operation, direct string }{
	{"index", `add_index: {name: users_mail_idx, on: "(lower(email), team desc) include (nick) with (fillfactor = 70) where team > 0"}`,
		`create index users_mail_idx on users (lower(email), team desc) include (nick) with (fillfactor = 70) where team > 0`},
	{"unique index", `add_index: {name: users_mail_idx, unique: true, on: "(email, region, id)"}`,
		`create unique index users_mail_idx on users (email, region, id)`},
	{"unique", `add_unique: {name: users_email_key, columns: [email, region, id], include: [nick], deferrable: true, initially_deferred: true}`,
		`alter table users add constraint users_email_key unique (email, region, id) include (nick) deferrable initially deferred`},
	{"check", `add_check: {name: users_team_check, check: team > 0}`, `alter table users add constraint users_team_check check (team > 0)`},
	{"foreign key", `add_foreign_key: {name: users_team_fkey, columns: [team], references: {table: teams}, on_delete: set null, deferrable: true}`,
		`alter table users add constraint users_team_fkey foreign key (team) references teams (id) on delete set null deferrable`},
	{"set not null", `set_not_null: {column: nick, value: "'nick of ' || email"}`,
		`update users set nick = 'nick of ' || email where nick is null; alter table users alter nick set not null`},
	{"column", `add_column: {name: token, type: text, default: "md5(random()::text)", not_null: true}`,
		`alter table users add token text not null default md5(random()::text)`},
	{"drop", `drop_column: {name: email}`, `alter table users drop email`},
}

// Each operation does to a partitioned table what one statement would have done,
// and a rollback takes it back.
func TestAlterPartitions(t *testing.T) {
	t.Parallel()
	for _, c := range treeAlterations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := treeShape(t, audit(t, pgtest.NewFrom(t, treeAccounts+"; "+c.direct)))
			db, m := begun(t, treeAccounts)
			conn := audit(t, db)
			before := treeShape(t, conn)
			tr := altering(t, c.operation)
			_, err := m.Start(ctx, tr)
			require.NoError(t, err)
			for range 2 {
				_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
				require.NoError(t, err)
				_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
				require.NoError(t, err)
				require.Equal(t, before, treeShape(t, conn))
			}
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
			require.NoError(t, err)
			if tr.DropColumn != nil {
				_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
				require.NoError(t, err)
			}
			require.ElementsMatch(t, nameless(want), nameless(treeShape(t, conn)))
			require.NoError(t, m.Remove(ctx, tr.Name))
			require.Equal(t, 300, scan[int](t, conn, `select count(*) from users`))
		})
	}
}

// Rows of a partition that come to stand in the way when all have been looked at are
// found by the constraint; what it leaves refuses no good write.
func TestRowsOfAPartitionStandInTheWay(t *testing.T) {
	t.Parallel()
	for operation, sql := range map[string][3]string{
		`add_foreign_key: {name: rule, columns: [team], references: {table: teams}}`: {
			`update users set team = 11 where id = 6`, `insert into teams values (11, 'team 11')`, `update users set team = 12 where id = 6`},
		`add_check: {name: rule, check: team < 11}`: {
			`update users set team = 11 where id = 6`, `update users set team = 1 where id = 6`, `update users set team = 12 where id = 6`},
	} {
		db, bad := pgtest.NewFrom(t, treeAccounts), false
		m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
			if s, ok := e.(migrator.StatementEvent); ok && !bad && strings.Contains(s.SQL, "add constraint") {
				bad = true
				db.Exec(t, sql[0])
			}
		})})
		require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
		tr := altering(t, operation)
		_, err := m.Start(ctx, tr)
		require.NoError(t, err)
		_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
		require.Error(t, err, operation)
		require.True(t, bad, operation)
		conn := audit(t, db)
		_, err = conn.Exec(ctx, `update users set nick = 'x' where id in (6, 7); `+sql[1])
		require.NoError(t, err, operation)
		_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
		require.NoError(t, err, operation)
		_, err = conn.Exec(ctx, sql[2])
		require.ErrorContains(t, err, "rule", operation)
	}
}

// A foreign key may lead to a partitioned table.
func TestForeignKeyToAPartitionedTable(t *testing.T) {
	t.Parallel()
	db, m := begun(t, treeAccounts+`; create table visits (id int primary key, region text, user_id bigint);
		insert into visits select id, region, id from users`)
	tr := altering(t, `add_foreign_key: {name: visits_user_fkey, columns: [region, user_id], references: {table: users}, on_delete: cascade}`)
	tr.Table = "visits"
	_, err := m.Start(ctx, tr)
	require.NoError(t, err)
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	conn := audit(t, db)
	_, err = conn.Exec(ctx, `insert into visits values (1000, 'north', 1000)`)
	require.ErrorContains(t, err, "visits_user_fkey")
	db.Exec(t, `delete from users where id < 11`)
	require.Equal(t, 290, scan[int](t, conn, `select count(*) from visits`))
	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Zero(t, scan[int](t, conn, `select count(*) from pg_constraint where conrelid = 'visits'::regclass and contype = 'f'`))
}
