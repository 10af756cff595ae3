//go:build unix

package migrator_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/logical"
	"github.com/pgcrossfade/crossfade/migrator"
)

// tailed returns a database whose transition stands after a step, and somebody
// without the hook.
func tailed(t testing.TB, db *pgtest.DB, step string) (*migrator.Migrator, *pgx.Conn) {
	t.Helper()
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, withTail(rename))
	require.NoError(t, err)
	advanceTo(t, m, rename.Name, step)
	return m, connect(t, db, "legacy")
}

// tailProcess is a tail in a process of its own.
func tailProcess(t *testing.T, db *pgtest.DB) *exec.Cmd {
	t.Helper()
	cmd := spawn(t, task{URL: db.URL, Tail: true})
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	probe := audit(t, db)
	pgtest.WaitFor(t, "the process to follow", func() bool {
		return scan[int](t, probe, `select count(*) from pg_replication_slots where database = current_database() and active`) == 1
	})
	return cmd
}

// TestTailKilled: the tail's process is killed in the middle of a batch, which
// leaves no trace, and between batches; whoever comes next loses nothing.
func TestTailKilled(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m, legacy := tailed(t, db, "backfill")
	conn := audit(t, db)
	for n := range 3 {
		cmd := tailProcess(t, db)
		blocker, err := audit(t, db).Begin(ctx)
		require.NoError(t, err)
		_, err = blocker.Exec(ctx, `lock table crossfade.tail in exclusive mode`)
		require.NoError(t, err)
		halfWrites(t, legacy, 1+n)
		pgtest.WaitFor(t, "a batch to be half applied", func() bool {
			return scan[int](t, conn, `select count(*) from pg_stat_activity
				where datname = current_database() and query like '%update crossfade.tail set repaired%' and wait_event_type = 'Lock'`) > 0
		})
		require.NoError(t, cmd.Process.Signal(os.Kill))
		_ = cmd.Wait()
		require.NoError(t, blocker.Rollback(ctx))
		require.Positive(t, scan[int](t, conn, `select count(*) from users where name is distinct from full_name`))
		cmd = tailProcess(t, db)
		converged(t, conn)
		halfWrites(t, legacy, 11+n)
		require.NoError(t, cmd.Process.Signal(os.Kill)) // somewhere
		_ = cmd.Wait()
	}
	leave(t, db, legacy)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
}

// TestMigratorKilledWhileTailing: the migrator, which follows the log itself, is
// killed in each of the steps with a tail. Somebody without the hook comes by after
// each death, up to where the CHECK refuses what he writes.
func TestMigratorKilledWhileTailing(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	conn := audit(t, db)
	for n, step := range []string{"dualwrite", "sync", "backfill", "sync-barrier", "index", "verify", "enforce", "unsync"} {
		cmd := spawn(t, task{URL: db.URL, Logical: true})
		require.NoError(t, cmd.Start())
		pgtest.WaitFor(t, "step "+step, func() bool {
			return scan[bool](t, conn, `select exists (select from crossfade.history where event in ('begin', 'resume begin') and detail = $1)`, step)
		})
		require.NoError(t, cmd.Process.Signal(os.Kill))
		_ = cmd.Wait()
		if scan[bool](t, conn, `select not exists (select from crossfade.history where event = 'done' and detail = 'sync-barrier')`) {
			legacy := connect(t, db, "legacy")
			halfWrites(t, legacy, 1+n)
			leave(t, db, legacy)
		}
	}
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
}

// TestTailSleepsThroughIt: the active tail's process is stopped, and wakes up when
// the transition has gone to live and back to shadow. It copies nothing.
func TestTailSleepsThroughIt(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"wal_sender_timeout": "5s"})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, users)
	m, legacy := tailed(t, db, "backfill")
	conn := audit(t, db)
	cmd := tailProcess(t, db)
	halfWrites(t, legacy, 1)
	converged(t, conn)
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	halfWrites(t, legacy, 2)
	leave(t, db, legacy)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Shadow})
	require.NoError(t, err)
	written := scan[int64](t, conn, `select sum(xmin::text::bigint) from users`)
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	require.NoError(t, cmd.Wait(), "it sees that it is over")
	equal(t, conn)
	require.Equal(t, written, scan[int64](t, conn, `select sum(xmin::text::bigint) from users`))
	require.Zero(t, tailTraces(t, conn))
}

