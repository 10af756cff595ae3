package synctrigger_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// TestWaysToWrite: whatever way a row takes into the table, both sides are kept.
func TestWaysToWrite(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `
		create table x (id int primary key, s text, t text, updated_at timestamptz, unique (s));
		create function stamp() returns trigger language plpgsql as $$begin new.updated_at := now(); new.s := trim(new.s); return new; end$$;
		create trigger stamp before insert or update on x for each row execute function stamp();
		create view v as select id, s from x where id < 1000;
		create view readable as select id, s as said from x;
		create function write_x() returns trigger language plpgsql as $$begin insert into x (id, s) values (new.id, new.said); return new; end$$;
		create trigger instead_of instead of insert on readable for each row execute function write_x();
		insert into x values (1, 'a', 'a'), (2, 'b', 'b'), (3, 'c', 'c')`)
	install(t, db, "x", renamed("text"), synctrigger.Sync)
	conn := db.Conn(t)
	run := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	holds := func(want string) {
		t.Helper()
		require.Empty(t, rows(t, conn, "select x::text from x where s is distinct from t"))
		require.Equal(t, want, strings.Join(rows(t, conn, "select s from x order by id"), " "))
	}
	run(`update x set s = '  A ' where id = 1`)
	holds("A b c") // what an earlier trigger made of it
	_, err := conn.CopyFrom(t.Context(), pgx.Identifier{"x"}, []string{"id", "s"}, pgx.CopyFromRows([][]any{{4, "d"}}))
	require.NoError(t, err)
	_, err = conn.CopyFrom(t.Context(), pgx.Identifier{"x"}, []string{"id", "t"}, pgx.CopyFromRows([][]any{{5, "e"}}))
	require.NoError(t, err)
	holds("A b c d e")
	run(`insert into v (id, s) values (6, 'f')`)
	run(`update v set s = 'B' where id = 2`)
	run(`insert into readable values (7, 'g')`)
	holds("A B c d e f g")
	run(`insert into x (id, s) values (3, 'h') on conflict (id) do update set s = excluded.s`)
	run(`insert into x (id, s) values (8, 'd') on conflict (s) do update set s = upper(excluded.s)`)
	run(`insert into x (id, s) values (8, 'h') on conflict do nothing`)
	holds("A B h D e f g")
	run(`begin; savepoint one; update x set s = 'lost' where id = 1; rollback to one; update x set s = 'kept' where id = 1; commit`)
	holds("kept B h D e f g")
	run(`with moved as (update x set s = s || '!' where id = 4 returning *) insert into x (id, s) select id + 10, t || '?' from moved`)
	holds("kept B h D! e f g D!?")
	run(`do $$begin update x set s = 'done' where id = 5; end$$`)
	run(`set session_replication_role = replica; update x set s = 'replayed' where id = 6; reset session_replication_role`)
	holds("kept B h D! done replayed g D!?")
	run(`begin; update x set s = 'prepared' where id = 7; prepare transaction 'one'`)
	run(`commit prepared 'one'`)
	holds("kept B h D! done replayed prepared D!?")
	if version(t, conn) >= 150000 {
		run(`merge into x using (values (1, 'merged'), (9, 'new')) as n (id, s) on x.id = n.id
			when matched then update set s = n.s when not matched then insert (id, s) values (n.id, n.s)`)
		holds("merged B h D! done replayed prepared new D!?")
	}
}

func version(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var v int
	require.NoError(t, conn.QueryRow(t.Context(), "select current_setting('server_version_num')::int").Scan(&v))
	return v
}

