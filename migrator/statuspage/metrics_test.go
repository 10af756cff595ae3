package statuspage_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)*)\} (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\["\\n])*)"`)
)

// sample is a line of the exposition.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// parse reads the text format, and wants it as Prometheus does: HELP and TYPE before
// the samples of a metric, which stand together, none of them twice.
func parse(t *testing.T, text string) []sample {
	t.Helper()
	var list []sample
	described, seen, current := map[string]bool{}, map[string]bool{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, found := strings.CutPrefix(line, "# HELP "); found {
			current, _, _ = strings.Cut(rest, " ")
			require.False(t, described[current], "%s is described twice", current)
			described[current] = true
			continue
		}
		if rest, found := strings.CutPrefix(line, "# TYPE "); found {
			require.Equal(t, current+" gauge", rest)
			continue
		}
		found := sampleLine.FindStringSubmatch(line)
		require.NotNil(t, found, line)
		require.Equal(t, current, found[1])
		require.False(t, seen[found[1]+found[2]], "%s is there twice", line)
		seen[found[1]+found[2]] = true
		value, err := strconv.ParseFloat(found[3], 64)
		require.NoError(t, err)
		x := sample{found[1], map[string]string{}, value}
		for _, pair := range labelPair.FindAllStringSubmatch(found[2], -1) {
			x.labels[pair[1]] = pair[2]
		}
		list = append(list, x)
	}
	return list
}

// documented maps the names that docs/observability.md gives to their labels.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	names := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 6 || !strings.HasPrefix(line, "| `crossfade.") {
			continue
		}
		labels := strings.NewReplacer("`", "", ".", "_").Replace(cells[4])
		names[strings.Trim(cells[1], "`")] = strings.Split(labels, ", ")
	}
	require.NotEmpty(t, names)
	return names
}

// TestMetrics: names and labels are those of the documentation, and the values those
// of the ledger.
func TestMetrics(t *testing.T) {
	t.Parallel()
	tailed := rename
	tailed.Sync = "logical"
	db, m := started(t, users, tailed, widen)
	run(t, m, widen.Name, migrator.Live)
	run(t, m, tailed.Name, migrator.DualWrite)
	join(t, db, "app")
	connect(t, db, "psql")
	_, err := m.Advance(ctx, tailed.Name, migrator.AdvanceOptions{}) // its sync step
	require.NoError(t, err)
	following := newMigrator(t, db, migrator.Config{})
	background(t, func(ctx context.Context) { _ = following.Tail(ctx, tailed.Name) })
	s := serve(t, m, statuspage.Config{})
	text := s.get("/metrics", "crossfade_sync_lag_seconds", "crossfade_connections")
	known := documented(t)
	values := map[string]float64{}
	for _, x := range parse(t, text) {
		require.Contains(t, known, x.name)
		for label := range x.labels {
			require.Contains(t, known[x.name], label, x.name)
		}
		values[x.name+"/"+x.labels["crossfade_transition"]+x.labels["crossfade_epoch"]+"/"+x.labels["crossfade_phase"]+x.labels["crossfade_job"]] = x.value
	}
	require.InDelta(t, 1, values["crossfade_phase/orders-amount/live"], 0)
	require.InDelta(t, 0, values["crossfade_phase/orders-amount/off"], 0)
	require.InDelta(t, 1, values["crossfade_phase/users-name/dualwrite"], 0)
	require.InDelta(t, 20, values["crossfade_backfill_rows/orders-amount/backfill"], 0)
	require.Contains(t, values, "crossfade_verify_mismatches/orders-amount/verify")
	require.Contains(t, values, "crossfade_drain_waiting/users-name/")
	connections := 0.0
	for name, value := range values {
		if strings.HasPrefix(name, "crossfade_connections/") {
			connections += value
		}
	}
	require.InDelta(t, 1, connections, 0, "those without the hook are none")
}

// TestRateOfAScanThatStopped: it is that of who is at work, and nobody is.
func TestRateOfAScanThatStopped(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, rename)
	run(t, m, rename.Name, migrator.DualWrite)
	_, err := m.SetRate(ctx, rename.Name, 20)
	require.NoError(t, err)
	stop := background(t, func(ctx context.Context) {
		_, _ = newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
	})
	s := serve(t, m, statuspage.Config{})
	value := func(name string) float64 {
		answer := s.ask("GET", "/metrics")
		if answer.code != http.StatusOK {
			return -1 // it has not looked yet
		}
		for _, x := range parse(t, answer.body) {
			if x.name == name && x.labels["crossfade_job"] == "backfill" {
				return x.value
			}
		}
		return -1
	}
	pgtest.WaitFor(t, "a rate", func() bool { return value("crossfade_backfill_rate_per_second") > 0 })
	stop()
	pgtest.WaitFor(t, "no rate", func() bool { return value("crossfade_backfill_rate_per_second") == 0 })
	require.Positive(t, value("crossfade_backfill_rows"))
	require.Positive(t, value("crossfade_backfill_remaining"))
}
