package migrator_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// withTail is a transition whose writers without the hook are followed in the log.
func withTail(tr migrator.Transition) migrator.Transition {
	tr.Sync = "logical"
	return tr
}

// tailTraces counts what is left of a tail of a database: slots, publications,
// positions.
func tailTraces(t testing.TB, conn *pgx.Conn) int {
	t.Helper()
	return scan[int](t, conn, `select (select count(*) from pg_replication_slots where database = current_database())
		+ (select count(*) from pg_publication) + (select count(*) from crossfade.position)`)
}

// leave closes a session and waits until the server has noticed.
func leave(t testing.TB, db *pgtest.DB, conn *pgx.Conn) {
	t.Helper()
	pid := conn.PgConn().PID()
	require.NoError(t, conn.Close(ctx))
	probe := audit(t, db)
	pgtest.WaitFor(t, "the session to end", func() bool {
		return scan[int](t, probe, `select count(*) from pg_stat_activity where pid = $1`, pid) == 0
	})
}

// halfWrites are statements of somebody without the hook.
func halfWrites(t testing.TB, legacy *pgx.Conn, n int) {
	t.Helper()
	for _, sql := range []string{
		`update users set full_name = 'legacy ' || $1 where id = $1`,
		`insert into users (full_name, email) values ('new', $1 || '-a')`,
		`insert into users (email) values ($1 || '-b')`,
		`insert into users (full_name, email) values ('new', $1 || '-a') on conflict (email, full_name)
			do update set full_name = excluded.full_name || '!'`,
		`update users set id = default, full_name = 'moved' where id = 200 + $1`,
		`delete from users where id = 100 + $1`,
	} {
		_, err := legacy.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol, n)
		require.NoError(t, err, sql)
	}
}

func advanceTo(t testing.TB, m *migrator.Migrator, name, step string) migrator.Position {
	t.Helper()
	for range 30 {
		p, err := m.Advance(ctx, name, migrator.AdvanceOptions{})
		require.NoError(t, err, step)
		if p.Step == step {
			return p
		}
	}
	t.Fatalf("step %s was not reached", step)
	return migrator.Position{}
}

// tailer is a Tail in its goroutine.
type tailer struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // after done
}

// startTail runs a tail until it is over, or the test is.
func startTail(t testing.TB, m *migrator.Migrator, name string) *tailer {
	t.Helper()
	following, cancel := context.WithCancel(ctx)
	r := &tailer{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = m.Tail(following, name)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// wait returns how it has ended, by itself.
func (r *tailer) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(time.Minute):
		t.Fatal("the tail does not end")
	}
	return r.err
}

func converged(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	pgtest.WaitFor(t, "the tail", func() bool {
		return scan[int](t, conn, `select count(*) from users where name is distinct from full_name`) == 0
	})
}

// TestTailThroughAllPhases: somebody without the hook writes from before the start
// up to the barrier, which waits for him; nothing goes beyond it before.
func TestTailThroughAllPhases(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	legacy := connect(t, db, "legacy")
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	conn := audit(t, db)
	original := shape(t, conn)
	tr := withTail(rename)
	_, err := m.Start(ctx, tr)
	require.NoError(t, err, "the first drain does not wait for it")
	halfWrites(t, legacy, 1)
	advanceTo(t, m, tr.Name, "sync")
	halfWrites(t, legacy, 2)
	advanceTo(t, m, tr.Name, "backfill")
	halfWrites(t, legacy, 3)
	var drain *migrator.DrainError
	_, err = newMigrator(t, db, migrator.Config{DrainTimeout: 300 * time.Millisecond}).Run(ctx, tr.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &drain)
	require.ErrorContains(t, err, `application "legacy"`)
	require.Equal(t, migrator.DualWrite, scan[migrator.Phase](t, conn, `select phase from crossfade.transition`))

	running := startTail(t, m, tr.Name)
	converged(t, conn)
	halfWrites(t, legacy, 4)
	converged(t, conn)
	status, err := m.Status(ctx, migrator.StatusOptions{Name: tr.Name})
	require.NoError(t, err)
	tail := status[0].Tail
	require.NotNil(t, tail)
	require.NotNil(t, tail.Active)
	require.Equal(t, "crossfade tail", tail.Active.Application)
	require.Equal(t, "reserved", tail.WALStatus)
	require.Positive(t, tail.Repaired)
	found, err := m.Writers(ctx, tr.Name)
	require.NoError(t, err)
	require.Len(t, found.Connected, 1)
	require.NotEmpty(t, found.Tail.Recent)
	require.NotZero(t, found.Tail.Recent[0].XID)

	leave(t, db, legacy)
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.NoError(t, running.wait(t), "it has ended by itself")
	equal(t, conn)
	require.Zero(t, tailTraces(t, conn))
	require.Zero(t, capabilities(t, conn))

	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
	require.Zero(t, tailTraces(t, conn))
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	require.NoError(t, err)
	age(t, db)
	_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
	require.NoError(t, err)
	require.Equal(t, contractedShape, shape(t, conn))
	require.NoError(t, m.Remove(ctx, tr.Name))
	require.Zero(t, tailTraces(t, conn))
	require.Zero(t, scan[int](t, conn, `select count(*) from crossfade.tail`))
}
