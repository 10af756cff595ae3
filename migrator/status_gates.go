package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// GateState is what is known of a gate.
type GateState string

// The states of a gate.
const (
	GateOpen   GateState = "open"
	GateClosed GateState = "closed"
	// GateLater: steps before the flip see to it, or looking would take locks or
	// time, so that the flip itself looks.
	GateLater GateState = "later"
)

// GateStatus is a condition of the next flip forward.
type GateStatus struct {
	// Step is the flip.
	Step  string    `json:"step"`
	Gate  string    `json:"gate"`
	State GateState `json:"state"`
	// Forcible: Force may name it.
	Forcible bool `json:"forcible,omitempty"`
	// Why says what does not hold, Hint what to do about it.
	Why  string `json:"why,omitempty"`
	Hint string `json:"hint,omitempty"`
}

// gates looks at the gates of the next flip forward, once it is that flip's turn;
// those that can only be tried are left to the flip. It changes nothing.
func (w *work) gates(ctx context.Context, steps []StepStatus) ([]GateStatus, error) {
	next := slices.IndexFunc(steps, func(s StepStatus) bool { return s.State != StepDone })
	if w.t.Removed || next < 0 || steps[next].Undoing {
		return nil, nil
	}
	flip := next + slices.IndexFunc(steps[next:], func(s StepStatus) bool { return s.Flip })
	if flip < next || w.t.Phase == w.way[flip].phase { // moved, and draining
		return nil, nil
	}
	w.step = w.way[flip]
	var list []GateStatus
	for _, g := range gates[edge{w.step.from, w.step.phase}] {
		status := GateStatus{Step: w.step.name, Gate: g.name, Forcible: g.forcible, State: GateLater}
		if flip == next && !g.tries {
			if err := w.lookAt(ctx, g, &status); err != nil {
				return nil, err
			}
		}
		list = append(list, status)
	}
	return list, nil
}

// lookAt asks a gate. What fails for another reason than the gate's is unknown.
func (w *work) lookAt(ctx context.Context, g gate, status *GateStatus) error {
	err := g.check(ctx, w)
	var closed *GateError
	switch {
	case err == nil:
		status.State = GateOpen
	case errors.As(err, &closed):
		status.State, status.Why, status.Hint = GateClosed, closed.Why, closed.Hint
	case w.conn.IsClosed() || ctx.Err() != nil:
		return fmt.Errorf("look at gate %s: %w", g.name, err)
	default:
		status.Why = "it cannot be looked at: " + err.Error()
	}
	return nil
}
