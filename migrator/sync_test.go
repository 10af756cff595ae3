package migrator_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// traces counts what is left of a trigger anywhere.
func traces(t testing.TB, conn *pgx.Conn) int {
	t.Helper()
	return scan[int](t, conn, `select
		(select count(*) from pg_trigger where tgname like 'zzzz_crossfade%')
		+ (select count(*) from pg_proc where pronamespace = 'crossfade'::regnamespace and proname like 't%\_sync')`)
}

// withSync is a transition with a trigger.
func withSync(tr migrator.Transition, mode string) migrator.Transition {
	tr.Sync, tr.SyncMode = "trigger", mode
	return tr
}

// start registers a transition in a new database of setup.
func start(t testing.TB, setup string, tr migrator.Transition, c migrator.Config) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, c)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, tr)
	require.NoError(t, err)
	return db, m
}

// age lets the notes of the trigger be old enough for contract.
func age(t testing.TB, db *pgtest.DB) {
	t.Helper()
	db.Exec(t, `update crossfade.writer set at = at - interval '2 hours'`)
}

// TestSyncThroughAllPhases: a writer without the hook, whose session stays open
// from before the start, is followed in every phase, on the way forward and back.
func TestSyncThroughAllPhases(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	legacy := connect(t, db, "legacy") // nobody ignores it
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	conn := audit(t, db)
	original := shape(t, conn)
	tr := withSync(rename, "")
	_, err := m.Start(ctx, tr)
	require.NoError(t, err, "the first drain does not wait for it")

	n := 0
	write := func(p migrator.Phase) {
		n++
		for _, sql := range []string{
			`update users set full_name = 'legacy ' || $1 where id = $1`,
			`insert into users (full_name, email) values ('new', $1 || '-a')`,
			`insert into users (email) values ($1 || '-b')`,
			`insert into users (full_name, email) values ('new', $1 || '-a') on conflict (email, full_name)
				do update set full_name = excluded.full_name || '!'`,
		} {
			_, err := legacy.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol, n)
			require.NoError(t, err, "%s: %s", p, sql)
		}
		if p == migrator.Complete { // a hooked write
			db.Exec(t, `update users set name = 'hooked' where id = 200`)
			db.Exec(t, `insert into users (name, email) values ('hooked', 'h' || random())`)
			require.Equal(t, 1, scan[int](t, conn, `select count(*) from users where id = 200 and full_name = 'hooked'`))
		}
		if p != migrator.Off && p != migrator.DualWrite { // not filled yet, there
			equal(t, conn)
		}
		require.Zero(t, scan[int](t, conn, `select count(*) from users where email like '%-b' and full_name <> 'nobody'`))
	}
	way := migrator.Phases()[:6]
	back := slices.Clone(way)
	slices.Reverse(back)
	for _, p := range way {
		_, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err, p)
		write(p)
	}
	found, err := m.Writers(ctx, tr.Name)
	require.NoError(t, err)
	require.Len(t, found.Seen, 1)
	require.Equal(t, "legacy", found.Seen[0].Application)
	require.Len(t, found.Connected, 1)
	for _, p := range back {
		_, err := m.Rollback(ctx, tr.Name, migrator.RollbackOptions{To: p})
		require.NoError(t, err, p)
		if p != migrator.Off {
			write(p)
		}
	}
	require.Equal(t, original, shape(t, conn))
	require.Zero(t, traces(t, conn))

	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	var gate *migrator.GateError
	_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
	require.ErrorAs(t, err, &gate)
	require.ErrorContains(t, err, `application "legacy"`)
	write(migrator.Complete)
	require.NoError(t, legacy.Close(ctx))
	pgtest.WaitFor(t, "the session to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity where application_name = 'legacy'`) == 0
	})
	_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
	require.ErrorAs(t, err, &gate)
	require.ErrorContains(t, err, "without the hook")
	equal(t, conn)
	age(t, db)
	_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
	require.NoError(t, err)
	require.Zero(t, traces(t, conn))
	require.Equal(t, contractedShape, shape(t, conn))
	require.NoError(t, m.Remove(ctx, tr.Name))
	require.Zero(t, scan[int](t, conn, `select count(*) from crossfade.writer`))
}

