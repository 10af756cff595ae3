// Package queries holds a test: Prometheus itself reads the alert rules and the
// queries of the Grafana dashboard in docs/dashboard. It is a module of its own for
// what it imports. That they name what the code reports is tested in
// examples/telemetry.
package queries
