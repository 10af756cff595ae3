// Package dashboard has the alert rules and the Grafana dashboard of
// docs/observability.md. It is a module of its own, for its test: Prometheus
// itself reads the queries. That they name what the code reports is tested in
// examples/telemetry.
package dashboard
