package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.yaml.in/yaml/v3"

	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

const docs = "../../docs/"

// exported maps each metric's name as the Prometheus exporter makes it.
func exported(t *testing.T) map[string]telemetry.Metric {
	t.Helper()
	names := map[string]telemetry.Metric{}
	for _, m := range telemetry.Metrics() {
		registry := prometheus.NewRegistry()
		reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutTargetInfo(), exporter.WithoutScopeInfo())
		require.NoError(t, err)
		provider := sdk.NewMeterProvider(sdk.WithReader(reader))
		record(t, provider.Meter("test"), m)
		families, err := registry.Gather()
		require.NoError(t, err)
		require.Len(t, families, 1)
		require.Equal(t, families[0].GetName(), m.Prometheus())
		names[families[0].GetName()] = m
		require.NoError(t, provider.Shutdown(t.Context()))
	}
	return names
}

func record(t *testing.T, meter metric.Meter, m telemetry.Metric) {
	t.Helper()
	maker := telemetry.NewMaker(meter)
	switch m.Kind {
	case telemetry.Counter:
		maker.Counter(m).Add(context.Background(), 1)
	case telemetry.Gauge:
		maker.Gauge(m).Record(context.Background(), 1)
	case telemetry.Histogram:
		maker.Histogram(m).Record(context.Background(), 1)
	}
	require.NoError(t, maker.Err())
}

// TestTables compares the tables of docs/observability.md with the code.
func TestTables(t *testing.T) {
	text, err := os.ReadFile(docs + "observability.md")
	require.NoError(t, err)
	prometheus := map[string]string{}
	for name, m := range exported(t) {
		prometheus[m.Name] = name
	}
	var want strings.Builder
	want.WriteString("| metric | in Prometheus | kind | unit | attributes | |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, m := range telemetry.Metrics() {
		fmt.Fprintf(&want, "| `%s` | `%s` | %s | `%s` | `%s` | %s |\n", m.Name, prometheus[m.Name], m.Kind, m.Unit,
			strings.Join(m.By, "`, `"), m.Description)
	}
	contains(t, string(text), want.String())
	want.Reset()
	want.WriteString("| attribute | |\n| --- | --- |\n")
	for _, a := range telemetry.Attributes() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", a.Key, a.Description)
	}
	contains(t, string(text), want.String())
}

func contains(t *testing.T, text, table string) {
	t.Helper()
	if !strings.Contains(text+"\n", "\n\n"+table+"\n") {
		t.Errorf("docs/observability.md lacks this table:\n%s", table)
	}
}

// known are the names that a query may use: metrics, and attributes as labels.
func known(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for name, m := range exported(t) {
		names[name] = true
		if m.Kind == telemetry.Histogram {
			delete(names, name)
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				names[name+suffix] = true
			}
		}
		for _, attribute := range m.By {
			names[strings.ReplaceAll(attribute, ".", "_")] = true
		}
	}
	return names
}

var word = regexp.MustCompile(`\b(crossfade|db|server)_\w+`)

// checkQuery also wants each parenthesis closed.
func checkQuery(t *testing.T, known map[string]bool, query string) {
	t.Helper()
	require.NotEmpty(t, query)
	for _, name := range word.FindAllString(query, -1) {
		require.True(t, known[name], "%s in %s", name, query)
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		require.Equal(t, strings.Count(query, pair[:1]), strings.Count(query, pair[1:]), query)
	}
}

func TestAlerts(t *testing.T) {
	text, err := os.ReadFile(docs + "dashboard/alerts.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.NotEmpty(t, file.Groups)
	known := known(t)
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, group := range file.Groups {
		require.NotEmpty(t, group.Rules)
		for _, rule := range group.Rules {
			checkQuery(t, known, rule.Expr)
			require.NotEmpty(t, rule.Labels["severity"], rule.Alert)
			require.NotEmpty(t, rule.Annotations["description"], rule.Alert)
			for _, found := range label.FindAllStringSubmatch(rule.Annotations["summary"], -1) {
				require.Contains(t, rule.Expr, found[1], "%s has no such label", rule.Alert)
			}
		}
	}
}

func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(docs + "dashboard/crossfade.json")
	require.NoError(t, err)
	var file struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct{ Query any }
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	known := known(t)
	shown := ""
	for _, panel := range file.Panels {
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			checkQuery(t, known, target.Expr)
			checkQuery(t, known, target.LegendFormat)
			shown += target.Expr
		}
	}
	for _, v := range file.Templating.List {
		checkQuery(t, known, fmt.Sprint(v.Query))
	}
	for name, m := range exported(t) {
		switch m.Name {
		case telemetry.Epoch.Name, telemetry.CacheTexts.Name, telemetry.Rows.Name: // another panel tells as much
		default:
			require.Contains(t, shown, name, "no panel shows it")
		}
	}
}
