package statuspage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// readings is what the hooks say of reads in the phases that compare them.
type readings struct {
	// Facts are said in one line; Differ tells that some were not alike.
	Facts  string
	Differ bool
	// Statements is how many differed, Last the last of them; nil when none did.
	Statements int
	Last       *migrator.Mismatch
}

// newReadings is nil where nothing is compared, or nobody has reported.
func newReadings(s migrator.Status) *readings {
	r := s.Reads
	if r == nil || s.Removed || !s.Phase.ComparesReads() {
		return nil
	}
	facts := []string{fmt.Sprintf("%s compared by %s", console.Count(r.Compared), console.Plural(r.Instances, "instance")),
		console.Count(r.Mismatched) + " differed"}
	if r.Timed > 0 {
		const digits = 10 * time.Microsecond
		source, target := r.Averages()
		facts = append(facts, fmt.Sprintf("source %s, target %s on average", source.Round(digits), target.Round(digits)))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		facts = append(facts, fmt.Sprintf("%s not compared: %s", console.Count(r.Skipped[reason]), reason))
	}
	return &readings{Facts: strings.Join(facts, " · "), Differ: r.Mismatched > 0, Statements: s.Mismatches, Last: s.LastMismatch}
}

// readsOf says which side serves reads, and for how many connections.
func readsOf(s migrator.Status) string {
	if s.Phase == migrator.Live && s.Ramp < migrator.FullRamp {
		share := fmt.Sprintf("target for %d %% of connections", s.Ramp)
		if s.Ramp > 0 && !s.Guarded {
			share += ", unguarded"
		}
		return share
	}
	return string(s.Phase.Behaviour().Read)
}
