package migrator

import (
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Change is a column that gets another type, or other values, under a new name.
type Change struct {
	From string `yaml:"from" json:"from"`
	To   string `yaml:"to" json:"to"`
	// Type is the target's type, and Collation its collation where it is not the
	// type's own.
	Type      string `yaml:"type" json:"type"`
	Collation string `yaml:"collation,omitempty" json:"collation,omitempty"`
	// Forward is the SQL expression over the source that gives the target, and
	// Backward the one over the target that gives the source. Left out, they are
	// casts.
	Forward  string `yaml:"forward,omitempty" json:"forward,omitempty"`
	Backward string `yaml:"backward,omitempty" json:"backward,omitempty"`
	// Lossy lists the directions, "forward" and "backward", from which one does
	// not come back to every value one started from.
	Lossy []string `yaml:"lossy,omitempty" json:"lossy,omitempty"`
	// Preserves is what the author vouches for: "none"; "equality", when targets
	// are equal exactly when their sources are; "order", when they also sort the
	// same. Left out, it is what is known of the types.
	Preserves string `yaml:"preserves,omitempty" json:"preserves,omitempty"`
	// NotNull tells whether the target becomes NOT NULL. Nil: as the source.
	NotNull *bool `yaml:"not_null,omitempty" json:"not_null,omitempty"`
	// KeepName: at contract, when the source is gone, the target takes its name.
	// To is then a name for the meantime, which works until the transition is
	// removed.
	KeepName bool `yaml:"keep_name,omitempty" json:"keep_name,omitempty"`
}

// vouched are the texts of Preserves.
var vouched = map[string]transform.Preserve{
	"none": transform.PreserveNothing, "equality": transform.PreserveEquality, "order": transform.PreserveOrder,
}

func (c *Change) validate() []error {
	errs := append(checkNames("change", c.From, c.To), checkGiven("change", "type", c.Type)...)
	if _, known := vouched[c.Preserves]; !known && c.Preserves != "" {
		errs = append(errs, fmt.Errorf("change: preserves: %q is none of none, equality, order", c.Preserves))
	}
	return append(errs, checkLossy("change", c.Lossy)...)
}

func (c *Change) ask(request *preflight.Request) {
	request.NotNull = c.NotNull
	if preserve, given := vouched[c.Preserves]; given {
		request.Preserves = &preserve
	}
	request.Move = transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: c.From, Value: c.Backward}},
		Targets: []transform.Column{{Name: c.To, Type: c.Type, Collation: c.Collation, Value: c.Forward}},
		Lossy:   directions(c.Lossy), KeepName: c.KeepName,
	}
}
