package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
	"github.com/pgcrossfade/crossfade/migrator"
)

// watcher reads a gauge when a drain has looked around.
type watcher struct {
	t       *testing.T
	reader  sdk.Reader
	waiting []int64
}

func (w *watcher) Observe(e migrator.Event) {
	if _, ok := e.(migrator.DrainEvent); ok {
		w.waiting = append(w.waiting, w.read())
	}
}

func (w *watcher) read() int64 {
	var all metricdata.ResourceMetrics
	require.NoError(w.t, w.reader.Collect(context.Background(), &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == telemetry.DrainWaiting.Name {
				return m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
			}
		}
	}
	w.t.Error(telemetry.DrainWaiting.Name + " is not reported")
	return -1
}

// TestDrainThatGivesUp: a drain that has ended, in whatever way, waits for nobody.
func TestDrainThatGivesUp(t *testing.T) {
	db := pgtest.NewFrom(t, schema)
	_ = db.Conn(t) // without the hook
	w := &watcher{t: t, reader: sdk.NewManualReader()}
	m, err := migrator.New(db.Config(t), migrator.Config{
		Logger: slog.New(slog.DiscardHandler), Observer: w, DrainTimeout: 50 * time.Millisecond,
		MeterProvider: sdk.NewMeterProvider(sdk.WithReader(w.reader)),
	})
	require.NoError(t, err)
	require.NoError(t, m.Init(t.Context(), migrator.InitOptions{}))
	_, err = m.Start(t.Context(), rename)
	var drain *migrator.DrainError
	require.ErrorAs(t, err, &drain)
	require.Contains(t, w.waiting, int64(1))
	require.Zero(t, w.read())
}
