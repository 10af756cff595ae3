package dualwrite_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// While a connection is kept that outlives its epoch, the pool goes on closing what
// has been idle for long; and the one that was kept is closed when it comes back.
func TestRecyclingLeavesIdleConnectionsIdle(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook(func(c *dualwrite.Config) { c.PollInterval = 10 * time.Millisecond })
	pool := f.pool(hook, func(c *pgxpool.Config) {
		c.MaxConnIdleTime, c.HealthCheckPeriod = 150*time.Millisecond, 20*time.Millisecond
	})
	kept, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	f.run(hook)
	f.step(phase.DualWrite)
	require.NoError(t, pool.Ping(t.Context()))
	pgtest.WaitFor(t, "the idle connection to be closed", func() bool { return pool.Stat().MaxIdleDestroyCount() > 0 })

	kept.Release()
	pgtest.WaitFor(t, "the old connection to be closed", func() bool { return pool.Stat().TotalConns() == 0 })
	f.drained()
}
