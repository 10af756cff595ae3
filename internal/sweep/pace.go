package sweep

import (
	"context"
	"math/rand/v2"
	"time"
)

// pace chooses how many rows the next batch has and how long it may take.
type pace struct {
	target      time.Duration
	lockTimeout time.Duration
	min, max    int

	rows     int     // of the next batch
	perRow   float64 // seconds, smoothed; 0: not known yet
	failures int     // since the last batch that went well
}

const (
	firstBatch = 1000
	// fewRows is where slowness stops to make batches smaller: what so few
	// rows take is mostly the cost of a batch, which smaller ones multiply.
	fewRows = 500
	// batchLimit is below PostgreSQL's default deadlock_timeout: nobody waits
	// for a batch long enough to be chosen as the victim of a deadlock.
	batchLimit = 800 * time.Millisecond
	// longestLimit and longestPause are for a batch that cannot be made smaller.
	longestLimit = time.Minute
	longestPause = 5 * time.Second
)

func newPace(o Options) pace {
	return pace{
		target: o.BatchTarget, lockTimeout: o.LockTimeout, min: o.MinBatch, max: o.MaxBatch,
		rows: min(max(firstBatch, o.MinBatch), o.MaxBatch),
	}
}

// done learns from a batch. It believes a slow one at once and a fast one
// slowly, and at most doubles: the rows ahead may need more work than those
// behind.
func (p *pace) done(rows int64, took time.Duration) {
	p.failures = 0
	if rows > 0 {
		perRow := max(took.Seconds(), 1e-6) / float64(rows)
		if perRow < p.perRow {
			perRow = 0.7*p.perRow + 0.3*perRow
		}
		p.perRow = perRow
	}
	fitting := p.rows
	if p.perRow > 0 {
		fitting = max(int(min(p.target.Seconds()/p.perRow, float64(p.max))), fewRows)
	}
	p.rows = min(max(fitting, p.rows/2, p.min, 1), 2*p.rows, p.max)
}

// failed makes the next batch smaller and tells how long to wait before it.
func (p *pace) failed() time.Duration {
	pause := 10 * time.Millisecond
	if p.smallest() {
		pause <<= min(p.failures, 9)
		p.failures++
	}
	p.rows = max(p.rows/2, p.min)
	return min(pause/2+rand.N(pause), longestPause)
}

func (p *pace) smallest() bool { return p.rows <= p.min }

// limits are the timeouts of the next batch. They grow for one that failed and
// cannot be made smaller.
func (p *pace) limits() (lock, statement time.Duration) {
	lock, statement = p.lockTimeout, max(2*p.target, batchLimit)
	if p.smallest() {
		lock = min(lock<<min(p.failures, 4), 10*lock)
		statement = max(statement, min(statement<<min(p.failures, 8), longestLimit))
	}
	return lock, statement
}

// sleep waits; ctx's error when it is over first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