// TestPartitions: the trigger of a partitioned table is on each partition, also
// on one that comes later, and fires for everybody there.
func TestPartitions(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `
		create table x (id int primary key, s text, t text) partition by range (id);
		create table x_low partition of x for values from (0) to (10);
		create table x_high partition of x for values from (10) to (20) partition by range (id);
		create table x_high_leaf partition of x_high for values from (10) to (20);
		insert into x values (1, 'a', 'a'), (11, 'b', 'b')`)
	trigger := install(t, db, "x", renamed("text"), synctrigger.Sync)
	db.Exec(t, `create table x_late (t text, id int not null, s text); alter table x attach partition x_late for values from (20) to (30);
		create table x_new partition of x for values from (30) to (40)`)
	conn := db.Conn(t)
	is, err := ddl.ReadTrigger(t.Context(), conn, trigger.Table, trigger.Name(), trigger.Function(), synctrigger.Names)
	require.NoError(t, err)
	require.Equal(t, ddl.Trigger{Exists: true, Always: true, Last: true, Body: trigger.Function().Body}, is)
	_, err = conn.Exec(t.Context(), `set session_replication_role = replica;
		update x set s = s || '!'; update x_low set s = s || '?';
		insert into x (id, s) values (2, 'c'), (21, 'd'), (31, 'e'); insert into x_late (id, t) values (22, 'f');
		update x set id = 12, s = 'moved' where id = 2`)
	require.NoError(t, err)
	require.Equal(t, []string{"(1,a!?,a!?)", "(11,b!,b!)", "(12,moved,moved)", "(21,d,d)", "(22,f,f)", "(31,e,e)"},
		rows(t, conn, "select row(id, s, t)::text from x order by id"))

	db.Exec(t, "alter table x_low disable trigger "+trigger.Name())
	is, err = ddl.ReadTrigger(t.Context(), conn, trigger.Table, trigger.Name(), trigger.Function(), synctrigger.Names)
	require.NoError(t, err)
	require.False(t, is.Always)
	require.NoError(t, ddl.Runner{}.Run(t.Context(), conn, trigger.Uninstall()))
	require.Equal(t, []string{"0"}, rows(t, conn, "select count(*)::text from pg_trigger where tgname like 'zzzz%'"))
	require.Equal(t, []string{"0"}, rows(t, conn, "select count(*)::text from pg_proc where proname = 't7_sync'"))
}

// TestReadTrigger: what somebody else may do to the trigger is seen.
func TestReadTrigger(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `create table x (id int primary key, s text, t text)`)
	trigger := install(t, db, "x", renamed("text"), synctrigger.Sync)
	conn := db.Conn(t)
	read := func() ddl.Trigger {
		t.Helper()
		is, err := ddl.ReadTrigger(t.Context(), conn, trigger.Table, trigger.Name(), trigger.Function(), synctrigger.Names)
		require.NoError(t, err)
		return is
	}
	body := trigger.Function().Body
	require.Equal(t, ddl.Trigger{Exists: true, Always: true, Last: true, Body: body}, read())
	db.Exec(t, `create trigger zzzz_crossfade_t8_sync before insert or update on x for each row execute function crossfade.t7_sync();
		create trigger zzzz_z after insert on x for each row execute function crossfade.t7_sync();
		create trigger zzzz_z_statement before insert on x execute function crossfade.t7_sync()`)
	require.True(t, read().Last, "neither another of ours nor one that does not fire before a row")
	db.Exec(t, `create trigger "zzzz_crossfadé" before update of id on x for each row execute function crossfade.t7_sync()`)
	require.False(t, read().Last)
	db.Exec(t, `alter table x disable trigger "zzzz_crossfadé"`)
	require.True(t, read().Last)
	db.Exec(t, `alter table x enable replica trigger zzzz_crossfade_t7_sync`)
	require.False(t, read().Always)
	db.Exec(t, `create or replace function crossfade.t7_sync() returns trigger language plpgsql as 'begin return new; end'`)
	require.NotEqual(t, body, read().Body)
	db.Exec(t, `drop trigger zzzz_crossfade_t7_sync on x;
		create trigger zzzz_crossfade_t7_sync before insert on x for each row execute function crossfade.t7_sync();
		alter table x enable always trigger zzzz_crossfade_t7_sync`)
	require.False(t, read().Always, "it leaves updates out")
	db.Exec(t, `drop trigger zzzz_crossfade_t7_sync on x`)
	require.Equal(t, ddl.Trigger{}, read())
}
