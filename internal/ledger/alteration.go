package ledger

import (
	"slices"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// The kinds of transitions that move no column.
const (
	AddColumn     transform.Kind = "add_column"
	DropColumn    transform.Kind = "drop_column"
	SetNotNull    transform.Kind = "set_not_null"
	AddIndex      transform.Kind = "add_index"
	AddUnique     transform.Kind = "add_unique"
	AddCheck      transform.Kind = "add_check"
	AddForeignKey transform.Kind = "add_foreign_key"
)

// Alteration is what a transition does that moves no column. No hook has a part
// in it: it rests in phase off without a token, and no connection learns of it.
//
// Every text is as PostgreSQL prints it under an empty search_path.
type Alteration struct {
	// Columns are the columns of the table that it reads.
	Columns []string `json:"columns,omitempty"`

	// Column is the column to add, to drop or to make NOT NULL. Its Value is an
	// expression over the other columns of the row, with which rows are filled
	// in which it is NULL; empty when none are.
	Column *transform.Column `json:"column,omitempty"`
	// Late: the Default holds for new rows only, so it is set behind the column.
	Late bool `json:"late,omitempty"`
	// Hidden is the name that a column to drop bears until contract.
	Hidden string `json:"hidden,omitempty"`

	// Index is the index to build, and Create the statement that does it.
	Index  string `json:"index,omitempty"`
	Unique bool   `json:"unique,omitempty"`
	Create string `json:"create,omitempty"`
	// Keys are what a unique index compares, and Compared the condition for a row
	// to be compared; empty for all.
	Keys     []string `json:"keys,omitempty"`
	Compared string   `json:"compared,omitempty"`

	// Constraint is the constraint to add. Body is its text: for a unique one what
	// stands behind USING INDEX, for others all that stands behind its name.
	Constraint string `json:"constraint,omitempty"`
	Body       string `json:"body,omitempty"`
	// References is what a foreign key references.
	References *Reference `json:"references,omitempty"`

	// Violated is the condition for a row of the table, as t, to stand in the way
	// of what is added; never NULL. Empty: no row can.
	Violated string `json:"violated,omitempty"`
}

// Reference is what a foreign key references.
type Reference struct {
	Schema  string   `json:"schema"`
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// Fills tells whether rows get a value that lack one.
func (a Alteration) Fills() bool { return a.Column != nil && a.Column.Value != "" }

// Moves tells whether columns move, which is when the hook has a part in it.
func (d Definition) Moves() bool { return d.Alteration == nil }

// String says what a transition does, for people: "full_name -> name",
// "add_column nickname".
func (d Definition) String() string {
	a := d.Alteration
	if a == nil {
		return d.Move.String()
	}
	name := a.Constraint
	switch {
	case a.Column != nil:
		name = a.Column.Name
	case name == "":
		name = a.Index
	}
	return string(d.Kind) + " " + name
}

// hold is a hand on a column.
type hold struct {
	schema, table, column string
	// owns: nobody else may have a hand on it.
	owns bool
}

// place is the column itself.
func (h hold) place() hold {
	h.owns = false
	return h
}

func (t Transition) holds() []hold {
	var list []hold
	add := func(schema, table string, columns []string, owns bool) {
		for _, column := range columns {
			list = append(list, hold{schema, table, column, owns})
		}
	}
	a := t.Definition.Alteration
	if a == nil {
		move := t.Definition.In(t.Phase)
		add(t.Schema, t.Table, move.SourceNames(), true)
		if !t.Settled() { // then the targets are columns like others
			add(t.Schema, t.Table, move.TargetNames(), true)
		}
		return list
	}
	add(t.Schema, t.Table, a.Columns, false)
	if a.Column != nil {
		add(t.Schema, t.Table, []string{a.Column.Name}, true)
	}
	if a.Hidden != "" {
		add(t.Schema, t.Table, []string{a.Hidden}, true)
	}
	if r := a.References; r != nil {
		add(r.Schema, r.Table, r.Columns, false)
	}
	return list
}

// overlapAltered is Overlap where one of the two moves nothing: columns that
// both only read do no harm, names of indexes and constraints are taken once.
func overlapAltered(t, other Transition) *OverlapError {
	e := &OverlapError{Other: other.Name, Phase: other.Phase, Altered: !other.Definition.Moves()}
	for _, mine := range t.holds() {
		for _, theirs := range other.holds() {
			if (mine.owns || theirs.owns) && mine.place() == theirs.place() {
				e.Column, e.Why = mine.column, "is in the hands of"
				return e
			}
		}
	}
	a, b := t.Definition.Alteration, other.Definition.Alteration
	if a == nil || b == nil || t.Schema != other.Schema {
		return nil
	}
	for _, name := range a.names() {
		if slices.Contains(b.names(), name) {
			e.Column, e.Why = name, "is a name that is wanted by"
			return e
		}
	}
	return nil
}

// names are those of what it adds.
func (a Alteration) names() []string {
	var names []string
	for _, name := range []string{a.Index, a.Constraint} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
