package dualwrite

import (
	"sync/atomic"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Stats are counters since the Hook was made.
type Stats struct {
	// Connections counts the open ones by the epoch they joined under.
	Connections map[int]int
	// Passed and Rewritten count executions of statements; a text of several
	// statements in the simple protocol counts once.
	Passed, Rewritten uint64
	// Refused counts refusals that the application got as errors, and Stale
	// statements that failed because their phase had ended.
	Refused, Stale uint64
	// Compared counts reads that were run both ways, Mismatched those of them that
	// differed; Skipped what was sampled and not compared, by the reason, and Dropped
	// what was sampled while too much was waiting already.
	Compared, Mismatched, Dropped uint64
	Skipped                       map[string]uint64
}

// counts are the counters of one connection. Only its user adds to them, so
// they cost no contention.
type counts struct {
	passed, rewritten, refused, stale atomic.Uint64
}

func (c *counts) sum() uint64 {
	return c.passed.Load() + c.rewritten.Load() + c.refused.Load() + c.stale.Load()
}

func (s *Stats) add(c *counts) {
	s.Passed += c.passed.Load()
	s.Rewritten += c.rewritten.Load()
	s.Refused += c.refused.Load()
	s.Stale += c.stale.Load()
}

func (s *Stats) join(o Stats) {
	s.Passed += o.Passed
	s.Rewritten += o.Rewritten
	s.Refused += o.Refused
	s.Stale += o.Stale
}

func (s *Stats) reads(r ledger.Reads) {
	s.Compared += uint64(r.Compared)
	s.Mismatched += uint64(r.Mismatched)
	s.Dropped += uint64(r.Dropped)
	for reason, n := range r.Skipped {
		s.Skipped[reason] += uint64(n)
	}
}

// Stats returns the counters as they are now.
func (h *Hook) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	stats := Stats{Connections: map[int]int{}, Skipped: map[string]uint64{}}
	for _, s := range h.servers {
		stats.join(s.retired)
		for _, t := range s.tallies.all() {
			stats.reads(t.snapshot())
		}
	}
	for c := range h.conns {
		stats.add(&c.counts)
		stats.Connections[c.epoch]++
	}
	return stats
}

// register takes an armed connection into the registry.
func (h *Hook) register(c *conn) {
	h.mu.Lock()
	if len(h.conns)%64 == 63 {
		h.sweep()
	}
	h.conns[c] = struct{}{}
	h.mu.Unlock()
	h.wake()
}

// unregister is for a connection that is about to be closed.
func (h *Hook) unregister(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(c)
}

// sweep drops what nobody unregistered: connections that were hijacked, broke,
// or failed after joining. h.mu is held.
func (h *Hook) sweep() {
	for c := range h.conns {
		if c.closed() {
			h.drop(c)
		}
	}
}

func (h *Hook) drop(c *conn) {
	if _, ok := h.conns[c]; ok {
		c.server.retired.add(&c.counts)
		c.server.lots.giveBack(c.lot)
		c.retire()
		if c.outdated() {
			c.server.recycled++
		}
		delete(h.conns, c)
	}
}

// alive returns the open connections.
func (h *Hook) alive() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	conns := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		conns = append(conns, c)
	}
	return conns
}
