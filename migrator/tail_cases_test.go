//go:build unix

package migrator_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/logical"
	"github.com/pgcrossfade/crossfade/migrator"
)

// plainUsers is the table users with that key and whatever else.
func plainUsers(key, more string) string {
	return `create table users (tenant text not null default 't', id bigint not null, full_name text not null, email text not null default '', ` + key + `);
		insert into users select 't' || i % 3, i, 'user ' || i, i || '@example.org' from generate_series(1, 300) i;
		` + more
}

// TestTailKeys: whatever tells the rows of the table apart, and however somebody
// without the hook changes that, each row becomes whole.
func TestTailKeys(t *testing.T) {
	t.Parallel()
	moves := []string{
		`update users set id = -id where id < 50`,
		`update users set id = -id, full_name = 'moved' where id between 50 and 100`,
		`update users set full_name = 'written, then moved' where id = 101`,
		`update users set id = 1001 where id = 101`,
		`begin; update users set id = 0 where id = 102; update users set id = 102, full_name = 'once 103' where id = 103;
			update users set id = 103, full_name = 'once 102' where id = 0; commit`,
		`delete from users where id = 104; insert into users (tenant, id, full_name) values ('t', 104, 'another')`,
		`begin; savepoint a; update users set full_name = 'aborted' where id = 105; rollback to a; update users set full_name = 'kept' where id = 106; commit`,
	}
	for _, c := range []struct {
		name, setup string
		writes      []string
	}{
		{"one column", plainUsers("primary key (id)", ""), moves},
		{"several columns", plainUsers("primary key (tenant, id)", ""),
			append(moves, `update users set tenant = 'other' where id > 290`, `update users set tenant = tenant || id, full_name = '' where id > 280`)},
		{"USING INDEX", plainUsers("primary key (id)", `create unique index by_email on users (email, tenant); alter table users replica identity using index by_email`),
			append(moves, `update users set email = 'new' || id, full_name = 'n' where id > 290`, `update users set email = email || '!' where id > 280`)},
		{"USING INDEX on the source", plainUsers("primary key (id)", `create unique index by_name on users (full_name); alter table users replica identity using index by_name`),
			[]string{`update users set full_name = 'n' || id where id < 20`, `update users set full_name = 'm' || id where id < 10`}},
		{"FULL", plainUsers("primary key (tenant, id)", `alter table users replica identity full`), moves},
		{"odd types", plainUsers("primary key (id)", `create type mood as enum ('so', 'so so');
			alter table users add at timestamptz default '2026-10-25 00:30+00', add m mood default 'so so', add c char(5) default 'a b', add f float8 default 1/3::float8,
				add b bytea default '\x00ff', add u uuid default gen_random_uuid(), add i interval default '-1 day 2 hours', add n numeric default 'NaN', add r int4range default '[1,5)';
			alter table users drop constraint users_pkey, add primary key (id, at, m, c, f, b, u, i, n, r)`), moves},
		{"partitions", layouts["list and hash"].setup(300), []string{
			`update users set full_name = 'p' || id where id < 50`,
			`update users set region = 'south' where id between 50 and 80`,
			`update users set region = 'south', full_name = 'far away' where id between 81 and 90`,
			`update users set id = id + 1000 where id between 91 and 99`,
			`insert into "Old one".south (region, email, full_name) values ('south', 'leaf', 'written there')`,
			`update n0 set full_name = 'n0 ' || id where id > 250`,
			`truncate n1`, `insert into users (full_name, email) select 'n1 ' || i, 'again' from generate_series(1, 30) i`,
		}},
		{"partitions by the key", layouts["range"].setup(300), []string{
			`update users set id = -id where id < 50`,
			`update users set id = -id, full_name = 'moved' where id between 50 and 120`,
			`delete from users_high where id = 130`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, c.setup)
			m, legacy := tailed(t, db, "backfill")
			conn := audit(t, db)
			running := startTail(t, m, rename.Name)
			for _, sql := range append(c.writes, `update users set full_name = full_name || '.' where id % 7 = 0`) {
				_, err := legacy.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
				require.NoError(t, err, sql)
			}
			converged(t, conn)
			_, err := legacy.Exec(ctx, `truncate users; insert into users (email, full_name, id) values ('e', 'the only one', 1)`)
			require.NoError(t, err)
			converged(t, conn)
			leave(t, db, legacy)
			_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
			require.NoError(t, err)
			require.NoError(t, running.wait(t))
			require.Equal(t, []string{"the only one"}, list[string](t, conn, `select name from users`))
			equal(t, conn)
			require.Zero(t, tailTraces(t, conn))
		})
	}
}

