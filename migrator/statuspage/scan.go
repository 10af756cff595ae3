package statuspage

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// scan is a job as the page shows it.
type scan struct {
	migrator.JobProgress
	// Held tells that it stands still for another reason than its rate.
	Held bool
	// Percent is how far it is, by the estimate.
	Percent int
	// Facts are said in one line, Foreseen what was expected.
	Facts, Foreseen string
	Bars            []bar
}

// bar is a signal of the throttle.
type bar struct {
	Name, Text string
	// Share is the part of its limit, in percent, at most 100.
	Share float64
	Holds bool
}

func newScan(j migrator.JobProgress, c migrator.Control) scan {
	x := scan{JobProgress: j, Held: held(j, c)}
	if most := max(j.Estimate, j.RowsScanned); most > 0 {
		x.Percent = int(100 * j.RowsScanned / most)
	}
	facts := []string{console.Count(j.RowsScanned) + " rows"}
	if !j.Finished {
		facts[0] = fmt.Sprintf("%s of about %s rows", console.Count(j.RowsScanned), console.Count(max(j.Estimate, j.RowsScanned)))
	}
	add := func(when bool, format string, args ...any) {
		if when {
			facts = append(facts, fmt.Sprintf(format, args...))
		}
	}
	add(!j.Compares(), "%s changed", console.Count(j.RowsChanged))
	add(j.Compares(), "%s differ", console.Count(j.Mismatches))
	add(j.Aside > 0, "%s left for the end", console.Plural(j.Aside, "locked row"))
	add(j.Finished, "took %s", console.Duration(j.Elapsed))
	add(j.Finished && j.WALBytes > 0, "WAL %s", console.Size(float64(j.WALBytes)))
	add(!j.Finished && j.Rate > 0, "%s rows/s on average", console.Count(int64(j.Rate)))
	add(!j.Finished && j.Left > 0, "%s left", console.Duration(j.Left.Round(time.Second)))
	add(!j.Finished && c.Rate > 0, "limited to %s rows/s by %s", console.Count(int64(c.Rate)), c.Actor)
	x.Facts = strings.Join(facts, " · ")
	if f := j.Forecast; f != nil {
		foreseen := []string{"WAL up to " + console.Size(float64(f.WALBytes)), "table and indexes grow by up to " + console.Size(float64(f.GrowthBytes))}
		if f.Duration > 0 {
			foreseen = append([]string{console.Duration(f.Duration)}, foreseen...)
		}
		x.Foreseen = strings.Join(foreseen, " · ")
	}
	for _, s := range j.Signals {
		if s.Limit <= 0 {
			continue
		}
		x.Bars = append(x.Bars, bar{Name: s.Signal, Holds: s.Holds, Share: math.Min(100, math.Max(0, 100*s.Value/s.Limit)),
			Text: strings.TrimSuffix(console.Measure(s.Value, string(s.Unit)), " "+string(s.Unit)) + " of " + console.Measure(s.Limit, string(s.Unit))})
	}
	return x
}

// held tells a scan that something holds back from one that goes as slowly as it was
// asked to.
func held(j migrator.JobProgress, c migrator.Control) bool {
	holds := slices.ContainsFunc(j.Signals, func(s migrator.Signal) bool { return s.Holds })
	return !j.Finished && j.Waiting != "" && (c.Paused || c.Rate == 0 || holds)
}
