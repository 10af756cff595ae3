package dependents

import (
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Carried tells whether a dependent of the sources has by live what it gets on
// the targets, of which targets lists what hangs there.
func Carried(m transform.Move, d ledger.Dependent, targets []ledger.Dependent) bool {
	if len(d.Changes) == 0 {
		return true // it is in somebody else's hands
	}
	switch d.Kind {
	case Check:
		twin, found := Find(targets, ledger.Dependent{Kind: Check, Schema: d.Schema, Relation: d.Relation, Name: d.Counterpart})
		unchecked := strings.HasSuffix(twin.Definition, " NOT VALID")
		return found && (!unchecked || strings.HasSuffix(d.Definition, " NOT VALID"))
	case Statistics:
		_, found := Find(targets, ledger.Dependent{Kind: Statistics, Schema: d.Schema, Relation: d.Counterpart})
		return found
	case Settings:
		return settingsCarried(m, d, targets)
	case Trigger:
		_, found := Find(targets, d)
		return found || len(d.Changes[StepConstrain].Do) == 0
	}
	return true // it goes over later
}

// settingsCarried: each target has what its source has, as far as it moves along.
func settingsCarried(m transform.Move, d ledger.Dependent, targets []ledger.Dependent) bool {
	for _, c := range m.Targets {
		has, _ := Find(targets, ledger.Dependent{Kind: Settings, Schema: d.Schema, Relation: d.Relation, Name: c.Name})
		there := strings.Split(has.Definition, "\n")
		for _, line := range strings.Split(d.Definition, "\n") {
			grant := strings.HasPrefix(line, "grant ")
			ofType := strings.HasPrefix(line, "storage ") || strings.HasPrefix(line, "compression ")
			if d.Counterpart == "" && !grant || ofType && !m.Identity() {
				continue
			}
			if !slices.Contains(there, line) {
				return false
			}
		}
	}
	return true
}

// Stale tells whether a dependent that still hangs on the sources, as now says,
// would be wrong once nobody writes them.
func Stale(was, now ledger.Dependent) bool {
	switch was.Kind {
	case Settings, Statistics, Index:
		return false // about the source alone, and dropped with it; unique indexes have a gate
	case Trigger:
		// Its list names both sides until contract; its condition must have changed.
		return len(was.Changes[StepRelease].Do) > 0 && was.Definition == now.Definition
	}
	return true
}
