package sweep_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// control changes the control from another connection.
func (f *fixture) control(event string, change func(*ledger.Control)) ledger.Control {
	f.Helper()
	c, err := ledger.ChangeControl(ctx, f.db.Conn(f.TB), f.transition, ledger.Event{Actor: "op", Event: event}, change)
	require.NoError(f, err)
	return c
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	paused := make(chan sweep.Report, 1)
	o := f.options(ledger.Backfill)
	o.SignalInterval = time.Millisecond
	batches := 0
	o.OnProgress = func(r sweep.Report) {
		switch {
		case r.Waiting != "":
			select {
			case paused <- r:
			default:
			}
			return
		case batches == 4:
			f.control("pause", func(c *ledger.Control) { c.Paused = true })
		}
		batches++
	}
	pid, done := copyInBackground(ctx, f, o)
	report := <-paused
	require.Contains(t, report.Waiting, "paused by op since ")
	require.True(t, report.Control.Paused)
	require.EqualValues(t, 100, report.RowsScanned)
	require.Zero(t, query[int](f, `select count(*) from pg_locks where pid = $1 and relation = 'item'::regclass`, pid))
	pgtest.WaitFor(t, "a moment at which it does not look at the ledger", func() bool {
		return query[bool](f, `select state = 'idle' and xact_start is null and not exists (
			select from pg_locks l where l.pid = a.pid) from pg_stat_activity a where pid = $1`, pid)
	})
	require.EqualValues(t, 100, f.different())
	note, _, err := ledger.GetNote(ctx, f.conn, f.transition.ID, ledger.Backfill)
	require.NoError(t, err)
	require.Contains(t, note.Waiting, "paused by op")

	f.control("resume", func(c *ledger.Control) { c.Paused = false })
	require.NoError(t, (<-done).err)
	f.checkCopied()
	history, err := ledger.History(ctx, f.conn, f.transition.ID)
	require.NoError(t, err)
	last := history[len(history)-2:]
	require.Equal(t, []string{"pause", "resume"}, []string{last[0].Event, last[1].Event})
	require.Equal(t, "op", last[0].Actor)
	f.control("resume", func(c *ledger.Control) { c.Paused = false })
	again, err := ledger.History(ctx, f.conn, f.transition.ID)
	require.NoError(t, err)
	require.Len(t, again, len(history), "what changes nothing is no event")
}

func TestRateChangesWhileItRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	f.control("rate", func(c *ledger.Control) { c.Rate = 40 })
	o := f.options(ledger.Backfill)
	o.SignalInterval = time.Millisecond
	var scanned atomic.Int64
	var limited atomic.Bool
	var freed atomic.Int64 // batches after the limit was ended
	o.OnProgress = func(r sweep.Report) {
		scanned.Store(r.RowsScanned)
		if r.Control.Rate == 0 {
			freed.Add(1)
			require.Empty(t, r.Waiting)
			require.Equal(t, 20, r.Batch)
		} else if r.Waiting != "" {
			limited.Store(true)
			require.Contains(t, r.Waiting, "limited to 40 rows per second by op")
			require.Equal(t, 10, r.Batch)
		}
	}
	began := time.Now()
	_, done := copyInBackground(ctx, f, o)
	pgtest.WaitFor(t, "some batches", func() bool { return scanned.Load() >= 40 })
	// The rows of a batch are paid for after it.
	require.Greater(t, time.Since(began), 700*time.Millisecond)
	require.True(t, limited.Load())
	require.Less(t, scanned.Load(), int64(200))

	f.control("rate", func(c *ledger.Control) { c.Rate = 0 })
	require.NoError(t, (<-done).err)
	require.Positive(t, freed.Load())
	f.checkCopied()
}

// At one row per second a change is still seen at once.
func TestPauseWhileLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	f.control("rate", func(c *ledger.Control) { c.Rate = 1 })
	o := f.options(ledger.Verify)
	o.SignalInterval = time.Millisecond
	reports := make(chan sweep.Report, 1000)
	o.OnProgress = func(r sweep.Report) { reports <- r }
	ended := make(chan error, 1)
	conn := f.db.Conn(t)
	go func() {
		_, err := sweep.Compare(ctx, conn, o)
		ended <- err
	}()
	<-reports
	f.control("pause", func(c *ledger.Control) { c.Paused = true })
	for r := range reports {
		if r.Control.Paused {
			require.LessOrEqual(t, r.RowsScanned, int64(3))
			break
		}
	}
	f.control("resume", func(c *ledger.Control) { *c = ledger.Control{} })
	require.NoError(t, <-ended)
}
