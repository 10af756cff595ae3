package dualwrite

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// world is what rewriting knows of a database in one epoch. The connections
// that join under it share it, and so its translators.
type world struct {
	hook     *Hook
	epoch    int
	view     fence.View // of the connection that read it: all but the search_path
	snapshot catalog.Snapshot
	// confirmed is when the catalog was last found to be like snapshot, in
	// nanoseconds since the hook was made.
	confirmed atomic.Int64
	// superseded: the catalog has changed within the epoch.
	superseded atomic.Bool
	// doubted: a statement has failed for a column that was there. The next look
	// at the catalog decides; where that shows nothing new, the world is vindicated,
	// and not doubted again.
	doubted, vindicated atomic.Bool

	// reading is that of connections which read what the phases say; the others are
	// in readings.
	reading
	readings sync.Map

	// called has the functions whose calls have been reported.
	called sync.Map
}

func newWorld(h *Hook, view fence.View, snapshot catalog.Snapshot) (*world, error) {
	w := &world{hook: h, epoch: view.Epoch, view: view, snapshot: snapshot}
	w.confirmed.Store(int64(h.uptime()))
	return w, w.fill(w, "")
}

// catalog is what rewriting goes by where the phases are those of view.
func (w *world) catalog(view fence.View) rewrite.Catalog {
	config := w.hook.config
	c := w.snapshot.Catalog(view, rewrite.Stars(config.Stars))
	c.OpaqueText, c.OpaqueCalls = rewrite.Policy(config.OpaqueText), rewrite.Policy(config.OpaqueCalls)
	return c
}

// news tells whether a report has not been made before. Those of calls are about
// the function, and made once.
func (w *world) news(r *rewrite.Refusal) bool {
	if r.Function == (rewrite.Name{}) {
		return true
	}
	_, before := w.called.LoadOrStore(r.Function, true)
	return !before
}

// fresh tells whether w can be relied on without another look.
func (w *world) fresh(view fence.View) bool {
	return w.is(view) && !w.doubted.Load() && w.hook.uptime()-time.Duration(w.confirmed.Load()) < w.hook.config.DriftInterval
}

// is tells whether w is for what a connection has joined under. An epoch alone
// does not say: after a failover that lost some, its number comes again.
func (w *world) is(view fence.View) bool {
	return w != nil && w.epoch == view.Epoch && reflect.DeepEqual(w.view.Transitions, view.Transitions)
}

// confirms tells whether another look has shown nothing new.
func (w *world) confirms(view fence.View, snapshot catalog.Snapshot) bool {
	if !w.is(view) || w.snapshot.Fingerprint != snapshot.Fingerprint {
		return false
	}
	w.confirm()
	return true
}

func (w *world) confirm() {
	w.confirmed.Store(int64(w.hook.uptime()))
	if w.doubted.Swap(false) {
		w.vindicated.Store(true)
	}
}

// doubt makes the next connection look at the catalog. False: that has shown
// nothing new before.
func (w *world) doubt() bool {
	if w.vindicated.Load() {
		return false
	}
	w.doubted.Store(true)
	return true
}
