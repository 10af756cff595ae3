package rewrite

import (
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Name is a relation's name, as PostgreSQL stores it: unquoted, folded.
type Name struct {
	Schema, Name string
}

// Column is one column of a logical table.
type Column struct {
	Name string
	// Type is the type as SQL text without a length or precision, as
	// format_type(atttypid, null) gives it: "character varying", "bigint"; empty
	// for a domain, which may have a length of its own.
	Type string
	// Generated: PostgreSQL computes it, so COPY neither shows nor takes it.
	Generated bool
}

// Stars says under which names an application sees moving columns where it
// names none: in `*`, and in an INSERT without a column list.
type Stars string

const (
	// StarsSource shows the sources: what an application that was written before
	// the transition expects. It is the zero value's meaning.
	StarsSource Stars = "source"
	// StarsTarget shows the targets, where the first of the sources stood.
	StarsTarget Stars = "target"
)

// Transition is a move of columns on its way, in the phase that is in force.
type Transition struct {
	ID int64
	// Table is the table as the transition names it; Catalog.Tables says which
	// relations hold its rows.
	Table Name
	transform.Move
	// Key names the columns of the table's primary key, as it was when the
	// transition began.
	Key []string
	// Constraints are the names of the sources' UNIQUE constraints, each with
	// what takes its place on the targets.
	Constraints map[string]Counterpart
	Phase       phase.Phase
	// Token is the name of the phase's token in the schema crossfade.
	Token string
	// Synced: a trigger keeps both sides. A row that is inserted with one side
	// only gets the other from it in every phase that writes both, so a COPY,
	// whose data cannot be changed on the wire, may write one of them. A source's
	// DEFAULT counts as given.
	Synced bool
}

// Counterpart is what takes the place of a UNIQUE constraint: another one, or
// an index over expressions, which no constraint can have.
type Counterpart struct {
	// Constraint is the constraint's name, or empty.
	Constraint string
	// Columns is the list of the index's columns and expressions, as ON CONFLICT
	// takes it, when there is no Constraint.
	Columns string
}

// Table is a relation that holds rows in transition: a transition's table, or
// one of its partitions or children.
type Table struct {
	Name Name
	// Of is the table that the transitions name; the relation itself, or what it
	// is a partition or child of.
	Of Name
	// Kind is pg_class.relkind: "p" for a partitioned table, "f" for a foreign
	// one, "r" or empty for one with rows of its own.
	Kind string
	// Columns are the logical columns in their order: the sources stand where
	// they stand (or stood, after contract), the targets are not among them.
	Columns []Column
}

// View is a view over a table in transition, or over such a view.
type View struct {
	Name Name
	// Reads tells whether its query names a source or a target.
	Reads bool
	// Writable tells whether PostgreSQL passes writes on to the table.
	Writable bool
	// Of is the table, as the transitions name it.
	Of Name
}

// Catalog is what the rewriter knows of a database, as one connection sees it.
// It is immutable once a Rewriter has it.
type Catalog struct {
	// SearchPath is the effective search_path, temporary and system schemas
	// included: current_schemas(true).
	SearchPath []string
	// PathUnknown: the session changed its search_path after it joined.
	// Unqualified names of tables in transition are refused then.
	PathUnknown bool
	Stars       Stars
	// Transitions are in the order of their registration. Those of one table have
	// no column in common, but for a chain: a target of one that is contracted
	// may be a source of a later one.
	Transitions []Transition
	Tables      []Table
	Views       []View
	// Homonyms are the relations that bear the name of a table in transition
	// in any schema, that table included.
	Homonyms []Name
	// Namesakes are, for relations other than the tables in transition, those
	// of their columns that bear the name of a source or a target. Views and
	// system relations count as well.
	Namesakes map[Name][]string
	// Functions are the functions outside of pg_catalog: whether all that bear
	// the name may be evaluated twice with one result and no effect.
	Functions map[string]bool
}
