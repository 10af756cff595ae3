package migrator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// AddForeignKey is a new FOREIGN KEY.
type AddForeignKey struct {
	Name       string     `yaml:"name" json:"name"`
	Columns    []string   `yaml:"columns" json:"columns"`
	References References `yaml:"references" json:"references"`
	// Match is "simple", as when it is left out, or "full".
	Match string `yaml:"match,omitempty" json:"match,omitempty"`
	// OnDelete and OnUpdate are "no action", as when they are left out, "restrict",
	// "cascade", "set null" or "set default".
	OnDelete string `yaml:"on_delete,omitempty" json:"on_delete,omitempty"`
	OnUpdate string `yaml:"on_update,omitempty" json:"on_update,omitempty"`
	// Deferrable and InitiallyDeferred are as in AddUnique.
	Deferrable        bool `yaml:"deferrable,omitempty" json:"deferrable,omitempty"`
	InitiallyDeferred bool `yaml:"initially_deferred,omitempty" json:"initially_deferred,omitempty"`
}

// References is what a foreign key references.
type References struct {
	// Table is named as in Transition.
	Table string `yaml:"table" json:"table"`
	// Columns are a key of it; left out, the primary key.
	Columns []string `yaml:"columns,omitempty" json:"columns,omitempty"`
}

var (
	matches = []string{"", "simple", "full"}
	actions = []string{"", "no action", "restrict", "cascade", "set null", "set default"}
)

func (a *AddForeignKey) validate() []error {
	errs := append(checkNamed("add_foreign_key", "name", a.Name), checkColumns("add_foreign_key", "columns", a.Columns)...)
	errs = append(errs, checkGiven("add_foreign_key", "the table of references", a.References.Table)...)
	for _, choice := range []struct {
		key, value string
		of         []string
	}{{"match", a.Match, matches}, {"on_delete", a.OnDelete, actions}, {"on_update", a.OnUpdate, actions}} {
		if !slices.Contains(choice.of, choice.value) {
			errs = append(errs, fmt.Errorf("add_foreign_key: %s: %q is none of %s", choice.key, choice.value, strings.Join(choice.of[1:], ", ")))
		}
	}
	if a.InitiallyDeferred && !a.Deferrable {
		errs = append(errs, errors.New("add_foreign_key: initially_deferred is for a deferrable one"))
	}
	return errs
}

func (a *AddForeignKey) ask(request *preflight.Request) {
	request.Move.Kind = ledger.AddForeignKey
	var options []string
	for _, o := range []struct{ word, value string }{
		{"match ", a.Match}, {"on delete ", a.OnDelete}, {"on update ", a.OnUpdate}, {"", timing(a.Deferrable, a.InitiallyDeferred)},
	} {
		if o.value != "" {
			options = append(options, o.word+o.value)
		}
	}
	request.Alteration = &ledger.Alteration{
		Columns: a.Columns, Constraint: a.Name, Body: strings.Join(options, " "),
		References: &ledger.Reference{Table: a.References.Table, Columns: a.References.Columns},
	}
}

func addForeignKeyWay(ledger.Alteration) way { return way{countStep, constraintStep} }
