// Package telemetry has the names that Crossfade shows in OpenTelemetry: one
// list of metrics and one of attributes, from which instruments are made and
// against which the documentation is checked. It needs the API only.
package telemetry
