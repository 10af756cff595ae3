package dualwrite

import (
	"context"
	"database/sql"
	"slices"
	"time"
	"weak"
)

// recyclingKey marks the context of acquisitions whose only aim is to have the
// connection checked.
type recyclingKey struct{}

func isRecycling(ctx context.Context) bool { return ctx.Value(recyclingKey{}) != nil }

// laggards are the outdated connections at a moment.
type laggards struct {
	conns int
	// uses changes when other connections come to be outdated, or one of them is used.
	uses uint64
}

func (l *laggards) note(c *conn) {
	if c.outdated() {
		l.conns++
		l.uses += c.counts.sum() + uint64(c.pid)<<32
	}
}

// recycling decides when the pools are looked through. To them a connection that is
// looked at has been used: it does not become idle for long enough to be closed, nor
// to be pinged before somebody gets it. So where nothing happens to the laggards (a
// listener, a long transaction), the others are left alone most of the time.
type recycling struct {
	config        Config
	last          laggards
	changed, done time.Time
}

// In polls: how long laggards at which nothing happens are looked for as others are,
// and how often afterwards.
const (
	eagerPolls = 10
	calmPolls  = 30
)

func (r *recycling) due(now laggards) bool {
	if now.conns == 0 {
		return false
	}
	at := time.Now()
	if now != r.last {
		r.last, r.changed = now, at
	}
	calm := at.Sub(r.changed) > max(r.config.RecycleWithin, 0)+eagerPolls*r.config.PollInterval
	if calm && at.Sub(r.done) < calmPolls*r.config.PollInterval {
		return false
	}
	r.done = at
	return true
}

// recycle makes the pools close what is idle and must not be used any more.
func (h *Hook) recycle(ctx context.Context) {
	ctx = context.WithValue(ctx, recyclingKey{}, true)
	h.mu.Lock()
	h.pools, h.dbs = living(h.pools), living(h.dbs)
	pools, dbs := slices.Clone(h.pools), slices.Clone(h.dbs)
	h.mu.Unlock()

	for _, p := range pools {
		if pool := p.Value(); pool != nil {
			// PrepareConn destroys what it rejects.
			for _, conn := range pool.AcquireAllIdle(ctx) {
				conn.Release()
			}
		}
	}
	for _, p := range dbs {
		if db := p.Value(); db != nil {
			recycleDB(ctx, db)
		}
	}
}

// living leaves out those that nobody uses any more.
func living[T any](list []weak.Pointer[T]) []weak.Pointer[T] {
	return slices.DeleteFunc(list, func(p weak.Pointer[T]) bool { return p.Value() == nil })
}

// recycleDB takes as many connections as are idle and gives them back:
// database/sql asks IsValid then, and closes what is not. It must hold them all
// before it gives one back, which would be the next one to take. When the
// application is quicker it gives up at once: what is busy is checked when it
// comes back.
func recycleDB(ctx context.Context, db *sql.DB) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	conns := make([]*sql.Conn, 0, db.Stats().Idle)
	for range cap(conns) {
		conn, err := db.Conn(ctx)
		if err != nil {
			break
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}
