package sweep

import (
	"context"
	"fmt"
	"time"
)

// BatchLatency holds when batches take much longer than they should though the
// sweep makes them smaller: something is slow that the other signals do not
// show. It rests as long as a batch took, and tries again.
type BatchLatency struct {
	// MaxTimes is how many times the target of a batch is tolerated; zero is 4.
	MaxTimes float64

	since time.Time // of the rest
	rest  bool
}

// shortBatch is what is never too long, however short the target.
const shortBatch = 250 * time.Millisecond

// Read implements Signal.
func (s *BatchLatency) Read(_ context.Context, v View) (Reading, error) {
	times := s.MaxTimes
	if times == 0 {
		times = 4
	}
	limit := max(times*v.Target.Seconds(), shortBatch.Seconds())
	r := Reading{Signal: "batch-latency", Value: v.Batch.Seconds(), Limit: limit, Unit: Seconds}
	switch {
	case r.Value <= r.Limit:
		s.rest = false
		return r, nil
	case !s.rest:
		s.rest, s.since = true, time.Now()
	case time.Since(s.since) >= v.Batch:
		s.rest = false // what the next batch takes is looked at anew
		return r, nil
	}
	r.Holds = true
	r.Reason = fmt.Sprintf("batches take %s, where they should take %s: the server, or a trigger of the table, is slow",
		v.Batch.Round(time.Millisecond), v.Target)
	return r, nil
}
