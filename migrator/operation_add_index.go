package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// AddIndex is a new index.
type AddIndex struct {
	Name   string `yaml:"name" json:"name"`
	Unique bool   `yaml:"unique,omitempty" json:"unique,omitempty"`
	// On is what stands behind ON table in a CREATE INDEX: method, columns and
	// expressions, INCLUDE, WITH, WHERE.
	On string `yaml:"on" json:"on"`
}

func (a *AddIndex) validate() []error {
	return append(checkNamed("add_index", "name", a.Name), checkGiven("add_index", "on", a.On)...)
}

func (a *AddIndex) ask(request *preflight.Request) {
	request.Move.Kind = ledger.AddIndex
	request.Alteration = &ledger.Alteration{Index: a.Name, Unique: a.Unique, Create: a.On}
}

func addIndexWay(ledger.Alteration) way { return way{buildStep} }
