package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

func TestCompareFindsEveryMismatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (a int, b text, src text, dst text, primary key (a, b));
		insert into item select i / 10, 'k' || i % 10, 'v' || i, 'v' || i from generate_series(0, 199) i;
		update item set dst = dst || ' ' where b = 'k3';
		update item set dst = null where b = 'k7' and a < 10`, "a", "b")
	p, err := sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
	require.NoError(t, err)
	require.True(t, p.Finished())
	require.EqualValues(t, 200, p.RowsScanned)
	require.EqualValues(t, 30, p.Mismatches)
	require.Len(t, p.Samples, 20)
	for i, key := range p.Samples {
		require.Equal(t, []string{fmt.Sprint(i / 2), []string{"k3", "k7"}[i%2]}, key)
	}
	require.EqualValues(t, 30, f.different(), "nothing is repaired")
}

func TestCompareResumesAtEachBatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable+`; update item set dst = src where id % 8 <> 0`)
	for k := 1; k <= 9; k++ {
		cancelled, cancel := context.WithCancel(ctx)
		batches := 0
		o := f.options(ledger.Verify)
		o.OnProgress = func(sweep.Report) {
			if batches++; batches == k {
				cancel()
			}
		}
		_, err := sweep.Compare(cancelled, f.conn, o)
		require.ErrorIs(t, err, context.Canceled)
		p, err := sweep.Compare(ctx, f.db.Conn(t), o)
		require.NoError(t, err)
		require.EqualValues(t, 200, p.RowsScanned)
		require.EqualValues(t, 25, p.Mismatches)
		require.Len(t, p.Samples, 20)
		require.Equal(t, []string{"160"}, p.Samples[19])
		require.Equal(t, 10, batches)
		require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Verify))
	}
}

// reluctant holds back three times, then fails or not.
type reluctant struct {
	asked int
	err   error
}

func (r *reluctant) Read(context.Context, sweep.View) (sweep.Reading, error) {
	reading := sweep.Reading{Signal: "mood", Value: 2, Limit: 1}
	if r.asked++; r.asked > 3 {
		return reading, r.err
	}
	reading.Holds, reading.Reason = true, "the server is busy"
	return reading, nil
}

func TestSignalHoldsBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	var waits, batches int
	o := f.options(ledger.Verify)
	signal := &reluctant{}
	o.Signals, o.SignalInterval = []sweep.Signal{signal}, time.Nanosecond
	o.OnProgress = func(r sweep.Report) {
		require.Len(t, r.Signals, 1)
		if r.Waiting == "the server is busy" {
			waits++
			require.Zero(t, batches)
			require.True(t, r.Signals[0].Holds)
			return
		}
		batches++
		require.GreaterOrEqual(t, r.Left, 0*r.Left)
		require.Positive(t, r.Rate)
	}
	_, err := sweep.Compare(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, 3, waits)
	require.Equal(t, 10, batches)
	require.Equal(t, 3+10, signal.asked)
	note, found, err := ledger.GetNote(ctx, f.conn, f.transition.ID, ledger.Verify)
	require.NoError(t, err)
	require.True(t, found)
	require.Empty(t, note.Waiting)
	require.Contains(t, string(note.Signals), `"mood"`)

	seldom := &reluctant{asked: 3}
	o = f.options(ledger.Refill)
	o.Signals, o.SignalInterval = []sweep.Signal{seldom}, time.Hour
	_, err = sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, 4, seldom.asked, "once for all batches")

	broken := errors.New("broken")
	o = f.options(ledger.Backfill)
	o.Signals = []sweep.Signal{&reluctant{asked: 3, err: broken}}
	_, err = sweep.Copy(ctx, f.conn, o)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "throttle by mood")
}
