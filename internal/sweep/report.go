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
	// Signals are the last readings of what may hold the sweep back.
	Signals []Reading
	// Control is what somebody has asked for: to pause, or to go slower.
	Control ledger.Control
}

// forecast fills in Rate and Left from the rows scanned since the run began.
func (r *Report) forecast(scanned int64, took time.Duration) {
	r.Left = -1
	if scanned > 0 && took > 0 {
		r.Rate = float64(scanned) / took.Seconds()
		rest := max(r.Estimate-r.RowsScanned, 0)
		r.Left = time.Duration(float64(rest) / r.Rate * float64(time.Second))
	}
	if r.Finished() {
		r.Left = 0
	}
}

func (w *walk) report(waiting string) {
	w.told = w.progress.Finished()
	if w.o.OnProgress != nil {
		w.o.OnProgress(w.current(waiting))
	}
}

// current is the report of now.
func (w *walk) current(waiting string) Report {
	r := Report{Progress: w.progress, Batch: w.limit(w.pace.rows), Waiting: waiting,
		Signals: w.gauges.read(), Control: w.control}
	r.forecast(w.progress.RowsScanned-w.before, time.Since(w.began))
	return r
}
