package migrator_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestPauseABackfill: another process pauses it, looks, makes it slower, and
// lets it go on.
func TestPauseABackfill(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	other := newMigrator(t, db, migrator.Config{Actor: "operator"})
	c, err := other.Pause(ctx, rename.Name)
	require.NoError(t, err)
	require.True(t, c.Paused)
	require.Equal(t, "operator", c.Actor)

	var waiting atomic.Bool
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if b, ok := e.(migrator.BatchEvent); ok && b.Progress.Waiting != "" {
			waiting.Store(true)
		}
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
		done <- err
	}()
	pgtest.WaitFor(t, "the backfill to wait", waiting.Load)
	status := func() migrator.Status {
		list, err := other.Status(ctx, migrator.StatusOptions{Name: rename.Name})
		require.NoError(t, err)
		return list[0]
	}
	s := status()
	require.True(t, s.Control.Paused)
	require.Equal(t, "backfill", s.Underway)
	require.Contains(t, s.Jobs[0].Waiting, "paused by operator since")
	require.Zero(t, s.Jobs[0].RowsScanned)

	require.EqualValues(t, 300, s.Jobs[0].Forecast.Rows)
	_, err = other.SetRate(ctx, rename.Name, 1000)
	require.NoError(t, err)
	_, err = other.Resume(ctx, rename.Name)
	require.NoError(t, err)
	require.NoError(t, <-done)
	s = status()
	require.Equal(t, 1000, s.Control.Rate)
	require.False(t, s.Control.Paused)
	conn := audit(t, db)
	evidence := scan[map[string]map[string]float64](t, conn, `select evidence from crossfade.history
		where event = 'done' and detail = 'backfill'`)["backfill"]
	require.EqualValues(t, 300, evidence["rows"])
	require.EqualValues(t, 300, evidence["rows_foreseen"])
	for _, cost := range []string{"seconds", "wal_bytes", "wal_bytes_foreseen", "growth_bytes", "growth_bytes_foreseen"} {
		require.Positive(t, evidence[cost], cost)
	}
	require.Equal(t, []string{"pause ", "rate 1000 rows per second", "resume "}, list[string](t, conn,
		`select event || ' ' || detail from crossfade.history where actor = 'operator' order by id`))
}

func TestControlOfNothing(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Pause(ctx, "nobody")
	require.ErrorIs(t, err, migrator.ErrNotFound)
	_, err = m.SetRate(ctx, rename.Name, -1)
	require.ErrorContains(t, err, "at least one row")
	_, err = migrator.New(db.Config(t), migrator.Config{Throttle: migrator.Throttle{BatchLatency: 0.5}})
	require.ErrorContains(t, err, "BatchLatency")
}

// TestThrottleHolds: a limit of the configuration holds the backfill, and the
// status of another process says which.
func TestThrottleHolds(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	off := migrator.ThrottleOff
	off.HorizonAge = 20
	holder := audit(t, db)
	tx, err := holder.Begin(ctx)
	require.NoError(t, err)
	_ = scan[string](t, holder, `select pg_current_xact_id()::text`)
	for range 30 {
		db.Exec(t, `select pg_current_xact_id()`)
	}
	var waiting atomic.Pointer[migrator.JobProgress]
	m := newMigrator(t, db, migrator.Config{Throttle: off, Observer: observer(func(e migrator.Event) {
		if b, ok := e.(migrator.BatchEvent); ok && b.Progress.Waiting != "" {
			waiting.Store(&b.Progress)
		}
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
		if err == nil {
			_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
		}
		done <- err
	}()
	pgtest.WaitFor(t, "the backfill to wait", func() bool { return waiting.Load() != nil })
	p := waiting.Load()
	require.Contains(t, p.Waiting, "keeps a snapshot")
	require.Len(t, p.Signals, 1)
	require.Equal(t, "horizon-age", p.Signals[0].Signal)
	require.True(t, p.Signals[0].Holds)
	list, err := newMigrator(t, db, migrator.Config{}).Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.Contains(t, list[0].Jobs[0].Waiting, "keeps a snapshot")
	require.Equal(t, p.Signals[0].Limit, list[0].Jobs[0].Signals[0].Limit)
	require.NoError(t, tx.Rollback(ctx))
	require.NoError(t, <-done)
}
