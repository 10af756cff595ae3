package dualwrite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
)

// server is what the hook knows of one database at one address.
type server struct {
	hook              *Hook
	address, database string

	mu    sync.Mutex   // makes changes of epoch one by one
	epoch atomic.Int64 // in force, as far as anybody in this process has seen
	// ended is the last epoch of which a token is known to be gone, or somebody
	// waits for the end: it is of no use to go on with it.
	ended atomic.Int64
	// changed is when the epoch or the catalog was found to have changed last,
	// in nanoseconds since the hook was made.
	changed atomic.Int64

	// reading holds a token while a connection reads the catalog: when many
	// open after a flip, one reads for all.
	reading chan struct{}
	current atomic.Pointer[world]

	tallies  tallies
	refusals refusals
	ramps    atomic.Pointer[ramps]
	lots     lots

	// Guarded by the hook's lock: what the connections counted that have been
	// closed, and how many of those were outdated.
	retired  Stats
	recycled uint64
}

func newServer(h *Hook, address, database string) *server {
	s := &server{hook: h, address: address, database: database, reading: make(chan struct{}, 1), lots: newLots()}
	s.ended.Store(-1)
	return s
}

func (s *server) event(e Event) {
	e.Server = s.address + "/" + s.database
	s.hook.config.OnEvent(e)
}

func (s *server) known() int { return int(s.epoch.Load()) }

// sinceChange is how long connections have had to make way.
func (s *server) sinceChange() time.Duration {
	return s.hook.uptime() - time.Duration(s.changed.Load())
}

// raise takes note of an epoch that somebody has seen.
func (s *server) raise(epoch int) {
	s.set(epoch, func(known int) bool { return epoch > known })
}

// end takes note that the token of a phase of that epoch is gone. The ledger
// raises the epoch with every move, and drops a token only after one: what is
// in force is at least the next epoch. Joining finds out which it is, and
// whether it is lower after all.
func (s *server) end(epoch int) {
	s.mu.Lock()
	s.ended.Store(max(s.ended.Load(), int64(epoch)))
	s.mu.Unlock()
	s.raise(epoch + 1)
}

// hurry takes note of an epoch in which a flip is held: those who join wait
// until the connections of older ones are gone, so these make way at once.
func (s *server) hurry(epoch int) {
	s.mu.Lock()
	s.ended.Store(max(s.ended.Load(), int64(epoch)-1))
	s.mu.Unlock()
	s.raise(epoch)
	s.hook.wake()
}

// lower takes note that the epoch is lower than the one known before: a backup
// was restored, or another server answers at this address.
func (s *server) lower(from, to int) {
	s.set(to, func(known int) bool { return known == from })
}

func (s *server) set(epoch int, allowed func(known int) bool) {
	s.mu.Lock()
	ok := allowed(s.known())
	if ok {
		s.changed.Store(int64(s.hook.uptime()))
		s.epoch.Store(int64(epoch))
		s.ended.Store(min(s.ended.Load(), int64(epoch)-1))
	}
	s.mu.Unlock()
	if ok {
		s.event(Event{Kind: EpochChanged, Epoch: epoch})
		s.hook.wake()
	}
}

// joinAttempts is how often a connection looks again when it finds a lower
// epoch than the one known, before it believes it.
const joinAttempts = 3

// join makes a fresh connection a member of the epoch in force.
func (s *server) join(ctx context.Context, pc *pgconn.PgConn) (fence.View, error) {
	for attempt := 1; ; attempt++ {
		known := s.known()
		view, err := fence.JoinHeld(ctx, pc, s.hurry)
		if err != nil {
			return fence.View{}, err
		}
		if view.Epoch >= known || attempt == joinAttempts {
			if view.Epoch < known {
				s.lower(known, view.Epoch)
			}
			s.raise(view.Epoch)
			s.ramp(view.Ramps)
			return view, nil
		}
		// Either the epoch rose meanwhile, or it has really fallen.
		if err := fence.Leave(ctx, pc, view); err != nil {
			return fence.View{}, err
		}
		if err := pause(ctx, time.Duration(attempt)*50*time.Millisecond); err != nil {
			return fence.View{}, err
		}
	}
}

// learn returns what rewriting needs to know of the database, as it is now or
// was at most Config.DriftInterval ago. It reads it through pc if need be.
func (s *server) learn(ctx context.Context, pc *pgconn.PgConn, view fence.View) (*world, error) {
	select {
	case s.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	changed := false
	defer func() {
		<-s.reading
		if changed { // now: who is told may want a connection
			s.event(Event{Kind: CatalogChanged, Epoch: view.Epoch})
			s.hook.wake()
		}
	}()
	before := s.current.Load()
	if before.fresh(view) {
		return before, nil
	}
	if before.is(view) {
		current, err := before.snapshot.Current(ctx, pc)
		if err != nil {
			return nil, err
		}
		if current {
			before.confirm()
			return before, nil
		}
	}
	snapshot, err := catalog.Read(ctx, pc, view)
	if err != nil {
		return nil, err
	}
	if before.confirms(view, snapshot) {
		return before, nil
	}
	w, err := newWorld(s.hook, view, snapshot)
	if err != nil {
		return nil, err
	}
	if before != nil && w.epoch < before.epoch && w.epoch < s.known() {
		return w, nil // it joined just before a flip: nobody else will need this
	}
	s.current.Store(w)
	if before != nil && before.epoch == w.epoch {
		before.superseded.Store(true)
		s.changed.Store(int64(s.hook.uptime()))
		changed = true
	}
	return w, nil
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
