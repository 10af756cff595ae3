package console

import "time"

// Meter tells how fast a count grows lately. The zero value is ready.
type Meter struct {
	at    time.Time
	count int64
	rate  float64
	known bool
}

// meterStep is the shortest time over which a speed means something.
const meterStep = 200 * time.Millisecond

// meterWeight is what a step of one second counts against all before it.
const meterWeight = 0.3

// Add notes the count at a time.
func (m *Meter) Add(now time.Time, count int64) {
	if m.at.IsZero() || count < m.count {
		*m = Meter{at: now, count: count}
		return
	}
	passed := now.Sub(m.at)
	if passed < meterStep {
		return
	}
	rate := float64(count-m.count) / passed.Seconds()
	if weight := min(1, meterWeight*passed.Seconds()); m.known {
		rate = weight*rate + (1-weight)*m.rate
	}
	m.at, m.count, m.rate, m.known = now, count, rate, true
}

// Rate is the speed per second; false until two counts are known.
func (m *Meter) Rate() (float64, bool) { return m.rate, m.known }

// Left is how long it takes to get to total; false when that cannot be said.
func (m *Meter) Left(total int64) (time.Duration, bool) {
	if !m.known || m.rate <= 0 || total <= m.count {
		return 0, false
	}
	return time.Duration(float64(total-m.count) / m.rate * float64(time.Second)), true
}