// TestTwoTails: one is active. When its connections are cut, one of them goes on.
func TestTwoTails(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m, legacy := tailed(t, db, "backfill")
	conn := audit(t, db)
	a, b := startTail(t, newMigrator(t, db, migrator.Config{}), rename.Name), startTail(t, newMigrator(t, db, migrator.Config{}), rename.Name)
	for n := range 4 {
		halfWrites(t, legacy, 1+n)
		converged(t, conn)
		require.Equal(t, 1, scan[int](t, conn, `select count(*) from pg_replication_slots where database = current_database() and active`))
		db.Exec(t, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'crossfade tail'`)
	}
	leave(t, db, legacy)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.NoError(t, a.wait(t))
	require.NoError(t, b.wait(t))
	equal(t, conn)
}

// TestTailSlotDropped: without its slot the transition goes nowhere, until there is
// a new one and every row has been looked at anew. So it is when the position has
// gone too: the ledger knows that there was one.
func TestTailSlotDropped(t *testing.T) {
	t.Parallel()
	for name, also := range map[string]string{
		"slot": `select`, "slot and position": `delete from crossfade.position`, "slot, position and publication": `delete from crossfade.position; drop publication crossfade_t1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dropSlot(t, also)
		})
	}
}

// TestTailPositionDropped: nobody can tell what has been applied.
func TestTailPositionDropped(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m, legacy := tailed(t, db, "backfill")
	halfWrites(t, legacy, 1)
	leave(t, db, legacy)
	db.Exec(t, `delete from crossfade.position`)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, new(*migrator.TailError))
	require.ErrorContains(t, err, "--renew")
	_, err = m.RenewTail(ctx, rename.Name)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	conn := audit(t, db)
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
}

func dropSlot(t *testing.T, also string) {
	db := pgtest.NewFrom(t, users)
	m, legacy := tailed(t, db, "backfill")
	conn := audit(t, db)
	running := startTail(t, m, rename.Name)
	halfWrites(t, legacy, 1)
	converged(t, conn)
	running.cancel()
	<-running.done
	pgtest.WaitFor(t, "the slot to be free", func() bool {
		_, err := conn.Exec(ctx, `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`)
		return err == nil
	})
	db.Exec(t, also)
	halfWrites(t, legacy, 2) // nobody sees that
	leave(t, db, legacy)
	for range 2 {
		var tail *migrator.TailError
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
		require.ErrorAs(t, err, &tail)
		lost, ok := logical.AsSlotLost(err)
		require.True(t, ok)
		require.Equal(t, logical.Missing, lost.Reason)
		require.ErrorContains(t, err, "--renew")
	}
	status, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
	require.NoError(t, err)
	require.Equal(t, "missing", status[0].Tail.WALStatus)
	require.ErrorAs(t, m.Tail(ctx, rename.Name), new(*migrator.TailError))

	p, err := m.RenewTail(ctx, rename.Name)
	require.NoError(t, err)
	require.Equal(t, "sync", p.Step)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
}

// TestTailSlotDroppedBeyondTheBarrier: the same when indexes and constraints are
// there already.
func TestTailSlotDroppedBeyondTheBarrier(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m, legacy := tailed(t, db, "backfill")
	conn := audit(t, db)
	leave(t, db, legacy)
	advanceTo(t, m, rename.Name, "constrain")
	pgtest.WaitFor(t, "the slot to be free", func() bool {
		_, err := conn.Exec(ctx, `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`)
		return err == nil
	})
	db.Exec(t, `update users set full_name = 'unseen' where id = 7`)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, new(*migrator.TailError))
	_, err = m.RenewTail(ctx, rename.Name)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	equal(t, conn)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, originalShape, shape(t, conn))
}

// TestTailServerCrash: the server dies while the log is followed. The tail goes on
// when it is there again.
func TestTailServerCrash(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, users)
	m, legacy := tailed(t, db, "backfill")
	running := startTail(t, m, rename.Name)
	halfWrites(t, legacy, 21)
	converged(t, audit(t, db))
	for n := range 3 {
		halfWrites(t, legacy, 1+n)
		require.NoError(t, server.Kill())
		_ = legacy.Close(ctx)
		require.NoError(t, server.Restart(ctx))
		legacy = connect(t, db, "legacy")
		halfWrites(t, legacy, 11+n)
		converged(t, audit(t, db))
	}
	leave(t, db, legacy)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.NoError(t, running.wait(t))
	conn := audit(t, db)
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
}
