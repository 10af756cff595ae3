package sweep

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPaceFindsTheTarget(t *testing.T) {
	o, err := Options{}.withDefaults(true)
	require.Error(t, err)
	p := newPace(o)
	require.Equal(t, firstBatch, p.rows)
	const perRow = 10 * time.Microsecond // 100 ms are 10,000 rows
	for range 10 {
		p.done(int64(p.rows), time.Duration(p.rows)*perRow)
	}
	require.InDelta(t, 10_000, p.rows, 10)

	// Rows that cost ten times as much: one batch is too long, not two.
	p.done(int64(p.rows), time.Duration(p.rows)*10*perRow)
	p.done(int64(p.rows), time.Duration(p.rows)*10*perRow)
	require.LessOrEqual(t, p.rows, 2500)

	// Rows that cost nothing: it grows step by step, up to the limit.
	before := p.rows
	p.done(int64(p.rows), time.Microsecond)
	require.LessOrEqual(t, p.rows, 2*before)
	for range 50 {
		p.done(int64(p.rows), time.Microsecond)
	}
	require.Equal(t, o.MaxBatch, p.rows)
	p.done(0, time.Second) // all rows of the range were deleted
	require.Positive(t, p.rows)
}

func TestPaceOfFailures(t *testing.T) {
	o, _ := Options{}.withDefaults(true)
	p := newPace(o)
	for p.rows > 1 {
		before := p.rows
		require.Less(t, p.failed(), 100*time.Millisecond)
		require.Equal(t, before/2, p.rows)
		lock, statement := p.limits()
		require.Equal(t, o.LockTimeout, lock)
		require.Equal(t, batchLimit, statement)
	}
	var pause, lock, statement time.Duration
	for range 100 {
		pause = p.failed()
		require.LessOrEqual(t, pause, longestPause)
		lock, statement = p.limits()
		require.Equal(t, 1, p.rows)
	}
	require.Greater(t, pause, time.Second)
	require.Equal(t, 10*o.LockTimeout, lock)
	require.Equal(t, longestLimit, statement)
	p.done(1, time.Millisecond)
	require.Equal(t, 2, p.rows)
	lock, _ = p.limits()
	require.Equal(t, o.LockTimeout, lock)
}

func TestForecast(t *testing.T) {
	var r Report
	r.Estimate, r.RowsScanned = 1000, 400
	r.forecast(0, time.Second)
	require.Negative(t, r.Left)
	r.forecast(200, time.Second)
	require.InDelta(t, 200, r.Rate, 0.1)
	require.Equal(t, 3*time.Second, r.Left)
	r.RowsScanned = 1200 // more than anybody thought
	r.forecast(200, time.Second)
	require.Zero(t, r.Left)
}
