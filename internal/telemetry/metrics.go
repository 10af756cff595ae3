package telemetry

import (
	"strings"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Metric is a metric that Crossfade reports.
type Metric struct {
	// Name and Unit are stable.
	Name, Unit string
	// Kind is how it is counted.
	Kind Kind
	// By are its attributes.
	By []string
	// Description is a sentence for the documentation.
	Description string
}

// Prometheus is its name as the OpenTelemetry exporter for Prometheus makes it.
func (m Metric) Prometheus() string {
	name := strings.ReplaceAll(m.Name, ".", "_")
	switch {
	case m.Unit == "s":
		name += "_seconds"
	case m.Unit == "By":
		name += "_bytes"
	case m.Unit == "%":
		name += "_percent"
	case m.Unit == "1" && m.Kind == Gauge:
		name += "_ratio"
	case strings.HasSuffix(m.Unit, "/s"):
		name += "_per_second"
	}
	if m.Kind == Counter {
		name += "_total"
	}
	return name
}

// Kind is the kind of an instrument.
type Kind string

// The kinds of instruments.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// of are the attributes of what the hook reports about a server.
func of(more ...string) []string {
	return append(more, "db.namespace", "server.address", "server.port")
}

// The metrics of the hook.
var (
	Statements = Metric{"crossfade.statements", "{statement}", Counter, of("crossfade.outcome"),
		"Executions of statements by what the hook did with them."}
	Stale = Metric{"crossfade.stale", "{statement}", Counter, of(),
		"Statements that failed because the phase of their connection had ended."}
	Recycled = Metric{"crossfade.recycled", "{connection}", Counter, of(),
		"Connections that were closed to make way for one of a newer epoch."}
	Connections = Metric{"crossfade.connections", "{connection}", Gauge, of("crossfade.epoch"),
		"Open connections by the epoch that they joined under."}
	Epoch = Metric{"crossfade.epoch", "{epoch}", Gauge, of(),
		"The epoch in force, as far as the instance knows."}
	CacheTexts = Metric{"crossfade.cache.entries", "{statement}", Gauge, of(),
		"Statements in the cache of the rewriter."}
	CacheSize = Metric{"crossfade.cache.size", "By", Gauge, of(),
		"Memory that the cache of the rewriter takes, about."}
	RewriteDuration = Metric{"crossfade.rewrite.duration", "s", Histogram, []string{"crossfade.outcome"},
		"Time to rewrite or refuse a text that was not in the cache."}
)

// The metrics of reads in the phases shadow and live.
var (
	Compared = Metric{"crossfade.shadow.compared", "{read}", Counter, of("crossfade.transition"),
		"Reads of the application that were run both ways."}
	ReadMismatches = Metric{"crossfade.shadow.mismatches", "{read}", Counter, of("crossfade.transition"),
		"Reads of which the two results differed, or of which only one side failed."}
	ReadsFailed = Metric{"crossfade.shadow.failed", "{read}", Counter, of("crossfade.transition", "crossfade.side"),
		"Comparisons in which only that side failed."}
	Skipped = Metric{"crossfade.shadow.skipped", "{read}", Counter, of("crossfade.transition", "crossfade.reason"),
		"Sampled reads that were not compared."}
	Dropped = Metric{"crossfade.shadow.dropped", "{read}", Counter, of("crossfade.transition"),
		"Sampled reads that were dropped because others were waiting already."}
	Ramp = Metric{"crossfade.ramp", "%", Gauge, of("crossfade.transition"),
		"How many of 100 connections read the target, of a transition in phase live."}
	ReadDuration = Metric{"crossfade.shadow.duration", "s", Histogram, of("crossfade.transition", "crossfade.side"),
		"Time that one side of a comparison took."}
)

// Phase is reported by the hook and by the migrator.
var Phase = Metric{"crossfade.phase", "{phase}", Gauge, of("crossfade.transition", "crossfade.phase"),
	"1 for the phase that the transition is in, as far as the instance knows, 0 for each other one."}

// EachPhase calls observe with 1 for the phase that is in force and 0 for each
// other one.
func EachPhase(now phase.Phase, observe func(p string, in int64)) {
	for _, p := range append(phase.All(), phase.Named) {
		in := int64(0)
		if p == now {
			in = 1
		}
		observe(string(p), in)
	}
}
