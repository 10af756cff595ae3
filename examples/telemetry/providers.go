package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// providers are where spans and metrics go.
type providers struct {
	tracer   *trace.TracerProvider
	meter    *metric.MeterProvider
	recorder *tracetest.SpanRecorder
	registry *prometheus.Registry
}

// newProviders sets up Prometheus, and OTLP if the environment says where to.
func newProviders(ctx context.Context) (*providers, error) {
	p := &providers{recorder: tracetest.NewSpanRecorder(), registry: prometheus.NewRegistry()}
	scraped, err := exporter.New(exporter.WithRegisterer(p.registry))
	if err != nil {
		return nil, err
	}
	spans := []trace.TracerProviderOption{trace.WithSpanProcessor(p.recorder)}
	metrics := []metric.Option{metric.WithReader(scraped)}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		spanExporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		metricExporter, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		spans = append(spans, trace.WithBatcher(spanExporter))
		metrics = append(metrics, metric.WithReader(metric.NewPeriodicReader(metricExporter)))
	}
	p.tracer, p.meter = trace.NewTracerProvider(spans...), metric.NewMeterProvider(metrics...)
	return p, nil
}

// shutdown sends what has not been sent yet.
func (p *providers) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(p.tracer.Shutdown(ctx), p.meter.Shutdown(ctx))
}

// serve lets Prometheus scrape, until stop is called.
func (p *providers) serve(address string) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	return func() { _ = server.Close(); <-ended }, nil
}
