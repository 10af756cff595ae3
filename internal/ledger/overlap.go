package ledger

import (
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// OverlapError: an active transition has a hand on the same columns.
type OverlapError struct {
	// Other is the transition in the way, Phase where it stands.
	Other string
	Phase phase.Phase
	// Column is the column that both want, Why says what stands against it.
	Column string
	Why    string
	// Altered: the other one moves no column, so it has no phases.
	Altered bool
}

func (e *OverlapError) Error() string {
	if e.Altered {
		return fmt.Sprintf("%q %s transition %q, which has not been removed", e.Column, e.Why, e.Other)
	}
	return fmt.Sprintf("column %q %s transition %q, which is in phase %s", e.Column, e.Why, e.Other, e.Phase)
}

// Is makes it an ErrActive for those who only ask whether it may begin.
func (e *OverlapError) Is(target error) bool { return target == ErrActive }

// Overlap tells whether t can live beside a transition that is active: on one
// table their columns are disjoint, but for a chain, which moves on what an
// earlier transition has wholly moved. Nil when it can.
//
// A contracted transition still answers for the names of its sources: the hook
// goes on rewriting them, so they are no names for new columns. Where a target
// has taken the source's name, it answers for the one that the target had.
func Overlap(t, other Transition) *OverlapError {
	if t.ID == other.ID && t.ID != 0 {
		return nil
	}
	if !t.Definition.Moves() || !other.Definition.Moves() {
		return overlapAltered(t, other)
	}
	if t.Schema != other.Schema || t.Table != other.Table {
		return nil
	}
	conflict := func(column, why string) *OverlapError {
		return &OverlapError{Other: other.Name, Phase: other.Phase, Column: column, Why: why}
	}
	sources, targets := other.Definition.In(other.Phase).SourceNames(), other.Definition.In(other.Phase).TargetNames()
	for _, source := range t.Definition.SourceNames() {
		switch {
		case slices.Contains(sources, source):
			return conflict(source, "is a source of")
		case slices.Contains(targets, source) && !other.Settled():
			return conflict(source, "is still on its way as a target of")
		case slices.Contains(targets, source) && t.Definition.KeepName:
			return conflict(source, "can only keep its name when it is no target any more of")
		}
	}
	for _, target := range t.Definition.TargetNames() {
		switch {
		case slices.Contains(targets, target):
			return conflict(target, "is a target of")
		case slices.Contains(sources, target):
			return conflict(target, "bears the name of a source of")
		}
	}
	return nil
}
