package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// SetNotNull is a column that becomes NOT NULL.
type SetNotNull struct {
	Column string `yaml:"column" json:"column"`
	// Value is the SQL expression over the row that takes the place of NULL. Left
	// out, no row may have NULL.
	Value string `yaml:"value,omitempty" json:"value,omitempty"`
}

func (s *SetNotNull) validate() []error { return checkNamed("set_not_null", "column", s.Column) }

func (s *SetNotNull) ask(request *preflight.Request) {
	request.Move.Kind = ledger.SetNotNull
	request.Alteration = &ledger.Alteration{Column: &transform.Column{Name: s.Column, Value: s.Value}}
}

func setNotNullWay(a ledger.Alteration) way {
	if a.Column.Value == "" {
		return way{countStep, notNullStep}
	}
	return way{fillStep, countStep, notNullStep}
}
