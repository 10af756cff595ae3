package dualwrite_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

func (f *fixture) ramp(percent int) {
	require.NoError(f.t, ledger.SetRamp(f.t.Context(), f.admin, &f.move, percent, ledger.Event{Actor: "test", Event: "ramp"}))
}

// sides acquires n connections at once, and returns by server process whether each
// reads the target, which somebody has made tell.
func (f *fixture) sides(pool *pgxpool.Pool, n int) map[uint32]bool {
	ctx := f.t.Context()
	conns := make([]*pgxpool.Conn, n)
	sides := map[uint32]bool{}
	for i := range conns {
		var err error
		conns[i], err = pool.Acquire(ctx)
		require.NoError(f.t, err)
		var name string
		require.NoError(f.t, conns[i].QueryRow(ctx, `select full_name from users where id = 1`).Scan(&name))
		require.Contains(f.t, []string{"target", "user 1"}, name)
		sides[conns[i].Conn().PgConn().PID()] = name == "target"
	}
	for _, conn := range conns {
		conn.Release()
	}
	return sides
}

func targets(sides map[uint32]bool) (n int) {
	for _, target := range sides {
		if target {
			n++
		}
	}
	return n
}

// The share of connections that read the target follows the ramp, without a new
// epoch, and a ramp that rises takes nobody's target away.
func TestRamp(t *testing.T) {
	const conns = 20
	f := moving(t)
	f.to(phase.Shadow)
	f.ramp(25)
	f.to(phase.Live)
	f.exec(`update users set name = 'target' where id = 1`)
	epoch := f.move.Epoch
	hook := f.hook()
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = conns })
	f.run(hook)
	before := f.sides(pool, conns)
	require.InDelta(t, 5, targets(before), 1)
	for _, percent := range []int{50, 75, 100, 40, 0, 10} {
		rises := percent > f.move.Ramp
		f.ramp(percent)
		var now map[uint32]bool
		pgtest.WaitFor(t, fmt.Sprintf("a ramp of %d", percent), func() bool {
			now = f.sides(pool, conns)
			return math.Abs(float64(targets(now))-float64(percent*conns)/100) <= 1
		})
		for pid, target := range before {
			if _, open := now[pid]; target && rises {
				require.True(t, open, "a connection that reads the target stays")
			}
		}
		before = now
	}
	require.Equal(t, epoch, f.move.Epoch)
	require.Zero(t, hook.Stats().Stale)
}

// A ramp reaches connections as soon as it is set, and without its notification at the
// next poll: each is opened anew at its own moment within RecycleWithin.
func TestRampIsPrompt(t *testing.T) {
	const conns = 10
	for _, c := range []struct {
		name          string
		poll, recycle time.Duration
		lost          bool // the notification
	}{
		{"notified", time.Hour, time.Second, false},
		{"polled", time.Second, time.Second, true},
		{"notified, at once", time.Hour, -1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := moving(t)
			f.to(phase.Live)
			f.exec(`update users set name = 'target' where id = 1`)
			hook := f.hook(func(config *dualwrite.Config) { config.PollInterval, config.RecycleWithin = c.poll, c.recycle })
			pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = conns })
			f.run(hook)
			require.Equal(t, conns, targets(f.sides(pool, conns)))
			f.waitEvent(dualwrite.Following)
			for _, percent := range []int{0, 100, 50} {
				if c.lost {
					f.exec(`update crossfade.transition set ramp = $1`, percent)
				} else {
					f.ramp(percent)
				}
				began := time.Now()
				pgtest.WaitFor(t, "the ramp to reach all", func() bool {
					return math.Abs(float64(targets(f.sides(pool, conns)))-float64(percent*conns)/100) <= 1
				})
				t.Logf("a ramp of %d has reached %d connections after %s", percent, conns, time.Since(began).Round(time.Millisecond))
			}
		})
	}
}

// A connection that reads the source writes both, in the same transaction as before,
// whatever the ramp becomes; and a flip takes all of them along.
func TestRampKeepsTransactions(t *testing.T) {
	f := moving(t)
	f.to(phase.Live)
	f.ramp(0)
	f.exec(`update users set name = 'target' where id = 1`)
	hook := f.hook()
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var name string
		require.NoError(t, tx.QueryRow(ctx, `select full_name from users where id = 1`).Scan(&name))
		require.Equal(t, "user 1", name)
		f.ramp(100)
		pgtest.WaitFor(t, "others to read the target", func() bool { return targets(f.sides(pool, 1)) == 1 })
		require.NoError(t, tx.QueryRow(ctx, `select full_name from users where id = 1`).Scan(&name))
		require.Equal(t, "user 1", name)
		_, err := tx.Exec(ctx, `update users set full_name = 'both' where id = 2`)
		return err
	}))
	source, target := f.both(2)
	require.Equal(t, "both", source)
	require.Equal(t, "both", target)
	f.ramp(0)
	pgtest.WaitFor(t, "all to read the source", func() bool { return targets(f.sides(pool, 2)) == 0 })
	f.step(phase.Complete) // rampdown
	f.drained()
	f.drop()
	require.Equal(t, 2, targets(f.sides(pool, 2)))
	require.Zero(t, hook.Stats().Stale)
}

// Both sides are compared, whichever the connection reads, and the ledger learns how
// the application's own statements fare on either.
func TestRampIsReported(t *testing.T) {
	f := moving(t)
	f.to(phase.Live)
	f.ramp(50)
	hook := f.hook(everything)
	f.run(hook)
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = 4 })
	ctx := t.Context()
	f.exec(`update users set name = 'not a number', full_name = '2' where id = 2`)
	for range 4 {
		f.each(pool, 4, func(c *pgxpool.Conn) {
			_, _ = c.Exec(ctx, `select full_name::int from users where id = 2`)
			_, err := c.Exec(ctx, `select full_name from users where id = 3`)
			require.NoError(t, err)
			_, err = c.Exec(ctx, `insert into users (id, full_name) values (3, 'x')`) // a constraint's error is expected
			require.Error(t, err)
		})
	}
	pgtest.WaitFor(t, "the report", func() bool {
		reads, err := ledger.ReadsOf(ctx, f.admin, f.move)
		require.NoError(t, err)
		for _, r := range reads {
			// One of three statements fails, where the target is read.
			return r.SourceStatements > 0 && r.TargetStatements > 0 && r.SourceStatements+r.TargetStatements == 48 &&
				r.SourceErrors == 0 && r.TargetErrors == r.TargetStatements/3 && r.TargetFailed > 0
		}
		return false
	})
}

// each calls do with n connections at once.
func (f *fixture) each(pool *pgxpool.Pool, n int, do func(*pgxpool.Conn)) {
	conns := make([]*pgxpool.Conn, n)
	for i := range conns {
		var err error
		conns[i], err = pool.Acquire(context.WithoutCancel(f.t.Context()))
		require.NoError(f.t, err)
	}
	for _, conn := range conns {
		do(conn)
		conn.Release()
	}
}