// TestTailBarrierWaitsForPrepared: a prepared transaction of somebody without the
// hook holds the barrier up, also one that names a partition only.
func TestTailBarrierWaitsForPrepared(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]string{
		"table":     `update users set full_name = 'prepared' where id = 7`,
		"partition": `update users_low set full_name = 'prepared' where id = 7`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, layouts["range"].setup(300))
			_, legacy := tailed(t, db, "backfill")
			for _, sql := range []string{`begin`, write, `prepare transaction '` + db.Name + `'`} {
				_, err := legacy.Exec(ctx, sql)
				require.NoError(t, err)
			}
			leave(t, db, legacy)
			var drain *migrator.DrainError
			_, err := newMigrator(t, db, migrator.Config{DrainTimeout: 300 * time.Millisecond}).Run(ctx, rename.Name, migrator.RunOptions{})
			require.ErrorAs(t, err, &drain)
			require.ErrorContains(t, err, db.Name, "it is named")
			conn := audit(t, db)
			_, err = conn.Exec(ctx, `commit prepared '`+db.Name+`'`)
			require.NoError(t, err)
			_, err = newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
			require.NoError(t, err)
			require.Equal(t, "prepared", scan[string](t, conn, `select name from users where id = 7`))
			equal(t, conn)
		})
	}
}

// TestTailComesTooLate: somebody without the hook comes back when the target has
// its unique index, and swaps two values. The target cannot follow row by row, so
// it ends with the row and the way back.
func TestTailComesTooLate(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, plainUsers("primary key (id)", `create unique index users_full_name_idx on users (full_name)`))
	m, legacy := tailed(t, db, "backfill")
	leave(t, db, legacy)
	advanceTo(t, m, rename.Name, "constrain")
	db.Exec(t, `update users set full_name = 'aside' where id = 1; update users set full_name = 'user 1' where id = 2; update users set full_name = 'user 2' where id = 1`)
	for range 2 {
		var tail *migrator.TailError
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
		require.ErrorAs(t, err, &tail)
		require.ErrorIs(t, err, sweep.ErrConstraint)
		require.ErrorContains(t, err, "the row with id (1)")
		require.ErrorContains(t, err, "crossfade tail users-name --renew")
	}
	p, err := m.RenewTail(ctx, rename.Name)
	require.NoError(t, err)
	require.Equal(t, "sync", p.Step)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	conn := audit(t, db)
	equal(t, conn)
	require.Equal(t, "user 2", scan[string](t, conn, `select name from users where id = 1`))
}

// TestTailMakesDuplicate: what came back too late is a duplicate on the target for
// good. With its index out of the way, building that anew says so.
func TestTailMakesDuplicate(t *testing.T) {
	t.Parallel()
	lower := withTail(migrator.Transition{
		Name: "lower", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "full_name", To: "name", Type: "text", Forward: "lower(full_name)", Backward: "name", Lossy: []string{"forward"}},
	})
	db := pgtest.NewFrom(t, plainUsers("primary key (id)", `create unique index users_full_name_idx on users (full_name)`))
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, lower)
	require.NoError(t, err)
	advanceTo(t, m, lower.Name, "index")
	db.Exec(t, `update users set full_name = 'USER 1' where id = 2`)
	_, err = m.Run(ctx, lower.Name, migrator.RunOptions{})
	require.ErrorIs(t, err, sweep.ErrConstraint)
	require.ErrorContains(t, err, "the row with id (2)")
	_, err = m.RenewTail(ctx, lower.Name)
	require.NoError(t, err)
	_, err = m.Run(ctx, lower.Name, migrator.RunOptions{})
	require.ErrorContains(t, err, "the table has duplicates")
	db.Exec(t, `update users set full_name = 'User 2' where id = 2`)
	_, err = m.Run(ctx, lower.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.Zero(t, scan[int](t, audit(t, db), `select count(*) from users where name is distinct from lower(full_name)`))
}

// TestTailCannotMoveValue: forward refuses what somebody without the hook has
// written. The tail names the row and goes on when the value has been changed.
func TestTailCannotMoveValue(t *testing.T) {
	t.Parallel()
	numbered := withTail(migrator.Transition{
		Name: "number", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "code", To: "number", Type: "integer", Forward: "code::integer", Backward: "number::text"},
	})
	db := pgtest.NewFrom(t, `create table users (id int primary key, code text); insert into users select i, i from generate_series(1, 300) i`)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, numbered)
	require.NoError(t, err)
	advanceTo(t, m, numbered.Name, "backfill")
	running := startTail(t, m, numbered.Name)
	conn := audit(t, db)
	db.Exec(t, `update users set code = 1000 + id where id < 10; update users set code = 'seven' where id = 77; update users set code = 2000 + id where id > 290`)
	err = running.wait(t)
	var tail *migrator.TailError
	require.ErrorAs(t, err, &tail)
	require.ErrorIs(t, err, sweep.ErrNoCounterpart)
	require.ErrorContains(t, err, "the row with id (77)")
	require.ErrorContains(t, err, "change that value")
	db.Exec(t, `update users set code = '7' where id = 77`)
	_, err = m.Run(ctx, numbered.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.Zero(t, scan[int](t, conn, `select count(*) from users where number is distinct from code::integer`))
}

