package migrator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Force lets a transition pass gates that do not hold. Only gates that ask for
// prudence can be forced: "plan-regression", "reads-agree", "replica-lag" and
// "standby-readers". The others stand between a row and its loss, and no reason is
// good enough for that.
type Force struct {
	// Gates are the names of the gates, as a *GateError gives them.
	Gates []string
	// Reason says why; it is required, and goes to the history with the gate,
	// what did not hold, and who forced it.
	Reason string
}

// Forced is a gate that did not hold and was passed all the same.
type Forced struct {
	Gate string `json:"gate"`
	// Why says what did not hold, Reason why that was accepted.
	Why    string `json:"why"`
	Reason string `json:"reason"`
}

// ForcibleGates are the names that Force may have.
func ForcibleGates() []string {
	names := map[string]bool{}
	for _, list := range gates {
		for _, g := range list {
			if g.forcible {
				names[g.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (f Force) names(g gate) bool { return g.forcible && slices.Contains(f.Gates, g.name) }

// validate refuses what could not be forced before anything is done.
func (f Force) validate() error {
	forcible := ForcibleGates()
	for _, name := range f.Gates {
		switch {
		case slices.Contains(forcible, name):
		case gateExists(name):
			return fmt.Errorf("%w: gate %s keeps rows from being lost (gates that can be: %s)", ErrForce, name, strings.Join(forcible, ", "))
		default:
			return fmt.Errorf("%w: no gate is called %q (gates that can be: %s)", ErrForce, name, strings.Join(forcible, ", "))
		}
	}
	if len(f.Gates) > 0 && strings.TrimSpace(f.Reason) == "" {
		return fmt.Errorf("%w without a reason, which goes to the history", ErrForce)
	}
	return nil
}

func gateExists(name string) bool {
	for _, list := range gates {
		if slices.ContainsFunc(list, func(g gate) bool { return g.name == name }) {
			return true
		}
	}
	return false
}
