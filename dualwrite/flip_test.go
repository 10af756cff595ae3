package dualwrite_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

func TestPoolRewritesByPhase(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	for i, p := range phase.All()[:6] { // contracted needs the migrator
		for f.move.Phase != p {
			f.step(p)
			f.drained()
			f.drop()
		}
		name := "written in " + string(p)
		tag, err := pool.Exec(ctx, `update users set full_name = $1 where id = $2`, name, i+1)
		require.NoError(t, err)
		require.EqualValues(t, 1, tag.RowsAffected())
		var got string
		require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = $1`, i+1).Scan(&got))
		require.Equal(t, name, got)
		source, target := f.both(i + 1)
		b := p.Behaviour()
		require.Equal(t, b.WriteSource, source == name, "source in %s", p)
		require.Equal(t, b.WriteTarget, target == name, "target in %s", p)
	}
	require.Zero(t, hook.Stats().Stale)
}

// A transaction keeps its phase across a flip, and the flip waits for it.
func TestTransactionAcrossFlip(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		from := f.move.Phase
		tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `update users set full_name = 'first' where id = 1`)
		require.NoError(t, err)

		f.step(phase.Complete)
		token := f.move.Draining
		holders, err := fence.Holders(ctx, f.admin, token)
		require.NoError(t, err)
		require.Len(t, holders, 1)
		older, err := fence.Older(ctx, f.admin, f.move.Epoch)
		require.NoError(t, err)
		require.NotEmpty(t, older)

		_, err = tx.Exec(ctx, `update users set full_name = full_name || ' second' where id = 1`)
		require.NoError(t, err, "in %s, at %s", from, level)
		var name string
		require.NoError(t, tx.QueryRow(ctx, `select full_name from users where id = 1`).Scan(&name))
		require.Equal(t, "first second", name)
		require.NoError(t, tx.Commit(ctx))
		f.drained()
		f.drop()
		require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = 1`).Scan(&name))
		require.Equal(t, "first second", name)
		source, target := f.both(1)
		require.Equal(t, source, target)
	}
	require.Zero(t, hook.Stats().Stale)
}

// Without Run a pool learns of a flip from the first statement that fails.
func TestStalePhaseWithoutRun(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	hook := f.hook()
	ctx := t.Context()
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			pool := f.pool(hook, func(c *pgxpool.Config) {
				c.ConnConfig.DefaultQueryExecMode = mode
				c.MaxConns = 4
			})
			const sql = `update users set full_name = full_name || $1 where id = 1`
			var conns []*pgxpool.Conn
			for range 4 {
				conn, err := pool.Acquire(ctx)
				require.NoError(t, err)
				_, err = conn.Exec(ctx, sql, "")
				require.NoError(t, err)
				conns = append(conns, conn)
			}
			for _, conn := range conns {
				conn.Release()
			}
			if f.move.Phase == phase.DualWrite {
				f.to(phase.Shadow)
			} else {
				f.to(phase.DualWrite)
			}
			before, _ := f.both(1)
			stale := f.seen(dualwrite.Stale)
			_, err := pool.Exec(ctx, sql, "+")
			require.True(t, dualwrite.IsStalePhase(err), "%v", err)
			require.Equal(t, "40001", pgError(t, err).Code)
			require.Contains(t, pgError(t, err).Detail, "42P01")
			source, target := f.both(1)
			require.Equal(t, before, source, "nothing was executed")
			require.Equal(t, before, target)
			require.Equal(t, stale+1, f.seen(dualwrite.Stale))

			_, err = pool.Exec(ctx, sql, "+")
			require.NoError(t, err, "the others are not handed out any more")
			source, target = f.both(1)
			require.Equal(t, before+"+", source)
			require.Equal(t, before+"+", target)
		})
	}
}

