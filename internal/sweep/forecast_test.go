package sweep_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// What a copy has cost stands beside what was foreseen, also when another run
// has finished it.
func TestForecastIsComparedWithReality(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text) with (autovacuum_enabled = off);
		create index on item (src);
		insert into item select i, md5(i::text) from generate_series(1, 20000) i; analyze item`)
	o := f.options(ledger.Backfill)
	o.MaxBatch = 1000
	stop := o
	stop.Token = "none"
	_, err := sweep.Copy(ctx, f.db.Conn(t), stop)
	require.ErrorIs(t, err, sweep.ErrForbidden)
	begun, _, err := ledger.GetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill)
	require.NoError(t, err)
	require.Zero(t, begun.Forecast.Seconds)
	require.Positive(t, begun.Forecast.WALBytes)
	require.Zero(t, begun.WALBytes)

	var foreseen float64
	o.OnProgress = func(r sweep.Report) {
		if foreseen == 0 {
			foreseen = r.Forecast.Seconds
		}
	}
	p, err := sweep.Copy(ctx, f.db.Conn(t), o)
	require.NoError(t, err)
	require.Positive(t, foreseen)
	require.InDelta(t, foreseen, p.Forecast.Seconds, 1e-9)
	require.Equal(t, begun.Forecast.WALBytes, p.Forecast.WALBytes)
	require.Positive(t, p.WALBytes)
	require.Positive(t, p.GrowthBytes)
	size := query[int64](f, `select pg_total_relation_size('item')`)
	require.Less(t, p.GrowthBytes, size)
	require.InDelta(t, float64(p.Forecast.GrowthBytes), float64(p.GrowthBytes), 0.5*float64(p.GrowthBytes))
	t.Logf("foreseen %+v, was %d bytes of WAL, %d more on disk", p.Forecast, p.WALBytes, p.GrowthBytes)

	again, err := sweep.Copy(ctx, f.db.Conn(t), o)
	require.NoError(t, err)
	require.Equal(t, p, again)
}

func TestForecastOfPartitionedTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text) partition by hash (id);
		create table p0 partition of item for values with (modulus 2, remainder 0);
		create table p1 partition of item for values with (modulus 2, remainder 1);
		insert into item select i, md5(i::text) from generate_series(1, 2000) i`)
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
	require.NoError(t, err)
	require.Greater(t, p.Forecast.GrowthBytes, int64(200_000))
	require.Positive(t, p.GrowthBytes)
}
