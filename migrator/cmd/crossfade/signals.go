package main

import (
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// signalLines list what the throttle reads, one line for each signal.
func signalLines(signals []migrator.Signal, s console.Style, indent string) []string {
	lines := make([]string, 0, len(signals))
	for _, r := range signals {
		text := fmt.Sprintf("%s%-15s  %s of %s", indent, r.Signal, console.Measure(r.Value, string(r.Unit)), console.Measure(r.Limit, string(r.Unit)))
		if r.Holds {
			text += "  " + s.Warn("holds")
		}
		lines = append(lines, text)
	}
	return lines
}

// outcomeText compares what a job has cost with what was foreseen.
func outcomeText(j migrator.JobProgress) string {
	f := j.Forecast
	text := fmt.Sprintf("%s rows (foreseen: %s), ", console.Count(j.RowsScanned), console.Count(f.Rows)) + console.Duration(j.Elapsed)
	if f.Duration > 0 {
		text += fmt.Sprintf(" (%s)", console.Duration(f.Duration))
	}
	return text + fmt.Sprintf(", WAL of the server %s (up to %s), table and indexes %s (up to %s)",
		console.Size(float64(j.WALBytes)), console.Size(float64(f.WALBytes)), grown(j.GrowthBytes), grown(f.GrowthBytes))
}

func grown(bytes int64) string {
	if bytes < 0 {
		return "-" + console.Size(float64(-bytes))
	}
	return "+" + console.Size(float64(bytes))
}
