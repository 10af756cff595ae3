package migrator

import (
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// StepState is how far a step is.
type StepState string

// The states of a step.
const (
	StepDone     StepState = "done"
	StepUnderway StepState = "underway"
	StepLeft     StepState = "left"
)

// StepStatus is one step of a transition's way.
type StepStatus struct {
	Name string `json:"name"`
	// Phase is the phase in which the step works; for a flip the one it leads to.
	// Empty when no column moves.
	Phase Phase `json:"phase,omitempty"`
	// Flip tells that the step moves the phase.
	Flip bool `json:"flip,omitempty"`
	// Act is "run" for the way to complete, "contract" for what follows it.
	Act     string    `json:"act"`
	Summary string    `json:"summary"`
	State   StepState `json:"state"`
	// Undoing tells of a step that is under way that it is being undone.
	Undoing bool `json:"undoing,omitempty"`
	// At is when it was done, or when it began if it is under way; nil when the
	// history does not say.
	At *time.Time `json:"at,omitempty"`
}

// steps lists the way of a transition; empty for a kind that this program does
// not know.
func (w *work) steps(history []ledger.Event) []StepStatus {
	list := make([]StepStatus, 0, len(w.way))
	done, underway, err := w.standing()
	if err != nil {
		return list
	}
	for i, s := range w.way {
		status := StepStatus{Name: s.name, Phase: s.phase, Flip: s.flip, Act: "run", Summary: s.summary, State: StepLeft}
		if s.contract {
			status.Act = "contract"
		}
		if !w.t.Definition.Moves() {
			status.Phase = ""
		}
		switch {
		case i <= done:
			status.State = StepDone
			if e, found := lastOf(history, s.name, "done"); found {
				status.At = &e.At
			}
		case underway && i == done+1:
			status.State = StepUnderway
			if e, found := lastOf(history, s.name, "begin", "undo"); found {
				status.Undoing, status.At = strings.HasSuffix(e.Event, "undo"), &e.At
			}
		}
		list = append(list, status)
	}
	return list
}

// lastOf is the last event about a step that is one of those named, or resumes one.
func lastOf(history []ledger.Event, step string, events ...string) (last ledger.Event, found bool) {
	for _, e := range history {
		for _, name := range events {
			if e.Detail == step && strings.TrimPrefix(e.Event, "resume ") == name {
				last, found = e, true
			}
		}
	}
	return last, found
}