// TestTailAll: every transition is followed, one that cannot be does not end the
// others, and neither does a server that goes away.
func TestTailAll(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, users+`; create table other (id int primary key, a text, c text); insert into other select i, i, i from generate_series(1, 300) i`)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	all := []migrator.Transition{withTail(rename)}
	for _, from := range []string{"a", "c"} {
		all = append(all, withTail(migrator.Transition{Name: "other-" + from, Table: "other", IgnoreApplications: []string{auditor},
			Change: &migrator.Change{From: from, To: from + "_number", Type: "integer", Forward: from + "::integer", Backward: from + "_number::text"}}))
	}
	done := make(chan error, 1)
	following, cancel := context.WithCancel(ctx)
	go func() { done <- m.TailAll(following) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	for _, tr := range all { // those that begin later too
		_, err := m.Start(ctx, tr)
		require.NoError(t, err)
		advanceTo(t, m, tr.Name, "backfill")
	}
	conn := audit(t, db)
	equalAll := func() bool {
		return scan[bool](t, conn, `select not exists (select from users where name is distinct from full_name)
			and not exists (select from other where c_number is distinct from c::integer)`)
	}
	db.Exec(t, `update users set full_name = 'n' || id; update other set c = 1000 + id`)
	pgtest.WaitFor(t, "both tables", equalAll)
	db.Exec(t, `update other set a = 'bad' where id = 7; update other set a = 1000 + id where id > 7`)
	db.Exec(t, `update users set full_name = 'm' || id; update other set c = 2000 + id`)
	pgtest.WaitFor(t, "the others", equalAll)
	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart(ctx))
	conn = audit(t, db)
	db.Exec(t, `update users set full_name = 'l' || id; update other set c = 3000 + id`)
	pgtest.WaitFor(t, "the others, after the crash", equalAll)
	db.Exec(t, `update other set a = '7' where id = 7`)
	pgtest.WaitFor(t, "the one whose value was changed", func() bool {
		return scan[bool](t, conn, `select not exists (select from other where a_number is distinct from a::integer)`)
	})
}

// TestTailNoPingPong: expressions that do not come back to where they started
// rewrite a row for ever, if two tails copied in both directions. One direction is
// permitted, and of two tails in it one is active: each row is written once.
func TestTailNoPingPong(t *testing.T) {
	t.Parallel()
	shouting := withTail(migrator.Transition{
		Name: "shout", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "full_name", To: "name", Type: "text", Forward: "upper(full_name)", Backward: "lower(name) || '.'",
			Lossy: []string{"forward", "backward"}},
	})
	db := pgtest.NewFrom(t, plainUsers("primary key (id)", ""))
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, shouting)
	require.NoError(t, err)
	advanceTo(t, m, shouting.Name, "backfill")
	startTail(t, m, shouting.Name)
	startTail(t, newMigrator(t, db, migrator.Config{}), shouting.Name)
	conn := audit(t, db)
	row, err := ledger.Get(ctx, conn, shouting.Name)
	require.NoError(t, err)
	_, err = ledger.Allow(ctx, conn, row, ledger.Refill)
	require.ErrorIs(t, err, ledger.ErrWrongPhase, "a tail in the other direction gets no token")

	db.Exec(t, `update users set full_name = 'Ada ' || id`)
	pgtest.WaitFor(t, "the tail", func() bool {
		return scan[int](t, conn, `select count(*) from users where name is distinct from upper(full_name)`) == 0
	})
	written := `select sum(xmin::text::bigint) from users`
	once := scan[int64](t, conn, written)
	require.EqualValues(t, 300, scan[int](t, conn, `select repaired from crossfade.tail`))
	_, err = m.Run(ctx, shouting.Name, migrator.RunOptions{Until: migrator.Live}) // what came back has gone by
	require.NoError(t, err)
	require.Equal(t, once, scan[int64](t, conn, written))
}

// TestTailAfterFailover: a standby that was promoted does not have the slot. That
// is said, and nothing goes on before there is a new one.
func TestTailAfterFailover(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}
	db.Exec(t, users)
	_, legacy := tailed(t, db, "backfill")
	standby := pgtest.Standby(t, db)
	halfWrites(t, legacy, 1)
	lsn := scan[string](t, legacy, `select pg_current_wal_lsn()::text`)
	_, err := newMigrator(t, standby, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorIs(t, err, migrator.ErrStandby)
	probe := audit(t, standby)
	pgtest.WaitFor(t, "the standby", func() bool {
		return scan[bool](t, probe, `select pg_last_wal_replay_lsn() >= $1::text::pg_lsn`, lsn)
	})
	require.NoError(t, primary.Kill())
	_, err = probe.Exec(ctx, `select pg_promote()`)
	require.NoError(t, err)

	promoted := newMigrator(t, standby, migrator.Config{})
	_, err = promoted.Run(ctx, rename.Name, migrator.RunOptions{})
	lost, ok := logical.AsSlotLost(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, logical.Missing, lost.Reason)
	require.ErrorContains(t, err, "crossfade tail users-name --renew")
	_, err = promoted.RenewTail(ctx, rename.Name)
	require.NoError(t, err)
	_, err = promoted.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	equal(t, probe)
}
