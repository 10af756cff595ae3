package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
)

// seen is what the run has shown.
type seen struct {
	spans   []trace.ReadOnlySpan
	metrics []*dto.MetricFamily
}

func look(p *providers) (*seen, error) {
	metrics, err := p.registry.Gather()
	return &seen{p.recorder.Ended(), metrics}, err
}

// of is the value of an attribute as text; empty when the span lacks it.
func of(s trace.ReadOnlySpan, key attribute.Key) string {
	for _, a := range s.Attributes() {
		if a.Key == key {
			return a.Value.Emit()
		}
	}
	return ""
}

// print tells how many spans there were of each sort, and the metrics' values.
func (s *seen) print(w io.Writer) {
	counts := map[string]int{}
	for _, span := range s.spans {
		name := fmt.Sprintf("%-62.60s", span.Name())
		for _, key := range []attribute.Key{"crossfade.phase", "crossfade.outcome"} {
			if value := of(span, key); value != "" {
				name += " " + value
			}
		}
		counts[name]++
	}
	fmt.Fprintln(w, "Spans:")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%6d  %s\n", counts[name], name)
	}
	fmt.Fprintln(w, "\nMetrics:")
	for _, family := range s.metrics {
		if !strings.HasPrefix(family.GetName(), "crossfade_") {
			continue
		}
		for _, m := range family.GetMetric() {
			fmt.Fprintf(w, "%s{%s} %s\n", family.GetName(), labels(m), value(m))
		}
	}
}

func labels(m *dto.Metric) string {
	var list []string
	for _, l := range m.GetLabel() {
		if !strings.HasPrefix(l.GetName(), "otel_scope") {
			list = append(list, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
	}
	return strings.Join(list, ",")
}

func value(m *dto.Metric) string {
	switch {
	case m.Histogram != nil:
		return fmt.Sprintf("count %d, sum %.6f", m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum())
	case m.Counter != nil:
		return fmt.Sprint(m.Counter.GetValue())
	}
	return fmt.Sprint(m.GetGauge().GetValue())
}
