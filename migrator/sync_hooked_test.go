package migrator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestHookedAndLegacySideBySide: a hooked application and a writer that knows
// nothing count in the same rows, on the way to complete, back, and again. No
// increment is lost, whoever made it and whatever the other one read.
func TestHookedAndLegacySideBySide(t *testing.T) {
	t.Parallel()
	const accounts = 5
	db := pgtest.NewFrom(t, fmt.Sprintf(`create table accounts (id int primary key, balance int not null default 0, note text);
		insert into accounts select i, 0, '' from generate_series(1, %d) i`, accounts))
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	tr, err := migrator.ParseTransition([]byte("name: wide\ntable: accounts\nsync: trigger\n" +
		"change: {from: balance, to: balance_big, type: bigint}\n"))
	require.NoError(t, err)

	pool := patient(t, db)
	working, stop := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	var byHook, byLegacy atomic.Int64
	count := func(counter *atomic.Int64, exec func(context.Context, string, ...any) (pgconn.CommandTag, error)) {
		for working.Err() == nil {
			sql := `update accounts set balance = balance + 1 where id = $1`
			if rand.N(3) == 0 {
				sql = `insert into accounts (id) values ($1) on conflict (id) do update set balance = accounts.balance + 1, note = 'again'`
			}
			_, err := exec(ctx, sql, 1+rand.N(accounts))
			switch {
			case dualwrite.IsStalePhase(err): // nothing was executed
			case err != nil:
				stop(err)
			default:
				counter.Add(1)
			}
		}
	}
	for range 2 {
		group.Go(func() { count(&byHook, pool.Exec) })
		conn := connect(t, db, "legacy")
		group.Go(func() { count(&byLegacy, conn.Exec) })
	}
	_, err = m.Start(ctx, tr)
	require.NoError(t, err)
	run := func(to migrator.Phase, back bool) {
		t.Helper()
		if back {
			_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{To: to})
		} else {
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: to, Snapshot: migrator.NoSnapshot})
		}
		require.NoError(t, err, to)
		before := [2]int64{byHook.Load(), byLegacy.Load()}
		pgtest.WaitFor(t, "both to write in "+string(to), func() bool {
			return working.Err() != nil || byHook.Load() > before[0]+20 && byLegacy.Load() > before[1]+20
		})
	}
	for _, p := range migrator.Phases()[1:6] {
		run(p, false)
	}
	run(migrator.Live, true)
	run(migrator.Off, true)
	run(migrator.Complete, false)
	stop(nil)
	group.Wait()
	require.ErrorIs(t, context.Cause(working), context.Canceled)
	conn := audit(t, db)
	require.Equal(t, byHook.Load()+byLegacy.Load(), scan[int64](t, conn, `select sum(balance_big) from accounts`))
	require.Zero(t, scan[int](t, conn, `select count(*) from accounts where balance is distinct from balance_big`))
	found, err := m.Writers(ctx, tr.Name)
	require.NoError(t, err)
	require.Len(t, found.Seen, 1, "the hooked application is not among them")
	require.Equal(t, "legacy", found.Seen[0].Application)
}

// patient opens a pool whose connections reconnect in their own time, as those of
// an application do.
func patient(t *testing.T, db *pgtest.DB) *pgxpool.Pool {
	t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	following, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(following) }) // ends with following
	t.Cleanup(func() {
		cancel()
		running.Wait()
		pool.Close()
	})
	return pool
}

// TestCopyUnderTrigger: with the trigger a hooked COPY FROM of one side passes.
func TestCopyUnderTrigger(t *testing.T) {
	t.Parallel()
	tr := withSync(rename, "")
	db, m := start(t, users, tr, migrator.Config{})
	for _, p := range []migrator.Phase{migrator.Shadow, migrator.Live, migrator.Complete} {
		_, err := m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err)
		_, pool := hooked(t, db, dualwrite.StarsSource)
		rows := [][]any{{"copied in " + string(p), string(p)}}
		_, err = pool.CopyFrom(ctx, pgx.Identifier{"users"}, []string{"full_name", "email"}, pgx.CopyFromRows(rows))
		require.NoError(t, err, p)
		pool.Close()
		conn := audit(t, db)
		equal(t, conn)
		require.Equal(t, "copied in "+string(p), scan[string](t, conn, `select name from users where email = $1`, string(p)))
	}
}
