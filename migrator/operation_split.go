package migrator

import (
	"errors"

	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Split is a column that becomes several.
type Split struct {
	From string      `yaml:"from" json:"from"`
	To   []SplitInto `yaml:"to" json:"to"`
	// Backward is the SQL expression over the targets that gives the source.
	Backward string `yaml:"backward" json:"backward"`
	// Lossy is as in Change.
	Lossy []string `yaml:"lossy,omitempty" json:"lossy,omitempty"`
}

// SplitInto is one target of a split.
type SplitInto struct {
	Name      string `yaml:"name" json:"name"`
	Type      string `yaml:"type" json:"type"`
	Collation string `yaml:"collation,omitempty" json:"collation,omitempty"`
	// Value is the SQL expression over the source that gives the target.
	Value string `yaml:"value" json:"value"`
	// NotNull tells whether the target becomes NOT NULL.
	NotNull bool `yaml:"not_null,omitempty" json:"not_null,omitempty"`
}

func (s *Split) validate() []error {
	var errs []error
	names := []string{s.From}
	for _, c := range s.To {
		names = append(names, c.Name)
		errs = append(errs, checkGiven("split", "the type of each column", c.Type)...)
		errs = append(errs, checkGiven("split", "the value of each column", c.Value)...)
	}
	if len(s.To) < 2 {
		errs = append(errs, errors.New("split: to: two columns or more are needed; one is a change"))
	}
	errs = append(errs, checkNames("split", names...)...)
	errs = append(errs, checkGiven("split", "backward", s.Backward)...)
	return append(errs, checkLossy("split", s.Lossy)...)
}

func (s *Split) ask(request *preflight.Request) {
	request.Move = transform.Move{
		Kind:    transform.Split,
		Sources: []transform.Column{{Name: s.From, Value: s.Backward}},
		Lossy:   directions(s.Lossy),
	}
	for _, c := range s.To {
		request.Move.Targets = append(request.Move.Targets,
			transform.Column{Name: c.Name, Type: c.Type, Collation: c.Collation, Value: c.Value, NotNull: c.NotNull})
	}
}
