package sweep

import (
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Report tells how a sweep is getting on.
type Report struct {
	ledger.Progress
	// Batch is the number of rows in the next batch.
	Batch int
	// Rate is the rows per second of this run.
	Rate float64
	// Left is the time that the rest will take at this rate; negative when
	// that cannot be told.
	Left time.Duration
	// Waiting says why the sweep stands still; empty when it does not.
	Waiting string
}
