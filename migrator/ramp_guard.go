package migrator

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// readsWindow is what the hooks had reported of one phase at some moments.
type readsWindow struct {
	epoch int
	looks []readsLook
}

type readsLook struct {
	at   time.Time
	each map[string]ledger.Reads
}

// add takes a look, and returns what was counted since the oldest one within the
// window, and since the phase began. The first look of a phase shows nothing: what was counted before may be
// what somebody has dealt with.
func (w *readsWindow) add(epoch int, each map[string]ledger.Reads, window time.Duration, now time.Time) (lately, all ledger.Reads) {
	if epoch != w.epoch {
		*w = readsWindow{epoch: epoch}
	}
	for len(w.looks) > 1 && now.Sub(w.looks[1].at) >= window {
		w.looks = w.looks[1:] // the oldest one stays before the window
	}
	w.looks = append(w.looks, readsLook{now, each})
	for instance, r := range each {
		all.Add(r)
		lately.Add(r.Since(w.looks[0].each[instance]))
	}
	return lately, all
}

// stepBack is the event of the history.
const stepBack = "step back"

// guard sets the ramp to 0 if the reads of phase live have passed a limit: then it
// returns a *StepBackError. Until somebody sets it again it stays there.
func (w *work) guard(ctx context.Context, window *readsWindow) error {
	if w.t.Phase != Live || w.t.Removed || !w.t.Definition.Moves() {
		*window = readsWindow{}
		return nil
	}
	each, err := ledger.ReadsOf(ctx, w.conn, *w.t)
	if err != nil {
		return err
	}
	if w.t.Ramp == 0 {
		*window = readsWindow{} // what comes after it begins anew
		return nil
	}
	reads, all := window.add(w.t.Epoch, each, w.RampLimits.Window, time.Now())
	why := w.RampLimits.passed(reads, all)
	if why == "" {
		return nil
	}
	back := StepBackEvent{Transition: w.t.Name, Ramp: w.t.Ramp, Why: why}
	event := w.event(stepBack, rampMove(back.Ramp, 0)+"; "+why)
	event.Evidence = map[string]any{"reads": reads, "ramp": back.Ramp, "why": why}
	if err := ledger.SetRamp(ctx, w.conn, w.t, 0, event); err != nil {
		if errors.Is(err, ledger.ErrMoved) {
			return nil // it is in another phase by now
		}
		return err
	}
	w.Logger.LogAttrs(ctx, slog.LevelWarn, "reads have gone back to the source", slog.String(keyTransition, w.t.Name), slog.String(keyReason, why))
	w.observe(back)
	*window = readsWindow{}
	return &StepBackError{back}
}

// GuardReads looks at the reads of a transition in phase live until ctx ends, and lets
// them go back to the source when they pass a limit of Config.RampLimits: that is a
// *StepBackError, also when another guard was first. Before live it waits. It returns
// nil when there is nothing to go back from: the ramp is 0, or the phase one after
// live. every is the time between two looks; 0 means 2 s. A connection that is lost is
// opened again.
func (m *Migrator) GuardReads(ctx context.Context, name string, every time.Duration) error {
	if every <= 0 {
		every = 2 * time.Second
	}
	g := &guarding{name: name, every: every}
	for {
		lost := true
		err := m.look(ctx, func(s *session) error {
			defer func() { lost = s.conn.IsClosed() }()
			return g.run(ctx, s)
		})
		if err == nil || ctx.Err() != nil || !lost || !g.begun {
			return err
		}
		m.config.Logger.LogAttrs(ctx, slog.LevelWarn, "the guard of reads goes on with another connection",
			slog.String(keyTransition, name), slog.Any(keyError, err))
		if err := sleep(ctx, every); err != nil {
			return err
		}
	}
}

// guarding is what one GuardReads knows.
type guarding struct {
	name   string
	every  time.Duration
	window readsWindow
	// begun: it has had a connection. ramped: it has seen reads of the target.
	begun, ramped bool
}

// run looks again and again, on one connection.
func (g *guarding) run(ctx context.Context, s *session) error {
	if err := ledger.Check(ctx, s.conn); err != nil {
		return err
	}
	for marked := false; ; {
		w, err := s.begin(ctx, g.name)
		if err != nil {
			return err
		}
		g.begun = true
		switch {
		case Live.Before(w.t.Phase):
			return nil
		case w.t.Phase == Live && w.t.Ramp == 0:
			return g.atZero(ctx, w)
		}
		g.ramped = g.ramped || w.t.Phase == Live
		if err := w.guard(ctx, &g.window); err != nil {
			return err
		}
		if !marked { // now it has looked: what is counted from here on counts
			if err := fence.Guard(ctx, s.conn, w.t.ID); err != nil {
				return err
			}
			marked = true
		}
		if err := sleep(ctx, g.every); err != nil {
			return err
		}
	}
}

// atZero tells whether somebody has set the ramp to 0 or a guard has: another one, or
// this one before it lost its connection.
func (g *guarding) atZero(ctx context.Context, w *work) error {
	if !g.ramped {
		return nil
	}
	history, err := ledger.History(ctx, w.conn, w.t.ID)
	if err != nil {
		return err
	}
	e := lastRamp(history)
	if e.Event != stepBack {
		return nil
	}
	back := StepBackEvent{Transition: g.name}
	back.Why, _ = e.Evidence["why"].(string)
	if ramp, ok := e.Evidence["ramp"].(float64); ok {
		back.Ramp = int(ramp)
	}
	return &StepBackError{back}
}

// lastRamp is the last event that has set the ramp; a zero one when none has.
func lastRamp(history []HistoryEvent) HistoryEvent {
	for _, e := range slices.Backward(history) {
		if e.Event == stepBack || e.Event == "ramp" {
			return e
		}
	}
	return HistoryEvent{}
}
