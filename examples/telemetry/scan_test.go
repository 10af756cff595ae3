package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
	"github.com/pgcrossfade/crossfade/migrator"
)

// interrupter reads the rate of a scan that is under way, and interrupts it.
type interrupter struct {
	t         *testing.T
	reader    sdk.Reader
	interrupt func()
	seen      float64
}

func (i *interrupter) Observe(e migrator.Event) {
	if b, ok := e.(migrator.BatchEvent); ok && !b.Progress.Finished && b.Progress.Rate > 0 {
		i.seen = i.rate()
		i.interrupt()
	}
}

func (i *interrupter) rate() float64 {
	var all metricdata.ResourceMetrics
	require.NoError(i.t, i.reader.Collect(context.Background(), &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == telemetry.Rate.Name {
				return m.Data.(metricdata.Gauge[float64]).DataPoints[0].Value
			}
		}
	}
	i.t.Error(telemetry.Rate.Name + " is not reported")
	return -1
}

// TestScanThatIsInterrupted: a scan that has ended, in whatever way, has no rate.
func TestScanThatIsInterrupted(t *testing.T) {
	db := pgtest.NewFrom(t, schema+`; insert into users select i, i from generate_series(1, 1000) i`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	i := &interrupter{t: t, reader: sdk.NewManualReader(), interrupt: cancel}
	m, err := migrator.New(db.Config(t), migrator.Config{
		Logger: slog.New(slog.DiscardHandler), Observer: i,
		MeterProvider: sdk.NewMeterProvider(sdk.WithReader(i.reader)),
	})
	require.NoError(t, err)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err = m.Start(ctx, rename)
	require.NoError(t, err)
	_, err = m.SetRate(ctx, rename.Name, 10)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, i.seen)
	require.Zero(t, i.rate())
}
