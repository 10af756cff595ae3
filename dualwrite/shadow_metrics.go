package dualwrite

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

// shadowMetrics are those of reads: of comparing them, from the tallies, and the ramp.
type shadowMetrics struct {
	compared, mismatches, failed, skipped, dropped metric.Int64ObservableCounter
	ramp                                           metric.Int64ObservableGauge
}

func newShadowMetrics(maker *telemetry.Maker) shadowMetrics {
	return shadowMetrics{
		compared:   maker.ObservableCounter(telemetry.Compared),
		mismatches: maker.ObservableCounter(telemetry.ReadMismatches),
		failed:     maker.ObservableCounter(telemetry.ReadsFailed),
		skipped:    maker.ObservableCounter(telemetry.Skipped),
		dropped:    maker.ObservableCounter(telemetry.Dropped),
		ramp:       maker.ObservableGauge(telemetry.Ramp),
	}
}

func (m shadowMetrics) all() []metric.Observable {
	return []metric.Observable{m.compared, m.mismatches, m.failed, m.skipped, m.dropped, m.ramp}
}

// observe reports a server's transitions, each over all of its phases.
func (m shadowMetrics) observe(s *server, o metric.Observer, with func(...attribute.KeyValue) metric.ObserveOption) {
	byName := map[string]*ledger.Reads{}
	for _, t := range s.tallies.all() {
		if byName[t.Name] == nil {
			byName[t.Name] = &ledger.Reads{}
		}
		byName[t.Name].Add(t.snapshot())
	}
	for name, r := range byName {
		transition := telemetry.Transition.String(name)
		o.ObserveInt64(m.compared, r.Compared, with(transition))
		o.ObserveInt64(m.mismatches, r.Mismatched, with(transition))
		o.ObserveInt64(m.dropped, r.Dropped, with(transition))
		o.ObserveInt64(m.failed, r.SourceFailed, with(transition, telemetry.Side.String("source")))
		o.ObserveInt64(m.failed, r.TargetFailed, with(transition, telemetry.Side.String("target")))
		for reason, n := range r.Skipped {
			o.ObserveInt64(m.skipped, n, with(transition, telemetry.Reason.String(reason)))
		}
	}
}
