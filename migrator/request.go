package migrator

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Request is what a feature flag, or somebody else, asks for.
type Request struct {
	// Phase is the phase to lead the transition to, off to complete.
	Phase Phase
	// Ramp is how many of 100 connections are to read the targets in phase live. It is
	// set once, before live begins where that is still to come, and refused with
	// another phase. Nil leaves it alone; once a request has brought one, it means 100.
	Ramp *int
	// Reason says why; a flag system has words for it, such as TARGETING_MATCH.
	Reason string
	// Variant is what the flag said, Key the flag, Provider who evaluated it. They
	// are for people, and empty where no flag asks.
	Variant, Key, Provider string
}

// RequestStatus is what is asked of a transition, and what that waits for.
type RequestStatus = ledger.Request

// Request writes down which phase a transition should be led to, and the history
// keeps each change. Nothing moves by it: Follow grants it, one step at a time. It
// may be called while another migrator is at work.
func (m *Migrator) Request(ctx context.Context, name string, r Request) (status RequestStatus, err error) {
	asked := ledger.Request{Phase: r.Phase, Ramp: r.Ramp, Flag: r.Key, Variant: r.Variant, Reason: r.Reason, Provider: r.Provider}
	if asked.Phase, asked.Ramp, err = stage(asked.Stage()); err != nil {
		return status, fmt.Errorf("request for %q: %w", name, err)
	}
	err = m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		status, err = w.request(ctx, asked)
		return err
	})
	return status, err
}

func (w *work) request(ctx context.Context, r ledger.Request) (RequestStatus, error) {
	if !w.t.Definition.Moves() {
		return RequestStatus{}, fmt.Errorf("request for %q: it moves no column, so it has steps and no phases (hint: crossfade run %s)", w.t.Name, w.t.Name)
	}
	event := w.event("request", r.Stage())
	if r.Flag != "" {
		event.Detail += ", by flag " + r.Flag
	}
	event.Evidence = map[string]any{}
	for key, value := range map[string]string{"flag": r.Flag, "variant": r.Variant, "reason": r.Reason, "provider": r.Provider} {
		if value != "" {
			event.Evidence[key] = value
		}
	}
	return ledger.SetRequest(ctx, w.conn, *w.t, r, event)
}
