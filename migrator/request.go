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
	if err := requestable(r.Phase); err != nil {
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
		status, err = w.request(ctx, r)
		return err
	})
	return status, err
}

// requestable refuses phases that no request may ask for.
func requestable(p Phase) error {
	_, err := stage(string(p))
	return err
}

func (w *work) request(ctx context.Context, r Request) (RequestStatus, error) {
	if !w.t.Definition.Moves() {
		return RequestStatus{}, fmt.Errorf("request for %q: it moves no column, so it has steps and no phases (hint: crossfade run %s)", w.t.Name, w.t.Name)
	}
	event := w.event("request", string(r.Phase))
	if r.Key != "" {
		event.Detail += ", by flag " + r.Key
	}
	event.Evidence = map[string]any{}
	for key, value := range map[string]string{"flag": r.Key, "variant": r.Variant, "reason": r.Reason, "provider": r.Provider} {
		if value != "" {
			event.Evidence[key] = value
		}
	}
	return ledger.SetRequest(ctx, w.conn, *w.t, ledger.Request{
		Phase: r.Phase, Flag: r.Key, Variant: r.Variant, Reason: r.Reason, Provider: r.Provider,
	}, event)
}