func TestStalePhaseFailsTheTransaction(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	pool := f.pool(f.hook())
	ctx := t.Context()
	require.NoError(t, pool.Ping(ctx))
	f.to(phase.Shadow)
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into other values (1, 'must not stay')`)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `update users set full_name = 'x' where id = 1`)
		return err
	})
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	var n int
	require.NoError(t, pool.QueryRow(ctx, `select count(*) from other`).Scan(&n))
	require.Zero(t, n)
}

// A connection that was hijacked to listen goes on, and is named as what holds
// up a drain.
func TestHijackedListener(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	acquired, err := pool.Acquire(ctx)
	require.NoError(t, err)
	listener := acquired.Hijack()
	defer func() { _ = listener.Close(ctx) }()
	_, err = listener.Exec(ctx, `listen news`)
	require.NoError(t, err)
	f.step(phase.DualWrite)
	pgtest.WaitFor(t, "only the listener to be older", func() bool {
		older, err := fence.Older(ctx, f.admin, f.move.Epoch)
		require.NoError(t, err)
		return len(older) == 1 && older[0].PID == int(listener.PgConn().PID())
	})
	f.drop()
	f.exec(`notify news, 'it works'`)
	n, err := listener.WaitForNotification(ctx)
	require.NoError(t, err)
	require.Equal(t, "it works", n.Payload)
	_, err = listener.Exec(ctx, `update users set full_name = 'x' where id = 1`)
	require.True(t, dualwrite.IsStalePhase(err))
	require.NoError(t, listener.Close(ctx))
	pgtest.WaitFor(t, "the registry to forget it", func() bool {
		return hook.Stats().Connections[f.move.Epoch-1] == 0
	})
}

// Many flips under load: no error reaches the application, and no read is wrong.
func TestFlipsUnderLoad(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = 6 })
	f.run(hook)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var workers sync.WaitGroup
	var statements atomic.Int64
	const goroutines = 10
	for id := 1; id <= goroutines; id++ {
		workers.Go(func() {
			last := fmt.Sprintf("user %d", id)
			for i := 0; ctx.Err() == nil; i++ {
				name, err := turn(pool, id, i, last)
				if err != nil {
					t.Errorf("worker %d, turn %d: %v", id, i, err)
					return
				}
				last = name
				statements.Add(1)
			}
		})
	}
	flips := 30
	if testing.Short() {
		flips = 10
	}
	var slowest time.Duration
	for f.move.Epoch < flips {
		for _, target := range []phase.Phase{phase.Live, phase.Off} {
			for f.move.Phase != target && f.move.Epoch < flips {
				enough := statements.Load() + goroutines
				start := time.Now()
				f.step(target)
				f.drained()
				slowest = max(slowest, time.Since(start))
				f.drop()
				pgtest.WaitFor(t, "the workers", func() bool { return statements.Load() >= enough || t.Failed() })
				if t.Failed() {
					return
				}
			}
		}
	}
	cancel()
	workers.Wait()
	t.Logf("%d turns, %d epochs, slowest drain %v", statements.Load(), f.move.Epoch, slowest)
	require.Zero(t, hook.Stats().Stale)
	if f.move.Phase.Behaviour().WritesBoth() {
		var wrong int
		require.NoError(t, f.admin.QueryRow(t.Context(), `select count(*) from users where full_name is distinct from name`).Scan(&wrong))
		require.Zero(t, wrong)
	}
}

// turn reads what was written last, and writes anew, in one of several ways.
func turn(pool *pgxpool.Pool, id, i int, last string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	name := fmt.Sprintf("worker %d turn %d", id, i)
	const update = `update users set full_name = $1 where id = $2 and full_name = $3`
	var got string
	switch i % 3 {
	case 0:
		if err := pool.QueryRow(ctx, `select full_name from users where id = $1`, id).Scan(&got); err != nil {
			return "", err
		}
		tag, err := pool.Exec(ctx, update, name, id, last)
		if err == nil && tag.RowsAffected() != 1 {
			err = fmt.Errorf("update found no row with %q", last)
		}
		if err != nil {
			return "", err
		}
	case 1:
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if err := tx.QueryRow(ctx, `select full_name from users where id = $1 for update`, id).Scan(&got); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, update, name, id, last)
			return err
		})
		if err != nil {
			return "", err
		}
	default:
		batch := &pgx.Batch{}
		batch.Queue(`select full_name from users where id = $1`, id).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
		batch.Queue(update, name, id, last)
		if err := pool.SendBatch(ctx, batch).Close(); err != nil {
			return "", err
		}
	}
	if got != last {
		return "", fmt.Errorf("read %q, had written %q", got, last)
	}
	return name, nil
}
