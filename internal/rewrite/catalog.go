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

// Transition is a move of columns on its way, in the phase that is in force. It
// is what the migrator registered, whatever the phase has made of the names.
type Transition struct {
	ID int64
	// Table is the table as the transition names it; Catalog.Tables says which
	// relations hold its rows.
	Table Name
	transform.Move
	// Key names the columns of the table's primary key, as it was when the
	// transition began.
	Key []string
	// Constraints are the names of the sources' UNIQUE constraints and of their
	// primary key, each with what takes its place on the targets.
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
	// OwnDefaults are the sources for which a descendant has another DEFAULT than
	// the transition's table.
	OwnDefaults []string
	// Unordered: the order of Columns is not known, because a source has been
	// dropped among others.
	Unordered bool
}

// ViewKind is how a View comes to the rows of its table.
type ViewKind string

const (
	// ViewPlain is a view: its query runs whenever the view is read.
	ViewPlain ViewKind = "view"
	// ViewStored is a materialized view: what it holds is a copy.
	ViewStored ViewKind = "materialized view"
	// ViewRule is an ordinary table with a rule that names the table.
	ViewRule ViewKind = "table with a rule"
)

// View is a relation that leads to a table in transition by a query of its own,
// which PostgreSQL stores with the columns that it named when it was made.
type View struct {
	Name Name
	// Of is the table, as the transitions name it. A view over several tables
	// stands once for each.
	Of   Name
	Kind ViewKind
	// Reads are the sources and targets that its query names, by itself or through
	// another view.
	Reads []string
	// Whole: its query names whole rows.
	Whole bool
	// Acts: triggers or rules of its own say what a write to it does.
	Acts bool
}

// Ancestor is a relation that is not in transition, and that a table in
// transition is a partition or child of, with a column that moves there.
type Ancestor struct {
	Name Name
	// Of is the table, as the transitions name it.
	Of Name
}

// Function is one whose body names a column in transition.
type Function struct {
	Name Name
	// Of is the table, as the transitions name it.
	Of Name
}

// Policy is what becomes of SQL that the rewriter cannot see into.
type Policy string

const (
	// PolicyRefuse refuses the statement.
	PolicyRefuse Policy = "refuse"
	// PolicyReport lets it pass, and says so in Result.Reported.
	PolicyReport Policy = "report"
)

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
	Ancestors   []Ancestor
	// Opaque are the functions whose bodies name columns in transition. One name
	// stands for all functions that bear it in its schema.
	Opaque []Function
	// OpaqueText is the policy for statements that run or store SQL in a string
	// or body (DO, CREATE FUNCTION, dblink) and mention a table in transition.
	// Empty means PolicyRefuse.
	OpaqueText Policy
	// OpaqueCalls is the policy for calls of Opaque functions. Empty means
	// PolicyReport.
	OpaqueCalls Policy
	// Homonyms are the relations that bear the name of one of Tables, Views or
	// Ancestors in any schema, those included.
	Homonyms []Name
	// Namesakes are, for relations other than the tables in transition, those
	// of their columns that bear the name of a source or a target. Views and
	// system relations count as well.
	Namesakes map[Name][]string
	// ColumnNames are the names of all columns outside of the system's schemas:
	// what bears none of them is no column.
	ColumnNames map[string]bool
	// Functions are the functions outside of pg_catalog: whether all that bear
	// the name may be evaluated twice with one result and no effect.
	Functions map[string]bool
}
