package migrator

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
	"github.com/pgcrossfade/crossfade/logical"
)

// scope is the name of the migrator's tracer and meter.
const scope = "github.com/pgcrossfade/crossfade/migrator"

// instruments are the migrator's metrics. They say what this process has seen:
// where several work on a transition, each reports its own.
type instruments struct {
	phase, rows, remaining, mismatches, waiting metric.Int64Gauge
	rate, throttle, lag                         metric.Float64Gauge
	backlog                                     metric.Int64Gauge
	drain                                       metric.Float64Histogram
	retries                                     metric.Int64Counter
}

func newInstruments(p metric.MeterProvider) (*instruments, error) {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	maker := telemetry.NewMaker(p.Meter(scope))
	return &instruments{
		phase:      maker.Gauge(telemetry.Phase),
		rows:       maker.Gauge(telemetry.Rows),
		rate:       maker.FloatGauge(telemetry.Rate),
		remaining:  maker.Gauge(telemetry.Remaining),
		mismatches: maker.Gauge(telemetry.Mismatches),
		throttle:   maker.FloatGauge(telemetry.Throttle),
		drain:      maker.Histogram(telemetry.DrainDuration),
		waiting:    maker.Gauge(telemetry.DrainWaiting),
		lag:        maker.FloatGauge(telemetry.SyncLag),
		backlog:    maker.Gauge(telemetry.SyncBacklog),
		retries:    maker.Counter(telemetry.Retries),
	}, maker.Err()
}

// observe takes the figures of an event.
func (i *instruments) observe(t *ledger.Transition, e Event) {
	ctx := context.Background()
	name := telemetry.Transition.String(t.Name)
	switch e := e.(type) {
	case StepEvent:
		if t.Definition.Moves() {
			telemetry.EachPhase(t.Phase, func(p string, in int64) {
				i.phase.Record(ctx, in, metric.WithAttributes(name, telemetry.PhaseKey.String(p)))
			})
		}
	case StatementEvent:
		if !e.Done && e.Retry > 0 {
			i.retries.Add(ctx, 1, metric.WithAttributes(name))
		}
	case DrainEvent:
		i.waiting.Record(ctx, int64(len(e.Waiting)), metric.WithAttributes(name))
		if e.Done {
			i.drain.Record(ctx, e.Elapsed.Seconds(), metric.WithAttributes(name, fromTo(e.From, telemetry.From), fromTo(e.To, telemetry.To)))
		}
	case BatchEvent:
		i.scan(ctx, name, e.Progress)
	}
}

// gaveUp: a drain has ended without success. Nobody waits any more, and nobody
// looks who is left.
func (i *instruments) gaveUp(t *ledger.Transition) {
	i.waiting.Record(context.Background(), 0, metric.WithAttributes(telemetry.Transition.String(t.Name)))
}

// stopped: a scan has ended without success. What it has done stays done.
func (i *instruments) stopped(t *ledger.Transition, job ledger.Job) {
	i.rate.Record(context.Background(), 0, metric.WithAttributes(telemetry.Transition.String(t.Name), telemetry.Job.String(string(job))))
}

func fromTo(p phase.Phase, key attribute.Key) attribute.KeyValue { return key.String(string(p)) }

func (i *instruments) scan(ctx context.Context, name attribute.KeyValue, p JobProgress) {
	job := telemetry.Job.String(p.Job)
	by := metric.WithAttributes(name, job)
	i.rows.Record(ctx, p.RowsScanned, by)
	rate, left := p.Rate, max(p.Estimate-p.RowsScanned, 0)
	if p.Finished {
		rate, left = 0, 0
	}
	i.rate.Record(ctx, rate, by)
	i.remaining.Record(ctx, left, by)
	if p.Compares() {
		i.mismatches.Record(ctx, p.Mismatches, by)
	}
	for _, s := range p.Signals {
		if s.Limit > 0 {
			i.throttle.Record(ctx, s.Value/s.Limit, metric.WithAttributes(name, job, telemetry.Signal.String(s.Signal)))
		}
	}
}

// tail takes how far the tailer is behind, of the process in which it is active.
func (i *instruments) tail(ctx context.Context, t ledger.Transition, s logical.Status) {
	name := metric.WithAttributes(telemetry.Transition.String(t.Name))
	i.lag.Record(ctx, s.Lag.Seconds(), name)
	i.backlog.Record(ctx, s.LagBytes, name)
}
