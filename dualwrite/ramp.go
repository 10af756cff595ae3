package dualwrite

import (
	"maps"
	"math"
	"math/rand/v2"
	"sync"
)

// ramps are, by a transition's id, how many of 100 connections read its targets in
// phase live. They are not changed once a server has them; nil is none.
type ramps struct{ percent map[int64]int }

func (r *ramps) of(id int64) (percent int, ramped bool) {
	if r == nil {
		return 0, false
	}
	percent, ramped = r.percent[id]
	return percent, ramped
}

// ramp takes note of the ramps in force. Connections that read the wrong side by now
// make way, as after a flip.
func (s *server) ramp(percent map[int64]int) *ramps {
	s.mu.Lock()
	known := s.ramps.Load()
	if known != nil && maps.Equal(known.percent, percent) || known == nil && len(percent) == 0 {
		s.mu.Unlock()
		return known
	}
	now := &ramps{percent}
	s.ramps.Store(now)
	s.changed.Store(int64(s.hook.uptime()))
	s.mu.Unlock()
	s.hook.wake()
	return now
}

// misplaced tells whether the connection reads another side than it should by now.
func (c *conn) misplaced() bool {
	now := c.server.ramps.Load()
	return now != c.ramps && !c.world.reads(now, c.lot, c.reading.sources)
}

// lots are the places of a server's connections in the ramps, from 0 to 100. One
// that is closed leaves its lot to the next one that opens. So a ramp that rises
// takes nobody's target away, and only those reconnect whose side changes.
type lots struct {
	mu    sync.Mutex // guards what follows
	free  []float64
	start float64
	drawn int
}

func newLots() lots { return lots{start: rand.Float64()} }

// draw spreads the lots evenly however few there are: each falls into the largest
// gap that is left, by the golden ratio.
func (l *lots) draw() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		lot := l.free[n-1]
		l.free = l.free[:n-1]
		return lot
	}
	_, place := math.Modf(l.start + float64(l.drawn)*(math.Phi-1))
	l.drawn++
	return 100 * place
}

// keepLots bounds the memory of a server that once had many connections.
const keepLots = 4096

func (l *lots) giveBack(lot float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) < keepLots {
		l.free = append(l.free, lot)
	}
}
