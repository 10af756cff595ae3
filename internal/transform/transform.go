// Package transform is the vocabulary of a move: the columns that a transition
// moves, the columns they become, and the SQL expressions that lead from one
// side to the other.
//
// It holds values only: no I/O, no parsing, no state.
package transform

import "strings"

// Kind is what a transition does.
type Kind string

const (
	// Rename gives a column another name; the values stay as they are.
	Rename Kind = "rename"
	// Change gives a column another type, or other values.
	Change Kind = "change"
	// Split makes several columns of one.
	Split Kind = "split"
	// Merge makes one column of several.
	Merge Kind = "merge"
)

// Direction is the way from one side of a move to the other.
type Direction string

const (
	// Forward leads from the sources to the targets.
	Forward Direction = "forward"
	// Backward leads from the targets to the sources.
	Backward Direction = "backward"
)

// Preserve says which comparisons of sources may become comparisons of targets,
// so that they can use an index on the target. Each value includes those before
// it. It is about the forward direction of a move of one column to one.
type Preserve string

const (
	// PreserveNothing: comparisons read the source back from the target.
	PreserveNothing Preserve = ""
	// PreserveEquality: forward(a) = forward(b) exactly when a = b, and forward
	// fails for no value of the source's type.
	PreserveEquality Preserve = "equality"
	// PreserveOrder: also forward(a) < forward(b) exactly when a < b.
	PreserveOrder Preserve = "order"
	// PreserveComparison: also, a target compares with a value of any type just
	// as its source does (bigint for integer, text for varchar).
	PreserveComparison Preserve = "comparison"
)

// Column is a column on one side of a move.
type Column struct {
	Name string `json:"name"`
	// Type is the type with its modifier, as format_type gives it under an empty
	// search_path: every name outside pg_catalog is qualified.
	Type string `json:"type"`
	// BaseType is Type without length or precision.
	BaseType string `json:"base_type"`
	// Collation is the collation, quoted and qualified; empty for the type's own.
	Collation string `json:"collation,omitempty"`
	// Default is the DEFAULT as SQL text with every name qualified; empty when
	// there is none. Targets have none before contract.
	Default string `json:"default,omitempty"`
	// Identity is "always" or "by default" for a source that was an identity column
	// when the transition began; it has a DEFAULT from its sequence instead then.
	Identity string `json:"identity,omitempty"`
	// NotNull tells whether the column is, or becomes, NOT NULL.
	NotNull bool `json:"not_null,omitempty"`
	// Position is a source's attnum: its place in the logical table, also after
	// the column has gone. 0 for targets.
	Position int `json:"position,omitempty"`
	// Value is the SQL expression that gives this column from those of the other
	// side, which it names bare; every other name in it is qualified. It has yet
	// to be cast to Type. Empty: the other side is one column of the same type,
	// and its value is taken as it is.
	Value string `json:"value,omitempty"`
}

// Move is what a transition does to the columns of its table.
type Move struct {
	Kind    Kind     `json:"kind"`
	Sources []Column `json:"sources"`
	Targets []Column `json:"targets"`
	// Lossy are the directions declared not to keep everything: going there and
	// back may not give the value one started from.
	Lossy []Direction `json:"lossy,omitempty"`
	// Preserves says what forward keeps of comparisons. It is of no interest when
	// Identity.
	Preserves Preserve `json:"preserves,omitempty"`
	// KeepName: in the end the one target takes the name of the one source.
	KeepName bool `json:"keep_name,omitempty"`
}

// Identity tells whether one column becomes another with the same values.
func (m Move) Identity() bool {
	return len(m.Sources) == 1 && len(m.Targets) == 1 && m.Sources[0].Value == "" && m.Targets[0].Value == ""
}

// Loses tells whether the direction was declared lossy.
func (m Move) Loses(d Direction) bool {
	for _, lossy := range m.Lossy {
		if lossy == d {
			return true
		}
	}
	return false
}

// SourceNames and TargetNames are the names of the columns on either side.
func (m Move) SourceNames() []string { return Names(m.Sources) }

// TargetNames are the names of the targets.
func (m Move) TargetNames() []string { return Names(m.Targets) }

// Names are the names of columns, in their order.
func Names(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// String says what moves, for people: "full_name -> first_name, last_name".
func (m Move) String() string {
	return strings.Join(m.SourceNames(), ", ") + " -> " + strings.Join(m.TargetNames(), ", ")
}

// Named is what a move that keeps the name has become when the target bears it:
// a rename of the target, whose old name stands where the source stood.
func (m Move) Named() Move {
	named := Renamed(m.Targets[0], m.Sources[0].Name)
	named.Sources[0].Position = m.Sources[0].Position
	return named
}

// Renamed is the move that gives a column another name.
func Renamed(source Column, name string) Move {
	target := source
	target.Name, target.Default, target.Position, target.Value, target.Identity = name, "", 0, "", ""
	source.Value = ""
	return Move{Kind: Rename, Sources: []Column{source}, Targets: []Column{target}}
}
