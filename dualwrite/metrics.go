package dualwrite

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"time"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

// scope is the name of the hook's meter.
const scope = "github.com/pgcrossfade/crossfade/dualwrite"

// metrics are the hook's instruments. All but one are read from counters that
// are there anyway, when somebody collects: statements pay nothing for them.
type metrics struct {
	statements, stale, recycled            metric.Int64ObservableCounter
	shadow                                 shadowMetrics
	connections, epoch, phase, texts, size metric.Int64ObservableGauge
	// rewrite is for texts that were rewritten or refused, when they were first met.
	rewrite metric.Float64Histogram
}

// measure makes the instruments. They keep no hook alive.
func (h *Hook) measure(p metric.MeterProvider) error {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	maker := telemetry.NewMaker(p.Meter(scope))
	m := &metrics{
		statements:  maker.ObservableCounter(telemetry.Statements),
		stale:       maker.ObservableCounter(telemetry.Stale),
		recycled:    maker.ObservableCounter(telemetry.Recycled),
		connections: maker.ObservableGauge(telemetry.Connections),
		epoch:       maker.ObservableGauge(telemetry.Epoch),
		phase:       maker.ObservableGauge(telemetry.Phase),
		texts:       maker.ObservableGauge(telemetry.CacheTexts),
		size:        maker.ObservableGauge(telemetry.CacheSize),
		rewrite:     maker.Histogram(telemetry.RewriteDuration),
		shadow:      newShadowMetrics(maker),
	}
	if durations := maker.Histogram(telemetry.ReadDuration); h.shadow != nil {
		h.shadow.durations = durations
	}
	h.rewrites = m.rewrite
	hook := weak.Make(h)
	registration, err := maker.Register(func(_ context.Context, o metric.Observer) error {
		if h := hook.Value(); h != nil {
			m.observe(h, o)
		}
		return nil
	}, append(m.shadow.all(), m.statements, m.stale, m.recycled, m.connections, m.epoch, m.phase, m.texts, m.size)...)
	if err != nil {
		return err
	}
	runtime.AddCleanup(h, func(r metric.Registration) { _ = r.Unregister() }, registration)
	return nil
}

// observe reports each server that has been connected to.
func (m *metrics) observe(h *Hook, o metric.Observer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	type open struct {
		Stats
		epochs map[int]int64
	}
	servers := make(map[*server]*open, len(h.servers))
	for _, s := range h.servers {
		servers[s] = &open{Stats: s.retired, epochs: map[int]int64{}}
	}
	for c := range h.conns {
		servers[c.server].add(&c.counts)
		servers[c.server].epochs[c.epoch]++
	}
	for s, now := range servers {
		where := s.attributes()
		with := func(more ...attribute.KeyValue) metric.ObserveOption {
			return metric.WithAttributeSet(attribute.NewSet(append(more, where...)...))
		}
		for outcome, n := range map[rewrite.Outcome]uint64{
			rewrite.Passed: now.Passed, rewrite.Rewritten: now.Rewritten, rewrite.Refused: now.Refused,
		} {
			o.ObserveInt64(m.statements, int64(n), with(telemetry.Outcome.String(string(outcome))))
		}
		o.ObserveInt64(m.stale, int64(now.Stale), with())
		o.ObserveInt64(m.recycled, int64(s.recycled), with())
		o.ObserveInt64(m.epoch, int64(s.known()), with())
		m.shadow.observe(s, o, with)
		for epoch, n := range now.epochs {
			o.ObserveInt64(m.connections, n, with(telemetry.EpochKey.Int(epoch)))
		}
		w := s.current.Load()
		if w == nil {
			continue
		}
		texts, size := w.adrift.cache.filled()
		o.ObserveInt64(m.texts, int64(texts), with())
		o.ObserveInt64(m.size, int64(size), with())
		for _, t := range w.view.Transitions {
			if t.Phase == phase.Live {
				percent, ramped := s.ramps.Load().of(t.ID)
				if !ramped {
					percent = ledger.FullRamp
				}
				o.ObserveInt64(m.shadow.ramp, int64(percent), with(telemetry.Transition.String(t.Name)))
			}
			telemetry.EachPhase(t.Phase, func(p string, in int64) {
				o.ObserveInt64(m.phase, in, with(telemetry.Transition.String(t.Name), telemetry.PhaseKey.String(p)))
			})
		}
	}
}

// attributes say which server it is, by the semantic conventions.
func (s *server) attributes() []attribute.KeyValue {
	list := []attribute.KeyValue{attribute.String("db.namespace", s.database)}
	host, port, err := net.SplitHostPort(s.address)
	if n, portErr := strconv.Atoi(port); err == nil && portErr == nil {
		return append(list, attribute.String("server.address", host), attribute.Int("server.port", n))
	}
	return append(list, attribute.String("server.address", s.address))
}

// measureRewrite takes note of how long it took to rewrite a text.
func (t *translator) measureRewrite(s *statement, began time.Time) {
	if t.rewrites != nil && s.changed() {
		t.rewrites.Record(context.Background(), time.Since(began).Seconds(),
			metric.WithAttributes(telemetry.Outcome.String(string(s.result.Outcome))))
	}
}