// TestSyncKinds takes each kind of move along the way with a trigger: what
// hooked applications write is what it is without one, but that the sources
// are right in complete as well.
func TestSyncKinds(t *testing.T) {
	t.Parallel()
	for _, c := range kinds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr, err := migrator.ParseTransition([]byte("name: move\ntable: users\nsync: trigger\naccept: [sync-null-default]\n" +
				"ignore_applications: [auditor]\n" + c.operation))
			require.NoError(t, err)
			db, m := start(t, "create type mood as enum ('good', 'bad'); create table users (id bigint primary key, "+c.columns+");"+
				c.indexes+"; insert into users values "+c.rows, tr, migrator.Config{})
			conn := audit(t, db)
			original := shape(t, conn)
			read := func(side string) []string {
				return list[string](t, conn, "select coalesce("+side+", '') from users order by id")
			}
			_, err = m.Advance(ctx, tr.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
			require.NoError(t, err)
			if c.dual != "" {
				db.Exec(t, c.dual)
			}
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
			require.NoError(t, err)
			require.Equal(t, c.becomes, read(c.targets))
			db.Exec(t, c.late)
			require.Equal(t, c.back, read(c.sources), "before any rollback")
			_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, c.back, read(c.sources))
			require.Equal(t, original, shape(t, conn))
			require.Zero(t, traces(t, conn))
			_, err = m.Run(ctx, tr.Name, untilContracted)
			require.NoError(t, err)
			if c.again == nil {
				c.again = c.back
			}
			require.Equal(t, c.again, read(c.targets))
			require.Zero(t, traces(t, conn))
		})
	}
}

// TestSyncRefuses: in mode refuse a write of one side fails from the step sync
// on, and in complete one of the source; nobody is waited for before complete.
func TestSyncRefuses(t *testing.T) {
	t.Parallel()
	tr := withSync(rename, "refuse")
	db, m := start(t, users, tr, migrator.Config{})
	legacy := audit(t, db)
	_, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	fails := func(sql string) {
		t.Helper()
		_, err := legacy.Exec(ctx, sql)
		var failed *pgconn.PgError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, "23514", failed.Code)
		require.Contains(t, failed.ConstraintName, "zzzz_crossfade_t")
	}
	_, err = legacy.Exec(ctx, `update users set full_name = 'early' where id = 1`)
	require.NoError(t, err, "the trigger comes with the step after dualwrite")
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	fails(`update users set full_name = 'x'`)
	fails(`update users set name = 'x'`)
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	fails(`update users set full_name = 'x'`)
	db.Exec(t, `update users set name = 'hooked' where id = 2`)
	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{To: migrator.RampDown})
	require.NoError(t, err)
	equal(t, legacy)
	fails(`update users set name = 'x'`)
	_, err = m.Run(ctx, tr.Name, untilContracted)
	require.NoError(t, err)
	require.Zero(t, traces(t, legacy))
	require.Equal(t, contractedShape, shape(t, legacy))
}

// TestSyncCounts: in mode count nobody is stopped by the trigger, and it says who
// it was. Drains wait as without one.
func TestSyncCounts(t *testing.T) {
	t.Parallel()
	tr := withSync(rename, "count")
	db, m := start(t, users, tr, migrator.Config{DrainTimeout: 1})
	for {
		p, err := m.Advance(ctx, tr.Name, migrator.AdvanceOptions{})
		require.NoError(t, err)
		if p.Step == "sync" {
			break
		}
	}
	legacy := connect(t, db, "legacy")
	_, err := legacy.Exec(ctx, `update users set full_name = 'x' where id = 1`)
	require.NoError(t, err)
	found, err := m.Writers(ctx, tr.Name)
	require.NoError(t, err)
	require.Len(t, found.Seen, 1)
	require.Equal(t, "legacy", found.Seen[0].Application)
	require.Equal(t, 1, found.Seen[0].Sessions)
	var drain *migrator.DrainError
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Live})
	require.ErrorAs(t, err, &drain)
	require.NoError(t, legacy.Close(ctx))
	_, err = newMigrator(t, db, migrator.Config{}).Rollback(ctx, tr.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Zero(t, traces(t, audit(t, db)))
}

