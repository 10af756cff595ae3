package statuspage

import (
	"math"
	"slices"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// point is what one look has measured; NaN is unknown.
type point struct {
	at time.Time
	// job is the scan under way, rows how many it had looked at, rate what it does
	// in a second.
	job        string
	rows, rate float64
	// lag and backlog are those of the follower of the log, in seconds and bytes.
	lag, backlog float64
	// waiting are those that a drain waits for.
	waiting float64
	// Of the database: sessions by what they know.
	current, older, unhooked float64
}

// series are the points of a transition, or of the database, oldest first. It is
// never changed, only followed by another one.
type series []point

// ofDatabase is no name that a transition can have.
const ofDatabase = ""

// rateSpan is the time over which a rate is taken: batches end now and then.
const rateSpan = 10 * time.Second

// remember adds a look to what is known, and forgets what is older than the window
// or of a transition that is gone.
func (p *Page) remember(past map[string]series, now state) map[string]series {
	next := map[string]series{}
	add := func(name string, x point) {
		known := past[name]
		known = known[first(known, now.at.Add(-p.config.Window)):]
		next[name] = append(slices.Clip(known), x)
	}
	for _, s := range now.list {
		add(s.Name, measure(past[s.Name], s, now.at))
	}
	add(ofDatabase, count(now))
	return next
}

// first is the index of the first point that is not before t.
func first(s series, t time.Time) int {
	i, _ := slices.BinarySearchFunc(s, t, func(p point, t time.Time) int { return p.at.Compare(t) })
	return i
}

// measure takes the figures of a transition.
func measure(past series, s migrator.Status, at time.Time) point {
	x := point{at: at, rows: math.NaN(), rate: math.NaN(), lag: math.NaN(), backlog: math.NaN()}
	for _, j := range s.Jobs {
		if !j.Finished {
			x.job, x.rows = j.Job, float64(j.RowsScanned)
		}
	}
	for _, before := range past[first(past, at.Add(-rateSpan)):] {
		if x.job != "" && before.job == x.job && before.rows <= x.rows {
			x.rate = (x.rows - before.rows) / at.Sub(before.at).Seconds()
			break
		}
	}
	if t := s.Tail; t != nil && t.Slot != "" && t.NotedAgo != nil {
		x.lag, x.backlog = t.Lag.Seconds(), float64(t.LagBytes)
	}
	if s.Drain != nil {
		x.waiting = float64(len(s.Drain.Waiting))
	}
	return x
}

// count counts the sessions of this server by what they know.
func count(now state) point {
	x := point{at: now.at}
	if len(now.list) == 0 {
		return x
	}
	newest := newestEpoch(now.list)
	for _, e := range now.list[0].Sessions {
		switch {
		case e.Epoch < 0:
			x.unhooked += float64(e.Count)
		case e.Epoch < newest:
			x.older += float64(e.Count)
		default:
			x.current += float64(e.Count)
		}
	}
	return x
}

// newestEpoch is the last one that a transition has begun.
func newestEpoch(list []migrator.Status) int {
	newest := 0
	for _, s := range list {
		newest = max(newest, s.Epoch)
	}
	return newest
}
