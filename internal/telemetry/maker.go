package telemetry

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// Maker makes instruments, and keeps the errors until all are made.
type Maker struct {
	meter metric.Meter
	errs  []error
}

// NewMaker makes instruments of one meter.
func NewMaker(meter metric.Meter) *Maker { return &Maker{meter: meter} }

// Err tells what could not be made.
func (m *Maker) Err() error {
	if err := errors.Join(m.errs...); err != nil {
		return fmt.Errorf("make metrics: %w", err)
	}
	return nil
}

func made[T any](m *Maker, instrument T, err error) T {
	if err != nil {
		m.errs = append(m.errs, err)
	}
	return instrument
}

// ObservableCounter is read by a callback.
func (m *Maker) ObservableCounter(d Metric) metric.Int64ObservableCounter {
	i, err := m.meter.Int64ObservableCounter(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return made(m, i, err)
}

// ObservableGauge is read by a callback.
func (m *Maker) ObservableGauge(d Metric) metric.Int64ObservableGauge {
	i, err := m.meter.Int64ObservableGauge(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return made(m, i, err)
}

// Register lets a callback read instruments. It returns also what went wrong
// before.
func (m *Maker) Register(callback metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	r, err := m.meter.RegisterCallback(callback, instruments...)
	m.errs = append(m.errs, err)
	return r, m.Err()
}

// Counter is added to.
func (m *Maker) Counter(d Metric) metric.Int64Counter {
	i, err := m.meter.Int64Counter(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return made(m, i, err)
}

// Gauge is set.
func (m *Maker) Gauge(d Metric) metric.Int64Gauge {
	i, err := m.meter.Int64Gauge(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return made(m, i, err)
}

// FloatGauge is set.
func (m *Maker) FloatGauge(d Metric) metric.Float64Gauge {
	i, err := m.meter.Float64Gauge(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description))
	return made(m, i, err)
}

// Histogram of durations: from a microsecond to an hour.
func (m *Maker) Histogram(d Metric) metric.Float64Histogram {
	i, err := m.meter.Float64Histogram(d.Name, metric.WithUnit(d.Unit), metric.WithDescription(d.Description),
		metric.WithExplicitBucketBoundaries(d.bounds()...))
	return made(m, i, err)
}

func (d Metric) bounds() []float64 {
	switch d.Name {
	case ReadDuration.Name:
		return []float64{250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5}
	case RewriteDuration.Name:
		return []float64{10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3}
	}
	return []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600}
}
