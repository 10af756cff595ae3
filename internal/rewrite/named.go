package rewrite

import (
	"errors"
	"maps"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// named is the transition as it is when the target bears the source's name: a
// rename of the target to that name. What the source left behind it keeps: its
// place, and the value of a row that an INSERT gives none, which the target may
// not have as its DEFAULT.
func (tr Transition) named(r *Rewriter) (Transition, error) {
	if !tr.KeepName || len(tr.Sources) != 1 || len(tr.Targets) != 1 {
		return tr, errors.New("it keeps no name")
	}
	before := tr
	before.Phase = phase.Contracted
	m, err := newMove(before, r)
	if err != nil {
		return tr, err
	}
	tr.Move = tr.Named()
	if target := m.targets[0]; tr.Sources[0].Default == "" && (m.sources[0].Default != "" || target.fills) {
		tr.Sources[0].Default, _ = target.absent.text()
	}
	// The counterparts of constraints have taken their names as well.
	constraints := map[string]Counterpart{}
	for name, counterpart := range maps.All(tr.Constraints) {
		if counterpart.Constraint == "" {
			constraints[name] = counterpart
			continue
		}
		constraints[counterpart.Constraint] = Counterpart{Constraint: name}
	}
	tr.Constraints = constraints
	return tr, nil
}
