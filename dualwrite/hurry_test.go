package dualwrite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// While a flip is held connections make way at once: the time in which they are
// spread otherwise would be spent waiting by those who open.
func TestHeldFlipIsNotSpread(t *testing.T) {
	f := moving(t)
	f.to(phase.Complete)
	hook := f.hook(func(c *dualwrite.Config) { c.RecycleWithin = time.Hour })
	pool := f.pool(hook)
	f.run(hook)
	ctx := t.Context()
	_, err := pool.Exec(ctx, `update users set name = 'before' where id = 1`)
	require.NoError(t, err)

	require.NoError(t, fence.BeginHold(ctx, f.admin))
	require.NoError(t, ledger.Hold(ctx, f.admin, &f.move, time.Minute, ledger.Event{Event: "hold"}))
	pgtest.WaitFor(t, "the pool's connections to go", func() bool { return pool.Stat().TotalConns() == 0 })
	require.NoError(t, ledger.Release(ctx, f.admin, f.move, ledger.Event{Event: "release"}))
	require.NoError(t, fence.EndHold(ctx, f.admin))

	_, err = pool.Exec(ctx, `update users set full_name = 'after' where id = 1`)
	require.NoError(t, err)
	require.Zero(t, hook.Stats().Stale)
	require.Equal(t, map[int]int{f.move.Epoch: 1}, hook.Stats().Connections)
}
