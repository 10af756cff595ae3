package sweep

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Signal is one reason to hold a sweep back, with a limit. It is asked about
// once a second, between two batches, on the sweep's own connection and outside
// a transaction. One that may not see what it looks for holds nothing back.
type Signal interface {
	// Read tells how things stand. Limits are tolerated, what is above holds.
	Read(ctx context.Context, v View) (Reading, error)
}

// View is what a signal can look at.
type View struct {
	Conn *pgx.Conn
	// Table is the table of the sweep, quoted.
	Table string
	// Batch is how long batches took of late, smoothed; 0 before the first one.
	// Target is how long they should.
	Batch, Target time.Duration
}

// Reading is what a signal found.
type Reading struct {
	// Signal is its name: "replica-lag", "slot-lag" ...
	Signal string `json:"signal"`
	// Value is what it is, Limit what it may be, both in Unit.
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Unit  Unit    `json:"unit"`
	// Holds tells that it holds the sweep, and Reason why.
	Holds  bool   `json:"holds"`
	Reason string `json:"reason,omitempty"`
}

// Unit is what a reading is counted in.
type Unit string

// The units of readings.
const (
	Bytes          Unit = "bytes"
	BytesPerSecond Unit = "bytes/s"
	Sessions       Unit = "sessions"
	Seconds        Unit = "seconds"
	Transactions   Unit = "transactions"
)

// DefaultSignals are all of them, with the limits that are theirs by default.
func DefaultSignals() []Signal {
	return []Signal{
		&ReplicaLag{}, &SlotLag{}, &WALRate{}, &ActiveSessions{}, &Vacuum{}, &BatchLatency{}, &HorizonAge{},
	}
}

// gauges ask signals, not more often than once in an interval. The workers of a
// process share them: one asks, and all obey.
type gauges struct {
	signals  []Signal
	interval time.Duration

	mu       sync.Mutex // guards what follows, and the signals
	asked    time.Time
	readings []Reading
}

// look returns why the next batch must wait; empty: it need not.
func (g *gauges) look(ctx context.Context, v View) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Sub(g.asked) >= g.interval {
		g.asked = now
		readings := make([]Reading, 0, len(g.signals))
		for _, signal := range g.signals {
			r, err := signal.Read(ctx, v)
			if err != nil {
				return "", fmt.Errorf("throttle by %s: %w", r.Signal, err)
			}
			readings = append(readings, r)
		}
		g.readings = readings
	}
	var reasons []string
	for _, r := range g.readings {
		if r.Holds {
			reasons = append(reasons, r.Reason)
		}
	}
	return strings.Join(reasons, "; "), nil
}

// read returns the last readings.
func (g *gauges) read() []Reading {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.readings
}

// latency smooths what batches took: the last ones count most.
func latency(smoothed, took time.Duration) time.Duration {
	if smoothed == 0 {
		return took
	}
	return (6*smoothed + 4*took) / 10
}

// mib prints bytes for people.
func mib(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }
