package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// readsLines say what is known of reads, while a comparison of them says something.
func readsLines(status migrator.Status, s console.Style) []string {
	if status.Removed || !status.Phase.ComparesReads() {
		return nil
	}
	lines := []string{comparedText(status)}
	switch {
	case status.SteppedBack != "":
		lines = append(lines, s.Bad(status.SteppedBack)+"; next: crossfade ramp "+status.Name+" PERCENT")
	case status.Ramp < migrator.FullRamp:
		text := rampText(status.Ramp, status.Phase)
		if status.Phase == migrator.Live && status.Ramp > 0 && !status.Guarded {
			text += "; " + s.Warn("nobody guards it") + fmt.Sprintf("; next: crossfade ramp %s %d --guard", status.Name, status.Ramp)
		}
		lines = append(lines, text)
	}
	if r := status.Reads; r != nil && r.Timed > 0 {
		const digits = 10 * time.Microsecond
		source, target := r.Averages()
		lines = append(lines, fmt.Sprintf("source %s, target %s on average", source.Round(digits), target.Round(digits)))
	}
	if m := status.LastMismatch; m != nil {
		lines = append(lines, s.Bad(fmt.Sprintf("%s differed, the last one %s ago", console.Plural(status.Mismatches, "statement"), m.Ago.Round(time.Second)))+
			"; next: crossfade mismatches "+status.Name)
	}
	return lines
}

func comparedText(status migrator.Status) string {
	r := status.Reads
	if r == nil || r.Compared+r.Dropped == 0 && len(r.Skipped) == 0 {
		return "not compared; applications can: dualwrite.Config.Shadow"
	}
	text := fmt.Sprintf("%s compared by %s, %s differed", console.Count(r.Compared), console.Plural(r.Instances, "instance"), console.Count(r.Mismatched))
	var left []string
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		left = append(left, fmt.Sprintf("%s %s", reason, console.Count(r.Skipped[reason])))
	}
	if len(left) > 0 {
		text += "; not compared: " + strings.Join(left, ", ")
	}
	return text
}
