// Telemetry shows a rename in OpenTelemetry: an application with otelpgx on its
// pool and otelsql on its *sql.DB, the hook in both, and the migrator beside it.
// Metrics can be scraped by Prometheus; with OTEL_EXPORTER_OTLP_ENDPOINT in the
// environment, spans and metrics go there by OTLP over HTTP as well. At the end it
// prints what there was to see.
//
// It is a module of its own, so that the SDK and the exporters are none of the
// library's dependencies.
package main
