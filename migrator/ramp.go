package migrator

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// RampStatus is how many of 100 connections read the targets in phase live.
type RampStatus struct {
	Name string `json:"name"`
	// Percent is in force once Phase is live.
	Percent int   `json:"percent"`
	Phase   Phase `json:"phase"`
}

// FullRamp is the ramp of a transition of which nobody has set one: all connections
// read the targets in phase live.
const FullRamp = ledger.FullRamp

// Ramp sets how many of 100 connections read the targets in phase live; the others
// read the sources. It is no new phase: applications follow within a second or two,
// and only connections whose side changes are opened anew. It may be set before live,
// so that live begins with it, and while another migrator is at work. Less than 100 is
// refused where the two sides need not read alike: a *GateError says why.
func (m *Migrator) Ramp(ctx context.Context, name string, percent int) (RampStatus, error) {
	r := RampStatus{Name: name}
	if !rampInRange(percent) {
		return r, fmt.Errorf("ramp of %q: %d is not from 0 to 100", name, percent)
	}
	err := m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		w.step = step{name: "ramp"}
		if err := w.rampable(ctx, percent); err != nil {
			return err
		}
		r.Percent, r.Phase = w.t.Ramp, w.t.Phase
		event := w.event("ramp", rampMove(w.t.Ramp, percent))
		if err := ledger.SetRamp(ctx, w.conn, w.t, percent, event); err != nil {
			return err
		}
		r.Percent = w.t.Ramp
		s.Logger.LogAttrs(ctx, slog.LevelInfo, "ramp set", slog.String(keyTransition, name), slog.Int(keyPercent, percent))
		return nil
	})
	return r, err
}

// rampMove says in the history how the ramp was moved.
func rampMove(before, after int) string {
	return fmt.Sprintf("%d -> %d of 100 connections read the target", before, after)
}

func rampInRange(percent int) bool { return 0 <= percent && percent <= FullRamp }

// rampable refuses a ramp where the sources cannot be read beside the targets.
func (w *work) rampable(ctx context.Context, percent int) error {
	d := w.t.Definition
	switch {
	case !d.Moves():
		return w.closed("run it: crossfade run "+w.t.Name, "it moves no column, so no read moves")
	case percent == FullRamp:
		return nil
	case Live.Before(w.t.Phase):
		return w.closed("roll back first: crossfade rollback "+w.t.Name+" --to live", "it is in phase %s, in which all reads go to the target", w.t.Phase)
	case len(d.Lossy) > 0:
		return w.closed("move its reads all at once, or declare a transform that loses nothing",
			"what one side says the other cannot (lossy: %v), so that reads would give now this, now that", d.Lossy)
	case w.t.Phase == Live:
		return equalityIsEnforced(ctx, w)
	}
	return nil
}

// rampIsFull: all connections read the targets already.
func rampIsFull(_ context.Context, w *work) error {
	if w.t.Ramp < FullRamp {
		return w.closed("raise it first, in as many steps as you like: crossfade ramp "+w.t.Name+" 100",
			"%d of 100 connections read the target", w.t.Ramp)
	}
	return nil
}
