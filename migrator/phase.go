package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Phase is one stage of a transition, as text. The zero value is none: that of a
// transition that moves no column. CanMoveTo, Next and Before compare two.
type Phase = phase.Phase

// The phases in the order of a rollout: who takes writes, who serves reads.
const (
	Off        = phase.Off        // writes source, reads source
	DualWrite  = phase.DualWrite  // writes both, reads source
	Shadow     = phase.Shadow     // writes both, reads source, a sample is compared
	Live       = phase.Live       // writes both, reads target, a sample is compared
	RampDown   = phase.RampDown   // writes both, reads target
	Complete   = phase.Complete   // writes target, reads target
	Contracted = phase.Contracted // as Complete; the source does not exist any more
	// Named comes after Contracted where the target takes the source's name: both
	// names mean the target.
	Named = phase.Named
)

// Phases lists the phases that every transition goes through, in the order of a
// rollout.
func Phases() []Phase { return phase.All() }

// ParsePhase reads a phase from its text.
func ParsePhase(s string) (Phase, error) { return phase.Parse(s) }

// Session is a session of the database, or a prepared transaction (PID 0, and its
// name in Prepared): who it is (User, Application, Client), what it does (State,
// Query, InTx, Waiting), for how long (Age, of its transaction, or of its state when
// it has none), and the Epoch that it joined under, -1 without the hook. Query is
// empty when it is hidden. String says all that in a line.
type Session = fence.Session

// HistoryEvent is one line of a transition's history: what happened (Event, Detail) and
// when (At, by the clock of the database), under which Epoch, by which Actor, and with
// which Evidence.
type HistoryEvent = ledger.Event

// Position is where a transition stands.
type Position struct {
	Name string `json:"name"`
	// Phase is the phase in force; empty when no column moves.
	Phase Phase `json:"phase,omitempty"`
	// Step is the last step that is wholly done; empty before the first.
	Step string `json:"step"`
	// Underway is the step that is being done or undone; empty between steps.
	Underway string `json:"underway,omitempty"`
	Epoch    int    `json:"epoch"`
	// Ended tells of a transition that moves no column that all its steps are done.
	Ended bool `json:"ended,omitempty"`
}

func position(t ledger.Transition) Position {
	p := Position{Name: t.Name, Phase: t.Phase, Step: t.Step, Underway: t.Underway, Epoch: t.Epoch}
	if !t.Definition.Moves() {
		all := wayOf(t.Definition)
		p.Phase, p.Ended = "", t.Underway == "" && len(all) > 0 && t.Step == all[len(all)-1].name
	}
	return p
}
