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

// BenchmarkFlip moves a transition back and forth between dualwrite and shadow
// while connections that never rest, opened through the hooks of one or several
// instances, run point reads and writes of the column. One iteration is one flip.
// It reports the time from the move to the drop of the old token, how long
// statements took while flips were under way beside an equal time without flips,
// and the statements that failed.
func BenchmarkFlip(b *testing.B) {
	for _, shape := range []struct{ instances, connections int }{{1, 200}, {3, 50}} {
		b.Run(fmt.Sprintf("%dx%d", shape.instances, shape.connections), func(b *testing.B) {
			flips(b, shape.instances, shape.connections)
		})
	}
}

func flips(b *testing.B, instances, connections int) {
	server := pgtest.Server(b, map[string]string{"max_connections": fmt.Sprint(instances*connections + 50)})
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

	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	load := &load{}
	var pools []*pgxpool.Pool
	defer func() {
		cancel()
		all.Wait()
		for _, pool := range pools {
			pool.Close()
		}
	}()
	for range instances {
		hook, err := dualwrite.New(dualwrite.Config{})
		require.NoError(b, err)
		own := config.Copy()
		own.MaxConns = int32(connections)
		pool, err := hook.NewPool(ctx, own)
		require.NoError(b, err)
		pools = append(pools, pool)
		all.Go(func() { _ = hook.Run(ctx) })
		for range connections {
			w := load.worker(pool)
			all.Go(func() { w.run(ctx) })
		}
	}

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
	for name, figures := range map[string]figures{"flips": flipping, "calm": calm} {
		b.ReportMetric(figures.at(0.5), "ms-p50("+name+")")
		b.ReportMetric(figures.at(0.99), "ms-p99("+name+")")
		b.ReportMetric(figures.at(1), "ms-stall("+name+")")
		b.ReportMetric(float64(len(figures))/b.Elapsed().Seconds(), "stmts/s("+name+")")
	}
	b.ReportMetric(float64(load.failed.Load()), "failed")
	require.Zero(b, load.failed.Load(), "last error: %v", load.lastError.Load())
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
	workers   []*loadWorker
	failed    atomic.Int64
	lastError atomic.Value
}

// loadWorker keeps one connection busy, on a row of its own.
type loadWorker struct {
	*load
	pool *pgxpool.Pool
	id   int
	mu   sync.Mutex // guards took
	took figures
}

// figures are how long statements took.
type figures []time.Duration

// at is a quantile in milliseconds, of what is sorted.
func (f figures) at(q float64) float64 {
	if len(f) == 0 {
		return 0
	}
	return f[int(q*float64(len(f)-1))].Seconds() * 1e3
}

func (l *load) worker(pool *pgxpool.Pool) *loadWorker {
	w := &loadWorker{load: l, pool: pool, id: len(l.workers) + 1}
	l.workers = append(l.workers, w)
	return w
}

func (w *loadWorker) run(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		var err error
		if i%4 == 0 {
			_, err = w.pool.Exec(ctx, `update users set full_name = $1 where id = $2`, fmt.Sprintf("user %d", i), w.id)
		} else {
			var name string
			err = w.pool.QueryRow(ctx, `select full_name from users where id = $1`, w.id).Scan(&name)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.failed.Add(1)
			w.lastError.Store(err.Error())
		}
		w.mu.Lock()
		w.took = append(w.took, time.Since(began))
		w.mu.Unlock()
	}
}

// reset starts a new measurement and returns the one that ends, sorted.
func (l *load) reset() (all figures) {
	for _, w := range l.workers {
		w.mu.Lock()
		all, w.took = append(all, w.took...), nil
		w.mu.Unlock()
	}
	slices.Sort(all)
	return all
}
