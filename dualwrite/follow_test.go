package dualwrite_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// slow makes a hook rely on notifications: its polls come too late.
func slow(c *dualwrite.Config) {
	c.PollInterval, c.AbsentInterval, c.DriftInterval = time.Hour, time.Hour, time.Hour
}

func TestLedgerAppears(t *testing.T) {
	f := bare(t)
	hook := f.hook(slow)
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	_, err := pool.Exec(ctx, `update users set full_name = 'before' where id = 1`)
	require.NoError(t, err)
	require.Equal(t, map[int]int{0: 1}, hook.Stats().Connections)
	f.waitEvent(dualwrite.Following)
	f.register()
	f.drained()
	f.step(phase.DualWrite)
	f.drained()
	f.drop()
	_, err = pool.Exec(ctx, `update users set full_name = 'after' where id = 1`)
	require.NoError(t, err)
	source, target := f.both(1)
	require.Equal(t, []string{"after", "after"}, []string{source, target})
}

func TestListenerIsReplaced(t *testing.T) {
	f := moving(t)
	hook := f.hook(slow)
	pool := f.pool(hook)
	require.NoError(t, pool.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	f.exec(`select pg_terminate_backend(pid) from pg_stat_activity
		where application_name = 'crossfade hook' and datname = current_database()`)
	f.waitEvent(dualwrite.FollowFailed)
	pgtest.WaitFor(t, "another listener", func() bool { return f.seen(dualwrite.Following) == 2 })
	f.step(phase.DualWrite)
	f.drained()
}

// A flip while the listener is away is seen when it is back.
func TestFlipWhileListenerIsAway(t *testing.T) {
	f := moving(t)
	hook := f.hook(slow)
	pool := f.pool(hook)
	require.NoError(t, pool.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	tx, err := f.admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where application_name = 'crossfade hook' and datname = current_database()`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	f.step(phase.DualWrite)
	f.drained()
}

func TestPollingAlone(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	require.NoError(t, pool.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	f.exec(`update crossfade.epoch set epoch = epoch + 1`) // nobody is notified
	f.move.Epoch++
	f.drained()
}

func TestOwnConnectionIsMarked(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	require.NoError(t, pool.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	older, err := fence.Older(t.Context(), f.admin, 1000)
	require.NoError(t, err)
	for _, s := range older {
		require.NotEqual(t, "crossfade hook", s.Application)
	}
}

func TestRunTwice(t *testing.T) {
	f := bare(t)
	hook := f.hook()
	require.NoError(t, f.pool(hook).Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	require.ErrorIs(t, hook.Run(t.Context()), dualwrite.ErrRunning)
}

// Somebody else's ALTER TABLE is followed: stars show the new column.
func TestDrift(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	columns := func() []string {
		rows, err := pool.Query(ctx, `select * from users where id = 1`)
		require.NoError(t, err)
		defer rows.Close()
		var names []string
		for _, d := range rows.FieldDescriptions() {
			names = append(names, d.Name)
		}
		return names
	}
	require.Equal(t, []string{"id", "full_name", "age"}, columns())
	f.exec(`alter table users add column email text`)
	pgtest.WaitFor(t, "the new column to be seen", func() bool { return len(columns()) == 4 })
	require.Equal(t, []string{"id", "full_name", "age", "email"}, columns())
	require.Equal(t, 1, f.seen(dualwrite.CatalogChanged))
	f.step(phase.DualWrite) // what the migrator does is no drift
	f.drained()
	f.drop()
	f.step(phase.Off)
	f.drained()
	f.drop()
	require.Equal(t, 1, f.seen(dualwrite.CatalogChanged))
}

// Without Run, a connection that joins finds it out.
func TestDriftWithoutRun(t *testing.T) {
	f := moving(t)
	hook := f.hook(func(c *dualwrite.Config) { c.DriftInterval = time.Nanosecond })
	pool := f.pool(hook)
	ctx := t.Context()
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	f.exec(`alter table users add column email text`)
	var n int
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select * from users where id = 1`)
		if err != nil {
			return err
		}
		n = len(rows.FieldDescriptions())
		rows.Close()
		return rows.Err()
	}))
	require.Equal(t, 4, n)
	require.Equal(t, 1, f.seen(dualwrite.CatalogChanged))
}

// A restored backup has an older epoch. Whoever joins finds the lower one, and
// the pool must not refuse connections for ever.
func TestEpochFalls(t *testing.T) {
	f := moving(t)
	f.to(phase.Shadow)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	require.NoError(t, pool.Ping(ctx))
	f.exec(`update crossfade.epoch set epoch = epoch + 5`)
	pgtest.WaitFor(t, "the higher epoch", func() bool {
		require.NoError(t, pool.Ping(ctx))
		return hook.Stats().Connections[f.move.Epoch+5] == 1
	})
	f.exec(`update crossfade.epoch set epoch = $1`, f.move.Epoch)
	pool.Reset() // as a failover does
	require.NoError(t, pool.Ping(ctx))
	require.Equal(t, 1, hook.Stats().Connections[f.move.Epoch])
	_, err := pool.Exec(ctx, `update users set full_name = 'x' where id = 1`)
	require.NoError(t, err)
	f.step(phase.Live)
	f.drained()
}

// A failover that lost some moves: the number of the epoch comes again, with
// another phase.
func TestEpochComesAgain(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	hook := f.hook(slow)
	pool := f.pool(hook)
	ctx := t.Context()
	require.NoError(t, pool.Ping(ctx))
	f.exec(`update crossfade.epoch set epoch = epoch - 1`)
	f.to(phase.Shadow)
	pool.Reset()
	_, err := pool.Exec(ctx, `update users set full_name = 'x' where id = 1`)
	require.NoError(t, err)
	_, target := f.both(1)
	require.Equal(t, "x", target)
}

func TestPrivilegeMissing(t *testing.T) {
	f := bare(t)
	ctx := t.Context()
	role := "crossfade_test_" + f.Name
	f.exec(`create role ` + role + ` login`)
	t.Cleanup(func() { f.Exec(t, `drop owned by `+role); f.Exec(t, `drop role `+role) })
	f.exec(`grant select, update on users to ` + role)
	f.exec(`create role ` + role + `_other`)
	t.Cleanup(func() { f.Exec(t, `drop owned by `+role+`_other`); f.Exec(t, `drop role `+role+`_other`) })
	pool := f.pool(f.hook(), func(c *pgxpool.Config) { c.ConnConfig.User = role })
	require.NoError(t, pool.Ping(ctx), "without a ledger there is nothing to read")
	pool.Reset()
	require.NoError(t, ledger.Migrate(ctx, f.admin, []string{role + "_other"}))
	err := pool.Ping(ctx)
	require.ErrorIs(t, err, dualwrite.ErrPrivilege)
	require.NoError(t, ledger.Migrate(ctx, f.admin, []string{role}))
	require.NoError(t, pool.Ping(ctx))
}
