package main

import (
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/migrator"
)

// signalLines list what the throttle reads, one line for each signal.
func signalLines(signals []migrator.Signal, s console.Style, indent string) []string {
	lines := make([]string, 0, len(signals))
	for _, r := range signals {
		text := fmt.Sprintf("%s%-15s  %s of %s", indent, r.Signal, measure(r.Value, r.Unit), measure(r.Limit, r.Unit))
		if r.Holds {
			text += "  " + s.Warn("holds")
		}
		lines = append(lines, text)
	}
	return lines
}

// measure is a value with its unit.
func measure(value float64, unit sweep.Unit) string {
	switch unit {
	case sweep.Bytes:
		return size(value)
	case sweep.BytesPerSecond:
		return size(value) + "/s"
	case sweep.Seconds:
		return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", value), "0"), ".0") + "s"
	}
	return console.Count(int64(value)) + " " + string(unit)
}

// size is a number of bytes for people.
func size(bytes float64) string {
	unit := 0
	for ; bytes >= 1024 && unit < 4; unit++ {
		bytes /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f bytes", bytes)
	}
	return fmt.Sprintf("%.1f %cB", bytes, "kMGT"[unit-1])
}

// outcomeText compares what a job has cost with what was foreseen.
func outcomeText(j migrator.JobProgress) string {
	f := j.Forecast
	text := fmt.Sprintf("%s rows (foreseen: %s), ", console.Count(j.RowsScanned), console.Count(f.Rows)) + console.Duration(j.Elapsed)
	if f.Duration > 0 {
		text += fmt.Sprintf(" (%s)", console.Duration(f.Duration))
	}
	return text + fmt.Sprintf(", WAL of the server %s (up to %s), table and indexes %s (up to %s)",
		size(float64(j.WALBytes)), size(float64(f.WALBytes)), grown(j.GrowthBytes), grown(f.GrowthBytes))
}

func grown(bytes int64) string {
	if bytes < 0 {
		return "-" + size(float64(-bytes))
	}
	return "+" + size(float64(bytes))
}
