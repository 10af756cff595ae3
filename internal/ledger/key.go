package ledger

import "slices"

// PrimaryKey is a primary key that a source is part of. It becomes one over the
// targets, under its own name, before the sources are no longer written.
type PrimaryKey struct {
	// Constraint is its name, on either side.
	Constraint string `json:"constraint"`
	// Target is the unique index on the targets, as long as it is not the key,
	// and Create the statement that builds it.
	Target string `json:"target"`
	Create string `json:"create"`
	// Source is the name under which the index of the sources is built again,
	// before it becomes the key again, and Restore the statement.
	Source  string `json:"source"`
	Restore string `json:"restore"`
}

// Sequence is a sequence that numbers a source.
type Sequence struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Source is the column, and Target the one that takes its place.
	Source string `json:"source"`
	Target string `json:"target"`
	// Type is the sequence's, and TargetType the one it needs for the target.
	Type       string `json:"type"`
	TargetType string `json:"target_type"`
	// Owned: it belongs to the column, and would be dropped with it.
	Owned bool `json:"owned,omitempty"`
	// Identity is "always" or "by default" where it is that of an identity column.
	Identity string `json:"identity,omitempty"`
}

// ForeignKey is a foreign key that references a source, or that a source is part
// of, and its counterpart on the target.
type ForeignKey struct {
	// Schema and Table are of the table that has it, Name is its name.
	Schema string `json:"schema"`
	Table  string `json:"table"`
	Name   string `json:"name"`
	// Partitioned: that table is partitioned.
	Partitioned bool `json:"partitioned,omitempty"`
	// Columns and References are the columns on both sides, and TargetColumns and
	// TargetReferences those of the counterpart.
	Columns          []string `json:"columns"`
	References       []string `json:"references"`
	TargetColumns    []string `json:"target_columns"`
	TargetReferences []string `json:"target_references"`
	// ToSchema and ToTable are of the table that it references.
	ToSchema string `json:"to_schema"`
	ToTable  string `json:"to_table"`
	// Options are MATCH, the actions and what is deferred, as SQL text.
	Options string `json:"options,omitempty"`
	// Validated: it holds for every row, and not for new ones only.
	Validated bool `json:"validated"`
}

// TargetKey is Key with the targets in the place of the sources: the key of the
// table where the sources are not written any more.
func (d Definition) TargetKey() []string {
	key := slices.Clone(d.Key)
	if len(d.Sources) != 1 || len(d.Targets) != 1 {
		return key
	}
	for i, column := range key {
		if column == d.Sources[0].Name {
			key[i] = d.Targets[0].Name
		}
	}
	return key
}

// TargetKeyTypes are the types of TargetKey.
func (d Definition) TargetKeyTypes() []string {
	types := slices.Clone(d.KeyTypes)
	for i, column := range d.TargetKey() {
		if column != d.Key[i] && i < len(types) {
			types[i] = d.Targets[0].Type
		}
	}
	return types
}
