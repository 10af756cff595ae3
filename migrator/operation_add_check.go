package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// AddCheck is a new CHECK constraint.
type AddCheck struct {
	Name string `yaml:"name" json:"name"`
	// Check is the condition.
	Check string `yaml:"check" json:"check"`
}

func (a *AddCheck) validate() []error {
	return append(checkNamed("add_check", "name", a.Name), checkGiven("add_check", "check", a.Check)...)
}

func (a *AddCheck) ask(request *preflight.Request) {
	request.Move.Kind = ledger.AddCheck
	request.Alteration = &ledger.Alteration{Constraint: a.Name, Body: a.Check}
}

func addCheckWay(ledger.Alteration) way { return way{countStep, constraintStep} }
