package migrator_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// busy is the number of connections that never rest during BenchmarkFlip.
const busy = 200

// BenchmarkFlip moves a transition back and forth between dualwrite and shadow
// while 200 connections, opened through the hook, run point reads and writes
// of the column without a pause. One iteration is one flip. It reports the
// time from the move to the drop of the old token, the longest statement while
// flips were under way beside the longest one in an equal time without flips,
// and the statements that failed.
func BenchmarkFlip(b *testing.B) {
	server := pgtest.Server(b, map[string]string{"max_connections": fmt.Sprint(busy + 50)})
	config, err := pgxpool.ParseConfig(server.URL(""))
	require.NoError(b, err)
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	require.NoError(b, err)
	_, err = conn.Exec(ctx, users)
	require.NoError(b, err)
	require.NoError(b, conn.Close(ctx))

	drains := &drainTimes{}
	m, err := migrator.New(config.ConnConfig, migrator.Config{
		Observer: drains, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(b, err)
	require.NoError(b, m.Init(ctx, migrator.InitOptions{}))

	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(b, err)
	config.MaxConns = busy
	pool, err := hook.NewPool(ctx, config)
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = hook.Run(ctx) })
	load := newLoad(pool)
	for i := range busy {
		all.Go(func() { load.run(ctx, i) })
	}
	defer func() { cancel(); all.Wait(); pool.Close() }()

	_, err = m.Start(ctx, rename)
	require.NoError(b, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: "dualwrite"})
	require.NoError(b, err)
	_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: "shadow"}) // backfill, indexes, verification
	require.NoError(b, err)

	drains.reset()
	load.reset()
	b.ResetTimer()
	for i := range b.N {
		if i%2 == 0 {
			_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: "dualwrite"})
		} else {
			_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: "shadow"})
		}
		require.NoError(b, err)
	}
	b.StopTimer()
	flipping := load.reset()
	control, stop := context.WithTimeout(ctx, b.Elapsed())
	<-control.Done() // the same load, as long, without flips
	stop()
	calm := load.reset()

	b.ReportMetric(drains.median().Seconds()*1e3, "ms-drain(median)")
	b.ReportMetric(drains.max().Seconds()*1e3, "ms-drain(max)")
	b.ReportMetric(flipping.longest.Seconds()*1e3, "ms-stall(flips)")
	b.ReportMetric(calm.longest.Seconds()*1e3, "ms-stall(calm)")
	b.ReportMetric(float64(flipping.statements)/b.Elapsed().Seconds(), "stmts/s(flips)")
	b.ReportMetric(float64(calm.statements)/b.Elapsed().Seconds(), "stmts/s(calm)")
	b.ReportMetric(float64(flipping.failed), "failed")
	require.Zero(b, flipping.failed, "last error: %v", load.lastError.Load())
}

// drainTimes keeps how long each drain took.
type drainTimes struct {
	mu    sync.Mutex // guards times
	times []time.Duration
}

func (d *drainTimes) Observe(e migrator.Event) {
	if drain, ok := e.(migrator.DrainEvent); ok && drain.Done {
		d.mu.Lock()
		d.times = append(d.times, drain.Elapsed)
		d.mu.Unlock()
	}
}

func (d *drainTimes) reset() { d.mu.Lock(); d.times = nil; d.mu.Unlock() }

func (d *drainTimes) median() time.Duration {
	slices.Sort(d.times)
	return d.times[len(d.times)/2]
}

func (d *drainTimes) max() time.Duration { return slices.Max(d.times) }

// load is what the busy connections do.
type load struct {
	pool                        *pgxpool.Pool
	statements, failed, longest atomic.Int64
	lastError                   atomic.Value
}

type loadFigures struct {
	statements, failed int64
	longest            time.Duration
}

func newLoad(pool *pgxpool.Pool) *load { return &load{pool: pool} }

func (l *load) run(ctx context.Context, worker int) {
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		var err error
		id := worker + 1
		if i%4 == 0 {
			_, err = l.pool.Exec(ctx, `update users set full_name = $1 where id = $2`, fmt.Sprintf("user %d", i), id)
		} else {
			var name string
			err = l.pool.QueryRow(ctx, `select full_name from users where id = $1`, id).Scan(&name)
		}
		if ctx.Err() != nil {
			return
		}
		l.statements.Add(1)
		if err != nil {
			l.failed.Add(1)
			l.lastError.Store(err.Error())
		}
		for took, seen := int64(time.Since(began)), l.longest.Load(); took > seen; seen = l.longest.Load() {
			if l.longest.CompareAndSwap(seen, took) {
				break
			}
		}
	}
}

// reset starts a new measurement and returns the one that ends.
func (l *load) reset() loadFigures {
	return loadFigures{l.statements.Swap(0), l.failed.Swap(0), time.Duration(l.longest.Swap(0))}
}
