package rewrite

import "github.com/pgcrossfade/crossfade/internal/phase"

// Name is a relation's name, as PostgreSQL stores it: unquoted, folded.
type Name struct {
	Schema, Name string
}

// Column is one column of the logical table.
type Column struct {
	Name string
	// Type is the type as SQL text without a length or precision, as
	// format_type(atttypid, null) gives it: "character varying", "bigint"; empty
	// for a domain, which may have a length of its own.
	Type string
}

// Stars says under which name an application sees the moving column where it
// names none: in `*`, and in an INSERT without a column list.
type Stars string

const (
	// StarsSource shows the source's name: what an application that was
	// written before the transition expects. It is the zero value's meaning.
	StarsSource Stars = "source"
	// StarsTarget shows the target's name.
	StarsTarget Stars = "target"
)

// Transition is one column on its way, in the phase that is in force.
type Transition struct {
	ID    int64
	Table Name
	// Source and Target are the names of the two columns.
	Source, Target string
	// Columns are the columns of the logical table in their order. The moving
	// column stands once, under the name of the source, where the source
	// stands (or stood, after contract).
	Columns []Column
	// Default is the source's DEFAULT as it was when the transition began, as
	// SQL text with every name qualified; empty when there is none.
	Default string
	// Constraints are the names of the source's UNIQUE constraints, each with
	// that of its counterpart on the target.
	Constraints map[string]string
	Phase       phase.Phase
	// Token is the name of the phase's token in the schema crossfade.
	Token string
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
	Transitions []Transition
	// Homonyms are the relations that bear the name of a table in transition
	// in any schema, that table included.
	Homonyms []Name
	// Namesakes are, for relations other than the tables in transition, those
	// of their columns that bear the name of a source or a target. Views and
	// system relations count as well.
	Namesakes map[Name][]string
}
