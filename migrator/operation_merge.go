package migrator

import (
	"errors"

	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Merge is several columns that become one.
type Merge struct {
	From []MergeOf `yaml:"from" json:"from"`
	To   string    `yaml:"to" json:"to"`
	// Type is the target's type, and Collation its collation where it is not the
	// type's own.
	Type      string `yaml:"type" json:"type"`
	Collation string `yaml:"collation,omitempty" json:"collation,omitempty"`
	// Forward is the SQL expression over the sources that gives the target.
	Forward string `yaml:"forward" json:"forward"`
	// Lossy is as in Change.
	Lossy []string `yaml:"lossy,omitempty" json:"lossy,omitempty"`
	// NotNull tells whether the target becomes NOT NULL. Nil: when all sources are.
	NotNull *bool `yaml:"not_null,omitempty" json:"not_null,omitempty"`
}

// MergeOf is one source of a merge.
type MergeOf struct {
	Name string `yaml:"name" json:"name"`
	// Value is the SQL expression over the target that gives the source.
	Value string `yaml:"value" json:"value"`
}

func (m *Merge) validate() []error {
	var errs []error
	names := []string{m.To}
	for _, c := range m.From {
		names = append(names, c.Name)
		errs = append(errs, checkGiven("merge", "the value of each column", c.Value)...)
	}
	if len(m.From) < 2 {
		errs = append(errs, errors.New("merge: from: two columns or more are needed; one is a change"))
	}
	errs = append(errs, checkNames("merge", names...)...)
	errs = append(errs, checkGiven("merge", "type", m.Type)...)
	errs = append(errs, checkGiven("merge", "forward", m.Forward)...)
	return append(errs, checkLossy("merge", m.Lossy)...)
}

func (m *Merge) ask(request *preflight.Request) {
	request.NotNull = m.NotNull
	request.Move = transform.Move{
		Kind:    transform.Merge,
		Targets: []transform.Column{{Name: m.To, Type: m.Type, Collation: m.Collation, Value: m.Forward}},
		Lossy:   directions(m.Lossy),
	}
	for _, c := range m.From {
		request.Move.Sources = append(request.Move.Sources, transform.Column{Name: c.Name, Value: c.Value})
	}
}
