package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// holding is what decides between two batches whether the next one may begin.
type holding struct {
	gauges *gauges

	control ledger.Control
	asked   time.Time // when control was read
	rate    int       // this worker's share of the rate; 0: no limit
	// due is when the rows of the last batch are used up at the rate that
	// somebody has asked for.
	due time.Time

	waiting string    // as noted in the ledger
	noted   time.Time // when
}

const (
	// longestNap is how soon a change of the control is seen at the latest,
	// together with the interval at which it is read.
	longestNap = 250 * time.Millisecond
	// noteEvery is how often the ledger learns that a paused sweep still waits.
	noteEvery = 4
)

// hold waits, outside a transaction, until the next batch may begin.
func (w *walk) hold(ctx, background context.Context) error {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, longestNap) {
		if err := ctx.Err(); err != nil {
			return err
		}
		reason, err := w.held(background)
		if err != nil {
			return err
		}
		if err := w.note(background, reason); err != nil {
			return err
		}
		if reason == "" {
			return nil
		}
		w.report(reason)
		if left := time.Until(w.due); !w.control.Paused && left > 0 {
			pause = min(left, longestNap)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// held tells why the next batch must wait: because of what somebody asks for,
// or of a signal.
func (w *walk) held(ctx context.Context) (string, error) {
	interval := w.gauges.interval
	if now := time.Now(); now.Sub(w.asked) >= interval/2 {
		w.asked = now
		c, err := ledger.GetControl(ctx, w.conn, w.o.Transition.ID)
		if err != nil {
			return "", err
		}
		if c.Rate != w.control.Rate {
			w.due = time.Time{} // it was reckoned at another rate
		}
		w.control = c
		if err := w.share(ctx); err != nil {
			return "", err
		}
	}
	if c := w.control; c.Paused {
		return fmt.Sprintf("paused by %s since %s", c.Actor, c.ChangedAt.Local().Format(time.DateTime)), nil
	}
	v := View{Conn: w.conn, Table: w.q.on(w.progress.Part).table, Batch: w.took, Target: w.o.BatchTarget}
	if reason, err := w.gauges.look(ctx, v); err != nil || reason != "" {
		return reason, err
	}
	if w.rate > 0 && time.Now().Before(w.due) {
		if w.control.Rate == 0 {
			return fmt.Sprintf("limited to %d rows per second", w.o.Rate), nil
		}
		return fmt.Sprintf("limited to %d rows per second by %s", w.control.Rate, w.control.Actor), nil
	}
	return "", nil
}

// share reads what all workers have done, and finds this one's share of the
// rate that is asked for: of all together.
func (w *walk) share(ctx context.Context) error {
	part, position, upper := w.progress.Part, w.progress.Position, w.progress.Upper
	if err := w.reread(ctx); err != nil {
		return err
	}
	if !w.progress.Finished() && position != nil {
		w.progress.Part, w.progress.Position, w.progress.Upper = part, position, upper
	}
	w.rate = w.control.Rate
	if own := w.o.Rate; own > 0 && (w.rate == 0 || own < w.rate) {
		w.rate = own
	}
	if w.rate == 0 {
		return nil
	}
	n, err := ledger.CountWorkers(ctx, w.conn, w.o.Transition.ID, w.o.Job)
	w.rate = max(w.rate/max(n, 1), 1)
	return err
}

// spend counts the rows of a batch against the rate that is asked for.
func (h *holding) spend(rows int64, began time.Time) {
	if h.rate <= 0 {
		return
	}
	if h.due.Before(began) {
		h.due = began
	}
	h.due = h.due.Add(time.Duration(float64(rows) / float64(h.rate) * float64(time.Second)))
}

// limit makes a batch small enough for the rate that is asked for: about a
// quarter of a second's worth.
func (h *holding) limit(rows int) int {
	if h.rate <= 0 {
		return rows
	}
	return min(rows, max(h.rate/4, 1))
}

// note tells the ledger, for those who look at the status, how things stand.
func (w *walk) note(ctx context.Context, reason string) error {
	interval := w.gauges.interval
	if w.control.Paused {
		interval *= noteEvery
	}
	if (reason == "") == (w.waiting == "") && time.Since(w.noted) < interval {
		return nil
	}
	if w.rate > 0 && !w.control.Paused && time.Since(w.noted) < interval {
		return nil // it comes and goes with each batch
	}
	w.waiting, w.noted = reason, time.Now()
	return ledger.NoteProgress(ctx, w.conn, w.o.Transition.ID, w.o.Job, reason, w.gauges.read())
}
