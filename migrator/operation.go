package migrator

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// operation is what a transition does, one file for each kind.
type operation interface {
	// validate lists what is missing or malformed.
	validate() []error
	// ask puts the operation into a request to preflight.
	ask(*preflight.Request)
}

// operations are those that a transition names; exactly one is right.
func (t Transition) operations() []operation {
	var list []operation
	for _, o := range []operation{t.Rename, t.Change, t.Split, t.Merge, t.AddColumn, t.DropColumn, t.SetNotNull,
		t.AddIndex, t.AddUnique, t.AddCheck, t.AddForeignKey} {
		if !reflect.ValueOf(o).IsNil() {
			list = append(list, o)
		}
	}
	return list
}

// operation is the one that a valid transition names.
func (t Transition) operation() (operation, error) {
	list := t.operations()
	if len(list) != 1 {
		return nil, errors.New("say what to do, with one of rename, change, split and merge, " +
			"or add_column, drop_column, set_not_null, add_index, add_unique, add_check and add_foreign_key")
	}
	return list[0], nil
}

// Request is what preflight is to look at for a valid transition, on a table that
// has been looked up.
func (t Transition) Request(schema, table string) preflight.Request {
	r := preflight.Request{Name: t.Name, Schema: schema, Table: table, Accept: t.Accept, IgnoreApplications: t.IgnoreApplications}
	r.Sync, r.Tail = t.syncMode(), t.Sync == syncLogical
	if o, err := t.operation(); err == nil {
		o.ask(&r)
	}
	return r
}

// Sources names the columns that a transition moves.
func (t Transition) Sources() []string { return t.Request("", "").Move.SourceNames() }

// Targets names the columns that they become.
func (t Transition) Targets() []string { return t.Request("", "").Move.TargetNames() }

// KeepsName tells whether in the end the target takes the source's name.
func (t Transition) KeepsName() bool { return t.Request("", "").Move.KeepName }

// Does says in a few words what a transition does.
func (t Transition) Does() string {
	r := t.Request("", "")
	return ledger.Definition{Move: r.Move, Alteration: r.Alteration}.String()
}

// SameOperation tells whether two transitions ask for the same, whatever their
// table and the rest is.
func (t Transition) SameOperation(other Transition) bool {
	return reflect.DeepEqual(t.operations(), other.operations())
}

// checkName tells what keeps a name from being a column's.
func checkName(what, name string) []error {
	switch {
	case name == "":
		return []error{fmt.Errorf("%s: from and to: a column's name is missing", what)}
	case len(name) > 63:
		return []error{fmt.Errorf("%s: %q is longer than PostgreSQL's 63 bytes", what, name)}
	}
	return nil
}

// checkNamed is checkName for the name under a key.
func checkNamed(what, key, name string) []error {
	if name == "" {
		return checkGiven(what, key, name)
	}
	return checkName(what, name)
}

// checkColumns tells what keeps names from being a list of columns.
func checkColumns(what, key string, names []string) []error {
	if len(names) == 0 {
		return []error{fmt.Errorf("%s: %s: name a column", what, key)}
	}
	if slices.Contains(names, "") {
		return []error{fmt.Errorf("%s: %s: a column's name is missing", what, key)}
	}
	return checkNames(what, names...)
}

// checkNames is checkName for columns that must be different ones.
func checkNames(what string, names ...string) []error {
	var errs []error
	for i, name := range names {
		if name != "" && slices.Contains(names[:i], name) {
			errs = append(errs, fmt.Errorf("%s: %q is the same name twice", what, name))
		}
		errs = append(errs, checkName(what, name)...)
	}
	return errs
}

// checkGiven tells which texts are missing.
func checkGiven(what, key, text string) []error {
	if text == "" {
		return []error{fmt.Errorf("%s: %s is needed", what, key)}
	}
	return nil
}

// checkLossy tells which of the directions are none.
func checkLossy(what string, lossy []string) []error {
	var errs []error
	for i, direction := range lossy {
		switch {
		case direction != string(transform.Forward) && direction != string(transform.Backward):
			errs = append(errs, fmt.Errorf("%s: lossy: %q is neither forward nor backward", what, direction))
		case slices.Contains(lossy[:i], direction):
			errs = append(errs, fmt.Errorf("%s: lossy: %q stands there twice", what, direction))
		}
	}
	return errs
}

func directions(lossy []string) []transform.Direction {
	var list []transform.Direction
	for _, direction := range lossy {
		list = append(list, transform.Direction(direction))
	}
	return list
}
