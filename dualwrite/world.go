package dualwrite

import (
	"reflect"
	"strings"
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

	// adrift is for sessions whose search_path is not known: names that rest on
	// it are refused.
	adrift *translator

	// called has the functions whose calls have been reported.
	called sync.Map

	mu sync.Mutex // guards what follows
	// translators by the search_path they resolve names with.
	translators map[string]*translator
}

// keepTranslators bounds how many search_paths have a translator at a time.
const keepTranslators = 64

func newWorld(h *Hook, view fence.View, snapshot catalog.Snapshot) (*world, error) {
	w := &world{hook: h, epoch: view.Epoch, view: view, snapshot: snapshot, translators: map[string]*translator{}}
	w.confirmed.Store(int64(h.uptime()))
	c := w.catalog()
	c.PathUnknown = true
	var err error
	if w.adrift, err = newTranslator(c); err != nil {
		return nil, err
	}
	w.adrift.rewrites = h.rewrites
	return w, nil
}

func (w *world) catalog() rewrite.Catalog {
	config := w.hook.config
	c := w.snapshot.Catalog(w.view, rewrite.Stars(config.Stars))
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
	return w.is(view) && w.hook.uptime()-time.Duration(w.confirmed.Load()) < w.hook.config.DriftInterval
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

func (w *world) confirm() { w.confirmed.Store(int64(w.hook.uptime())) }

// under returns the translator for sessions of that search_path.
func (w *world) under(path []string) (*translator, error) {
	key := strings.Join(path, "\x00")
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.translators[key]; ok {
		return t, nil
	}
	c := w.catalog()
	c.SearchPath = path
	t, err := w.adrift.beside(c)
	if err != nil {
		return nil, err
	}
	for other := range w.translators {
		if len(w.translators) < keepTranslators {
			break
		}
		delete(w.translators, other) // any; who has it keeps it
	}
	w.translators[key] = t
	return t, nil
}
