package migrator

import (
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Forecast is what a backfill or refill is expected to cost.
type Forecast struct {
	// Rows is the size of the table as the planner or the statistics think.
	Rows int64 `json:"rows"`
	// Duration is known after the first batches; 0 before.
	Duration time.Duration `json:"duration_ns,omitempty"`
	// WALBytes is how much WAL it writes at most, GrowthBytes by how much the
	// table and its indexes grow at most, if nothing is vacuumed meanwhile.
	WALBytes    int64 `json:"wal_bytes"`
	GrowthBytes int64 `json:"growth_bytes"`
}

// forecastOf is nil for a job that copies nothing.
func forecastOf(p ledger.Progress) *Forecast {
	if p.Job != ledger.Backfill && p.Job != ledger.Refill {
		return nil
	}
	return &Forecast{
		Rows: p.Estimate, Duration: time.Duration(p.Forecast.Seconds * float64(time.Second)),
		WALBytes: p.Forecast.WALBytes, GrowthBytes: p.Forecast.GrowthBytes,
	}
}

// outcome is, for the history, what a job has cost beside what was foreseen.
func outcome(p ledger.Progress) map[string]any {
	took := p.UpdatedAt.Sub(p.StartedAt)
	if p.FinishedAt != nil {
		took = p.FinishedAt.Sub(p.StartedAt)
	}
	return map[string]any{
		"rows": p.RowsScanned, "rows_foreseen": p.Estimate, "rows_changed": p.RowsChanged,
		"seconds": took.Seconds(), "seconds_foreseen": p.Forecast.Seconds,
		"wal_bytes": p.WALBytes, "wal_bytes_foreseen": p.Forecast.WALBytes,
		"growth_bytes": p.GrowthBytes, "growth_bytes_foreseen": p.Forecast.GrowthBytes,
	}
}
