package dualwrite

import (
	"slices"
	"strings"
	"sync"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// reading is a world as connections of one lot see it. In phase live some of them
// read the source: they behave as in phase shadow, under the token of live. That is
// right, as in both phases all writes reach both sides, and a constraint holds them
// consistent.
type reading struct {
	world *world
	// view differs from the world's in phases.
	view fence.View
	// sources has a byte for each transition: 's' where the source is read instead of
	// the target. It is empty when there is none.
	sources string

	// adrift is for sessions whose search_path is not known: names that rest on
	// it are refused.
	adrift *translator

	mu sync.Mutex // guards what follows
	// translators by the search_path they resolve names with.
	translators map[string]*translator
}

// keepTranslators bounds how many search_paths have a translator at a time.
const keepTranslators = 64

func (r *reading) fill(w *world, sources string) error {
	r.world, r.view, r.sources, r.translators = w, w.view, sources, map[string]*translator{}
	r.view.Transitions = slices.Clone(w.view.Transitions)
	for i := range sources {
		if sources[i] == readsSource {
			r.view.Transitions[i].Phase = phase.Shadow
		}
	}
	c := w.catalog(r.view)
	c.PathUnknown = true
	if w.adrift != nil {
		var err error
		r.adrift, err = w.adrift.beside(c)
		return err
	}
	var err error
	if r.adrift, err = newTranslator(c); err == nil {
		r.adrift.rewrites = w.hook.rewrites
	}
	return err
}

const (
	readsSource = 's'
	readsTarget = 't'
)

// read returns the reading of connections with that lot.
func (w *world) read(ramps *ramps, lot float64) (*reading, error) {
	if w.reads(ramps, lot, "") {
		return &w.reading, nil
	}
	sources := make([]byte, len(w.view.Transitions))
	for i := range sources {
		sources[i] = w.side(ramps, lot, i)
	}
	if r, ok := w.readings.Load(string(sources)); ok {
		return r.(*reading), nil
	}
	r := &reading{}
	if err := r.fill(w, string(sources)); err != nil {
		return nil, err
	}
	known, _ := w.readings.LoadOrStore(string(sources), r)
	return known.(*reading), nil
}

// reads tells whether sources is what connections with that lot read.
func (w *world) reads(ramps *ramps, lot float64, sources string) bool {
	for i := range w.view.Transitions {
		side := byte(readsTarget)
		if sources != "" {
			side = sources[i]
		}
		if w.side(ramps, lot, i) != side {
			return false
		}
	}
	return true
}

// side is what connections with that lot read of the i-th transition; readsTarget
// also where that is not the ramp's to say.
func (w *world) side(ramps *ramps, lot float64, i int) byte {
	t := &w.view.Transitions[i]
	if percent, ramped := ramps.of(t.ID); ramped && t.Phase == phase.Live && lot >= float64(percent) {
		return readsSource
	}
	return readsTarget
}

// under returns the translator for sessions of that search_path.
func (r *reading) under(path []string) (*translator, error) {
	key := strings.Join(path, "\x00")
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.translators[key]; ok {
		return t, nil
	}
	c := r.world.catalog(r.view)
	c.SearchPath = path
	t, err := r.adrift.beside(c)
	if err != nil {
		return nil, err
	}
	for other := range r.translators {
		if len(r.translators) < keepTranslators {
			break
		}
		delete(r.translators, other) // any; who has it keeps it
	}
	r.translators[key] = t
	return t, nil
}
