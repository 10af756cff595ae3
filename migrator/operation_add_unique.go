package migrator

import (
	"errors"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// AddUnique is a new UNIQUE constraint. The index that carries it has its name.
type AddUnique struct {
	Name    string   `yaml:"name" json:"name"`
	Columns []string `yaml:"columns" json:"columns"`
	// Include are columns that the index carries without comparing them.
	Include []string `yaml:"include,omitempty" json:"include,omitempty"`
	// NullsNotDistinct makes NULLs equal (PostgreSQL 15 and later).
	NullsNotDistinct bool `yaml:"nulls_not_distinct,omitempty" json:"nulls_not_distinct,omitempty"`
	// Deferrable lets a transaction check it at its end, InitiallyDeferred makes
	// it do so.
	Deferrable        bool `yaml:"deferrable,omitempty" json:"deferrable,omitempty"`
	InitiallyDeferred bool `yaml:"initially_deferred,omitempty" json:"initially_deferred,omitempty"`
}

func (a *AddUnique) validate() []error {
	errs := append(checkNamed("add_unique", "name", a.Name), checkColumns("add_unique", "columns", a.Columns)...)
	if a.InitiallyDeferred && !a.Deferrable {
		errs = append(errs, errors.New("add_unique: initially_deferred is for a deferrable one"))
	}
	return errs
}

func (a *AddUnique) ask(request *preflight.Request) {
	request.Move.Kind = ledger.AddUnique
	on := "(" + ddl.Columns(a.Columns) + ")"
	if len(a.Include) > 0 {
		on += " include (" + ddl.Columns(a.Include) + ")"
	}
	if a.NullsNotDistinct {
		on += " nulls not distinct"
	}
	request.Alteration = &ledger.Alteration{
		Index: a.Name, Unique: true, Create: on, Constraint: a.Name, Body: timing(a.Deferrable, a.InitiallyDeferred),
	}
}

// timing says when a constraint is checked; empty: at once.
func timing(deferrable, deferred bool) string {
	switch {
	case deferred:
		return "deferrable initially deferred"
	case deferrable:
		return "deferrable"
	}
	return ""
}

func addUniqueWay(ledger.Alteration) way { return way{buildStep} }