// TestSyncBarrier: the backfill waits for who wrote before the trigger was there.
func TestSyncBarrier(t *testing.T) {
	t.Parallel()
	tr := withSync(rename, "")
	db, m := start(t, users, tr, migrator.Config{DDLMaxWait: 1})
	_, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	legacy := connect(t, db, "legacy")
	tx, err := legacy.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `insert into users (full_name, email) values ('slow', 'slow')`)
	require.NoError(t, err)
	p, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Shadow})
	var blocked *migrator.BlockedError
	require.ErrorAs(t, err, &blocked)
	require.ErrorContains(t, err, `application "legacy"`)
	require.Equal(t, "sync", p.Underway)
	require.NoError(t, tx.Commit(ctx))
	_, err = newMigrator(t, db, migrator.Config{}).Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	equal(t, audit(t, db))
}

// TestSyncGate: live is not entered when somebody has touched the trigger, or
// made one that fires later.
func TestSyncGate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ harm, heal, says string }{
		"disabled": {`alter table users disable trigger zzzz_crossfade_t1_sync`, `alter table users enable always trigger zzzz_crossfade_t1_sync`, "disabled"},
		"not for replicas": {`alter table users enable trigger zzzz_crossfade_t1_sync`,
			`alter table users enable always trigger zzzz_crossfade_t1_sync`, "disabled"},
		"later one": {`create function f() returns trigger language plpgsql as 'begin return new; end';
			create trigger zzzzz before insert on users for each row execute function f()`, `drop trigger zzzzz on users`, "fires after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := withSync(rename, "")
			db, m := start(t, users, tr, migrator.Config{})
			_, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Shadow})
			require.NoError(t, err)
			db.Exec(t, c.harm)
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
			var gate *migrator.GateError
			require.ErrorAs(t, err, &gate)
			require.ErrorContains(t, err, c.says)
			db.Exec(t, c.heal)
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
			require.NoError(t, err)
		})
	}
}

// TestSyncHalfContract: a rollback from a contract that had begun fills the
// sources again, and the trigger is back.
func TestSyncHalfContract(t *testing.T) {
	t.Parallel()
	tr := withSync(rename, "")
	db, m := start(t, users, tr, migrator.Config{})
	conn := audit(t, db)
	original := shape(t, conn)
	_, err := m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	db.Exec(t, `create view people as select full_name from users`)
	_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
	require.ErrorContains(t, err, "people")
	db.Exec(t, `update users set name = 'after the trigger' where id = 3`)
	require.Equal(t, "user 3", scan[string](t, conn, `select full_name from users where id = 3`))
	db.Exec(t, `drop view people`)
	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{To: migrator.RampDown})
	require.NoError(t, err)
	require.Equal(t, "after the trigger", scan[string](t, conn, `select full_name from users where id = 3`))
	db.Exec(t, `update users set full_name = 'legacy' where id = 4`)
	equal(t, conn)
	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
	require.Zero(t, traces(t, conn))
}

// TestFirstDrainWaitsForStaleHooks: the trigger stands in for the hook of those
// that never had one; who joined before the transition was known is waited for.
func TestFirstDrainWaitsForStaleHooks(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, migrator.Config{DrainTimeout: 1})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	connect(t, db, "legacy")
	hooked, _ := join(t, db)
	_, err := m.Start(ctx, withSync(rename, ""))
	var drain *migrator.DrainError
	require.ErrorAs(t, err, &drain)
	require.Len(t, drain.Waiting, 1)
	require.NotEqual(t, fence.NoEpoch, drain.Waiting[0].Epoch)
	require.NoError(t, hooked.Close(ctx))
	_, err = newMigrator(t, db, migrator.Config{}).Start(ctx, withSync(rename, ""))
	require.NoError(t, err)
}
