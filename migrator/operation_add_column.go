package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// AddColumn is a new column.
type AddColumn struct {
	Name string `yaml:"name" json:"name"`
	// Type is its type, and Collation its collation where it is not the type's own.
	Type      string `yaml:"type" json:"type"`
	Collation string `yaml:"collation,omitempty" json:"collation,omitempty"`
	// Default is the column's DEFAULT: of rows that are inserted without it, and
	// of those that exist unless Value says otherwise. One that is not volatile
	// costs nothing; another one is filled in row by row.
	Default string `yaml:"default,omitempty" json:"default,omitempty"`
	// Value is the SQL expression over the other columns of a row that gives the
	// column in the rows that exist.
	Value string `yaml:"value,omitempty" json:"value,omitempty"`
	// NotNull makes it NOT NULL when every row has a value.
	NotNull bool `yaml:"not_null,omitempty" json:"not_null,omitempty"`
}

func (a *AddColumn) validate() []error {
	return append(checkNamed("add_column", "name", a.Name), checkGiven("add_column", "type", a.Type)...)
}

func (a *AddColumn) ask(request *preflight.Request) {
	request.Move.Kind = ledger.AddColumn
	request.Alteration = &ledger.Alteration{Column: &transform.Column{
		Name: a.Name, Type: a.Type, Collation: a.Collation, Default: a.Default, Value: a.Value, NotNull: a.NotNull,
	}}
}

// addColumnWay adds the column, and fills it where it has no value at once.
func addColumnWay(a ledger.Alteration) way {
	w := way{addColumnStep}
	if a.Column.Value != "" {
		w = append(w, fillStep)
	}
	if a.Column.NotNull && !bornNotNull(a) {
		w = append(w, countStep, notNullStep)
	}
	return w
}

// bornNotNull tells whether the column can be NOT NULL from the start: its
// DEFAULT is the value of every row that exists.
func bornNotNull(a ledger.Alteration) bool {
	return a.Column.NotNull && a.Column.Default != "" && !a.Late
}
